#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/files.h"
#include "vault/base/clock.h"
#include "vault/base/json.h"
#include "vault/policy/line.h"

#define EPOCH_S INT64_C(1800000000) /* all instants are some days around this one */
#define DAY_S   86400

static const char *const obligations[] = {"notify_citizen", "log_access", "retain_at_most_days"};

/* --- small things --- */

static json_t *numbered(const char *prefix, size_t number)
{
    char name[64];
    snprintf(name, sizeof name, "%s%zu", prefix, number);
    return json_string(name);
}

static json_t *instant(struct random *random)
{
    char name[INSTANT_CHARS + 1];
    instant_format(name, EPOCH_S + (int64_t)random_below(random, 12) * DAY_S);
    return json_string(name);
}

static const json_t *list_of(const json_t *world, const char *list)
{
    return json_object_get(json_object_get(world, "catalogue"), list);
}

/* An element of a list of the catalogue. */
static const json_t *pick(struct random *random, const json_t *world, const char *list)
{
    const json_t *elements = list_of(world, list);
    return json_array_get(elements, random_below(random, json_array_size(elements)));
}

static json_t *pick_id(struct random *random, const json_t *world, const char *list)
{
    return json_incref(json_object_get(pick(random, world, list), "id"));
}

static json_t *pick_ids(struct random *random, const json_t *world, const char *list, size_t most)
{
    json_t *ids = json_array();
    const size_t count = 1 + random_below(random, most);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(ids, pick_id(random, world, list));
    return ids;
}

/* --- the catalogue --- */

static const struct {
    const char *type;
    const char *forms[6];
} ladders[] = {
    {"text", {"as_is", "initial", "present"}},
    {"date", {"as_is", "month", "year", "age_band", "present"}},
    {"address", {"as_is", "street", "postcode", "city", "department", "present"}},
    {"number", {"as_is", "rounded", "band", "sign", "present"}},
};

#define LADDERS 4

static json_t *make_step(const char *form)
{
    json_t *step = json_pack("{s:s}", "form", form);
    if (strcmp(form, "age_band") == 0 || strcmp(form, "band") == 0)
        json_object_set_new(step, "bands", json_pack("[i,i,i]", 0, 18, 65));
    if (strcmp(form, "rounded") == 0)
        json_object_set_new(step, "to", json_integer(10));
    return step;
}

/* A ladder with some of its steps; the last one always, so that any rule may ask for it. */
static json_t *make_type(struct random *random, size_t index)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < 6 && ladders[index].forms[i]; i++) {
        if (strcmp(ladders[index].forms[i], "present") == 0 || random_chance(random, 75))
            json_array_append_new(steps, make_step(ladders[index].forms[i]));
    }
    return json_pack("{s:s,s:o}", "id", ladders[index].type, "ladder", steps);
}

static json_t *make_field(struct random *random, size_t number)
{
    static const char *const types[] = {"text", "date", "address", "number", "boolean", "code"};
    static const char *const names[] = {"a.f", "a.b.f", "a.bc.f", "z.f"};
    return json_pack("{s:o,s:s,s:{s:s}}", "id", numbered(names[random_below(random, 4)], number),
                     "type", types[random_below(random, 6)], "title", "en", "x");
}

static json_t *make_atom(struct random *random, size_t number)
{
    static const char *const kinds[] = {"boolean", "ordered", "set"};
    const size_t kind = random_below(random, 3);
    json_t *atom = json_pack("{s:o,s:s}", "id", numbered("atom", number), "kind", kinds[kind]);
    if (kind > 0)
        json_object_set_new(atom, "values", json_pack("[s,s,s]", "low", "middle", "high"));
    return atom;
}

