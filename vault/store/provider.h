/*
 * provider - who wraps the root key for the vault's own start.
 *
 * Each kind is a file, provider_NAME.c, and a row in the table of provider.c; the keyring knows
 * none of them by name. A kind either gives a key, with which the root is sealed here, or wraps
 * itself, with a key that never comes here.
 */
#pragma once

#include "keyring_file.h"
#include "vault/base/error.h"
#include "vault/crypto/secret.h"
#include "vault/store/keyring.h"

struct provider;

/* VAULT_INVALID unless there is a provider of that name. */
enum vault_code provider_known(const struct keyring_provider *options, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Make a fresh key, durable on return, and append what is needed to find it again to note (at most
 * KEYRING_NOTE_MAX_BYTES). The codes are those of keyring_create(). */
enum vault_code provider_create(const struct keyring_provider *options, struct buf *note,
                                struct provider **out, struct vault_error *err) VAULT_MUST_CHECK;

/* Take back what provider_create() just made. */
void provider_undo(const struct keyring_provider *options, struct provider *provider);

/* The key that was made before. The codes are those of keyring_open(). */
enum vault_code provider_open(const struct keyring_provider *options, struct bytes note,
                              struct provider **out, struct vault_error *err) VAULT_MUST_CHECK;

void provider_close(struct provider **provider);

/* What its key is called in an error, such as "the passphrase". */
const char *provider_whose(const struct provider *provider);

/* A public word by which its key is known again, for this vault. */
void provider_check(const struct provider *provider, const uint8_t vault[KEYRING_OWNER_BYTES],
                    uint8_t out[KEYRING_CHECK_BYTES]);

/* KEYRING_SEALED_BYTES, bound to the associated data. */
enum vault_code provider_wrap(const struct provider *provider, struct bytes associated,
                              const struct secret *root, uint8_t out[KEYRING_SEALED_BYTES],
                              struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_CORRUPT if it does not open. */
enum vault_code provider_unwrap(const struct provider *provider, struct bytes associated,
                                const uint8_t wrapped[KEYRING_SEALED_BYTES], struct secret **out,
                                struct vault_error *err) VAULT_MUST_CHECK;
