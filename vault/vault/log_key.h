/*
 * log_key - the keys that the access log signs with: one at a time, each derived from the keyring.
 *
 * A new key is asked for while the vault runs, so that it can be handed to auditors and witnesses
 * first, and signs from the next start on: an entry of the log says so. For LOG_KEY_PARTING_DAYS
 * the one before signs what is published too, for those who only know that one. Keys that were
 * stay known, since the journal and checkpoints that were kept may be signed by them.
 */
#pragma once

#include "vault/crypto/note.h"
#include "vault/ledger/ledger.h"
#include "vault/vault/vault.h"

#define LOG_KEY_PARTING_DAYS   30
#define LOG_KEY_GENERATION_MAX (LEDGER_FORMER_MAX + 1U)
#define LOG_KEY_SETTING        "log.key" /* generation, and since when it signs: 0, not yet */

struct log_keys {
    uint32_t generation;       /* of the signer; from 1 */
    bool is_entered;           /* the log has an entry that says so; the first needs none */
    bool parts;                /* the one before signs too */
    struct note_signer signer; /* their names are the log's origin */
    struct note_signer parting;
    struct note_key former[LEDGER_FORMER_MAX];
    size_t former_count;
};

/* The first key, for a log that is to be made; the keys of one that is there. */
enum vault_code log_key_first(struct vault *vault, struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code log_key_open(struct vault *vault, struct vault_error *err) VAULT_MUST_CHECK;
void log_key_close(struct vault *vault);

/* Once the log is open: enter that a new key signs, if that is so. */
enum vault_code log_key_enter(struct vault *vault, struct vault_error *err) VAULT_MUST_CHECK;
