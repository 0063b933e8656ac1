#include "vault/edge/service_api.h"

#include <stdio.h>
#include <string.h>

#include "body.h"
#include "service_parts.h"
#include "vault/base/log.h"
#include "vault/edge/problem.h"
#include "vault/vault/access_request.h"
#include "vault/vault/release.h"
#include "vault/vault/subject.h"

#define ID_CHARS_MAX 128
#define USES_MAX     10000

/* --- What every call does ------------------------------------------------------------------- */

struct service_api *service_api_of(const struct route_call *call)
{
    return call->context;
}

bool service_identify(const struct route_call *call, struct http_answer *answer,
                      struct service_hold *out)
{
    const struct http_request *request = call->request;
    struct vault_error err;
    if (!request->has_peer) {
        problem_write(answer, 401, "a client certificate is needed", request->path);
        return false;
    }
    const enum vault_code code =
        service_by_key(service_api_of(call)->vault, request->peer_spki, out, &err);
    if (code)
        problem_write(answer, problem_status(code), err.text, request->path);
    return code == VAULT_OK;
}

void service_answer_failure(const struct route_call *call, struct http_answer *answer,
                            enum vault_code code, const struct vault_error *err)
{
    static const char *const details[VAULT_CODE_COUNT] = {
        [VAULT_LIMITED] = "too much at once: try again later",
        [VAULT_UNAVAILABLE] = "the vault cannot do this now: try again later",
        [VAULT_CORRUPT] = "stored data are damaged; the operator has been told",
        [VAULT_NO_MEMORY] = "the vault cannot do this now: try again later",
        [VAULT_IO] = "the vault cannot do this now: try again later",
    };
    const char *detail = details[code];
    if (detail)
        log_event(LOG_ERROR, "request", "%s: %s: %s", call->request->path, vault_code_name(code),
                  err->text);
    problem_write(answer, problem_status(code), detail ? detail : err->text, call->request->path);
}

/* --- POST /v1/releases ---------------------------------------------------------------------- */

static bool read_field_list(struct body *body, const json_t *list, struct release_ask asks[],
                            size_t *count)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const struct bytes name = json_text(json_array_get(list, i));
        if (!name.data)
            return body_wrong(body, 400, "/fields", "every field is a string");
        for (size_t j = 0; j < i; j++) {
            if (bytes_equal(asks[j].field, name))
                return body_wrong(body, 400, "/fields", "a field is named twice");
        }
        asks[i] = (struct release_ask){.field = name};
    }
    *count = json_array_size(list);
    return true;
}

static bool read_field_object(struct body *body, json_t *object, struct release_ask asks[],
                              size_t *count)
{
    const char *name;
    json_t *form;
    *count = 0;
    json_object_foreach(object, name, form)
    {
        if (!json_is_string(form) && !json_is_null(form))
            return body_wrong(body, 400, "/fields", "every field has a form or null");
        asks[(*count)++] = (struct release_ask){bytes_of_text(name), json_text(form)};
    }
    return true;
}

static bool read_fields(struct body *body, struct release_ask asks[RELEASE_FIELDS_MAX],
                        size_t *count)
{
    json_t *fields = json_object_get(body->root, "fields");
    const size_t size = json_is_array(fields) ? json_array_size(fields) : json_object_size(fields);
    if (!json_is_array(fields) && !json_is_object(fields))
        return body_wrong(body, 400, "/fields", "this must be an object or a list of fields");
    if (size == 0 || size > RELEASE_FIELDS_MAX)
        return body_wrong(body, 400, "/fields", "there must be 1 to 64 fields");
    return json_is_array(fields) ? read_field_list(body, fields, asks, count)
                                 : read_field_object(body, fields, asks, count);
}

static bool read_release(struct body *body, struct release_request *out, struct release_ask asks[])
{
    struct bytes reference;
    const json_t *context = json_object_get(body->root, "context");
    if (!body_text(body, "subject", true, SUBJECT_CHARS, &out->subject) ||
        !body_text(body, "purpose", true, ID_CHARS_MAX, &out->purpose) ||
        !body_text(body, "reference", false, RELEASE_REFERENCE_CHARS, &reference) ||
        !read_fields(body, asks, &out->ask_count))
        return false;
    if (context && (!json_is_object(context) || json_object_size(context) > RELEASE_ATOMS_MAX))
        return body_wrong(body, 400, "/context", "this must be an object of at most 32 conditions");
    out->context = context;
    out->asks = asks;
    return true;
}

static void answer_release_fault(struct body *body, enum release_fault fault, const char *text)
{
    body_wrong(body, 422, fault == RELEASE_UNKNOWN_PURPOSE ? "/purpose" : "/fields", text);
}

void service_answer_shut(const struct route_call *call, struct http_answer *answer,
                         const char *what, const struct vault_error *err)
{
    char detail[128];
    snprintf(detail, sizeof detail, "%s now: the access log is not confirmed from outside", what);
    log_event(LOG_ERROR, "request", "%s: %s", call->request->path, err->text);
    problem_write(answer, 503, detail, call->request->path);
}

