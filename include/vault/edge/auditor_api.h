/*
 * auditor_api - the auditors' listener: the published log, and looking through it.
 *
 *     GET /log/…                       the log's public files (log_files.h)
 *     GET /, /entries                  pages: the entries, newest first, by the filter in the
 * address GET /v1/entries                  the same for programs, as JSON GET /v1/entries/{index}
 * an entry's exact text GET /v1/entries/{index}/proof    that it is in the log: a C2SP tlog-proof
 *     GET /v1/export                   entries as CSV or JSON lines
 *     GET /figures, /v1/figures        how many there are, over time (log_figures.h)
 *     GET /state, /v1/state            how the log stands (log_state.h)
 *     /looks, /looks/new, /looks/check, /looks/{index}, /v1/looks, /v1/looks/{index}…
 *                                      openings, with a reason that the log commits to (look.h)
 *     GET /healthz, /readyz
 *
 * vault/edge/auditors.md is the manual. Who calls is known by the client certificate alone, looked
 * up on every request; there is no session and no cookie.
 */
#pragma once

#include "vault/edge/http.h"
#include "vault/vault/vault.h"

struct auditor_api {
    struct vault *vault;
};

/* An http_handler; the context is a struct auditor_api. pages_decorate() (pages.h) belongs on the
 * same listener. */
void auditor_api_handle(void *context, const struct http_request *request,
                        struct http_answer *answer);
