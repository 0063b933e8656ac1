/*
 * POST /access/v1/evaluation, POST /access/v1/evaluations, GET /.well-known/authzen-configuration:
 * the OpenID AuthZEN Authorization API 1.0 (Access Evaluation, Access Evaluations, Metadata, HTTPS
 * Binding) as a thin face over the decision of a release (evaluation.h).
 *
 *     {"subject":  {"type":"service","id":"plie-rennes"},
 *      "action":   {"name":"read","properties":{"purpose":"employment.support"}},
 *      "resource": {"type":"identity.birth_date","id":"…26…","properties":{"form":"year"}},
 *      "context":  {"assurance_at_least":"substantial"}}
 *
 * The subject is who wants access: the service that asks, and no other. The resource is one field
 * (its type) of one citizen (its id, as the service calls them). form and context may be left out.
 */
#include <stdlib.h>
#include <string.h>

#include "service_parts.h"
#include "vault/edge/problem.h"
#include "vault/vault/evaluation.h"
#include "vault/vault/quota.h"
#include "vault/vault/subject.h"

#define ID_CHARS_MAX         128
#define FORM_CHARS_MAX       64
#define HOST_CHARS_MAX       255
#define REQUEST_ID_CHARS_MAX 128
#define EVALUATIONS_MAX      100

/* --- What is asked -------------------------------------------------------------------------- */

struct question {
    struct release_request request;
    struct release_ask ask;
};

/* An object inside; members NULL: any. Where it is missing, the texts that it must have are. */
static bool inside(const struct body *outer, const char *member, const char *pointer,
                   const char *const members[], struct body *out)
{
    *out = *outer;
    out->root = json_object_get(outer->root, member);
    out->at = pointer;
    if (!out->root)
        return true;
    if (!json_is_object(out->root))
        return body_wrong(out, 400, "", "this must be an object");
    return !members || body_members(out, out->root, "", members);
}

/* A service asks for itself: what another could read is not its to know. */
static bool read_subject(const struct body *body, const struct service *service)
{
    static const char *const members[] = {"type", "id", "properties", NULL};
    struct body subject;
    struct body properties;
    struct bytes type;
    struct bytes id;
    if (!inside(body, "subject", "/subject", members, &subject) ||
        !body_text(&subject, "type", true, ID_CHARS_MAX, &type) ||
        !body_text(&subject, "id", true, ID_CHARS_MAX, &id) ||
        !inside(&subject, "properties", "/subject/properties", NULL, &properties))
        return false;
    return (bytes_equal(type, bytes_of_text("service")) &&
            bytes_equal(id, bytes_of_text(service->id))) ||
           body_wrong(&subject, 403, "", "the subject is the service that asks");
}

static bool read_action(const struct body *body, struct question *out)
{
    static const char *const members[] = {"name", "properties", NULL};
    static const char *const known[] = {"purpose", NULL};
    struct body action;
    struct body properties;
    struct bytes name;
    if (!inside(body, "action", "/action", members, &action) ||
        !body_text(&action, "name", true, ID_CHARS_MAX, &name) ||
        !inside(&action, "properties", "/action/properties", known, &properties) ||
        !body_text(&properties, "purpose", true, ID_CHARS_MAX, &out->request.purpose))
        return false;
    return bytes_equal(name, bytes_of_text("read")) ||
           body_wrong(&action, 422, "/name", "the only action is read");
}

static bool read_resource(const struct body *body, struct question *out)
{
    static const char *const members[] = {"type", "id", "properties", NULL};
    static const char *const known[] = {"form", NULL};
    struct body resource;
    struct body properties;
    return inside(body, "resource", "/resource", members, &resource) &&
           body_text(&resource, "type", true, ID_CHARS_MAX, &out->ask.field) &&
           body_text(&resource, "id", true, SUBJECT_CHARS, &out->request.subject) &&
           inside(&resource, "properties", "/resource/properties", known, &properties) &&
           body_text(&properties, "form", false, FORM_CHARS_MAX, &out->ask.form);
}

