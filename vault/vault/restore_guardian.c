/* After a restore nobody is a guardian who may have been removed since the backup, and no half
 * waits that may have been taken back. */
#include <string.h>

#include "guardian_record.h"
#include "half.h"
#include "parts.h"
#include "restore_parts.h"

static enum vault_code end_guardianships(struct vault *vault, const struct citizen_id *id,
                                         struct ledger_ticket *ticket, struct vault_error *err)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    for (size_t i = person->guardianship_count; i-- > 0;) {
        struct guardianship next = person->guardianships[i];
        if (!next.is_minor)
            continue;
        next.event = GUARDIAN_REMOVE;
        next.at_s = clock_now_s(&vault->options.clock);
        VAULT_TRY(guardianship_store(vault, citizen, person, &next, ticket, err));
    }
    return VAULT_OK;
}

static enum vault_code end_halves(struct vault *vault, const struct citizen_id *id,
                                  struct ledger_ticket *ticket, struct vault_error *err)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    while (person->half_count) {
        char service[CONSENT_NAME_CHARS + 1];
        char purpose[CONSENT_NAME_CHARS + 1];
        memcpy(service, person->halves[0].service, sizeof service);
        memcpy(purpose, person->halves[0].purpose, sizeof purpose);
        VAULT_TRY(half_take_back(vault, citizen, person, NULL, service, purpose, ticket, err));
    }
    return VAULT_OK;
}

/* Somebody who is gone has neither. */
static enum vault_code
end_all(struct vault *vault, const struct citizen_id *citizen,
        enum vault_code (*end)(struct vault *vault, const struct citizen_id *id,
                               struct ledger_ticket *ticket, struct vault_error *err),
        struct vault_error *err)
{
    struct ledger_ticket ticket = {0};
    const enum vault_code code = end(vault, citizen, &ticket, err);
    if (code)
        return code == VAULT_NOT_FOUND ? VAULT_OK : code;
    return ticket.time_ms ? ledger_wait(vault->ledger, &ticket, err) : VAULT_OK;
}

enum vault_code restore_end_guardians(struct vault *vault, const struct citizen_id *citizen,
                                      struct vault_error *err)
{
    return end_all(vault, citizen, end_guardianships, err);
}

enum vault_code restore_end_halves(struct vault *vault, const struct citizen_id *citizen,
                                   struct vault_error *err)
{
    return end_all(vault, citizen, end_halves, err);
}

enum vault_code restore_end_half(struct vault *vault, const struct citizen_id *id,
                                 const char *service, const char *purpose, struct vault_error *err)
{
    struct ledger_ticket ticket = {0};
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    if (!half_waits(person, service, purpose))
        return VAULT_OK;
    VAULT_TRY(half_take_back(vault, citizen, person, NULL, service, purpose, &ticket, err));
    citizen_release(&citizen);
    return ledger_wait(vault->ledger, &ticket, err);
}
