/*
 * pages_passkey - what the pages about passkeys share: the citizens' and the mediators' do the
 * same, each for whoever is signed in on their side.
 */
#pragma once

#include "pages_visit.h"
#include "vault/store/passkey.h"
#include "vault/vault/sign_in_passkey.h"

#define PASSKEY_CREDENTIAL_TEXT (PASSKEY_CREDENTIAL_BYTES * 4 / 3 + 3) /* as base64url */

/* Where somebody has their passkeys, shows again who they are, and asks for challenges. */
struct passkey_places {
    const char *home;
    const char *again; /* and comes back to home */
    const char *offer;
};
const struct passkey_places *passkey_places_of(const struct visit *visit);

struct passkey_person passkey_person_of(const struct visit *visit);

/* Put their passkeys into the page, as "passkeys", with the places that its forms need, and as
 * "username" the login, by which managers of passwords know which one a form is about. */
enum vault_code passkeys_put(struct visit *visit, struct vault_error *err) VAULT_MUST_CHECK;

/* Answer the script: with a challenge for what it asks; with where to go next; with what went
 * wrong. to_sign_in is what a challenge is for that somebody signs in with. */
void passkey_send_offer(struct visit *visit, bool signed_in, enum passkey_use to_sign_in);
void passkey_send_next(struct visit *visit, const char *next);
void passkey_send_failed(struct visit *visit, enum vault_code code, const struct vault_error *err);

/* Whom a challenge is bound to: the session, or before there is one the token of its forms. */
struct bytes passkey_browser_of(const struct visit *visit);

/* Read what the authenticator says, and try to do that with it. */
typedef enum vault_code passkey_use_answer(struct visit *visit, const struct passkey_site *site,
                                           const struct sign_in_passkey_answer *answer,
                                           char token[SIGN_IN_TOKEN_CHARS + 1],
                                           struct vault_error *err);
enum vault_code passkey_try(struct visit *visit, passkey_use_answer *use,
                            char token[SIGN_IN_TOKEN_CHARS + 1], struct vault_error *err)
    VAULT_MUST_CHECK;
