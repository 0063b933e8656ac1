#include "vault/crypto/seal.h"

#include <assert.h>
#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

#include "fetched.h"
#include "vault/crypto/crypto.h"

#define NONCE_BYTES 12
#define TAG_BYTES   16

static void context_free(EVP_CIPHER_CTX **context)
{
    EVP_CIPHER_CTX_free(*context);
}

static bool key_fits(const struct secret *key)
{
    return secret_view(key).size == SECRET_KEY_BYTES;
}

static bool encrypt(EVP_CIPHER_CTX *context, const struct secret *key, struct bytes associated,
                    struct bytes plain, uint8_t *place)
{
    uint8_t *nonce = place;
    uint8_t *cipher = place + NONCE_BYTES;
    uint8_t *tag = cipher + plain.size;
    int length = 0;
    random_bytes(nonce, NONCE_BYTES);
    return EVP_EncryptInit_ex2(context, crypto_fetched.aes_256_gcm, secret_view(key).data, nonce,
                               NULL) == 1 &&
           EVP_EncryptUpdate(context, NULL, &length, associated.data, (int)associated.size) == 1 &&
           (plain.size == 0 ||
            EVP_EncryptUpdate(context, cipher, &length, plain.data, (int)plain.size) == 1) &&
           EVP_EncryptFinal_ex(context, tag, &length) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, tag) == 1;
}

enum vault_code seal(const struct secret *key, struct bytes associated, struct bytes plain,
                     struct buf *out, struct vault_error *err)
{
    assert(key_fits(key) && plain.size <= INT_MAX && associated.size <= INT_MAX);
    VAULT_AUTO(context_free) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t *place = buf_extend(out, plain.size + SEAL_OVERHEAD_BYTES);
    if (!place)
        return buf_check(out, err);
    if (context && encrypt(context, key, associated, plain, place))
        return VAULT_OK;
    out->size -= plain.size + SEAL_OVERHEAD_BYTES;
    return crypto_fail(err, VAULT_NO_MEMORY, "sealing");
}

/* Decrypt into place, which has the size of the ciphertext. Nothing in it counts before the tag of
 * it all was looked at; what fails before that is short of memory. */
static bool decrypt(EVP_CIPHER_CTX *context, const struct secret *key, struct bytes associated,
                    struct bytes sealed, uint8_t *place)
{
    const size_t size = sealed.size - SEAL_OVERHEAD_BYTES;
    const uint8_t *cipher = sealed.data + NONCE_BYTES;
    uint8_t tag[TAG_BYTES];
    memcpy(tag, cipher + size, TAG_BYTES);
    int length = 0;
    return EVP_DecryptInit_ex2(context, crypto_fetched.aes_256_gcm, secret_view(key).data,
                               sealed.data, NULL) == 1 &&
           EVP_DecryptUpdate(context, NULL, &length, associated.data, (int)associated.size) == 1 &&
           (size == 0 || EVP_DecryptUpdate(context, place, &length, cipher, (int)size) == 1) &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag) == 1;
}

static enum vault_code open_into(const struct secret *key, struct bytes associated,
                                 struct bytes sealed, uint8_t *place, struct vault_error *err)
{
    assert(key_fits(key) && sealed.size <= INT_MAX && associated.size <= INT_MAX);
    VAULT_AUTO(context_free) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    const size_t size = sealed.size - SEAL_OVERHEAD_BYTES;
    const bool decrypted = context && decrypt(context, key, associated, sealed, place);
    int length = 0;
    if (decrypted && EVP_DecryptFinal_ex(context, place + size, &length) == 1)
        return VAULT_OK;
    explicit_bzero(place, size);
    if (!decrypted)
        return crypto_fail(err, VAULT_NO_MEMORY, "opening a sealed text");
    return crypto_fail(err, VAULT_CORRUPT,
                       "a sealed text does not open: the key or the text is not the right one");
}

enum vault_code seal_open(const struct secret *key, struct bytes associated, struct bytes sealed,
                          struct buf *out, struct vault_error *err)
{
    if (sealed.size < SEAL_OVERHEAD_BYTES)
        return vault_fail(err, VAULT_CORRUPT, "a sealed text is too short");
    const size_t size = sealed.size - SEAL_OVERHEAD_BYTES;
    uint8_t *place = buf_extend(out, size);
    if (!place)
        return buf_check(out, err);
    const enum vault_code code = open_into(key, associated, sealed, place, err);
    if (code)
        out->size -= size;
    return code;
}

enum vault_code seal_open_secret(const struct secret *key, struct bytes associated,
                                 struct bytes sealed, struct secret **out, struct vault_error *err)
{
    if (sealed.size <= SEAL_OVERHEAD_BYTES || sealed.size > SECRET_MAX_BYTES + SEAL_OVERHEAD_BYTES)
        return vault_fail(err, VAULT_CORRUPT, "a sealed key has the wrong size");
    VAULT_AUTO(secret_free) struct secret *secret = NULL;
    VAULT_TRY(secret_new(sealed.size - SEAL_OVERHEAD_BYTES, &secret, err));
    VAULT_TRY(open_into(key, associated, sealed, secret_data(secret), err));
    *out = VAULT_TAKE(secret);
    return VAULT_OK;
}
