/*
 * indexer - files the log's openings by citizen, behind the requests' backs.
 *
 * It follows the log, and in batches puts each opening where its citizen's history is read from.
 * Each second it also has the store remember how far the log is durable, so that an older log put
 * back in its place is recognised at the next start. When the store fails it says so once and tries
 * again until it works.
 */
#pragma once

#include "vault/vault/vault.h"

#define INDEXER_HEAD_SETTING "ledger.head" /* size and root, as the store remembers them */

struct indexer;

/* File everything the log has, then start the thread. */
enum vault_code indexer_start(struct vault *vault, struct indexer **out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Wait until every entry below size is filed. VAULT_UNAVAILABLE after timeout_ms. */
enum vault_code indexer_wait(struct indexer *indexer, uint64_t size, int64_t timeout_ms,
                             struct vault_error *err) VAULT_MUST_CHECK;

/* Entries gather before they are filed, many in one transaction: not those below size, which people
 * or services are about to look for. Does not wait. */
void indexer_hurry(struct indexer *indexer, uint64_t size);

/* File nothing from that index on (UINT64_MAX: everything) until told otherwise; on return the
 * thread goes by it. What is filed already stays. */
enum vault_code indexer_limit(struct indexer *indexer, uint64_t limit, int64_t timeout_ms,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* File what is left and stop. */
void indexer_stop(struct indexer **indexer);

/* What the store remembers of the log; size 0 and zeros if nothing. */
struct ledger_head;
enum vault_code indexer_remembered(struct vault *vault, struct ledger_head *out,
                                   struct vault_error *err) VAULT_MUST_CHECK;
