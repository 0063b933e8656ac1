/*
 * sign_in - who a browser is: login and password, then a session.
 *
 * A session is a random token in a cookie; the vault keeps its hash. It ends after SIGN_IN_IDLE_S
 * without a request, SIGN_IN_LONGEST_S in all, or when the citizen signs out. After
 * SIGN_IN_FREE_TRIES wrong passwords no try for that login counts for a while, twice as long each
 * time, up to SIGN_IN_WAIT_MAX_S. An unknown login, a wrong password and a login that has to wait
 * are the same answer after the same work. A browser where the citizen has signed in before keeps a
 * mark of it, and is paced by itself: a stranger's wrong tries elsewhere keep nobody out of there.
 *
 * People are told of wrong tries, and of each change of what they sign in with: on their pages, and
 * by a letter if they want any (digest.h). Wrong tries are counted in the account, and make no
 * entry in the log: everybody reads that there was one, and could try out who has a vault.
 */
#pragma once

#include <stdbool.h>

#include "vault/store/citizen.h"
#include "vault/vault/vault.h"

#define SIGN_IN_IDLE_S         (15 * 60)
#define SIGN_IN_LONGEST_S      (12 * 3600)
#define SIGN_IN_FREE_TRIES     5
#define SIGN_IN_WAIT_MAX_S     300
#define SIGN_IN_TOLD_TRIES     5   /* wrong ones, of which the person is told */
#define SIGN_IN_FRESH_S        300 /* how long a password counts for what needs it again */
#define SIGN_IN_TOKEN_CHARS    43  /* 32 bytes as base64url, without a final NUL */
#define SIGN_IN_MARK_CHARS     64  /* 48 bytes as base64url, without a final NUL */
#define SIGN_IN_MARK_TRIES     10  /* a minute, where there is a mark */
#define SIGN_IN_LOGIN_CHARS    128
#define SIGN_IN_FIRST_DAYS     30 /* that a password lives which an import brought */
#define SIGN_IN_PASSWORD_CHARS 12 /* of a new password, at least; characters, not bytes */

/* A browser that is signed in. */
struct signed_in {
    struct citizen_id citizen;
    uint8_t token_hash[32];
    char form_token[SIGN_IN_TOKEN_CHARS + 1]; /* what every form of this session carries */
    int64_t authenticated_s;                  /* when a password was last given in it */
};

/* Check login and password and begin a session; an event in the citizen's log.
 * VAULT_DENIED   not the password of that login, no such login, or it has to wait: not told apart
 * VAULT_LIMITED  too many sign-ins at once: try again */
enum vault_code sign_in(struct vault *vault, struct bytes login, struct bytes password,
                        char token[SIGN_IN_TOKEN_CHARS + 1], struct vault_error *err)
    VAULT_MUST_CHECK;

/* The same, from a browser that has this mark (empty: none). One that is not the citizen's counts
 * for nothing. */
enum vault_code sign_in_from(struct vault *vault, struct bytes mark, struct bytes login,
                             struct bytes password, char token[SIGN_IN_TOKEN_CHARS + 1],
                             struct vault_error *err) VAULT_MUST_CHECK;

/* A new mark for the browser of whoever is signed in. It says who to nobody but the vault. */
enum vault_code sign_in_mark(struct vault *vault, const struct citizen_id *citizen,
                             char out[SIGN_IN_MARK_CHARS + 1], struct vault_error *err)
    VAULT_MUST_CHECK;

/* The session of a cookie's token. VAULT_DENIED if there is none any more. */
enum vault_code sign_in_check(struct vault *vault, struct bytes token, struct signed_in *out,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* Whether the person has shown within SIGN_IN_FRESH_S that it is still them: asked before a first
 * consent to a service, an export and an erasure. */
bool sign_in_is_fresh(const struct vault *vault, const struct signed_in *session);

/* They show it, by the password. Wrong tries count as at sign_in(), whose codes these are. The
 * session goes on under another token, so that whoever had the one before is out; forms that are
 * open elsewhere in that browser still count. */
enum vault_code sign_in_again(struct vault *vault, struct signed_in *session, struct bytes password,
                              char token[SIGN_IN_TOKEN_CHARS + 1], struct vault_error *err)
    VAULT_MUST_CHECK;

/* What stands for a citizen in a page that may outlive their session, so that whoever signs in next
 * on that machine is told from them. Means nothing to anybody else. */
enum vault_code sign_in_whose(struct vault *vault, const struct citizen_id *citizen,
                              char out[SIGN_IN_TOKEN_CHARS + 1], struct vault_error *err)
    VAULT_MUST_CHECK;

/* Whether a form's token is this session's. */
bool sign_in_form_token_fits(const struct signed_in *session, struct bytes token);

enum vault_code sign_out(struct vault *vault, const struct signed_in *session,
                         struct vault_error *err) VAULT_MUST_CHECK;

/* A citizen's sessions, the one seen last first; end all but this one, or one by its name, which
 * opens nothing. VAULT_NOT_FOUND if it is none of theirs. */
struct sign_in_session {
    char name[SIGN_IN_TOKEN_CHARS + 1];
    int64_t created_s;
    int64_t seen_s;
    bool is_this;
};
typedef enum vault_code sign_in_each(void *context, const struct sign_in_session *session,
                                     struct vault_error *err);
enum vault_code sign_in_list(struct vault *vault, const struct signed_in *session,
                             sign_in_each *each, void *context, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code sign_out_others(struct vault *vault, const struct signed_in *session,
                                struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code sign_out_one(struct vault *vault, const struct signed_in *session,
                             struct bytes name, struct vault_error *err) VAULT_MUST_CHECK;

/* An operator ends all sessions of a citizen, as the citizen's log says. */
enum vault_code sign_out_citizen(struct vault *vault, const struct citizen_id *citizen,
                                 struct vault_error *err) VAULT_MUST_CHECK;

/* Set another password, which is that of the next sign-in, and end all other sessions; the one
 * there is must be given. VAULT_DENIED if it is wrong; VAULT_INVALID, VAULT_TOO_LARGE if the new
 * one cannot be one (SIGN_IN_PASSWORD_CHARS at least); VAULT_CONFLICT if it would be guessed. */
enum vault_code sign_in_set_password(struct vault *vault, const struct signed_in *session,
                                     struct bytes password, struct bytes new_password,
                                     struct vault_error *err) VAULT_MUST_CHECK;

/* Wrong tries: since the last success, when the last of them was (0: there is none), and those
 * before the last success that had any, and when that was (0: never). A passkey is no try. */
struct sign_in_tries {
    uint32_t since;
    int64_t since_s;
    uint32_t before;
    int64_t before_s;
};
enum vault_code sign_in_tries(struct vault *vault, const struct signed_in *session,
                              struct sign_in_tries *out, struct vault_error *err) VAULT_MUST_CHECK;

/* Until when a password lives that an import brought, after which it opens nothing; 0 once the
 * citizen has set one of their own. */
enum vault_code sign_in_first_until(struct vault *vault, const struct signed_in *session,
                                    int64_t *until_s, struct vault_error *err) VAULT_MUST_CHECK;

/* Bring a login into the one form in which logins are kept and compared: small ASCII letters, no
 * space around. VAULT_INVALID if it is empty, too long or has control characters. */
enum vault_code sign_in_login(struct bytes typed, char out[SIGN_IN_LOGIN_CHARS + 1],
                              struct vault_error *err) VAULT_MUST_CHECK;
