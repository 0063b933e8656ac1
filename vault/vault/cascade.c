#include "cascade.h"

#include <stdio.h>

#include "half.h"
#include "parts.h"
#include "vault/vault/service.h"

bool cascade_is_due(struct vault *vault, const struct person *person)
{
    return person->services_seen != service_generation(vault);
}

void cascade_stamp(struct consent *next)
{
    next->how = CONSENT_OPERATOR;
    snprintf(next->by, sizeof next->by, "%s", CASCADE_BY);
}

/* When the service was removed; 0: it was not. */
static enum vault_code removed_at(struct vault *vault, const char *service, int64_t *out,
                                  struct vault_error *err)
{
    VAULT_AUTO(service_release) struct service_hold held = {0};
    const enum vault_code code = service_by_id_ever(vault, bytes_of_text(service), &held, err);
    *out = code ? 0 : held.service->removed_s;
    return code == VAULT_NOT_FOUND ? VAULT_OK : code;
}

/* As of the removal: what had run out by then did so, and what was given in the same moment ended
 * not before it was given. */
static enum vault_code end(struct vault *vault, struct citizen *citizen, struct person *person,
                           const struct consent *current, int64_t removed_s,
                           struct ledger_ticket *ticket, struct vault_error *err)
{
    enum consent_state state;
    const int64_t at_s = removed_s > current->at_s ? removed_s : current->at_s;
    if (!consent_state_after(consent_state_now(current, at_s), CONSENT_END, &state))
        return VAULT_OK;
    struct consent next = consent_following(vault, current, CONSENT_END, state);
    next.at_s = at_s;
    cascade_stamp(&next);
    return consent_store(vault, citizen, person, &next, NULL, NULL, ticket, err);
}

/* What is taken back is forgotten, and another has its place. */
static enum vault_code end_halves(struct vault *vault, struct citizen *citizen,
                                  struct person *person, struct ledger_ticket *ticket,
                                  struct vault_error *err)
{
    const int64_t now_s = clock_now_s(&vault->options.clock);
    for (size_t i = 0; i < person->half_count && citizen_exists(citizen);) {
        const struct half *half = &person->halves[i];
        int64_t removed_s = 0;
        if (now_s < half->expires_s)
            VAULT_TRY(removed_at(vault, half->service, &removed_s, err));
        if (removed_s)
            VAULT_TRY(half_take_back_by(vault, citizen, person, half, CASCADE_BY, ticket, err));
        else
            i++;
    }
    return VAULT_OK;
}

enum vault_code cascade_settle(struct vault *vault, struct citizen *citizen, struct person *person,
                               struct vault_error *err)
{
    struct ledger_ticket ticket = {0};
    const uint64_t seen =
        service_generation(vault); /* before looking: a change in between is due */
    for (size_t i = 0; i < person->consent_count && citizen_exists(citizen); i++) {
        const struct consent *consent = &person->consents[i];
        int64_t removed_s = 0;
        VAULT_TRY(removed_at(vault, consent->service, &removed_s, err));
        if (removed_s)
            VAULT_TRY(end(vault, citizen, person, consent, removed_s, &ticket, err));
    }
    VAULT_TRY(end_halves(vault, citizen, person, &ticket, err));
    if (ticket.time_ms)
        VAULT_TRY(ledger_wait(vault->ledger, &ticket, err));
    person->services_seen = seen;
    return VAULT_OK;
}
