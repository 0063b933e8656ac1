#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "vault/base/json.h"

/* --- the lists of the catalogue, and what their elements have --- */

static const struct reader_member catalogue_members[] = {
    {"format", READ_STRING, true},     {"types", READ_LIST, false},   {"fields", READ_LIST, false},
    {"purposes", READ_LIST, false},    {"classes", READ_LIST, false}, {"atoms", READ_LIST, false},
    {"obligations", READ_LIST, false},
};

static const struct reader_member field_members[] = {
    {"id", READ_STRING, true},      {"type", READ_STRING, true},
    {"title", READ_OBJECT, false},  {"sensitivity", READ_STRING, false},
    {"derive", READ_OBJECT, false},
};

static const struct reader_member purpose_members[] = {
    {"id", READ_STRING, true},
    {"title", READ_OBJECT, false},
    {"text", READ_OBJECT, false},
    {"consent_at_most_days", READ_INTEGER, false},
};

static const struct reader_member class_members[] = {
    {"id", READ_STRING, true},
    {"title", READ_OBJECT, false},
};

static const struct reader_member atom_members[] = {
    {"id", READ_STRING, true},
    {"kind", READ_STRING, true},
    {"values", READ_LIST, false},
    {"title", READ_OBJECT, false},
};

static const struct reader_member obligation_members[] = {
    {"id", READ_STRING, true},
    {"merge", READ_STRING, true},
    {"title", READ_OBJECT, false},
};

static const struct list {
    const char *name;
    enum policy_kind kind;
    enum id_grammar grammar;
    size_t max;
    const struct reader_member *members;
    size_t member_count;
} lists[] = {
    {"fields", POLICY_FIELD, ID_FIELD, POLICY_FIELDS_MAX, READER_MEMBERS(field_members)},
    {"purposes", POLICY_PURPOSE, ID_PLAIN, POLICY_PURPOSES_MAX, READER_MEMBERS(purpose_members)},
    {"classes", POLICY_CLASS, ID_PLAIN, POLICY_CLASSES_MAX, READER_MEMBERS(class_members)},
    {"atoms", POLICY_ATOM, ID_PLAIN, POLICY_ATOMS_MAX, READER_MEMBERS(atom_members)},
    {"obligations", POLICY_OBLIGATION, ID_PLAIN, POLICY_OBLIGATIONS_MAX,
     READER_MEMBERS(obligation_members)},
};

#define LIST_COUNT (sizeof lists / sizeof *lists)

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The first element whose id stands earlier in the list already. */
static size_t find_repeated(const struct policy *policy, const struct list *list,
                            const json_t *elements)
{
    bool seen[POLICY_FIELDS_MAX] = {false};
    for (size_t i = 0; i < json_array_size(elements); i++) {
        const struct bytes id = json_text(json_object_get(json_array_get(elements, i), "id"));
        const uint16_t index = policy_find(policy, list->kind, id);
        if (seen[index])
            return i;
        seen[index] = true;
    }
    return 0;
}

static bool has_repeated(const struct names *names)
{
    for (size_t i = 1; i < names->count; i++) {
        if (strcmp(names->ids[i - 1], names->ids[i]) == 0)
            return true;
    }
    return false;
}

/* Check every element and number the ids. The walk is at the list. */
static enum vault_code number_ids(struct policy *policy, struct reader *reader,
                                  const struct list *list, const json_t *elements)
{
    const size_t count = json_array_size(elements);
    if (count > list->max)
        return reader_refuse(reader, VAULT_TOO_LARGE, "has more than %zu elements", list->max);
    const char **ids = arena_take(&policy->arena, count, sizeof *ids);
    if (!ids)
        return load_no_memory(reader);
    for (size_t i = 0; i < count; i++) {
        const json_t *element = json_array_get(elements, i);
        const size_t mark = reader_enter_index(reader, i);
        struct bytes id;
        VAULT_TRY(reader_check_members(reader, element, list->members, list->member_count));
        VAULT_TRY(load_id(reader, element, "id", list->grammar, &id));
        if (!(ids[i] = arena_text(&policy->arena, id)))
            return load_no_memory(reader);
        reader_leave(reader, mark);
    }
    qsort(ids, count, sizeof *ids, by_text);
    policy->names[list->kind] = (struct names){ids, count};
    if (!has_repeated(&policy->names[list->kind]))
        return VAULT_OK;
    reader_enter_index(reader, find_repeated(policy, list, elements));
    reader_enter(reader, "id");
    return reader_refuse(reader, VAULT_INVALID, "stands in the list twice");
}

