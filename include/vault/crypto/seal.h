/*
 * seal - authenticated encryption: AES-256-GCM (NIST SP 800-38D) with a random nonce.
 *
 * A sealed text opens only with the same key and the same associated data, byte for byte; the
 * associated data say what the text is and whose, so that one cannot stand in for another. Layout:
 * nonce 12 bytes, ciphertext, tag 16 bytes. A key seals at most 2^32 texts (SP 800-38D 8.3).
 */
#pragma once

#include <stddef.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/secret.h"

#define SEAL_OVERHEAD_BYTES 28

/* Append the sealed text to out. The key has SECRET_KEY_BYTES. */
enum vault_code seal(const struct secret *key, struct bytes associated, struct bytes plain,
                     struct buf *out, struct vault_error *err) VAULT_MUST_CHECK;

/* Append the plain text to out. VAULT_CORRUPT, and nothing appended, if the key, the associated
 * data or the sealed text is not the right one: which of them cannot be told. */
enum vault_code seal_open(const struct secret *key, struct bytes associated, struct bytes sealed,
                          struct buf *out, struct vault_error *err) VAULT_MUST_CHECK;

/* The same into a secret, for keys that are stored sealed ("wrapped"). */
enum vault_code seal_open_secret(const struct secret *key, struct bytes associated,
                                 struct bytes sealed, struct secret **out, struct vault_error *err)
    VAULT_MUST_CHECK;
