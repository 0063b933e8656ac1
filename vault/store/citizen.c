#include "vault/store/citizen.h"

#include <assert.h>
#include <string.h>

#include "citizen_file.h"
#include "internal.h"

struct citizen_id citizen_id_new(void)
{
    struct citizen_id id = {0};
    random_bytes(id.bytes, sizeof id.bytes);
    return id;
}

bool citizen_id_equal(const struct citizen_id *a, const struct citizen_id *b)
{
    return bytes_equal((struct bytes){a->bytes, sizeof a->bytes},
                       (struct bytes){b->bytes, sizeof b->bytes});
}

/* Open the file of a held place: the citizen's own, or nobody's in just the same steps. */
static enum vault_code open_place(struct store *store, struct citizen *citizen,
                                  struct vault_error *err)
{
    VAULT_AUTO(citizen_slots_free) struct citizen_slots slots = {0};
    VAULT_TRY(citizen_open_slots(store, &citizen->id, &slots, &citizen->database, err));
    citizen->seal_key = VAULT_TAKE(slots.current.seal);
    citizen->exists = slots.exists;
    citizen->store = store;
    return VAULT_OK;
}

enum vault_code citizen_acquire(struct store *store, const struct citizen_id *id,
                                struct citizen **out, struct vault_error *err)
{
    struct citizen *citizen = NULL;
    VAULT_TRY(handles_hold(&store->handles, id, &citizen, err));
    const enum vault_code code = citizen->database ? VAULT_OK : open_place(store, citizen, err);
    if (code) {
        handles_let_go(citizen);
        return code;
    }
    *out = citizen;
    return VAULT_OK;
}

enum vault_code citizen_acquire_open(struct store *store, const struct citizen_id *id,
                                     struct citizen **out, struct vault_error *err)
{
    struct citizen *citizen = handles_hold_open(&store->handles, id);
    if (!citizen)
        return vault_fail(err, VAULT_UNAVAILABLE, "the file is not open, or somebody holds it");
    *out = citizen;
    return VAULT_OK;
}

static void undo(struct citizen *citizen)
{
    struct transaction transaction = {citizen->database};
    transaction_rollback(&transaction);
    citizen->changing = false;
    citizen->log_n_max = CITIZEN_UNKNOWN;
    citizen->record_count = CITIZEN_UNKNOWN;
}

void citizen_release(struct citizen **citizen)
{
    struct citizen *releasing = *citizen;
    *citizen = NULL;
    if (!releasing)
        return;
    if (releasing->changing)
        undo(releasing);
    handles_let_go(releasing);
}

bool citizen_exists(const struct citizen *citizen)
{
    return citizen->exists;
}

const struct citizen_id *citizen_id_of(const struct citizen *citizen)
{
    return &citizen->id;
}

const struct secret *citizen_seal_key(const struct citizen *citizen)
{
    return citizen->seal_key;
}

void *citizen_cache(const struct citizen *citizen)
{
    return citizen->cache;
}

void citizen_cache_set(struct citizen *citizen, void *data, void (*destroy)(void *data))
{
    if (citizen->cache && citizen->cache != data && citizen->cache_destroy)
        citizen->cache_destroy(citizen->cache);
    citizen->cache = data;
    citizen->cache_destroy = destroy;
}

enum vault_code citizen_check_writable(const struct citizen *citizen, struct vault_error *err)
{
    if (!citizen->exists)
        return vault_fail(err, VAULT_NOT_FOUND, "there is no such citizen");
    return VAULT_OK;
}

enum vault_code citizen_begin(struct citizen *citizen, struct citizen_change *change,
                              struct vault_error *err)
{
    assert(!citizen->changing);
    VAULT_TRY(citizen_check_writable(citizen, err));
    struct transaction transaction = {0};
    VAULT_TRY(transaction_begin(citizen->database, &transaction, err));
    citizen->changing = true;
    values_forget(&citizen->kept);
    change->citizen = citizen;
    return VAULT_OK;
}

enum vault_code citizen_commit(struct citizen_change *change, struct vault_error *err)
{
    assert(change->citizen && change->citizen->changing);
    struct transaction transaction = {change->citizen->database};
    VAULT_TRY(transaction_commit(&transaction, err));
    change->citizen->changing = false;
    change->citizen = NULL;
    return VAULT_OK;
}

void citizen_rollback(struct citizen_change *change)
{
    if (change->citizen)
        undo(change->citizen);
    change->citizen = NULL;
}
