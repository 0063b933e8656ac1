#include "citizen_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "database_copy.h"
#include "vault/base/codec.h"
#include "vault/base/file.h"
#include "vault/crypto/kdf.h"

#define LABEL_FILE    "vault/citizen-file/1"
#define LABEL_SEAL    "vault/citizen-openings/1"
#define SYNC_EACH_MAX 4 /* more files than this are synced with their whole file system */

/* The newest version of a field counts. A record's seq is its place in the order of all records. */
static const char *const steps[] = {
    "CREATE TABLE about ("
    "  one INTEGER PRIMARY KEY CHECK (one = 1),"
    "  citizen BLOB NOT NULL CHECK (length(citizen) = 16)) STRICT;"
    "CREATE TABLE value ("
    "  field TEXT NOT NULL, version INTEGER NOT NULL,"
    "  json TEXT NOT NULL, as_of_s INTEGER NOT NULL, source TEXT NOT NULL,"
    "  PRIMARY KEY (field, version)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE record ("
    "  seq INTEGER PRIMARY KEY,"
    "  kind TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL,"
    "  log_n INTEGER NOT NULL CHECK (log_n >= 0)) STRICT;"
    "CREATE INDEX record_by_kind ON record (kind, seq);"
    "PRAGMA application_id = 1129735017;"
    "PRAGMA user_version = 1",

    /* What sealed openings before the citizen's key was replaced: keys, the newest last. */
    ("ALTER TABLE about ADD COLUMN former_seals BLOB;"
     "PRAGMA user_version = 2"),
};

/* A rollback journal, held locked for as long as it is open: a read of an open file then makes no
 * system call, and a file that is only read has no journal. */
static const struct database_kind citizen_kind = {
    .application_id = 1129735017, /* "CVci" */
    .settings = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -256",
    .steps = steps,
    .step_count = sizeof steps / sizeof steps[0],
    .is_one_of_many = true,
};

void citizen_keys_free(struct citizen_keys *keys)
{
    secret_free(&keys->file);
    secret_free(&keys->seal);
}

static enum vault_code derive(const struct secret *key, struct citizen_keys *out,
                              struct vault_error *err)
{
    VAULT_AUTO(citizen_keys_free) struct citizen_keys keys = {0};
    VAULT_TRY(kdf_derive(key, LABEL_FILE, SECRET_KEY_BYTES, &keys.file, err));
    VAULT_TRY(kdf_derive(key, LABEL_SEAL, SECRET_KEY_BYTES, &keys.seal, err));
    *out = (struct citizen_keys){.file = VAULT_TAKE(keys.file), .seal = VAULT_TAKE(keys.seal)};
    return VAULT_OK;
}

struct keyring_binding citizen_key_binding(const struct citizen_id *id, uint32_t version)
{
    struct keyring_binding binding = {.version = version, .use = KEYRING_USE_CITIZEN};
    _Static_assert(sizeof binding.owner == sizeof id->bytes, "a citizen can own a key");
    memcpy(binding.owner, id->bytes, sizeof binding.owner);
    return binding;
}

enum vault_code citizen_keys_new(const struct keyring *keyring, const struct citizen_id *id,
                                 uint32_t version, struct control_key *wrapped,
                                 struct citizen_keys *out, struct vault_error *err)
{
    const struct keyring_binding binding = citizen_key_binding(id, version);
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(KEYRING_WRAPPED_BYTES);
    VAULT_TRY(secret_random(SECRET_KEY_BYTES, &key, err));
    VAULT_TRY(keyring_wrap(keyring, &binding, key, &text, err));
    VAULT_TRY(derive(key, out, err));
    *wrapped = (struct control_key){.id = *id, .version = version, .has_key = true};
    memcpy(wrapped->wrapped, text.data, sizeof wrapped->wrapped);
    return VAULT_OK;
}

typedef enum vault_code unwraps(const struct keyring *keyring,
                                const struct keyring_binding *binding, struct bytes wrapped,
                                struct secret **out, struct vault_error *err);

