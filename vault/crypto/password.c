#include "vault/crypto/password.h"

#include <argon2.h>
#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include "vault/crypto/secret.h"

#define SALT_BYTES 16
#define HASH_BYTES 32
#define LANES      1U

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t slot_free = PTHREAD_COND_INITIALIZER;
static unsigned running;
static unsigned waiting;

static enum vault_code slot_take(struct vault_error *err)
{
    pthread_mutex_lock(&mutex);
    const bool admitted = waiting < PASSWORD_WAITING_MAX;
    if (admitted) {
        waiting++;
        while (running >= PASSWORD_CHECKS_AT_ONCE)
            pthread_cond_wait(&slot_free, &mutex);
        waiting--;
        running++;
    }
    pthread_mutex_unlock(&mutex);
    return admitted ? VAULT_OK
                    : vault_fail(err, VAULT_LIMITED, "too many passwords to check at once");
}

static void slot_give(void)
{
    pthread_mutex_lock(&mutex);
    running--;
    pthread_cond_signal(&slot_free);
    pthread_mutex_unlock(&mutex);
}

enum vault_code password_hash(struct bytes password, char out[PASSWORD_HASH_CHARS],
                              struct vault_error *err)
{
    if (password.size == 0 || password.size > PASSWORD_MAX_BYTES)
        return vault_fail(err, VAULT_INVALID, "a password has 1 to %u bytes", PASSWORD_MAX_BYTES);
    uint8_t salt[SALT_BYTES];
    random_bytes(salt, sizeof salt);
    char encoded[PASSWORD_HASH_CHARS];
    VAULT_TRY(slot_take(err));
    const int result = argon2id_hash_encoded(PASSWORD_PASSES, PASSWORD_MEMORY_KIB, LANES,
                                             password.data, password.size, salt, sizeof salt,
                                             HASH_BYTES, encoded, sizeof encoded);
    slot_give();
    if (result != ARGON2_OK)
        return vault_fail(err, VAULT_NO_MEMORY, "hashing a password: %s",
                          argon2_error_message(result));
    snprintf(out, PASSWORD_HASH_CHARS, "%s", encoded);
    return VAULT_OK;
}

enum vault_code password_check(struct bytes password, const char *hash, struct vault_error *err)
{
    if (password.size == 0 || password.size > PASSWORD_MAX_BYTES)
        return vault_fail(err, VAULT_DENIED, "the password is not the one");
    if (!hash) {
        char unused[PASSWORD_HASH_CHARS];
        VAULT_TRY(password_hash(password, unused, err));
        return vault_fail(err, VAULT_DENIED, "the password is not the one");
    }
    VAULT_TRY(slot_take(err));
    const int result = argon2id_verify(hash, password.data, password.size);
    slot_give();
    if (result == ARGON2_MEMORY_ALLOCATION_ERROR)
        return vault_fail(err, VAULT_NO_MEMORY, "no memory to check a password with");
    if (result != ARGON2_OK)
        return vault_fail(err, VAULT_DENIED, "the password is not the one");
    return VAULT_OK;
}

static enum vault_code check_cost(const struct password_cost *cost, struct vault_error *err)
{
    if (cost->passes < 1 || cost->passes > PASSWORD_COST_PASSES_MAX || cost->lanes < 1 ||
        cost->lanes > PASSWORD_COST_LANES_MAX || cost->memory_kib < 8 * cost->lanes ||
        cost->memory_kib > PASSWORD_COST_MEMORY_MAX)
        return vault_fail(err, VAULT_INVALID,
                          "the cost of a key from a passphrase is out of bounds");
    return VAULT_OK;
}

enum vault_code password_key(struct bytes passphrase, struct bytes salt,
                             const struct password_cost *cost, struct secret **out,
                             struct vault_error *err)
{
    assert(salt.size == PASSWORD_SALT_BYTES);
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    VAULT_TRY(check_cost(cost, err));
    if (passphrase.size == 0 || passphrase.size > PASSWORD_MAX_BYTES)
        return vault_fail(err, VAULT_INVALID, "a passphrase has 1 to %u bytes", PASSWORD_MAX_BYTES);
    VAULT_TRY(secret_new(SECRET_KEY_BYTES, &key, err));
    VAULT_TRY(slot_take(err));
    const int result = argon2id_hash_raw(cost->passes, cost->memory_kib, cost->lanes,
                                         passphrase.data, passphrase.size, salt.data, salt.size,
                                         secret_data(key), SECRET_KEY_BYTES);
    slot_give();
    if (result != ARGON2_OK)
        return vault_fail(err, VAULT_NO_MEMORY, "deriving a key from a passphrase: %s",
                          argon2_error_message(result));
    *out = VAULT_TAKE(key);
    return VAULT_OK;
}
