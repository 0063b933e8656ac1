/*
 * fetched - what crypto_start() fetched, for the modules of this floor alone.
 */
#pragma once

#include <openssl/evp.h>
#include <stdbool.h>

struct crypto_fetched {
    EVP_MD *sha256;
    EVP_CIPHER *aes_256_gcm;
    EVP_CIPHER *aes_256_ecb;
    EVP_MAC *hmac;
    EVP_KDF *hkdf;
};

extern struct crypto_fetched crypto_fetched;

/* secret.c: a child process forgets what its parent has of randomness. False without memory. */
bool random_start(void);
