/*
 * inspect - what an operator may look at: a service's registration and keys, and which citizens
 * there are. Never a value, a consent or a password; looking changes nothing, and has no entry in
 * the log.
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/vault/vault.h"

#define INSPECT_CITIZENS_MAX 500 /* that one call gives */

/* Append {"service": the registration, "state", "certificates":
 * [{"key","state","added","expires"}]}, a key by its SPKI's SHA-256 in hex. VAULT_NOT_FOUND, not
 * for one that was removed. */
enum vault_code inspect_service(struct vault *vault, const char *id, struct buf *out,
                                struct vault_error *err) VAULT_MUST_CHECK;

/* Append {"reference","since","login","passkeys","password"}: how they come in, with login null
 * for none, and whether a password is set. VAULT_NOT_FOUND. */
enum vault_code inspect_citizen(struct vault *vault, const char *reference, struct buf *out,
                                struct vault_error *err) VAULT_MUST_CHECK;

/* Append {"citizens":[{"reference","since"}],"next"}: those behind `after`, which is a former
 * "next" or empty for the first; next is null at the end. VAULT_INVALID if after is none. */
enum vault_code inspect_citizens(struct vault *vault, const char *after, struct buf *out,
                                 struct vault_error *err) VAULT_MUST_CHECK;
