#include "naive.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "vault/base/clock.h"
#include "vault/base/json.h"

/* More rules than can cover one field for one service. */
#define RULES_MAX 4096

enum truth { IS_FALSE, IS_TRUE, IS_UNKNOWN };

/* The reasons in the order of the contract. */
static const char *const reasons[] = {
    "unknown_field", "bad_form",          "purpose_not_registered",
    "forbidden",     "forbidden_unknown", "no_rule",
    "not_in_force",  "conditions",        "objection",
    "no_consent",    "refused",           "withdrawn",
    "expired",       "suspended",         "used_up",
    "out_of_scope",  "obligation",
};

static int place_of(const char *reason)
{
    int i = 0;
    while (strcmp(reasons[i], reason) != 0)
        i++;
    return i;
}

/* --- small things --- */

static const char *text_of(const json_t *object, const char *member)
{
    return json_string_value(json_object_get(object, member));
}

static bool is_text(const json_t *value, const char *text)
{
    return json_is_string(value) && strcmp(json_string_value(value), text) == 0;
}

static bool list_has(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (is_text(json_array_get(list, i), text))
            return true;
    }
    return false;
}

static const json_t *element(const json_t *catalogue, const char *list, const char *id)
{
    const json_t *elements = json_object_get(catalogue, list);
    for (size_t i = 0; i < json_array_size(elements); i++) {
        if (is_text(json_object_get(json_array_get(elements, i), "id"), id))
            return json_array_get(elements, i);
    }
    return NULL;
}

static int64_t instant_of(const json_t *text)
{
    int64_t instant_s = 0;
    if (instant_parse(json_text(text), &instant_s, NULL) != VAULT_OK)
        return INT64_MIN;
    return instant_s;
}

static int64_t now_of(const json_t *request)
{
    return instant_of(json_object_get(request, "now"));
}

/* --- ladders --- */

/* How far down the ladder of the field a form stands; -1 if it does not. */
static int step_of(const json_t *catalogue, const char *field, const char *form)
{
    const char *type = text_of(element(catalogue, "fields", field), "type");
    if (strcmp(type, "boolean") == 0 || strcmp(type, "code") == 0)
        return strcmp(form, "as_is") == 0 ? 0 : strcmp(form, "present") == 0 ? 1 : -1;
    const json_t *ladder = json_object_get(element(catalogue, "types", type), "ladder");
    for (size_t i = 0; i < json_array_size(ladder); i++) {
        if (is_text(json_object_get(json_array_get(ladder, i), "form"), form))
            return (int)i;
    }
    return -1;
}

static const char *top_of(const json_t *catalogue, const char *field)
{
    const char *type = text_of(element(catalogue, "fields", field), "type");
    if (strcmp(type, "boolean") == 0 || strcmp(type, "code") == 0)
        return "as_is";
    const json_t *ladder = json_object_get(element(catalogue, "types", type), "ladder");
    return text_of(json_array_get(ladder, 0), "form");
}

const char *naive_stricter(const json_t *catalogue, const char *field, const char *a, const char *b)
{
    return step_of(catalogue, field, a) >= step_of(catalogue, field, b) ? a : b;
}

/* --- covers --- */

static bool field_is_meant(const json_t *fields, const char *field)
{
    if (is_text(fields, "any"))
        return true;
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const char *meant = json_string_value(json_array_get(fields, i));
        const size_t size = strlen(meant);
        if (strcmp(meant, field) == 0)
            return true;
        if (size > 2 && strcmp(meant + size - 2, ".*") == 0 && strncmp(meant, field, size - 1) == 0)
            return true;
    }
    return false;
}

static bool has_known_class(const json_t *catalogue, const json_t *service)
{
    const json_t *classes = json_object_get(service, "classes");
    for (size_t i = 0; i < json_array_size(classes); i++) {
        if (element(catalogue, "classes", json_string_value(json_array_get(classes, i))))
            return true;
    }
    return false;
}

static bool who_is_meant(const json_t *catalogue, const json_t *who, const json_t *service)
{
    if (!has_known_class(catalogue, service))
        return false;
    if (is_text(who, "any"))
        return true;
    if (list_has(json_object_get(who, "services"), text_of(service, "id")))
        return true;
    const json_t *classes = json_object_get(service, "classes");
    for (size_t i = 0; i < json_array_size(classes); i++) {
        if (list_has(json_object_get(who, "classes"),
                     json_string_value(json_array_get(classes, i))))
            return true;
    }
    return false;
}

