/*
 * jws - JSON signed with Ed25519: a JSON Web Signature in its compact form (RFC 7515 section 3.1,
 * RFC 8037 section 3.1).
 *
 *     BASE64URL({"alg":"EdDSA","kid":KID,"typ":TYP}) . BASE64URL(payload) . BASE64URL(signature)
 *
 * Of all that JOSE allows only this is read: another algorithm, "none", "crit", an embedded key, an
 * unknown or a doubled member of the header is no signature of ours.
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/sign.h"

#define JWS_PAYLOAD_MAX_BYTES (256UL * 1024)
#define JWS_MAX_BYTES         (512UL * 1024)
#define JWS_NAME_CHARS        255 /* of kid and typ */

/* Append the signed payload. kid and typ are texts of up to JWS_NAME_CHARS. */
enum vault_code jws_sign(const struct sign_key *key, const char *kid, const char *typ,
                         struct bytes payload, struct buf *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Append what such a signature is over up to the payload: the header, and the dot behind it. */
enum vault_code jws_begin(const char *kid, const char *typ, struct buf *out,
                          struct vault_error *err) VAULT_MUST_CHECK;

/*
 * Append the payload, if the key signed it; typ NULL: of any type.
 * VAULT_INVALID   it is no such signature, or of another type
 * VAULT_DENIED    the signature does not hold
 */
enum vault_code jws_verify(const uint8_t public_key[SIGN_PUBLIC_BYTES], const char *typ,
                           struct bytes compact, struct buf *payload, struct vault_error *err)
    VAULT_MUST_CHECK;
