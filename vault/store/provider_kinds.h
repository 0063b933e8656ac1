/*
 * provider_kinds - what a kind of provider is made of; for provider.c and the kinds alone.
 */
#pragma once

#include "provider.h"

struct token;

struct provider {
    const struct provider_kind *kind;
    struct secret *key;  /* of the kinds that give one */
    struct token *token; /* of "pkcs11" */
};

struct provider_kind {
    const char *name;
    const char *whose; /* its key, in an error */
    const char *needs; /* what a person gives, or NULL */

    /* Fill what is empty. On failure nothing is left but what provider_close() frees. */
    enum vault_code (*create)(const struct keyring_provider *options, struct buf *note,
                              struct provider *provider, struct vault_error *err);
    enum vault_code (*open)(const struct keyring_provider *options, struct bytes note,
                            struct provider *provider, struct vault_error *err);
    void (*undo)(const struct keyring_provider *options, struct provider *provider);

    /* NULL for the kinds that give a key. */
    enum vault_code (*wrap)(const struct token *token, struct bytes associated,
                            const struct secret *root, uint8_t out[KEYRING_SEALED_BYTES],
                            struct vault_error *err);
    enum vault_code (*unwrap)(const struct token *token, struct bytes associated,
                              const uint8_t wrapped[KEYRING_SEALED_BYTES], struct secret **out,
                              struct vault_error *err);
    struct bytes (*name_of_key)(const struct token *token);
    void (*close)(struct token **token);
};

extern const struct provider_kind provider_file;
extern const struct provider_kind provider_credential;
extern const struct provider_kind provider_passphrase;
extern const struct provider_kind provider_pkcs11;

/* The key in a file of SECRET_KEY_BYTES that nobody in the mode may read. what is "key file" or
 * "credential". */
enum vault_code provider_key_file(const char *path, const char *what, unsigned forbidden_mode,
                                  struct secret **out, struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_INVALID, saying what is missing, unless there is a value. */
enum vault_code provider_given(const char *value, const char *what, struct vault_error *err)
    VAULT_MUST_CHECK;
