/*
 * proof - C2SP tlog-proof: that an entry is in the log, as a file that anyone can check offline.
 *
 *     c2sp.org/tlog-proof@v1
 *     index 73894
 *     gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
 *     …
 *     (empty line)
 *     the checkpoint, a signed note, verbatim
 *
 * Between the first line and the index there may be a line "extra BASE64", which nothing vouches
 * for; it is accepted and left aside.
 */
#pragma once

#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/ledger/checkpoint.h"
#include "vault/ledger/tree.h"

#define PROOF_MAX_BYTES (128 * 1024)

struct proof {
    uint64_t index;
    struct tree_proof path;
    struct bytes
        checkpoint; /* borrowed; empty: a proof without one, which only prove --size makes */
};

/* Append the proof's text. */
void proof_write(const struct proof *proof, struct buf *out);

/* Read a proof; out borrows from the text. VAULT_INVALID, naming the line. The checkpoint is not
 * looked into, but must be there. */
enum vault_code proof_parse(struct bytes text, struct proof *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Check that the log of this key holds exactly this entry, by the text of a proof, which proof and
 * checkpoint borrow from. */
enum vault_code proof_check(struct bytes text, const struct note_key *key, struct bytes entry,
                            struct proof *proof, struct checkpoint *checkpoint,
                            struct vault_error *err) VAULT_MUST_CHECK;
