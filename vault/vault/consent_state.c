#include "vault/vault/consent_state.h"

#include <assert.h>

/* What a state is, in words for the documentation. */
static const struct {
    const char *name;
    bool releases;
    const char *meaning;
} states[CONSENT_STATE_COUNT] = {
    [CONSENT_GIVEN] = {"given", true, "in force: what it names may be released"},
    [CONSENT_REFUSED] = {"refused", false, "the citizen said no"},
    [CONSENT_WITHDRAWN] = {"withdrawn", false,
                           "the citizen took it back, or it ended with the service"},
    [CONSENT_SUSPENDED] = {"suspended", false, "not in force until it is resumed"},
    [CONSENT_EXPIRED] = {"expired", false, "its time is over; by the clock, without a record"},
    [CONSENT_USED_UP] = {"used up", false, "it was used as often as it may be"},
    [CONSENT_NONE] = {"none", false, "nothing was ever decided"},
};

static const struct {
    const char *name;
    enum entry_event entry;
    const char *meaning;
} events[CONSENT_EVENT_COUNT] = {
    [CONSENT_GIVE] = {"give", ENTRY_CONSENT, "a new consent, also where there was one before"},
    [CONSENT_NARROW] = {"narrow", ENTRY_CONSENT, "the same consent for less"},
    [CONSENT_REFUSE] = {"refuse", ENTRY_REFUSE, "the answer no"},
    [CONSENT_WITHDRAW] = {"withdraw", ENTRY_WITHDRAW, "what was given ends"},
    [CONSENT_SUSPEND] = {"suspend", ENTRY_SUSPEND, "nothing is released until it is resumed"},
    [CONSENT_RESUME] = {"resume", ENTRY_RESUME, "in force again"},
    [CONSENT_END] = {"end", ENTRY_WITHDRAW, "the city removed the service (cascade.h)"},
};

static const char *const causes[CONSENT_CAUSE_COUNT] = {
    [CONSENT_BY_CITIZEN] = "citizen",
    [CONSENT_BY_PAUSE] = "pause",
    [CONSENT_BY_RESTORE] = "restore",
};

/* The lifecycle. */
static const struct {
    enum consent_state from;
    enum consent_event event;
    enum consent_state to;
} transitions[] = {
    {CONSENT_NONE, CONSENT_GIVE, CONSENT_GIVEN},
    {CONSENT_NONE, CONSENT_REFUSE, CONSENT_REFUSED},

    {CONSENT_GIVEN, CONSENT_GIVE, CONSENT_GIVEN},
    {CONSENT_GIVEN, CONSENT_NARROW, CONSENT_GIVEN},
    {CONSENT_GIVEN, CONSENT_REFUSE, CONSENT_REFUSED},
    {CONSENT_GIVEN, CONSENT_WITHDRAW, CONSENT_WITHDRAWN},
    {CONSENT_GIVEN, CONSENT_SUSPEND, CONSENT_SUSPENDED},
    {CONSENT_GIVEN, CONSENT_END, CONSENT_WITHDRAWN},

    {CONSENT_SUSPENDED, CONSENT_GIVE, CONSENT_GIVEN},
    {CONSENT_SUSPENDED, CONSENT_NARROW, CONSENT_SUSPENDED},
    {CONSENT_SUSPENDED, CONSENT_REFUSE, CONSENT_REFUSED},
    {CONSENT_SUSPENDED, CONSENT_WITHDRAW, CONSENT_WITHDRAWN},
    {CONSENT_SUSPENDED, CONSENT_RESUME, CONSENT_GIVEN},
    {CONSENT_SUSPENDED, CONSENT_END, CONSENT_WITHDRAWN},

    {CONSENT_REFUSED, CONSENT_GIVE, CONSENT_GIVEN},
    {CONSENT_REFUSED, CONSENT_REFUSE, CONSENT_REFUSED},
    {CONSENT_WITHDRAWN, CONSENT_GIVE, CONSENT_GIVEN},
    {CONSENT_WITHDRAWN, CONSENT_REFUSE, CONSENT_REFUSED},

    /* A clock can be wrong: what is over by the clock alone can still be taken back for good. */
    {CONSENT_EXPIRED, CONSENT_GIVE, CONSENT_GIVEN},
    {CONSENT_EXPIRED, CONSENT_REFUSE, CONSENT_REFUSED},
    {CONSENT_EXPIRED, CONSENT_WITHDRAW, CONSENT_WITHDRAWN},
    {CONSENT_USED_UP, CONSENT_GIVE, CONSENT_GIVEN},
    {CONSENT_USED_UP, CONSENT_REFUSE, CONSENT_REFUSED},
    {CONSENT_USED_UP, CONSENT_WITHDRAW, CONSENT_WITHDRAWN},
};

