/*
 * sign_in_parts - what the ways to sign in share: the event in the citizen's log, and the session.
 */
#pragma once

#include <stdbool.h>

#include "vault/store/passkey.h"
#include "vault/vault/sign_in.h"
#include "vault/vault/sign_in_code.h"
#include "vault/vault/sign_in_passkey.h"

/* Enter into the citizen's log how somebody signed in as them, or what changed about how it is
 * done, and who did it (NULL: the citizen); durable on return. What is not every day's is told them
 * by a letter too, if they want any (digest.h). */
enum vault_code sign_in_enter(struct vault *vault, const struct citizen_id *citizen,
                              const char *how, const char *actor, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code sign_in_enter_told(struct vault *vault, const struct citizen_id *citizen,
                                   const char *how, const char *actor, struct vault_error *err)
    VAULT_MUST_CHECK;

/* How many seconds after the last wrong try the next one counts; mediators' too. */
int64_t sign_in_wait_s(uint32_t failed_tries);

/* A new session, for a browser that has shown who it is. */
enum vault_code sign_in_begin(struct vault *vault, const struct citizen_id *citizen,
                              char token[SIGN_IN_TOKEN_CHARS + 1], struct vault_error *err)
    VAULT_MUST_CHECK;

/* The session's person has shown again that it is them: it goes on under another token. */
enum vault_code sign_in_refresh(struct vault *vault, struct signed_in *session,
                                char token[SIGN_IN_TOKEN_CHARS + 1], struct vault_error *err)
    VAULT_MUST_CHECK;

/* sign_in_code.c: use one of the citizen's recovery codes, and enter that into their log.
 * VAULT_NOT_FOUND if it is none. */
enum vault_code sign_in_recovery_use(struct vault *vault, const struct citizen_id *citizen,
                                     struct bytes typed, struct vault_error *err) VAULT_MUST_CHECK;

/* The letters of a code to sign in with as somebody typed it, SIGN_IN_CODE_LETTERS of them or as
 * many as there were once; 0 if it cannot be one. */
size_t sign_in_code_read(struct bytes typed, uint8_t out[SIGN_IN_CODE_LETTERS]);

/* sign_in_passkey.c: the passkey that gave the answer, when all of it is right and it is of that
 * kind of people; noted as used. VAULT_DENIED. */
enum vault_code sign_in_passkey_check(struct vault *vault, const struct passkey_site *site,
                                      enum passkey_use use, struct bytes browser, bool of_mediator,
                                      const struct sign_in_passkey_answer *answer,
                                      struct passkey *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* sign_in_mark.c: what is known of a browser by its mark. */
#define SIGN_IN_MARK_NUMBER_BYTES 16
struct sign_in_marked {
    uint8_t number[SIGN_IN_MARK_NUMBER_BYTES];
};

/* Whether a mark is this citizen's. */
bool sign_in_mark_fits(struct vault *vault, const struct citizen_id *citizen, struct bytes mark,
                       struct sign_in_marked *out);

/* Count a try from there; whether it has to wait. */
bool sign_in_mark_waits(struct vault *vault, const struct sign_in_marked *marked);
