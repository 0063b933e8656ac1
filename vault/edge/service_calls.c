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

const struct service_tag service_tags[] = {
    {"about", "The service itself, and the vault's state"},
    {"ask", "Ask a citizen for consent"},
    {"deposit", "Bring values"},
    {"follow", "Hear what changed"},
    {"read", "Read what policy and the citizen allow"},
};

const size_t service_tag_count = sizeof service_tags / sizeof service_tags[0];

const struct service_call service_calls[] = {
    {
        .route = {HTTP_POST, "/v1/releases", service_post_release},
        .start = service_start_release,
        .operation = "release",
        .tag = "read",
        .summary = "Ask for fields of one subject",
        .description =
            "What may come is in released, each in the strictest form that policy, consent "
            "and request name; all else is in withheld, without a reason. An unknown "
            "subject, a citizen who is gone and one who refused look alike. The access log "
            "has the release before it is answered.",
        .parameters = {"proof", "idempotency_key"},
        .request = "ReleaseRequest",
        .status = 200,
        .answer = "Release",
        .problems = {SERVICE_ANY_REQUEST, 401, 403, 409, 415, 422, 429, 500, 503},
    },
    {
        .route = {HTTP_POST, "/v1/releases/batch", service_post_batch},
        .operation = "releaseBatch",
        .tag = "read",
        .summary = "Ask for fields of up to 100 subjects, each answered by itself",
        .description =
            "Each request is decided, entered into the access log and answered by itself, "
            "in their order: one that is wrong leaves the others alone. It counts as its "
            "requests for the quota, and takes no Idempotency-Key.",
        .parameters = {"proof"},
        .request = "BatchRequest",
        .status = 200,
        .answer = "Batch",
        .problems = {SERVICE_ANY_REQUEST, 401, 403, 415, 429, 500, 503},
    },
    {
        .route = {HTTP_POST, "/v1/access-requests", service_post_access_request},
        .operation = "openAccessRequest",
        .tag = "ask",
        .summary = "Ask a citizen for consent: a code and a link to show",
        .description = "Whom it is for is not said: whoever enters the code or follows the link "
                       "decides. Only purpose and fields are required.",
        .parameters = {"qr", "idempotency_key"},
        .request = "AccessRequest",
        .status = 201,
        .answer = "AccessReceipt",
        .problems = {SERVICE_ANY_REQUEST, 401, 403, 409, 415, 422, 429, 500, 503},
    },
    {
        .route = {HTTP_GET, "/v1/access-requests/{id}", service_get_access_request},
        .operation = "getAccessRequest",
        .tag = "ask",
        .summary = "What became of an access request",
        .description =
            "The subject is told when it is granted, and nothing of the citizen before or "
            "otherwise. Another service's request is one that does not exist.",
        .step = "id",
        .parameters = {"wait"},
        .status = 200,
        .answer = "AccessState",
        .problems = {SERVICE_ANY_REQUEST, 401, 403, 404, 429, 500, 503},
    },
    {
        .route = {HTTP_DELETE, "/v1/access-requests/{id}", service_delete_access_request},
        .operation = "cancelAccessRequest",
        .tag = "ask",
        .summary = "Take a pending access request back",
        .description = "Only while nobody has answered it.",
        .step = "id",
        .status = 204,
        .problems = {SERVICE_ANY_REQUEST, 401, 403, 404, 409, 429, 500, 503},
    },
    {
        .route = {HTTP_PUT, "/v1/subjects/{id}/fields", service_put_fields},
        .operation = "deposit",
        .tag = "deposit",
        .summary = "Bring values for a subject, where the policy has a rule for it",
        .description =
            "All of the values are stored, or none. A field without a rule, an unknown "
            "subject and a citizen who is gone are refused alike. The value of the latest "
            "as_of counts, whoever it is from.",
        .step = "subject",
        .request = "DepositRequest",
        .status = 200,
        .answer = "Deposit",
        .problems = {SERVICE_ANY_REQUEST, 401, 403, 404, 415, 422, 429, 500, 503},
    },
    {
        .route = {HTTP_POST, "/access/v1/evaluation", service_post_evaluation},
        .operation = "evaluate",
        .tag = "read",
        .summary = "Whether a field would be released (OpenID AuthZEN 1.0)",
        .description =
            "The same decision as a release's, without a value: true says that a release now would "
            "not be refused, and not that there is a value. It is in the citizen's log, like a "
            "release, and counts for the quota. An unknown subject, a citizen who is gone and one "
            "who refused look alike.",
        .parameters = {"request_id"},
        .request = "Evaluation",
        .status = 200,
        .answer = "Decision",
        .problems = {SERVICE_ANY_REQUEST, 401, 403, 415, 422, 429, 500, 503},
    },
    {
        .route = {HTTP_POST, "/access/v1/evaluations", service_post_evaluations},
        .operation = "evaluateAll",
        .tag = "read",
        .summary = "The same for up to 100 at once (OpenID AuthZEN 1.0)",
        .description = "Members of the whole are those of each evaluation that does not have them. "
                       "Each is decided, entered and answered by itself; one that is wrong is no, "
                       "with an error. Without evaluations it is one. It counts as its "
                       "evaluations for the quota.",
        .parameters = {"request_id"},
        .request = "Evaluations",
        .status = 200,
        .answer = "Decisions",
        .problems = {SERVICE_ANY_REQUEST, 401, 403, 415, 422, 429, 500, 503},
    },
    {
        .route = {HTTP_GET, "/v1/consents", service_get_consents},
        .operation = "listChanges",
        .tag = "follow",
        .summary = "What changed of the consents that concern this service, in order",
        .description =
            "What was received on a consent is to go when the consent does. At most 100 "
            "changes an answer; next is what to say as after in the next call, once they "
            "are done.",
        .parameters = {"after", "wait"},
        .status = 200,
        .answer = "Changes",
        .problems = {SERVICE_ANY_REQUEST, 401, 403, 429, 500, 503},
    },
    {
        .route = {HTTP_GET, "/v1/me", service_get_me},
        .operation = "getMe",
        .tag = "about",
        .summary = "This service's registration, and what policy could ever release to it",
        .description =
            "For each purpose of the registration, the fields that could come: in the most "
            "revealing form, and a basis on which it would come so. What is not there never "
            "comes.",
        .status = 200,
        .answer = "Me",
        .problems = {SERVICE_ANY_REQUEST, 401, 403, 429, 500, 503},
    },
    {
        .route = {HTTP_POST, "/v1/me/certificate", service_post_certificate},
        .operation = "renewCertificate",
        .tag = "about",
        .summary = "A new certificate for a key of this service's, the same or a new one",
        .description = "Asked for with a certificate that counts. The former one goes on counting "
                       "until its end "
                       "or until the city revokes it; at most four keys count at a time.",
        .request = "CertificateRequest",
        .status = 201,
        .answer = "Certificate",
        .problems = {SERVICE_ANY_REQUEST, 401, 403, 409, 415, 429, 500, 503},
    },
    {
        .route = {HTTP_GET, "/v1/openapi.json", service_get_openapi},
        .operation = "getDescription",
        .tag = "about",
        .summary = "This description",
        .description = "OpenAPI 3.1, made from the table that requests are routed by.",
        .status = 200,
        .answer = "OpenApi",
        .problems = {SERVICE_ANY_REQUEST, 401, 403, 429, 503},
    },
    {
        .route = {HTTP_GET, "/.well-known/authzen-configuration", service_get_authzen},
        .operation = "getAuthzenConfiguration",
        .tag = "about",
        .summary = "Where the evaluations are (OpenID AuthZEN 1.0)",
        .description = "The addresses begin with the host that the request names.",
        .status = 200,
        .answer = "AuthzenConfiguration",
        .problems = {SERVICE_ANY_REQUEST, 401, 403, 429, 503},
    },
    {
        .route = {HTTP_GET, "/healthz", get_health},
        .operation = "getHealth",
        .tag = "about",
        .summary = "Whether it is alive",
        .description = "It answers also while the vault is sealed.",
        .status = 200,
        .problems = {SERVICE_ANY_REQUEST},
    },
    {
        .route = {HTTP_GET, "/readyz", get_ready},
        .operation = "getReadiness",
        .tag = "about",
        .summary = "Whether it can release: not sealed, the log writable, its anchors fresh",
        .description = "While it is not ready, nothing is released.",
        .status = 200,
        .problems = {SERVICE_ANY_REQUEST, 503},
    },
};

const size_t service_call_count = sizeof service_calls / sizeof service_calls[0];
