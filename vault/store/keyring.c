#include "vault/store/keyring.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keyring_file.h"
#include "provider.h"
#include "recovery.h"
#include "vault/base/file.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/kdf.h"

#define LABEL_WRAP         "vault/wrap/1"
#define LABEL_ROOT_WRAP    "vault/root-wrap/1"
#define LABEL_KEY_CHECK    "vault/key-check/1"
#define LABEL_RECOVERY     "vault/recovery/1"
#define LABEL_FILE_MAC     "vault/keyring-file/1"
#define USE_SEED           "vault-seed"
#define ASSOCIATED_MAX     256
#define FIRST_ROOT_VERSION 1

_Static_assert(KEYRING_RECOVERY_CHARS == RECOVERY_CHARS, "the header says what recovery.h does");

struct keyring {
    uint32_t root_version;
    struct secret *root;
    struct secret *seed;
};

void keyring_close(struct keyring **keyring)
{
    if (*keyring) {
        secret_free(&(*keyring)->root);
        secret_free(&(*keyring)->seed);
        free(*keyring);
    }
    *keyring = NULL;
}

static enum vault_code keyring_new(uint32_t root_version, struct keyring **out,
                                   struct vault_error *err)
{
    struct keyring *keyring = calloc(1, sizeof *keyring);
    if (!keyring)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    keyring->root_version = root_version;
    *out = keyring;
    return VAULT_OK;
}

/* What a wrapped key is bound to. */
static enum vault_code binding_text(const struct keyring_binding *binding, uint32_t root_version,
                                    struct buf *out, struct vault_error *err)
{
    assert(binding->version >= 1);
    buf_append(out, LABEL_WRAP, sizeof LABEL_WRAP);
    buf_u32(out, root_version);
    buf_append(out, binding->owner, sizeof binding->owner);
    buf_u32(out, binding->version);
    buf_text(out, binding->use);
    return buf_check(out, err);
}

enum vault_code keyring_wrap(const struct keyring *keyring, const struct keyring_binding *binding,
                             const struct secret *key, struct buf *out, struct vault_error *err)
{
    assert(secret_view(key).size == SECRET_KEY_BYTES);
    VAULT_AUTO(buf_finish) struct buf associated = buf_limited(ASSOCIATED_MAX);
    VAULT_TRY(binding_text(binding, keyring->root_version, &associated, err));
    const size_t before = out->size;
    buf_u32(out, keyring->root_version);
    const enum vault_code code =
        seal(keyring->root, buf_view(&associated), secret_view(key), out, err);
    if (code)
        out->size = before;
    return code;
}

enum vault_code keyring_unwrap(const struct keyring *keyring, const struct keyring_binding *binding,
                               struct bytes wrapped, struct secret **out, struct vault_error *err)
{
    struct cursor cursor = cursor_over(wrapped);
    const uint32_t root_version = cursor_u32(&cursor);
    if (wrapped.size != KEYRING_WRAPPED_BYTES)
        return vault_fail(err, VAULT_CORRUPT, "a wrapped key has the wrong size");
    if (root_version != keyring->root_version)
        return vault_fail(err, VAULT_CORRUPT,
                          "a key was wrapped by version %u of the root key; the keyring has %u",
                          root_version, keyring->root_version);
    VAULT_AUTO(buf_finish) struct buf associated = buf_limited(ASSOCIATED_MAX);
    VAULT_TRY(binding_text(binding, root_version, &associated, err));
    const enum vault_code code = seal_open_secret(
        keyring->root, buf_view(&associated), (struct bytes){cursor.next, cursor.left}, out, err);
    if (code)
        vault_error_context(err, "unwrapping a key");
    return code;
}

enum vault_code keyring_derive(const struct keyring *keyring, const char *label, size_t size_bytes,
                               struct secret **out, struct vault_error *err)
{
    return kdf_derive(keyring->seed, label, size_bytes, out, err);
}

uint32_t keyring_root_version(const struct keyring *keyring)
{
    return keyring->root_version;
}

/* A public word by which a wrapping key is known again. */
static void check_of(const struct secret *key, const uint8_t vault[KEYRING_OWNER_BYTES],
                     uint8_t out[KEYRING_CHECK_BYTES])
{
    const struct bytes parts[] = {bytes_of_text(LABEL_KEY_CHECK), {vault, KEYRING_OWNER_BYTES}};
    uint8_t mac[SHA256_BYTES];
    hmac_sha256(mac, secret_view(key), parts, 2);
    memcpy(out, mac, KEYRING_CHECK_BYTES);
}

