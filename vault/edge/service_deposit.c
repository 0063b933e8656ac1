/*
 * PUT /v1/subjects/{subject}/fields
 *
 *     {"fields":{"employment.status":{"value":"seeking","as_of":"2027-01-02"}},
 *      "purpose":"employment.support","context":{"assurance_at_least":"high"}}
 *
 * Only fields, and value in each, are required. as_of is a date or an instant, not in the future.
 */
#include <string.h>

#include "body.h"
#include "service_parts.h"
#include "vault/base/clock.h"
#include "vault/edge/problem.h"
#include "vault/vault/deposit.h"
#include "vault/vault/release.h"

#define PURPOSE_CHARS_MAX 128
#define POINTER_BYTES_MAX 256

/* Where a field's member stands. A field that the policy does not know is not repeated. */
static void wrong_at(struct body *body, unsigned status, const char *field, const char *member,
                     const char *detail)
{
    VAULT_AUTO(buf_finish) struct buf pointer = buf_limited(POINTER_BYTES_MAX);
    buf_text(&pointer, "/fields");
    if (field) {
        json_pointer_name(&pointer, field);
        buf_format(&pointer, "/%s", member);
    }
    const char *text = buf_string(&pointer);
    body_wrong(body, status, text ? text : "/fields", detail);
}

/* A member that is not known is shown by where it stands, and neither it nor the field, which may
 * not be one, is repeated. */
static bool unknown_member(struct body *body, const char *field, const char *member)
{
    VAULT_AUTO(buf_finish) struct buf place = buf_limited(POINTER_BYTES_MAX + body->text.size * 4);
    buf_text(&place, "/fields");
    json_pointer_name(&place, field);
    json_pointer_name(&place, member);
    const char *pointer = buf_string(&place);
    const struct json_position at = json_locate_name(body->text, pointer ? pointer : "/fields");
    problem_write_at(body->answer, 400, "a field has a member that is not known here", body->path,
                     "/fields", (int64_t)at.offset);
    return false;
}

static bool read_value(struct body *body, const char *name, const json_t *object,
                       struct deposit_value *out)
{
    static const char *const members[] = {"value", "as_of", NULL};
    const json_t *as_of = json_object_get(object, "as_of");
    *out = (struct deposit_value){.field = bytes_of_text(name),
                                  .value = json_object_get(object, "value")};
    if (!json_is_object(object) || !out->value)
        return body_wrong(body, 400, "/fields", "every field is an object with a value");
    const char *unknown = json_unknown_member(object, members);
    if (unknown)
        return unknown_member(body, name, unknown);
    if (!as_of || json_is_null(as_of))
        return true;
    out->has_as_of = true;
    if (instant_or_date_parse(json_text(as_of), &out->as_of_s, NULL))
        return body_wrong(body, 400, "/fields",
                          "as_of is a date YYYY-MM-DD or a time YYYY-MM-DDThh:mm:ssZ that exists");
    return true;
}

static bool read_values(struct body *body, struct deposit_value values[DEPOSIT_FIELDS_MAX],
                        size_t *count)
{
    json_t *fields = json_object_get(body->root, "fields");
    const char *name;
    json_t *value;
    *count = 0;
    if (!json_is_object(fields) || json_object_size(fields) == 0 ||
        json_object_size(fields) > DEPOSIT_FIELDS_MAX)
        return body_wrong(body, 400, "/fields", "this must be an object of 1 to 64 fields");
    json_object_foreach(fields, name, value)
    {
        if (!read_value(body, name, value, &values[(*count)++]))
            return false;
    }
    return true;
}

static bool read_deposit(struct body *body, struct deposit_request *out,
                         struct deposit_value values[DEPOSIT_FIELDS_MAX])
{
    out->values = values;
    out->context = json_object_get(body->root, "context");
    if (!body_text(body, "purpose", false, PURPOSE_CHARS_MAX, &out->purpose) ||
        !read_values(body, values, &out->value_count))
        return false;
    if (out->context &&
        (!json_is_object(out->context) || json_object_size(out->context) > RELEASE_ATOMS_MAX))
        return body_wrong(body, 400, "/context", "this must be an object of at most 32 conditions");
    return true;
}

static void answer_wrong(struct body *body, const struct deposit_request *request,
                         const struct deposit_wrong *wrong, const char *text)
{
    static const char *const members[] = {
        [DEPOSIT_BAD_VALUE] = "value", [DEPOSIT_BAD_TIME] = "as_of"};
    if (wrong->fault == DEPOSIT_UNKNOWN_PURPOSE)
        body_wrong(body, 422, "/purpose", text);
    else if (wrong->fault == DEPOSIT_UNKNOWN_FIELD)
        wrong_at(body, 422, NULL, NULL, text);
    else
        wrong_at(body, 422, (const char *)request->values[wrong->at].field.data,
                 members[wrong->fault], text);
}

static void deposit(const struct route_call *call, struct body *body, const struct service *service,
                    struct http_answer *answer)
{
    struct deposit_value values[DEPOSIT_FIELDS_MAX];
    struct deposit_request request = {.client_spki = call->request->peer_spki,
                                      .subject = bytes_of_text(call->id)};
    struct deposit_wrong wrong;
    struct vault_error err;
    if (!read_deposit(body, &request, values))
        return;
    const enum vault_code code = deposit_perform(service_api_of(call)->vault, service, &request,
                                                 &answer->body, &wrong, &err);
    if (code == VAULT_OK)
        answer->content_type = "application/json";
    else if (wrong.fault == DEPOSIT_SHUT)
        service_answer_shut(call, answer, "nothing is stored", &err);
    else if (wrong.fault)
        answer_wrong(body, &request, &wrong, err.text);
    else
        service_answer_failure(call, answer, code, &err);
}

void service_put_fields(const struct route_call *call, struct http_answer *answer)
{
    static const char *const members[] = {"fields", "purpose", "context", NULL};
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    VAULT_AUTO(body_finish) struct body body = {0};
    if (service_identify(call, answer, &hold) && body_read(call, answer, members, &body))
        deposit(call, &body, hold.service, answer);
}