/* The purpose is the request's already: see naive_by_purpose(). */
static bool covers(const json_t *catalogue, const json_t *rule, const json_t *request,
                   const char *field)
{
    return field_is_meant(json_object_get(rule, "fields"), field) &&
           who_is_meant(catalogue, json_object_get(rule, "who"),
                        json_object_get(request, "service"));
}

/* --- in force --- */

static bool is_in_force(const json_t *rule, const json_t *request)
{
    const json_t *from = json_object_get(json_object_get(rule, "in_force"), "from");
    const json_t *until = json_object_get(json_object_get(rule, "in_force"), "until");
    return (!from || now_of(request) >= instant_of(from)) &&
           (!until || now_of(request) < instant_of(until));
}

/* --- atoms --- */

static int value_place(const json_t *values, const json_t *value)
{
    for (size_t i = 0; i < json_array_size(values); i++) {
        if (json_is_string(value) && json_equal(json_array_get(values, i), value))
            return (int)i;
    }
    return -1;
}

/* Whether an atom is as a rule wants it. */
static enum truth atom_is(const json_t *atom, const json_t *wanted, const json_t *given)
{
    const json_t *values = json_object_get(atom, "values");
    const char *kind = text_of(atom, "kind");
    if (strcmp(kind, "boolean") == 0) {
        if (!json_is_boolean(given))
            return IS_UNKNOWN;
        return json_is_true(given) == json_is_true(wanted) ? IS_TRUE : IS_FALSE;
    }
    if (strcmp(kind, "ordered") == 0) {
        if (value_place(values, given) < 0)
            return IS_UNKNOWN;
        return value_place(values, given) >= value_place(values, wanted) ? IS_TRUE : IS_FALSE;
    }
    if (!json_is_array(given))
        return IS_UNKNOWN;
    bool holds = false;
    for (size_t i = 0; i < json_array_size(given); i++) {
        if (value_place(values, json_array_get(given, i)) < 0)
            return IS_UNKNOWN;
        holds = holds || json_equal(json_array_get(given, i), wanted);
    }
    return holds ? IS_TRUE : IS_FALSE;
}

/* All of "when": true if every atom is, false if one is false, else unknown. */
static enum truth when_is(const json_t *catalogue, const json_t *rule, const json_t *request)
{
    json_t *when = json_object_get(rule, "when");
    const json_t *atoms = json_object_get(request, "atoms");
    enum truth all = IS_TRUE;
    const char *name;
    json_t *wanted;
    json_object_foreach(when, name, wanted)
    {
        const json_t *atom = element(catalogue, "atoms", name);
        const enum truth one = atom_is(atom, wanted, json_object_get(atoms, name));
        if (one == IS_FALSE)
            return IS_FALSE;
        if (one == IS_UNKNOWN)
            all = IS_UNKNOWN;
    }
    return all;
}

/* --- the citizen's stance --- */

static bool is_concerned(const json_t *record, const json_t *request)
{
    return is_text(json_object_get(record, "service"),
                   text_of(json_object_get(request, "service"), "id")) &&
           is_text(json_object_get(record, "purpose"), text_of(request, "purpose")) &&
           instant_of(json_object_get(record, "at")) <= now_of(request);
}

static bool has_objection(const json_t *request)
{
    const json_t *objections = json_object_get(request, "objections");
    for (size_t i = 0; i < json_array_size(objections); i++) {
        if (is_concerned(json_array_get(objections, i), request))
            return true;
    }
    return false;
}

static int64_t newest_of(const json_t *request)
{
    const json_t *consents = json_object_get(request, "consents");
    int64_t newest = INT64_MIN;
    for (size_t i = 0; i < json_array_size(consents); i++) {
        const json_t *record = json_array_get(consents, i);
        const int64_t at = instant_of(json_object_get(record, "at"));
        if (is_concerned(record, request) && at > newest)
            newest = at;
    }
    return newest;
}

