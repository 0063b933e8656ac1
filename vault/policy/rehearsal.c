#include "rehearsal.h"

#include "vault/base/clock.h"
#include "vault/base/json.h"

#define DAY_S        86400
#define SOME_DAY_S   INT64_C(1798761600)   /* 2027-01-01 */
#define FIRST_S      INT64_C(-62135596800) /* 0001-01-01 */
#define LAST_S       INT64_C(253402214400) /* 9999-12-31 */
#define FIELDS_MAX   4
#define CLASSES_MAX  3
#define CONSENTS_MAX 3
#define FREE_SERVICE "no-rule-names-it"

/* SplitMix64. */
static uint64_t next(struct rehearsal *rehearsal)
{
    uint64_t z = rehearsal->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static size_t below(struct rehearsal *rehearsal, size_t count)
{
    return count ? (size_t)(next(rehearsal) % count) : 0;
}

static bool chance(struct rehearsal *rehearsal, unsigned percent)
{
    return below(rehearsal, 100) < percent;
}

/* --- names --- */

static void write_text(struct buf *out, const char *text)
{
    json_write_string(out, bytes_of_text(text));
}

/* A number of a set of spans; POLICY_NONE if it is empty. */
static uint16_t pick_of(struct rehearsal *rehearsal, const struct spans *spans)
{
    if (!spans->count)
        return POLICY_NONE;
    const struct span span = spans->spans[below(rehearsal, spans->count)];
    return (uint16_t)(span.from + below(rehearsal, (size_t)(span.to - span.from)));
}

/* What the rule names, or now and then anything of the kind. */
static const char *pick(struct rehearsal *rehearsal, enum policy_kind kind,
                        const struct spans *spans, const char *otherwise)
{
    const size_t count = policy_count(rehearsal->policy, kind);
    uint16_t index = spans ? pick_of(rehearsal, spans) : POLICY_NONE;
    if (index == POLICY_NONE || chance(rehearsal, 15))
        index = (uint16_t)below(rehearsal, count);
    return count && chance(rehearsal, 98) ? policy_id(rehearsal->policy, kind, index) : otherwise;
}

/* --- times --- */

/* A time at which both the bundle and JSON can have it. */
static int64_t pick_time(struct rehearsal *rehearsal, const struct rule *rule)
{
    const struct policy *policy = rehearsal->policy;
    const int64_t first = policy->not_before_s > FIRST_S ? policy->not_before_s : FIRST_S;
    const int64_t last = policy->expires_s < LAST_S ? policy->expires_s - 1 : LAST_S;
    int64_t time_s = first != FIRST_S ? first : SOME_DAY_S;
    if (rule && rule->from_s > FIRST_S && chance(rehearsal, 50))
        time_s = rule->from_s;
    else if (rule && rule->until_s < LAST_S && chance(rehearsal, 50))
        time_s = rule->until_s;
    time_s += (int64_t)below(rehearsal, 3) - 1;
    time_s = time_s < first ? first : time_s;
    return time_s > last ? last : time_s;
}

static void write_time(struct buf *out, const char *before, int64_t time_s)
{
    char text[INSTANT_CHARS + 1];
    instant_format(text, time_s < FIRST_S ? FIRST_S : time_s > LAST_S ? LAST_S : time_s);
    buf_format(out, "%s\"%s\"", before, text);
}

/* --- a request --- */

/* What all parts of one request are about. */
struct theme {
    const struct rule *rule; /* NULL in a bundle without rules */
    const char *service;
    const char *purpose;
    int64_t now_s;
};

static void write_service(struct rehearsal *rehearsal, const struct theme *theme, struct buf *out)
{
    const size_t classes = chance(rehearsal, 3) ? 0 : 1 + below(rehearsal, CLASSES_MAX);
    buf_text(out, ",\"service\":{\"id\":");
    write_text(out, theme->service);
    buf_text(out, ",\"classes\":[");
    for (size_t i = 0; i < classes; i++) {
        buf_text(out, i ? "," : "");
        write_text(out, pick(rehearsal, POLICY_CLASS, theme->rule ? &theme->rule->classes : NULL,
                             "no-such-class"));
    }
    buf_text(out, "],\"purposes\":[");
    if (chance(rehearsal, 95))
        write_text(out, theme->purpose);
    buf_text(out, "]},\"purpose\":");
    write_text(out, theme->purpose);
}

/* A form that the field has, one that it has not, or none. */
static void write_form(struct rehearsal *rehearsal, const char *field, struct buf *out)
{
    const uint16_t index = policy_find(rehearsal->policy, POLICY_FIELD, bytes_of_text(field));
    if (index == POLICY_NONE || chance(rehearsal, 50)) {
        buf_text(out, "null");
        return;
    }
    const size_t step = below(rehearsal, policy_form_count(rehearsal->policy, index));
    write_text(out, chance(rehearsal, 90)
                        ? policy_form_name(rehearsal->policy, index, (uint8_t)step)
                        : form_names[below(rehearsal, FORM_COUNT)]);
}

/* An object of fields and forms; each field once, as JSON wants it. */
static void write_fields(struct rehearsal *rehearsal, const struct theme *theme, struct buf *out)
{
    const char *fields[FIELDS_MAX] = {0};
    const size_t count = 1 + below(rehearsal, FIELDS_MAX);
    buf_text(out, ",\"fields\":{");
    size_t written = 0;
    for (size_t i = 0; i < count; i++) {
        const char *field = pick(rehearsal, POLICY_FIELD, theme->rule ? &theme->rule->fields : NULL,
                                 "no.such.field");
        size_t j = 0;
        while (j < written && fields[j] != field)
            j++;
        if (j < written)
            continue;
        buf_text(out, written ? "," : "");
        write_text(out, field);
        buf_byte(out, ':');
        write_form(rehearsal, field, out);
        fields[written++] = field;
    }
    buf_byte(out, '}');
}

static void write_value(struct rehearsal *rehearsal, const struct atom *atom, size_t value,
                        struct buf *out)
{
    if (atom->kind == POLICY_ATOM_BOOLEAN) {
        buf_text(out, value ? "true" : "false");
        return;
    }
    const bool set = atom->kind == POLICY_ATOM_SET;
    buf_text(out, set ? "[" : "");
    if (!set || chance(rehearsal, 80))
        write_text(out, atom->values.ids[value]);
    buf_text(out, set ? "]" : "");
}

/* Whether the theme's rule has a condition on the atom. */
static const struct condition *condition_on(const struct theme *theme, size_t atom)
{
    for (size_t i = 0; theme->rule && i < theme->rule->condition_count; i++) {
        if (theme->rule->conditions[i].atom == atom)
            return &theme->rule->conditions[i];
    }
    return NULL;
}

/* Most atoms as the rule wants them, others at random, some left out, some malformed. */
static void write_atoms(struct rehearsal *rehearsal, const struct theme *theme, struct buf *out)
{
    const struct policy *policy = rehearsal->policy;
    bool first = true;
    buf_text(out, ",\"atoms\":{");
    for (size_t a = 0; a < policy_count(policy, POLICY_ATOM); a++) {
        const struct atom *atom = &policy->atoms[a];
        const struct condition *condition = condition_on(theme, a);
        const size_t values = atom->kind == POLICY_ATOM_BOOLEAN ? 2 : atom->values.count;
        if (chance(rehearsal, condition ? 8 : 40))
            continue;
        buf_text(out, first ? "" : ",");
        first = false;
        write_text(out, policy_id(policy, POLICY_ATOM, (uint16_t)a));
        buf_byte(out, ':');
        size_t value = below(rehearsal, values);
        if (condition && chance(rehearsal, 80))
            value = atom->kind == POLICY_ATOM_BOOLEAN ? condition->wanted
                                                      : (size_t)condition->bit - atom->first_bit;
        if (chance(rehearsal, 4))
            buf_text(out, "7");
        else
            write_value(rehearsal, atom, value, out);
    }
    buf_byte(out, '}');
}

static void write_consent(struct rehearsal *rehearsal, const struct theme *theme, size_t number,
                          struct buf *out)
{
    static const char *const states[] = {"given", "given",   "given",     "given",
                                         "given", "refused", "withdrawn", "suspended"};
    buf_format(out, "%s{\"id\":\"c%zu\",\"service\":", number ? "," : "", number);
    write_text(out, chance(rehearsal, 95) ? theme->service : "another-service");
    buf_text(out, ",\"purpose\":");
    write_text(out, theme->purpose);
    buf_format(out, ",\"state\":\"%s\"", states[below(rehearsal, 8)]);
    write_time(out, ",\"at\":",
               theme->now_s - (int64_t)below(rehearsal, 3) * DAY_S +
                   (chance(rehearsal, 5) ? 1 : 0));
    write_time(out, ",\"expires\":", theme->now_s + ((int64_t)below(rehearsal, 8) - 1) * DAY_S);
    write_fields(rehearsal, theme, out);
    if (chance(rehearsal, 20))
        buf_format(out, ",\"uses_left\":%zu", below(rehearsal, 3));
    buf_byte(out, '}');
}

static void write_stance(struct rehearsal *rehearsal, const struct theme *theme, struct buf *out)
{
    const size_t consents = below(rehearsal, CONSENTS_MAX + 1);
    buf_text(out, ",\"consents\":[");
    for (size_t i = 0; i < consents; i++)
        write_consent(rehearsal, theme, i, out);
    buf_text(out, "],\"objections\":[");
    if (chance(rehearsal, 15)) {
        buf_text(out, "{\"service\":");
        write_text(out, theme->service);
        buf_text(out, ",\"purpose\":");
        write_text(out, theme->purpose);
        write_time(out, ",\"at\":", theme->now_s + (int64_t)below(rehearsal, 3) - 1);
        buf_byte(out, '}');
    }
    buf_text(out, "],\"unmet\":[");
    if (policy_count(rehearsal->policy, POLICY_OBLIGATION) && chance(rehearsal, 10))
        write_text(out, pick(rehearsal, POLICY_OBLIGATION, NULL,
                             policy_id(rehearsal->policy, POLICY_OBLIGATION, 0)));
    buf_byte(out, ']');
}

void rehearsal_write(struct rehearsal *rehearsal, struct buf *out)
{
    const struct policy *policy = rehearsal->policy;
    struct theme theme = {.rule = NULL};
    if (policy->rule_count)
        theme.rule = &policy->rules[below(rehearsal, policy->rule_count)];
    theme.service = FREE_SERVICE;
    if (policy_count(policy, POLICY_SERVICE) && chance(rehearsal, 50))
        theme.service = pick(rehearsal, POLICY_SERVICE, theme.rule ? &theme.rule->services : NULL,
                             FREE_SERVICE);
    theme.purpose = pick(rehearsal, POLICY_PURPOSE, theme.rule ? &theme.rule->purposes : NULL,
                         "no.such.purpose");
    theme.now_s = pick_time(rehearsal, theme.rule);
    write_time(out, "{\"id\":\"r\",\"now\":", theme.now_s);
    write_service(rehearsal, &theme, out);
    write_fields(rehearsal, &theme, out);
    write_atoms(rehearsal, &theme, out);
    write_stance(rehearsal, &theme, out);
    buf_byte(out, '}');
}
