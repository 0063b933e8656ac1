#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "vault/base/clock.h"
#include "vault/base/json.h"

#define T(type)         (1U << POLICY_##type)
#define TEXTS           (T(TEXT) | T(CODE) | T(IDENTIFIER))
#define ANY_TYPE        ((1U << POLICY_TYPE_COUNT) - 1)

#define COST_MAX        256
#define YEARS_MAX       200
#define MONTHS_MAX      2400
#define LABEL_CHARS_MAX 256

static const char *const parameter_names[] = {"years",  "months", "bands", "table",
                                              "values", "value",  "epoch"};

enum parameter { YEARS, MONTHS, BANDS, TABLE, VALUES, VALUE, EPOCH, PARAMETER_COUNT };

static const struct {
    const char *name;
    enum parameter parameter; /* the one it has; PARAMETER_COUNT: none */
    bool required;
    size_t from_min;
    size_t from_max;
    unsigned sources; /* the types that its sources may have */
    unsigned results; /* the types that the field may have */
} operations[DERIVE_COUNT] = {
    [DERIVE_AGE_AT_LEAST] = {"age_at_least", YEARS, true, 1, 1, T(DATE), T(BOOLEAN)},
    [DERIVE_MONTHS_AT_LEAST] = {"months_at_least", MONTHS, true, 1, 1, T(DATE), T(BOOLEAN)},
    [DERIVE_AGE_BAND] = {"age_band", BANDS, true, 1, 1, T(DATE), T(CODE) | T(TEXT)},
    [DERIVE_BAND] = {"band", TABLE, true, 1, 1, T(NUMBER), T(CODE) | T(TEXT)},
    [DERIVE_IN_SET] = {"in_set", VALUES, true, 1, 1, TEXTS | T(DATE) | T(NUMBER), T(BOOLEAN)},
    [DERIVE_EQUALS] = {"equals", VALUE, true, 1, 1, TEXTS | T(DATE) | T(NUMBER) | T(BOOLEAN),
                       T(BOOLEAN)},
    [DERIVE_ANY_OF] = {"any_of", PARAMETER_COUNT, false, 1, DERIVE_SOURCES_MAX, T(BOOLEAN),
                       T(BOOLEAN)},
    [DERIVE_ALL_OF] = {"all_of", PARAMETER_COUNT, false, 1, DERIVE_SOURCES_MAX, T(BOOLEAN),
                       T(BOOLEAN)},
    [DERIVE_PRESENT] = {"present", PARAMETER_COUNT, false, 1, 1, ANY_TYPE, T(BOOLEAN)},
    [DERIVE_PSEUDONYM] = {"pseudonym", EPOCH, false, 0, 1, ANY_TYPE, TEXTS},
};

static const struct reader_member derive_members[] = {
    {"op", READ_STRING, true},      {"from", READ_LIST, false},
    {"years", READ_INTEGER, false}, {"months", READ_INTEGER, false},
    {"bands", READ_LIST, false},    {"table", READ_LIST, false},
    {"values", READ_LIST, false},   {"value", READ_ANYTHING, false},
    {"epoch", READ_STRING, false},
};

static enum vault_code find_operation(struct reader *reader, const json_t *derive,
                                      enum operation *out)
{
    const struct bytes name = json_text(json_object_get(derive, "op"));
    for (size_t i = 0; i < DERIVE_COUNT; i++) {
        if (bytes_equal(bytes_of_text(operations[i].name), name)) {
            *out = (enum operation)i;
            return VAULT_OK;
        }
    }
    reader_enter(reader, "op");
    return reader_refuse(reader, VAULT_INVALID, "no such operation is known");
}

/* Only the parameter of the operation may be there, and it must be if the operation needs it. */
static enum vault_code check_parameters(struct reader *reader, const json_t *derive,
                                        enum operation operation)
{
    for (size_t i = 0; i < PARAMETER_COUNT; i++) {
        const bool there = json_object_get(derive, parameter_names[i]) != NULL;
        const bool wanted = operations[operation].parameter == i;
        if (there && !wanted)
            return reader_refuse(reader, VAULT_INVALID, "the operation %s has no \"%s\"",
                                 operations[operation].name, parameter_names[i]);
        if (!there && wanted && operations[operation].required)
            return reader_refuse(reader, VAULT_INVALID, "the operation %s needs \"%s\"",
                                 operations[operation].name, parameter_names[i]);
    }
    return VAULT_OK;
}

