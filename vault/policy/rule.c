#include <stdlib.h>
#include <string.h>

#include "rules.h"
#include "vault/base/json.h"

static const struct reader_member rule_members[] = {
    {"id", READ_STRING, true},
    {"effect", READ_STRING, true},
    {"why", READ_OBJECT, false},
    {"who", READ_OBJECT | READ_STRING, true},
    {"purposes", READ_LIST | READ_STRING, true},
    {"fields", READ_LIST | READ_STRING, true},
    {"basis", READ_STRING, false},
    {"article9", READ_STRING, false},
    {"when", READ_OBJECT, false},
    {"release", READ_OBJECT, false},
    {"must", READ_OBJECT, false},
    {"in_force", READ_OBJECT, false},
};

static bool text_is(const json_t *value, const char *text)
{
    return bytes_equal(json_text(value), bytes_of_text(text));
}

/* --- sets of numbers --- */

static int by_from(const void *a, const void *b)
{
    return ((const struct span *)a)->from - ((const struct span *)b)->from;
}

void spans_tidy(struct span *spans, size_t count, struct spans *out)
{
    size_t kept = 0;
    qsort(spans, count, sizeof *spans, by_from);
    for (size_t i = 0; i < count; i++) {
        if (kept && spans[i].from <= spans[kept - 1].to) {
            if (spans[i].to > spans[kept - 1].to)
                spans[kept - 1].to = spans[i].to;
        } else if (spans[i].from < spans[i].to) {
            spans[kept++] = spans[i];
        }
    }
    *out = (struct spans){spans, kept};
}

/* The fields of "x.*": one run, since ids are sorted. The wildcard may match none. */
static struct span span_of_prefix(const struct policy *policy, struct bytes prefix)
{
    const struct names *names = &policy->names[POLICY_FIELD];
    struct span span = {0, 0};
    for (size_t i = 0; i < names->count; i++) {
        if (strncmp(names->ids[i], (const char *)prefix.data, prefix.size) != 0)
            continue;
        if (span.to == 0)
            span.from = (uint16_t)i;
        span.to = (uint16_t)(i + 1);
    }
    return span;
}

/* "identity.*" without its star is a prefix: a valid field name with ".x" put behind it. */
static bool is_wildcard(struct bytes id, struct bytes *prefix)
{
    if (id.size < 3 || id.size > POLICY_ID_CHARS_MAX || id.data[id.size - 1] != '*' ||
        id.data[id.size - 2] != '.')
        return false;
    uint8_t example[POLICY_ID_CHARS_MAX];
    memcpy(example, id.data, id.size);
    example[id.size - 1] = 'x';
    *prefix = (struct bytes){id.data, id.size - 1};
    return id_is_valid((struct bytes){example, id.size}, ID_FIELD);
}

/* One element of a list of ids. */
static enum vault_code load_span(struct rules *rules, enum policy_kind kind, const json_t *element,
                                 struct rule *rule, struct span *out)
{
    VAULT_TRY(reader_check_type(rules->reader, element, READ_STRING));
    const struct bytes id = json_text(element);
    struct bytes prefix;
    if (kind == POLICY_FIELD && is_wildcard(id, &prefix)) {
        rule->wildcard = true;
        *out = span_of_prefix(rules->policy, prefix);
        if (out->from == out->to &&
            !(rule->empties[rule->empty_count++] = arena_text(&rules->policy->arena, id)))
            return load_no_memory(rules->reader);
        return VAULT_OK;
    }
    const uint16_t index = policy_find(rules->policy, kind, id);
    if (index == POLICY_NONE)
        return reader_refuse(rules->reader, VAULT_INVALID, "the catalogue has no such id");
    *out = (struct span){index, (uint16_t)(index + 1)};
    return VAULT_OK;
}

