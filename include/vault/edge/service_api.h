/*
 * service_api - what a registered local service may call (contract: listeners, service API).
 *
 *     POST /v1/releases                fields of one subject
 *     POST /v1/access-requests         ask a citizen for consent
 *     GET  /v1/access-requests/{id}    what became of it
 *     PUT  /v1/subjects/{subject}/fields   deposit values, where policy has a rule for it
 *     GET  /healthz, /readyz           liveness; readiness
 *
 * Who calls follows from the certificate's key, looked up on every request. Bodies are JSON, with
 * no member unknown and none twice; what is wrong is answered as a problem (RFC 9457) that says
 * where.
 */
#pragma once

#include "vault/edge/http.h"
#include "vault/vault/vault.h"

struct service_api {
    struct vault *vault;
    const char *link_base; /* what links for citizens begin with: "https://localhost:8444" */
};

/* An http_handler; the context is a struct service_api. */
void service_api_handle(void *context, const struct http_request *request,
                        struct http_answer *answer);

/* Answer /healthz and /readyz; every listener has them. */
void service_api_health(struct vault *vault, struct http_answer *answer);
void service_api_ready(struct vault *vault, const char *path, struct http_answer *answer);
