/*
 * keys - keys for the tests of this floor, from seeds that are one byte repeated.
 */
#pragma once

#include "test.h"

#include "vault/crypto/note.h"

static inline struct note_signer test_signer(const char *name, enum note_kind kind, uint8_t byte)
{
    uint8_t raw[SIGN_SEED_BYTES];
    memset(raw, byte, sizeof raw);
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    struct note_signer signer = {0};
    assert_done(secret_copy((struct bytes){raw, sizeof raw}, &seed, &test_error));
    assert_done(note_signer_make(bytes_of_text(name), kind, seed, &signer, &test_error));
    return signer;
}
