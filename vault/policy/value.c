#include "vault/policy/value.h"

#include <string.h>

#include "values.h"
#include "vault/base/codec.h"
#include "vault/base/json.h"

static bool is_address(const json_t *value)
{
    static const char *const members[] = {"number", "street", "postcode", "city", NULL};
    if (!json_is_object(value) || json_unknown_member(value, members))
        return false;
    for (size_t i = 0; members[i]; i++) {
        const json_t *member = json_object_get(value, members[i]);
        const bool optional = i == 0;
        if (!(optional && !member) && json_text(member).size == 0)
            return false;
    }
    return true;
}

static bool is_date(const json_t *value)
{
    struct date date;
    return date_parse(json_text(value), &date, NULL) == VAULT_OK;
}

static bool is_series(const json_t *value)
{
    if (!json_is_array(value))
        return false;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *point = json_array_get(value, i);
        if (!json_is_object(point) || json_object_size(point) != 2 ||
            !is_date(json_object_get(point, "date")) ||
            !json_is_integer(json_object_get(point, "value")))
            return false;
    }
    return true;
}

bool value_is_of_type(const json_t *value, enum policy_type type)
{
    switch (type) {
    case POLICY_BOOLEAN:
        return json_is_boolean(value);
    case POLICY_CODE:
    case POLICY_TEXT:
    case POLICY_IDENTIFIER:
        return json_text(value).size > 0;
    case POLICY_DATE:
        return is_date(value);
    case POLICY_ADDRESS:
        return is_address(value);
    case POLICY_NUMBER:
        return json_is_integer(value);
    case POLICY_SERIES:
        return is_series(value);
    case POLICY_TYPE_COUNT:
        break;
    }
    return false;
}

/* Read JSON text as a value of the type. */
static enum vault_code read_value(struct bytes text, enum policy_type type, json_t **out,
                                  struct vault_error *err)
{
    if (text.size > POLICY_VALUE_BYTES_MAX)
        return vault_fail(err, VAULT_TOO_LARGE, "a value has more than %lu bytes",
                          POLICY_VALUE_BYTES_MAX);
    VAULT_AUTO(json_free) json_t *value = NULL;
    VAULT_TRY(json_parse(text, POLICY_DEPTH_MAX, &value, NULL, err));
    if (!value_is_of_type(value, type))
        return vault_fail(err, VAULT_INVALID, "not a value of type %s", type_names[type]);
    *out = VAULT_TAKE(value);
    return VAULT_OK;
}

enum vault_code policy_value_check(const struct policy *policy, uint16_t field, struct bytes json,
                                   struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *value = NULL;
    if (policy->fields[field].derivation)
        return vault_fail(err, VAULT_INVALID, "%s is derived: it has no value of its own to store",
                          policy_id(policy, POLICY_FIELD, field));
    const enum vault_code code = read_value(json, policy->fields[field].type, &value, err);
    if (code)
        vault_error_context(err, "%s", policy_id(policy, POLICY_FIELD, field));
    return code;
}

enum policy_reason value_of_field(const struct evaluation *evaluation, uint16_t field, json_t **out)
{
    const struct field *kind = &evaluation->policy->fields[field];
    if (kind->derivation)
        return value_derive(evaluation, kind->derivation, out);
    struct bytes text = {0};
    const struct policy_source *source = evaluation->source;
    const enum policy_reason reason = source->value(source->context, field, &text);
    if (reason != REASON_RELEASED)
        return reason;
    return read_value(text, kind->type, out, NULL) == VAULT_OK ? REASON_RELEASED : REASON_ERROR;
}

bool pseudonym_write(const struct evaluation *evaluation, const char *epoch, const json_t *value,
                     struct buf *out)
{
    const struct policy_source *source = evaluation->source;
    uint8_t raw[POLICY_PSEUDONYM_BYTES];
    char text[BASE32_CHARS(POLICY_PSEUDONYM_BYTES) + 1];
    VAULT_AUTO(buf_finish) struct buf stands_for = buf_limited(POLICY_VALUE_BYTES_MAX);
    if (value)
        json_write_value(&stands_for, value);
    const struct policy_pseudonym what = {
        .field = policy_id(evaluation->policy, POLICY_FIELD, evaluation->field),
        .epoch = bytes_of_text(epoch ? epoch : ""),
        .source = buf_view(&stands_for),
    };
    if (stands_for.problem || !source->pseudonym || !source->pseudonym(source->context, &what, raw))
        return false;
    base32_string(text, raw, sizeof raw);
    json_write_string(out, bytes_of_text(text));
    return true;
}

enum policy_reason policy_value_write(const struct policy *policy, uint16_t field, uint8_t form,
                                      int64_t now_s, const struct policy_source *source,
                                      struct buf *out)
{
    const struct evaluation evaluation = {
        .policy = policy, .source = source, .today = date_of_instant(now_s), .field = field};
    VAULT_AUTO(json_free) json_t *value = NULL;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(POLICY_VALUE_BYTES_MAX);
    const enum policy_reason reason = value_of_field(&evaluation, field, &value);
    if (reason != REASON_RELEASED)
        return reason;
    if (!form_write(&evaluation, &field_ladder(policy, field)->steps[form], value, &text) ||
        text.problem)
        return REASON_ERROR;
    buf_bytes(out, buf_view(&text));
    return REASON_RELEASED;
}
