#include "vault/vault/own_registration.h"

#include <stdlib.h>

#include "parts.h"
#include "vault/policy/policy.h"
#include "vault/vault/active_policy.h"

static void write_names(const struct service_names *names, struct buf *out)
{
    buf_byte(out, '[');
    for (size_t i = 0; i < names->count; i++) {
        buf_text(out, i ? "," : "");
        json_write_string(out, bytes_of_text(names->names[i]));
    }
    buf_byte(out, ']');
}

/* A basis on which the field could come in that form: consent where consent gives it, since that is
 * what the service can ask for. */
static enum policy_basis basis_of(const struct policy_prospect *prospect)
{
    enum policy_basis basis = POLICY_CONSENT;
    if (prospect->with_consent == prospect->most)
        return basis;
    for (basis = POLICY_CONTRACT; basis < POLICY_BASIS_COUNT; basis++) {
        if (prospect->bases >> basis & 1)
            return basis;
    }
    return POLICY_CONSENT;
}

static void write_prospects(const struct policy *policy, const struct policy_prospect *prospects,
                            size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        const struct policy_prospect *prospect = &prospects[i];
        buf_format(out, "%s\"%s\":{\"form\":\"%s\",\"basis\":\"%s\"}", i ? "," : "",
                   policy_id(policy, POLICY_FIELD, prospect->field),
                   policy_form_name(policy, prospect->field, prospect->most),
                   policy_basis_name(basis_of(prospect)));
    }
}

/* A purpose that the policy does not know releases nothing. */
static void write_purposes(const struct service *service, const struct policy *policy,
                           int64_t now_s, struct policy_prospect *prospects, struct buf *out)
{
    const struct policy_actor actor = service_actor(service, policy);
    for (size_t i = 0; i < service->purposes.count; i++) {
        const struct bytes name = bytes_of_text(service->purposes.names[i]);
        const uint16_t purpose = policy ? policy_find(policy, POLICY_PURPOSE, name) : POLICY_NONE;
        const size_t count = purpose == POLICY_NONE
                                 ? 0
                                 : policy_prospects(policy, &actor, purpose, now_s, prospects);
        buf_text(out, i ? "," : "");
        json_write_string(out, name);
        buf_text(out, ":{\"fields\":{");
        write_prospects(policy, prospects, count, out);
        buf_text(out, "}}");
    }
}

enum vault_code own_registration_write(struct vault *vault, const struct service *service,
                                       struct buf *out, struct vault_error *err)
{
    VAULT_AUTO(active_policy_release) struct policy_hold held = active_policy_hold(vault);
    const size_t fields = held.policy ? policy_count(held.policy, POLICY_FIELD) : 0;
    struct policy_prospect *prospects = calloc(fields + 1, sizeof *prospects);
    if (!prospects)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    buf_format(out, "{\"id\":\"%s\",\"state\":\"%s\",\"classes\":", service->id,
               service->active ? "active" : "suspended");
    write_names(&service->classes, out);
    buf_text(out, ",\"purposes\":{");
    write_purposes(service, held.policy, clock_now_s(&vault->options.clock), prospects, out);
    buf_text(out, "}}");
    free(prospects);
    return buf_check(out, err);
}