static json_t *make_catalogue(struct random *random, const struct world_size *size)
{
    json_t *types = json_array();
    json_t *fields = json_array();
    json_t *purposes = json_array();
    json_t *classes = json_array();
    json_t *atoms = json_array();
    for (size_t i = 0; i < LADDERS; i++)
        json_array_append_new(types, make_type(random, i));
    for (size_t i = 0; i < size->fields; i++)
        json_array_append_new(fields, make_field(random, i));
    for (size_t i = 0; i < size->purposes; i++)
        json_array_append_new(purposes, json_pack("{s:o}", "id", numbered("purpose", i)));
    for (size_t i = 0; i < size->classes; i++)
        json_array_append_new(classes, json_pack("{s:o}", "id", numbered("class", i)));
    for (size_t i = 0; i < size->atoms; i++)
        json_array_append_new(atoms, make_atom(random, i));
    return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:[{s:s,s:s},{s:s,s:s},{s:s,s:s}]}", "format",
                     "vault-catalogue/1", "types", types, "fields", fields, "purposes", purposes,
                     "classes", classes, "atoms", atoms, "obligations", "id", obligations[0],
                     "merge", "or", "id", obligations[1], "merge", "or", "id", obligations[2],
                     "merge", "min");
}

/* --- rules --- */

/* A form of the field's ladder. */
static json_t *pick_form(struct random *random, const json_t *world, const json_t *field)
{
    const char *type = json_string_value(json_object_get(field, "type"));
    const json_t *types = list_of(world, "types");
    for (size_t i = 0; i < json_array_size(types); i++) {
        const json_t *one = json_array_get(types, i);
        const json_t *steps = json_object_get(one, "ladder");
        if (strcmp(json_string_value(json_object_get(one, "id")), type) == 0)
            return json_incref(json_object_get(
                json_array_get(steps, random_below(random, json_array_size(steps))), "form"));
    }
    return json_string(random_chance(random, 70) ? "as_is" : "present");
}

static json_t *make_who(struct random *random, const json_t *world)
{
    if (random_chance(random, 20))
        return json_string("any");
    if (random_chance(random, 20))
        return json_pack("{s:[o]}", "services", numbered("service", random_below(random, 3)));
    return json_pack("{s:o}", "classes", pick_ids(random, world, "classes", 3));
}

static json_t *make_fields(struct random *random, const json_t *world)
{
    static const char *const wildcards[] = {"a.*", "a.b.*", "z.*", "none.*"};
    if (random_chance(random, 15))
        return json_string("any");
    json_t *fields = pick_ids(random, world, "fields", 4);
    if (random_chance(random, 20))
        json_array_append_new(fields, json_string(wildcards[random_below(random, 4)]));
    return fields;
}

/* A value that a rule may want of an atom. */
static json_t *wanted_value(struct random *random, const json_t *atom)
{
    const json_t *values = json_object_get(atom, "values");
    if (!values)
        return json_boolean(random_chance(random, 50));
    return json_incref(json_array_get(values, random_below(random, json_array_size(values))));
}

static json_t *make_when(struct random *random, const json_t *world)
{
    json_t *when = json_object();
    const size_t count = random_below(random, 4);
    for (size_t i = 0; i < count && json_array_size(list_of(world, "atoms")); i++) {
        const json_t *atom = pick(random, world, "atoms");
        json_object_set_new(when, json_string_value(json_object_get(atom, "id")),
                            wanted_value(random, atom));
    }
    return when;
}

/* Forms for fields whether covered or not, and a default that every ladder here has. */
static json_t *make_release(struct random *random, const json_t *world)
{
    json_t *release = json_object();
    const size_t count = random_below(random, 4);
    for (size_t i = 0; i < count; i++) {
        const json_t *field = pick(random, world, "fields");
        json_object_set_new(release, json_string_value(json_object_get(field, "id")),
                            pick_form(random, world, field));
    }
    if (random_chance(random, 30))
        json_object_set_new(release, "default", json_string("present"));
    return release;
}

static json_t *make_must(struct random *random)
{
    json_t *must = json_object();
    for (size_t i = 0; i < 2; i++) {
        if (random_chance(random, 30))
            json_object_set_new(must, obligations[i], json_boolean(random_chance(random, 70)));
    }
    if (random_chance(random, 40))
        json_object_set_new(must, obligations[2],
                            json_integer((json_int_t)random_below(random, 4) * 30));
    return must;
}

