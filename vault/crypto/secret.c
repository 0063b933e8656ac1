#include "vault/crypto/secret.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <string.h>

#include "vault/base/insist.h"

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

void random_bytes(void *out, size_t size_bytes)
{
    unsigned tries = 0;
    while (RAND_bytes(out, (int)size_bytes) != 1) {
        ERR_clear_error();
        insist_again(&tries, "randomness");
    }
}
