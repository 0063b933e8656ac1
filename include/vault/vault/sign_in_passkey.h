/*
 * sign_in_passkey - signing in with a passkey (WebAuthn) in the place of a password; citizens and,
 * together with mediator.h, mediators.
 *
 * The browser is given a challenge, its authenticator verifies the person and signs it. A challenge
 * is nothing that is kept: it is random bytes and the time, with a MAC over them, what it is for,
 * and the browser that it was given to. So any number can be asked for without filling anything.
 * It is good for PASSKEY_CHALLENGE_S in that browser, and counts once: the store refuses one that
 * was not made later than the last one its passkey, or for a new passkey its session, answered.
 *
 * Passkeys are discoverable: signing in needs no name. The person is always verified (by finger,
 * face or PIN), so a passkey stands for a password and more. A counter that goes back is refused.
 *
 * Both kinds of people are at one site, and an authenticator offers all that it has for it. So
 * each passkey is a citizen's or a mediator's, known to authenticators by another name, and what
 * one kind signs opens nothing of the other's, also where it is the same person.
 */
#pragma once

#include "vault/vault/sign_in.h"

#define PASSKEY_CHALLENGE_S     300
#define PASSKEY_CHALLENGE_CHARS 75 /* 56 bytes as base64url */
#define PASSKEY_RP_CHARS        128
#define PASSKEY_ORIGIN_CHARS    256
#define PASSKEY_LABEL_BYTES     160 /* of a name, as UTF-8 */

/* What browsers know the pages by. */
struct passkey_site {
    char origin[PASSKEY_ORIGIN_CHARS]; /* "https://vault.example:8442" */
    char rp_id[PASSKEY_RP_CHARS];      /* "vault.example" */
};

/* From where the pages are, "https://host" or "https://host:port". VAULT_INVALID. */
enum vault_code passkey_site_of(const char *base, struct passkey_site *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* What a challenge is for: one for another use is refused. */
enum passkey_use {
    PASSKEY_TO_SIGN_IN,
    PASSKEY_TO_REAUTHENTICATE,
    PASSKEY_TO_ADD,
    PASSKEY_TO_SIGN_IN_MEDIATOR,
};

/* A challenge as base64url, for a browser that is known by those bytes: of a session its token's
 * hash, before one the token of its forms. */
enum vault_code sign_in_passkey_challenge(struct vault *vault, enum passkey_use use,
                                          struct bytes browser,
                                          char out[PASSKEY_CHALLENGE_CHARS + 1],
                                          struct vault_error *err) VAULT_MUST_CHECK;

/* What a browser answers, decoded. */
struct sign_in_passkey_answer {
    struct bytes credential;
    struct bytes client_data;
    struct bytes authenticator_data;
    struct bytes signature; /* of a new passkey none */
    struct bytes user;      /* its owner as authenticators call them; may be empty */
};

/* Check an answer and begin a session; an event in the citizen's log. VAULT_DENIED for whatever is
 * not right about it. */
enum vault_code sign_in_passkey(struct vault *vault, const struct passkey_site *site,
                                struct bytes browser, const struct sign_in_passkey_answer *answer,
                                char token[SIGN_IN_TOKEN_CHARS + 1], struct vault_error *err)
    VAULT_MUST_CHECK;

/* The person of a session shows that it is still them, as by sign_in_again(). */
enum vault_code sign_in_passkey_again(struct vault *vault, const struct passkey_site *site,
                                      struct signed_in *session,
                                      const struct sign_in_passkey_answer *answer,
                                      char token[SIGN_IN_TOKEN_CHARS + 1], struct vault_error *err)
    VAULT_MUST_CHECK;

/* Who is signed in: one of the two. Borrowed. */
struct mediator_seat;
struct passkey_person {
    const struct signed_in *citizen;
    const struct mediator_seat *mediator;
};

/* What an authenticator is told about whose passkey it makes. */
struct sign_in_passkey_owner {
    char user[24];                       /* random to everybody else, as base64url */
    char login[SIGN_IN_LOGIN_CHARS + 1]; /* empty: none */
};
enum vault_code sign_in_passkey_owner(struct vault *vault, const struct passkey_person *person,
                                      struct sign_in_passkey_owner *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Keep a new passkey of theirs; an event in a citizen's log. A mediator's first password has done
 * its duty by it, opens nothing any more, and has no successor. VAULT_DENIED for whatever is not
 * right about it, VAULT_CONFLICT if it is known, VAULT_LIMITED if there are too many. */
enum vault_code sign_in_passkey_add(struct vault *vault, const struct passkey_site *site,
                                    const struct passkey_person *person, const char *name,
                                    const struct sign_in_passkey_answer *answer,
                                    struct vault_error *err) VAULT_MUST_CHECK;

/* Their own. VAULT_NOT_FOUND. Removing is an event in a citizen's log; VAULT_CONFLICT for the last
 * one of a mediator who has no other way in. */
enum vault_code sign_in_passkey_rename(struct vault *vault, const struct passkey_person *person,
                                       struct bytes credential, const char *name,
                                       struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code sign_in_passkey_remove(struct vault *vault, const struct passkey_person *person,
                                       struct bytes credential, struct vault_error *err)
    VAULT_MUST_CHECK;

struct sign_in_passkey_shown {
    struct bytes credential;
    const char *name; /* may be empty */
    int64_t created_s;
    int64_t used_s; /* 0: not yet */
};
/* each is called with the control store held: it calls nothing of the vault. */
typedef enum vault_code sign_in_passkey_each(void *context,
                                             const struct sign_in_passkey_shown *passkey,
                                             struct vault_error *err);
enum vault_code sign_in_passkey_list(struct vault *vault, const struct passkey_person *person,
                                     sign_in_passkey_each *each, void *context,
                                     struct vault_error *err) VAULT_MUST_CHECK;
