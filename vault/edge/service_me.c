/*
 * GET /v1/me
 */
#include "service_parts.h"
#include "vault/vault/own_registration.h"

void service_get_me(const struct route_call *call, struct http_answer *answer)
{
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    struct vault_error err;
    if (!service_identify(call, answer, &hold))
        return;
    const enum vault_code code =
        own_registration_write(service_api_of(call)->vault, hold.service, &answer->body, &err);
    if (code == VAULT_OK)
        answer->content_type = "application/json";
    else
        service_answer_failure(call, answer, code, &err);
}