/* --- types --- */

/* What forms a type may have, the most revealing first. */
static const struct {
    enum form forms[6];
    size_t count;
} forms_of_type[POLICY_TYPE_COUNT] = {
    [POLICY_BOOLEAN] = {{FORM_AS_IS, FORM_PRESENT}, 2},
    [POLICY_CODE] = {{FORM_AS_IS, FORM_PRESENT}, 2},
    [POLICY_TEXT] = {{FORM_AS_IS, FORM_INITIAL, FORM_PRESENT}, 3},
    [POLICY_DATE] = {{FORM_AS_IS, FORM_MONTH, FORM_YEAR, FORM_AGE_BAND, FORM_PRESENT}, 5},
    [POLICY_IDENTIFIER] = {{FORM_AS_IS, FORM_LAST4, FORM_PSEUDONYM, FORM_PRESENT}, 4},
    [POLICY_ADDRESS] = {{FORM_AS_IS, FORM_STREET, FORM_POSTCODE, FORM_CITY, FORM_DEPARTMENT,
                         FORM_PRESENT},
                        6},
    [POLICY_NUMBER] = {{FORM_AS_IS, FORM_ROUNDED, FORM_BAND, FORM_SIGN, FORM_PRESENT}, 5},
    [POLICY_SERIES] = {{FORM_AS_IS, FORM_MONTHLY, FORM_TOTAL, FORM_PRESENT}, 4},
};

/* The place of a form among those of its type, or their count. */
static size_t place_of(enum policy_type type, uint8_t form)
{
    size_t i = 0;
    while (i < forms_of_type[type].count && forms_of_type[type].forms[i] != form)
        i++;
    return i;
}

enum vault_code load_bands(struct reader *reader, struct arena *arena, const json_t *list,
                           struct bands *out)
{
    const size_t count = json_array_size(list);
    if (count == 0 || count > POLICY_BANDS_MAX)
        return reader_refuse(reader, VAULT_INVALID, "must have 1 to %d elements", POLICY_BANDS_MAX);
    int64_t *from = arena_take(arena, count, sizeof *from);
    if (!from)
        return load_no_memory(reader);
    for (size_t i = 0; i < count; i++) {
        const json_t *element = json_array_get(list, i);
        const size_t mark = reader_enter_index(reader, i);
        VAULT_TRY(reader_check_type(reader, element, READ_INTEGER));
        from[i] = json_integer_value(element);
        if (i > 0 && from[i] <= from[i - 1])
            return reader_refuse(reader, VAULT_INVALID, "bands must rise strictly");
        reader_leave(reader, mark);
    }
    *out = (struct bands){from, count};
    return VAULT_OK;
}

static const struct reader_member step_members[] = {
    {"form", READ_STRING, true},
    {"bands", READ_LIST, false},
    {"to", READ_INTEGER, false},
};

/* The parameters of a form: those it needs, and no others. */
static enum vault_code load_parameters(struct policy *policy, struct reader *reader,
                                       const json_t *element, struct step *step)
{
    const json_t *bands = json_object_get(element, "bands");
    const json_t *to = json_object_get(element, "to");
    const bool wants_bands = step->form == FORM_AGE_BAND || step->form == FORM_BAND;
    if ((bands != NULL) != wants_bands)
        return reader_refuse(reader, VAULT_INVALID, "the form %s %s \"bands\"",
                             form_names[step->form], wants_bands ? "needs" : "has no");
    if ((to != NULL) != (step->form == FORM_ROUNDED))
        return reader_refuse(reader, VAULT_INVALID, "the form %s %s \"to\"", form_names[step->form],
                             to ? "has no" : "needs");
    if (to && (step->to = json_integer_value(to)) < 1)
        return reader_refuse(reader, VAULT_INVALID, "\"to\" must be at least 1");
    if (!bands)
        return VAULT_OK;
    const size_t mark = reader_enter(reader, "bands");
    VAULT_TRY(load_bands(reader, &policy->arena, bands, &step->bands));
    reader_leave(reader, mark);
    return VAULT_OK;
}

