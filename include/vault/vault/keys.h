/*
 * keys - the root key and the citizens' keys, changed while the vault serves.
 *
 * All say VAULT_CONFLICT while a backup is made (backup.h), which has the keys of one moment.
 *
 * Each finished change is an entry of the access log: that an operator did something, not what.
 */
#pragma once

#include "vault/store/citizen.h"
#include "vault/vault/vault.h"

/* A new root key; what is wrapped from now on is wrapped by it. The provider is that of the vault's
 * options, with the secret given now, if it needs one. Codes as keyring_rotate(). */
enum vault_code keys_rotate(struct vault *vault, const struct secret *secret,
                            struct vault_error *err) VAULT_MUST_CHECK;

struct keys_progress {
    uint64_t seen;      /* rows looked at */
    uint64_t rewrapped; /* wrapped again, of those */
    bool done;          /* the former roots are dropped */
};

/* Wrap the next citizens' keys again by the newest root; call again until done. What a crash or
 * another rotation interrupts begins again, and passes over what is done. */
enum vault_code keys_rewrap(struct vault *vault, struct keys_progress *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* A new key for one citizen: citizen_rekey_wait() and citizen_rekey(). */
enum vault_code keys_rekey(struct vault *vault, const struct citizen_id *citizen,
                           struct vault_error *err) VAULT_MUST_CHECK;
