/*
 * mediator - those who act for citizens: the operator registers them, they sign in.
 *
 * A mediator's session is of its own kind: it opens no citizen's page, and a citizen's session
 * opens none of theirs. It ends after MEDIATOR_IDLE_S without a request or MEDIATOR_LONGEST_S in
 * all. Wrong passwords make wait as at a citizen's sign-in (sign_in.h).
 *
 * A mediator who wants to signs in by a passkey (sign_in_passkey.h). Where the city wants it of all
 * (vault_options.mediators_need_passkey), a password of their own is a wrong one, and so is a
 * session that it began; only the first password lets in, to where it is exchanged for a passkey.
 * Whoever has neither, or has lost their devices, is given a first password again, with which all
 * passkeys go.
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/vault/actor.h"
#include "vault/vault/sign_in_code.h"
#include "vault/vault/sign_in_passkey.h"
#include "vault/vault/vault.h"

#define MEDIATOR_IDLE_S     SIGN_IN_IDLE_S /* style.css warns of both at the same time */
#define MEDIATOR_LONGEST_S  (12 * 3600)
#define MEDIATOR_FIRST_DAYS 7

/* What the operator hands over: it opens nothing but the page where a password of their own is set,
 * or a passkey is added where that is what mediators need, and is good for MEDIATOR_FIRST_DAYS. */
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
/* A first password again, for who has lost their own or their passkeys, which go; ends all their
 * sessions. */
enum vault_code mediator_reset(struct vault *vault, const char *login, struct mediator_first *out,
                               struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code mediator_unregister(struct vault *vault, const char *login, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Append the structures there are with their mediators, as a JSON list of
 * {"id","name","mediators":[{"login","name","passkeys"}]}, of which the last is how many. */
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

/* By a passkey, as sign_in_passkey(). */
enum vault_code mediator_sign_in_passkey(struct vault *vault, const struct passkey_site *site,
                                         struct bytes browser,
                                         const struct sign_in_passkey_answer *answer,
                                         char token[ACTOR_TOKEN_CHARS + 1], struct vault_error *err)
    VAULT_MUST_CHECK;

/* Whether a password lets a mediator in only for the first time. */
bool mediator_needs_passkey(const struct vault *vault);

/* The mediator of a cookie's token. VAULT_DENIED if there is none any more. */
enum vault_code mediator_check(struct vault *vault, struct bytes token, struct mediator_seat *out,
                               struct vault_error *err) VAULT_MUST_CHECK;

/* Whether they have shown within SIGN_IN_FRESH_S that it is still them; and they show it, by a
 * password or a passkey, by which the session goes on under another token: its forms change, and
 * seat with them. The codes are those of signing in. */
bool mediator_is_fresh(const struct vault *vault, const struct mediator_seat *seat);
enum vault_code mediator_again(struct vault *vault, struct mediator_seat *seat,
                               struct bytes password, char token[ACTOR_TOKEN_CHARS + 1],
                               struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code mediator_again_passkey(struct vault *vault, const struct passkey_site *site,
                                       struct mediator_seat *seat,
                                       const struct sign_in_passkey_answer *answer,
                                       char token[ACTOR_TOKEN_CHARS + 1], struct vault_error *err)
    VAULT_MUST_CHECK;

/* A password of their own, which ends all their other sessions. VAULT_NOT_FOUND where mediators
 * need a passkey and a password is of no use; VAULT_DENIED if the present one is wrong, or they
 * have to wait; VAULT_INVALID, VAULT_TOO_LARGE, VAULT_CONFLICT if the new one cannot be one
 * (sign_in_set_password); VAULT_LIMITED. */
enum vault_code mediator_change_password(struct vault *vault, const struct mediator_seat *mediator,
                                         struct bytes password, struct bytes new_password,
                                         struct vault_error *err) VAULT_MUST_CHECK;

/* What concerns their own signing in, for them alone: wrong tries (sign_in.h), since when there is
 * their password (0: it is not known), how many passkeys they have, and when one was last added or
 * removed (0: never). */
struct mediator_account {
    struct sign_in_tries tries;
    int64_t password_s;
    uint32_t passkeys;
    int64_t passkeys_s;
};
enum vault_code mediator_account(struct vault *vault, const struct mediator_seat *mediator,
                                 struct mediator_account *out, struct vault_error *err)
    VAULT_MUST_CHECK;

enum vault_code mediator_sign_out(struct vault *vault, const struct mediator_seat *mediator,
                                  struct vault_error *err) VAULT_MUST_CHECK;

/* End all their sessions but this one. */
enum vault_code mediator_sign_out_others(struct vault *vault, const struct mediator_seat *mediator,
                                         struct vault_error *err) VAULT_MUST_CHECK;
