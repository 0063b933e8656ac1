#include "question.h"

#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "vault/base/clock.h"
#include "vault/base/json.h"

static const struct reader_member question_members[] = {
    {"id", READ_STRING, true},      {"now", READ_STRING, true},
    {"service", READ_OBJECT, true}, {"purpose", READ_STRING, true},
    {"fields", READ_OBJECT, true},  {"atoms", READ_OBJECT, false},
    {"consents", READ_LIST, false}, {"objections", READ_LIST, false},
    {"values", READ_OBJECT, false}, {"unmet", READ_LIST, false},
};

static const struct reader_member service_members[] = {
    {"id", READ_STRING, true},
    {"classes", READ_LIST, true},
    {"purposes", READ_LIST, true},
};

static const struct reader_member consent_members[] = {
    {"id", READ_STRING, true},      {"service", READ_STRING, true},
    {"purpose", READ_STRING, true}, {"state", READ_STRING, true},
    {"at", READ_STRING, true},      {"expires", READ_STRING, false},
    {"fields", READ_OBJECT, false}, {"uses_left", READ_INTEGER, false},
};

static const struct reader_member objection_members[] = {
    {"service", READ_STRING, true},
    {"purpose", READ_STRING, true},
    {"at", READ_STRING, true},
};

/* What reading a question passes along. */
struct asking {
    const struct policy *policy;
    struct reader *reader;
    struct arena *arena;
    struct bytes service;
    struct bytes purpose;
    struct question *question;
    bool known_only; /* an atom that the bundle does not know is left aside */
};

static enum vault_code check_strings(struct reader *reader, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const size_t mark = reader_enter_index(reader, i);
        VAULT_TRY(reader_check_type(reader, json_array_get(list, i), READ_STRING));
        reader_leave(reader, mark);
    }
    return VAULT_OK;
}

static bool has_text(const json_t *list, struct bytes text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (bytes_equal(json_text(json_array_get(list, i)), text))
            return true;
    }
    return false;
}

/* --- the service --- */

static bool has_class(const struct policy_actor *actor, uint16_t class)
{
    for (size_t i = 0; i < actor->class_count; i++) {
        if (actor->classes[i] == class)
            return true;
    }
    return false;
}

