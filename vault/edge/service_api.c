#include "vault/edge/service_api.h"

#include <assert.h>
#include <stdio.h>

#include "service_calls.h"
#include "service_parts.h"
#include "vault/base/codec.h"
#include "vault/base/log.h"
#include "vault/edge/problem.h"
#include "vault/vault/quota.h"

#define SERVICE_CALLS_MAX 32

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
    if (code) {
        problem_write(answer, problem_status(code), err.text, request->path);
        return false;
    }
    int64_t wait_s = 0;
    const bool may = quota_take(service_api_of(call)->vault, out->service, &wait_s);
    if (!may)
        problem_write_later(answer, 429, wait_s, "this service's requests a minute are used up",
                            request->path);
    return may;
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
        log_event(LOG_ERROR, "request", "%s: %s: %s", call->pattern, vault_code_name(code),
                  err->text);
    problem_write(answer, problem_status(code), detail ? detail : err->text, call->request->path);
}

void service_answer_shut(const struct route_call *call, struct http_answer *answer,
                         const char *what, const struct vault_error *err)
{
    char detail[128];
    snprintf(detail, sizeof detail, "%s now: the access log is not confirmed from outside", what);
    log_event(LOG_ERROR, "request", "%s: %s", call->pattern, err->text);
    problem_write(answer, 503, detail, call->request->path);
}

bool service_query_number(const struct route_call *call, struct http_answer *answer,
                          const char *name, int64_t most, int64_t *out)
{
    char detail[128];
    uint64_t number = 0;
    const struct bytes text = http_request_query(call->request, name);
    if (!text.data)
        return true;
    if (digits_read(text, &number) && number <= (uint64_t)most) {
        *out = (int64_t)number;
        return true;
    }
    snprintf(detail, sizeof detail, "the query's %s must be a whole number from 0 to %lld", name,
             (long long)most);
    problem_write(answer, 400, detail, call->request->path);
    return false;
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

/* --- All ------------------------------------------------------------------------------------ */

void service_api_handle(void *context, const struct http_request *request,
                        struct http_answer *answer)
{
    struct route routes[SERVICE_CALLS_MAX];
    assert(service_call_count <= SERVICE_CALLS_MAX);
    for (size_t i = 0; i < service_call_count; i++)
        routes[i] = service_calls[i].route;
    route_dispatch(routes, service_call_count, context, request, answer);
}

enum http_progress service_api_start(void *context, const struct http_request *request,
                                     struct http_answer *answer, struct http_rest *rest)
{
    for (size_t i = 0; i < service_call_count; i++) {
        const struct service_call *known = &service_calls[i];
        if (!known->start || !route_exists(&known->route, 1, request->method, request->path))
            continue;
        const struct route_call call = {
            .context = context, .request = request, .pattern = known->route.pattern};
        return known->start(&call, answer, rest);
    }
    return HTTP_WOULD_WAIT;
}
