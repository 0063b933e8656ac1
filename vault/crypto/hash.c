#include "vault/crypto/hash.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "fetched.h"
#include "vault/base/insist.h"

/* A hash has no way to fail: what is named by it would have no name. */
static void again(unsigned *tries)
{
    ERR_clear_error();
    insist_again(tries, "hashing");
}

static EVP_MD_CTX *context_new(void)
{
    unsigned tries = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    while (!context) {
        again(&tries);
        context = EVP_MD_CTX_new();
    }
    return context;
}

static void begin(EVP_MD_CTX *context)
{
    unsigned tries = 0;
    while (EVP_DigestInit_ex2(context, crypto_fetched.sha256, NULL) != 1)
        again(&tries);
}

/* Each thread keeps a state: to make one and free it takes as long as to hash something short. */
static _Thread_local EVP_MD_CTX *own_context;
static pthread_once_t contexts_once = PTHREAD_ONCE_INIT;
static pthread_key_t contexts;

static void free_context(void *context)
{
    own_context = NULL;
    EVP_MD_CTX_free(context);
}

static void make_key(void)
{
    const int failed = pthread_key_create(&contexts, free_context);
    assert(failed == 0);
    (void)failed;
}

static EVP_MD_CTX *kept_context(void)
{
    if (!own_context) {
        pthread_once(&contexts_once, make_key);
        own_context = context_new();
        pthread_setspecific(contexts, own_context); /* if this fails, it is not freed: no harm */
    }
    return own_context;
}

static bool digest(EVP_MD_CTX *context, uint8_t out[SHA256_BYTES], const struct bytes parts[],
                   size_t part_count)
{
    bool done = EVP_DigestInit_ex2(context, crypto_fetched.sha256, NULL) == 1;
    for (size_t i = 0; i < part_count && done; i++)
        done = EVP_DigestUpdate(context, parts[i].data, parts[i].size) == 1;
    return done && EVP_DigestFinal_ex(context, out, NULL) == 1;
}

/* The state holds nothing of the parts afterwards. */
void sha256(uint8_t out[SHA256_BYTES], const struct bytes parts[], size_t part_count)
{
    unsigned tries = 0;
    EVP_MD_CTX *context = kept_context();
    while (!digest(context, out, parts, part_count))
        again(&tries);
    begin(context);
}

void sha256_of(uint8_t out[SHA256_BYTES], struct bytes bytes)
{
    sha256(out, &bytes, 1);
}

struct hasher {
    EVP_MD_CTX *context;
};

struct hasher *hasher_new(void)
{
    struct hasher *hasher = insist_malloc(sizeof *hasher, "hashing");
    hasher->context = context_new();
    return hasher;
}

void hasher_free(struct hasher **hasher)
{
    if (*hasher)
        EVP_MD_CTX_free((*hasher)->context);
    free(*hasher);
    *hasher = NULL;
}

void hasher_begin(struct hasher *hasher)
{
    begin(hasher->context);
}

/* What was begun asks for no more memory. */
void hasher_add(struct hasher *hasher, struct bytes part)
{
    const int done = EVP_DigestUpdate(hasher->context, part.data, part.size);
    assert(done == 1);
    (void)done;
}

void hasher_end(struct hasher *hasher, uint8_t out[SHA256_BYTES])
{
    const int done = EVP_DigestFinal_ex(hasher->context, out, NULL);
    assert(done == 1);
    (void)done;
}

static bool mac(uint8_t out[SHA256_BYTES], struct bytes key, const struct bytes parts[],
                size_t part_count)
{
    char digest_name[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(crypto_fetched.hmac);
    bool done = context && EVP_MAC_init(context, key.data, key.size, params) == 1;
    for (size_t i = 0; i < part_count && done; i++)
        done = EVP_MAC_update(context, parts[i].data, parts[i].size) == 1;
    done = done && EVP_MAC_final(context, out, NULL, SHA256_BYTES) == 1;
    EVP_MAC_CTX_free(context);
    return done;
}

void hmac_sha256(uint8_t out[SHA256_BYTES], struct bytes key, const struct bytes parts[],
                 size_t part_count)
{
    unsigned tries = 0;
    while (!mac(out, key, parts, part_count))
        again(&tries);
}
