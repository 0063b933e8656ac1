/*
 * keyring - the keys that everything else hangs from.
 *
 *     provider's key ──┐
 *                      ├─ wraps ─> root key ─┬─ wraps ─> each citizen's key
 *     recovery secret ─┘                     └─ wraps ─> vault seed ─ HKDF ─> every other key
 *
 * The root key is random and lives in secret memory only. From the start it is wrapped twice: by
 * a provider, from which the vault takes its key each time it starts, and for a recovery secret
 * that is shown once, when the keyring is made, to be printed and locked away. Either is enough.
 * The recovery secret is the private half of an X25519 key pair; the keyring has the public half,
 * so that a new root can be wrapped for it while it stays in its safe (hpke.h).
 *
 * The root does nothing but wrap. All long-lived keys that belong to no citizen (the control store,
 * the openings store, the log's signing seed, pseudonyms, sessions…) come from the vault seed by
 * HKDF, one label each, so that a new root key never means rewriting data.
 *
 * Rotating adds a root with the next version; from then on that one wraps. The former ones stay,
 * and unwrap what they wrapped, until everything has been wrapped again and they are dropped. A
 * wrapped key says which version of the root wrapped it and is bound to its owner, its own version
 * and its use: in another's place it does not open.
 *
 * On disk: keyring.json in the vault's folder, mode 0600, replaced whole, so that a crash leaves
 * the keyring from before or the one after. It holds no key in clear and is authenticated as a
 * whole under the vault seed. Whoever changes it holds a lock on the folder.
 *
 * Needs crypto_start() and json_start(). An open keyring is safe from any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/note.h"
#include "vault/crypto/seal.h"
#include "vault/crypto/secret.h"

#define KEYRING_FILE           "keyring.json"
#define KEYRING_OWNER_BYTES    16
#define KEYRING_WRAPPED_BYTES  (4 + SECRET_KEY_BYTES + SEAL_OVERHEAD_BYTES)
#define KEYRING_ROOTS_MAX      4 /* rotations before everything has been wrapped again: one less */

/* The recovery secret as text: 8 groups of 7 characters with a hyphen between, the last character
 * of each group a check on the others, so that a slip of the pen is found and its group named. */
#define KEYRING_RECOVERY_CHARS 63

struct keyring;
struct keyholder;

/* The log's keys come from the vault seed like the others, under labels that begin so, one for each
 * generation from 1 to KEYRING_LOG_KEYS. */
#define KEYRING_LABEL_LOG "vault/log-signing/"
#define KEYRING_LOG_KEYS  32U

/* What labels of the keyring's own begin with: the mac of its file. */
#define KEYRING_LABEL_OWN "vault/keyring-file/"

/*
 * Where the provider's key comes from. What is not in this table does not exist:
 *
 *   name          place            token, key    secret
 *   "file"        path of a file                             exactly 32 bytes, mode 0600 or 0400
 *   "credential"  a name                                     a systemd credential, the file of that
 *                                                            name in $CREDENTIALS_DIRECTORY; 32
 *                                                            bytes, put there before the keyring is
 *                                                            made
 *   "passphrase"                                 passphrase  Argon2id; cost and salt are kept in
 *                                                            the keyring
 *   "pkcs11"      path of the      labels        PIN         an AES key that the token makes, and
 *                 module                                     that never leaves it
 */
struct keyring_provider {
    const char *name;
    const char *place;
    const char *token;
    const char *key;
    const struct secret *secret; /* borrowed; NULL: not given */
};

#define KEYRING_PASSPHRASE_MIN_BYTES 12

/* What a person has to give before the provider can give its key ("passphrase", "PIN"), or NULL if
 * nothing, or if it is given. */
const char *keyring_provider_needs(const struct keyring_provider *provider);

/*
 * Make a keyring in a folder that has none, and the provider's key with it. *recovery is the
 * recovery secret as text with a final NUL: print it, free it, and never store it. Nothing is left
 * behind on failure.
 *
 * VAULT_CONFLICT     there is a keyring already, or the provider has a key in that place already
 * VAULT_INVALID      no such provider, or what it is given is not what it takes
 * VAULT_DENIED       the token does not accept the PIN
 * VAULT_UNAVAILABLE  the provider's secret is needed, or its module or token is not there
 */
enum vault_code keyring_create(const char *dir, const struct keyring_provider *provider,
                               struct secret **recovery, struct vault_error *err) VAULT_MUST_CHECK;

/*
 * Open the keyring with the provider's key. Changes nothing.
 *
 * VAULT_NOT_FOUND    there is no keyring in the folder, or no key at the provider: the text says
 *                    which
 * VAULT_DENIED       the provider's key is not the one that this keyring was wrapped with, others
 *                    than its owner may read it, or the token does not accept the PIN
 * VAULT_UNAVAILABLE  as above
 * VAULT_CORRUPT      the key is right and the keyring is damaged
 */
enum vault_code keyring_open(const char *dir, const struct keyring_provider *provider,
                             struct keyring **out, struct vault_error *err) VAULT_MUST_CHECK;

/* Open the keyring with the recovery secret. Changes nothing. Codes as keyring_recover(). */
enum vault_code keyring_open_recovery(const char *dir, struct bytes recovery, struct keyring **out,
                                      struct vault_error *err) VAULT_MUST_CHECK;

