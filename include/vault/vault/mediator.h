/*
 * mediator - those who act for citizens: the operator registers them, they sign in.
 *
 * A mediator's session is of its own kind: it opens no citizen's page, and a citizen's session
 * opens none of theirs. It ends after MEDIATOR_IDLE_S without a request or MEDIATOR_LONGEST_S in
 * all. Wrong passwords make wait as at a citizen's sign-in (sign_in.h).
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/vault/actor.h"
#include "vault/vault/sign_in_code.h"
#include "vault/vault/vault.h"

#define MEDIATOR_IDLE_S     SIGN_IN_IDLE_S /* style.css warns of both at the same time */
#define MEDIATOR_LONGEST_S  (12 * 3600)
#define MEDIATOR_FIRST_DAYS 7

/* What the operator hands over: it opens nothing but the page where a password of their own is set,
 * and is good for MEDIATOR_FIRST_DAYS. */
struct mediator_first {
    char password[SIGN_IN_CODE_CHARS +
                  1]; /* drawn; typed with small letters or spaces it is good too
                       */
    int64_t until_s;
};

/* The operator's changes, each an entry of the log.
 * VAULT_INVALID    an id, name or login that cannot be one
 * VAULT_CONFLICT   it is taken
 * VAULT_NOT_FOUND  there is no such structure or mediator */
enum vault_code mediator_register_structure(struct vault *vault, const char *id, const char *name,
                                            struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code mediator_remove_structure(struct vault *vault, const char *id,
                                          struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code mediator_register(struct vault *vault, const char *structure, const char *login,
                                  const char *name, struct mediator_first *out,
                                  struct vault_error *err) VAULT_MUST_CHECK;
/* A first password again, for who has lost their own; ends all their sessions. */
enum vault_code mediator_reset(struct vault *vault, const char *login, struct mediator_first *out,
                               struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code mediator_unregister(struct vault *vault, const char *login, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Append the structures there are with their mediators, as a JSON list of
 * {"id","name","mediators":[{"login","name"}]}. */
enum vault_code mediator_write_list(struct vault *vault, struct buf *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The structures there are. */
enum vault_code mediator_structures(struct vault *vault, structure_each *each, void *context,
                                    struct vault_error *err) VAULT_MUST_CHECK;

/* A structure's name; its id if it is not known. */
void mediator_structure_name(struct vault *vault, const char *id,
                             char out[STRUCTURE_NAME_BYTES + 1]);

/* VAULT_DENIED: wrong login or password, or too many tries; not told apart. VAULT_LIMITED: too many
 * sign-ins at once. */
enum vault_code mediator_sign_in(struct vault *vault, struct bytes login, struct bytes password,
                                 char token[ACTOR_TOKEN_CHARS + 1], struct vault_error *err)
    VAULT_MUST_CHECK;

/* The mediator of a cookie's token. VAULT_DENIED if there is none any more. */
enum vault_code mediator_check(struct vault *vault, struct bytes token, struct mediator_seat *out,
                               struct vault_error *err) VAULT_MUST_CHECK;

/* A password of their own, which ends all their other sessions. VAULT_DENIED if the present one is
 * wrong, or they have to wait; VAULT_INVALID, VAULT_TOO_LARGE, VAULT_CONFLICT if the new one cannot
 * be one (sign_in_set_password); VAULT_LIMITED. */
enum vault_code mediator_change_password(struct vault *vault, const struct mediator_seat *mediator,
                                         struct bytes password, struct bytes new_password,
                                         struct vault_error *err) VAULT_MUST_CHECK;

/* What concerns their own signing in, for them alone: wrong tries (sign_in.h), and since when there
 * is their password (0: it is not known). */
struct mediator_account {
    struct sign_in_tries tries;
    int64_t password_s;
};
enum vault_code mediator_account(struct vault *vault, const struct mediator_seat *mediator,
                                 struct mediator_account *out, struct vault_error *err)
    VAULT_MUST_CHECK;

enum vault_code mediator_sign_out(struct vault *vault, const struct mediator_seat *mediator,
                                  struct vault_error *err) VAULT_MUST_CHECK;
