/*
 * place - where a decision stands in the log, kept beside its record for the receipt; for the
 * modules of this floor alone.
 *
 * The opening goes from the index when its time is over, and consents and their receipts outlive
 * it. So the entry's index, leaf, time and opening are a record of their own, of the kind
 * PERSON_PLACE_KIND, whose key is the number of the record they belong to. Keeping it is not part
 * of the decision: should it fail, the decision stands, and while the index has the opening the
 * place is found there.
 */
#pragma once

#include "vault/ledger/ledger.h"
#include "vault/store/citizen.h"
#include "vault/store/citizen_record.h"
#include "vault/vault/vault.h"

struct place {
    uint64_t index;
    int64_t time_ms;
    struct tree_hash leaf;
    struct buf opening; /* owned: its JSON; empty: there is none to keep */
};

void place_finish(struct place *place);

/* Keep the place of the held citizen's record seq. */
enum vault_code place_keep(struct citizen *citizen, int64_t seq, const struct place *place,
                           struct vault_error *err) VAULT_MUST_CHECK;

/* Find the place of a held citizen's record, kept or from the index. VAULT_NOT_FOUND. */
enum vault_code place_find(struct vault *vault, struct citizen *citizen, int64_t seq,
                           uint64_t log_n, struct place *out, struct vault_error *err)
    VAULT_MUST_CHECK;