/* What one record says of a field: NULL if it covers it, and then *form is the form. */
static const char *record_says(const json_t *catalogue, const json_t *record, const json_t *request,
                               const char *field, const char **form)
{
    const char *state = text_of(record, "state");
    if (strcmp(state, "refused") == 0 || strcmp(state, "withdrawn") == 0)
        return state;
    if (now_of(request) >= instant_of(json_object_get(record, "expires")))
        return "expired";
    if (strcmp(state, "suspended") == 0)
        return "suspended";
    const json_t *uses = json_object_get(record, "uses_left");
    if (uses && json_integer_value(uses) == 0)
        return "used_up";
    const json_t *covered = json_object_get(json_object_get(record, "fields"), field);
    if (!covered)
        return "out_of_scope";
    *form = json_is_null(covered) ? top_of(catalogue, field) : json_string_value(covered);
    return step_of(catalogue, field, *form) < 0 ? "out_of_scope" : NULL;
}

/* What the newest records say together: a denial before a form, the first denial of the list, then
 * the stricter form. */
static const char *consent_says(const json_t *catalogue, const json_t *request, const char *field,
                                const char **form)
{
    const json_t *consents = json_object_get(request, "consents");
    const int64_t newest = newest_of(request);
    const char *denial = newest == INT64_MIN ? "no_consent" : NULL;
    *form = top_of(catalogue, field);
    for (size_t i = 0; i < json_array_size(consents); i++) {
        const json_t *record = json_array_get(consents, i);
        if (!is_concerned(record, request) || instant_of(json_object_get(record, "at")) != newest)
            continue;
        const char *one_form = NULL;
        const char *one = record_says(catalogue, record, request, field, &one_form);
        if (one && (!denial || place_of(one) < place_of(denial)))
            denial = one;
        if (!one)
            *form = naive_stricter(catalogue, field, *form, one_form);
    }
    return denial;
}

/* --- permits --- */

/* Why a permit that covers the field does not apply; NULL if it does. */
static const char *permit_stops(const json_t *catalogue, const json_t *rule, const json_t *request,
                                const char *field)
{
    const char *basis = text_of(rule, "basis");
    const char *form;
    if (!is_in_force(rule, request))
        return "not_in_force";
    if (when_is(catalogue, rule, request) != IS_TRUE)
        return "conditions";
    if (strcmp(basis, "consent") == 0)
        return consent_says(catalogue, request, field, &form);
    if (strcmp(basis, "public_task") == 0 || strcmp(basis, "legitimate_interests") == 0)
        return has_objection(request) ? "objection" : NULL;
    return NULL;
}

static const char *form_of_permit(const json_t *catalogue, const json_t *rule, const char *field)
{
    const json_t *release = json_object_get(rule, "release");
    if (json_object_get(release, field))
        return text_of(release, field);
    return json_object_get(release, "default") ? text_of(release, "default")
                                               : top_of(catalogue, field);
}

