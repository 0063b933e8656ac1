/*
 * kdf - keys from a key: HKDF-SHA-256 (RFC 5869), one label for each use.
 */
#pragma once

#include "vault/base/error.h"
#include "vault/crypto/secret.h"

/* A key of size bytes (at most 255 * 32) from a key that is already uniformly random. The label
 * says what for, such as "vault/control-store/1"; no salt. */
enum vault_code kdf_derive(const struct secret *key, const char *label, size_t size_bytes,
                           struct secret **out, struct vault_error *err) VAULT_MUST_CHECK;

/* All of RFC 5869, for its test vectors and for inputs that are not uniform. */
enum vault_code kdf_hkdf(struct bytes key, struct bytes salt, struct bytes info, size_t size_bytes,
                         struct secret **out, struct vault_error *err) VAULT_MUST_CHECK;
