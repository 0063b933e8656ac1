#include "vault/vault/mandate_state.h"

/* What a state is, in words for the documentation. */
static const struct {
    const char *name;
    bool allows;
    const char *meaning;
} states[MANDATE_STATE_COUNT] = {
    [MANDATE_IN_FORCE] = {"in force", true, "the structure's mediators may act within it"},
    [MANDATE_ENDED] = {"ended", false, "the citizen or the structure ended it"},
    [MANDATE_EXPIRED] = {"expired", false, "its time is over; by the clock, without a record"},
    [MANDATE_IDLE] = {"idle", false, "not used for six months; by the clock, without a record"},
    [MANDATE_NONE] = {"none", false, "there is no such mandate"},
};

static const struct {
    const char *name;
    const char *meaning;
} events[MANDATE_EVENT_COUNT] = {
    [MANDATE_GIVE] = {"give", "a new one, by the citizen's session or printed code"},
    [MANDATE_USE] = {"use", "a mediator looked at what it covers"},
    [MANDATE_END] = {"end", "either side ends it, at once"},
};

/* The lifecycle. What is over stays over: only ending it for good is possible, since a clock can be
 * wrong. */
static const struct {
    enum mandate_state from;
    enum mandate_event event;
    enum mandate_state to;
} transitions[] = {
    {MANDATE_NONE, MANDATE_GIVE, MANDATE_IN_FORCE},
    {MANDATE_IN_FORCE, MANDATE_USE, MANDATE_IN_FORCE},
    {MANDATE_IN_FORCE, MANDATE_END, MANDATE_ENDED},
    {MANDATE_EXPIRED, MANDATE_END, MANDATE_ENDED},
    {MANDATE_IDLE, MANDATE_END, MANDATE_ENDED},
};

const char *mandate_state_name(enum mandate_state state)
{
    return states[state].name;
}

const char *mandate_event_name(enum mandate_event event)
{
    return events[event].name;
}

enum mandate_state mandate_state_of(struct bytes name)
{
    int i = 0;
    while (i < MANDATE_STATE_COUNT && !bytes_equal(bytes_of_text(states[i].name), name))
        i++;
    return (enum mandate_state)i;
}

enum mandate_event mandate_event_of(struct bytes name)
{
    int i = 0;
    while (i < MANDATE_EVENT_COUNT && !bytes_equal(bytes_of_text(events[i].name), name))
        i++;
    return (enum mandate_event)i;
}

bool mandate_state_after(enum mandate_state state, enum mandate_event event,
                         enum mandate_state *out)
{
    for (size_t i = 0; i < sizeof transitions / sizeof transitions[0]; i++) {
        if (transitions[i].from == state && transitions[i].event == event) {
            *out = transitions[i].to;
            return true;
        }
    }
    return false;
}

bool mandate_state_allows(enum mandate_state state)
{
    return states[state].allows;
}

static void print_table(struct buf *out)
{
    buf_text(out, "| state |");
    for (int event = 0; event < MANDATE_EVENT_COUNT; event++)
        buf_format(out, " %s |", events[event].name);
    buf_text(out, "\n|---|");
    for (int event = 0; event < MANDATE_EVENT_COUNT; event++)
        buf_text(out, "---|");
    for (int state = 0; state < MANDATE_STATE_COUNT; state++) {
        buf_format(out, "\n| **%s** |", states[state].name);
        for (int event = 0; event < MANDATE_EVENT_COUNT; event++) {
            enum mandate_state to = MANDATE_NONE;
            const bool may =
                mandate_state_after((enum mandate_state)state, (enum mandate_event)event, &to);
            buf_format(out, " %s |", may ? states[to].name : "·");
        }
    }
    buf_text(out, "\n\n");
}

void mandate_state_print(struct buf *out)
{
    buf_text(out, "# The lifecycle of a mandate\n\n"
                  "Printed from the table that runs (`vault/vault/mandate_state.c`). A row is the "
                  "state, a column what happens, a cell where it leads; · changes nothing.\n\n");
    print_table(out);
    buf_text(out, "| state | a mediator may act | is |\n|---|---|---|\n");
    for (int state = 0; state < MANDATE_STATE_COUNT; state++)
        buf_format(out, "| %s | %s | %s |\n", states[state].name,
                   states[state].allows ? "yes" : "no", states[state].meaning);
    buf_text(out, "\n| event | is |\n|---|---|\n");
    for (int event = 0; event < MANDATE_EVENT_COUNT; event++)
        buf_format(out, "| %s | %s |\n", events[event].name, events[event].meaning);
    buf_text(out, "\nOf a minor under 15 a mediator sees no values and gives and resumes nothing, "
                  "whatever the mandate says (`guardians.md`).\n");
}
