/*
 * actor - who acts for a citizen: a mediator under a mandate, or a guardian of a minor.
 *
 * A decision of the citizen's own has no actor. One that is made for them carries who made it: into
 * the consent's record, its receipt and the log, where the citizen reads it. What an actor may do
 * is checked where the decision is made, while the citizen is held, and not by who asks.
 *
 * In records and in the log an actor is lines of text: what they are and their name, then the
 * structure's name; a guardian has no structure.
 *
 *     mediator Camille Inventée
 *     A digital hub
 *
 *     guardian Maxime Inventé
 */
#pragma once

#include "vault/base/error.h"
#include "vault/crypto/hash.h"
#include "vault/store/citizen.h"
#include "vault/store/structure.h"

#define ACTOR_TEXT_BYTES    320
#define ACTOR_MANDATE_CHARS 26
#define ACTOR_TOKEN_CHARS   43
#define GUARDIAN_NAME_BYTES 200

/* A mediator who is signed in (mediator.h). */
struct mediator_seat {
    char login[MEDIATOR_LOGIN_CHARS + 1];
    char name[MEDIATOR_NAME_BYTES + 1];
    struct structure structure;
    uint8_t token_hash[SHA256_BYTES];
    char form_token[ACTOR_TOKEN_CHARS + 1];
    bool has_first_password; /* to be exchanged before anything else */
    int64_t proved_s;        /* when they last showed who they are */
};

/* A citizen who acts as a minor's guardian (guardian.h). */
struct guardian_seat {
    struct citizen_id citizen;          /* the guardian */
    char id[ACTOR_MANDATE_CHARS + 1];   /* of the guardianship */
    char name[GUARDIAN_NAME_BYTES + 1]; /* as the operator found it */
};

/* One of the two. Borrowed. */
struct actor {
    const struct mediator_seat *mediator;
    const char *mandate; /* the id of the mandate under which they act */
    const struct guardian_seat *guardian;
};

/* The lines above. */
void actor_text(const struct actor *actor, char out[ACTOR_TEXT_BYTES]);
