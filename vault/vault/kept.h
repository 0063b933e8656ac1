/*
 * kept - the answer that is kept under a key, while a request with that key is worked on; for the
 * modules of this floor alone.
 */
#pragma once

#include <pthread.h>

#include "vault/ledger/ledger.h"
#include "vault/store/reply.h"
#include "vault/vault/repeat.h"
#include "vault/vault/service.h"

#define KEPT_PLAIN_BYTES_MAX (600U * 1024)

struct kept {
    struct vault *vault;
    pthread_mutex_t *lock; /* held: nobody else works on this key */
    bool found;
    struct reply reply;
    struct buf sealed; /* if it was found */
    uint8_t associated[2 * SHA256_BYTES];
};

/* Wait until nobody else works on the key, and look for an answer. VAULT_CONFLICT if there is one
 * to another request; VAULT_LIMITED if there is none and no room for one. */
enum vault_code kept_begin(struct vault *vault, const struct service *service,
                           const struct repeat_key *key, struct kept *out, struct vault_error *err)
    VAULT_MUST_CHECK;
void kept_end(struct kept *kept);

/* What an answer is sealed with beside the key that seals it. */
struct bytes kept_associated(const struct kept *kept);

/* Keep an answer; ticket NULL: it has no entry in the log. Durable on return. */
enum vault_code kept_put(struct kept *kept, struct bytes sealed, const struct ledger_ticket *ticket,
                         struct vault_error *err) VAULT_MUST_CHECK;

/* After a start, before anything is filed: forget answers whose entries did not reach the disk. */
enum vault_code kept_recover(struct vault *vault, struct vault_error *err) VAULT_MUST_CHECK;