const char *consent_state_name(enum consent_state state)
{
    return states[state].name;
}

const char *consent_event_name(enum consent_event event)
{
    return events[event].name;
}

const char *consent_cause_name(enum consent_cause cause)
{
    return causes[cause];
}

enum consent_state consent_state_of(struct bytes name)
{
    int i = 0;
    while (i < CONSENT_STATE_COUNT && !bytes_equal(bytes_of_text(states[i].name), name))
        i++;
    return (enum consent_state)i;
}

enum consent_event consent_event_of(struct bytes name)
{
    int i = 0;
    while (i < CONSENT_EVENT_COUNT && !bytes_equal(bytes_of_text(events[i].name), name))
        i++;
    return (enum consent_event)i;
}

enum consent_cause consent_cause_of(struct bytes name)
{
    int i = 0;
    while (i < CONSENT_CAUSE_COUNT && !bytes_equal(bytes_of_text(causes[i]), name))
        i++;
    return (enum consent_cause)i;
}

bool consent_state_after(enum consent_state state, enum consent_event event,
                         enum consent_state *out)
{
    for (size_t i = 0; i < sizeof transitions / sizeof transitions[0]; i++) {
        if (transitions[i].from == state && transitions[i].event == event) {
            *out = transitions[i].to;
            return true;
        }
    }
    return false;
}

bool consent_state_releases(enum consent_state state)
{
    return states[state].releases;
}

enum entry_event consent_event_entry(enum consent_event event)
{
    return events[event].entry;
}

static void print_table(struct buf *out)
{
    buf_text(out, "| state |");
    for (int event = 0; event < CONSENT_EVENT_COUNT; event++)
        buf_format(out, " %s |", events[event].name);
    buf_text(out, "\n|---|");
    for (int event = 0; event < CONSENT_EVENT_COUNT; event++)
        buf_text(out, "---|");
    for (int state = 0; state < CONSENT_STATE_COUNT; state++) {
        buf_format(out, "\n| **%s** |", states[state].name);
        for (int event = 0; event < CONSENT_EVENT_COUNT; event++) {
            enum consent_state to = CONSENT_NONE;
            const bool may =
                consent_state_after((enum consent_state)state, (enum consent_event)event, &to);
            buf_format(out, " %s |", may ? states[to].name : "·");
        }
    }
    buf_text(out, "\n\n");
}

void consent_state_print(struct buf *out)
{
    buf_text(out, "# The lifecycle of a consent\n\n"
                  "Printed from the table that runs (`vault/vault/consent_state.c`). A row is the "
                  "state, a column what happens, a cell where it leads; · changes nothing.\n\n");
    print_table(out);
    buf_text(out, "| state | releases | is |\n|---|---|---|\n");
    for (int state = 0; state < CONSENT_STATE_COUNT; state++)
        buf_format(out, "| %s | %s | %s |\n", states[state].name,
                   states[state].releases ? "yes" : "no", states[state].meaning);
    buf_text(out, "\n| event | in the access log as | is |\n|---|---|---|\n");
    for (int event = 0; event < CONSENT_EVENT_COUNT; event++)
        buf_format(out, "| %s | `%s` | %s |\n", events[event].name,
                   entry_event_name(events[event].entry), events[event].meaning);
    buf_text(out,
             "\n## When a service or the rules go\n\n"
             "What comes of a consent is the least of it, the service's registration, and the "
             "city's rules. Nothing is released on what one of them does not have, from the next "
             "request on, and nobody's file is written for it.\n\n"
             "| the city | the consent | its requests | the citizen sees |\n|---|---|---|---|\n"
             "| removes the service | ends (`end`), as of then, when the citizen is next held; the "
             "operator is on record | cancelled at once | that the city removed it |\n"
             "| suspends the service | stays, and gives nothing | stay | that the city suspended "
             "it |\n"
             "| takes the purpose from it | stays, and gives nothing | nothing to give | that the "
             "city took it back |\n"
             "| has rules that let through less | stays, and gives what is left of it | offer what "
             "is left | field by field, what can still come |\n"
             "| has rules that let through more | stays, and gives what it names | offer what was "
             "asked | nothing new |\n");
}
