/*
 * hpke - sealing to a public key: HPKE (RFC 9180), base mode, one message for each key agreement,
 * with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM.
 *
 * Whoever has the public key can seal; only the private key opens. So something can be kept for the
 * holder of a secret that lies in a safe, without anybody having to fetch it. Who sealed is not
 * proved: that is for the text around it to show.
 *
 * Layout of a sealed text: the encapsulated key, 32 bytes, the ciphertext, the tag, 16 bytes.
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/secret.h"

#define HPKE_KEY_BYTES      32 /* private or public */
#define HPKE_OVERHEAD_BYTES 48

/* The public key of a private one: any HPKE_KEY_BYTES that are uniformly random (RFC 7748). */
enum vault_code hpke_public(const struct secret *private_key, uint8_t out[HPKE_KEY_BYTES],
                            struct vault_error *err) VAULT_MUST_CHECK;

/* Append the sealed text to out. info and associated say what it is and whose: it opens only with
 * the same. VAULT_INVALID if the recipient's key is none. */
enum vault_code hpke_seal(const uint8_t recipient[HPKE_KEY_BYTES], struct bytes info,
                          struct bytes associated, struct bytes plain, struct buf *out,
                          struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_CORRUPT if the key, info, the associated data or the sealed text is not the right one. */
enum vault_code hpke_open(const struct secret *private_key, struct bytes info,
                          struct bytes associated, struct bytes sealed, struct secret **out,
                          struct vault_error *err) VAULT_MUST_CHECK;
