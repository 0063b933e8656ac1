#include "vault/vault/erase.h"

#include "erased_list.h"
#include "event.h"
#include "feed_parts.h"
#include "indexer.h"
#include "parts.h"
#include "stop.h"
#include "vault/store/erasure.h"
#include "vault/store/openings.h"

#define INDEX_WAIT_MS 10000

/* Enter it for somebody who is not there any more: nobody can open what this commits to. */
static enum vault_code enter(struct vault *vault, const struct citizen_id *id, uint64_t openings,
                             struct ledger_ticket *ticket, struct vault_error *err)
{
    const struct event event = {.kind = ENTRY_ERASE, .count = openings};
    struct event_chain chain = {0};
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(citizen_acquire(vault->store, id, &citizen, err));
    VAULT_TRY(event_of_citizen(vault, citizen, &event, &chain, ticket, err));
    citizen_release(&citizen);
    return ledger_wait(vault->ledger, ticket, err);
}

/* The journal still has the openings, which say whose they are to whoever has the vault's keys. */
struct forgetting {
    struct vault *vault;
    const struct citizen_id *citizen;
};

static bool is_theirs(void *context, uint64_t index, struct bytes opening)
{
    const struct forgetting *forgetting = context;
    struct citizen_id owner;
    struct bytes sealed;
    uint64_t n;
    (void)index;
    return event_opening_owner(forgetting->vault, opening, &owner, &n, &sealed, NULL) == VAULT_OK &&
           citizen_id_equal(&owner, forgetting->citizen);
}

/* Into the log and from there into the feeds of services, as one for who reads these. */
static enum vault_code enter_and_tell(struct vault *vault, const struct erasure *erasure,
                                      uint64_t openings, struct vault_error *err)
{
    bool is_entered = false;
    struct ledger_ticket place;
    const struct citizen_id *citizen = &erasure->citizen;
    if (erasure->is_entering)
        VAULT_TRY(event_was_entered(vault, ENTRY_ERASE, erasure->from, openings, 0, &is_entered,
                                    &place, err));
    if (!is_entered) {
        VAULT_TRY(erasure_entering(vault->store, citizen, ledger_head(vault->ledger).size, err));
        VAULT_TRY(enter(vault, citizen, openings, &place, err));
    }
    VAULT_TRY(feed_tell_erased(vault, citizen, &place, err));
    return erasure_told(vault->store, citizen, err);
}

/* Nobody holds the erased any more, but what was entered for them may be on its way to the disk: it
 * is theirs, too. */
static enum vault_code tell_one(struct vault *vault, const struct erasure *erasure,
                                struct vault_error *err)
{
    uint64_t size = 0;
    uint64_t openings = 0;
    struct forgetting forgetting = {vault, &erasure->citizen};
    VAULT_TRY(erased_list_add(vault->log_dir, vault->erased_key, &erasure->citizen, err));
    VAULT_TRY(stop_forget(vault, &erasure->citizen, err));
    VAULT_TRY(ledger_catch_up(vault->ledger, &size, err));
    VAULT_TRY(indexer_wait(vault->indexer, size, INDEX_WAIT_MS, err));
    VAULT_TRY(erasure_settle(vault->store, &erasure->citizen, &openings, err));
    VAULT_TRY(openings_settle(vault->store, err));
    VAULT_TRY(ledger_blank(vault->ledger, is_theirs, &forgetting, err));
    pthread_rwlock_wrlock(&vault->feeding);
    const enum vault_code code = enter_and_tell(vault, erasure, openings, err);
    pthread_rwlock_unlock(&vault->feeding);
    return code;
}

enum vault_code erase_tell_held(struct vault *vault, struct vault_error *err)
{
    for (;;) {
        bool found = false;
        struct erasure erasure;
        VAULT_TRY(erasure_next(vault->store, &erasure, &found, err));
        if (!found)
            return VAULT_OK;
        VAULT_TRY(tell_one(vault, &erasure, err));
    }
}

enum vault_code erase_tell(struct vault *vault, struct vault_error *err)
{
    pthread_mutex_lock(&vault->keeping);
    const enum vault_code code = erase_tell_held(vault, err);
    pthread_mutex_unlock(&vault->keeping);
    return code;
}

enum vault_code erase_citizen(struct vault *vault, const struct citizen_id *citizen,
                              struct vault_error *err)
{
    VAULT_TRY(citizen_erase(vault->store, citizen, NULL, err));
    return erase_tell(vault, err);
}
