/*
 * Making a keyring, and opening it: by its provider or by the recovery secret.
 */
#include <assert.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "keyring_parts.h"
#include "recovery.h"
#include "vault/base/file.h"
#include "vault/crypto/kdf.h"

#define LABEL_ROOT_WRAP    "vault/root-wrap/1"
#define LABEL_KEY_CHECK    "vault/key-check/1"
#define LABEL_RECOVERY_1   "vault/recovery/1"
#define LABEL_RECOVERY_2   "vault/recovery/2"
#define LABEL_ROOT_HPKE    "vault/root-recovery/2"
#define LABEL_FILE_MAC     KEYRING_LABEL_OWN "1"
#define BY_RECOVERY        "recovery"
#define FIRST_ROOT_VERSION 1

enum vault_code keyring_root_binding(const struct keyring_file *file, uint32_t version,
                                     const char *by, struct buf *out, struct vault_error *err)
{
    buf_append(out, LABEL_ROOT_WRAP, sizeof LABEL_ROOT_WRAP);
    buf_append(out, file->vault, sizeof file->vault);
    buf_u32(out, version);
    buf_text(out, by);
    return buf_check(out, err);
}

/* --- The file's mac ------------------------------------------------------------------------- */

static enum vault_code mac_of(const struct keyring *keyring, const struct keyring_file *file,
                              uint8_t out[SHA256_BYTES], struct vault_error *err)
{
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    VAULT_TRY(keyring_derive(keyring, LABEL_FILE_MAC, SECRET_KEY_BYTES, &key, err));
    keyring_file_mac(file, key, out);
    return VAULT_OK;
}

enum vault_code keyring_mac_check(const struct keyring *keyring, const struct keyring_file *file,
                                  struct vault_error *err)
{
    uint8_t mac[SHA256_BYTES];
    VAULT_TRY(mac_of(keyring, file, mac, err));
    if (!secret_equal((struct bytes){mac, sizeof mac}, (struct bytes){file->mac, sizeof file->mac}))
        return vault_fail(err, VAULT_CORRUPT, "its parts do not belong together");
    return VAULT_OK;
}

enum vault_code keyring_mac_put(const struct keyring *keyring, struct keyring_file *file,
                                struct vault_error *err)
{
    return mac_of(keyring, file, file->mac, err);
}

/* --- Who can open a root -------------------------------------------------------------------- */

/* A provider, or the recovery secret: the private half, or in the first format a key. */
struct opener {
    const struct provider *provider;
    const struct secret *recovery;
};

static enum vault_code open_root(const struct opener *opener, const struct keyring_file *file,
                                 const struct keyring_file_root *root, struct secret **out,
                                 struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf bound = buf_limited(KEYRING_ASSOCIATED_MAX);
    const char *by = opener->provider ? file->provider : BY_RECOVERY;
    VAULT_TRY(keyring_root_binding(file, root->version, by, &bound, err));
    if (opener->provider)
        return provider_unwrap(opener->provider, buf_view(&bound), root->by_provider, out, err);
    if (file->format == 1)
        return seal_open_secret(opener->recovery, buf_view(&bound),
                                (struct bytes){root->by_recovery, KEYRING_SEALED_BYTES}, out, err);
    return hpke_open(opener->recovery, bytes_of_text(LABEL_ROOT_HPKE), buf_view(&bound),
                     (struct bytes){root->by_recovery, sizeof root->by_recovery}, out, err);
}

static enum vault_code open_parts(const struct opener *opener, const struct keyring_file *file,
                                  struct keyring *keyring, struct vault_error *err)
{
    const struct keyring_binding binding = keyring_seed_binding(file->vault);
    for (size_t i = 0; i < file->root_count; i++) {
        VAULT_AUTO(secret_free) struct secret *key = NULL;
        VAULT_TRY(open_root(opener, file, &file->roots[i], &key, err));
        keyring_add_root(keyring, file->roots[i].version, &key);
    }
    VAULT_TRY(keyring_unwrap(keyring, &binding, (struct bytes){file->seed, sizeof file->seed},
                             &keyring->seed, err));
    return keyring_mac_check(keyring, file, err);
}

/* A token that does not answer damages nothing. */
static enum vault_code open_all(const struct opener *opener, const struct keyring_file *file,
                                struct keyring **out, struct vault_error *err)
{
    VAULT_AUTO(keyring_close) struct keyring *keyring = NULL;
    VAULT_TRY(keyring_new(file->vault, &keyring, err));
    const enum vault_code code = open_parts(opener, file, keyring, err);
    if (code == VAULT_CORRUPT)
        vault_error_context(err, "the key is right, but the keyring is damaged");
    if (code)
        return code;
    *out = VAULT_TAKE(keyring);
    return VAULT_OK;
}