static enum vault_code load_step(struct policy *policy, struct reader *reader,
                                 enum policy_type type, const json_t *element)
{
    struct ladder *ladder = &policy->ladders[type];
    VAULT_TRY(reader_check_members(reader, element, READER_MEMBERS(step_members)));
    const enum form form = form_of_name(json_text(json_object_get(element, "form")));
    const size_t place = form == FORM_COUNT ? SIZE_MAX : place_of(type, (uint8_t)form);
    if (place >= forms_of_type[type].count) {
        reader_enter(reader, "form");
        return reader_refuse(reader, VAULT_INVALID, "the type %s has no such form",
                             type_names[type]);
    }
    struct step step = {.form = (uint8_t)form};
    VAULT_TRY(load_parameters(policy, reader, element, &step));
    if (ladder->count && place <= place_of(type, ladder->steps[ladder->count - 1].form))
        return reader_refuse(reader, VAULT_INVALID,
                             "a ladder goes from the most revealing form to the strictest, each "
                             "once: %s stands too late",
                             form_names[form]);
    ladder->steps[ladder->count++] = step;
    return VAULT_OK;
}

static const struct reader_member type_members[] = {
    {"id", READ_STRING, true},
    {"ladder", READ_LIST, true},
};

static enum vault_code load_type(struct policy *policy, struct reader *reader,
                                 const json_t *element)
{
    VAULT_TRY(reader_check_members(reader, element, READER_MEMBERS(type_members)));
    const struct bytes id = json_text(json_object_get(element, "id"));
    const size_t type = name_index(type_names, POLICY_TYPE_COUNT, id);
    const size_t mark = reader_enter(reader, "id");
    if (type == POLICY_TYPE_COUNT)
        return reader_refuse(reader, VAULT_INVALID,
                             "no such type; there are text, date, identifier, address, number and "
                             "series");
    if (policy->ladders[type].count)
        return reader_refuse(reader, VAULT_INVALID,
                             type <= POLICY_CODE ? "this type is always there, without an entry"
                                                 : "this type stands in the list twice");
    reader_leave(reader, mark);
    const json_t *ladder = json_object_get(element, "ladder");
    const size_t inner = reader_enter(reader, "ladder");
    if (json_array_size(ladder) == 0)
        return reader_refuse(reader, VAULT_INVALID, "must have at least one form");
    for (size_t i = 0; i < json_array_size(ladder); i++) {
        const size_t at = reader_enter_index(reader, i);
        VAULT_TRY(load_step(policy, reader, (enum policy_type)type, json_array_get(ladder, i)));
        reader_leave(reader, at);
    }
    reader_leave(reader, inner);
    return VAULT_OK;
}

static enum vault_code load_types(struct policy *policy, struct reader *reader, const json_t *root)
{
    const json_t *list = json_object_get(root, "types");
    const size_t mark = reader_enter(reader, "types");
    for (enum policy_type type = POLICY_BOOLEAN; type <= POLICY_CODE; type++)
        policy->ladders[type] =
            (struct ladder){.steps = {{.form = FORM_AS_IS}, {.form = FORM_PRESENT}}, .count = 2};
    for (size_t i = 0; i < json_array_size(list); i++) {
        const size_t inner = reader_enter_index(reader, i);
        VAULT_TRY(load_type(policy, reader, json_array_get(list, i)));
        reader_leave(reader, inner);
    }
    reader_leave(reader, mark);
    return VAULT_OK;
}

/* --- the elements of each list; the walk is at the element --- */

static enum vault_code load_field(struct policy *policy, struct reader *reader,
                                  const json_t *element, uint16_t index)
{
    struct field *field = &policy->fields[index];
    const size_t type =
        name_index(type_names, POLICY_TYPE_COUNT, json_text(json_object_get(element, "type")));
    const size_t mark = reader_enter(reader, "type");
    if (type == POLICY_TYPE_COUNT || !policy->ladders[type].count)
        return reader_refuse(reader, VAULT_INVALID, "the catalogue has no such type");
    reader_leave(reader, mark);
    field->type = (uint8_t)type;
    const json_t *sensitivity = json_object_get(element, "sensitivity");
    field->special = bytes_equal(json_text(sensitivity), bytes_of_text("art9"));
    field->says_sensitivity = sensitivity != NULL;
    if (sensitivity && !field->special &&
        !bytes_equal(json_text(sensitivity), bytes_of_text("normal"))) {
        reader_enter(reader, "sensitivity");
        return reader_refuse(reader, VAULT_INVALID, "must be \"normal\" or \"art9\"");
    }
    const json_t *derive = json_object_get(element, "derive");
    if (!derive)
        return VAULT_OK;
    const size_t inner = reader_enter(reader, "derive");
    VAULT_TRY(derivation_load(policy, reader, derive, index));
    reader_leave(reader, inner);
    return VAULT_OK;
}

