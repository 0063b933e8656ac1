#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "restore_parts.h"
#include "vault/base/file.h"
#include "vault/crypto/seal.h"
#include "vault/store/control_citizen.h"
#include "vault/store/digest.h"
#include "vault/store/erasure.h"
#include "vault/store/session.h"
#include "vault/store/store_copy.h"

#define PARTIAL     ".partial"
#define MARK        "restore.unfinished"
#define ELSEWHERE   "elsewhere/"
#define CONFIG_NAME "vaultd.json"
#define AT_A_TIME   CONTROL_LIST_MAX

static void show(const struct restore *restore, const char *step, uint64_t done, uint64_t all)
{
    if (restore->shows)
        restore->shows(restore->context, step, done, all);
}

/* --- Files ---------------------------------------------------------------------------------- */

static enum vault_code create(const struct restore *restore, const char *name, int *out,
                              struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_TRY(folder_create_for(restore->made, name, err));
    VAULT_TRY(file_join(path, sizeof path, restore->made, name, err));
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return vault_fail_errno(err, "making a file in %s", restore->made);
    *out = fd;
    return VAULT_OK;
}

enum vault_code restore_put(void *context, const char *name, int fd, uint64_t size_bytes,
                            struct vault_error *err)
{
    const struct restore *restore = context;
    char full[FOLDER_NAME_CHARS + 1];
    uint8_t hash[SHA256_BYTES];
    VAULT_AUTO(file_close) int to = -1;
    const int length = snprintf(full, sizeof full, BACKUP_LOG "/%s", name);
    if (length < 0 || (size_t)length >= sizeof full)
        return vault_fail(err, VAULT_TOO_LARGE, "a name in the log's folder is too long");
    VAULT_TRY(create(restore, full, &to, err));
    const struct backup_pour pour = {fd, to, size_bytes, full, NULL, NULL};
    return backup_pour(&pour, restore->hasher, hash, err);
}

/* Where a sealed file goes: to its place in the vault's folder, or aside. */
static enum vault_code place_of(struct restore *restore, const char *sealed,
                                char out[FOLDER_NAME_CHARS + 1], struct vault_error *err)
{
    const char *name = sealed + strlen(BACKUP_SEALED);
    const bool inside = strncmp(name, BACKUP_INSIDE, strlen(BACKUP_INSIDE)) == 0;
    if (!inside && strncmp(name, BACKUP_OUTSIDE, strlen(BACKUP_OUTSIDE)) != 0)
        return vault_fail(err, VAULT_INVALID, "the backup has a file that is not known: %.80s",
                          sealed);
    restore->has_elsewhere |= !inside;
    const int length = snprintf(out, FOLDER_NAME_CHARS + 1, "%s%s", inside ? "" : ELSEWHERE,
                                name + (inside ? strlen(BACKUP_INSIDE) : strlen(BACKUP_OUTSIDE)));
    if (length < 0 || length > FOLDER_NAME_CHARS)
        return vault_fail(err, VAULT_TOO_LARGE, "a name in the backup is too long");
    return VAULT_OK;
}

static enum vault_code unseal(struct restore *restore, const char *name, struct vault_error *err)
{
    char path[PATH_MAX];
    char place[FOLDER_NAME_CHARS + 1];
    VAULT_AUTO(file_close) int to = -1;
    VAULT_AUTO(buf_finish) struct buf bound = buf_limited(FOLDER_NAME_CHARS + 64);
    VAULT_AUTO(buf_finish) struct buf content = buf_limited(BACKUP_SEALED_MAX_BYTES);
    VAULT_AUTO(buf_finish)
    struct buf sealed = buf_limited(BACKUP_SEALED_MAX_BYTES + SEAL_OVERHEAD_BYTES);
    VAULT_TRY(file_join(path, sizeof path, restore->backup, name, err));
    VAULT_TRY(file_read_regular(path, &sealed, err));
    backup_bind(name, &bound);
    VAULT_TRY(seal_open(restore->key, buf_view(&bound), buf_view(&sealed), &content, err));
    VAULT_TRY(place_of(restore, name, place, err));
    if (!restore->config[0]) /* the first that was backed up */
        VAULT_TRY(file_join(restore->config, sizeof restore->config, restore->made, place, err));
    VAULT_TRY(create(restore, place, &to, err));
    return file_write_all(to, buf_view(&content), err);
}

