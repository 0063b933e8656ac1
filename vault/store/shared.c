#include "shared.h"
#include "database_copy.h"

#include <assert.h>

#include "vault/base/file.h"

enum vault_code shared_create(const struct shared_file *file, const char *dir,
                              const struct keyring *keyring, struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    VAULT_TRY(file_join(path, sizeof path, dir, file->name, err));
    VAULT_TRY(keyring_derive(keyring, file->label, SECRET_KEY_BYTES, &key, err));
    const struct database_place place = {path, file->what};
    return database_create(&place, key, file->kind, true, NULL, NULL, err);
}

static enum vault_code connect(struct shared *shared, struct vault_error *err)
{
    const struct database_place place = {shared->path, shared->what};
    return (shared->look ? database_look : database_open)(&place, shared->key, shared->kind,
                                                          &shared->database, err);
}

static void mutex_make(struct shared *shared)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&shared->mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    shared->ready = true;
}

enum vault_code shared_open(struct shared *shared, const struct shared_file *file, const char *dir,
                            const struct keyring *keyring, struct vault_error *err)
{
    mutex_make(shared);
    shared->what = file->what;
    shared->kind = file->kind;
    VAULT_TRY(file_join(shared->path, sizeof shared->path, dir, file->name, err));
    VAULT_TRY(keyring_derive(keyring, file->label, SECRET_KEY_BYTES, &shared->key, err));
    return connect(shared, err);
}

void shared_close(struct shared *shared)
{
    database_close(&shared->database);
    secret_free(&shared->key);
    if (shared->ready)
        pthread_mutex_destroy(&shared->mutex);
    shared->ready = false;
}

static void lock(struct shared *shared)
{
    const int result = pthread_mutex_lock(&shared->mutex);
    assert(result == 0);
    (void)result;
}

enum vault_code shared_hold(struct shared *shared, struct hold *hold, struct vault_error *err)
{
    lock(shared);
    if (!shared->database) {
        const enum vault_code code = connect(shared, err);
        if (code) {
            pthread_mutex_unlock(&shared->mutex);
            return code;
        }
    }
    *hold = (struct hold){shared, shared->database};
    return VAULT_OK;
}

void shared_let_go(struct hold *hold)
{
    struct shared *shared = hold->shared;
    *hold = (struct hold){0};
    if (!shared)
        return;
    if (database_is_broken(shared->database))
        database_close(&shared->database);
    pthread_mutex_unlock(&shared->mutex);
}
