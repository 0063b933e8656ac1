#include "vault/edge/auditor_api.h"

#include <string.h>

#include "log_files.h"
#include "vault/edge/problem.h"
#include "vault/edge/route.h"
#include "vault/edge/service_api.h"
#include "vault/vault/service.h"

static void get_health(const struct route_call *call, struct http_answer *answer)
{
    const struct auditor_api *api = call->context;
    service_api_health(api->vault, answer);
}

static void get_ready(const struct route_call *call, struct http_answer *answer)
{
    const struct auditor_api *api = call->context;
    service_api_ready(api->vault, call->request->path, answer);
}

static const struct route routes[] = {
    {HTTP_GET, "/healthz", get_health},
    {HTTP_GET, "/readyz", get_ready},
};

/* Whether an auditor calls whose certificate is registered; or a problem. */
static bool identify(const struct auditor_api *api, const struct http_request *request,
                     struct http_answer *answer)
{
    struct vault_error err;
    const enum vault_code code =
        request->has_peer ? service_auditor_by_key(api->vault, request->peer_spki, &err)
                          : vault_fail(&err, VAULT_DENIED, "a client certificate is needed");
    if (code)
        problem_write(answer, problem_status(code), err.text, request->path);
    return code == VAULT_OK;
}

void auditor_api_handle(void *context, const struct http_request *request,
                        struct http_answer *answer)
{
    const struct auditor_api *api = context;
    if (!identify(api, request, answer))
        return;
    if (strncmp(request->path, LOG_FILES_PREFIX, strlen(LOG_FILES_PREFIX)) == 0)
        log_files_send(vault_log_folder(api->vault), request, answer);
    else
        route_dispatch(routes, sizeof routes / sizeof routes[0], context, request, answer);
}
