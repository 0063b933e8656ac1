/*
 * POST /v1/me/certificate
 */
#include "service_parts.h"
#include "vault/base/clock.h"
#include "vault/edge/problem.h"
#include "vault/vault/renewal.h"

#define REQUEST_CHARS_MAX 16384 /* RSA of 16384 bits, in PEM */

static void write_certificate(struct buf *certificate, int64_t expires_s,
                              struct http_answer *answer)
{
    char expires[INSTANT_CHARS + 1];
    instant_format(expires, expires_s);
    answer->status = 201;
    answer->content_type = "application/json";
    buf_text(&answer->body, "{\"certificate\":");
    json_write_string(&answer->body, buf_view(certificate));
    buf_format(&answer->body, ",\"expires\":\"%s\"}", expires);
}

static void renew(const struct route_call *call, struct body *body, const struct service *service,
                  struct http_answer *answer)
{
    struct bytes request;
    int64_t expires_s = 0;
    int64_t wait_s = 0;
    struct vault_error err;
    VAULT_AUTO(buf_finish) struct buf certificate = buf_limited(HTTP_BODY_BYTES_MAX);
    if (!body_text(body, "csr", true, REQUEST_CHARS_MAX, &request))
        return;
    const enum vault_code code = renewal_sign(service_api_of(call)->vault, service, request,
                                              &certificate, &expires_s, &wait_s, &err);
    if (code == VAULT_OK)
        write_certificate(&certificate, expires_s, answer);
    else if (code == VAULT_INVALID)
        body_wrong(body, 400, "/csr", "this is no certificate request, or its key is not taken");
    else if (code == VAULT_LIMITED && wait_s)
        problem_write_later(answer, 429, wait_s, err.text, call->request->path);
    else
        service_answer_failure(call, answer, code, &err);
}

void service_post_certificate(const struct route_call *call, struct http_answer *answer)
{
    static const char *const members[] = {"csr", NULL};
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    VAULT_AUTO(body_finish) struct body body = {0};
    if (service_identify(call, answer, &hold) && body_read(call, answer, members, &body))
        renew(call, &body, hold.service, answer);
}
