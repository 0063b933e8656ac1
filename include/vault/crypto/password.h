/*
 * password - passwords kept as Argon2id (RFC 9106), and checked.
 *
 * The cost is 46 MiB and one pass, one of OWASP's settings; a check takes some tens of milliseconds
 * and all of that memory, so that no more than PASSWORD_CHECKS_AT_ONCE run at a time; others wait,
 * up to PASSWORD_WAITING_MAX of them, and further ones are VAULT_LIMITED.
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/secret.h"

#define PASSWORD_MEMORY_KIB     (46U * 1024)
#define PASSWORD_PASSES         1U
#define PASSWORD_CHECKS_AT_ONCE 2U
#define PASSWORD_WAITING_MAX    64U
#define PASSWORD_MAX_BYTES      1024U
#define PASSWORD_HASH_CHARS     128 /* at most, with the final NUL */

/* The encoded hash with a fresh salt, "$argon2id$…", NUL-ended. */
enum vault_code password_hash(struct bytes password, char out[PASSWORD_HASH_CHARS],
                              struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_DENIED unless the password is the one. With hash NULL the same work is done and denied, so
 * that an unknown login takes as long as a wrong password. */
enum vault_code password_check(struct bytes password, const char *hash, struct vault_error *err)
    VAULT_MUST_CHECK;

/* What deriving a key costs (RFC 9106, section 3.1): kibibytes of memory, passes over it, and
 * threads. */
struct password_cost {
    uint32_t memory_kib;
    uint32_t passes;
    uint32_t lanes;
};

#define PASSWORD_SALT_BYTES      16
#define PASSWORD_COST_MEMORY_MAX (1024U * 1024)
#define PASSWORD_COST_PASSES_MAX 64U
#define PASSWORD_COST_LANES_MAX  16U

/* A key of SECRET_KEY_BYTES from a passphrase of 1 to PASSWORD_MAX_BYTES and PASSWORD_SALT_BYTES of
 * salt. VAULT_INVALID for a cost over the limits above, or less than Argon2 allows. */
enum vault_code password_key(struct bytes passphrase, struct bytes salt,
                             const struct password_cost *cost, struct secret **out,
                             struct vault_error *err) VAULT_MUST_CHECK;