static enum vault_code root_binding(const struct keyring_file *file, const char *by,
                                    struct buf *out, struct vault_error *err)
{
    buf_append(out, LABEL_ROOT_WRAP, sizeof LABEL_ROOT_WRAP);
    buf_append(out, file->vault, sizeof file->vault);
    buf_u32(out, file->root_version);
    buf_text(out, by);
    return buf_check(out, err);
}

/* Wrap the root by a key, into a row of the file. */
static enum vault_code row_make(const struct keyring_file *file, const struct keyring *keyring,
                                const char *by, const struct secret *key,
                                struct keyring_wrap_row *row, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf associated = buf_limited(ASSOCIATED_MAX);
    VAULT_AUTO(buf_finish) struct buf sealed = buf_limited(KEYRING_SEALED_BYTES);
    VAULT_TRY(root_binding(file, by, &associated, err));
    VAULT_TRY(seal(key, buf_view(&associated), secret_view(keyring->root), &sealed, err));
    assert(strlen(by) <= KEYRING_BY_CHARS && sealed.size == sizeof row->sealed);
    memset(row, 0, sizeof *row);
    memcpy(row->by, by, strlen(by));
    check_of(key, file->vault, row->check);
    memcpy(row->sealed, sealed.data, sealed.size);
    return VAULT_OK;
}

static struct keyring_binding seed_binding(const struct keyring_file *file)
{
    struct keyring_binding binding = {.version = 1, .use = USE_SEED};
    memcpy(binding.owner, file->vault, sizeof binding.owner);
    return binding;
}

static enum vault_code file_mac(const struct keyring *keyring, const struct keyring_file *file,
                                uint8_t out[SHA256_BYTES], struct vault_error *err)
{
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    VAULT_TRY(keyring_derive(keyring, LABEL_FILE_MAC, SECRET_KEY_BYTES, &key, err));
    keyring_file_mac(file, key, out);
    return VAULT_OK;
}

/* Open a keyring by the row that a key wrapped. whose says, for the error, whose key it is. */
static enum vault_code open_row(const struct keyring_file *file, const struct keyring_wrap_row *row,
                                const struct secret *key, const char *whose, struct keyring **out,
                                struct vault_error *err)
{
    uint8_t check[KEYRING_CHECK_BYTES];
    check_of(key, file->vault, check);
    if (!secret_equal((struct bytes){check, sizeof check},
                      (struct bytes){row->check, sizeof row->check}))
        return vault_fail(err, VAULT_DENIED, "%s is not the one that this keyring was wrapped with",
                          whose);
    VAULT_AUTO(keyring_close) struct keyring *keyring = NULL;
    VAULT_AUTO(buf_finish) struct buf associated = buf_limited(ASSOCIATED_MAX);
    VAULT_TRY(keyring_new(file->root_version, &keyring, err));
    VAULT_TRY(root_binding(file, row->by, &associated, err));
    const struct keyring_binding binding = seed_binding(file);
    uint8_t mac[SHA256_BYTES];
    enum vault_code code =
        seal_open_secret(key, buf_view(&associated),
                         (struct bytes){row->sealed, sizeof row->sealed}, &keyring->root, err);
    if (!code)
        code = keyring_unwrap(keyring, &binding, (struct bytes){file->seed, sizeof file->seed},
                              &keyring->seed, err);
    if (!code)
        code = file_mac(keyring, file, mac, err);
    if (!code &&
        !secret_equal((struct bytes){mac, sizeof mac}, (struct bytes){file->mac, sizeof file->mac}))
        code = vault_fail(err, VAULT_CORRUPT, "its parts do not belong together");
    if (code) {
        vault_error_context(err, "the key is right, but the keyring is damaged");
        return code;
    }
    *out = VAULT_TAKE(keyring);
    return VAULT_OK;
}

enum vault_code keyring_open(const char *dir, const struct keyring_provider *provider,
                             struct keyring **out, struct vault_error *err)
{
    struct keyring_file file;
    VAULT_TRY(keyring_file_read(dir, &file, err));
    const struct keyring_wrap_row *row = &file.wraps[0];
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    VAULT_TRY(provider_fetch(provider, &key, err));
    if (strcmp(row->by, provider->name) != 0)
        return vault_fail(err, VAULT_DENIED,
                          "the keyring was wrapped by another provider than the one configured");
    return open_row(&file, row, key, "the provider's key", out, err);
}

static enum vault_code recovery_key(struct bytes raw, const struct keyring_file *file,
                                    struct secret **out, struct vault_error *err)
{
    return kdf_hkdf(raw, (struct bytes){file->vault, sizeof file->vault},
                    bytes_of_text(LABEL_RECOVERY), SECRET_KEY_BYTES, out, err);
}

