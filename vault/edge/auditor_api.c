#include "vault/edge/auditor_api.h"

#include <string.h>

#include "auditor_parts.h"
#include "log_files.h"
#include "pages_parts.h"
#include "vault/edge/problem.h"
#include "vault/edge/route.h"
#include "vault/edge/service_api.h"
#include "vault/vault/service.h"

static void send_health(struct auditor_visit *visitor, const char *id)
{
    (void)id;
    service_api_health(visitor->vault, visitor->visit.answer);
}

static void send_ready(struct auditor_visit *visitor, const char *id)
{
    (void)id;
    service_api_ready(visitor->vault, visitor->visit.request->path, visitor->visit.answer);
}

static void send_style(struct auditor_visit *visitor, const char *id)
{
    style_send(&visitor->visit, id);
}

static void send_icon(struct auditor_visit *visitor, const char *id)
{
    icon_send(&visitor->visit, id);
}

/* The first page is where auditors begin: the newest entries. */
static void show_first(struct auditor_visit *visitor, const char *id)
{
    auditor_entries_show(visitor, id);
}

/* Every address of the auditors' listener but the log's files: method, path, what answers. */
/* clang-format off */
#define ROUTES(route)                                                    \
    route(HTTP_GET,  "/",                      show_first)               \
    route(HTTP_GET,  "/entries",               auditor_entries_show)     \
    route(HTTP_GET,  "/v1/entries",            auditor_entries_send)     \
    route(HTTP_GET,  "/v1/entries/{id}",       auditor_entry_send)       \
    route(HTTP_GET,  "/v1/entries/{id}/proof", auditor_proof_send)       \
    route(HTTP_GET,  "/v1/export",             auditor_export_send)      \
    route(HTTP_GET,  "/figures",               auditor_figures_show)     \
    route(HTTP_GET,  "/v1/figures",            auditor_figures_send)     \
    route(HTTP_GET,  "/state",                 auditor_state_show)       \
    route(HTTP_GET,  "/v1/state",              auditor_state_send)       \
    route(HTTP_GET,  "/looks",                 auditor_looks_show)       \
    route(HTTP_POST, "/looks",                 auditor_look_do)          \
    route(HTTP_GET,  "/looks/new",             auditor_look_ask)         \
    route(HTTP_POST, "/looks/check",           auditor_look_confirm)     \
    route(HTTP_GET,  "/looks/{id}",            auditor_look_show)        \
    route(HTTP_GET,  "/v1/looks",              auditor_looks_send)       \
    route(HTTP_POST, "/v1/looks",              auditor_look_make)        \
    route(HTTP_GET,  "/v1/looks/{id}",         auditor_look_send)        \
    route(HTTP_GET,  "/v1/looks/{id}/openings", auditor_openings_send)   \
    route(HTTP_GET,  "/style.css",             send_style)               \
    route(HTTP_GET,  "/icon.svg",              send_icon)                \
    route(HTTP_GET,  "/healthz",               send_health)              \
    route(HTTP_GET,  "/readyz",                send_ready)
/* clang-format on */

#define DEFINE_ENTRY(method, pattern, call_it)                                                     \
    static void enter_##call_it(const struct route_call *call, struct http_answer *answer)         \
    {                                                                                              \
        (void)answer;                                                                              \
        call_it(call->context, call->id);                                                          \
    }
ROUTES(DEFINE_ENTRY)

#define ROUTE_OF(method, pattern, call_it) {method, pattern, enter_##call_it},
const struct route auditor_routes[] = {ROUTES(ROUTE_OF)};
const size_t auditor_route_count = sizeof auditor_routes / sizeof auditor_routes[0];

/* Whether an auditor calls whose certificate is registered; or a problem. */
static bool identify(const struct auditor_api *api, const struct http_request *request,
                     char name[CONTROL_SERVICE_ID_CHARS + 1], struct http_answer *answer)
{
    struct vault_error err;
    const enum vault_code code =
        request->has_peer ? service_auditor_by_key(api->vault, request->peer_spki, name, &err)
                          : vault_fail(&err, VAULT_DENIED, "a client certificate is needed");
    if (code)
        problem_write(answer, problem_status(code), err.text, request->path);
    return code == VAULT_OK;
}

static void answer_auditor(struct auditor_visit *visitor)
{
    const struct http_request *request = visitor->visit.request;
    struct http_answer *answer = visitor->visit.answer;
    if (!route_dispatch(auditor_routes, auditor_route_count, visitor, request, answer) &&
        !auditor_asks_program(request))
        auditor_error(visitor, answer->status);
}

void auditor_api_handle(void *context, const struct http_request *request,
                        struct http_answer *answer)
{
    const struct auditor_api *api = context;
    VAULT_AUTO(auditor_visit_finish) struct auditor_visit visitor = {.vault = NULL};
    if (!identify(api, request, visitor.name, answer))
        return;
    if (strncmp(request->path, LOG_FILES_PREFIX, strlen(LOG_FILES_PREFIX)) == 0) {
        log_files_send(vault_log_folder(api->vault), request, answer);
        return;
    }
    auditor_visit_begin(&visitor, api, request, answer);
    answer_auditor(&visitor);
}
