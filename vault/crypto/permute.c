#include "vault/crypto/permute.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

#include "fetched.h"
#include "vault/crypto/crypto.h"

static void context_free(EVP_CIPHER_CTX **context)
{
    EVP_CIPHER_CTX_free(*context);
}

static enum vault_code one_block(const struct secret *key, const uint8_t *block, uint8_t *out,
                                 int encrypt, struct vault_error *err)
{
    assert(secret_view(key).size == SECRET_KEY_BYTES);
    VAULT_AUTO(context_free) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t result[PERMUTE_BLOCK_BYTES * 2];
    int length = 0;
    if (!context ||
        EVP_CipherInit_ex2(context, crypto_fetched.aes_256_ecb, secret_view(key).data, NULL,
                           encrypt, NULL) != 1 ||
        EVP_CIPHER_CTX_set_padding(context, 0) != 1 ||
        EVP_CipherUpdate(context, result, &length, block, PERMUTE_BLOCK_BYTES) != 1 ||
        length != PERMUTE_BLOCK_BYTES)
        return crypto_fail(err, VAULT_NO_MEMORY, "permuting a block");
    memcpy(out, result, PERMUTE_BLOCK_BYTES);
    return VAULT_OK;
}

enum vault_code permute(const struct secret *key, const uint8_t block[PERMUTE_BLOCK_BYTES],
                        uint8_t out[PERMUTE_BLOCK_BYTES], struct vault_error *err)
{
    return one_block(key, block, out, 1, err);
}

enum vault_code permute_back(const struct secret *key, const uint8_t block[PERMUTE_BLOCK_BYTES],
                             uint8_t out[PERMUTE_BLOCK_BYTES], struct vault_error *err)
{
    return one_block(key, block, out, 0, err);
}
