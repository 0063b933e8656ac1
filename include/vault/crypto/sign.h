/*
 * sign - Ed25519 signatures (RFC 8032, section 5.1).
 */
#pragma once

#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/secret.h"

#define SIGN_SEED_BYTES      32
#define SIGN_PUBLIC_BYTES    32
#define SIGN_SIGNATURE_BYTES 64

struct sign_key;

/* The key pair of a seed (the RFC's "private key"). The seed may be freed afterwards. */
enum vault_code sign_key_of_seed(const struct secret *seed, struct sign_key **out,
                                 struct vault_error *err) VAULT_MUST_CHECK;

/* A key pair whose private half is elsewhere, in another process or a token: sign is called for
 * each signature, from any thread. context is borrowed until the key is freed. */
struct sign_elsewhere {
    enum vault_code (*sign)(void *context, struct bytes message, uint8_t out[SIGN_SIGNATURE_BYTES],
                            struct vault_error *err);
    void *context;
};
enum vault_code sign_key_elsewhere(const uint8_t public_key[SIGN_PUBLIC_BYTES],
                                   struct sign_elsewhere elsewhere, struct sign_key **out,
                                   struct vault_error *err) VAULT_MUST_CHECK;

void sign_key_free(struct sign_key **key);
void sign_key_public(const struct sign_key *key, uint8_t out[SIGN_PUBLIC_BYTES]);

/* Sign the message. Safe from several threads with one key. */
enum vault_code sign_message(const struct sign_key *key, struct bytes message,
                             uint8_t out[SIGN_SIGNATURE_BYTES], struct vault_error *err)
    VAULT_MUST_CHECK;

/* VAULT_DENIED unless the signature of the message holds under the public key. */
enum vault_code sign_verify(const uint8_t public_key[SIGN_PUBLIC_BYTES], struct bytes message,
                            const uint8_t signature[SIGN_SIGNATURE_BYTES], struct vault_error *err)
    VAULT_MUST_CHECK;
