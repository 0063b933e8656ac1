/*
 * passkey - public keys by which a citizen or a mediator signs in without a password (WebAuthn),
 * several each. One is either's alone, for ever: whoever finds one looks whose it is.
 *
 * A passkey is known by its credential, the name that its authenticator gave it. What it signed
 * counts once: of two challenges the later one must have been made later, to the millisecond, and
 * its counter must have grown unless it does not count. Both are held to in the statement that
 * notes the use, so that no replay is let in by a race, a restart or a full memory.
 *
 * When a challenge is too old, and whether a signature is right, is the caller's to decide.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/store/citizen.h"
#include "vault/store/structure.h"

#define PASSKEYS_EACH            16   /* of one citizen, of one mediator */
#define PASSKEY_CREDENTIAL_BYTES 1023 /* at most (WebAuthn section 4) */
#define PASSKEY_KEY_BYTES        259  /* at most: RSA of 2048 bits, with its exponent */
#define PASSKEY_USER_BYTES       16
#define PASSKEY_NAME_BYTES       160

struct passkey {
    uint8_t credential[PASSKEY_CREDENTIAL_BYTES];
    size_t credential_bytes;
    struct citizen_id citizen;               /* whose it is, unless it is a mediator's */
    char mediator[MEDIATOR_LOGIN_CHARS + 1]; /* then their login; empty: a citizen's */
    uint8_t user[PASSKEY_USER_BYTES];        /* what authenticators call its owner */
    int algorithm;                           /* of COSE: -7, -8 or -257 */
    uint8_t key[PASSKEY_KEY_BYTES];          /* as libfido2 has it */
    size_t key_bytes;
    uint32_t sign_count; /* 0: it does not count */
    char name[PASSKEY_NAME_BYTES + 1];
    int64_t created_s;
    int64_t used_s;       /* 0: not yet */
    int64_t challenge_ms; /* when the last challenge that it answered was made */
};

/* Whose passkeys: one of the two. Borrowed. */
struct passkey_owner {
    const struct citizen_id *citizen;
    const char *mediator; /* their login */
};

struct bytes passkey_credential(const struct passkey *passkey);

/* VAULT_CONFLICT if the credential is known, whoever's it is; VAULT_LIMITED if its owner has
 * PASSKEYS_EACH; VAULT_NOT_FOUND if there is no such citizen or mediator. */
enum vault_code passkey_add(struct store *store, const struct passkey *passkey,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_NOT_FOUND. */
enum vault_code passkey_find(struct store *store, struct bytes credential, struct passkey *out,
                             struct vault_error *err) VAULT_MUST_CHECK;

/* It answered a challenge made at challenge_ms, with that counter. VAULT_CONFLICT, and nothing
 * noted, if it answered one as late before, if its counter went back or stood still, or if it is
 * not there any more. */
enum vault_code passkey_used(struct store *store, struct bytes credential, int64_t challenge_ms,
                             uint32_t sign_count, int64_t now_s, struct vault_error *err)
    VAULT_MUST_CHECK;

/* In the place of a mediator's first password, in one change: the password becomes this one, which
 * nobody is told, their other sessions end, and that one has shown who they are by a passkey.
 * VAULT_CONFLICT, and nothing changed, if there is no first password that is good at created_s;
 * VAULT_NOT_FOUND if that session is none of theirs; and as passkey_add(). */
enum vault_code passkey_add_first(struct store *store, const struct passkey *passkey,
                                  const char *password_hash, const uint8_t token_hash[SHA256_BYTES],
                                  struct vault_error *err) VAULT_MUST_CHECK;

/* Of that owner's own. Of a mediator is noted that one was removed now_s. VAULT_NOT_FOUND. */
enum vault_code passkey_rename(struct store *store, const struct passkey_owner *owner,
                               struct bytes credential, const char *name, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code passkey_remove(struct store *store, const struct passkey_owner *owner,
                               struct bytes credential, int64_t now_s, struct vault_error *err)
    VAULT_MUST_CHECK;

typedef enum vault_code passkey_each(void *context, const struct passkey *passkey,
                                     struct vault_error *err);

/* An owner's, the oldest first. */
enum vault_code passkey_list(struct store *store, const struct passkey_owner *owner,
                             passkey_each *each, void *context, struct vault_error *err)
    VAULT_MUST_CHECK;