static enum vault_code keys_by(unwraps *unwrap, const struct keyring *keyring,
                               const struct control_key *wrapped, struct citizen_keys *out,
                               struct vault_error *err)
{
    const struct keyring_binding binding = citizen_key_binding(&wrapped->id, wrapped->version);
    const struct bytes text = {wrapped->wrapped, sizeof wrapped->wrapped};
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    VAULT_TRY(unwrap(keyring, &binding, text, &key, err));
    return derive(key, out, err);
}

enum vault_code citizen_keys_of(const struct keyring *keyring, const struct control_key *wrapped,
                                struct citizen_keys *out, struct vault_error *err)
{
    return keys_by(keyring_unwrap, keyring, wrapped, out, err);
}

enum vault_code citizen_keys_of_each(const struct keyring *keyring,
                                     const struct control_key *wrapped, struct citizen_keys *out,
                                     struct vault_error *err)
{
    return keys_by(keyring_unwrap_giving_way, keyring, wrapped, out, err);
}

static enum vault_code shard_path(char out[PATH_MAX], const char *dir, unsigned shard,
                                  struct vault_error *err)
{
    const int length = snprintf(out, PATH_MAX, "%s/" CITIZEN_FOLDER "/%02x", dir, shard);
    if (length < 0 || length >= PATH_MAX)
        return vault_fail(err, VAULT_TOO_LARGE, "the path of the citizens' files is too long");
    return VAULT_OK;
}

enum vault_code citizen_path(char out[PATH_MAX], const char *dir, const struct citizen_id *id,
                             struct vault_error *err)
{
    char name[HEX_CHARS(CITIZEN_ID_BYTES) + 1];
    hex_string(name, id->bytes, sizeof id->bytes);
    const int length = snprintf(out, PATH_MAX, "%s/" CITIZEN_FOLDER "/%.2s/%s.db", dir, name, name);
    if (length < 0 || length >= PATH_MAX)
        return vault_fail(err, VAULT_TOO_LARGE, "the path of a citizen's file is too long");
    return VAULT_OK;
}

enum vault_code citizen_folders_create(const char *dir, struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_TRY(file_join(path, sizeof path, dir, CITIZEN_FOLDER, err));
    VAULT_TRY(folder_create(path, err));
    for (unsigned shard = 0; shard < CITIZEN_SHARDS; shard++) {
        char within[PATH_MAX];
        VAULT_TRY(shard_path(within, dir, shard, err));
        if (mkdir(within, 0700) != 0 && errno != EEXIST)
            return vault_fail_errno(err, "making the folder %s", within);
    }
    return folder_sync(path, err);
}

/* What to call the file in an error: by its folder, since its name is the citizen's id. */
static void what_of(char out[DATABASE_WHAT_CHARS + 1], const struct citizen_id *id)
{
    snprintf(out, DATABASE_WHAT_CHARS + 1, "a citizen's file in " CITIZEN_FOLDER "/%02x",
             id->bytes[0]);
}

static enum vault_code fill(struct database *database, const void *context, struct vault_error *err)
{
    const struct citizen_new *citizen = context;
    VAULT_AUTO(statement_end) struct statement insert = {0};
    VAULT_TRY(
        statement_begin(database, "INSERT INTO about (one, citizen) VALUES (1, ?1)", &insert, err));
    bind_blob(&insert, 1, citizen->id.bytes, sizeof citizen->id.bytes);
    VAULT_TRY(statement_run(&insert, err));
    for (size_t i = 0; i < citizen->value_count; i++)
        VAULT_TRY(value_insert_first(database, &citizen->values[i], err));
    return VAULT_OK;
}

enum vault_code citizen_file_create(const char *dir, const struct citizen_new *citizen,
                                    const struct secret *key, struct vault_error *err)
{
    char path[PATH_MAX];
    char what[DATABASE_WHAT_CHARS + 1];
    VAULT_TRY(citizen_path(path, dir, &citizen->id, err));
    what_of(what, &citizen->id);
    const struct database_place place = {path, what};
    return database_create(&place, key, &citizen_kind, false, fill, citizen, err);
}

