/*
 * session - a browser that signed in. The cookie's token is not kept, only its SHA-256.
 *
 * A citizen has at most SESSIONS_PER_CITIZEN; a new one beyond that ends the one not seen for the
 * longest time. When a session is too old is the caller's to decide.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/error.h"
#include "vault/crypto/hash.h"
#include "vault/store/citizen.h"

#define SESSION_SECRET_BYTES 32
#define SESSIONS_PER_CITIZEN 16

struct session {
    uint8_t token_hash[SHA256_BYTES];
    struct citizen_id citizen;
    int64_t created_s;
    int64_t seen_s;
    int64_t reauthenticated_s;                 /* 0: not since it began */
    uint8_t csrf_secret[SESSION_SECRET_BYTES]; /* what the forms' tokens are made from */
};

/* VAULT_CONFLICT if the token is in use; VAULT_NOT_FOUND if there is no such citizen. */
enum vault_code session_add(struct store *store, const struct session *session,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_NOT_FOUND. */
enum vault_code session_find(struct store *store, const uint8_t token_hash[SHA256_BYTES],
                             struct session *out, struct vault_error *err) VAULT_MUST_CHECK;

/* Seen now. VAULT_NOT_FOUND. */
enum vault_code session_seen(struct store *store, const uint8_t token_hash[SHA256_BYTES],
                             int64_t now_s, struct vault_error *err) VAULT_MUST_CHECK;

/* The password or passkey was given again now: the session goes on under another token, and the one
 * that it had is none any more. VAULT_NOT_FOUND. */
enum vault_code session_reauthenticated(struct store *store, const uint8_t token_hash[SHA256_BYTES],
                                        const uint8_t new_token_hash[SHA256_BYTES], int64_t now_s,
                                        struct vault_error *err) VAULT_MUST_CHECK;

/* The session answered a challenge made at challenge_ms, to make a passkey. VAULT_CONFLICT, and
 * nothing noted, if it answered one as late before, or is there no more. */
enum vault_code session_spend_challenge(struct store *store, const uint8_t token_hash[SHA256_BYTES],
                                        int64_t challenge_ms, struct vault_error *err)
    VAULT_MUST_CHECK;

/* End one, or all of a citizen's but one (NULL: all). Ending what is not there is fine. */
enum vault_code session_remove(struct store *store, const uint8_t token_hash[SHA256_BYTES],
                               struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code session_remove_all(struct store *store, const struct citizen_id *citizen,
                                   const uint8_t *but_token_hash, struct vault_error *err)
    VAULT_MUST_CHECK;

typedef enum vault_code session_each(void *context, const struct session *session,
                                     struct vault_error *err);

/* A citizen's, the one seen last first. */
enum vault_code session_list(struct store *store, const struct citizen_id *citizen,
                             session_each *each, void *context, struct vault_error *err)
    VAULT_MUST_CHECK;

/* End those begun, or last seen, before these times; *count is how many. */
enum vault_code session_prune(struct store *store, int64_t created_before_s, int64_t seen_before_s,
                              uint64_t *count, struct vault_error *err) VAULT_MUST_CHECK;