static enum vault_code load_purpose(struct policy *policy, struct reader *reader,
                                    const json_t *element, uint16_t index)
{
    const json_t *days = json_object_get(element, "consent_at_most_days");
    const json_int_t value = days ? json_integer_value(days) : 0;
    if (days && (value < 1 || value > POLICY_CONSENT_DAYS_MAX)) {
        reader_enter(reader, "consent_at_most_days");
        return reader_refuse(reader, VAULT_INVALID, "must be 1 to %d", POLICY_CONSENT_DAYS_MAX);
    }
    policy->consent_days[index] = (unsigned)value;
    return load_words(reader, &policy->arena, element, "text",
                      &policy->texts[POLICY_PURPOSE][index]);
}

static enum vault_code load_atom_values(struct policy *policy, struct reader *reader,
                                        const json_t *list, struct names *out)
{
    const size_t count = json_array_size(list);
    if (count == 0 || count > POLICY_ATOM_VALUES_MAX)
        return reader_refuse(reader, VAULT_INVALID, "must have 1 to %d values",
                             POLICY_ATOM_VALUES_MAX);
    out->ids = arena_take(&policy->arena, count, sizeof *out->ids);
    if (!out->ids)
        return load_no_memory(reader);
    for (size_t i = 0; i < count; i++) {
        const struct bytes value = json_text(json_array_get(list, i));
        const size_t mark = reader_enter_index(reader, i);
        if (value.size == 0 || value.size > POLICY_ID_CHARS_MAX)
            return reader_refuse(reader, VAULT_INVALID, "must be a string of 1 to %d bytes",
                                 POLICY_ID_CHARS_MAX);
        if (name_index(out->ids, i, value) < i)
            return reader_refuse(reader, VAULT_INVALID, "stands in the list twice");
        if (!(out->ids[i] = arena_text(&policy->arena, value)))
            return load_no_memory(reader);
        reader_leave(reader, mark);
    }
    out->count = count;
    return VAULT_OK;
}

static enum vault_code load_atom(struct policy *policy, struct reader *reader,
                                 const json_t *element, uint16_t index)
{
    static const char *const kinds[] = {[POLICY_ATOM_BOOLEAN] = "boolean",
                                        [POLICY_ATOM_ORDERED] = "ordered",
                                        [POLICY_ATOM_SET] = "set"};
    struct atom *atom = &policy->atoms[index];
    const size_t kind = name_index(kinds, 3, json_text(json_object_get(element, "kind")));
    if (kind == 3) {
        reader_enter(reader, "kind");
        return reader_refuse(reader, VAULT_INVALID, "must be \"boolean\", \"ordered\" or \"set\"");
    }
    atom->kind = (uint8_t)kind;
    const json_t *values = json_object_get(element, "values");
    if ((values == NULL) != (kind == POLICY_ATOM_BOOLEAN))
        return reader_refuse(reader, VAULT_INVALID, "an atom of kind %s %s \"values\"", kinds[kind],
                             values ? "has no" : "needs");
    if (!values)
        return VAULT_OK;
    const size_t mark = reader_enter(reader, "values");
    VAULT_TRY(load_atom_values(policy, reader, values, &atom->values));
    reader_leave(reader, mark);
    return VAULT_OK;
}

static enum vault_code load_obligation(struct policy *policy, struct reader *reader,
                                       const json_t *element, uint16_t index)
{
    static const char *const merges[] = {"or", "min"};
    const size_t merge = name_index(merges, 2, json_text(json_object_get(element, "merge")));
    if (merge == 2) {
        reader_enter(reader, "merge");
        return reader_refuse(reader, VAULT_INVALID, "must be \"or\" or \"min\"");
    }
    policy->obligation_is_number[index] = merge == 1;
    return VAULT_OK;
}

typedef enum vault_code element_loader(struct policy *policy, struct reader *reader,
                                       const json_t *element, uint16_t index);

/* Every element of a list by the loader of its kind, if there is more to it than its title. */
static enum vault_code load_elements(struct policy *policy, struct reader *reader,
                                     const json_t *root, const struct list *list,
                                     element_loader *load)
{
    const json_t *elements = json_object_get(root, list->name);
    const size_t mark = reader_enter(reader, list->name);
    for (size_t i = 0; i < json_array_size(elements); i++) {
        const json_t *element = json_array_get(elements, i);
        const uint16_t index =
            policy_find(policy, list->kind, json_text(json_object_get(element, "id")));
        const size_t inner = reader_enter_index(reader, i);
        if (load)
            VAULT_TRY(load(policy, reader, element, index));
        VAULT_TRY(load_words(reader, &policy->arena, element, "title",
                             &policy->titles[list->kind][index]));
        reader_leave(reader, inner);
    }
    reader_leave(reader, mark);
    return VAULT_OK;
}

