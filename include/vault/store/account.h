/*
 * account - how a citizen signs in: a login, a password's hash, and how often it failed.
 *
 * Logins are compared byte for byte: the caller brings them into one form first. How long to make
 * somebody wait after failed tries is the caller's to decide from what is counted here.
 */
#pragma once

#include <stdint.h>

#include "vault/base/error.h"
#include "vault/crypto/password.h"
#include "vault/store/citizen.h"

#define ACCOUNT_LOGIN_CHARS    128
#define ACCOUNT_LANGUAGE_CHARS 8

struct account {
    struct citizen_id citizen;
    char login[ACCOUNT_LOGIN_CHARS + 1];
    char password_hash[PASSWORD_HASH_CHARS]; /* "": no password set, none is right */
    int64_t first_until_s; /* until when a password that somebody else made lives; 0: their own */
    char language[ACCOUNT_LANGUAGE_CHARS + 1]; /* such as "fr"; "": the browser's wish */
    uint32_t failed_tries;                     /* since the last success */
    int64_t failed_at_s;                       /* the last of them; 0: none */
    uint32_t wrong_tries; /* the same, and those of browsers that are not made to wait for others */
    int64_t wrong_at_s;   /* the last of these; 0: none */
    uint32_t before_tries; /* how many wrong ones were before the last success that had any */
    int64_t before_s;      /* when that was; 0: never */
};

/* VAULT_CONFLICT if the login is taken or the citizen has an account; VAULT_NOT_FOUND if there is
 * no such citizen. The counts are not read and begin at 0. */
enum vault_code account_add(struct store *store, const struct account *account,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_NOT_FOUND. */
enum vault_code account_by_login(struct store *store, const char *login, struct account *out,
                                 struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code account_of_citizen(struct store *store, const struct citizen_id *citizen,
                                   struct account *out, struct vault_error *err) VAULT_MUST_CHECK;

/* Set one thing. VAULT_NOT_FOUND. A new password is the person's own, and clears the count of
 * failures. */
enum vault_code account_set_password(struct store *store, const struct citizen_id *citizen,
                                     const char *password_hash, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code account_set_language(struct store *store, const struct citizen_id *citizen,
                                     const char *language, struct vault_error *err)
    VAULT_MUST_CHECK;

/* One more failed try, or none any more: those before count the try that succeeded as one of them,
 * as it was counted when it was made. VAULT_NOT_FOUND. */
enum vault_code account_failed(struct store *store, const struct citizen_id *citizen, int64_t now_s,
                               struct vault_error *err) VAULT_MUST_CHECK;
/* One more that makes nobody wait: of wrong_tries alone. VAULT_NOT_FOUND. */
enum vault_code account_tried(struct store *store, const struct citizen_id *citizen, int64_t now_s,
                              struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code account_succeeded(struct store *store, const struct citizen_id *citizen,
                                  struct vault_error *err) VAULT_MUST_CHECK;
