/*
 * citizen_key - citizens' keys, changed: wrapped again by a new root, or replaced by new ones.
 *
 * A citizen's key stands wrapped in the control store, in the slot "current". While it is being
 * replaced the new one stands beside it, in the slot "next", and is stored there before the file is
 * touched: whenever a crash comes, the file opens with exactly one of the two, whoever opens it
 * next tries both, keeps the right one and destroys the other.
 *
 * What was sealed for the citizen in the log stays as it was sealed. The keys for that which came
 * from former citizen's keys are kept in the citizen's own file, and go with it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/store/citizen.h"
#include "vault/store/store.h"

#define CITIZEN_REWRAP_BATCH 1000
#define CITIZEN_REKEYS_MAX   100

/* How far wrapping again has come. Begin with zeros; go on with what the last call left. */
struct citizen_rewrap {
    uint32_t root_version;   /* the one that wraps; the walk begins again if that changes */
    struct citizen_id after; /* the last one looked at */
    bool begun;
    bool done; /* nothing is wrapped by a former root */
    uint64_t seen;
    uint64_t rewrapped;
};

/*
 * Wrap the next CITIZEN_REWRAP_BATCH citizens' keys again if a former root wrapped them, as one
 * durable change. What is done is passed over, so that after a crash one begins again with zeros.
 * When progress->done, what former roots had wrapped is gone from the control store's log, too, and
 * keyring_drop_former() may follow.
 */
enum vault_code citizen_rewrap(struct store *store, struct citizen_rewrap *progress,
                               struct vault_error *err) VAULT_MUST_CHECK;

/* For who gives many citizens new keys, before each: where a keyholder counts, wait for one to
 * spare (keyring_unwrap_giving_way). With nothing held that others wait for. VAULT_NOT_FOUND if
 * there is no such citizen; VAULT_UNAVAILABLE after KEYRING_GIVE_WAY_MS. */
enum vault_code citizen_rekey_wait(struct store *store, const struct citizen_id *id,
                                   struct vault_error *err) VAULT_MUST_CHECK;

/*
 * A new key for one citizen, and their file written under it; durable on return, and the former key
 * destroyed. Nobody may hold the citizen but others that let go: it is waited for.
 *
 * VAULT_NOT_FOUND  there is no such citizen
 * VAULT_LIMITED    it was done CITIZEN_REKEYS_MAX times
 * VAULT_IO         the file could not be written anew: it is as it was, under its former key
 */
enum vault_code citizen_rekey(struct store *store, const struct citizen_id *id,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* Append the clear text of what was sealed under the held citizen's seal key, the present one or a
 * former. VAULT_CORRUPT if none opens it. */
enum vault_code citizen_open_sealed(struct citizen *citizen, struct bytes associated,
                                    struct bytes sealed, struct buf *out, struct vault_error *err)
    VAULT_MUST_CHECK;
