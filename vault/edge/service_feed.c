/*
 * GET /v1/consents?after=N&wait=S
 */
#include "service_parts.h"
#include "vault/vault/consent_feed.h"

void service_get_consents(const struct route_call *call, struct http_answer *answer)
{
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    struct vault_error err;
    int64_t after = 0;
    int64_t wait_s = 0;
    if (!service_identify(call, answer, &hold) ||
        !service_query_number(call, answer, "after", SERVICE_PLACE_MAX, &after) ||
        !service_query_number(call, answer, "wait", SERVICE_WAIT_MAX_S, &wait_s))
        return;
    const enum vault_code code =
        consent_feed_read(service_api_of(call)->vault, hold.service, (uint64_t)after, wait_s * 1000,
                          &answer->body, &err);
    if (code == VAULT_OK)
        answer->content_type = "application/json";
    else
        service_answer_failure(call, answer, code, &err);
}
