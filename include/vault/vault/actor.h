/*
 * actor - who acts for a citizen: a mediator under a mandate.
 *
 * A decision of the citizen's own has no actor. One that is made for them carries who made it: into
 * the consent's record, its receipt and the log, where the citizen reads it. What an actor may do
 * is checked where the decision is made, while the citizen is held, and not by who asks.
 *
 * In records and in the log an actor is lines of text: what they are and their name, then the
 * structure's name.
 *
 *     mediator Camille Inventée
 *     A digital hub
 */
#pragma once

#include "vault/base/error.h"
#include "vault/crypto/hash.h"
#include "vault/store/structure.h"

#define ACTOR_TEXT_BYTES    320
#define ACTOR_MANDATE_CHARS 26
#define ACTOR_TOKEN_CHARS   43

/* A mediator who is signed in (mediator.h). */
struct mediator_seat {
    char login[MEDIATOR_LOGIN_CHARS + 1];
    char name[MEDIATOR_NAME_BYTES + 1];
    struct structure structure;
    uint8_t token_hash[SHA256_BYTES];
    char form_token[ACTOR_TOKEN_CHARS + 1];
};

/* Borrowed. */
struct actor {
    const struct mediator_seat *mediator;
    const char *mandate; /* the id of the mandate under which they act */
};

/* The lines above. */
void actor_text(const struct actor *actor, char out[ACTOR_TEXT_BYTES]);