static bool read_question(struct body *body, const struct route_call *call,
                          const struct service *service, struct question *out)
{
    const json_t *context = json_object_get(body->root, "context");
    *out = (struct question){.request = {.client_spki = call->request->peer_spki,
                                         .asks = &out->ask,
                                         .ask_count = 1,
                                         .context = context}};
    if (!read_subject(body, service) || !read_action(body, out) || !read_resource(body, out))
        return false;
    return !context ||
           (json_is_object(context) && json_object_size(context) <= RELEASE_ATOMS_MAX) ||
           body_wrong(body, 400, "/context", "this must be an object of at most 32 conditions");
}

/* --- One ------------------------------------------------------------------------------------ */

/* One evaluation, from its reading to its answer, which is a problem unless it was entered. */
struct evaluation {
    struct http_answer *answer;
    struct ledger_ticket ticket;
    bool entered;
    bool allowed;
};

static void answer_wrong(const struct route_call *call, struct body *body, enum vault_code code,
                         enum release_fault fault, const struct vault_error *err)
{
    if (fault == RELEASE_SHUT)
        service_answer_shut(call, body->answer, "nothing is decided", err);
    else if (fault == RELEASE_UNKNOWN_PURPOSE)
        body_wrong(body, 422, "/action/properties/purpose", err->text);
    else if (fault == RELEASE_UNKNOWN_FIELD)
        body_wrong(body, 422, "/resource/type", err->text);
    else if (code == VAULT_INVALID)
        body_wrong(body, 400, "/resource/id", err->text);
    else
        service_answer_failure(call, body->answer, code, err);
}

static void enter(const struct route_call *call, struct body *body, const struct service *service,
                  struct evaluation *out)
{
    struct question question;
    enum release_fault fault;
    struct vault_error err;
    *out = (struct evaluation){.answer = body->answer};
    if (!read_question(body, call, service, &question))
        return;
    const enum vault_code code =
        evaluation_enter(service_api_of(call)->vault, service, &question.request, &out->allowed,
                         &out->ticket, &fault, &err);
    out->entered = code == VAULT_OK;
    if (code)
        answer_wrong(call, body, code, fault, &err);
}

/* Nothing is told of what the log does not have. */
static void complete(const struct route_call *call, struct evaluation *evaluation)
{
    struct vault_error err;
    if (!evaluation->entered)
        return;
    const enum vault_code code =
        evaluation_complete(service_api_of(call)->vault, &evaluation->ticket, &err);
    evaluation->entered = code == VAULT_OK;
    if (code)
        service_answer_failure(call, evaluation->answer, code, &err);
}

static void write_decision(const struct evaluation *evaluation, struct buf *out)
{
    buf_format(out, "{\"decision\":%s}", evaluation->allowed ? "true" : "false");
}

static void evaluate(const struct route_call *call, struct body *body,
                     const struct service *service)
{
    struct evaluation evaluation;
    enter(call, body, service, &evaluation);
    complete(call, &evaluation);
    if (!evaluation.entered)
        return;
    write_decision(&evaluation, &body->answer->body);
    body->answer->content_type = "application/json";
}

/* HTTPS Binding, Request Identification: whoever says an X-Request-ID gets it back. A problem, and
 * false, for one that is no plain text. */
static bool return_request_id(const struct route_call *call, struct http_answer *answer)
{
    const struct bytes id = http_request_header(call->request, "X-Request-ID");
    if (!id.data)
        return true;
    bool is_plain = id.size >= 1 && id.size <= REQUEST_ID_CHARS_MAX;
    for (size_t i = 0; i < id.size && is_plain; i++)
        is_plain = id.data[i] >= 0x20 && id.data[i] <= 0x7e;
    if (is_plain)
        http_answer_header(answer, "X-Request-ID", "%.*s", (int)id.size, (const char *)id.data);
    else
        problem_write(answer, 400, "X-Request-ID has 1 to 128 printable characters",
                      call->request->path);
    return is_plain;
}

