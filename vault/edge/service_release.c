/*
 * POST /v1/releases and POST /v1/releases/batch
 *
 * A batch is so many single requests: each is checked, decided, entered and answered by itself, in
 * their order. All entries go into the log's queue first and are then waited for together.
 */
#include <stdlib.h>

#include "body.h"
#include "service_parts.h"
#include "vault/edge/problem.h"
#include "vault/vault/quota.h"
#include "vault/vault/release.h"
#include "vault/vault/subject.h"

#define ID_CHARS_MAX     128
#define BATCH_MAX        100
#define BATCH_ROOM_BYTES (4U * 1024 * 1024) /* of answers, without their proofs */
#define POINTER_BYTES    32

static const char *const release_members[] = {"subject", "purpose",   "fields",
                                              "context", "reference", NULL};

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

/* What came of entering or completing one request, if it did not succeed. */
static void answer_wrong(const struct route_call *call, struct body *body, enum vault_code code,
                         enum release_fault fault, const struct vault_error *err)
{
    if (fault == RELEASE_SHUT)
        service_answer_shut(call, body->answer, "nothing is released", err);
    else if (fault)
        answer_release_fault(body, fault, err->text);
    else if (code == VAULT_INVALID)
        body_wrong(body, 400, "/subject", err->text);
    else
        service_answer_failure(call, body->answer, code, err);
}

static struct release_request request_of(const struct route_call *call)
{
    const struct bytes proof = http_request_query(call->request, "proof");
    return (struct release_request){.client_spki = call->request->peer_spki,
                                    .wants_proof = bytes_equal(proof, bytes_of_text("1"))};
}

/* --- One ------------------------------------------------------------------------------------ */

static void release(const struct route_call *call, struct body *body, const struct service *service)
{
    struct release_ask asks[RELEASE_FIELDS_MAX];
    struct release_request request = request_of(call);
    struct repeat_key key;
    enum release_fault fault;
    struct vault_error err;
    if (!read_release(body, &request, asks) ||
        !service_repeat_key(call, body, &key, &request.repeat))
        return;
    const enum vault_code code = release_perform(service_api_of(call)->vault, service, &request,
                                                 &body->answer->body, &fault, &err);
    if (code == VAULT_OK)
        body->answer->content_type = "application/json";
    else
        answer_wrong(call, body, code, fault, &err);
}

void service_post_release(const struct route_call *call, struct http_answer *answer)
{
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    VAULT_AUTO(body_finish) struct body body = {0};
    if (service_identify(call, answer, &hold) && body_read(call, answer, release_members, &body))
        release(call, &body, hold.service);
}

/* --- One, without waiting --------------------------------------------------------------------- */

/* What is entered, while the log's disk works. */
struct entered {
    struct route_call call;
    struct ledger_ticket ticket;
};

static bool entered_is_whole(struct http_rest *rest, struct http_answer *answer)
{
    const struct entered *entered = rest->context;
    struct vault_error err;
    bool is_done;
    const enum vault_code code = release_try_complete(
        service_api_of(&entered->call)->vault, &entered->ticket, &answer->body, &is_done, &err);
    if (code)
        service_answer_failure(&entered->call, answer, code, &err);
    else if (is_done)
        answer->content_type = "application/json";
    return code || is_done;
}

static enum http_progress enter_at_once(const struct route_call *call, struct body *body,
                                        const struct service *service, struct http_rest *rest)
{
    struct release_ask asks[RELEASE_FIELDS_MAX];
    struct release_request request = request_of(call);
    struct vault *vault = service_api_of(call)->vault;
    enum release_fault fault = RELEASE_WOULD_WAIT;
    enum vault_code code = VAULT_NO_MEMORY;
    struct vault_error err;
    request.at_once = true;
    if (!read_release(body, &request, asks))
        return HTTP_ANSWERED;
    struct entered *entered = malloc(sizeof *entered);
    if (entered)
        code = release_enter(vault, service, &request, &body->answer->body, &entered->ticket,
                             &fault, &err);
    if (code == VAULT_OK) {
        entered->call = *call;
        *rest = (struct http_rest){.is_whole = entered_is_whole, .context = entered};
        return HTTP_AWAITS;
    }
    free(entered);
    if (fault == RELEASE_WOULD_WAIT) {
        quota_return(vault, service);
        return HTTP_WOULD_WAIT;
    }
    answer_wrong(call, body, code, fault, &err);
    return HTTP_ANSWERED;
}

enum http_progress service_start_release(const struct route_call *call, struct http_answer *answer,
                                         struct http_rest *rest)
{
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    VAULT_AUTO(body_finish) struct body body = {0};
    if (service_has_repeat_key(call) || request_of(call).wants_proof ||
        !service_registry_is_fresh(service_api_of(call)->vault))
        return HTTP_WOULD_WAIT;
    if (!service_identify(call, answer, &hold) || !body_read(call, answer, release_members, &body))
        return HTTP_ANSWERED;
    return enter_at_once(call, &body, hold.service, rest);
}