/* The hashes were checked; they are again, of what is copied. */
static enum vault_code unpack(void *context, const char *name, uint64_t size_bytes,
                              const uint8_t hash[SHA256_BYTES], struct vault_error *err)
{
    struct restore *restore = context;
    char path[PATH_MAX];
    uint8_t found[SHA256_BYTES];
    VAULT_AUTO(file_close) int from = -1;
    VAULT_AUTO(file_close) int to = -1;
    if (strncmp(name, BACKUP_SEALED, strlen(BACKUP_SEALED)) == 0)
        return unseal(restore, name, err);
    if (restore->surviving && strncmp(name, BACKUP_LOG "/", strlen(BACKUP_LOG "/")) == 0)
        return VAULT_OK;
    VAULT_TRY(file_join(path, sizeof path, restore->backup, name, err));
    VAULT_TRY(file_open_regular(path, &from, err));
    VAULT_TRY(create(restore, name, &to, err));
    const struct backup_pour pour = {from, to, size_bytes, "a file", NULL, NULL};
    VAULT_TRY(backup_pour(&pour, restore->hasher, found, err));
    return memcmp(found, hash, sizeof found) == 0
               ? VAULT_OK
               : vault_fail(err, VAULT_CORRUPT, "the backup was changed while it was read");
}

static enum vault_code make_shards(const struct restore *restore, struct vault_error *err)
{
    for (unsigned shard = 0; shard < 256; shard++) {
        char name[32];
        snprintf(name, sizeof name, "citizens/%02x/.", shard);
        VAULT_TRY(folder_create_for(restore->made, name, err));
    }
    return folder_create_for(restore->made, BACKUP_POLICY "/.", err);
}

/* --- Who was erased ------------------------------------------------------------------------- */

struct forgetting {
    struct restore *restore;
    struct store *store;
    const struct erased_list *list;
    struct secret *key;
    uint64_t told; /* erasures that the log has an entry of */
    struct citizen_id ids[AT_A_TIME];
    size_t count;
};

static enum vault_code take_id(void *context, const struct control_citizen *citizen,
                               struct vault_error *err)
{
    struct forgetting *forgetting = context;
    (void)err;
    forgetting->ids[forgetting->count++] = citizen->id;
    return VAULT_OK;
}

/* The log was told of those that the list has; who was erased while the backup was made, and is in
 * no list, is left noted, and told. */
static enum vault_code forget_one(struct forgetting *forgetting, const struct citizen_id *id,
                                  struct vault_error *err)
{
    bool has_file = false;
    VAULT_TRY(store_has_file(forgetting->store, id, &has_file, err));
    const bool listed = erased_list_has(forgetting->list, forgetting->key, id);
    if (has_file && !listed)
        return VAULT_OK;
    VAULT_TRY(citizen_erase(forgetting->store, id, NULL, err));
    forgetting->restore->erased++;
    if (!listed || forgetting->told == 0)
        return VAULT_OK;
    forgetting->told--;
    return erasure_told(forgetting->store, id, err);
}

static enum vault_code forget_listed(struct forgetting *forgetting, struct vault_error *err)
{
    struct citizen_id last;
    const struct citizen_id *after = NULL;
    do {
        forgetting->count = 0;
        VAULT_TRY(
            control_citizen_list(forgetting->store, after, AT_A_TIME, take_id, forgetting, err));
        for (size_t i = 0; i < forgetting->count; i++)
            VAULT_TRY(forget_one(forgetting, &forgetting->ids[i], err));
        if (forgetting->count)
            last = forgetting->ids[forgetting->count - 1];
        after = &last;
    } while (forgetting->count);
    return VAULT_OK;
}

/* The log and the list go together: a line for each entry, and before it. */
static enum vault_code compare_lists(struct restore *restore, const char *surviving,
                                     const char *backup, struct erased_list *list, uint64_t *told,
                                     struct vault_error *err)
{
    size_t before = 0;
    size_t now = 0;
    VAULT_TRY(erased_list_read(backup, list, &before, err));
    uint64_t since = 0;
    VAULT_TRY(restore_count(restore, ENTRY_ERASE, restore->facts.from, told, err));
    VAULT_TRY(restore_count(restore, ENTRY_ERASE, restore->facts.log.size, &since, err));
    if (surviving)
        VAULT_TRY(erased_list_read(surviving, list, &now, err));
    const uint64_t known = now > before ? now - before : 0;
    restore->unknown_erasures = since > known ? since - known : 0;
    if (restore->unknown_erasures && !restore->accept_unknown_erasures)
        return vault_fail(err, VAULT_CONFLICT,
                          "the log has %llu erasures since the backup that the do-not-restore list "
                          "beside it does not have: find the list, or bring these people back with "
                          "--accept-lost-erasures",
                          (unsigned long long)restore->unknown_erasures);
    return VAULT_OK;
}