json_t *world_rule(struct random *random, const json_t *world, const char *id)
{
    static const char *const bases[] = {"consent",         "consent",     "consent",
                                        "contract",        "public_task", "legitimate_interests",
                                        "vital_interests", "consent"};
    const size_t dice = random_below(random, 20);
    const char *effect = dice < 12 ? "permit" : dice < 18 ? "forbid" : "deposit";
    json_t *rule = json_pack(
        "{s:s,s:s,s:o,s:o,s:o,s:o}", "id", id, "effect", effect, "who", make_who(random, world),
        "purposes",
        random_chance(random, 15) ? json_string("any") : pick_ids(random, world, "purposes", 2),
        "fields", make_fields(random, world), "when", make_when(random, world));
    if (dice < 12) {
        json_object_set_new(rule, "basis", json_string(bases[random_below(random, 8)]));
        json_object_set_new(rule, "release", make_release(random, world));
        json_object_set_new(rule, "must", make_must(random));
    }
    if (random_chance(random, 25)) {
        json_t *in_force = json_object();
        if (random_chance(random, 60))
            json_object_set_new(in_force, "from", instant(random));
        if (random_chance(random, 60))
            json_object_set_new(in_force, "until", instant(random));
        json_object_set_new(rule, "in_force", in_force);
    }
    return rule;
}

json_t *world_new(struct random *random, const struct world_size *size)
{
    json_t *world = json_pack("{s:o,s:[]}", "catalogue", make_catalogue(random, size), "rules");
    for (size_t i = 0; i < size->rules; i++) {
        char id[32];
        snprintf(id, sizeof id, "rule%zu", (i * 7919) % 1000);
        json_array_append_new(json_object_get(world, "rules"), world_rule(random, world, id));
    }
    return world;
}

/* --- requests --- */

static json_t *given_value(struct random *random, const json_t *atom)
{
    const char *kind = json_string_value(json_object_get(atom, "kind"));
    if (random_chance(random, 10))
        return json_pack("[i]", 7); /* malformed for every kind */
    if (strcmp(kind, "set") != 0)
        return random_chance(random, 5) ? json_string("nonsense") : wanted_value(random, atom);
    json_t *values = json_array();
    const size_t count = random_below(random, 4);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(values, random_chance(random, 5) ? json_string("nonsense")
                                                               : wanted_value(random, atom));
    return values;
}

static json_t *make_atoms(struct random *random, const json_t *world)
{
    json_t *atoms = json_object();
    const json_t *known = list_of(world, "atoms");
    for (size_t i = 0; i < json_array_size(known); i++) {
        const json_t *atom = json_array_get(known, i);
        if (random_chance(random, 75))
            json_object_set_new(atoms, json_string_value(json_object_get(atom, "id")),
                                given_value(random, atom));
    }
    return atoms;
}

/* Any form there is: often one that the field's ladder lacks. */
static json_t *any_form(struct random *random, const json_t *world, const json_t *field)
{
    static const char *const strange[] = {"year", "city", "nonsense"};
    if (random_chance(random, 60))
        return json_null();
    return random_chance(random, 80) ? pick_form(random, world, field)
                                     : json_string(strange[random_below(random, 3)]);
}

static json_t *some_fields(struct random *random, const json_t *world, size_t count)
{
    json_t *fields = json_object();
    for (size_t i = 0; i < count; i++) {
        const json_t *field = pick(random, world, "fields");
        json_object_set_new(fields, json_string_value(json_object_get(field, "id")),
                            any_form(random, world, field));
    }
    return fields;
}

static json_t *some_purpose(struct random *random, const json_t *world)
{
    return random_chance(random, 5) ? json_string("strange") : pick_id(random, world, "purposes");
}