static enum vault_code read_classes(struct asking *asking, const json_t *list)
{
    struct policy_actor *actor = &asking->question->request.actor;
    VAULT_TRY(check_strings(asking->reader, list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const uint16_t class =
            policy_find(asking->policy, POLICY_CLASS, json_text(json_array_get(list, i)));
        if (class == POLICY_NONE || has_class(actor, class))
            continue;
        if (actor->class_count == POLICY_SERVICE_CLASSES_MAX)
            return reader_refuse(asking->reader, VAULT_TOO_LARGE,
                                 "a service has at most %d classes", POLICY_SERVICE_CLASSES_MAX);
        actor->classes[actor->class_count++] = class;
    }
    return VAULT_OK;
}

static enum vault_code read_service(struct asking *asking, const json_t *root)
{
    const json_t *service = json_object_get(root, "service");
    struct policy_request *request = &asking->question->request;
    const size_t mark = reader_enter(asking->reader, "service");
    VAULT_TRY(reader_check_members(asking->reader, service, READER_MEMBERS(service_members)));
    asking->service = json_text(json_object_get(service, "id"));
    asking->purpose = json_text(json_object_get(root, "purpose"));
    request->actor.service = policy_find(asking->policy, POLICY_SERVICE, asking->service);
    request->purpose = policy_find(asking->policy, POLICY_PURPOSE, asking->purpose);
    const size_t inner = reader_enter(asking->reader, "classes");
    VAULT_TRY(read_classes(asking, json_object_get(service, "classes")));
    reader_leave(asking->reader, inner);
    reader_enter(asking->reader, "purposes");
    const json_t *purposes = json_object_get(service, "purposes");
    VAULT_TRY(check_strings(asking->reader, purposes));
    request->purpose_registered = has_text(purposes, asking->purpose);
    reader_leave(asking->reader, mark);
    return VAULT_OK;
}

/* --- the fields --- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static uint8_t read_form(const struct policy *policy, uint16_t field, const json_t *form)
{
    if (json_is_null(form))
        return POLICY_FORM_ANY;
    return policy_form_find(policy, field, json_text(form));
}

static enum vault_code read_fields(struct asking *asking, json_t *fields)
{
    struct question *question = asking->question;
    const size_t count = json_object_size(fields);
    const char **names = arena_take(asking->arena, count, sizeof *names);
    struct policy_ask *asks = arena_take(asking->arena, count, sizeof *asks);
    if (!names || !asks)
        return load_no_memory(asking->reader);
    const size_t mark = reader_enter(asking->reader, "fields");
    const char *name;
    json_t *form;
    size_t i = 0;
    json_object_foreach(fields, name, form)
    {
        const size_t inner = reader_enter(asking->reader, name);
        VAULT_TRY(reader_check_type(asking->reader, form, READ_STRING | READ_NULL));
        reader_leave(asking->reader, inner);
        if (!(names[i++] = arena_text(asking->arena, bytes_of_text(name))))
            return load_no_memory(asking->reader);
    }
    qsort(names, count, sizeof *names, by_text);
    for (i = 0; i < count; i++) {
        asks[i].field = policy_find(asking->policy, POLICY_FIELD, bytes_of_text(names[i]));
        if (asks[i].field != POLICY_NONE)
            asks[i].form =
                read_form(asking->policy, asks[i].field, json_object_get(fields, names[i]));
    }
    reader_leave(asking->reader, mark);
    question->names = names;
    question->request.asks = asks;
    question->request.ask_count = count;
    return VAULT_OK;
}

/* --- the atoms --- */

static bool is_listed(const struct bytes values[], size_t count, struct bytes value)
{
    size_t i = 0;
    while (i < count && !bytes_equal(values[i], value))
        i++;
    return i < count;
}

/* The different strings of a list. What is no list of strings makes the atom unknown, as do more
 * values than an atom has. */
static void set_values(const struct policy *policy, struct policy_atom_word atoms[], uint16_t atom,
                       const json_t *list)
{
    static const struct bytes no_value = {(const uint8_t *)"", 1};
    struct bytes values[POLICY_ATOM_VALUES_MAX + 1] = {no_value};
    size_t count = json_is_array(list) ? 0 : 1;
    for (size_t i = 0; i < json_array_size(list) && count <= POLICY_ATOM_VALUES_MAX; i++) {
        const json_t *element = json_array_get(list, i);
        const struct bytes value = json_is_string(element) ? json_text(element) : no_value;
        if (!is_listed(values, count, value))
            values[count++] = value;
    }
    policy_atom_set_values(policy, atoms, atom, values, count);
}

void question_set_atom(const struct policy *policy, struct policy_atom_word atoms[], uint16_t atom,
                       const json_t *value)
{
    switch (policy_atom_kind(policy, atom)) {
    case POLICY_ATOM_BOOLEAN:
        if (json_is_boolean(value))
            policy_atom_set_boolean(policy, atoms, atom, json_is_true(value));
        break;
    case POLICY_ATOM_ORDERED:
        policy_atom_set_ordered(policy, atoms, atom, json_text(value));
        break;
    case POLICY_ATOM_SET:
        set_values(policy, atoms, atom, value);
        break;
    }
}

static enum vault_code read_atoms(struct asking *asking, json_t *object)
{
    struct policy_atom_word *atoms =
        arena_take(asking->arena, policy_atom_words(asking->policy), sizeof *atoms);
    if (!atoms)
        return load_no_memory(asking->reader);
    policy_atoms_clear(asking->policy, atoms);
    asking->question->request.atoms = atoms;
    const size_t mark = reader_enter(asking->reader, "atoms");
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        const uint16_t atom = policy_find(asking->policy, POLICY_ATOM, bytes_of_text(name));
        if (atom == POLICY_NONE && asking->known_only)
            continue;
        const size_t inner = reader_enter(asking->reader, name);
        if (atom == POLICY_NONE)
            return reader_refuse_name(asking->reader, VAULT_INVALID,
                                      "the catalogue has no such atom");
        reader_leave(asking->reader, inner);
        question_set_atom(asking->policy, atoms, atom, value);
    }
    reader_leave(asking->reader, mark);
    return VAULT_OK;
}

