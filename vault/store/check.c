#include "vault/store/check.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "citizen_file.h"
#include "internal.h"
#include "vault/base/codec.h"
#include "vault/base/file.h"
#include "vault/base/folder.h"

#define BATCH      250 /* keys read at a time */
#define TEXT_BYTES 256

/* One look at a folder of citizens. */
struct look {
    struct store *store;
    unsigned shard;
    bool pages;
    store_check_each *each;
    void *context;
    struct store_checked *out;
    struct control_key *keys; /* BATCH of them */
    size_t count;
};

static void tell(const struct look *look, const char *words)
{
    char text[TEXT_BYTES];
    snprintf(text, sizeof text, "a citizen's file in " CITIZEN_FOLDER "/%02x %s", look->shard,
             words);
    look->each(look->context, text);
}

/* --- Pages ---------------------------------------------------------------------------------- */

/* How many pages do not prove themselves: SQLCipher gives a row for each. */
static enum vault_code count_damaged(struct database *database, uint64_t *damaged,
                                     struct vault_error *err)
{
    bool row = true;
    VAULT_AUTO(statement_end) struct statement query = {0};
    *damaged = 0;
    VAULT_TRY(statement_begin(database, "PRAGMA cipher_integrity_check", &query, err));
    for (;;) {
        VAULT_TRY(statement_next(&query, &row, err));
        if (!row)
            return VAULT_OK;
        ++*damaged;
    }
}

static enum vault_code fits_together(struct database *database, bool *fits, struct vault_error *err)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(database, "PRAGMA quick_check(1)", &query, err));
    VAULT_TRY(statement_next(&query, &row, err));
    *fits = row && bytes_equal(column_bytes(&query, 0), bytes_of_text("ok"));
    return VAULT_OK;
}

/* What is wrong with the pages, in words; empty if nothing is. */
static void check_pages(struct database *database, char words[TEXT_BYTES])
{
    struct vault_error err;
    uint64_t damaged = 0;
    bool fits = false;
    words[0] = 0;
    if (count_damaged(database, &damaged, &err))
        snprintf(words, TEXT_BYTES, "cannot be checked: %s", err.text);
    else if (damaged)
        snprintf(words, TEXT_BYTES, "has %llu damaged pages: restore it from a backup",
                 (unsigned long long)damaged);
    else if (fits_together(database, &fits, &err) || !fits)
        snprintf(words, TEXT_BYTES,
                 "has whole pages that do not fit each other, as if older ones had been put back: "
                 "restore it from a backup");
}

static enum vault_code check_shared(struct shared *shared, store_check_each *each, void *context,
                                    struct vault_error *err)
{
    char words[TEXT_BYTES];
    char text[TEXT_BYTES * 2];
    VAULT_AUTO(shared_let_go) struct hold hold = {0};
    VAULT_TRY(shared_hold(shared, &hold, err));
    check_pages(hold.database, words);
    if (words[0]) {
        snprintf(text, sizeof text, "%s %s", shared->what, words);
        each(context, text);
    }
    return VAULT_OK;
}

enum vault_code store_check_shared(struct store *store, store_check_each *each, void *context,
                                   struct vault_error *err)
{
    VAULT_TRY(check_shared(&store->control, each, context, err));
    return check_shared(&store->openings, each, context, err);
}

/* --- One citizen ---------------------------------------------------------------------------- */

/* Whether a journal waits to be played back: one that is done with begins with zeros (SQLite: file
 * format, 3). */
