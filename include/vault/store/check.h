/*
 * check - whether what is stored is whole, without changing any of it.
 *
 * Of a store that serves, or of one that is only looked at (store_look()). Every page of a file
 * proves itself (SQLCipher's HMAC), so that one that rots or is changed is found; pages that prove
 * themselves and do not fit each other, as an older one put back, are found by how SQLite's tables
 * hang together. Not found is a whole file of yesterday in today's place: that is for the log.
 *
 * What is wrong is told in words, a citizen's file by its folder, never by whose it is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/base/error.h"
#include "vault/store/store.h"

#define STORE_CHECK_SHARDS 256

/* One thing that is wrong; the text is borrowed. */
typedef void store_check_each(void *context, const char *text);

/* The pages of the control store and of the index of openings. Others who need them wait. An error
 * is about the means, as of all here. */
enum vault_code store_check_shared(struct store *store, store_check_each *each, void *context,
                                   struct vault_error *err) VAULT_MUST_CHECK;

struct store_checked {
    uint64_t citizens;
    uint64_t former_keys; /* wrapped by another root than the newest */
    uint64_t unchecked; /* files that wait for a change to be undone, or are of an older version */
};

/* The citizens of one of STORE_CHECK_SHARDS folders: that every key opens, that every file is there
 * and nobody else's to read, with pages every page of it, and that no file is nobody's. Adds to
 * *out. In a store that serves, files are opened as for a request, one after the other. */
enum vault_code store_check_citizens(struct store *store, unsigned shard, bool pages,
                                     store_check_each *each, void *context,
                                     struct store_checked *out, struct vault_error *err)
    VAULT_MUST_CHECK;
