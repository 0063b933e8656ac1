/*
 * structure - who may act for citizens under a mandate: structures (a social centre, a public
 * digital space), their mediators, and the browsers that mediators signed in with.
 *
 * A structure that was removed keeps its id for ever, so that an old mandate never becomes somebody
 * else's; its mediators, their sessions and their passkeys go. A session's token is not kept, only
 * its hash.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/error.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/password.h"
#include "vault/store/store.h"

#define STRUCTURE_ID_CHARS    64
#define STRUCTURE_NAME_BYTES  100
#define STRUCTURES_MAX        1000 /* removed ones too */
#define MEDIATOR_LOGIN_CHARS  128
#define MEDIATOR_NAME_BYTES   100
#define MEDIATORS_MAX         200 /* of one structure */
#define MEDIATOR_SESSIONS_MAX 4   /* of one mediator; the one not seen for the longest time goes */

struct structure {
    char id[STRUCTURE_ID_CHARS + 1];
    char name[STRUCTURE_NAME_BYTES + 1];
    bool active;
};

struct mediator {
    char login[MEDIATOR_LOGIN_CHARS + 1];
    char name[MEDIATOR_NAME_BYTES + 1];
    char password_hash[PASSWORD_HASH_CHARS];
    int64_t first_until_s; /* until when a first password lives; 0: it is their own */
    uint32_t failed_tries; /* since the last success */
    int64_t failed_at_s;
    uint32_t before_tries; /* how many failed before the last success that had any */
    int64_t before_s;      /* when that was; 0: never */
    int64_t password_s;    /* since when there is this password; 0: it is not known */
    uint32_t passkeys;     /* how many (passkey.h) */
    int64_t passkeys_s;    /* when one was last added or removed; 0: never */
    struct structure structure;
};

/* VAULT_CONFLICT if the id is taken, also by one that was removed; VAULT_LIMITED. */
enum vault_code structure_add(struct store *store, const char *id, const char *name,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* With all its mediators, in one change. VAULT_NOT_FOUND, also if it was removed before. */
enum vault_code structure_remove(struct store *store, const char *id, struct vault_error *err)
    VAULT_MUST_CHECK;

/* VAULT_NOT_FOUND. One that was removed is found. */
enum vault_code structure_get(struct store *store, const char *id, struct structure *out,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* The active ones in the order of ids. */
typedef enum vault_code structure_each(void *context, const struct structure *structure,
                                       struct vault_error *err);
enum vault_code structure_list(struct store *store, structure_each *each, void *context,
                               struct vault_error *err) VAULT_MUST_CHECK;

/* login, name, password_hash, first_until_s and structure.id are read. VAULT_CONFLICT if the login
 * is taken; VAULT_NOT_FOUND if there is no such structure any more; VAULT_LIMITED. */
enum vault_code mediator_add(struct store *store, const struct mediator *mediator,
                             struct vault_error *err) VAULT_MUST_CHECK;

/* With their sessions and passkeys. VAULT_NOT_FOUND. */
enum vault_code mediator_remove(struct store *store, const char *login, struct vault_error *err)
    VAULT_MUST_CHECK;

/* VAULT_NOT_FOUND. */
enum vault_code mediator_get(struct store *store, const char *login, struct mediator *out,
                             struct vault_error *err) VAULT_MUST_CHECK;

typedef enum vault_code mediator_each(void *context, const struct mediator *mediator,
                                      struct vault_error *err);
enum vault_code mediator_list(struct store *store, const char *structure, mediator_each *each,
                              void *context, struct vault_error *err) VAULT_MUST_CHECK;

/* One more failed try, or none any more (now_s 0): the one that succeeded was counted as well.
 * VAULT_NOT_FOUND. */
enum vault_code mediator_failed(struct store *store, const char *login, int64_t now_s,
                                struct vault_error *err) VAULT_MUST_CHECK;

/* Another password, from now on, a first one or their own, and the end of all their sessions but
 * that one (NULL: of all), in one change. With a first one go all passkeys as well: it is for who
 * has nothing to sign in with, or has lost it. VAULT_NOT_FOUND. */
enum vault_code mediator_set_password(struct store *store, const char *login,
                                      const char *password_hash, int64_t now_s,
                                      int64_t first_until_s,
                                      const uint8_t kept_token_hash[SHA256_BYTES],
                                      struct vault_error *err) VAULT_MUST_CHECK;

struct mediator_session {
    uint8_t token_hash[SHA256_BYTES];
    char login[MEDIATOR_LOGIN_CHARS + 1];
    int64_t created_s;
    int64_t seen_s;
    int64_t proved_s; /* when they last showed in it who they are */
    bool by_passkey;  /* whether they ever did so by a passkey */
};

/* VAULT_NOT_FOUND if there is no such mediator. */
enum vault_code mediator_session_add(struct store *store, const struct mediator_session *session,
                                     struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_NOT_FOUND. */
enum vault_code mediator_session_find(struct store *store, const uint8_t token_hash[SHA256_BYTES],
                                      struct mediator_session *out, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code mediator_session_seen(struct store *store, const uint8_t token_hash[SHA256_BYTES],
                                      int64_t now_s, struct vault_error *err) VAULT_MUST_CHECK;

/* They showed again who they are: the session goes on under another token, and the one that it had
 * is none any more. VAULT_NOT_FOUND. */
enum vault_code mediator_session_proved(struct store *store, const uint8_t token_hash[SHA256_BYTES],
                                        const uint8_t new_token_hash[SHA256_BYTES], int64_t now_s,
                                        bool by_passkey, struct vault_error *err) VAULT_MUST_CHECK;

/* As session_spend_challenge(). */
enum vault_code mediator_session_spend(struct store *store, const uint8_t token_hash[SHA256_BYTES],
                                       int64_t challenge_ms, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Ending what is not there is fine. */
enum vault_code mediator_session_remove(struct store *store, const uint8_t token_hash[SHA256_BYTES],
                                        struct vault_error *err) VAULT_MUST_CHECK;

/* End all of that session's mediator but that one. Without it, nothing. */
enum vault_code mediator_session_remove_others(struct store *store,
                                               const uint8_t token_hash[SHA256_BYTES],
                                               struct vault_error *err) VAULT_MUST_CHECK;

/* End those begun or seen before these times; *count is how many. */
enum vault_code mediator_session_prune(struct store *store, int64_t created_before_s,
                                       int64_t seen_before_s, uint64_t *count,
                                       struct vault_error *err) VAULT_MUST_CHECK;
