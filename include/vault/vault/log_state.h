/*
 * log_state - what the vault can say of its own log: how long it is, who signed it, who outside has
 * seen it, and whether what it published holds now.
 *
 * That is verified on the spot, at a cost that does not grow with the log: the published
 * checkpoint's signature; its root, computed again from the published tiles; and that the published
 * tree is how the durable one begins. It is the vault's word about itself all the same. Whoever
 * doubts it reads the published files with vault-audit.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/ledger/tree.h"
#include "vault/vault/vault.h"

#define LOG_STATE_TEXT_BYTES (192UL * 1024) /* what checkpoint, vkey and anchor may have */

struct log_state {
    uint64_t published; /* entries under the published checkpoint */
    struct tree_hash root;
    uint64_t durable; /* entries that are on the disk */
    uint64_t first;   /* the first that is still published */
    bool writable;    /* entries are accepted; else why not */
    char why[VAULT_ERROR_TEXT_BYTES];
    bool holds; /* what was published does, now; else what does not */
    char wrong[VAULT_ERROR_TEXT_BYTES];
    int64_t verified_ms;   /* when that was looked at */
    struct buf checkpoint; /* with every signature */
    struct buf vkey;       /* the log's verifier key */
    struct buf anchor;     /* how those outside stand, as the operator's status has it: JSON; empty:
                              nobody outside is asked */
};

/* Only what the vault needs to look at all makes this fail; what does not hold is in *out. */
enum vault_code log_state_read(struct vault *vault, struct log_state *out, struct vault_error *err)
    VAULT_MUST_CHECK;
void log_state_finish(struct log_state *state);