static enum vault_code read_unmet(struct asking *asking, const json_t *list)
{
    const size_t mark = reader_enter(asking->reader, "unmet");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const uint16_t obligation =
            policy_find(asking->policy, POLICY_OBLIGATION, json_text(json_array_get(list, i)));
        const size_t inner = reader_enter_index(asking->reader, i);
        if (obligation == POLICY_NONE)
            return reader_refuse(asking->reader, VAULT_INVALID,
                                 "the catalogue has no such obligation");
        reader_leave(asking->reader, inner);
        asking->question->request.unmet |= UINT64_C(1) << obligation;
    }
    reader_leave(asking->reader, mark);
    return VAULT_OK;
}

/* --- the citizen's stance --- */

/* Whether a record is about this service and this purpose. */
static bool is_concerned(const struct asking *asking, const json_t *record)
{
    return bytes_equal(json_text(json_object_get(record, "service")), asking->service) &&
           bytes_equal(json_text(json_object_get(record, "purpose")), asking->purpose);
}

static enum vault_code read_consent_fields(struct asking *asking, json_t *object,
                                           struct policy_consent *out)
{
    struct policy_consent_field *fields =
        arena_take(asking->arena, json_object_size(object), sizeof *fields);
    if (!fields)
        return load_no_memory(asking->reader);
    const size_t mark = reader_enter(asking->reader, "fields");
    const char *name;
    json_t *form;
    size_t count = 0;
    json_object_foreach(object, name, form)
    {
        const uint16_t field = policy_find(asking->policy, POLICY_FIELD, bytes_of_text(name));
        const size_t inner = reader_enter(asking->reader, name);
        VAULT_TRY(reader_check_type(asking->reader, form, READ_STRING | READ_NULL));
        reader_leave(asking->reader, inner);
        if (field != POLICY_NONE)
            fields[count++] =
                (struct policy_consent_field){field, read_form(asking->policy, field, form)};
    }
    reader_leave(asking->reader, mark);
    out->fields = fields;
    out->field_count = (uint16_t)policy_consent_sort(fields, count);
    return VAULT_OK;
}

static enum vault_code read_state(struct asking *asking, const json_t *object,
                                  struct policy_consent *out)
{
    static const char *const states[] = {[POLICY_CONSENT_GIVEN] = "given",
                                         [POLICY_CONSENT_REFUSED] = "refused",
                                         [POLICY_CONSENT_WITHDRAWN] = "withdrawn",
                                         [POLICY_CONSENT_SUSPENDED] = "suspended"};
    const size_t state = name_index(states, 4, json_text(json_object_get(object, "state")));
    if (state == 4) {
        reader_enter(asking->reader, "state");
        return reader_refuse(asking->reader, VAULT_INVALID,
                             "must be given, refused, withdrawn or suspended");
    }
    out->state = (uint8_t)state;
    const bool allows = state == POLICY_CONSENT_GIVEN || state == POLICY_CONSENT_SUSPENDED;
    if (allows && (!json_object_get(object, "expires") || !json_object_get(object, "fields")))
        return reader_refuse(asking->reader, VAULT_INVALID,
                             "a consent that is given or suspended has \"expires\" and \"fields\"");
    return VAULT_OK;
}

static enum vault_code read_uses(struct asking *asking, const json_t *object,
                                 struct policy_consent *out)
{
    const json_t *uses = json_object_get(object, "uses_left");
    out->uses_left = uses ? json_integer_value(uses) : POLICY_USES_UNLIMITED;
    if (out->uses_left >= 0)
        return VAULT_OK;
    reader_enter(asking->reader, "uses_left");
    return reader_refuse(asking->reader, VAULT_INVALID, "must not be negative");
}

static enum vault_code read_consent(struct asking *asking, const json_t *object,
                                    struct policy_consent *out)
{
    struct reader *reader = asking->reader;
    VAULT_TRY(reader_check_members(reader, object, READER_MEMBERS(consent_members)));
    VAULT_TRY(read_state(asking, object, out));
    VAULT_TRY(load_instant(reader, object, "at", 0, &out->at_s));
    VAULT_TRY(load_instant(reader, object, "expires", INT64_MAX, &out->expires_s));
    VAULT_TRY(read_uses(asking, object, out));
    return read_consent_fields(asking, json_object_get(object, "fields"), out);
}