static void release(const struct route_call *call, struct body *body, const struct service *service,
                    struct http_answer *answer)
{
    struct release_ask asks[RELEASE_FIELDS_MAX];
    const struct bytes proof = http_request_query(call->request, "proof");
    struct release_request request = {.client_spki = call->request->peer_spki,
                                      .wants_proof = bytes_equal(proof, bytes_of_text("1"))};
    enum release_fault fault;
    struct vault_error err;
    if (!read_release(body, &request, asks))
        return;
    const enum vault_code code = release_perform(service_api_of(call)->vault, service, &request,
                                                 &answer->body, &fault, &err);
    if (code == VAULT_OK) {
        answer->content_type = "application/json";
        return;
    }
    if (fault == RELEASE_SHUT)
        service_answer_shut(call, answer, "nothing is released", &err);
    else if (fault)
        answer_release_fault(body, fault, err.text);
    else if (code == VAULT_INVALID)
        body_wrong(body, 400, "/subject", err.text);
    else
        service_answer_failure(call, answer, code, &err);
}

/* A retry that is answered as if it were a new request is worse than one that is refused. */
static bool refuse_idempotency(const struct route_call *call, struct http_answer *answer)
{
    if (!http_request_header(call->request, "Idempotency-Key").data)
        return false;
    problem_write(answer, 400, "Idempotency-Key is not understood here: send without it",
                  call->request->path);
    return true;
}

static void post_release(const struct route_call *call, struct http_answer *answer)
{
    static const char *const members[] = {"subject", "purpose",   "fields",
                                          "context", "reference", NULL};
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    VAULT_AUTO(body_finish) struct body body = {0};
    if (service_identify(call, answer, &hold) && !refuse_idempotency(call, answer) &&
        body_read(call, answer, members, &body))
        release(call, &body, hold.service, answer);
}

/* --- POST /v1/access-requests --------------------------------------------------------------- */

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

static void write_receipt(const struct route_call *call, const struct access_receipt *receipt,
                          struct http_answer *answer)
{
    char expires[INSTANT_CHARS + 1];
    instant_format(expires, receipt->expires_s);
    answer->status = 201;
    answer->content_type = "application/json";
    buf_format(&answer->body,
               "{\"id\":\"%s\",\"state\":\"pending\",\"code\":\"%s\",\"link\":\"%s/r/%s\","
               "\"expires\":\"%s\"}",
               receipt->id, receipt->code, service_api_of(call)->link_base, receipt->code, expires);
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
    if (!read_access_ask(body, &ask))
        return;
    const enum vault_code code =
        access_request_open(service_api_of(call)->vault, service, &ask, &receipt, &fault, &err);
    if (code == VAULT_OK)
        write_receipt(call, &receipt, answer);
    else if (fault)
        body_wrong(body, 422, pointers[fault], err.text);
    else
        service_answer_failure(call, answer, code, &err);
}

static void post_access_request(const struct route_call *call, struct http_answer *answer)
{
    static const char *const members[] = {"purpose", "fields",    "period_days", "uses",
                                          "message", "reference", NULL};
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    VAULT_AUTO(body_finish) struct body body = {0};
    if (service_identify(call, answer, &hold) && body_read(call, answer, members, &body))
        open_request(call, &body, hold.service, answer);
}

/* --- GET /v1/access-requests/{id} ----------------------------------------------------------- */

static void get_access_request(const struct route_call *call, struct http_answer *answer)
{
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    struct vault_error err;
    if (!service_identify(call, answer, &hold))
        return;
    const enum vault_code code = access_request_state(service_api_of(call)->vault, hold.service,
                                                      call->id, &answer->body, &err);
    if (code == VAULT_OK)
        answer->content_type = "application/json";
    else
        service_answer_failure(call, answer, code == VAULT_INVALID ? VAULT_NOT_FOUND : code, &err);
}

/* --- Health --------------------------------------------------------------------------------- */

void service_api_health(struct vault *vault, struct http_answer *answer)
{
    (void)vault; /* alive is what answers at all */
    answer->content_type = "text/plain; charset=utf-8";
    buf_text(&answer->body, "ok\n");
}

void service_api_ready(struct vault *vault, const char *path, struct http_answer *answer)
{
    struct vault_error err;
    if (vault_ready(vault, &err)) {
        problem_write(answer, 503, "the vault is not ready", path);
        return;
    }
    answer->content_type = "text/plain; charset=utf-8";
    buf_text(&answer->body, "ready\n");
}

static void get_health(const struct route_call *call, struct http_answer *answer)
{
    service_api_health(service_api_of(call)->vault, answer);
}

static void get_ready(const struct route_call *call, struct http_answer *answer)
{
    service_api_ready(service_api_of(call)->vault, call->request->path, answer);
}

static const struct route routes[] = {
    {HTTP_POST, "/v1/releases", post_release},
    {HTTP_POST, "/v1/access-requests", post_access_request},
    {HTTP_GET, "/v1/access-requests/{id}", get_access_request},
    {HTTP_PUT, "/v1/subjects/{id}/fields", service_put_fields},
    {HTTP_GET, "/healthz", get_health},
    {HTTP_GET, "/readyz", get_ready},
};

void service_api_handle(void *context, const struct http_request *request,
                        struct http_answer *answer)
{
    route_dispatch(routes, sizeof routes / sizeof routes[0], context, request, answer);
}
