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

/* Each thread keeps its states: to make one and free it takes as long as to hash something short.
 */
static _Thread_local struct own {
    EVP_MD_CTX *hash;
    EVP_MAC_CTX *mac;
} own;
static pthread_once_t owners_once = PTHREAD_ONCE_INIT;
static pthread_key_t owners;

static void free_own(void *unused)
{
    (void)unused;
    EVP_MD_CTX_free(own.hash);
    EVP_MAC_CTX_free(own.mac);
    own = (struct own){NULL, NULL};
}

static void make_key(void)
{
    const int failed = pthread_key_create(&owners, free_own);
    assert(failed == 0);
    (void)failed;
}

/* Free them with the thread. If that cannot be noted they are not freed, which does no harm. */
static void own_one(void)
{
    pthread_once(&owners_once, make_key);
    pthread_setspecific(owners, &own);
}

static EVP_MD_CTX *kept_hash(void)
{
    if (!own.hash) {
        own_one();
        own.hash = context_new();
    }
    return own.hash;
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
    EVP_MD_CTX *context = kept_hash();
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

static EVP_MAC_CTX *mac_new(void)
{
    char digest_name[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(crypto_fetched.hmac);
    if (context && EVP_MAC_CTX_set_params(context, params) == 1)
        return context;
    EVP_MAC_CTX_free(context);
    return NULL;
}

static bool mac(EVP_MAC_CTX *context, uint8_t out[SHA256_BYTES], struct bytes key,
                const struct bytes parts[], size_t part_count)
{
    bool done = context && EVP_MAC_init(context, key.data, key.size, NULL) == 1;
    for (size_t i = 0; i < part_count && done; i++)
        done = EVP_MAC_update(context, parts[i].data, parts[i].size) == 1;
    return done && EVP_MAC_final(context, out, NULL, SHA256_BYTES) == 1;
}

void hmac_sha256(uint8_t out[SHA256_BYTES], struct bytes key, const struct bytes parts[],
                 size_t part_count)
{
    unsigned tries = 0;
    for (bool done = false; !done;) {
        EVP_MAC_CTX *context = mac_new();
        done = mac(context, out, key, parts, part_count);
        EVP_MAC_CTX_free(context);
        if (!done)
            again(&tries);
    }
}

void hmac_sha256_salted(uint8_t out[SHA256_BYTES], struct bytes salt, struct bytes value)
{
    unsigned tries = 0;
    if (!own.mac)
        own_one();
    for (;;) {
        if (!own.mac)
            own.mac = mac_new();
        if (mac(own.mac, out, salt, &value, 1))
            return;
        again(&tries);
    }
}
