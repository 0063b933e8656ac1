/*
 * look - who looked at openings, at which, and why.
 *
 * An auditor's look is an entry of the access log, which commits to who it was and to the reason;
 * here is what that entry stands for, and of which entries the openings were shown. It is kept as
 * long as openings are, and holds nothing of a citizen: entries are named by their index.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/store/store.h"

#define LOOK_NAME_CHARS_MAX   64
#define LOOK_REASON_BYTES_MAX 2000
#define LOOK_OPENING_BYTES    (16UL * 1024)
#define LOOK_ENTRIES_MAX      100
#define LOOKS_MAX             100000

struct look_row {
    uint64_t index; /* of the look's own entry */
    int64_t time_ms;
    char auditor[LOOK_NAME_CHARS_MAX + 1];
    struct bytes reason;                /* UTF-8; borrowed, as opening is */
    struct bytes opening;               /* of the look's own entry, as JSON (ledger/opening.h) */
    uint64_t entries[LOOK_ENTRIES_MAX]; /* what was looked at, in order */
    size_t entry_count;
};

/* Keep one. VAULT_CONFLICT: there is one of that index; VAULT_LIMITED: there are LOOKS_MAX;
 * VAULT_INVALID: no entry, no reason, or too long. */
enum vault_code look_add(struct store *store, const struct look_row *row, struct vault_error *err)
    VAULT_MUST_CHECK;

/* VAULT_LIMITED if look_add() would say so. */
enum vault_code look_check_room(struct store *store, struct vault_error *err) VAULT_MUST_CHECK;

/* One in a list; borrowed for the call. A code other than VAULT_OK ends the list, which then
 * returns it. */
typedef enum vault_code look_each(void *context, const struct look_row *row,
                                  struct vault_error *err);

/* VAULT_NOT_FOUND. */
enum vault_code look_get(struct store *store, uint64_t index, look_each *each, void *context,
                         struct vault_error *err) VAULT_MUST_CHECK;

/* Those with an index below one, newest first, at most limit; and the same of those that looked at
 * one entry. */
enum vault_code look_list(struct store *store, uint64_t before, size_t limit, look_each *each,
                          void *context, struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code look_list_of(struct store *store, uint64_t entry, size_t limit, look_each *each,
                             void *context, struct vault_error *err) VAULT_MUST_CHECK;

/* Remove looks from before a time, at most limit; *gone is how many. Call again until it is smaller
 * than limit. */
enum vault_code look_prune(struct store *store, int64_t before_ms, size_t limit, uint64_t *gone,
                           struct vault_error *err) VAULT_MUST_CHECK;