static bool has_hot_journal(const char *path)
{
    char journal[PATH_MAX];
    uint8_t magic = 0;
    const int length = snprintf(journal, sizeof journal, "%s-journal", path);
    if (length < 0 || (size_t)length >= sizeof journal)
        return false;
    VAULT_AUTO(file_close) int fd = open(journal, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 && read(fd, &magic, 1) == 1 && magic != 0;
}

static enum vault_code look_by(const struct look *look, const struct control_key *key,
                               struct database **out, struct vault_error *err)
{
    VAULT_AUTO(citizen_keys_free) struct citizen_keys keys = {0};
    VAULT_TRY(citizen_keys_of(look->store->keyring, key, &keys, err));
    return citizen_file_look(look->store->dir, &key->id, keys.file, out, err);
}

/* By the one key or the one that takes its place. */
static enum vault_code look_at(const struct look *look, const struct control_key *key,
                               struct database **out, struct vault_error *err)
{
    const enum vault_code code = look_by(look, key, out, err);
    if (code != VAULT_CORRUPT || !key->has_next)
        return code;
    struct control_key next = *key;
    next.version++;
    memcpy(next.wrapped, key->next_wrapped, sizeof next.wrapped);
    return look_by(look, &next, out, err);
}

/* Nobody else has it: it is read as it stands. */
static enum vault_code check_resting(struct look *look, const struct control_key *key,
                                     const char *path, char words[TEXT_BYTES],
                                     struct vault_error *err)
{
    VAULT_AUTO(database_close) struct database *database = NULL;
    const enum vault_code code =
        has_hot_journal(path) ? VAULT_CONFLICT : look_at(look, key, &database, err);
    if (code == VAULT_OK)
        check_pages(database, words);
    if (code != VAULT_CONFLICT)
        return code;
    look->out->unchecked++;
    return VAULT_OK;
}

static enum vault_code check_serving(const struct look *look, const struct control_key *key,
                                     char words[TEXT_BYTES], struct vault_error *err)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(citizen_acquire(look->store, &key->id, &citizen, err));
    check_pages(citizen->database, words);
    return VAULT_OK;
}

/* Whether the citizen went, or their key was changed, while the folder was looked through. */
static bool is_gone(struct look *look, const struct control_key *key)
{
    struct control_key now;
    if (look->store->look || citizen_id_equal(&key->id, &look->store->nobody.id))
        return false;
    const enum vault_code code = control_key_find(look->store, &key->id, &now, NULL);
    return code == VAULT_NOT_FOUND ||
           (code == VAULT_OK && memcmp(now.wrapped, key->wrapped, sizeof now.wrapped) != 0);
}

static void check_content(struct look *look, const struct control_key *key, const char *path)
{
    char words[TEXT_BYTES] = "";
    struct vault_error err;
    const enum vault_code code = look->store->look ? check_resting(look, key, path, words, &err)
                                                   : check_serving(look, key, words, &err);
    if (code && is_gone(look, key))
        return;
    if (code) /* the store's own words name the folder already */
        look->each(look->context, err.text);
    else if (words[0])
        tell(look, words);
}

/* VAULT_UNAVAILABLE where the keyholder has no key to spare: that says nothing of the file. */
static enum vault_code check_one(struct look *look, const struct control_key *key,
                                 struct vault_error *err)
{
    char path[PATH_MAX];
    struct stat status;
    VAULT_AUTO(citizen_keys_free) struct citizen_keys keys = {0};
    look->out->citizens++;
    if (keyring_wrapped_by((struct bytes){key->wrapped, sizeof key->wrapped}) !=
        keyring_root_version(look->store->keyring))
        look->out->former_keys++;
    const enum vault_code code = citizen_keys_of_each(look->store->keyring, key, &keys, err);
    if (code == VAULT_UNAVAILABLE)
        return code;
    if (code) {
        if (!is_gone(look, key))
            tell(look, "has a key that does not open: it was damaged, or wrapped by a root that is "
                       "gone; restore control.db and keyring.json from one backup");
        return VAULT_OK;
    }
    if (citizen_path(path, look->store->dir, &key->id, NULL))
        return VAULT_OK;
    const bool is_there = lstat(path, &status) == 0;
    if (!is_there && errno != ENOENT) {
        tell(look, "cannot be looked at: the disk refuses");
        return VAULT_OK;
    }
    if (!is_there || !S_ISREG(status.st_mode)) {
        if (!is_gone(look, key))
            tell(look, "is missing: restore it from a backup");
        return VAULT_OK;
    }
    if (status.st_mode & 077)
        tell(look, "can be opened by others than its owner: chmod 600");
    if (look->pages)
        check_content(look, key, path);
    return VAULT_OK;
}

/* --- A folder ------------------------------------------------------------------------------- */

