/*
 * passkey_verify - whether what an authenticator says is so (WebAuthn level 2, sections 7.1, 7.2).
 *
 * Two things come from a browser: the client data, JSON that the browser wrote about what it was
 * asked, and the authenticator data, bytes that the authenticator made and, when it signs in,
 * signed together with the client data's hash. Signatures and CBOR are libfido2's, here and nowhere
 * else; no attestation is asked for, so a new key is taken as it comes from somebody signed in.
 *
 * Nothing is kept here. That the challenge is ours, young, and answered for the first time is the
 * caller's (sign_in_passkey.c).
 */
#pragma once

#include "vault/store/passkey.h"
#include "vault/vault/sign_in_passkey.h"

#define PASSKEY_CLIENT_DATA_BYTES   4096 /* at most */
#define PASSKEY_AUTHENTICATOR_BYTES 2048 /* at most */

#define PASSKEY_MADE                "webauthn.create"
#define PASSKEY_USED                "webauthn.get"

/* Read client data of that type, from a page of ours: the challenge that it answers.
 * VAULT_INVALID if it is no client data; VAULT_DENIED if its type, origin or frame is another. */
enum vault_code passkey_read_client(const struct passkey_site *site, const char *type,
                                    struct bytes client_data,
                                    char challenge[PASSKEY_CHALLENGE_CHARS + 1],
                                    struct vault_error *err) VAULT_MUST_CHECK;

/* Read a new passkey: credential, algorithm, key and counter of *out are set.
 * VAULT_INVALID if the bytes are none, VAULT_DENIED if they are for another site, or the person was
 * not verified, or the key is not ES256, EdDSA or RS256. */
enum vault_code passkey_verify_made(const struct passkey_site *site,
                                    struct bytes authenticator_data, struct passkey *out,
                                    struct vault_error *err) VAULT_MUST_CHECK;

/* Whether a passkey signed it, the person present and verified; *sign_count is what it counts.
 * VAULT_DENIED if not, and for what cannot be read. */
enum vault_code passkey_verify_used(const struct passkey_site *site, const struct passkey *passkey,
                                    const struct sign_in_passkey_answer *answer,
                                    uint32_t *sign_count, struct vault_error *err) VAULT_MUST_CHECK;
