#include "vault/crypto/sign.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "vault/base/insist.h"
#include "vault/crypto/crypto.h"

struct sign_key {
    EVP_PKEY *pair; /* OpenSSL keeps the private half in the secure heap; NULL: it is elsewhere */
    struct sign_elsewhere elsewhere;
    uint8_t public_key[SIGN_PUBLIC_BYTES];
};

static void digest_free(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

static void pair_free(EVP_PKEY **pair)
{
    EVP_PKEY_free(*pair);
}

enum vault_code sign_key_of_seed(const struct secret *seed, struct sign_key **out,
                                 struct vault_error *err)
{
    const struct bytes raw = secret_view(seed);
    assert(raw.size == SIGN_SEED_BYTES);
    VAULT_AUTO(sign_key_free) struct sign_key *key = calloc(1, sizeof *key);
    if (!key)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    size_t size = sizeof key->public_key;
    key->pair = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, raw.data, raw.size);
    if (!key->pair || EVP_PKEY_get_raw_public_key(key->pair, key->public_key, &size) != 1)
        return crypto_fail(err, VAULT_NO_MEMORY, "making a signing key");
    *out = VAULT_TAKE(key);
    return VAULT_OK;
}

enum vault_code sign_key_elsewhere(const uint8_t public_key[SIGN_PUBLIC_BYTES],
                                   struct sign_elsewhere elsewhere, struct sign_key **out,
                                   struct vault_error *err)
{
    struct sign_key *key = calloc(1, sizeof *key);
    if (!key)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    key->elsewhere = elsewhere;
    memcpy(key->public_key, public_key, sizeof key->public_key);
    *out = key;
    return VAULT_OK;
}

void sign_key_free(struct sign_key **key)
{
    if (*key) {
        EVP_PKEY_free((*key)->pair);
        free(*key);
    }
    *key = NULL;
}

void sign_key_public(const struct sign_key *key, uint8_t out[SIGN_PUBLIC_BYTES])
{
    memcpy(out, key->public_key, SIGN_PUBLIC_BYTES);
}

enum vault_code sign_message(const struct sign_key *key, struct bytes message,
                             uint8_t out[SIGN_SIGNATURE_BYTES], struct vault_error *err)
{
    if (!key->pair)
        return key->elsewhere.sign(key->elsewhere.context, message, out, err);
    VAULT_AUTO(digest_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t signature[SIGN_SIGNATURE_BYTES];
    size_t size = sizeof signature;
    if (!context || EVP_DigestSignInit_ex(context, NULL, NULL, NULL, NULL, key->pair, NULL) != 1 ||
        EVP_DigestSign(context, signature, &size, message.data, message.size) != 1)
        return crypto_fail(err, VAULT_NO_MEMORY, "signing");
    memcpy(out, signature, sizeof signature);
    return VAULT_OK;
}

/* Of a signature that does not hold, and of memory that it did not get, OpenSSL says the same. */
static bool holds(const uint8_t public_key[SIGN_PUBLIC_BYTES], struct bytes message,
                  const uint8_t signature[SIGN_SIGNATURE_BYTES], bool *is_sure)
{
    VAULT_AUTO(digest_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
    VAULT_AUTO(pair_free)
    EVP_PKEY *pair =
        EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, public_key, SIGN_PUBLIC_BYTES);
    *is_sure = context && pair &&
               EVP_DigestVerifyInit_ex(context, NULL, NULL, NULL, NULL, pair, NULL) == 1;
    return *is_sure && EVP_DigestVerify(context, signature, SIGN_SIGNATURE_BYTES, message.data,
                                        message.size) == 1;
}

/* A signature that is wrongly taken for none is a log that is wrongly taken for forged: it is
 * believed when it was said twice, with memory for what comes before. */
enum vault_code sign_verify(const uint8_t public_key[SIGN_PUBLIC_BYTES], struct bytes message,
                            const uint8_t signature[SIGN_SIGNATURE_BYTES], struct vault_error *err)
{
    unsigned tries = 0;
    for (unsigned refusals = 0; refusals < 2;) {
        bool is_sure = false;
        if (holds(public_key, message, signature, &is_sure))
            return VAULT_OK;
        if (is_sure)
            refusals++;
        else
            insist_again(&tries, "checking a signature");
    }
    return crypto_fail(err, VAULT_DENIED, "a signature does not hold");
}