/* A fresh recovery secret: as text, and the key it stands for. */
static enum vault_code recovery_new(const struct keyring_file *file, struct secret **text,
                                    struct secret **key, struct vault_error *err)
{
    VAULT_AUTO(secret_free) struct secret *raw = NULL;
    VAULT_AUTO(secret_free) struct secret *words = NULL;
    VAULT_TRY(secret_random(RECOVERY_BYTES, &raw, err));
    VAULT_TRY(secret_new(RECOVERY_CHARS + 1, &words, err));
    VAULT_TRY(recovery_key(secret_view(raw), file, key, err));
    recovery_write((char *)secret_data(words), secret_view(raw).data);
    *text = VAULT_TAKE(words);
    return VAULT_OK;
}

static enum vault_code seed_make(struct keyring *keyring, struct keyring_file *file,
                                 struct vault_error *err)
{
    const struct keyring_binding binding = seed_binding(file);
    VAULT_AUTO(buf_finish) struct buf wrapped = buf_limited(KEYRING_WRAPPED_BYTES);
    VAULT_TRY(secret_random(SECRET_KEY_BYTES, &keyring->seed, err));
    VAULT_TRY(keyring_wrap(keyring, &binding, keyring->seed, &wrapped, err));
    memcpy(file->seed, wrapped.data, sizeof file->seed);
    return VAULT_OK;
}

/* Everything of a new keyring but the provider's row and the mac. */
static enum vault_code keyring_make(struct keyring_file *file, struct keyring **out,
                                    struct secret **recovery, struct vault_error *err)
{
    VAULT_AUTO(keyring_close) struct keyring *keyring = NULL;
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    *file = (struct keyring_file){.root_version = FIRST_ROOT_VERSION};
    random_bytes(file->vault, sizeof file->vault);
    VAULT_TRY(keyring_new(FIRST_ROOT_VERSION, &keyring, err));
    VAULT_TRY(secret_random(SECRET_KEY_BYTES, &keyring->root, err));
    VAULT_TRY(seed_make(keyring, file, err));
    VAULT_TRY(recovery_new(file, recovery, &key, err));
    VAULT_TRY(row_make(file, keyring, KEYRING_BY_RECOVERY, key, &file->wraps[1], err));
    *out = VAULT_TAKE(keyring);
    return VAULT_OK;
}

/* Wrap the root by the provider's key, and write the file. */
static enum vault_code wrap_and_write(const char *dir, const struct keyring *keyring,
                                      struct keyring_file *file, const char *by,
                                      const struct secret *key, bool replace,
                                      struct vault_error *err)
{
    VAULT_TRY(row_make(file, keyring, by, key, &file->wraps[0], err));
    VAULT_TRY(file_mac(keyring, file, file->mac, err));
    return keyring_file_write(dir, file, replace, err);
}

enum vault_code keyring_create(const char *dir, const struct keyring_provider *provider,
                               struct secret **recovery, struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_TRY(file_join(path, sizeof path, dir, KEYRING_FILE, err));
    if (file_exists(path))
        return vault_fail(err, VAULT_CONFLICT, "there is a keyring already: %s", path);
    struct keyring_file file;
    VAULT_AUTO(keyring_close) struct keyring *keyring = NULL;
    VAULT_AUTO(secret_free) struct secret *text = NULL;
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    VAULT_TRY(keyring_make(&file, &keyring, &text, err));
    VAULT_TRY(provider_create(provider, &key, err));
    const enum vault_code code =
        wrap_and_write(dir, keyring, &file, provider->name, key, false, err);
    if (code) {
        unlink(path);
        provider_undo(provider);
        return code;
    }
    *recovery = VAULT_TAKE(text);
    return VAULT_OK;
}

enum vault_code keyring_recover(const char *dir, struct bytes recovery,
                                const struct keyring_provider *provider, struct vault_error *err)
{
    struct keyring_file file;
    VAULT_AUTO(secret_free) struct secret *raw = NULL;
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    VAULT_AUTO(keyring_close) struct keyring *keyring = NULL;
    VAULT_TRY(keyring_file_read(dir, &file, err));
    VAULT_TRY(recovery_read(recovery, &raw, err));
    VAULT_TRY(recovery_key(secret_view(raw), &file, &key, err));
    VAULT_TRY(open_row(&file, &file.wraps[1], key, "the recovery secret", &keyring, err));
    VAULT_AUTO(secret_free) struct secret *fresh = NULL;
    VAULT_TRY(provider_create(provider, &fresh, err));
    /* If this fails the fresh key stays: the keyring may have been replaced all the same. */
    return wrap_and_write(dir, keyring, &file, provider->name, fresh, true, err);
}