/* A list of ids; the walk is at it. */
static enum vault_code load_list(struct rules *rules, enum policy_kind kind, const json_t *list,
                                 struct rule *rule, struct spans *out)
{
    const size_t count = json_array_size(list);
    struct span *spans = arena_take(&rules->policy->arena, count, sizeof *spans);
    if (kind == POLICY_FIELD)
        rule->empties = arena_take(&rules->policy->arena, count, sizeof *rule->empties);
    if (!spans || (kind == POLICY_FIELD && !rule->empties))
        return load_no_memory(rules->reader);
    for (size_t i = 0; i < count; i++) {
        const size_t mark = reader_enter_index(rules->reader, i);
        VAULT_TRY(load_span(rules, kind, json_array_get(list, i), rule, &spans[i]));
        reader_leave(rules->reader, mark);
    }
    spans_tidy(spans, count, out);
    return VAULT_OK;
}

/* All there are of a kind, for "any". */
static enum vault_code load_all(struct rules *rules, enum policy_kind kind, struct spans *out)
{
    struct span *all = arena_take(&rules->policy->arena, 1, sizeof *all);
    if (!all)
        return load_no_memory(rules->reader);
    all->to = (uint16_t)rules->policy->names[kind].count;
    spans_tidy(all, 1, out);
    return VAULT_OK;
}

/* A member that is a list of ids or "any". */
static enum vault_code load_list_or_any(struct rules *rules, const json_t *object, const char *name,
                                        enum policy_kind kind, struct rule *rule, bool *any,
                                        struct spans *out)
{
    const json_t *value = json_object_get(object, name);
    const size_t mark = reader_enter(rules->reader, name);
    *any = json_is_string(value);
    if (*any && !text_is(value, "any"))
        return reader_refuse(rules->reader, VAULT_INVALID, "must be a list or \"any\"");
    VAULT_TRY(*any ? load_all(rules, kind, out) : load_list(rules, kind, value, rule, out));
    reader_leave(rules->reader, mark);
    return VAULT_OK;
}

/* --- who --- */

static enum vault_code load_services(struct rules *rules, const json_t *list, struct rule *rule)
{
    rule->service_ids =
        arena_take(&rules->policy->arena, json_array_size(list), sizeof *rule->service_ids);
    if (!rule->service_ids)
        return load_no_memory(rules->reader);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const struct bytes id = json_text(json_array_get(list, i));
        const size_t mark = reader_enter_index(rules->reader, i);
        if (!id_is_valid(id, ID_PLAIN))
            return reader_refuse(rules->reader, VAULT_INVALID, "must be the id of a service");
        if (!(rule->service_ids[i] = arena_text(&rules->policy->arena, id)))
            return load_no_memory(rules->reader);
        reader_leave(rules->reader, mark);
    }
    rule->service_count = json_array_size(list);
    return VAULT_OK;
}

static enum vault_code load_who(struct rules *rules, const json_t *object, struct rule *rule)
{
    static const struct reader_member members[] = {
        {"classes", READ_LIST, false},
        {"services", READ_LIST, false},
    };
    const json_t *who = json_object_get(object, "who");
    if (json_is_string(who) && !text_is(who, "any")) {
        reader_enter(rules->reader, "who");
        return reader_refuse(rules->reader, VAULT_INVALID,
                             "must be \"any\", {\"classes\":[…]} or {\"services\":[…]}");
    }
    if (json_is_string(who))
        return load_list_or_any(rules, object, "who", POLICY_CLASS, rule, &rule->who_any,
                                &rule->classes);
    const size_t mark = reader_enter(rules->reader, "who");
    VAULT_TRY(reader_check_members(rules->reader, who, READER_MEMBERS(members)));
    if (json_object_size(who) != 1)
        return reader_refuse(rules->reader, VAULT_INVALID,
                             "must have either \"classes\" or \"services\"");
    const json_t *classes = json_object_get(who, "classes");
    reader_enter(rules->reader, classes ? "classes" : "services");
    if (classes)
        VAULT_TRY(load_list(rules, POLICY_CLASS, classes, rule, &rule->classes));
    else
        VAULT_TRY(load_services(rules, json_object_get(who, "services"), rule));
    reader_leave(rules->reader, mark);
    return VAULT_OK;
}

/* --- when --- */