static enum vault_code load_sources(struct policy *policy, struct reader *reader,
                                    const json_t *list, struct derivation *derivation)
{
    const enum operation operation = derivation->operation;
    const size_t count = json_array_size(list);
    const size_t mark = list ? reader_enter(reader, "from") : reader->pointer.size;
    if (count < operations[operation].from_min || count > operations[operation].from_max)
        return reader_refuse(reader, VAULT_INVALID, "the operation %s is from %zu to %zu fields",
                             operations[operation].name, operations[operation].from_min,
                             operations[operation].from_max);
    uint16_t *from = arena_take(&policy->arena, count, sizeof *from);
    if (!from)
        return load_no_memory(reader);
    for (size_t i = 0; i < count; i++) {
        from[i] = policy_find(policy, POLICY_FIELD, json_text(json_array_get(list, i)));
        if (from[i] == POLICY_NONE) {
            reader_enter_index(reader, i);
            return reader_refuse(reader, VAULT_INVALID, "the catalogue has no such field");
        }
    }
    derivation->from = from;
    derivation->from_count = count;
    reader_leave(reader, mark);
    return VAULT_OK;
}

static enum vault_code load_number(struct reader *reader, const json_t *value, int64_t max,
                                   struct derivation *derivation)
{
    derivation->number = json_integer_value(value);
    if (derivation->number < 0 || derivation->number > max)
        return reader_refuse(reader, VAULT_INVALID, "must be 0 to %lld", (long long)max);
    return VAULT_OK;
}

static const struct reader_member row_members[] = {
    {"from", READ_INTEGER, true},
    {"is", READ_STRING, true},
};

static enum vault_code load_table_row(struct policy *policy, struct reader *reader,
                                      const json_t *row, int64_t *from, const char **label)
{
    VAULT_TRY(reader_check_members(reader, row, READER_MEMBERS(row_members)));
    const struct bytes text = json_text(json_object_get(row, "is"));
    if (text.size == 0 || text.size > LABEL_CHARS_MAX)
        return reader_refuse(reader, VAULT_INVALID, "\"is\" must be a text of 1 to %d bytes",
                             LABEL_CHARS_MAX);
    *from = json_integer_value(json_object_get(row, "from"));
    *label = arena_text(&policy->arena, text);
    return *label ? VAULT_OK : load_no_memory(reader);
}

static enum vault_code load_band_table(struct policy *policy, struct reader *reader,
                                       const json_t *list, struct derivation *derivation)
{
    const size_t count = json_array_size(list);
    if (count == 0 || count > POLICY_BANDS_MAX)
        return reader_refuse(reader, VAULT_INVALID, "must have 1 to %d elements", POLICY_BANDS_MAX);
    int64_t *from = arena_take(&policy->arena, count, sizeof *from);
    derivation->labels = arena_take(&policy->arena, count, sizeof *derivation->labels);
    if (!from || !derivation->labels)
        return load_no_memory(reader);
    for (size_t i = 0; i < count; i++) {
        const size_t mark = reader_enter_index(reader, i);
        VAULT_TRY(load_table_row(policy, reader, json_array_get(list, i), &from[i],
                                 &derivation->labels[i]));
        if (i > 0 && from[i] <= from[i - 1])
            return reader_refuse(reader, VAULT_INVALID, "bands must rise strictly");
        reader_leave(reader, mark);
    }
    derivation->bands = (struct bands){from, count};
    return VAULT_OK;
}

static const char *copy_json(struct policy *policy, const json_t *value)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(POLICY_FILE_BYTES_MAX);
    json_write_value(&text, value);
    return text.problem ? NULL : arena_text(&policy->arena, buf_view(&text));
}

/* Values to compare with; their types are checked when the source's is known. */
static enum vault_code load_values(struct policy *policy, struct reader *reader, const json_t *list,
                                   struct derivation *derivation)
{
    const size_t count = json_is_array(list) ? json_array_size(list) : 1;
    if (count == 0 || count > POLICY_BANDS_MAX)
        return reader_refuse(reader, VAULT_INVALID, "must have 1 to %d elements", POLICY_BANDS_MAX);
    derivation->values = arena_take(&policy->arena, count, sizeof *derivation->values);
    if (!derivation->values)
        return load_no_memory(reader);
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_is_array(list) ? json_array_get(list, i) : list;
        if (!(derivation->values[i] = copy_json(policy, value)))
            return load_no_memory(reader);
    }
    derivation->value_count = count;
    return VAULT_OK;
}

static enum vault_code load_epoch(struct policy *policy, struct reader *reader, const json_t *value,
                                  struct derivation *derivation)
{
    const struct bytes text = json_text(value);
    if (text.size == 0 || text.size > POLICY_ID_CHARS_MAX)
        return reader_refuse(reader, VAULT_INVALID, "must be a text of 1 to %d bytes",
                             POLICY_ID_CHARS_MAX);
    derivation->epoch = arena_text(&policy->arena, text);
    return derivation->epoch ? VAULT_OK : load_no_memory(reader);
}

