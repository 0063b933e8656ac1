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
