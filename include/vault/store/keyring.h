/*
 * keyring - the keys that everything else hangs from.
 *
 *     provider's key ──┐
 *                      ├─ wraps ─> root key ─┬─ wraps ─> each citizen's key
 *     recovery secret ─┘                     └─ wraps ─> vault seed ─ HKDF ─> every other key
 *
 * The root key is random and lives in secret memory only. From the start it is wrapped twice: by
 * a provider, from which the vault takes its key each time it starts, and by a recovery secret that
 * is shown once, when the keyring is made, to be printed and locked away. Either is enough.
 *
 * The root does nothing but wrap. All long-lived keys that belong to no citizen (the control store,
 * the openings store, the log's signing seed, pseudonyms, sessions…) come from the vault seed by
 * HKDF, one label each, so that a new root key never means rewriting data.
 *
 * A wrapped key says which version of the root wrapped it and is bound to its owner, its own
 * version and its use: in another's place it does not open.
 *
 * On disk: keyring.json in the vault's folder, mode 0600, replaced whole. It holds no key in clear
 * and is authenticated as a whole under the vault seed.
 *
 * Needs crypto_start() and json_start(). A keyring is read-only once open: safe from any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/seal.h"
#include "vault/crypto/secret.h"

#define KEYRING_FILE           "keyring.json"
#define KEYRING_OWNER_BYTES    16
#define KEYRING_WRAPPED_BYTES  (4 + SECRET_KEY_BYTES + SEAL_OVERHEAD_BYTES)

/* The recovery secret as text: 8 groups of 7 characters with a hyphen between, the last character
 * of each group a check on the others, so that a slip of the pen is found and its group named. */
#define KEYRING_RECOVERY_CHARS 63

struct keyring;

/*
 * Where the provider's key comes from. What is not in this table does not exist:
 *
 *   name    place
 *   "file"  a path: a file of exactly 32 bytes, with mode 0600 or 0400
 */
struct keyring_provider {
    const char *name;
    const char *place;
};

/*
 * Make a keyring in a folder that has none, and the provider's key with it. *recovery is the
 * recovery secret as text with a final NUL: print it, free it, and never store it. Nothing is left
 * behind on failure.
 *
 * VAULT_CONFLICT  there is a keyring already, or the provider has a key in that place already
 * VAULT_INVALID   no such provider
 */
enum vault_code keyring_create(const char *dir, const struct keyring_provider *provider,
                               struct secret **recovery, struct vault_error *err) VAULT_MUST_CHECK;

/*
 * Open the keyring with the provider's key. Changes nothing.
 *
 * VAULT_NOT_FOUND  there is no keyring in the folder, or no key at the provider: the text says
 * which VAULT_DENIED     the provider's key is not the one that this keyring was wrapped with, or
 * others than its owner may read it VAULT_CORRUPT    the key is right and the keyring is damaged
 */
enum vault_code keyring_open(const char *dir, const struct keyring_provider *provider,
                             struct keyring **out, struct vault_error *err) VAULT_MUST_CHECK;

/*
 * The provider is gone: make it a fresh key at its place (which must be empty) and wrap the root
 * again, with the recovery secret as proof. The recovery secret stays as it was. Lower case, spaces
 * in place of hyphens, O for 0 and I or L for 1 are understood.
 *
 * VAULT_INVALID  the text is mistyped: the group is named
 * VAULT_DENIED   it is well written but not this vault's
 */
enum vault_code keyring_recover(const char *dir, struct bytes recovery,
                                const struct keyring_provider *provider, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Wipe and free. */
void keyring_close(struct keyring **keyring);

/* Whose key it is, which of theirs, and what for. */
struct keyring_binding {
    uint8_t owner[KEYRING_OWNER_BYTES];
    uint32_t version; /* from 1 */
    const char *use;  /* such as "citizen" */
};

/* Append the wrapped key, KEYRING_WRAPPED_BYTES, to out. The key has SECRET_KEY_BYTES. */
enum vault_code keyring_wrap(const struct keyring *keyring, const struct keyring_binding *binding,
                             const struct secret *key, struct buf *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* VAULT_CORRUPT  it was wrapped by another root, for another binding, or is damaged */
enum vault_code keyring_unwrap(const struct keyring *keyring, const struct keyring_binding *binding,
                               struct bytes wrapped, struct secret **out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* A key that belongs to no citizen, of size bytes, by its label, such as "vault/sessions/1". The
 * same label gives the same key for as long as the vault exists. */
enum vault_code keyring_derive(const struct keyring *keyring, const char *label, size_t size_bytes,
                               struct secret **out, struct vault_error *err) VAULT_MUST_CHECK;

/* The version of the root that wraps now; from 1. */
uint32_t keyring_root_version(const struct keyring *keyring);