static enum vault_code load_parameter(struct policy *policy, struct reader *reader,
                                      const json_t *derive, struct derivation *derivation)
{
    const enum parameter parameter = operations[derivation->operation].parameter;
    const json_t *value =
        parameter == PARAMETER_COUNT ? NULL : json_object_get(derive, parameter_names[parameter]);
    if (!value)
        return VAULT_OK;
    reader_enter(reader, parameter_names[parameter]);
    switch (parameter) {
    case YEARS:
        return load_number(reader, value, YEARS_MAX, derivation);
    case MONTHS:
        return load_number(reader, value, MONTHS_MAX, derivation);
    case BANDS:
        return load_bands(reader, &policy->arena, value, &derivation->bands);
    case TABLE:
        return load_band_table(policy, reader, value, derivation);
    case VALUES:
    case VALUE:
        return load_values(policy, reader, value, derivation);
    case EPOCH:
        return load_epoch(policy, reader, value, derivation);
    case PARAMETER_COUNT:
        break;
    }
    return VAULT_OK;
}

enum vault_code derivation_load(struct policy *policy, struct reader *reader, const json_t *derive,
                                uint16_t field)
{
    VAULT_TRY(reader_check_members(reader, derive, READER_MEMBERS(derive_members)));
    enum operation operation = DERIVE_COUNT;
    VAULT_TRY(find_operation(reader, derive, &operation));
    VAULT_TRY(check_parameters(reader, derive, operation));
    struct derivation *derivation = arena_take(&policy->arena, 1, sizeof *derivation);
    if (!derivation)
        return load_no_memory(reader);
    derivation->operation = (uint8_t)operation;
    VAULT_TRY(load_sources(policy, reader, json_object_get(derive, "from"), derivation));
    const size_t mark = reader->pointer.size;
    VAULT_TRY(load_parameter(policy, reader, derive, derivation));
    reader_leave(reader, mark);
    policy->fields[field].derivation = derivation;
    return VAULT_OK;
}

/* --- as text again --- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_sources(const struct policy *policy, const struct derivation *derivation,
                          struct buf *out)
{
    const char *ids[DERIVE_SOURCES_MAX] = {NULL};
    for (size_t i = 0; i < derivation->from_count; i++)
        ids[i] = policy_id(policy, POLICY_FIELD, derivation->from[i]);
    qsort(ids, derivation->from_count, sizeof *ids, by_text);
    buf_text(out, "{\"from\":[");
    for (size_t i = 0; i < derivation->from_count; i++) {
        buf_text(out, i ? "," : "");
        json_write_string(out, bytes_of_text(ids[i]));
    }
    buf_byte(out, ']');
}

static void write_bands(const struct derivation *derivation, struct buf *out)
{
    buf_byte(out, '[');
    for (size_t i = 0; i < derivation->bands.count; i++) {
        const long long from = derivation->bands.from[i];
        buf_text(out, i ? "," : "");
        if (!derivation->labels) {
            buf_format(out, "%lld", from);
            continue;
        }
        buf_format(out, "{\"from\":%lld,\"is\":", from);
        json_write_string(out, bytes_of_text(derivation->labels[i]));
        buf_byte(out, '}');
    }
    buf_byte(out, ']');
}

static void write_values(const struct derivation *derivation, struct buf *out)
{
    const char *values[POLICY_BANDS_MAX] = {NULL};
    memcpy(values, derivation->values, derivation->value_count * sizeof *values);
    qsort(values, derivation->value_count, sizeof *values, by_text);
    for (size_t i = 0; i < derivation->value_count; i++)
        buf_format(out, "%s%s", i ? "," : "[", values[i]);
    buf_byte(out, ']');
}

void derivation_write(const struct policy *policy, const struct derivation *derivation,
                      struct buf *out)
{
    const enum parameter parameter = operations[derivation->operation].parameter;
    write_sources(policy, derivation, out);
    buf_format(out, ",\"op\":\"%s\"", operations[derivation->operation].name);
    if (parameter != PARAMETER_COUNT && (parameter != EPOCH || derivation->epoch))
        buf_format(out, ",\"%s\":", parameter_names[parameter]);
    switch (parameter) {
    case YEARS:
    case MONTHS:
        buf_format(out, "%lld", (long long)derivation->number);
        break;
    case BANDS:
    case TABLE:
        write_bands(derivation, out);
        break;
    case VALUES:
        write_values(derivation, out);
        break;
    case VALUE:
        buf_text(out, derivation->values[0]);
        break;
    case EPOCH:
        if (derivation->epoch)
            json_write_string(out, bytes_of_text(derivation->epoch));
        break;
    case PARAMETER_COUNT:
        break;
    }
    buf_byte(out, '}');
}

/* --- once all fields are there --- */

