/*
 * keyring_file - keyring.json in and out.
 *
 *     {"format":"citizen-vault-keyring/2","vault":HEX,
 *      "provider":{"name":"file","check":HEX,"note":BASE64},
 *      "recovery":BASE64,
 *      "roots":[{"version":1,"provider":BASE64,"recovery":BASE64},…],
 *      "seed":BASE64,"mac":BASE64}
 *
 * check tells whether a key is the one that wrapped, before anything is opened with it; note is the
 * provider's own, to find its key again. recovery is the public half of the recovery secret. Each
 * root is there twice, the newest last. seed is the vault seed, wrapped by the newest root. mac is
 * over all the rest, under a key from the vault seed.
 *
 * The first format, which is read and no longer written, had one root, and that wrapped by a key
 * from the recovery secret:
 *
 *     {"format":"citizen-vault-keyring/1","vault":HEX,"root":1,
 *      "wraps":[{"by":"file","check":HEX,"sealed":BASE64},{"by":"recovery",…}],
 *      "seed":BASE64,"mac":BASE64}
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/hpke.h"
#include "vault/store/keyring.h"

#define KEYRING_CHECK_BYTES    8
#define KEYRING_NAME_CHARS     16
#define KEYRING_NOTE_MAX_BYTES 128
#define KEYRING_SEALED_BYTES   (SECRET_KEY_BYTES + SEAL_OVERHEAD_BYTES)
#define KEYRING_HPKE_BYTES     (SECRET_KEY_BYTES + HPKE_OVERHEAD_BYTES)

struct keyring_file_root {
    uint32_t version;
    uint8_t by_provider[KEYRING_SEALED_BYTES];
    uint8_t by_recovery[KEYRING_HPKE_BYTES]; /* in the first format: KEYRING_SEALED_BYTES of it */
};

struct keyring_file {
    unsigned format;                    /* 1 or 2 */
    uint8_t vault[KEYRING_OWNER_BYTES]; /* a random name for this vault */
    char provider[KEYRING_NAME_CHARS + 1];
    uint8_t check[KEYRING_CHECK_BYTES];
    uint8_t note[KEYRING_NOTE_MAX_BYTES];
    size_t note_size;
    uint8_t recovery[HPKE_KEY_BYTES];            /* public; in the second format */
    uint8_t recovery_check[KEYRING_CHECK_BYTES]; /* in the first */
    struct keyring_file_root roots[KEYRING_ROOTS_MAX];
    size_t root_count;
    uint8_t seed[KEYRING_WRAPPED_BYTES];
    uint8_t mac[SHA256_BYTES];
};

/* VAULT_NOT_FOUND if there is no keyring in the folder; VAULT_CORRUPT if it is not as above. */
enum vault_code keyring_file_read(const char *dir, struct keyring_file *out,
                                  struct vault_error *err) VAULT_MUST_CHECK;

/* Make it (VAULT_CONFLICT if there is one), or replace it whole. The second format only. */
enum vault_code keyring_file_write(const char *dir, const struct keyring_file *file, bool replace,
                                   struct vault_error *err) VAULT_MUST_CHECK;

/* The mac that the file should have. */
void keyring_file_mac(const struct keyring_file *file, const struct secret *key,
                      uint8_t out[SHA256_BYTES]);

/* Hold the folder's lock while the keyring is changed: wait for whoever has it. The descriptor is
 * the caller's to close, which lets go. */
enum vault_code keyring_file_lock(const char *dir, int *fd, struct vault_error *err)
    VAULT_MUST_CHECK;