enum vault_code keyring_open_by(const struct keyring_file *file, const struct provider *provider,
                                struct keyring **out, struct vault_error *err)
{
    const struct opener opener = {.provider = provider};
    return open_all(&opener, file, out, err);
}

enum vault_code keyring_provider_of(const struct keyring_file *file,
                                    const struct keyring_provider *options, struct provider **out,
                                    struct vault_error *err)
{
    uint8_t check[KEYRING_CHECK_BYTES];
    VAULT_AUTO(provider_close) struct provider *provider = NULL;
    VAULT_TRY(provider_known(options, err));
    if (strcmp(file->provider, options->name) != 0)
        return vault_fail(err, VAULT_DENIED,
                          "the keyring was wrapped by the provider %s, not by %s", file->provider,
                          options->name);
    VAULT_TRY(provider_open(options, (struct bytes){file->note, file->note_size}, &provider, err));
    provider_check(provider, file->vault, check);
    if (!secret_equal((struct bytes){check, sizeof check},
                      (struct bytes){file->check, sizeof file->check}))
        return vault_fail(err, VAULT_DENIED, "%s is not the one that this keyring was wrapped with",
                          provider_whose(provider));
    *out = VAULT_TAKE(provider);
    return VAULT_OK;
}

enum vault_code keyring_open(const char *dir, const struct keyring_provider *options,
                             struct keyring **out, struct vault_error *err)
{
    struct keyring_file file;
    VAULT_AUTO(provider_close) struct provider *provider = NULL;
    VAULT_TRY(keyring_file_read(dir, &file, err));
    VAULT_TRY(keyring_provider_of(&file, options, &provider, err));
    return keyring_open_by(&file, provider, out, err);
}

/* --- Rows ----------------------------------------------------------------------------------- */

enum vault_code keyring_row_recovery(const struct keyring_file *file, const struct secret *root,
                                     struct keyring_file_root *row, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf bound = buf_limited(KEYRING_ASSOCIATED_MAX);
    VAULT_AUTO(buf_finish) struct buf sealed = buf_limited(KEYRING_HPKE_BYTES);
    VAULT_TRY(keyring_root_binding(file, row->version, BY_RECOVERY, &bound, err));
    VAULT_TRY(hpke_seal(file->recovery, bytes_of_text(LABEL_ROOT_HPKE), buf_view(&bound),
                        secret_view(root), &sealed, err));
    assert(sealed.size == sizeof row->by_recovery);
    memcpy(row->by_recovery, sealed.data, sealed.size);
    return VAULT_OK;
}

/* And back at once: better now than at the next start. */
enum vault_code keyring_row_provider(const struct keyring_file *file,
                                     const struct provider *provider, const struct secret *root,
                                     struct keyring_file_root *row, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf bound = buf_limited(KEYRING_ASSOCIATED_MAX);
    VAULT_AUTO(secret_free) struct secret *back = NULL;
    VAULT_TRY(keyring_root_binding(file, row->version, file->provider, &bound, err));
    VAULT_TRY(provider_wrap(provider, buf_view(&bound), root, row->by_provider, err));
    VAULT_TRY(provider_unwrap(provider, buf_view(&bound), row->by_provider, &back, err));
    if (!secret_equal(secret_view(root), secret_view(back)))
        return vault_fail(err, VAULT_CORRUPT, "the provider does not give back what it wrapped");
    return VAULT_OK;
}

void keyring_name_provider(struct keyring_file *file, const struct keyring_provider *options,
                           struct bytes note, const struct provider *provider)
{
    assert(strlen(options->name) <= KEYRING_NAME_CHARS && note.size <= sizeof file->note);
    memset(file->provider, 0, sizeof file->provider);
    memcpy(file->provider, options->name, strlen(options->name));
    memset(file->note, 0, sizeof file->note);
    if (note.size)
        memcpy(file->note, note.data, note.size);
    file->note_size = note.size;
    provider_check(provider, file->vault, file->check);
}

/* --- The recovery secret -------------------------------------------------------------------- */

static enum vault_code recovery_key(struct bytes raw, const struct keyring_file *file,
                                    const char *label, struct secret **out, struct vault_error *err)
{
    return kdf_hkdf(raw, (struct bytes){file->vault, sizeof file->vault}, bytes_of_text(label),
                    SECRET_KEY_BYTES, out, err);
}

