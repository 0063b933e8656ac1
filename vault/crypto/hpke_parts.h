/*
 * hpke_parts - HPKE with its choices open, so that the RFC's vectors can be run: they are for
 * AES-128-GCM and for key pairs that are given.
 */
#pragma once

#include "vault/crypto/hpke.h"

struct hpke_aead {
    uint16_t id;      /* RFC 9180, section 7.3 */
    size_t key_bytes; /* at most 32 */
    const char *name; /* OpenSSL's */
};

extern const struct hpke_aead hpke_aes_128_gcm;
extern const struct hpke_aead hpke_aes_256_gcm;

/* As hpke_seal(), with the ephemeral private key given. */
enum vault_code hpke_seal_with(const struct hpke_aead *aead, const struct secret *ephemeral,
                               const uint8_t recipient[HPKE_KEY_BYTES], struct bytes info,
                               struct bytes associated, struct bytes plain, struct buf *out,
                               struct vault_error *err) VAULT_MUST_CHECK;

enum vault_code hpke_open_with(const struct hpke_aead *aead, const struct secret *private_key,
                               struct bytes info, struct bytes associated, struct bytes sealed,
                               struct secret **out, struct vault_error *err) VAULT_MUST_CHECK;
