/*
 * What changes an existing keyring while its provider is there: another provider, another root,
 * fewer roots. Each reads the file again under the folder's lock and replaces it whole.
 */
#include <assert.h>
#include <string.h>

#include "keyring_parts.h"
#include "vault/base/file.h"

static enum vault_code check_format(const struct keyring_file *file, struct vault_error *err)
{
    if (file->format == 1)
        return vault_fail(err, VAULT_CONFLICT,
                          "the keyring is of the first format, which a new root cannot be kept in: "
                          "'vaultctl key recover' brings it up to date, once, with the recovery "
                          "secret");
    return VAULT_OK;
}

enum vault_code keyring_move(const char *dir, const struct keyring_provider *from,
                             const struct keyring_provider *to, struct vault_error *err)
{
    bool untouched = true;
    struct keyring_file file;
    VAULT_AUTO(file_close) int lock = -1;
    VAULT_AUTO(provider_close) struct provider *former = NULL;
    VAULT_AUTO(provider_close) struct provider *next = NULL;
    VAULT_AUTO(keyring_close) struct keyring *keyring = NULL;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(KEYRING_NOTE_MAX_BYTES);
    VAULT_TRY(keyring_file_lock(dir, &lock, err));
    VAULT_TRY(keyring_file_read(dir, &file, err));
    VAULT_TRY(keyring_provider_of(&file, from, &former, err));
    VAULT_TRY(keyring_open_by(&file, former, &keyring, err));
    VAULT_TRY(check_format(&file, err));
    provider_close(&former); /* one token's module at a time */
    VAULT_TRY(provider_create(to, &note, &next, err));
    const enum vault_code code =
        keyring_rewrap_file(dir, keyring, to, buf_view(&note), next, &file, &untouched, err);
    if (code && untouched)
        provider_undo(to, next);
    return code;
}

/* Whether the file is the one that this keyring was opened from, or was since. */
static enum vault_code check_same(const struct keyring *keyring, const struct keyring_file *file,
                                  struct vault_error *err)
{
    const struct keyring_roots *roots = keyring->roots;
    bool same = memcmp(keyring->vault, file->vault, sizeof keyring->vault) == 0 &&
                roots->count == file->root_count;
    for (size_t i = 0; same && i < roots->count; i++)
        same = roots->items[i].version == file->roots[i].version;
    if (!same)
        return vault_fail(err, VAULT_CONFLICT,
                          "the keyring was changed since the vault opened it: stop and start the "
                          "vault, then try again");
    return VAULT_OK;
}

/* What the provider opens is what is in use. */
static enum vault_code check_provider(const struct keyring *keyring,
                                      const struct keyring_file *file,
                                      const struct provider *provider, struct vault_error *err)
{
    VAULT_AUTO(keyring_close) struct keyring *stored = NULL;
    VAULT_TRY(keyring_open_by(file, provider, &stored, err));
    for (size_t i = 0; i < keyring->roots->count; i++) {
        if (!secret_equal(secret_view(keyring->roots->items[i].key),
                          secret_view(stored->roots->items[i].key)))
            return vault_fail(err, VAULT_CORRUPT,
                              "the keyring in the folder is not the one in use");
    }
    return VAULT_OK;
}

/* The seed, wrapped by a root that is no keyring's yet. */
static enum vault_code wrap_seed(const struct keyring *keyring, uint32_t version,
                                 const struct secret *root, struct keyring_file *file,
                                 struct vault_error *err)
{
    VAULT_AUTO(keyring_close) struct keyring *next = NULL;
    VAULT_AUTO(secret_free) struct secret *copy = NULL;
    VAULT_AUTO(buf_finish) struct buf wrapped = buf_limited(KEYRING_WRAPPED_BYTES);
    const struct keyring_binding binding = keyring_seed_binding(file->vault);
    VAULT_TRY(keyring_new(file->vault, &next, err));
    VAULT_TRY(secret_copy(secret_view(root), &copy, err));
    keyring_add_root(next, version, &copy);
    VAULT_TRY(keyring_wrap(next, &binding, keyring->seed, &wrapped, err));
    memcpy(file->seed, wrapped.data, sizeof file->seed);
    return VAULT_OK;
}

static enum vault_code add_root(const struct keyring *keyring, const struct provider *provider,
                                const struct secret *root, struct keyring_file *file,
                                struct vault_error *err)
{
    struct keyring_file_root *row = &file->roots[file->root_count];
    row->version = file->roots[file->root_count - 1].version + 1;
    VAULT_TRY(keyring_row_provider(file, provider, root, row, err));
    VAULT_TRY(keyring_row_recovery(file, root, row, err));
    VAULT_TRY(wrap_seed(keyring, row->version, root, file, err));
    file->root_count++;
    return keyring_mac_put(keyring, file, err);
}

enum vault_code keyring_rotate(struct keyring *keyring, const char *dir,
                               const struct keyring_provider *options, struct vault_error *err)
{
    struct keyring_file file;
    VAULT_AUTO(file_close) int lock = -1;
    VAULT_AUTO(provider_close) struct provider *provider = NULL;
    VAULT_AUTO(secret_free) struct secret *root = NULL;
    if (keyring->held)
        return keyring_held_rotate(keyring->held, options->secret, err);
    VAULT_TRY(keyring_file_lock(dir, &lock, err));
    VAULT_TRY(keyring_file_read(dir, &file, err));
    VAULT_TRY(check_format(&file, err));
    VAULT_TRY(check_same(keyring, &file, err));
    if (file.root_count == KEYRING_ROOTS_MAX)
        return vault_fail(err, VAULT_CONFLICT,
                          "the keyring has %d roots: 'vaultctl key rewrap' lets the former ones go",
                          KEYRING_ROOTS_MAX);
    VAULT_TRY(keyring_provider_of(&file, options, &provider, err));
    VAULT_TRY(check_provider(keyring, &file, provider, err));
    VAULT_TRY(secret_random(SECRET_KEY_BYTES, &root, err));
    VAULT_TRY(add_root(keyring, provider, root, &file, err));
    VAULT_TRY(keyring_file_write(dir, &file, true, err));
    keyring_add_root(keyring, file.roots[file.root_count - 1].version, &root);
    return VAULT_OK;
}

static void drop_in_memory(struct keyring *keyring)
{
    struct keyring_roots *roots = keyring->roots;
    pthread_rwlock_wrlock(&roots->lock);
    for (size_t i = 0; i + 1 < roots->count; i++)
        secret_free(&roots->items[i].key);
    roots->items[0] = roots->items[roots->count - 1];
    roots->count = 1;
    pthread_rwlock_unlock(&roots->lock);
}

enum vault_code keyring_drop_former(struct keyring *keyring, const char *dir,
                                    struct vault_error *err)
{
    struct keyring_file file;
    VAULT_AUTO(file_close) int lock = -1;
    if (keyring->held)
        return keyring_held_drop_former(keyring->held, err);
    VAULT_TRY(keyring_file_lock(dir, &lock, err));
    VAULT_TRY(keyring_file_read(dir, &file, err));
    VAULT_TRY(check_same(keyring, &file, err));
    VAULT_TRY(keyring_mac_check(keyring, &file, err));
    if (file.root_count == 1)
        return VAULT_OK;
    file.roots[0] = file.roots[file.root_count - 1];
    file.root_count = 1;
    VAULT_TRY(keyring_mac_put(keyring, &file, err));
    VAULT_TRY(keyring_file_write(dir, &file, true, err));
    drop_in_memory(keyring);
    return VAULT_OK;
}
