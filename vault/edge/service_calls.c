#include "service_calls.h"

#include "service_parts.h"

static void get_health(const struct route_call *call, struct http_answer *answer)
{
    service_api_health(service_api_of(call)->vault, answer);
}

static void get_ready(const struct route_call *call, struct http_answer *answer)
{
    service_api_ready(service_api_of(call)->vault, call->request->path, answer);
}

const struct service_call service_calls[] = {
    {
        .route = {HTTP_POST, "/v1/releases", service_post_release},
        .operation = "release",
        .summary = "Ask for fields of one subject",
        .parameters = {"proof", "idempotency_key"},
        .request = "ReleaseRequest",
        .status = 200,
        .answer = "Release",
        .problems = {400, 401, 403, 409, 413, 415, 422, 429, 500, 503},
    },
    {
        .route = {HTTP_POST, "/v1/releases/batch", service_post_batch},
        .operation = "releaseBatch",
        .summary = "Ask for fields of up to 100 subjects, each answered by itself",
        .parameters = {"proof"},
        .request = "BatchRequest",
        .status = 200,
        .answer = "Batch",
        .problems = {400, 401, 403, 413, 415, 429, 500, 503},
    },
    {
        .route = {HTTP_POST, "/v1/access-requests", service_post_access_request},
        .operation = "openAccessRequest",
        .summary = "Ask a citizen for consent: a code and a link to show",
        .parameters = {"qr", "idempotency_key"},
        .request = "AccessRequest",
        .status = 201,
        .answer = "AccessReceipt",
        .problems = {400, 401, 403, 409, 413, 415, 422, 429, 500, 503},
    },
    {
        .route = {HTTP_GET, "/v1/access-requests/{id}", service_get_access_request},
        .operation = "getAccessRequest",
        .summary = "What became of an access request",
        .step = "id",
        .parameters = {"wait"},
        .status = 200,
        .answer = "AccessState",
        .problems = {400, 401, 403, 404, 429, 500, 503},
    },
    {
        .route = {HTTP_DELETE, "/v1/access-requests/{id}", service_delete_access_request},
        .operation = "cancelAccessRequest",
        .summary = "Take a pending access request back",
        .step = "id",
        .status = 204,
        .problems = {401, 403, 404, 409, 429, 500, 503},
    },
    {
        .route = {HTTP_PUT, "/v1/subjects/{id}/fields", service_put_fields},
        .operation = "deposit",
        .summary = "Bring values for a subject, where the policy has a rule for it",
        .step = "subject",
        .request = "DepositRequest",
        .status = 200,
        .answer = "Deposit",
        .problems = {400, 401, 403, 404, 413, 415, 422, 429, 500, 503},
    },
    {
        .route = {HTTP_GET, "/v1/consents", service_get_consents},
        .operation = "listChanges",
        .summary = "What changed of the consents that concern this service, in order",
        .parameters = {"after", "wait"},
        .status = 200,
        .answer = "Changes",
        .problems = {400, 401, 403, 429, 500, 503},
    },
    {
        .route = {HTTP_GET, "/v1/me", service_get_me},
        .operation = "getMe",
        .summary = "This service's registration, and what policy could ever release to it",
        .status = 200,
        .answer = "Me",
        .problems = {401, 403, 429, 500, 503},
    },
    {
        .route = {HTTP_POST, "/v1/me/certificate", service_post_certificate},
        .operation = "renewCertificate",
        .summary = "A new certificate for a key of this service's, the same or a new one",
        .request = "CertificateRequest",
        .status = 201,
        .answer = "Certificate",
        .problems = {400, 401, 403, 409, 413, 415, 429, 500, 503},
    },
    {
        .route = {HTTP_GET, "/v1/openapi.json", service_get_openapi},
        .operation = "getDescription",
        .summary = "This description",
        .status = 200,
        .answer = "OpenApi",
        .problems = {401, 403, 429, 503},
    },
    {
        .route = {HTTP_GET, "/healthz", get_health},
        .operation = "getHealth",
        .summary = "Whether it is alive",
        .status = 200,
    },
    {
        .route = {HTTP_GET, "/readyz", get_ready},
        .operation = "getReadiness",
        .summary = "Whether it can release: not sealed, the log writable, its anchors fresh",
        .status = 200,
        .problems = {503},
    },
};

const size_t service_call_count = sizeof service_calls / sizeof service_calls[0];