/* Give each atom its bits: all of one atom in one word. */
static void place_atoms(struct policy *policy)
{
    size_t word = 0;
    size_t bit = 0;
    for (size_t i = 0; i < policy->names[POLICY_ATOM].count; i++) {
        struct atom *atom = &policy->atoms[i];
        const size_t bits = atom->kind == POLICY_ATOM_BOOLEAN ? 1 : atom->values.count;
        if (bit + bits > 64) {
            word++;
            bit = 0;
        }
        atom->word = (uint16_t)word;
        atom->first_bit = (uint8_t)bit;
        bit += bits;
    }
    policy->atom_words = word + 1;
}

static enum vault_code take_places(struct policy *policy, struct reader *reader)
{
    struct arena *arena = &policy->arena;
    bool complete = true;
    for (size_t i = 0; i < LIST_COUNT; i++) {
        const enum policy_kind kind = lists[i].kind;
        policy->titles[kind] =
            arena_take(arena, policy->names[kind].count, sizeof *policy->titles[kind]);
        complete = complete && policy->titles[kind];
    }
    const size_t purposes = policy->names[POLICY_PURPOSE].count;
    policy->fields = arena_take(arena, policy->names[POLICY_FIELD].count, sizeof *policy->fields);
    policy->atoms = arena_take(arena, policy->names[POLICY_ATOM].count, sizeof *policy->atoms);
    policy->texts[POLICY_PURPOSE] = arena_take(arena, purposes, sizeof **policy->texts);
    policy->consent_days = arena_take(arena, purposes, sizeof *policy->consent_days);
    policy->obligation_is_number = arena_take(arena, policy->names[POLICY_OBLIGATION].count,
                                              sizeof *policy->obligation_is_number);
    if (!complete || !policy->fields || !policy->atoms || !policy->texts[POLICY_PURPOSE] ||
        !policy->consent_days || !policy->obligation_is_number)
        return load_no_memory(reader);
    return VAULT_OK;
}

/* What can be said of derived fields only when all fields are there. */
static enum vault_code check_derivations(struct policy *policy, struct reader *reader,
                                         const json_t *root)
{
    const json_t *fields = json_object_get(root, "fields");
    const size_t mark = reader_enter(reader, "fields");
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *element = json_array_get(fields, i);
        const json_t *derive = json_object_get(element, "derive");
        if (!derive)
            continue;
        const size_t inner = reader_enter_index(reader, i);
        reader_enter(reader, "derive");
        VAULT_TRY(derivation_check(
            policy, reader, derive,
            policy_find(policy, POLICY_FIELD, json_text(json_object_get(element, "id")))));
        reader_leave(reader, inner);
    }
    reader_leave(reader, mark);
    return VAULT_OK;
}

/* Check every list and number its ids. */
static enum vault_code number_lists(struct policy *policy, struct reader *reader,
                                    const json_t *root)
{
    for (size_t i = 0; i < LIST_COUNT; i++) {
        const size_t mark = reader_enter(reader, lists[i].name);
        VAULT_TRY(number_ids(policy, reader, &lists[i], json_object_get(root, lists[i].name)));
        reader_leave(reader, mark);
    }
    return VAULT_OK;
}

enum vault_code catalogue_load(struct policy *policy, struct reader *reader, const json_t *root)
{
    static element_loader *const loaders[LIST_COUNT] = {load_field, load_purpose, NULL, load_atom,
                                                        load_obligation};
    VAULT_TRY(reader_check_type(reader, root, READ_OBJECT));
    VAULT_TRY(reader_check_format(reader, root, "vault-catalogue/1"));
    VAULT_TRY(reader_check_members(reader, root, READER_MEMBERS(catalogue_members)));
    VAULT_TRY(load_types(policy, reader, root));
    VAULT_TRY(number_lists(policy, reader, root));
    VAULT_TRY(take_places(policy, reader));
    for (size_t i = 0; i < LIST_COUNT; i++)
        VAULT_TRY(load_elements(policy, reader, root, &lists[i], loaders[i]));
    place_atoms(policy);
    return check_derivations(policy, reader, root);
}