void service_post_evaluation(const struct route_call *call, struct http_answer *answer)
{
    static const char *const members[] = {"subject", "action", "resource", "context", NULL};
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    VAULT_AUTO(body_finish) struct body body = {0};
    if (service_identify(call, answer, &hold) && return_request_id(call, answer) &&
        body_read(call, answer, members, &body))
        evaluate(call, &body, hold.service);
}

/* --- Many ----------------------------------------------------------------------------------- */

/* Evaluations semantics: what ends them early. */
enum semantic { EXECUTE_ALL, DENY_ON_FIRST_DENY, PERMIT_ON_FIRST_PERMIT, SEMANTIC_COUNT };

static const char *const semantics[SEMANTIC_COUNT] = {
    [EXECUTE_ALL] = "execute_all",
    [DENY_ON_FIRST_DENY] = "deny_on_first_deny",
    [PERMIT_ON_FIRST_PERMIT] = "permit_on_first_permit",
};

static bool read_semantic(const struct body *body, enum semantic *out)
{
    static const char *const members[] = {"evaluations_semantic", NULL};
    struct body options;
    struct bytes name;
    *out = EXECUTE_ALL;
    if (!inside(body, "options", "/options", members, &options) ||
        !body_text(&options, members[0], false, ID_CHARS_MAX, &name))
        return false;
    while (name.data && *out < SEMANTIC_COUNT && !bytes_equal(name, bytes_of_text(semantics[*out])))
        (*out)++;
    return *out < SEMANTIC_COUNT ||
           body_wrong(&options, 400, "/evaluations_semantic", "there is no such semantic");
}

/* Default values: a member that the evaluation does not have is the whole's. */
static json_t *with_defaults(const json_t *whole, const json_t *item)
{
    static const char *const members[] = {"subject", "action", "resource", "context"};
    VAULT_AUTO(json_free)
    json_t *merged = json_is_object(item) ? json_copy((json_t *)(uintptr_t)item) : NULL;
    for (size_t i = 0; merged && i < sizeof members / sizeof members[0]; i++) {
        json_t *value = json_object_get(whole, members[i]);
        if (value && !json_object_get(merged, members[i]) &&
            json_object_set(merged, members[i], value) != 0)
            return NULL;
    }
    return VAULT_TAKE(merged);
}

static void enter_item(const struct route_call *call, const struct body *whole, size_t i,
                       const struct service *service, struct evaluation *out)
{
    static const char *const members[] = {"subject", "action", "resource", "context", NULL};
    const json_t *item = json_array_get(json_object_get(whole->root, "evaluations"), i);
    struct http_answer *answer = out->answer;
    VAULT_AUTO(body_finish)
    struct body body = {
        .root = with_defaults(whole->root, item), .text = whole->text, .path = whole->path};
    body.answer = answer;
    if (!body.root)
        body_wrong(&body, 400, "", "every evaluation is an object");
    else if (body_members(&body, body.root, "", members))
        enter(call, &body, service, out);
}

static bool ends(enum semantic semantic, const struct evaluation *evaluation)
{
    const bool permitted = evaluation->entered && evaluation->allowed;
    return semantic == DENY_ON_FIRST_DENY ? !permitted
                                          : semantic == PERMIT_ON_FIRST_PERMIT && permitted;
}

/* Errors: what is wrong with one is told in its own answer, which is no. */
static void write_item(const struct evaluation *evaluation, struct buf *out)
{
    VAULT_AUTO(json_free) json_t *problem = NULL;
    if (evaluation->entered) {
        write_decision(evaluation, out);
        return;
    }
    const bool read =
        json_parse(buf_view(&evaluation->answer->body), BODY_DEPTH_MAX, &problem, NULL, NULL) == 0;
    const struct bytes detail = json_text(json_object_get(problem, "detail"));
    buf_format(out, "{\"decision\":false,\"context\":{\"error\":{\"status\":%u,\"message\":",
               evaluation->answer->status);
    json_write_string(out, read && detail.data ? detail : bytes_of_text("not decided"));
    buf_text(out, "}}}");
}

