/* After a restore nothing is in force, or can be put in force unawares, that may have ended since
 * the backup. */
#include "parts.h"
#include "person.h"
#include "restore_parts.h"
#include "stop.h"

bool restore_leaves_open(const struct vault *vault, const struct consent *consent)
{
    const enum consent_state state =
        consent_state_now(consent, consent_next_time_s(vault, consent));
    return state == CONSENT_GIVEN ||
           (state == CONSENT_SUSPENDED && consent->cause != CONSENT_BY_RESTORE);
}

/* Suspended once more is not in the lifecycle: the cause alone changes, and who may resume it. */
static enum vault_code suspend_held(struct vault *vault, const struct citizen_id *id,
                                    const char *service, const char *purpose,
                                    struct ledger_ticket *ticket, struct vault_error *err)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    const struct consent *current =
        person_consent(person, bytes_of_text(service), bytes_of_text(purpose));
    if (!current || !restore_leaves_open(vault, current))
        return VAULT_OK;
    struct consent next = consent_following(vault, current, CONSENT_SUSPEND, CONSENT_SUSPENDED);
    next.cause = CONSENT_BY_RESTORE;
    return consent_store(vault, citizen, person, &next, NULL, NULL, ticket, err);
}

enum vault_code restore_suspend(struct vault *vault, const struct citizen_id *citizen,
                                const char *service, const char *purpose, struct vault_error *err)
{
    struct ledger_ticket ticket = {0};
    const enum vault_code code = suspend_held(vault, citizen, service, purpose, &ticket, err);
    if (stop_is_for(code))
        return stop_add(vault, citizen, service, purpose, err);
    if (code)
        return code;
    return ticket.time_ms ? ledger_wait(vault->ledger, &ticket, err) : VAULT_OK;
}