/* A fresh recovery secret as text; its public half goes into the file. */
static enum vault_code recovery_new(struct keyring_file *file, struct secret **text,
                                    struct vault_error *err)
{
    VAULT_AUTO(secret_free) struct secret *raw = NULL;
    VAULT_AUTO(secret_free) struct secret *words = NULL;
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    VAULT_TRY(secret_random(RECOVERY_BYTES, &raw, err));
    VAULT_TRY(secret_new(RECOVERY_CHARS + 1, &words, err));
    VAULT_TRY(recovery_key(secret_view(raw), file, LABEL_RECOVERY_2, &key, err));
    VAULT_TRY(hpke_public(key, file->recovery, err));
    recovery_write((char *)secret_data(words), secret_view(raw).data);
    *text = VAULT_TAKE(words);
    return VAULT_OK;
}

static enum vault_code not_this_vaults(struct vault_error *err)
{
    return vault_fail(err, VAULT_DENIED,
                      "the recovery secret is not the one that this keyring was wrapped with");
}

static enum vault_code open_by_recovery_1(const struct keyring_file *file, struct bytes raw,
                                          struct keyring **out, struct vault_error *err)
{
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    VAULT_TRY(recovery_key(raw, file, LABEL_RECOVERY_1, &key, err));
    const struct bytes parts[] = {bytes_of_text(LABEL_KEY_CHECK),
                                  {file->vault, sizeof file->vault}};
    uint8_t mac[SHA256_BYTES];
    hmac_sha256(mac, secret_view(key), parts, 2);
    if (!secret_equal((struct bytes){mac, KEYRING_CHECK_BYTES},
                      (struct bytes){file->recovery_check, KEYRING_CHECK_BYTES}))
        return not_this_vaults(err);
    const struct opener opener = {.recovery = key};
    return open_all(&opener, file, out, err);
}

static enum vault_code open_by_recovery_2(const struct keyring_file *file, struct bytes raw,
                                          struct keyring **out, struct vault_error *err)
{
    uint8_t public_key[HPKE_KEY_BYTES];
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    VAULT_TRY(recovery_key(raw, file, LABEL_RECOVERY_2, &key, err));
    VAULT_TRY(hpke_public(key, public_key, err));
    if (memcmp(public_key, file->recovery, sizeof public_key) != 0)
        return not_this_vaults(err);
    const struct opener opener = {.recovery = key};
    return open_all(&opener, file, out, err);
}

/* To the second format, with the recovery secret at hand. */
static enum vault_code upgrade(const struct keyring *keyring, struct bytes raw,
                               struct keyring_file *file, struct vault_error *err)
{
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    VAULT_TRY(recovery_key(raw, file, LABEL_RECOVERY_2, &key, err));
    VAULT_TRY(hpke_public(key, file->recovery, err));
    VAULT_TRY(keyring_row_recovery(file, keyring->roots->items[0].key, &file->roots[0], err));
    file->format = 2;
    return VAULT_OK;
}

/* --- Making and recovering ------------------------------------------------------------------ */

enum vault_code keyring_rewrap_file(const char *dir, const struct keyring *keyring,
                                    const struct keyring_provider *options, struct bytes note,
                                    const struct provider *provider, struct keyring_file *file,
                                    bool *untouched, struct vault_error *err)
{
    *untouched = true;
    keyring_name_provider(file, options, note, provider);
    for (size_t i = 0; i < file->root_count; i++)
        VAULT_TRY(keyring_row_provider(file, provider, keyring->roots->items[i].key,
                                       &file->roots[i], err));
    VAULT_TRY(keyring_mac_put(keyring, file, err));
    *untouched = false;
    return keyring_file_write(dir, file, true, err);
}