static enum vault_code read_consents(struct asking *asking, const json_t *list)
{
    struct policy_consent *consents =
        arena_take(asking->arena, json_array_size(list), sizeof *consents);
    if (!consents)
        return load_no_memory(asking->reader);
    struct policy_stance *stance = &asking->question->stance;
    stance->consents = consents;
    const size_t mark = reader_enter(asking->reader, "consents");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *record = json_array_get(list, i);
        const size_t inner = reader_enter_index(asking->reader, i);
        VAULT_TRY(read_consent(asking, record, &consents[stance->consent_count]));
        reader_leave(asking->reader, inner);
        stance->consent_count += is_concerned(asking, record);
    }
    reader_leave(asking->reader, mark);
    return VAULT_OK;
}

static enum vault_code read_objections(struct asking *asking, const json_t *list)
{
    int64_t *objections = arena_take(asking->arena, json_array_size(list), sizeof *objections);
    if (!objections)
        return load_no_memory(asking->reader);
    struct policy_stance *stance = &asking->question->stance;
    stance->objections_s = objections;
    const size_t mark = reader_enter(asking->reader, "objections");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *record = json_array_get(list, i);
        const size_t inner = reader_enter_index(asking->reader, i);
        VAULT_TRY(reader_check_members(asking->reader, record, READER_MEMBERS(objection_members)));
        VAULT_TRY(
            load_instant(asking->reader, record, "at", 0, &objections[stance->objection_count]));
        reader_leave(asking->reader, inner);
        stance->objection_count += is_concerned(asking, record);
    }
    reader_leave(asking->reader, mark);
    return VAULT_OK;
}

/* --- the values --- */

static enum vault_code read_values(struct asking *asking, json_t *object)
{
    if (!object)
        return VAULT_OK;
    struct bytes *values =
        arena_take(asking->arena, policy_count(asking->policy, POLICY_FIELD), sizeof *values);
    if (!values)
        return load_no_memory(asking->reader);
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(QUESTION_BYTES_MAX);
        const uint16_t field = policy_find(asking->policy, POLICY_FIELD, bytes_of_text(name));
        if (field == POLICY_NONE)
            continue;
        json_write_value(&text, value);
        values[field].size = text.size;
        values[field].data = (const uint8_t *)arena_text(asking->arena, buf_view(&text));
        if (text.problem || !values[field].data)
            return load_no_memory(asking->reader);
    }
    asking->question->values = values;
    asking->question->has_values = true;
    return VAULT_OK;
}

/* What the request says of the circumstances, all of which may be left out. */
static enum vault_code read_circumstances(struct asking *asking, const json_t *root)
{
    VAULT_TRY(read_atoms(asking, json_object_get(root, "atoms")));
    VAULT_TRY(read_unmet(asking, json_object_get(root, "unmet")));
    VAULT_TRY(read_consents(asking, json_object_get(root, "consents")));
    VAULT_TRY(read_objections(asking, json_object_get(root, "objections")));
    return read_values(asking, json_object_get(root, "values"));
}

static enum vault_code read_question(struct asking *asking, const json_t *root)
{
    struct question *question = asking->question;
    struct reader *reader = asking->reader;
    VAULT_TRY(reader_check_members(reader, root, READER_MEMBERS(question_members)));
    question->id = arena_text(asking->arena, json_text(json_object_get(root, "id")));
    if (!question->id)
        return load_no_memory(reader);
    VAULT_TRY(load_instant(reader, root, "now", 0, &question->request.now_s));
    VAULT_TRY(read_service(asking, root));
    VAULT_TRY(read_fields(asking, json_object_get(root, "fields")));
    return read_circumstances(asking, root);
}

enum vault_code question_read(const struct policy *policy, struct reader *reader,
                              const json_t *root, struct arena *arena, struct question *out)
{
    struct question question = {.id = NULL};
    struct asking asking = {
        .policy = policy, .reader = reader, .arena = arena, .question = &question};
    VAULT_TRY(read_question(&asking, root));
    *out = question;
    return VAULT_OK;
}

enum vault_code question_read_known(const struct policy *policy, struct reader *reader,
                                    const json_t *root, struct arena *arena, struct question *out)
{
    struct question question = {.id = NULL};
    struct asking asking = {.policy = policy,
                            .reader = reader,
                            .arena = arena,
                            .question = &question,
                            .known_only = true};
    VAULT_TRY(read_question(&asking, root));
    *out = question;
    return VAULT_OK;
}
