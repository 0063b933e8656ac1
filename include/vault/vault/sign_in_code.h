/*
 * sign_in_code - codes that stand for a password, once each.
 *
 * Recovery codes are the citizen's own, for when the password is lost: ten, shown once, good where
 * a password is asked for. An activation code is what the city sends in a letter: with it somebody
 * sets the first password, or another when all is lost. Each use is an event in the citizen's log.
 *
 * A code is SIGN_IN_CODE_LETTERS letters and digits drawn from 27, 114 bits: too many to try, so it
 * stands alone and needs no name beside it, and what is kept of it needs no slow hash (112 bits,
 * NIST SP 800-63B section 5.1.2.2). Those of SIGN_IN_CODE_LETTERS_ONCE, 95 bits, that were given
 * out before still work. Activating hashes the new password first, whatever the code is: so tries
 * cost what a sign-in costs, and as few are made at once.
 */
#pragma once

#include "vault/vault/sign_in.h"

#define SIGN_IN_CODE_LETTERS      24
#define SIGN_IN_CODE_LETTERS_ONCE 20
#define SIGN_IN_CODE_CHARS        29 /* in groups: "7KQM-2XWR-BBCD-9TTH-M4PZ-3FGJ" */
#define SIGN_IN_RECOVERY_CODES    10
#define SIGN_IN_ACTIVATION_DAYS   30

/* Make recovery codes, in the place of those there are. */
enum vault_code sign_in_recovery_make(struct vault *vault, const struct signed_in *session,
                                      char codes[SIGN_IN_RECOVERY_CODES][SIGN_IN_CODE_CHARS + 1],
                                      struct vault_error *err) VAULT_MUST_CHECK;

/* How many are left. */
enum vault_code sign_in_recovery_left(struct vault *vault, const struct signed_in *session,
                                      uint64_t *count, struct vault_error *err) VAULT_MUST_CHECK;

/* What the city sends to somebody. */
struct sign_in_activation {
    char login[SIGN_IN_LOGIN_CHARS + 1];
    char code[SIGN_IN_CODE_CHARS + 1];
    int64_t expires_s;
};

/* Make an activation code for the citizen of that reference, in the place of one there is.
 * VAULT_NOT_FOUND if there is no such citizen, or they have no login. */
enum vault_code sign_in_activation_make(struct vault *vault, const char *reference,
                                        struct sign_in_activation *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Set a password by an activation code, end all sessions and begin one. VAULT_DENIED if the code is
 * none; VAULT_INVALID, VAULT_TOO_LARGE if the password cannot be one; VAULT_CONFLICT if it would be
 * guessed; VAULT_LIMITED if too many are tried at once. */
enum vault_code sign_in_activate(struct vault *vault, struct bytes code, struct bytes new_password,
                                 char token[SIGN_IN_TOKEN_CHARS + 1], struct vault_error *err)
    VAULT_MUST_CHECK;
