/*
 * export_log - of an export, what proves it: receipts, and the citizen's entries of the access log;
 * for the modules of this floor alone.
 *
 * Nobody holds the citizen meanwhile for long: entries are read some at a time, and proved after
 * letting go. What does not fit is left out, the oldest first, and the export says so.
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/store/citizen.h"
#include "vault/vault/vault.h"

/* Append "[RECEIPT…]", of the records of those numbers, the newest first; *all is false if some
 * would have made out longer than max_bytes. One that cannot be had any more is left out. */
enum vault_code export_receipts(struct vault *vault, const struct citizen_id *citizen,
                                const int64_t seqs[], size_t count, size_t max_bytes, bool *all,
                                struct buf *out, struct vault_error *err) VAULT_MUST_CHECK;

/*
 * Append the citizen's entries, the newest first, while out is no longer than max_bytes:
 *
 *     {"origin":"…","complete":true,"entries":[{"n":N,"index":I,"entry":TEXT,"opening":OPENING,
 *      "proof":TLOG-PROOF}…]}
 *
 * complete is true if the oldest of them is the citizen's first.
 */
enum vault_code export_log(struct vault *vault, const struct citizen_id *citizen, size_t max_bytes,
                           struct buf *out, struct vault_error *err) VAULT_MUST_CHECK;