static enum vault_code forget_the_erased(struct restore *restore, struct store *store,
                                         struct vault_error *err)
{
    char backup_log[PATH_MAX];
    struct erased_list list = {0};
    struct forgetting *forgetting = calloc(1, sizeof *forgetting);
    if (!forgetting)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    *forgetting = (struct forgetting){.restore = restore, .store = store, .list = &list};
    enum vault_code code =
        file_join(backup_log, sizeof backup_log, restore->backup, BACKUP_LOG, err);
    if (code == VAULT_OK)
        code = keyring_derive(restore->keyring, "vault/do-not-restore/1", SECRET_KEY_BYTES,
                              &forgetting->key, err);
    if (code == VAULT_OK)
        code =
            compare_lists(restore, restore->surviving, backup_log, &list, &forgetting->told, err);
    erased_list_sort(&list);
    if (code == VAULT_OK)
        code = erased_list_write(restore->log_dir, &list, err);
    if (code == VAULT_OK)
        code = forget_listed(forgetting, err);
    erased_list_free(&list);
    secret_free(&forgetting->key);
    free(forgetting);
    return code;
}

/* --- Beginning ------------------------------------------------------------------------------ */

/* Where a new key file will be, outside of what is made; empty if there is none. An unfinished
 * restore's mark says it, so that the key goes with what it opens. */
static enum vault_code place_of_new_key(const struct restore_options *options, struct bytes *out,
                                        struct vault_error *err)
{
    *out = (struct bytes){0};
    if (!options->recovery || strcmp(options->provider.name, "file") != 0)
        return VAULT_OK;
    *out = bytes_of_text(options->provider.place);
    return file_exists(options->provider.place)
               ? vault_fail(err, VAULT_CONFLICT,
                            "%s is there already: a restored vault gets a key file of its own",
                            options->provider.place)
               : VAULT_OK;
}

/* What an unfinished restore left. */
static enum vault_code remove_unfinished(const char *made, struct vault_error *err)
{
    char mark[PATH_MAX];
    VAULT_AUTO(buf_finish) struct buf key_file = buf_limited(PATH_MAX);
    VAULT_TRY(file_join(mark, sizeof mark, made, MARK, err));
    if (file_exists(mark)) {
        VAULT_TRY(file_read_regular(mark, &key_file, err));
        if (key_file.size && unlink(buf_string(&key_file)) != 0 && errno != ENOENT)
            return vault_fail_errno(err, "removing %s", buf_string(&key_file));
    }
    return folder_remove(made, err);
}

static enum vault_code make_place(struct restore *restore, const struct restore_options *options,
                                  struct vault_error *err)
{
    char mark[PATH_MAX];
    struct bytes key_file;
    if (!folder_is_free(restore->dir))
        return vault_fail(err, VAULT_CONFLICT,
                          "%s is not empty: a vault is restored into a folder "
                          "of its own",
                          restore->dir);
    VAULT_TRY(file_join(mark, sizeof mark, restore->made, MARK, err));
    if (!folder_is_free(restore->made) && !file_exists(mark))
        return vault_fail(err, VAULT_CONFLICT, "%s is in the way, and is no unfinished restore",
                          restore->made);
    VAULT_TRY(remove_unfinished(restore->made, err));
    VAULT_TRY(place_of_new_key(options, &key_file, err));
    if (mkdir(restore->made, 0700) != 0)
        return vault_fail_errno(err, "making the folder %s", restore->made);
    return file_create(mark, key_file, 0600, err);
}

static enum vault_code open_keyring(struct restore *restore, const struct restore_options *options,
                                    struct vault_error *err)
{
    if (options->recovery)
        return keyring_open_recovery(restore->backup, secret_view(options->recovery),
                                     &restore->keyring, err);
    return keyring_open(restore->backup, &options->provider, &restore->keyring, err);
}

