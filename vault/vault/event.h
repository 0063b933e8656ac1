/*
 * event - what happened, on its way into the access log; for the modules of this floor alone.
 *
 * An event that concerns a citizen is entered while the citizen is held. Its entry commits to who,
 * on what basis, what, and the answer; the salts and clear contents are sealed under the citizen's
 * own key and travel beside it. The citizen's own count and the hash of their previous entry are in
 * the commitment, so that a missing one shows.
 */
#pragma once

#include "vault/base/codec.h"
#include "vault/crypto/permute.h"
#include "vault/ledger/entry.h"
#include "vault/ledger/ledger.h"
#include "vault/store/citizen.h"
#include "vault/vault/vault.h"

/* How far a citizen's own chain of entries has come. */
struct event_chain {
    uint64_t n; /* of the last entry; 0: none yet */
    struct tree_hash leaf;
};

struct event {
    enum entry_event kind;
    const char *service;        /* NULL: none */
    const uint8_t *client_spki; /* NULL: none */
    const char *purpose;        /* NULL: none */
    bool has_policy;
    uint64_t policy_version;
    uint8_t policy_hash[ENTRY_POLICY_BYTES]; /* the first bytes of the manifest's */
    struct bytes actor;                      /* who acted for the citizen; empty: nobody */
    struct bytes basis;
    struct bytes what;
    struct bytes answer; /* hash of the answer's body, in base64; empty: none */
    uint64_t count;      /* of an erasure: how many openings */
    struct buf *opening; /* where the opening is appended as JSON; NULL: not wanted */
};

/* Enter it for the held citizen, whose chain goes on by one. Does not wait for the disk. A decoy
 * has no chain and no opening, but an entry like any other. */
enum vault_code event_of_citizen(struct vault *vault, const struct citizen *citizen,
                                 const struct event *event, struct event_chain *chain,
                                 struct ledger_ticket *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Enter it for a citizen whose file cannot be used: the commitments are of somebody who does not
 * exist, and nobody has the opening. Durable on return. */
enum vault_code event_of_nobody(struct vault *vault, const struct event *event,
                                struct vault_error *err) VAULT_MUST_CHECK;

/* What the log calls a citizen, in openings: as base32, NUL-ended. */
enum vault_code event_log_name(struct vault *vault, const struct citizen_id *citizen,
                               char out[static BASE32_CHARS(PERMUTE_BLOCK_BYTES) + 1],
                               struct vault_error *err) VAULT_MUST_CHECK;

/* Enter what an operator or the vault itself did, and wait until it is durable. The service may be
 * empty. */
enum vault_code event_of_operator(struct vault *vault, enum entry_event kind, struct bytes service,
                                  struct vault_error *err) VAULT_MUST_CHECK;

/* Whether the log has an event of an operator's or an erasure with these numbers from an index on:
 * for whoever was about to enter one when a crash came; and its index and time, where place is not
 * NULL. Waits until all is published. */
enum vault_code event_was_entered(struct vault *vault, enum entry_event kind, uint64_t from,
                                  uint64_t count, uint64_t below, bool *found,
                                  struct ledger_ticket *place, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Whose a journal's opening is, and which of theirs; sealed is a view into opening. VAULT_CORRUPT
 * if it is not one that event_of_citizen() wrote. */
enum vault_code event_opening_owner(struct vault *vault, struct bytes opening,
                                    struct citizen_id *citizen, uint64_t *n, struct bytes *sealed,
                                    struct vault_error *err) VAULT_MUST_CHECK;

/* Append an opening of the held citizen's in clear, as JSON (opening.h). VAULT_CORRUPT if it is not
 * the n-th of theirs. */
enum vault_code event_opening_read(struct citizen *citizen, uint64_t n, struct bytes sealed,
                                   struct buf *out, struct vault_error *err) VAULT_MUST_CHECK;

/* Append the text of a durable entry, from what is published or, while it is not yet, from the
 * journal. */
enum vault_code event_entry_read(struct vault *vault, uint64_t index, struct buf *out,
                                 struct vault_error *err) VAULT_MUST_CHECK;
