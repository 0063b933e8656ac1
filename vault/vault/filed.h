/*
 * filed - an entry of a citizen's and its opening, as the index has them, read in clear.
 *
 * What the log says of an event stands in its entry, which is public and names nobody; what the
 * commitments in it stand for is in the opening, sealed under the citizen's key. Each is held
 * against the other. For the modules of this floor alone.
 */
#pragma once

#include "vault/ledger/entry.h"
#include "vault/ledger/opening.h"
#include "vault/store/citizen.h"
#include "vault/store/openings.h"
#include "vault/vault/vault.h"

/* One row of the index, kept. */
struct filed {
    struct citizen_id citizen;
    uint64_t n; /* the citizen's own count */
    uint64_t index;
    int64_t time_ms;
    uint8_t leaf[SHA256_BYTES];
    struct buf sealed; /* owned */
};

/* Keep a row. Finish it, also after a failure. */
enum vault_code filed_keep(const struct openings_row *row, struct filed *out,
                           struct vault_error *err) VAULT_MUST_CHECK;
void filed_finish(struct filed *filed);

/* An event in clear. The parsed forms borrow from the texts. */
struct clear {
    struct buf entry_text;
    struct buf opening_text;
    struct buf storage;
    struct entry entry;
    struct opening opening;
};

void clear_finish(struct clear *clear);

/* Read the entry, which is in clear, and hold it against the row. VAULT_CORRUPT. */
enum vault_code clear_read_entry(struct vault *vault, const struct filed *filed, struct clear *out,
                                 struct vault_error *err) VAULT_MUST_CHECK;

/* Then the opening, of the held citizen whose row it is, and hold the two against each other.
 * VAULT_CORRUPT. */
enum vault_code clear_read_opening(struct citizen *citizen, const struct filed *filed,
                                   struct clear *out, struct vault_error *err) VAULT_MUST_CHECK;
