/*
 * copy - the log's folder copied while the log is written to, and copies put to use again.
 *
 * What is published never changes, but for the checkpoint, which comes after the tiles it stands
 * on: so the checkpoint is copied first. The journal does change at its end. A new segment is begun
 * (ledger_turn), and what is before it is copied: the copy is the log at exactly that size, as
 * after a clean stop. Until the copy is made the caller lets the journal forget nothing
 * (ledger_forget, ledger_blank) and prunes nothing.
 *
 * Names are relative to the log's folder: "checkpoint", "tile/…", "journal/…".
 */
#pragma once

#include "vault/base/folder.h"
#include "vault/ledger/checkpoint.h"
#include "vault/ledger/ledger.h"

/* Begin a segment. *head is the log at its beginning: all that was enqueued before the call, at
 * least, is in it and durable. VAULT_UNAVAILABLE as ledger_blank(). */
enum vault_code ledger_turn(struct ledger *ledger, struct ledger_head *head,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* Give the checkpoint and all its tiles in a folder, an open log's or not, to take. VAULT_CORRUPT
 * if one is missing but those wholly below pruned_below. */
enum vault_code ledger_copy_published(const char *dir, uint64_t pruned_below, file_taker *take,
                                      void *context, struct vault_error *err) VAULT_MUST_CHECK;

/* Give the journal up to a size that ledger_turn() told. */
enum vault_code ledger_copy_journal(struct ledger *ledger, uint64_t size, file_taker *take,
                                    void *context, struct vault_error *err) VAULT_MUST_CHECK;

/* Read and check the journal of a log that nobody has open: that it had the head, if that is in it,
 * and where it begins (begins_at may be NULL) and ends. Codes as ledger_open(). */
enum vault_code ledger_check_journal(const char *dir, const struct checkpoint_keys *keys,
                                     const struct ledger_head *head, uint64_t *begins_at,
                                     struct ledger_head *ends, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Make a journal, without any opening, for a folder that has only what was published: the log goes
 * on from its checkpoint. VAULT_CONFLICT if there is one; VAULT_DENIED, VAULT_INVALID or
 * VAULT_CORRUPT if the checkpoint is not this log's, or the tiles not the checkpoint's. */
enum vault_code ledger_adopt(const struct ledger_options *options, struct vault_error *err)
    VAULT_MUST_CHECK;
