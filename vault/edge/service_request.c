/*
 * POST /v1/access-requests, GET and DELETE /v1/access-requests/{id}
 */
#include <string.h>

#include "body.h"
#include "service_parts.h"
#include "vault/edge/problem.h"
#include "vault/edge/qr.h"
#include "vault/vault/access_request.h"

#define ID_CHARS_MAX 128
#define USES_MAX     10000
#define LINK_CHARS   512

static bool read_asked_fields(struct body *body, struct access_ask *ask)
{
    json_t *fields = json_object_get(body->root, "fields");
    const char *name;
    json_t *form;
    if (!json_is_object(fields) || json_object_size(fields) == 0 ||
        json_object_size(fields) > CONSENT_FIELDS_MAX)
        return body_wrong(body, 400, "/fields", "this must be an object of 1 to 64 fields");
    json_object_foreach(fields, name, form)
    {
        struct consent_field *field = &ask->fields[ask->field_count++];
        const struct bytes text = json_text(form);
        if (!json_is_null(form) && !text.data)
            return body_wrong(body, 400, "/fields", "every field has a form or null");
        if (strlen(name) > CONSENT_NAME_CHARS || text.size > CONSENT_FORM_CHARS)
            return body_wrong(body, 422, "/fields", "a field is not one that the policy knows");
        memcpy(field->name, name, strlen(name) + 1);
        if (text.size)
            memcpy(field->form, text.data, text.size);
    }
    return true;
}

/* What a service writes is shown on the consent page: no control characters, and none that turn the
 * direction of text around (Unicode 15, section 23.2: U+202A to U+202E, U+2066 to U+2069). */
static bool is_plain(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t *c = text.data + i;
        if ((*c < 0x20 && *c != '\n') || *c == 0x7f)
            return false;
        if (i + 2 < text.size && c[0] == 0xe2 &&
            ((c[1] == 0x80 && c[2] >= 0xaa && c[2] <= 0xae) ||
             (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9)))
            return false;
    }
    return true;
}

static bool read_message(struct body *body, struct access_ask *ask)
{
    static const char *const members[] = {"fr", "en", NULL};
    const json_t *message = json_object_get(body->root, "message");
    if (!message || json_is_null(message))
        return true;
    const json_t *fr = json_object_get(message, "fr");
    const json_t *en = json_object_get(message, "en");
    if (!json_is_object(message) || (fr && !json_is_string(fr)) || (en && !json_is_string(en)))
        return body_wrong(body, 400, "/message", "this must be an object of texts, fr and en");
    ask->message_fr = json_text(fr);
    ask->message_en = json_text(en);
    if (ask->message_fr.size > ACCESS_REQUEST_MESSAGE_CHARS ||
        ask->message_en.size > ACCESS_REQUEST_MESSAGE_CHARS)
        return body_wrong(body, 400, "/message", "a message has at most 1000 bytes");
    if (!is_plain(ask->message_fr) || !is_plain(ask->message_en))
        return body_wrong(body, 400, "/message", "a message is plain text");
    return body_members(body, message, "/message", members);
}

static bool read_access_ask(struct body *body, struct access_ask *ask)
{
    ask->uses = CONSENT_UNLIMITED;
    return body_text(body, "purpose", true, ID_CHARS_MAX, &ask->purpose) &&
           read_asked_fields(body, ask) && body_number(body, "period_days", 1, 36600, &ask->days) &&
           body_number(body, "uses", 1, USES_MAX, &ask->uses) && read_message(body, ask) &&
           body_text(body, "reference", false, ACCESS_REQUEST_REFERENCE_CHARS, &ask->reference);
}

/* The link for a telephone. Should there be no memory for it, the link itself is there all the
 * same. */
static void write_square(const char *link, struct buf *out)
{
    struct vault_error err;
    VAULT_AUTO(buf_finish) struct buf svg = buf_limited(QR_SVG_BYTES_MAX);
    if (qr_write_svg(bytes_of_text(link), &svg, &err))
        return;
    buf_text(out, ",\"qr\":");
    json_write_string(out, buf_view(&svg));
}

