#include "provider.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "provider_kinds.h"
#include "vault/crypto/hash.h"

#define LABEL_KEY_CHECK "vault/key-check/1"

static const struct provider_kind *const kinds[] = {
    &provider_file,
    &provider_credential,
    &provider_passphrase,
    &provider_pkcs11,
};

static const struct provider_kind *kind_of(const struct keyring_provider *options)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i]->name, options->name) == 0)
            return kinds[i];
    }
    return NULL;
}

const char *keyring_provider_needs(const struct keyring_provider *provider)
{
    const struct provider_kind *kind = kind_of(provider);
    return kind && !provider->secret ? kind->needs : NULL;
}

enum vault_code provider_given(const char *value, const char *what, struct vault_error *err)
{
    if (!value || !*value)
        return vault_fail(err, VAULT_INVALID, "the key provider needs %s", what);
    return VAULT_OK;
}

static enum vault_code find_kind(const struct keyring_provider *options,
                                 const struct provider_kind **out, struct vault_error *err)
{
    const struct provider_kind *kind = kind_of(options);
    if (!kind)
        return vault_fail(err, VAULT_INVALID,
                          "there is no such key provider; there are: file, credential, passphrase, "
                          "pkcs11");
    *out = kind;
    return VAULT_OK;
}

enum vault_code provider_known(const struct keyring_provider *options, struct vault_error *err)
{
    const struct provider_kind *kind = NULL;
    return find_kind(options, &kind, err);
}

static enum vault_code provider_new(const struct keyring_provider *options, struct provider **out,
                                    struct vault_error *err)
{
    const struct provider_kind *kind = NULL;
    VAULT_TRY(find_kind(options, &kind, err));
    if (kind->needs && !options->secret)
        return vault_fail(err, VAULT_UNAVAILABLE, "the key provider %s needs its %s", kind->name,
                          kind->needs);
    struct provider *provider = calloc(1, sizeof *provider);
    if (!provider)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    provider->kind = kind;
    *out = provider;
    return VAULT_OK;
}

enum vault_code provider_create(const struct keyring_provider *options, struct buf *note,
                                struct provider **out, struct vault_error *err)
{
    VAULT_AUTO(provider_close) struct provider *provider = NULL;
    VAULT_TRY(provider_new(options, &provider, err));
    VAULT_TRY(provider->kind->create(options, note, provider, err));
    *out = VAULT_TAKE(provider);
    return VAULT_OK;
}

void provider_undo(const struct keyring_provider *options, struct provider *provider)
{
    if (provider && provider->kind->undo)
        provider->kind->undo(options, provider);
}

enum vault_code provider_open(const struct keyring_provider *options, struct bytes note,
                              struct provider **out, struct vault_error *err)
{
    VAULT_AUTO(provider_close) struct provider *provider = NULL;
    VAULT_TRY(provider_new(options, &provider, err));
    VAULT_TRY(provider->kind->open(options, note, provider, err));
    *out = VAULT_TAKE(provider);
    return VAULT_OK;
}

void provider_close(struct provider **provider)
{
    struct provider *gone = VAULT_TAKE(*provider);
    if (!gone)
        return;
    if (gone->token)
        gone->kind->close(&gone->token);
    secret_free(&gone->key);
    free(gone);
}

const char *provider_whose(const struct provider *provider)
{
    return provider->kind->whose;
}

void provider_check(const struct provider *provider, const uint8_t vault[KEYRING_OWNER_BYTES],
                    uint8_t out[KEYRING_CHECK_BYTES])
{
    const struct bytes parts[] = {bytes_of_text(LABEL_KEY_CHECK), {vault, KEYRING_OWNER_BYTES}};
    const struct bytes key = provider->kind->wrap ? provider->kind->name_of_key(provider->token)
                                                  : secret_view(provider->key);
    uint8_t mac[SHA256_BYTES];
    hmac_sha256(mac, key, parts, 2);
    memcpy(out, mac, KEYRING_CHECK_BYTES);
}

enum vault_code provider_wrap(const struct provider *provider, struct bytes associated,
                              const struct secret *root, uint8_t out[KEYRING_SEALED_BYTES],
                              struct vault_error *err)
{
    if (provider->kind->wrap)
        return provider->kind->wrap(provider->token, associated, root, out, err);
    VAULT_AUTO(buf_finish) struct buf sealed = buf_limited(KEYRING_SEALED_BYTES);
    VAULT_TRY(seal(provider->key, associated, secret_view(root), &sealed, err));
    assert(sealed.size == KEYRING_SEALED_BYTES);
    memcpy(out, sealed.data, sealed.size);
    return VAULT_OK;
}

enum vault_code provider_unwrap(const struct provider *provider, struct bytes associated,
                                const uint8_t wrapped[KEYRING_SEALED_BYTES], struct secret **out,
                                struct vault_error *err)
{
    if (provider->kind->unwrap)
        return provider->kind->unwrap(provider->token, associated, wrapped, out, err);
    return seal_open_secret(provider->key, associated,
                            (struct bytes){wrapped, KEYRING_SEALED_BYTES}, out, err);
}