/* Everything of a new keyring but what the provider adds, and the mac. */
static enum vault_code make(struct keyring_file *file, struct keyring **out,
                            struct secret **recovery, struct vault_error *err)
{
    VAULT_AUTO(keyring_close) struct keyring *keyring = NULL;
    VAULT_AUTO(secret_free) struct secret *root = NULL;
    VAULT_AUTO(buf_finish) struct buf wrapped = buf_limited(KEYRING_WRAPPED_BYTES);
    *file = (struct keyring_file){.format = 2, .root_count = 1};
    file->roots[0].version = FIRST_ROOT_VERSION;
    random_bytes(file->vault, sizeof file->vault);
    const struct keyring_binding binding = keyring_seed_binding(file->vault);
    VAULT_TRY(keyring_new(file->vault, &keyring, err));
    VAULT_TRY(secret_random(SECRET_KEY_BYTES, &root, err));
    VAULT_TRY(recovery_new(file, recovery, err));
    VAULT_TRY(keyring_row_recovery(file, root, &file->roots[0], err));
    keyring_add_root(keyring, FIRST_ROOT_VERSION, &root);
    VAULT_TRY(secret_random(SECRET_KEY_BYTES, &keyring->seed, err));
    VAULT_TRY(keyring_wrap(keyring, &binding, keyring->seed, &wrapped, err));
    memcpy(file->seed, wrapped.data, sizeof file->seed);
    *out = VAULT_TAKE(keyring);
    return VAULT_OK;
}

static enum vault_code write_first(const char *dir, const struct keyring *keyring,
                                   const struct keyring_provider *options, struct bytes note,
                                   const struct provider *provider, struct keyring_file *file,
                                   struct vault_error *err)
{
    keyring_name_provider(file, options, note, provider);
    VAULT_TRY(
        keyring_row_provider(file, provider, keyring->roots->items[0].key, &file->roots[0], err));
    VAULT_TRY(keyring_mac_put(keyring, file, err));
    return keyring_file_write(dir, file, false, err);
}

enum vault_code keyring_create(const char *dir, const struct keyring_provider *options,
                               struct secret **recovery, struct vault_error *err)
{
    char path[PATH_MAX];
    struct keyring_file file;
    VAULT_AUTO(keyring_close) struct keyring *keyring = NULL;
    VAULT_AUTO(secret_free) struct secret *text = NULL;
    VAULT_AUTO(provider_close) struct provider *provider = NULL;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(KEYRING_NOTE_MAX_BYTES);
    VAULT_TRY(file_join(path, sizeof path, dir, KEYRING_FILE, err));
    if (!file_is_missing(path))
        return vault_fail(err, VAULT_CONFLICT, "there is a keyring already: %s", path);
    VAULT_TRY(make(&file, &keyring, &text, err));
    VAULT_TRY(provider_create(options, &note, &provider, err));
    const enum vault_code code =
        write_first(dir, keyring, options, buf_view(&note), provider, &file, err);
    if (code) {
        unlink(path);
        provider_undo(options, provider);
        return code;
    }
    *recovery = VAULT_TAKE(text);
    return VAULT_OK;
}

static enum vault_code open_by_recovery(const struct keyring_file *file, struct bytes raw,
                                        struct keyring **out, struct vault_error *err)
{
    return file->format == 1 ? open_by_recovery_1(file, raw, out, err)
                             : open_by_recovery_2(file, raw, out, err);
}

enum vault_code keyring_open_recovery(const char *dir, struct bytes recovery, struct keyring **out,
                                      struct vault_error *err)
{
    struct keyring_file file;
    VAULT_AUTO(secret_free) struct secret *raw = NULL;
    VAULT_TRY(recovery_read(recovery, &raw, err));
    VAULT_TRY(keyring_file_read(dir, &file, err));
    return open_by_recovery(&file, secret_view(raw), out, err);
}

enum vault_code keyring_recover(const char *dir, struct bytes recovery,
                                const struct keyring_provider *options, struct vault_error *err)
{
    bool untouched = true;
    struct keyring_file file;
    VAULT_AUTO(file_close) int lock = -1;
    VAULT_AUTO(secret_free) struct secret *raw = NULL;
    VAULT_AUTO(keyring_close) struct keyring *keyring = NULL;
    VAULT_AUTO(provider_close) struct provider *provider = NULL;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(KEYRING_NOTE_MAX_BYTES);
    VAULT_TRY(recovery_read(recovery, &raw, err));
    VAULT_TRY(keyring_file_lock(dir, &lock, err));
    VAULT_TRY(keyring_file_read(dir, &file, err));
    VAULT_TRY(open_by_recovery(&file, secret_view(raw), &keyring, err));
    if (file.format == 1)
        VAULT_TRY(upgrade(keyring, secret_view(raw), &file, err));
    VAULT_TRY(provider_create(options, &note, &provider, err));
    const enum vault_code code = keyring_rewrap_file(dir, keyring, options, buf_view(&note),
                                                     provider, &file, &untouched, err);
    if (code && untouched)
        provider_undo(options, provider);
    return code;
}