/*
 * The provider is gone: make a fresh key at a provider (whose place must be empty, but for
 * "credential") and wrap the roots again, with the recovery secret as proof. The recovery secret
 * stays as it was. Lower case, spaces in place of hyphens, O for 0 and I or L for 1 are understood.
 * A keyring of the first format becomes one of the second.
 *
 * VAULT_INVALID  the text is mistyped: the group is named
 * VAULT_DENIED   it is well written but not this vault's
 */
enum vault_code keyring_recover(const char *dir, struct bytes recovery,
                                const struct keyring_provider *provider, struct vault_error *err)
    VAULT_MUST_CHECK;

/*
 * Another provider in place of the one there is, or a fresh key of the same kind in another place.
 * The former key opens nothing any more; it is its owner's to destroy.
 *
 * VAULT_CONFLICT  the keyring is of the first format, which has no public half of the recovery
 *                 secret: keyring_recover() once, with the recovery secret
 */
enum vault_code keyring_move(const char *dir, const struct keyring_provider *from,
                             const struct keyring_provider *to, struct vault_error *err)
    VAULT_MUST_CHECK;

/*
 * A new root key, wrapped by the provider and for the recovery secret; durable on return, and what
 * is wrapped from then on is wrapped by it. Nothing else is rewritten.
 *
 * VAULT_CONFLICT  the keyring is of the first format, has KEYRING_ROOTS_MAX roots, or was changed
 *                 by another process since it was opened
 */
enum vault_code keyring_rotate(struct keyring *keyring, const char *dir,
                               const struct keyring_provider *provider, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Drop every root but the newest, on disk and in memory: when nothing is wrapped by them any more.
 * Needs no provider. VAULT_CONFLICT as above. */
enum vault_code keyring_drop_former(struct keyring *keyring, const char *dir,
                                    struct vault_error *err) VAULT_MUST_CHECK;

/*
 * The keyring of a keyholder (keyholder.h), which is borrowed: the roots, the seed and the log's
 * private keys stay there. secret is the provider's, where it has one. What can be derived is fixed
 * now, by labels, which are borrowed too: each gives SECRET_KEY_BYTES.
 *
 * Codes as keyring_open(); VAULT_DENIED for a label that is kept; VAULT_CONFLICT if it is open.
 */
enum vault_code keyring_open_held(struct keyholder *holder, const struct secret *secret,
                                  const char *const *labels, size_t label_count,
                                  struct keyring **out, struct vault_error *err) VAULT_MUST_CHECK;

/* Wipe and free. */
void keyring_close(struct keyring **keyring);

/* Whose key it is, which of theirs, and what for. */
#define KEYRING_USE_CITIZEN "citizen"

struct keyring_binding {
    uint8_t owner[KEYRING_OWNER_BYTES];
    uint32_t version; /* from 1 */
    const char *use;  /* such as KEYRING_USE_CITIZEN */
};

/* Append the wrapped key, KEYRING_WRAPPED_BYTES, to out. The key has SECRET_KEY_BYTES. */
enum vault_code keyring_wrap(const struct keyring *keyring, const struct keyring_binding *binding,
                             const struct secret *key, struct buf *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* VAULT_CORRUPT  it was wrapped by another root, for another binding, or is damaged */
enum vault_code keyring_unwrap(const struct keyring *keyring, const struct keyring_binding *binding,
                               struct bytes wrapped, struct secret **out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The same for who goes through all citizens, as a backup does: where a keyholder counts, it waits
 * until more than half of a minute's keys are left, which are for those who are waited for.
 * VAULT_UNAVAILABLE after KEYRING_GIVE_WAY_MS without one. */
#define KEYRING_GIVE_WAY_MS 60000
enum vault_code keyring_unwrap_giving_way(const struct keyring *keyring,
                                          const struct keyring_binding *binding,
                                          struct bytes wrapped, struct secret **out,
                                          struct vault_error *err) VAULT_MUST_CHECK;

/* Append what is wrapped by whichever root, wrapped by the newest. Codes as keyring_unwrap(). */
enum vault_code keyring_rewrap(const struct keyring *keyring, const struct keyring_binding *binding,
                               struct bytes wrapped, struct buf *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The version of the root that wrapped it. */
uint32_t keyring_wrapped_by(struct bytes wrapped);

/* A key that belongs to no citizen, of size bytes, by its label, such as "vault/sessions/1". The
 * same label gives the same key for as long as the vault exists. */
enum vault_code keyring_derive(const struct keyring *keyring, const char *label, size_t size_bytes,
                               struct secret **out, struct vault_error *err) VAULT_MUST_CHECK;

/* The log's signer of a generation, by the name of the log. The keyring outlives it. */
enum vault_code keyring_log_signer(const struct keyring *keyring, const char *origin,
                                   uint32_t generation, struct note_signer *out,
                                   struct vault_error *err) VAULT_MUST_CHECK;

/* The vault's id, KEYRING_OWNER_BYTES; borrowed. */
const uint8_t *keyring_vault(const struct keyring *keyring);

/* The version of the root that wraps now, from 1; and how many roots there are. */
uint32_t keyring_root_version(const struct keyring *keyring);
size_t keyring_root_count(const struct keyring *keyring);