/* --- Many ----------------------------------------------------------------------------------- */

/* One request of a batch, from its reading to its answer. */
struct item {
    char pointer[POINTER_BYTES]; /* where it stands in the body */
    struct release_ask asks[RELEASE_FIELDS_MAX];
    struct release_request request;
    struct http_answer answer;
    struct ledger_ticket ticket;
    bool entered;
};

struct batch {
    const struct route_call *call;
    const struct service *service;
    struct body *body; /* the whole */
    struct item *items;
    size_t count;
    size_t used_bytes;
};

static struct body body_of(const struct batch *batch, struct item *item, json_t *root)
{
    return (struct body){.root = root,
                         .text = batch->body->text,
                         .path = batch->body->path,
                         .at = item->pointer,
                         .answer = &item->answer};
}

static void enter_item(struct batch *batch, size_t i, json_t *root)
{
    struct item *item = &batch->items[i];
    struct vault *vault = service_api_of(batch->call)->vault;
    enum release_fault fault;
    struct vault_error err;
    snprintf(item->pointer, sizeof item->pointer, "/requests/%zu", i);
    item->answer = http_answer_new();
    item->request = request_of(batch->call);
    struct body body = body_of(batch, item, root);
    if (!json_is_object(root)) {
        body_wrong(&body, 400, "", "every request is an object");
        return;
    }
    if (!body_members(&body, root, "", release_members) ||
        !read_release(&body, &item->request, item->asks))
        return;
    if (batch->used_bytes + RELEASE_ANSWER_BYTES > BATCH_ROOM_BYTES) {
        body_wrong(&body, 413, "", "the answers before fill the batch: ask for this one again");
        return;
    }
    const enum vault_code code = release_enter(vault, batch->service, &item->request,
                                               &item->answer.body, &item->ticket, &fault, &err);
    item->entered = code == VAULT_OK;
    batch->used_bytes += item->answer.body.size;
    if (code)
        answer_wrong(batch->call, &body, code, fault, &err);
}

/* The first wait is for all: what was queued meanwhile became durable with it. */
static void complete_item(const struct batch *batch, struct item *item)
{
    struct vault_error err;
    if (!item->entered)
        return;
    const enum vault_code code =
        release_complete(service_api_of(batch->call)->vault, &item->request, &item->ticket,
                         &item->answer.body, &err);
    if (code)
        service_answer_failure(batch->call, &item->answer, code, &err);
}

static void write_item(const struct item *item, struct buf *out)
{
    buf_format(out, "{\"status\":%u,\"%s\":", item->answer.status,
               item->answer.status == 200 ? "answer" : "problem");
    buf_join(out, &item->answer.body); /* a line end behind it is white space in JSON */
    buf_byte(out, '}');
}

static void answer_batch(struct batch *batch, const json_t *requests)
{
    struct buf *out = &batch->body->answer->body;
    for (size_t i = 0; i < batch->count; i++)
        enter_item(batch, i, json_array_get(requests, i));
    for (size_t i = 0; i < batch->count; i++)
        complete_item(batch, &batch->items[i]);
    buf_text(out, "{\"answers\":[");
    for (size_t i = 0; i < batch->count; i++) {
        buf_text(out, i ? "," : "");
        write_item(&batch->items[i], out);
        http_answer_finish(&batch->items[i].answer);
    }
    buf_text(out, "]}");
    batch->body->answer->content_type = "application/json";
}

static void release_all(const struct route_call *call, struct body *body,
                        const struct service *service)
{
    const json_t *requests = json_object_get(body->root, "requests");
    struct batch batch = {
        .call = call, .service = service, .body = body, .count = json_array_size(requests)};
    if (!json_is_array(requests) || batch.count < 1 || batch.count > BATCH_MAX) {
        body_wrong(body, 400, "/requests", "this must be a list of 1 to 100 requests");
        return;
    }
    quota_owe(service_api_of(call)->vault, service, (int64_t)batch.count - 1);
    batch.items = calloc(batch.count, sizeof *batch.items);
    if (batch.items)
        answer_batch(&batch, requests);
    else
        problem_write(body->answer, 503, "the vault cannot do this now: try again later",
                      body->path);
    free(batch.items);
}

/* Its answers are each a release of their own, of which some may have failed: one key for all would
 * not say which of them to repeat. */
void service_post_batch(const struct route_call *call, struct http_answer *answer)
{
    static const char *const members[] = {"requests", NULL};
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    VAULT_AUTO(body_finish) struct body body = {0};
    if (service_identify(call, answer, &hold) && !service_refuse_repeat_key(call, answer) &&
        body_read(call, answer, members, &body))
        release_all(call, &body, hold.service);
}