static bool value_fits(const json_t *value, enum policy_type type)
{
    struct date date;
    switch (type) {
    case POLICY_BOOLEAN:
        return json_is_boolean(value);
    case POLICY_NUMBER:
        return json_is_integer(value);
    case POLICY_DATE:
        return date_parse(json_text(value), &date, NULL) == VAULT_OK;
    default:
        return json_text(value).size > 0;
    }
}

static enum vault_code check_values(const struct policy *policy, struct reader *reader,
                                    const json_t *derive, const struct derivation *derivation)
{
    const char *name = parameter_names[operations[derivation->operation].parameter];
    const json_t *values = json_object_get(derive, name);
    const enum policy_type type = policy->fields[derivation->from[0]].type;
    reader_enter(reader, name);
    for (size_t i = 0; i < derivation->value_count; i++) {
        const bool list = derivation->operation == DERIVE_IN_SET;
        if (value_fits(list ? json_array_get(values, i) : values, type))
            continue;
        if (list)
            reader_enter_index(reader, i);
        return reader_refuse(reader, VAULT_INVALID, "must be of the source's type, %s",
                             type_names[type]);
    }
    return VAULT_OK;
}

/* Values looked at to compute a field; COST_MAX + 1 once it is too much, which a cycle always is.
 */
static unsigned cost_of(const struct policy *policy, uint16_t field, unsigned so_far)
{
    const struct derivation *derivation = policy->fields[field].derivation;
    unsigned cost = so_far + 1;
    for (size_t i = 0; derivation && i < derivation->from_count && cost <= COST_MAX; i++)
        cost = cost_of(policy, derivation->from[i], cost);
    return cost;
}

/* Whether goal is among the sources of a field, and theirs, and so on. */
static bool reaches(const struct policy *policy, uint16_t from, uint16_t goal, bool visited[])
{
    const struct derivation *derivation = policy->fields[from].derivation;
    if (visited[from] || !derivation)
        return false;
    visited[from] = true;
    for (size_t i = 0; i < derivation->from_count; i++) {
        if (derivation->from[i] == goal || reaches(policy, derivation->from[i], goal, visited))
            return true;
    }
    return false;
}

static bool is_in_cycle(const struct policy *policy, uint16_t field)
{
    bool visited[POLICY_FIELDS_MAX] = {false};
    return reaches(policy, field, field, visited);
}

static bool is_special(const struct policy *policy, uint16_t index)
{
    const struct field *field = &policy->fields[index];
    const struct derivation *derivation = field->derivation;
    bool special = field->special;
    for (size_t i = 0; derivation && !field->says_sensitivity && i < derivation->from_count; i++)
        special = special || is_special(policy, derivation->from[i]);
    return special;
}

static enum vault_code check_cost(struct policy *policy, struct reader *reader, uint16_t index)
{
    if (cost_of(policy, index, 0) <= COST_MAX)
        return VAULT_OK;
    reader_enter(reader, "from");
    if (is_in_cycle(policy, index))
        return reader_refuse(reader, VAULT_INVALID, "the field would be derived from itself");
    for (size_t i = 0; i < policy->names[POLICY_FIELD].count; i++) {
        bool visited[POLICY_FIELDS_MAX] = {false};
        if (reaches(policy, index, (uint16_t)i, visited) && is_in_cycle(policy, (uint16_t)i))
            return reader_refuse(reader, VAULT_INVALID, "%s would be derived from itself",
                                 policy_id(policy, POLICY_FIELD, (uint16_t)i));
    }
    return reader_refuse(reader, VAULT_TOO_LARGE,
                         "takes more than %d values to compute, sources of sources included",
                         COST_MAX);
}

enum vault_code derivation_check(struct policy *policy, struct reader *reader, const json_t *derive,
                                 uint16_t index)
{
    struct field *field = &policy->fields[index];
    const struct derivation *derivation = field->derivation;
    const enum operation operation = derivation->operation;
    VAULT_TRY(check_cost(policy, reader, index));
    if (!(operations[operation].results & 1U << field->type))
        return reader_refuse(reader, VAULT_INVALID,
                             "the operation %s does not give a field of type %s",
                             operations[operation].name, type_names[field->type]);
    for (size_t i = 0; i < derivation->from_count; i++) {
        const uint8_t type = policy->fields[derivation->from[i]].type;
        if (operations[operation].sources & 1U << type)
            continue;
        reader_enter(reader, "from");
        reader_enter_index(reader, i);
        return reader_refuse(reader, VAULT_INVALID, "the operation %s does not work on type %s",
                             operations[operation].name, type_names[type]);
    }
    field->special = is_special(policy, index);
    return derivation->value_count ? check_values(policy, reader, derive, derivation) : VAULT_OK;
}