static void write_receipt(const struct route_call *call, const struct access_receipt *receipt,
                          struct http_answer *answer)
{
    char expires[INSTANT_CHARS + 1];
    char link[LINK_CHARS];
    instant_format(expires, receipt->expires_s);
    snprintf(link, sizeof link, "%s/r/%s", service_api_of(call)->link_base, receipt->code);
    answer->status = 201;
    answer->content_type = "application/json";
    buf_format(&answer->body,
               "{\"id\":\"%s\",\"state\":\"pending\",\"code\":\"%s\",\"link\":\"%s\","
               "\"expires\":\"%s\"",
               receipt->id, receipt->code, link, expires);
    if (bytes_equal(http_request_query(call->request, "qr"), bytes_of_text("1")))
        write_square(link, &answer->body);
    buf_byte(&answer->body, '}');
    http_answer_header(answer, "Location", "/v1/access-requests/%s", receipt->id);
}

static void open_request(const struct route_call *call, struct body *body,
                         const struct service *service, struct http_answer *answer)
{
    static const char *const pointers[] = {
        [ACCESS_UNKNOWN_PURPOSE] = "/purpose",
        [ACCESS_UNKNOWN_FIELD] = "/fields",
        [ACCESS_NEVER_RELEASED] = "/fields",
        [ACCESS_BAD_PERIOD] = "/period_days",
    };
    struct access_ask ask = {0};
    struct access_receipt receipt;
    enum access_fault fault;
    struct vault_error err;
    struct vault *vault = service_api_of(call)->vault;
    struct repeat_key key;
    const struct repeat_key *repeat;
    if (!read_access_ask(body, &ask) || !service_repeat_key(call, body, &key, &repeat))
        return;
    const enum vault_code code =
        repeat ? access_request_open_once(vault, service, &ask, repeat, &receipt, &fault, &err)
               : access_request_open(vault, service, &ask, &receipt, &fault, &err);
    if (code == VAULT_OK)
        write_receipt(call, &receipt, answer);
    else if (fault)
        body_wrong(body, 422, pointers[fault], err.text);
    else
        service_answer_failure(call, answer, code, &err);
}

void service_post_access_request(const struct route_call *call, struct http_answer *answer)
{
    static const char *const members[] = {"purpose", "fields",    "period_days", "uses",
                                          "message", "reference", NULL};
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    VAULT_AUTO(body_finish) struct body body = {0};
    if (service_identify(call, answer, &hold) && body_read(call, answer, members, &body))
        open_request(call, &body, hold.service, answer);
}

/* --- GET /v1/access-requests/{id} ----------------------------------------------------------- */

void service_get_access_request(const struct route_call *call, struct http_answer *answer)
{
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    struct vault_error err;
    int64_t wait_s = 0;
    if (!service_identify(call, answer, &hold) ||
        !service_query_number(call, answer, "wait", SERVICE_WAIT_MAX_S, &wait_s))
        return;
    const enum vault_code code = access_request_state(service_api_of(call)->vault, hold.service,
                                                      call->id, wait_s * 1000, &answer->body, &err);
    if (code == VAULT_OK)
        answer->content_type = "application/json";
    else
        service_answer_failure(call, answer, code == VAULT_INVALID ? VAULT_NOT_FOUND : code, &err);
}

/* --- DELETE /v1/access-requests/{id} -------------------------------------------------------- */

void service_delete_access_request(const struct route_call *call, struct http_answer *answer)
{
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    struct vault_error err;
    if (!service_identify(call, answer, &hold))
        return;
    const enum vault_code code =
        access_request_cancel(service_api_of(call)->vault, hold.service, call->id, &err);
    if (code == VAULT_OK)
        answer->status = 204;
    else
        service_answer_failure(call, answer, code, &err);
}
