/*
 * reply - answers that are kept for a while, in case their request comes again under its key.
 *
 * What an answer holds is sealed by whoever keeps it, and opaque here; whose it is, is not said.
 * The key and the request are hashes. An answer that has an entry in the access log names its
 * place, so that one whose entry a crash kept from the disk is recognised and goes. How many are
 * kept and how large they are together is bounded, for each service and in all.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/hash.h"
#include "vault/store/store.h"

#define REPLY_SEALED_MAX_BYTES  (1024UL * 1024)
#define REPLY_SERVICE_MAX       200000
#define REPLY_SERVICE_MAX_BYTES (128LL * 1024 * 1024)
#define REPLY_ALL_MAX           1000000
#define REPLY_ALL_MAX_BYTES     (1024LL * 1024 * 1024)

struct reply {
    const char *service;
    uint8_t key_hash[SHA256_BYTES];
    uint8_t request_hash[SHA256_BYTES];
    int64_t created_s;
    bool is_logged;
    uint64_t index; /* of the entry, if it has one, and its leaf hash */
    uint8_t leaf[SHA256_BYTES];
};

/* The one under that key that is not from before a time; what is sealed is appended. Its service is
 * the one given. VAULT_NOT_FOUND. */
enum vault_code reply_find(struct store *store, const char *service,
                           const uint8_t key_hash[SHA256_BYTES], int64_t not_before_s,
                           struct reply *out, struct buf *sealed, struct vault_error *err)
    VAULT_MUST_CHECK;

/* VAULT_LIMITED if the service, or all together, have as many or as much as they may. */
enum vault_code reply_check_room(struct store *store, const char *service, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Keep one, in the place of an older one of the same key; durable on return. */
enum vault_code reply_put(struct store *store, const struct reply *reply, struct bytes sealed,
                          struct vault_error *err) VAULT_MUST_CHECK;

/* The largest index of any; *found is false if none has an entry. */
enum vault_code reply_last_index(struct store *store, bool *found, uint64_t *index,
                                 struct vault_error *err) VAULT_MUST_CHECK;

/* The log's entry at index has that leaf hash: forget those that say otherwise. And those at an
 * index or behind, which the log does not have. */
enum vault_code reply_settle(struct store *store, uint64_t index, const uint8_t leaf[SHA256_BYTES],
                             struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code reply_forget_from(struct store *store, uint64_t index, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Remove those from before a time, at most limit; *count is how many. */
enum vault_code reply_prune(struct store *store, int64_t before_s, size_t limit, uint64_t *count,
                            struct vault_error *err) VAULT_MUST_CHECK;
