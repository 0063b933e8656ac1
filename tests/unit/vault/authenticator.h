/*
 * authenticator - a passkey in software, with the browser around it, that does everything right
 * until a test tells it not to.
 */
#pragma once

#include <openssl/evp.h>

#include "test.h"
#include "vault/vault/sign_in_passkey.h"

#define AUTHENTICATOR_PRESENT  0x01
#define AUTHENTICATOR_VERIFIED 0x04
#define AUTHENTICATOR_ATTESTED 0x40

/* Whose passkeys, of somebody who is signed in. */
#define CITIZEN(session)       (&(struct passkey_person){.citizen = &(session)})
#define MEDIATOR(seat)         (&(struct passkey_person){.mediator = &(seat)})

enum authenticator_kind { AUTHENTICATOR_ES256, AUTHENTICATOR_EDDSA, AUTHENTICATOR_RS256 };

struct authenticator {
    enum authenticator_kind kind;
    EVP_PKEY *key;
    uint8_t credential[16];
    uint32_t count; /* 0: it does not count */
    uint8_t flags;  /* of each answer, but for the attested data's */
    const char *origin;
    const char *rp_id;
    const char *type;        /* NULL: the right one */
    const char *client_more; /* behind the members of the client data; NULL: nothing */
    struct buf client_data;  /* of the last answer */
    struct buf data;
    struct buf signature;
    struct sign_in_passkey_answer answer; /* borrows from them */
};

void authenticator_open(struct authenticator *authenticator, enum authenticator_kind kind);
void authenticator_close(struct authenticator *authenticator);

/* Answer a challenge, as text: by a new passkey, by signing in. */
void authenticator_create(struct authenticator *authenticator, const char *challenge);
void authenticator_sign(struct authenticator *authenticator, const char *challenge);
