#include "vault/vault/actor.h"

#include <stdio.h>
#include <string.h>

#include "actor_check.h"
#include "guardian_law.h"
#include "mandate_record.h"
#include "parts.h"
#include "vault/vault/active_policy.h"

void actor_text(const struct actor *actor, char out[ACTOR_TEXT_BYTES])
{
    if (actor->guardian)
        snprintf(out, ACTOR_TEXT_BYTES, "guardian %s", actor->guardian->name);
    else
        snprintf(out, ACTOR_TEXT_BYTES, "mediator %s\n%s", actor->mediator->name,
                 actor->mediator->structure.name);
}

void consent_stamp(struct consent *next, const struct actor *actor)
{
    next->how = CONSENT_OWN_SESSION;
    next->by[0] = 0;
    next->mandate[0] = 0;
    if (!actor)
        return;
    next->how = actor->guardian ? CONSENT_GUARDIAN : CONSENT_MANDATE;
    actor_text(actor, next->by);
    snprintf(next->mandate, sizeof next->mandate, "%s",
             actor->guardian ? actor->guardian->id : actor->mandate);
}

static enum vault_code denied(struct vault_error *err)
{
    return vault_fail(err, VAULT_DENIED, "the mandate does not allow this");
}

/* Taken off the register a moment ago is out, whatever session there still is. */
static enum vault_code check_register(struct vault *vault, const struct mediator_seat *seat,
                                      struct vault_error *err)
{
    struct mediator mediator;
    const enum vault_code code = mediator_get(vault->store, seat->login, &mediator, err);
    if (code)
        return code == VAULT_NOT_FOUND ? denied(err) : code;
    return strcmp(mediator.structure.id, seat->structure.id) == 0 ? VAULT_OK : denied(err);
}

enum vault_code actor_mandate(struct vault *vault, struct person *person, const struct actor *actor,
                              const struct mandate **out, struct vault_error *err)
{
    const int64_t now_s = clock_now_s(&vault->options.clock);
    const struct mandate *mandate = mandate_of(person, actor->mandate);
    if (!mandate || strcmp(mandate->terms.structure, actor->mediator->structure.id) != 0 ||
        !mandate_state_allows(mandate_state_now(mandate, now_s)))
        return denied(err);
    VAULT_TRY(check_register(vault, actor->mediator, err));
    *out = mandate;
    return VAULT_OK;
}

/* Giving and resuming let something through; a special category is the citizen's own to consent to.
 * What the policy does not know could be one. */
static enum vault_code check_fields(struct vault *vault, const struct actor_wish *wish,
                                    struct vault_error *err)
{
    VAULT_AUTO(active_policy_release) struct policy_hold held = active_policy_hold(vault);
    const struct policy *policy = held.policy;
    /* A purpose that the rules have no more has fallen away from the mandate. */
    if (!policy || policy_find(policy, POLICY_PURPOSE, bytes_of_text(wish->purpose)) == POLICY_NONE)
        return denied(err);
    for (size_t i = 0; i < wish->field_count; i++) {
        const uint16_t field =
            policy_find(policy, POLICY_FIELD, bytes_of_text(wish->fields[i].name));
        if (field == POLICY_NONE || policy_field_is_special(policy, field))
            return denied(err);
    }
    return VAULT_OK;
}

/* Nor does a mediator stand in for a minor under 15 and a guardian, who agree both. */
static enum vault_code check_alone(struct vault *vault, struct citizen *citizen,
                                   const struct person *person, struct vault_error *err)
{
    bool both = true;
    VAULT_TRY(guardian_law_both(vault, citizen, person, &both, err));
    return both ? denied(err) : VAULT_OK;
}

enum vault_code actor_check(struct vault *vault, struct citizen *citizen, struct person *person,
                            const struct actor *actor, const struct actor_wish *wish,
                            struct vault_error *err)
{
    const struct mandate *mandate = NULL;
    if (!actor)
        return VAULT_OK;
    if (actor->guardian)
        return guardian_law_check(vault, citizen, person, actor->guardian, wish->event, err);
    VAULT_TRY(actor_mandate(vault, person, actor, &mandate, err));
    if (!mandate_covers(mandate, wish->purpose))
        return denied(err);
    switch (wish->event) {
    case CONSENT_GIVE:
    case CONSENT_RESUME:
        VAULT_TRY(check_alone(vault, citizen, person, err));
        return check_fields(vault, wish, err);
    case CONSENT_REFUSE:
    case CONSENT_WITHDRAW:
    case CONSENT_SUSPEND:
        return VAULT_OK;
    case CONSENT_NARROW:
    case CONSENT_END:
    case CONSENT_EVENT_COUNT:
        break;
    }
    return denied(err);
}