static json_t *make_consent(struct random *random, const json_t *world, const json_t *service,
                            const json_t *purpose, size_t number)
{
    static const char *const states[] = {"given",   "given",     "given",    "given",
                                         "refused", "withdrawn", "suspended"};
    const char *state = states[random_below(random, 7)];
    const bool denies = *state == 'r' || *state == 'w';
    json_t *consent = json_pack(
        "{s:o,s:o,s:o,s:s,s:o}", "id", numbered("c", number), "service",
        random_chance(random, 90) ? json_deep_copy(service) : numbered("service", 9), "purpose",
        random_chance(random, 90) ? json_deep_copy(purpose) : some_purpose(random, world), "state",
        state, "at", instant(random));
    if (!denies || random_chance(random, 50)) {
        json_object_set_new(consent, "expires", instant(random));
        json_object_set_new(consent, "fields", some_fields(random, world, 8));
    }
    if (random_chance(random, 50))
        json_object_set_new(consent, "uses_left",
                            json_integer((json_int_t)random_below(random, 2)));
    return consent;
}

static json_t *make_service(struct random *random, const json_t *world)
{
    json_t *classes =
        random_chance(random, 3) ? json_array() : pick_ids(random, world, "classes", 3);
    json_t *purposes = pick_ids(random, world, "purposes", 6);
    if (random_chance(random, 10))
        json_array_append_new(classes, json_string("strange"));
    if (random_chance(random, 50))
        json_array_append_new(purposes, json_string("strange"));
    return json_pack("{s:o,s:o,s:o}", "id", numbered("service", random_below(random, 4)), "classes",
                     classes, "purposes", purposes);
}

json_t *world_request(struct random *random, const json_t *world)
{
    json_t *service = make_service(random, world);
    json_t *purpose = some_purpose(random, world);
    const json_t *service_id = json_object_get(service, "id");
    json_t *fields = some_fields(random, world, 6);
    json_t *consents = json_array();
    json_t *objections = json_array();
    json_t *unmet = json_array();
    const size_t records = random_below(random, 4);
    if (random_chance(random, 10))
        json_object_set_new(fields, "un.known", json_null());
    for (size_t i = 0; i < records; i++)
        json_array_append_new(consents, make_consent(random, world, service_id, purpose, i));
    if (random_chance(random, 20))
        json_array_append_new(objections, json_pack("{s:O,s:O,s:o}", "service", service_id,
                                                    "purpose", purpose, "at", instant(random)));
    if (random_chance(random, 10))
        json_array_append_new(unmet, json_string(obligations[random_below(random, 3)]));
    return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "id", "r", "now", instant(random),
                     "service", service, "purpose", purpose, "fields", fields, "atoms",
                     make_atoms(random, world), "consents", consents, "objections", objections,
                     "unmet", unmet);
}

/* --- loading and asking --- */

static void add_json(struct bundle *bundle, const char *path, const json_t *value)
{
    struct buf *content = NULL;
    if (bundle_add(bundle, path, &content, NULL, NULL) != VAULT_OK)
        abort();
    json_write_value(content, value);
}

struct policy *world_load(const json_t *world, size_t file_count, struct vault_error *err)
{
    VAULT_AUTO(bundle_free) struct bundle *bundle = NULL;
    struct policy *policy = NULL;
    const json_t *rules = json_object_get(world, "rules");
    if (bundle_new(&bundle, NULL) != VAULT_OK)
        abort();
    add_json(bundle, "catalogue.json", json_object_get(world, "catalogue"));
    for (size_t i = 0; i < file_count; i++) {
        char path[64];
        snprintf(path, sizeof path, "rules/%c%zu.json", (char)('z' - (char)(i % 26)), i);
        json_t *part = json_array();
        for (size_t j = i; j < json_array_size(rules); j += file_count)
            json_array_append(part, json_array_get(rules, j));
        json_t *file =
            json_pack("{s:s,s:s,s:o}", "format", "vault-rules/1", "policy", "p", "rules", part);
        add_json(bundle, path, file);
        json_decref(file);
    }
    if (bundle_settle(bundle, NULL, err) != VAULT_OK ||
        policy_compile(bundle, &policy, NULL, err) != VAULT_OK)
        return NULL;
    return policy;
}

char *world_answer(const struct policy *policy, const json_t *request)
{
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(POLICY_LINE_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf answer = buf_limited(POLICY_LINE_BYTES_MAX);
    json_write_value(&line, request);
    policy_line_answer(policy, buf_view(&line), &answer);
    return strdup(buf_string(&answer));
}
