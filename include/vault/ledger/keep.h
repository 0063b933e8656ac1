/*
 * keep - checkpoints kept on another path than the log's, so that a log that was set back as a
 * whole, folder, memory and all, is noticed at its next start.
 *
 *     DIR/2027-03-08.checkpoint            the newest of that day
 *     DIR/2027-03-08T101112Z.checkpoint    one that was time-stamped, and its RFC 3161 token:
 *     DIR/2027-03-08T101112Z.tsr           the newest pair of that day
 *
 * So the newest is always there, and one of each day beyond that; past KEEP_DAYS_MAX days the
 * oldest go. Every .checkpoint is what "vault-audit verify --known" takes, and a token is over the
 * text above its empty line. The folder is never made: a disk that is not mounted must not be taken
 * for an empty one.
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/ledger/checkpoint.h"
#include "vault/ledger/ledger.h"

#define KEEP_DAYS_MAX  100U
#define KEEP_HEADS_MAX 200U /* two for each day */

/*
 * Read all that is kept. VAULT_IO if the folder is not there or cannot be written; VAULT_CORRUPT,
 * naming the file, if a checkpoint in it is none that a key of the log's signed.
 */
enum vault_code keep_read(const char *dir, const struct checkpoint_keys *log,
                          struct ledger_head heads[KEEP_HEADS_MAX], size_t *count,
                          struct vault_error *err) VAULT_MUST_CHECK;

/* Keep a checkpoint, in the place of that day's earlier ones. */
enum vault_code keep_put(const char *dir, struct bytes checkpoint, int64_t now_s,
                         struct vault_error *err) VAULT_MUST_CHECK;

/* Keep one with the time stamp of its text, likewise. */
enum vault_code keep_put_stamped(const char *dir, struct bytes checkpoint, struct bytes token,
                                 int64_t now_s, struct vault_error *err) VAULT_MUST_CHECK;
