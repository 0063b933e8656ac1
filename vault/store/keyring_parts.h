/*
 * keyring_parts - an open keyring from inside, for the keyring's own modules alone.
 */
#pragma once

#include <pthread.h>
#include <stdint.h>

#include "keyholder_parts.h"
#include "keyring_file.h"
#include "provider.h"
#include "vault/store/keyring.h"

struct keyring_root {
    uint32_t version;
    struct secret *key;
};

/* The newest last. Apart, since it changes while the keyring is used. */
struct keyring_roots {
    pthread_rwlock_t lock;
    size_t count;
    struct keyring_root items[KEYRING_ROOTS_MAX];
};

struct keyring {
    uint8_t vault[KEYRING_OWNER_BYTES];
    struct keyring_roots *roots;
    struct secret *seed;
    struct keyring_held *held; /* NULL: roots and seed are here */
};

enum vault_code keyring_new(const uint8_t vault[KEYRING_OWNER_BYTES], struct keyring **out,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* Make it the newest; *key is taken. */
void keyring_add_root(struct keyring *keyring, uint32_t version, struct secret **key);

/* The owner's binding of the vault seed. */
struct keyring_binding keyring_seed_binding(const uint8_t vault[KEYRING_OWNER_BYTES]);

/* What a root is bound to when it is wrapped: the vault, its version, and by whom. */
#define KEYRING_ASSOCIATED_MAX 256
enum vault_code keyring_root_binding(const struct keyring_file *file, uint32_t version,
                                     const char *by, struct buf *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The provider, of the name in the file, with its key checked; and the whole keyring by it. whose
 * mistake it is, the text says. */
enum vault_code keyring_provider_of(const struct keyring_file *file,
                                    const struct keyring_provider *options, struct provider **out,
                                    struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code keyring_open_by(const struct keyring_file *file, const struct provider *provider,
                                struct keyring **out, struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_CORRUPT unless the mac is what it should be; and put it in. */
enum vault_code keyring_mac_check(const struct keyring *keyring, const struct keyring_file *file,
                                  struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code keyring_mac_put(const struct keyring *keyring, struct keyring_file *file,
                                struct vault_error *err) VAULT_MUST_CHECK;

/* Wrap a root for the recovery secret, or by the provider, into the file's row. */
enum vault_code keyring_row_recovery(const struct keyring_file *file, const struct secret *root,
                                     struct keyring_file_root *row, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code keyring_row_provider(const struct keyring_file *file,
                                     const struct provider *provider, const struct secret *root,
                                     struct keyring_file_root *row, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Wrap every root again, by a provider that was made just now with this note, and replace the file.
 * With an error and *untouched, the file is certainly as it was. */
enum vault_code keyring_rewrap_file(const char *dir, const struct keyring *keyring,
                                    const struct keyring_provider *options, struct bytes note,
                                    const struct provider *provider, struct keyring_file *file,
                                    bool *untouched, struct vault_error *err) VAULT_MUST_CHECK;

/* A new name, check and note of the provider in the file. */
void keyring_name_provider(struct keyring_file *file, const struct keyring_provider *options,
                           struct bytes note, const struct provider *provider);