static enum vault_code load_condition(struct rules *rules, const char *name, const json_t *value,
                                      struct condition *out)
{
    const struct policy *policy = rules->policy;
    const uint16_t index = policy_find(policy, POLICY_ATOM, bytes_of_text(name));
    if (index == POLICY_NONE)
        return reader_refuse_name(rules->reader, VAULT_INVALID, "the catalogue has no such atom");
    const struct atom *atom = &policy->atoms[index];
    *out = (struct condition){.atom = index, .bit = atom->first_bit, .wanted = true};
    if (atom->kind == POLICY_ATOM_BOOLEAN) {
        VAULT_TRY(reader_check_type(rules->reader, value, READ_BOOLEAN));
        out->wanted = json_is_true(value);
        return VAULT_OK;
    }
    VAULT_TRY(reader_check_type(rules->reader, value, READ_STRING));
    const size_t place = name_index(atom->values.ids, atom->values.count, json_text(value));
    if (place == atom->values.count)
        return reader_refuse(rules->reader, VAULT_INVALID, "the atom has no such value");
    out->bit = (uint8_t)(atom->first_bit + place);
    return VAULT_OK;
}

static int by_atom(const void *a, const void *b)
{
    return ((const struct condition *)a)->atom - ((const struct condition *)b)->atom;
}

static enum vault_code load_when(struct rules *rules, const json_t *object, struct rule *rule)
{
    json_t *when = json_object_get(object, "when");
    struct condition *conditions =
        arena_take(&rules->policy->arena, json_object_size(when), sizeof *conditions);
    if (!conditions)
        return load_no_memory(rules->reader);
    const size_t mark = reader_enter(rules->reader, "when");
    const char *name;
    json_t *value;
    json_object_foreach(when, name, value)
    {
        const size_t inner = reader_enter(rules->reader, name);
        VAULT_TRY(load_condition(rules, name, value, &conditions[rule->condition_count++]));
        reader_leave(rules->reader, inner);
    }
    reader_leave(rules->reader, mark);
    qsort(conditions, rule->condition_count, sizeof *conditions, by_atom);
    rule->conditions = conditions;
    return VAULT_OK;
}

/* --- release --- */

/* "default": every covered field that is not named must have the form. */
static enum vault_code load_default(struct rules *rules, const json_t *release, const json_t *value,
                                    struct rule *rule)
{
    const struct policy *policy = rules->policy;
    const enum form form = form_of_name(json_text(value));
    if (form == FORM_COUNT)
        return reader_refuse(rules->reader, VAULT_INVALID, "no such form is known");
    for (size_t i = 0; i < rule->fields.count; i++) {
        for (uint16_t f = rule->fields.spans[i].from; f < rule->fields.spans[i].to; f++) {
            if (ladder_find(field_ladder(policy, f), form) == POLICY_FORM_NONE &&
                !json_object_get(release, policy_id(policy, POLICY_FIELD, f)))
                return reader_refuse(rules->reader, VAULT_INVALID,
                                     "the ladder of %s, which the rule covers, has no such form",
                                     policy_id(policy, POLICY_FIELD, f));
        }
    }
    rule->default_form = (uint8_t)form;
    return VAULT_OK;
}

static enum vault_code load_release_of(struct rules *rules, const char *name, const json_t *value,
                                       struct rule *rule, struct release *releases)
{
    const uint16_t field = policy_find(rules->policy, POLICY_FIELD, bytes_of_text(name));
    if (field == POLICY_NONE)
        return reader_refuse_name(rules->reader, VAULT_INVALID, "the catalogue has no such field");
    const uint8_t form = policy_form_find(rules->policy, field, json_text(value));
    if (form == POLICY_FORM_NONE)
        return reader_refuse(rules->reader, VAULT_INVALID, "the field's ladder has no such form");
    if (!spans_have(&rule->fields, field)) {
        rule->stray_releases++;
        return VAULT_OK;
    }
    releases[rule->release_count++] = (struct release){field, form};
    return VAULT_OK;
}

