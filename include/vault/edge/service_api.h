/*
 * service_api - what a registered local service may call (contract: listeners, service API).
 *
 *     POST   /v1/releases                    fields of one subject
 *     POST   /v1/releases/batch              of up to 100, each answered by itself
 *     POST   /v1/access-requests             ask a citizen for consent
 *     GET    /v1/access-requests/{id}        what became of it
 *     DELETE /v1/access-requests/{id}        take it back
 *     PUT    /v1/subjects/{subject}/fields   deposit values, where policy has a rule for it
 *     GET    /v1/consents                    what changed of its consents
 *     GET    /v1/me                          what it may know of itself
 *     POST   /v1/me/certificate              renew its certificate
 *     GET    /v1/openapi.json                all of this, for programs
 *     GET    /healthz, /readyz               liveness; readiness
 *
 * Who calls follows from the certificate's key, looked up on every request. Bodies are JSON, with
 * no member unknown and none twice; what is wrong is answered as a problem (RFC 9457) that says
 * where. The table of calls is edge/service_calls.c; recipes are in edge/service-api.md.
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

/* Its http_starter: a release of a citizen whose file is open goes on while the log's disk works,
 * and no thread waits for it. */
enum http_progress service_api_start(void *context, const struct http_request *request,
                                     struct http_answer *answer, struct http_rest *rest);

/* Answer /healthz and /readyz; every listener has them. */
void service_api_health(struct vault *vault, struct http_answer *answer);
void service_api_ready(struct vault *vault, const char *path, struct http_answer *answer);