static void evaluate_each(const struct route_call *call, struct body *body,
                          const struct service *service, enum semantic semantic,
                          struct evaluation *evaluations, struct http_answer *answers, size_t count)
{
    struct buf *out = &body->answer->body;
    size_t done = 0;
    for (bool ended = false; done < count && !ended; done++) {
        answers[done] = http_answer_new();
        evaluations[done] = (struct evaluation){.answer = &answers[done]};
        enter_item(call, body, done, service, &evaluations[done]);
        ended = ends(semantic, &evaluations[done]);
    }
    for (size_t i = 0; i < done; i++)
        complete(call, &evaluations[i]);
    buf_text(out, "{\"evaluations\":[");
    for (size_t i = 0; i < done; i++) {
        buf_text(out, i ? "," : "");
        write_item(&evaluations[i], out);
        http_answer_finish(&answers[i]);
    }
    buf_text(out, "]}");
    body->answer->content_type = "application/json";
}

static void evaluate_all(const struct route_call *call, struct body *body,
                         const struct service *service)
{
    const json_t *list = json_object_get(body->root, "evaluations");
    const size_t count = json_array_size(list);
    enum semantic semantic;
    if (!read_semantic(body, &semantic))
        return;
    if ((list && !json_is_array(list)) || count > EVALUATIONS_MAX) {
        body_wrong(body, 400, "/evaluations", "this must be a list of at most 100 evaluations");
        return;
    }
    if (count == 0) {
        evaluate(call, body, service);
        return;
    }
    quota_owe(service_api_of(call)->vault, service, (int64_t)count - 1);
    struct evaluation *evaluations = calloc(count, sizeof *evaluations);
    struct http_answer *answers = calloc(count, sizeof *answers);
    if (evaluations && answers)
        evaluate_each(call, body, service, semantic, evaluations, answers, count);
    else
        problem_write(body->answer, 503, "the vault cannot do this now: try again later",
                      body->path);
    free(evaluations);
    free(answers);
}

void service_post_evaluations(const struct route_call *call, struct http_answer *answer)
{
    static const char *const members[] = {"subject", "action",      "resource", "context",
                                          "options", "evaluations", NULL};
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    VAULT_AUTO(body_finish) struct body body = {0};
    if (service_identify(call, answer, &hold) && return_request_id(call, answer) &&
        body_read(call, answer, members, &body))
        evaluate_all(call, &body, hold.service);
}

/* --- Where they are ------------------------------------------------------------------------- */

/* A host and a port as a URL has them (RFC 3986 section 3.2); nothing that would end it. */
static bool is_host(struct bytes host)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:[]";
    for (size_t i = 0; i < host.size; i++) {
        if (!host.data[i] || !strchr(plain, host.data[i]))
            return false;
    }
    return host.size >= 1 && host.size <= HOST_CHARS_MAX;
}

/* Metadata: the addresses must begin with the one that the service knows, which only it can say.
 */
void service_get_authzen(const struct route_call *call, struct http_answer *answer)
{
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    if (!service_identify(call, answer, &hold))
        return;
    const struct bytes host = http_request_header(call->request, "Host");
    if (!is_host(host)) {
        problem_write(answer, 400, "the Host header is no host", call->request->path);
        return;
    }
    const int size = (int)host.size;
    const char *name = (const char *)host.data;
    buf_format(&answer->body,
               "{\"policy_decision_point\":\"https://%.*s\","
               "\"access_evaluation_endpoint\":\"https://%.*s/access/v1/evaluation\","
               "\"access_evaluations_endpoint\":\"https://%.*s/access/v1/evaluations\"}",
               size, name, size, name, size, name);
    answer->content_type = "application/json";
}
