/*
 * auditor_api - the auditors' listener: the published log, and whether the vault is well.
 *
 *     GET /log/…              the log's public files (log_files.h)
 *     GET /healthz, /readyz
 *
 * Nothing here is more than the public sees; that it is behind a certificate gives auditors a way
 * to the log that does not depend on the citizens' listener.
 */
#pragma once

#include "vault/edge/http.h"
#include "vault/vault/vault.h"

struct auditor_api {
    struct vault *vault;
};

/* An http_handler; the context is a struct auditor_api. */
void auditor_api_handle(void *context, const struct http_request *request,
                        struct http_answer *answer);
