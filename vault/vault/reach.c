#include "vault/vault/reach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vault/vault/service.h"

/* The most that permits on consent let through of a field; POLICY_FORM_NONE: nothing. */
static uint8_t most_of(const struct policy_prospect *prospects, size_t count, uint16_t field)
{
    for (size_t i = 0; i < count; i++) {
        if (prospects[i].field == field)
            return prospects[i].bases >> POLICY_CONSENT & 1 ? prospects[i].with_consent
                                                            : POLICY_FORM_NONE;
    }
    return POLICY_FORM_NONE;
}

/* A form further down the ladder is less exact. A form that the ladder has no more lets nothing
 * through. */
static bool limit(const struct policy *policy, const struct policy_prospect *prospects,
                  size_t count, const struct consent_field *allowed, struct reach_field *out)
{
    const uint16_t field = policy_find(policy, POLICY_FIELD, bytes_of_text(allowed->name));
    const uint8_t most = field == POLICY_NONE ? POLICY_FORM_NONE : most_of(prospects, count, field);
    const uint8_t mine = field != POLICY_NONE && allowed->form[0]
                             ? policy_form_find(policy, field, bytes_of_text(allowed->form))
                             : 0;
    *out = (struct reach_field){.comes = most != POLICY_FORM_NONE && mine != POLICY_FORM_NONE};
    if (!out->comes || !allowed->form[0] || most <= mine)
        return out->comes;
    snprintf(out->form, sizeof out->form, "%s", policy_form_name(policy, field, most));
    return false;
}

static enum reach_of by_rules(const struct policy *policy, const struct service *service,
                              const struct consent *consent, int64_t now_s,
                              struct policy_prospect *prospects, struct reach_field fields[])
{
    const uint16_t purpose = policy_find(policy, POLICY_PURPOSE, bytes_of_text(consent->purpose));
    const struct policy_actor actor = service_actor(service, policy);
    const size_t count =
        purpose == POLICY_NONE ? 0 : policy_prospects(policy, &actor, purpose, now_s, prospects);
    size_t whole = 0;
    size_t some = 0;
    for (size_t i = 0; i < consent->field_count; i++) {
        whole += limit(policy, prospects, count, &consent->fields[i], &fields[i]);
        some += fields[i].comes;
    }
    if (some == 0)
        return REACH_NOTHING;
    return whole == consent->field_count ? REACH_WHOLE : REACH_LESS;
}

enum reach_of reach_of_consent(struct vault *vault, const struct policy *policy,
                               const struct consent *consent, int64_t now_s,
                               struct reach_field fields[])
{
    VAULT_AUTO(service_release) struct service_hold held = {0};
    for (size_t i = 0; i < consent->field_count; i++)
        fields[i] = (struct reach_field){0};
    if (service_by_id(vault, bytes_of_text(consent->service), &held, NULL))
        return REACH_REMOVED;
    if (!held.service->active)
        return REACH_SUSPENDED;
    if (!service_has(&held.service->purposes, bytes_of_text(consent->purpose)))
        return REACH_NO_PURPOSE;
    struct policy_prospect *prospects =
        policy ? calloc(policy_count(policy, POLICY_FIELD) + 1, sizeof *prospects) : NULL;
    if (!prospects)
        return REACH_NOTHING;
    const enum reach_of reach = by_rules(policy, held.service, consent, now_s, prospects, fields);
    free(prospects);
    return reach;
}
