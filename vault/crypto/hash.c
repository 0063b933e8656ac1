#include "vault/crypto/hash.h"

#include <openssl/core_names.h>
#include <stdio.h>
#include <stdlib.h>

#include "fetched.h"

/* A hash that fails leaves nothing sound to go on with. */
static void must(int done)
{
    if (done != 1) {
        fputs("hashing failed: out of memory\n", stderr);
        abort();
    }
}

static void digest(EVP_MD_CTX *context, uint8_t out[SHA256_BYTES], const struct bytes parts[],
                   size_t part_count)
{
    must(EVP_DigestInit_ex2(context, crypto_fetched.sha256, NULL));
    for (size_t i = 0; i < part_count; i++)
        must(EVP_DigestUpdate(context, parts[i].data, parts[i].size));
    must(EVP_DigestFinal_ex(context, out, NULL));
}

void sha256(uint8_t out[SHA256_BYTES], const struct bytes parts[], size_t part_count)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    must(context != NULL);
    digest(context, out, parts, part_count);
    EVP_MD_CTX_free(context);
}

struct hasher {
    EVP_MD_CTX *context;
};

struct hasher *hasher_new(void)
{
    struct hasher *hasher = calloc(1, sizeof *hasher);
    must(hasher != NULL);
    hasher->context = EVP_MD_CTX_new();
    must(hasher->context != NULL);
    return hasher;
}

void hasher_free(struct hasher **hasher)
{
    if (*hasher)
        EVP_MD_CTX_free((*hasher)->context);
    free(*hasher);
    *hasher = NULL;
}

void hasher_sha256(struct hasher *hasher, uint8_t out[SHA256_BYTES], const struct bytes parts[],
                   size_t part_count)
{
    digest(hasher->context, out, parts, part_count);
}

void hasher_begin(struct hasher *hasher)
{
    must(EVP_DigestInit_ex2(hasher->context, crypto_fetched.sha256, NULL));
}

void hasher_add(struct hasher *hasher, struct bytes part)
{
    must(EVP_DigestUpdate(hasher->context, part.data, part.size));
}

void hasher_end(struct hasher *hasher, uint8_t out[SHA256_BYTES])
{
    must(EVP_DigestFinal_ex(hasher->context, out, NULL));
}

void sha256_of(uint8_t out[SHA256_BYTES], struct bytes bytes)
{
    sha256(out, &bytes, 1);
}

void hmac_sha256(uint8_t out[SHA256_BYTES], struct bytes key, const struct bytes parts[],
                 size_t part_count)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(crypto_fetched.hmac);
    must(context != NULL);
    must(EVP_MAC_init(context, key.data, key.size, params));
    for (size_t i = 0; i < part_count; i++)
        must(EVP_MAC_update(context, parts[i].data, parts[i].size));
    must(EVP_MAC_final(context, out, NULL, SHA256_BYTES));
    EVP_MAC_CTX_free(context);
}