static enum vault_code check_owner(struct database *database, const struct citizen_id *id,
                                   const char *what, struct vault_error *err)
{
    bool row = false;
    struct citizen_id inside;
    VAULT_AUTO(statement_end) struct statement query = {0};
    VAULT_TRY(statement_begin(database, "SELECT citizen FROM about", &query, err));
    VAULT_TRY(statement_next(&query, &row, err));
    column_blob(&query, 0, inside.bytes, sizeof inside.bytes);
    if (!row || !citizen_id_equal(&inside, id))
        return vault_fail(err, VAULT_CORRUPT, "%s: another citizen's file stands in its place",
                          what);
    return VAULT_OK;
}

typedef enum vault_code database_opener(const struct database_place *place,
                                        const struct secret *key, const struct database_kind *kind,
                                        struct database **out, struct vault_error *err);

static enum vault_code open_by(database_opener *opener, const char *dir,
                               const struct citizen_id *id, const struct secret *key,
                               struct database **out, struct vault_error *err)
{
    char path[PATH_MAX];
    char what[DATABASE_WHAT_CHARS + 1];
    VAULT_TRY(citizen_path(path, dir, id, err));
    what_of(what, id);
    const struct database_place place = {path, what};
    VAULT_AUTO(database_close) struct database *database = NULL;
    const enum vault_code code = opener(&place, key, &citizen_kind, &database, err);
    if (code == VAULT_NOT_FOUND)
        return vault_fail(err, VAULT_CORRUPT, "%s is missing: restore it from a backup", what);
    if (code)
        return code;
    VAULT_TRY(check_owner(database, id, what, err));
    *out = VAULT_TAKE(database);
    return VAULT_OK;
}

enum vault_code citizen_file_open(const char *dir, const struct citizen_id *id,
                                  const struct secret *key, struct database **out,
                                  struct vault_error *err)
{
    return open_by(database_open, dir, id, key, out, err);
}

enum vault_code citizen_file_look(const char *dir, const struct citizen_id *id,
                                  const struct secret *key, struct database **out,
                                  struct vault_error *err)
{
    return open_by(database_look, dir, id, key, out, err);
}

enum vault_code citizen_file_open_frozen(const char *dir, const struct citizen_id *id,
                                         const struct secret *key, struct database **out,
                                         struct vault_error *err)
{
    return open_by(database_open_frozen, dir, id, key, out, err);
}

static enum vault_code sync_one(const char *dir, const struct citizen_id *id,
                                struct vault_error *err)
{
    char path[PATH_MAX];
    char shard[PATH_MAX];
    VAULT_TRY(citizen_path(path, dir, id, err));
    VAULT_TRY(shard_path(shard, dir, id->bytes[0], err));
    VAULT_AUTO(file_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fsync(fd) != 0)
        return vault_fail_errno(err, "syncing a citizen's file in %s", shard);
    return folder_sync(shard, err);
}

enum vault_code citizen_files_sync(const char *dir, const struct citizen_id *const ids[],
                                   size_t count, struct vault_error *err)
{
    if (count > SYNC_EACH_MAX) {
        VAULT_AUTO(file_close) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || syncfs(fd) != 0)
            return vault_fail_errno(err, "syncing the file system of %s", dir);
        return VAULT_OK;
    }
    for (size_t i = 0; i < count; i++)
        VAULT_TRY(sync_one(dir, ids[i], err));
    return VAULT_OK;
}

enum vault_code citizen_file_remove(const char *dir, const struct citizen_id *id,
                                    struct vault_error *err)
{
    char path[PATH_MAX];
    char journal[PATH_MAX];
    char shard[PATH_MAX];
    VAULT_TRY(citizen_path(path, dir, id, err));
    VAULT_TRY(shard_path(shard, dir, id->bytes[0], err));
    const int length = snprintf(journal, sizeof journal, "%s-journal", path);
    if (length < 0 || (size_t)length >= sizeof journal)
        return vault_fail(err, VAULT_TOO_LARGE, "the path of a citizen's file is too long");
    if ((unlink(journal) != 0 && errno != ENOENT) || (unlink(path) != 0 && errno != ENOENT))
        return vault_fail_errno(err, "removing a citizen's file in %s", shard);
    return folder_sync(shard, err);
}
