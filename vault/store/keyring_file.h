/*
 * keyring_file - keyring.json in and out.
 *
 *     {"format":"citizen-vault-keyring/1","vault":HEX,"root":1,
 *      "wraps":[{"by":"file","check":HEX,"sealed":BASE64},{"by":"recovery",…}],
 *      "seed":BASE64,"mac":BASE64}
 *
 * check tells whether a key is the one that wrapped, before anything is opened with it. seed is the
 * vault seed, wrapped by the root. mac is over all the rest, under a key from the vault seed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/hash.h"
#include "vault/store/keyring.h"

#define KEYRING_WRAPS        2 /* by the provider, by the recovery secret */
#define KEYRING_CHECK_BYTES  8
#define KEYRING_BY_CHARS     16
#define KEYRING_SEALED_BYTES (SECRET_KEY_BYTES + SEAL_OVERHEAD_BYTES)
#define KEYRING_BY_RECOVERY  "recovery"

struct keyring_wrap_row {
    char by[KEYRING_BY_CHARS + 1];
    uint8_t check[KEYRING_CHECK_BYTES];
    uint8_t sealed[KEYRING_SEALED_BYTES]; /* the root key */
};

struct keyring_file {
    uint8_t vault[KEYRING_OWNER_BYTES]; /* a random name for this vault */
    uint32_t root_version;
    struct keyring_wrap_row wraps[KEYRING_WRAPS]; /* the provider's first */
    uint8_t seed[KEYRING_WRAPPED_BYTES];
    uint8_t mac[SHA256_BYTES];
};

/* VAULT_NOT_FOUND if there is no keyring in the folder; VAULT_CORRUPT if it is not as above. */
enum vault_code keyring_file_read(const char *dir, struct keyring_file *out,
                                  struct vault_error *err) VAULT_MUST_CHECK;

/* Make it (VAULT_CONFLICT if there is one), or replace it whole. */
enum vault_code keyring_file_write(const char *dir, const struct keyring_file *file, bool replace,
                                   struct vault_error *err) VAULT_MUST_CHECK;

/* The mac that the file should have. */
void keyring_file_mac(const struct keyring_file *file, const struct secret *key,
                      uint8_t out[SHA256_BYTES]);