static enum vault_code settle_store(struct restore *restore, struct vault_error *err)
{
    uint64_t sessions = 0;
    VAULT_AUTO(store_close) struct store *store = NULL;
    VAULT_TRY(store_open(restore->made, restore->keyring, NULL, &store, err));
    show(restore, "erasures", 0, 0);
    VAULT_TRY(forget_the_erased(restore, store, err));
    /* Whoever signed out since must not be signed in again. */
    VAULT_TRY(session_prune(store, INT64_MAX, INT64_MAX, &sessions, err));
    /* Nor whoever ended messages be written to; they ask for them again. */
    VAULT_TRY(digest_drop_all(store, err));
    return restore_join_log(restore, store, err);
}

static enum vault_code begin(struct restore *restore, const struct restore_options *options,
                             struct vault_error *err)
{
    struct backup_facts facts;
    VAULT_TRY(open_keyring(restore, options, err));
    VAULT_TRY(backup_check(restore->backup, restore->keyring, restore->shows, restore->context,
                           &facts, err));
    VAULT_TRY(make_place(restore, options, err));
    restore->hasher = hasher_new();
    VAULT_TRY(keyring_derive(restore->keyring, BACKUP_LABEL, SECRET_KEY_BYTES, &restore->key, err));
    show(restore, "unpacking", 0, 0);
    VAULT_TRY(make_shards(restore, err));
    VAULT_TRY(contents_read(restore->backup, restore->key, &restore->facts, unpack, restore, err));
    VAULT_TRY(restore_take_log(restore, err));
    VAULT_TRY(settle_store(restore, err));
    /* Last, so that nobody opens by the new provider what is not whole. */
    if (options->recovery)
        VAULT_TRY(keyring_recover(restore->made, secret_view(options->recovery), &options->provider,
                                  err));
    return VAULT_OK;
}

enum vault_code restore_begin(const struct restore_options *options, struct restore **out,
                              struct vault_error *err)
{
    VAULT_AUTO(restore_end) struct restore *restore = calloc(1, sizeof *restore);
    if (!restore)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    if (strlen(options->dir) + sizeof PARTIAL > sizeof restore->dir || options->dir[0] != '/')
        return vault_fail(err, VAULT_INVALID, "a folder is given as an absolute path");
    restore->backup = options->backup;
    restore->surviving = options->log;
    restore->accept_unknown_erasures = options->accept_unknown_erasures;
    restore->shows = options->shows;
    restore->context = options->context;
    snprintf(restore->dir, sizeof restore->dir, "%s", options->dir);
    snprintf(restore->made, sizeof restore->made, "%s" PARTIAL, options->dir);
    VAULT_TRY(file_join(restore->log_dir, sizeof restore->log_dir, restore->made, BACKUP_LOG, err));
    VAULT_TRY(begin(restore, options, err));
    *out = VAULT_TAKE(restore);
    return VAULT_OK;
}

const char *restore_dir(const struct restore *restore)
{
    return restore->made;
}

const char *restore_config(const struct restore *restore)
{
    return restore->config;
}

bool restore_has_elsewhere(const struct restore *restore)
{
    return restore->has_elsewhere;
}

enum vault_code restore_finish(struct restore *restore, struct vault_error *err)
{
    char mark[PATH_MAX];
    VAULT_TRY(file_join(mark, sizeof mark, restore->made, MARK, err));
    VAULT_TRY(folder_finish(restore->made, restore->dir, err));
    restore->finished = true;
    VAULT_TRY(file_join(mark, sizeof mark, restore->dir, MARK, err));
    return unlink(mark) == 0 ? folder_sync(restore->dir, err)
                             : vault_fail_errno(err, "removing %s", mark);
}

void restore_end(struct restore **restore)
{
    struct restore *gone = VAULT_TAKE(*restore);
    char mark[PATH_MAX];
    if (!gone)
        return;
    if (!gone->finished && file_join(mark, sizeof mark, gone->made, MARK, NULL) == VAULT_OK &&
        file_exists(mark))
        (void)!remove_unfinished(gone->made, NULL);
    keyring_close(&gone->keyring);
    secret_free(&gone->key);
    hasher_free(&gone->hasher);
    free(gone);
}
