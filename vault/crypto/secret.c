#include "vault/crypto/secret.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>

#include "fetched.h"
#include "vault/base/insist.h"

#define RANDOM_STORE_BYTES 1024

struct secret {
    size_t size;
    uint8_t data[];
};

enum vault_code secret_new(size_t size_bytes, struct secret **out, struct vault_error *err)
{
    assert(size_bytes >= 1 && size_bytes <= SECRET_MAX_BYTES);
    struct secret *secret = OPENSSL_secure_zalloc(sizeof *secret + size_bytes);
    if (!secret)
        return vault_fail(err, VAULT_NO_MEMORY, "the locked memory for keys is full");
    secret->size = size_bytes;
    *out = secret;
    return VAULT_OK;
}

enum vault_code secret_copy(struct bytes bytes, struct secret **out, struct vault_error *err)
{
    struct secret *secret = NULL;
    VAULT_TRY(secret_new(bytes.size, &secret, err));
    memcpy(secret->data, bytes.data, bytes.size);
    *out = secret;
    return VAULT_OK;
}

enum vault_code secret_random(size_t size_bytes, struct secret **out, struct vault_error *err)
{
    struct secret *secret = NULL;
    VAULT_TRY(secret_new(size_bytes, &secret, err));
    if (RAND_priv_bytes(secret->data, (int)size_bytes) != 1) {
        secret_free(&secret);
        return vault_fail(err, VAULT_UNAVAILABLE, "no randomness to make a key from");
    }
    *out = secret;
    return VAULT_OK;
}

void secret_free(struct secret **secret)
{
    if (*secret)
        OPENSSL_secure_clear_free(*secret, sizeof **secret + (*secret)->size);
    *secret = NULL;
}

struct bytes secret_view(const struct secret *secret)
{
    return (struct bytes){.data = secret->data, .size = secret->size};
}

uint8_t *secret_data(struct secret *secret)
{
    return secret->data;
}

bool secret_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && CRYPTO_memcmp(a.data, b.data, a.size) == 0;
}

static void random_fill(void *out, size_t size_bytes)
{
    unsigned tries = 0;
    while (RAND_bytes(out, (int)size_bytes) != 1) {
        ERR_clear_error();
        insist_again(&tries, "randomness");
    }
}

/* The generator is asked for many at a time: a release needs some ten times over, and each asking
 * costs a call of the system. Who can read this can read the generator's state as well. What was
 * given is wiped; and a child process, which has a copy, must not give the same again. */
static _Thread_local struct {
    uint8_t bytes[RANDOM_STORE_BYTES];
    size_t left;
} store;

static void random_forget(void)
{
    explicit_bzero(&store, sizeof store);
}

bool random_start(void)
{
    return pthread_atfork(NULL, NULL, random_forget) == 0;
}

void random_bytes(void *out, size_t size_bytes)
{
    if (size_bytes > sizeof store.bytes) {
        random_fill(out, size_bytes);
        return;
    }
    if (size_bytes > store.left) {
        random_fill(store.bytes, sizeof store.bytes);
        store.left = sizeof store.bytes;
    }
    store.left -= size_bytes;
    memcpy(out, store.bytes + store.left, size_bytes);
    explicit_bzero(store.bytes + store.left, size_bytes);
}