static enum vault_code load_release(struct rules *rules, const json_t *object, struct rule *rule)
{
    json_t *release = json_object_get(object, "release");
    struct release *releases =
        arena_take(&rules->policy->arena, json_object_size(release), sizeof *releases);
    if (!releases)
        return load_no_memory(rules->reader);
    rule->releases = releases;
    const size_t mark = reader_enter(rules->reader, "release");
    const char *name;
    json_t *value;
    json_object_foreach(release, name, value)
    {
        const size_t inner = reader_enter(rules->reader, name);
        VAULT_TRY(reader_check_type(rules->reader, value, READ_STRING));
        if (strcmp(name, "default") == 0)
            VAULT_TRY(load_default(rules, release, value, rule));
        else
            VAULT_TRY(load_release_of(rules, name, value, rule, releases));
        reader_leave(rules->reader, inner);
    }
    reader_leave(rules->reader, mark);
    return VAULT_OK;
}

/* --- must --- */

static enum vault_code load_due(struct rules *rules, const char *name, const json_t *value,
                                struct due *out)
{
    const uint16_t obligation = policy_find(rules->policy, POLICY_OBLIGATION, bytes_of_text(name));
    if (obligation == POLICY_NONE)
        return reader_refuse_name(rules->reader, VAULT_INVALID,
                                  "the catalogue has no such obligation");
    const bool number = rules->policy->obligation_is_number[obligation];
    VAULT_TRY(reader_check_type(rules->reader, value, number ? READ_INTEGER : READ_BOOLEAN));
    *out = (struct due){obligation, number ? json_integer_value(value) : json_is_true(value)};
    if (out->value < 0)
        return reader_refuse(rules->reader, VAULT_INVALID, "must not be negative");
    return VAULT_OK;
}

static int by_obligation(const void *a, const void *b)
{
    return ((const struct due *)a)->obligation - ((const struct due *)b)->obligation;
}

static enum vault_code load_must(struct rules *rules, const json_t *object, struct rule *rule)
{
    json_t *must = json_object_get(object, "must");
    struct due *dues = arena_take(&rules->policy->arena, json_object_size(must), sizeof *dues);
    if (!dues)
        return load_no_memory(rules->reader);
    const size_t mark = reader_enter(rules->reader, "must");
    const char *name;
    json_t *value;
    json_object_foreach(must, name, value)
    {
        struct due due = {0};
        const size_t inner = reader_enter(rules->reader, name);
        VAULT_TRY(load_due(rules, name, value, &due));
        reader_leave(rules->reader, inner);
        /* A yes-or-no obligation that is "no" is none. */
        if (due.value || rules->policy->obligation_is_number[due.obligation])
            dues[rule->due_count++] = due;
    }
    reader_leave(rules->reader, mark);
    qsort(dues, rule->due_count, sizeof *dues, by_obligation);
    rule->dues = dues;
    return VAULT_OK;
}

/* --- the rest of a rule --- */

static enum vault_code load_effect(struct rules *rules, const json_t *object, struct rule *rule)
{
    static const char *const names[] = {
        [EFFECT_FORBID] = "forbid", [EFFECT_PERMIT] = "permit", [EFFECT_DEPOSIT] = "deposit"};
    const size_t effect = name_index(names, 3, json_text(json_object_get(object, "effect")));
    if (effect == 3) {
        reader_enter(rules->reader, "effect");
        return reader_refuse(rules->reader, VAULT_INVALID,
                             "must be \"permit\", \"forbid\" or \"deposit\"");
    }
    rule->effect = (uint8_t)effect;
    for (size_t i = 0; i < 2 && effect != EFFECT_PERMIT; i++) {
        const char *name = i ? "must" : "release";
        if (!json_object_get(object, name))
            continue;
        reader_enter(rules->reader, name);
        return reader_refuse_name(rules->reader, VAULT_INVALID, "only a permit may have this");
    }
    return VAULT_OK;
}

