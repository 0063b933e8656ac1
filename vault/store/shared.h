/*
 * shared - one connection that many threads use, one at a time.
 *
 *     VAULT_AUTO(shared_let_go) struct hold control = {0};
 *     VAULT_TRY(shared_hold(&store->control, &control, err));
 *
 * SQLCipher 4.6.1 carries SQLite's fault of two connections resetting one write-ahead log, so there
 * is never a second one. A connection that broke is opened again by the next who holds it. Holding
 * twice in one thread is a programming error, and asserted.
 */
#pragma once

#include <limits.h>
#include <pthread.h>

#include "database.h"
#include "vault/store/keyring.h"

struct shared {
    pthread_mutex_t mutex;
    bool ready; /* the mutex is there */
    bool look;  /* the file is looked at only */
    char path[PATH_MAX];
    const char *what;
    const struct database_kind *kind;
    struct secret *key;
    struct database *database; /* NULL: it broke */
};

struct hold {
    struct shared *shared;
    struct database *database;
};

/* What there is to say of one such file. */
struct shared_file {
    const char *name;  /* in the store's folder */
    const char *what;  /* in errors */
    const char *label; /* its key, from the keyring */
    const struct database_kind *kind;
};

enum vault_code shared_create(const struct shared_file *file, const char *dir,
                              const struct keyring *keyring, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code shared_open(struct shared *shared, const struct shared_file *file, const char *dir,
                            const struct keyring *keyring, struct vault_error *err)
    VAULT_MUST_CHECK;
void shared_close(struct shared *shared);

enum vault_code shared_hold(struct shared *shared, struct hold *hold, struct vault_error *err)
    VAULT_MUST_CHECK;
void shared_let_go(struct hold *hold);