/* The next keys behind one, of those in the folder; the decoy's is among them. */
static enum vault_code read_keys(struct look *look, const uint8_t after[CITIZEN_ID_BYTES],
                                 struct vault_error *err)
{
    uint8_t last[CITIZEN_ID_BYTES];
    memset(last, 0xff, sizeof last);
    last[0] = (uint8_t)look->shard;
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&look->store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT id, key_version, wrapped, next_wrapped FROM citizen"
                              " WHERE id > ?1 AND id <= ?2 AND state IN (2, 5)"
                              " ORDER BY id LIMIT ?3",
                              &query, err));
    bind_blob(&query, 1, after, CITIZEN_ID_BYTES);
    bind_blob(&query, 2, last, sizeof last);
    bind_integer(&query, 3, BATCH);
    for (look->count = 0;; look->count++) {
        bool row = false;
        VAULT_TRY(statement_next(&query, &row, err));
        if (!row || look->count == BATCH)
            return VAULT_OK;
        control_key_row(&query, &look->keys[look->count]);
    }
}

static enum vault_code check_known(struct look *look, struct vault_error *err)
{
    /* Before every id of the folder, but for one that is all zeros behind its first byte, which no
     * random id is. */
    uint8_t after[CITIZEN_ID_BYTES] = {(uint8_t)look->shard};
    do {
        VAULT_TRY(read_keys(look, after, err));
        for (size_t i = 0; i < look->count; i++)
            VAULT_TRY(check_one(look, &look->keys[i], err));
        if (look->count)
            memcpy(after, look->keys[look->count - 1].id.bytes, sizeof after);
    } while (look->count == BATCH);
    return VAULT_OK;
}

/* Whether the control store has a row for whoever's file it would be, but an erased one. */
static enum vault_code has_row(struct look *look, const struct citizen_id *id, bool *has,
                               struct vault_error *err)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_TRY(shared_hold(&look->store->control, &control, err));
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(control.database,
                              "SELECT 1 FROM citizen WHERE id = ?1 AND state <> 4", &query, err));
    bind_blob(&query, 1, id->bytes, sizeof id->bytes);
    return statement_next(&query, has, err);
}

/* A name in the folder: "<32 hex digits>.db", with "-journal" behind it or not. */
static enum vault_code check_name(struct look *look, int folder, const char *name,
                                  struct vault_error *err)
{
    struct citizen_id id = {0};
    struct stat status;
    const size_t digits = HEX_CHARS(CITIZEN_ID_BYTES);
    bool has = false;
    const bool shaped =
        strlen(name) > digits &&
        (strcmp(name + digits, ".db") == 0 || strcmp(name + digits, ".db-journal") == 0) &&
        hex_decode_exact(id.bytes, sizeof id.bytes, (struct bytes){(const uint8_t *)name, digits},
                         NULL) == VAULT_OK &&
        id.bytes[0] == look->shard;
    if (shaped)
        VAULT_TRY(has_row(look, &id, &has, err));
    if (!has && fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
        tell(look, shaped ? "belongs to nobody: the control store does not know it, and may be "
                            "older than the citizens; if not, remove it"
                          : "is none: what it is called is not the vault's doing; remove it");
    return VAULT_OK;
}

static enum vault_code check_names(struct look *look, struct vault_error *err)
{
    char path[PATH_MAX];
    const int length =
        snprintf(path, sizeof path, "%s/" CITIZEN_FOLDER "/%02x", look->store->dir, look->shard);
    if (length < 0 || (size_t)length >= sizeof path)
        return vault_fail(err, VAULT_TOO_LARGE, "the path of the citizens' files is too long");
    VAULT_AUTO(folder_close) DIR *folder = opendir(path);
    if (!folder) {
        snprintf(path, sizeof path, "the folder " CITIZEN_FOLDER "/%02x cannot be read",
                 look->shard);
        look->each(look->context, path);
        return VAULT_OK;
    }
    const struct dirent *entry = NULL;
    for (;;) {
        VAULT_TRY(folder_next(folder, path, &entry, err));
        if (!entry)
            break;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            VAULT_TRY(check_name(look, dirfd(folder), entry->d_name, err));
    }
    return VAULT_OK;
}

enum vault_code store_check_citizens(struct store *store, unsigned shard, bool pages,
                                     store_check_each *each, void *context,
                                     struct store_checked *out, struct vault_error *err)
{
    assert(shard < STORE_CHECK_SHARDS);
    struct look look = {.store = store,
                        .shard = shard,
                        .pages = pages,
                        .each = each,
                        .context = context,
                        .out = out,
                        .keys = calloc(BATCH, sizeof *look.keys)};
    if (!look.keys)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    enum vault_code code = check_known(&look, err);
    if (code == VAULT_OK)
        code = check_names(&look, err);
    free(look.keys);
    return code;
}
