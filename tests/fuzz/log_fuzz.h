/* log_fuzz - what the fuzz targets of the access log share: a key to sign with. */
#pragma once

#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/crypto/note.h"

static inline void log_fuzz_start(void)
{
    json_start();
    REQUIRE(crypto_start(true, NULL) == VAULT_OK);
}

/* Seeds are one byte repeated, as in log_tool, which made the corpora. */
static inline struct note_signer log_fuzz_signer(const char *name, enum note_kind kind,
                                                 uint8_t byte)
{
    uint8_t raw[SIGN_SEED_BYTES];
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    struct note_signer signer = {0};
    memset(raw, byte, sizeof raw);
    REQUIRE(secret_copy((struct bytes){raw, sizeof raw}, &seed, NULL) == VAULT_OK);
    REQUIRE(note_signer_make(bytes_of_text(name), kind, seed, &signer, NULL) == VAULT_OK);
    return signer;
}

static inline struct note_signer log_fuzz_log(void)
{
    return log_fuzz_signer("log.example/test", NOTE_ED25519, 1);
}
