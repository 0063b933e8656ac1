/*
 * erased_list - the do-not-restore list: who was erased, for whoever restores a backup from before.
 *
 *     LOG/do-not-restore      one line for each, 64 hex digits: HMAC-SHA-256 of the citizen's id
 *                             under a key from the vault seed
 *
 * It lies beside the log, so that it survives where the log survives, is only ever added to, and
 * tells nothing to whoever has no key of the vault. A line is durable before the log has its entry
 * of the erasure, and so before the erasure is acknowledged. For the modules of this floor alone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "vault/base/error.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/secret.h"
#include "vault/store/citizen.h"

#define ERASED_LIST_FILE "do-not-restore"
#define ERASED_LIST_MAX  4000000 /* of them can be read: 128 MB */

/* Add the citizen, unless they are there; durable on return. Half a line that a crash left at the
 * end is dropped. One thread at a time. */
enum vault_code erased_list_add(const char *log_dir, const struct secret *key,
                                const struct citizen_id *citizen, struct vault_error *err)
    VAULT_MUST_CHECK;

struct erased_list {
    size_t count; /* lines, over all that was read */
    size_t room;
    uint8_t (*names)[SHA256_BYTES]; /* owned; sorted once erased_list_sort() was called */
};

void erased_list_free(struct erased_list *list);

/* Add what a folder's list has; a folder without one has none. *lines (may be NULL) is how many.
 * VAULT_CORRUPT if a line is none. */
enum vault_code erased_list_read(const char *log_dir, struct erased_list *list, size_t *lines,
                                 struct vault_error *err) VAULT_MUST_CHECK;
void erased_list_sort(struct erased_list *list);
bool erased_list_has(const struct erased_list *list, const struct secret *key,
                     const struct citizen_id *citizen);

/* Write all of it, each name once, as a folder's list. */
enum vault_code erased_list_write(const char *log_dir, const struct erased_list *list,
                                  struct vault_error *err) VAULT_MUST_CHECK;