static void add_obligations(const json_t *catalogue, json_t *must, const json_t *rule)
{
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(rule, "must"), name, value)
    {
        const json_t *so_far = json_object_get(must, name);
        const bool is_min =
            is_text(json_object_get(element(catalogue, "obligations", name), "merge"), "min");
        if (!is_min && !json_is_true(value))
            continue;
        if (is_min && so_far && json_integer_value(so_far) <= json_integer_value(value))
            continue;
        json_object_set(must, name, value);
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *sorted(const json_t *list)
{
    const char *texts[RULES_MAX] = {0};
    const size_t count = json_array_size(list);
    for (size_t i = 0; i < count; i++)
        texts[i] = json_string_value(json_array_get(list, i));
    qsort(texts, count, sizeof *texts, by_text);
    json_t *result = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(result, json_string(texts[i]));
    return result;
}

static json_t *denied(const char *reason, const json_t *by)
{
    json_t *answer = json_object();
    json_object_set_new(answer, "outcome", json_string(reason));
    json_object_set_new(answer, "by", sorted(by));
    return answer;
}

/* --- a field --- */

static json_t *released(const json_t *catalogue, const json_t *request, const char *field,
                        const json_t *applying)
{
    json_t *by = json_array();
    json_t *must = json_object();
    const json_t *asked = json_object_get(json_object_get(request, "fields"), field);
    const char *form = json_is_null(asked) ? top_of(catalogue, field) : json_string_value(asked);
    for (size_t i = 0; i < json_array_size(applying); i++) {
        const json_t *rule = json_array_get(applying, i);
        const char *consented;
        json_array_append(by, json_object_get(rule, "id"));
        add_obligations(catalogue, must, rule);
        form = naive_stricter(catalogue, field, form, form_of_permit(catalogue, rule, field));
        if (strcmp(text_of(rule, "basis"), "consent") == 0 &&
            !consent_says(catalogue, request, field, &consented))
            form = naive_stricter(catalogue, field, form, consented);
    }
    const char *name;
    json_t *value;
    bool unmet = false;
    json_object_foreach(must, name, value) unmet =
        unmet || list_has(json_object_get(request, "unmet"), name);
    json_t *answer = unmet ? denied("obligation", NULL) : denied("released", by);
    if (!unmet) {
        json_object_set_new(answer, "form", json_string(form));
        if (json_object_size(must))
            json_object_set(answer, "must", must);
    }
    json_decref(by);
    json_decref(must);
    return answer;
}

/* The forbids and permits that apply to a field, and where the other permits stop. */
struct verdict {
    json_t *forbids; /* ids */
    bool forbidden;  /* by one whose "when" is definitely true */
    json_t *permits; /* rules */
    const char *furthest;
};

static void look_at_rule(const json_t *catalogue, json_t *rule, const json_t *request,
                         const char *field, struct verdict *verdict)
{
    const char *effect = text_of(rule, "effect");
    if (!covers(catalogue, rule, request, field))
        return;
    if (strcmp(effect, "forbid") == 0 && is_in_force(rule, request) &&
        when_is(catalogue, rule, request) != IS_FALSE) {
        json_array_append(verdict->forbids, json_object_get(rule, "id"));
        verdict->forbidden = verdict->forbidden || when_is(catalogue, rule, request) == IS_TRUE;
    }
    if (strcmp(effect, "permit") != 0)
        return;
    const char *stop = permit_stops(catalogue, rule, request, field);
    if (!stop)
        json_array_append(verdict->permits, rule);
    else if (place_of(stop) > place_of(verdict->furthest))
        verdict->furthest = stop;
}

static void look_at_rules(const json_t *catalogue, const json_t *rules, const json_t *request,
                          const char *field, struct verdict *verdict)
{
    for (size_t i = 0; i < json_array_size(rules); i++)
        look_at_rule(catalogue, json_array_get(rules, i), request, field, verdict);
}

static json_t *decide_field(const json_t *catalogue, const json_t *rules, const json_t *request,
                            const char *field)
{
    const char *purpose = text_of(request, "purpose");
    const json_t *form = json_object_get(json_object_get(request, "fields"), field);
    const json_t *registered = json_object_get(json_object_get(request, "service"), "purposes");
    const json_t *of_purpose = json_object_get(json_object_get(rules, "of"), purpose);
    if (!element(catalogue, "fields", field))
        return denied("unknown_field", NULL);
    if (json_is_string(form) && step_of(catalogue, field, json_string_value(form)) < 0)
        return denied("bad_form", NULL);
    if (!list_has(registered, purpose))
        return denied("purpose_not_registered", NULL);
    struct verdict verdict = {json_array(), false, json_array(), "no_rule"};
    look_at_rules(catalogue, of_purpose, request, field, &verdict);
    if (of_purpose) /* else not even "any" means it: the catalogue does not have it */
        look_at_rules(catalogue, json_object_get(rules, "any"), request, field, &verdict);
    json_t *answer;
    if (json_array_size(verdict.forbids))
        answer = denied(verdict.forbidden ? "forbidden" : "forbidden_unknown", verdict.forbids);
    else if (json_array_size(verdict.permits))
        answer = released(catalogue, request, field, verdict.permits);
    else
        answer = denied(verdict.furthest, NULL);
    json_decref(verdict.forbids);
    json_decref(verdict.permits);
    return answer;
}

json_t *naive_decide(const json_t *catalogue, const json_t *rules, const json_t *request)
{
    json_t *fields = json_object();
    const char *name;
    json_t *form;
    json_object_foreach(json_object_get(request, "fields"), name, form)
        json_object_set_new(fields, name, decide_field(catalogue, rules, request, name));
    json_t *answer = json_object();
    json_object_set_new(answer, "fields", fields);
    json_object_set(answer, "id", json_object_get(request, "id"));
    return answer;
}