static enum vault_code load_basis(struct rules *rules, const json_t *object, struct rule *rule)
{
    const json_t *basis = json_object_get(object, "basis");
    rule->basis = POLICY_BASIS_COUNT;
    if (!basis && rule->effect == EFFECT_PERMIT)
        return reader_refuse(rules->reader, VAULT_INVALID, "a permit needs a \"basis\"");
    if (!basis)
        return VAULT_OK;
    rule->basis = (uint8_t)name_index(basis_names, POLICY_BASIS_COUNT, json_text(basis));
    if (rule->basis < POLICY_BASIS_COUNT)
        return VAULT_OK;
    reader_enter(rules->reader, "basis");
    return reader_refuse(rules->reader, VAULT_INVALID,
                         "must be consent, contract, legal_obligation, vital_interests, "
                         "public_task or legitimate_interests");
}

/* "9.2.a" to "9.2.j" */
static enum vault_code load_article9(struct rules *rules, const json_t *object, struct rule *rule)
{
    const json_t *article = json_object_get(object, "article9");
    const struct bytes text = json_text(article);
    if (!article)
        return VAULT_OK;
    if (text.size != 5 || memcmp(text.data, "9.2.", 4) != 0 || text.data[4] < 'a' ||
        text.data[4] > 'j') {
        reader_enter(rules->reader, "article9");
        return reader_refuse(rules->reader, VAULT_INVALID, "must be \"9.2.a\" to \"9.2.j\"");
    }
    rule->article9 = arena_text(&rules->policy->arena, text);
    return rule->article9 ? VAULT_OK : load_no_memory(rules->reader);
}

static enum vault_code load_in_force(struct rules *rules, const json_t *object, struct rule *rule)
{
    static const struct reader_member members[] = {
        {"from", READ_STRING, false},
        {"until", READ_STRING, false},
    };
    const json_t *in_force = json_object_get(object, "in_force");
    rule->from_s = INT64_MIN;
    rule->until_s = INT64_MAX;
    if (!in_force)
        return VAULT_OK;
    const size_t mark = reader_enter(rules->reader, "in_force");
    VAULT_TRY(reader_check_members(rules->reader, in_force, READER_MEMBERS(members)));
    VAULT_TRY(load_instant(rules->reader, in_force, "from", INT64_MIN, &rule->from_s));
    VAULT_TRY(load_instant(rules->reader, in_force, "until", INT64_MAX, &rule->until_s));
    reader_leave(rules->reader, mark);
    return VAULT_OK;
}

/* Who may have what, for what. */
static enum vault_code load_covered(struct rules *rules, const json_t *object, struct rule *rule)
{
    VAULT_TRY(load_who(rules, object, rule));
    VAULT_TRY(load_list_or_any(rules, object, "purposes", POLICY_PURPOSE, rule, &rule->purposes_any,
                               &rule->purposes));
    VAULT_TRY(load_list_or_any(rules, object, "fields", POLICY_FIELD, rule, &rule->fields_any,
                               &rule->fields));
    rule->wildcard = rule->wildcard || rule->fields_any;
    return VAULT_OK;
}

/* Under which law, when, how and until when. */
static enum vault_code load_terms(struct rules *rules, const json_t *object, struct rule *rule)
{
    VAULT_TRY(load_basis(rules, object, rule));
    VAULT_TRY(load_article9(rules, object, rule));
    VAULT_TRY(load_when(rules, object, rule));
    VAULT_TRY(load_release(rules, object, rule));
    VAULT_TRY(load_must(rules, object, rule));
    return load_in_force(rules, object, rule);
}

enum vault_code rule_load(struct rules *rules, const json_t *object, struct rule *rule)
{
    struct bytes id;
    VAULT_TRY(reader_check_members(rules->reader, object, READER_MEMBERS(rule_members)));
    VAULT_TRY(load_id(rules->reader, object, "id", ID_PLAIN, &id));
    if (!(rule->id = arena_text(&rules->policy->arena, id)))
        return load_no_memory(rules->reader);
    rule->default_form = FORM_COUNT;
    VAULT_TRY(load_effect(rules, object, rule));
    VAULT_TRY(load_words(rules->reader, &rules->policy->arena, object, "why", &rule->why));
    VAULT_TRY(load_covered(rules, object, rule));
    return load_terms(rules, object, rule);
}
