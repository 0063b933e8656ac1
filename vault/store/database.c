#include "database.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "database_file.h"
#include "database_pace.h"
#include "database_parts.h"
#include "memory.h"
#include "vault/base/codec.h"
#include "vault/base/file.h"

#define KEY_LITERAL_CHARS (2 + HEX_CHARS(SECRET_KEY_BYTES) + 1) /* x'…' */
#define PAGES_AT_ONCE     4 /* that a connection allocates to begin with */

/* What SQLite says, in our codes and words. Its own messages name columns and quote SQL. */
static const struct {
    int result; /* extended, or primary for all that follow it */
    enum vault_code code;
    bool breaks;
    const char *words;
} results[] = {
    {SQLITE_CONSTRAINT_UNIQUE, VAULT_CONFLICT, false, "it is there already"},
    {SQLITE_CONSTRAINT_PRIMARYKEY, VAULT_CONFLICT, false, "it is there already"},
    {SQLITE_CONSTRAINT, VAULT_INVALID, false, "it breaks a limit of its table"},
    {SQLITE_IOERR_NOMEM, VAULT_NO_MEMORY, true, "out of memory"},
    {SQLITE_NOMEM, VAULT_NO_MEMORY, true, "out of memory"},
    {SQLITE_NOTADB, VAULT_CORRUPT, true,
     "it does not open: the key is not its own, or its first page is damaged or cannot be read; or "
     "memory was short: try again"},
    {SQLITE_CORRUPT, VAULT_CORRUPT, true,
     "a page is damaged or cannot be read, or memory was short: if it stays so, restore it from a "
     "backup"},
    {SQLITE_FULL, VAULT_IO, true, "it cannot grow: the disk is full"},
    {SQLITE_READONLY, VAULT_IO, true, "it cannot be written: is the disk read-only?"},
    {SQLITE_CANTOPEN, VAULT_IO, true, "it cannot be opened"},
    {SQLITE_PERM, VAULT_IO, true, "it cannot be opened"},
    {SQLITE_IOERR, VAULT_IO, true, "the disk refuses"},
    {SQLITE_BUSY, VAULT_UNAVAILABLE, false, "another process has it open"},
    {SQLITE_LOCKED, VAULT_UNAVAILABLE, false, "another process has it open"},
    {SQLITE_PROTOCOL, VAULT_UNAVAILABLE, false, "another process has it open"},
    {SQLITE_TOOBIG, VAULT_TOO_LARGE, false, "a value is too large"},
};

enum vault_code database_fail(struct database *database, int result, const char *doing,
                              struct vault_error *err)
{
    const size_t count = sizeof results / sizeof results[0];
    size_t i = 0;
    while (i < count && results[i].result != result && results[i].result != (result & 0xff))
        i++;
    if (i < count) {
        const enum vault_code code = results[i].code;
        assert(code != VAULT_OK);
        database->broken |= results[i].breaks;
        return vault_fail(err, code, "%s: %s: %s", database->what, doing, results[i].words);
    }
    database->broken = true;
    return vault_fail(err, VAULT_CORRUPT, "%s: %s: %s", database->what, doing,
                      sqlite3_errstr(result));
}

/*
 * Once per process, before its first file: memory that is wiped, no statistics (a lock around every
 * allocation), small first allocations, and silence. SQLCipher otherwise writes of each wrong key
 * and damaged page to standard error. The setting is the process's and takes hold only on a
 * connection with a key.
 */
static void start_once(void)
{
    static const char any_key[] =
        "x'0000000000000000000000000000000000000000000000000000000000000000'";
    memory_start();
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, PAGES_AT_ONCE);
    sqlite3 *raw = NULL;
    if (sqlite3_open(":memory:", &raw) == SQLITE_OK)
        sqlite3_key(raw, any_key, (int)sizeof any_key - 1);
    sqlite3_exec(raw, "PRAGMA cipher_log_level = NONE; PRAGMA cipher_memory_security = OFF", NULL,
                 NULL, NULL);
    sqlite3_close(raw);
    database_file_start();
    database_pace_start();
}

/* A raw key as SQLCipher reads it. */
static enum vault_code key_literal(const struct secret *key, struct secret **out,
                                   struct vault_error *err)
{
    assert(secret_view(key).size == SECRET_KEY_BYTES);
    VAULT_TRY(secret_new(KEY_LITERAL_CHARS + 1, out, err));
    char *text = (char *)secret_data(*out);
    text[0] = 'x';
    text[1] = '\'';
    hex_string(text + 2, secret_view(key).data, SECRET_KEY_BYTES);
    text[KEY_LITERAL_CHARS - 1] = '\'';
    return VAULT_OK;
}

static enum vault_code set_key(struct database *database, const struct secret *key,
                               struct vault_error *err)
{
    VAULT_AUTO(secret_free) struct secret *literal = NULL;
    VAULT_TRY(key_literal(key, &literal, err));
    const int result = sqlite3_key(database->raw, secret_data(literal), KEY_LITERAL_CHARS);
    return result ? database_fail(database, result, "setting its key", err) : VAULT_OK;
}

enum vault_code database_script(struct database *database, const char *sql, const char *doing,
                                struct vault_error *err)
{
    assert(database);
    const int result = sqlite3_exec(database->raw, sql, NULL, NULL, NULL);
    return result ? database_fail(database, result, doing, err) : VAULT_OK;
}

enum vault_code database_connect(const struct database_place *place, const struct database_way *way,
                                 const struct secret *key, struct database **out,
                                 struct vault_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_once);
    VAULT_AUTO(database_close) struct database *database = calloc(1, sizeof *database);
    if (!database)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    snprintf(database->what, sizeof database->what, "%s", place->what);
    const int result = sqlite3_open_v2(
        way->name, &database->raw,
        way->flags | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOMUTEX, way->vfs);
    if (result && access(place->path, F_OK) != 0)
        return vault_fail(err, VAULT_NOT_FOUND, "%s is missing", place->what);
    if (result)
        return database_fail(database, result, "opening", err);
    VAULT_TRY(set_key(database, key, err));
    sqlite3_db_config(database->raw, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(database->raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(database->raw, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
    *out = VAULT_TAKE(database);
    return VAULT_OK;
}

static enum vault_code connect(const struct database_place *place, const struct secret *key,
                               const struct database_kind *kind, struct database **out,
                               struct vault_error *err)
{
    const struct database_way way = {place->path, SQLITE_OPEN_READWRITE,
                                     kind->is_one_of_many ? DATABASE_FILE_VFS : NULL};
    return database_connect(place, &way, key, out, err);
}

void database_close(struct database **database)
{
    struct database *closing = *database;
    *database = NULL;
    if (!closing)
        return;
    for (size_t i = 0; i < closing->kept_count; i++)
        sqlite3_finalize(closing->kept[i].raw);
    sqlite3_backup_finish(closing->copying);
    const int result = sqlite3_close(closing->raw);
    assert(result == SQLITE_OK);
    (void)result;
    free(closing);
}

bool database_is_broken(const struct database *database)
{
    return database->broken;
}

int64_t database_changes(const struct database *database)
{
    return sqlite3_changes64(database->raw);
}

enum vault_code database_number(struct database *database, const char *sql, int64_t *out,
                                struct vault_error *err)
{
    sqlite3_stmt *raw = NULL;
    int result = sqlite3_prepare_v2(database->raw, sql, -1, &raw, NULL);
    if (!result)
        result = sqlite3_step(raw);
    const int64_t value = result == SQLITE_ROW ? sqlite3_column_int64(raw, 0) : 0;
    sqlite3_finalize(raw);
    if (result != SQLITE_ROW)
        return database_fail(database, result, "opening", err);
    *out = value;
    return VAULT_OK;
}

static enum vault_code run_step(struct database *database, const struct database_kind *kind,
                                size_t step, struct vault_error *err)
{
    return database_script(database, kind->steps[step], "bringing its tables up to date", err);
}

static enum vault_code migrate(struct database *database, const struct database_kind *kind,
                               size_t from, struct vault_error *err)
{
    for (size_t i = from; i < kind->step_count; i++) {
        VAULT_AUTO(transaction_rollback) struct transaction change = {0};
        VAULT_TRY(transaction_begin(database, &change, err));
        VAULT_TRY(run_step(database, kind, i, err));
        VAULT_TRY(transaction_commit(&change, err));
    }
    return VAULT_OK;
}

enum vault_code database_make_empty(const struct database_place *place, struct vault_error *err)
{
    VAULT_AUTO(file_close)
    int fd = open(place->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST)
        return vault_fail(err, VAULT_CONFLICT, "%s is there already", place->what);
    return fd < 0 ? vault_fail_errno(err, "making %s", place->what) : VAULT_OK;
}

static void unfinished_remove(const char **path)
{
    if (*path)
        unlink(*path);
}

/* All its steps and what fill puts in, as one. */
static enum vault_code make_content(struct database *database, const struct database_kind *kind,
                                    database_fill *fill, const void *context,
                                    struct vault_error *err)
{
    VAULT_AUTO(transaction_rollback) struct transaction change = {0};
    VAULT_TRY(transaction_begin(database, &change, err));
    for (size_t i = 0; i < kind->step_count; i++)
        VAULT_TRY(run_step(database, kind, i, err));
    if (fill)
        VAULT_TRY(fill(database, context, err));
    return transaction_commit(&change, err);
}

enum vault_code database_create(const struct database_place *place, const struct secret *key,
                                const struct database_kind *kind, bool durable, database_fill *fill,
                                const void *context, struct vault_error *err)
{
    VAULT_TRY(database_make_empty(place, err));
    VAULT_AUTO(unfinished_remove) const char *unfinished = place->path;
    VAULT_AUTO(database_close) struct database *database = NULL;
    VAULT_TRY(connect(place, key, kind, &database, err));
    VAULT_TRY(
        database_script(database, durable ? kind->settings : DATABASE_UNSYNCED, "making", err));
    VAULT_TRY(make_content(database, kind, fill, context, err));
    unfinished = NULL;
    return VAULT_OK;
}

enum vault_code database_check_kind(struct database *database, const struct database_kind *kind,
                                    int64_t *version, struct vault_error *err)
{
    int64_t application = 0;
    VAULT_TRY(database_number(database, "PRAGMA application_id", &application, err));
    VAULT_TRY(database_number(database, "PRAGMA user_version", version, err));
    if (application != kind->application_id)
        return vault_fail(err, VAULT_CORRUPT, "%s: the file in its place is of another kind",
                          database->what);
    if (*version < 1 || *version > (int64_t)kind->step_count)
        return vault_fail(err, VAULT_CORRUPT,
                          "%s: its tables are of version %lld, this program knows %zu; use the "
                          "program that wrote it, or a newer one",
                          database->what, (long long)*version, kind->step_count);
    return VAULT_OK;
}

enum vault_code database_open(const struct database_place *place, const struct secret *key,
                              const struct database_kind *kind, struct database **out,
                              struct vault_error *err)
{
    VAULT_AUTO(database_close) struct database *database = NULL;
    int64_t version = 0;
    VAULT_TRY(connect(place, key, kind, &database, err));
    VAULT_TRY(database_script(database, kind->settings, "opening", err));
    VAULT_TRY(database_check_kind(database, kind, &version, err));
    VAULT_TRY(migrate(database, kind, (size_t)version, err));
    *out = VAULT_TAKE(database);
    return VAULT_OK;
}

enum vault_code database_rekey(struct database *database, const struct secret *key,
                               struct vault_error *err)
{
    VAULT_AUTO(secret_free) struct secret *literal = NULL;
    VAULT_TRY(key_literal(key, &literal, err));
    const int result = sqlite3_rekey(database->raw, secret_data(literal), KEY_LITERAL_CHARS);
    return result ? database_fail(database, result, "writing it anew", err) : VAULT_OK;
}

enum vault_code database_checkpoint(struct database *database, struct vault_error *err)
{
    const int result =
        sqlite3_wal_checkpoint_v2(database->raw, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return result ? database_fail(database, result, "emptying its log", err) : VAULT_OK;
}

/* A place to keep one more statement, made free if all are taken. As many as there are places are
 * never in use at once: a call uses one, or a few within each other. */
static struct kept *find_place(struct database *database)
{
    if (database->kept_count < DATABASE_STATEMENTS_MAX)
        return &database->kept[database->kept_count++];
    size_t i = database->next_out;
    for (size_t tried = 0; database->kept[i].in_use; tried++) {
        assert(tried < DATABASE_STATEMENTS_MAX);
        i = (i + 1) % DATABASE_STATEMENTS_MAX;
    }
    database->next_out = (i + 1) % DATABASE_STATEMENTS_MAX;
    sqlite3_finalize(database->kept[i].raw);
    database->kept[i] = (struct kept){0};
    return &database->kept[i];
}

/* The kept statement of that SQL, prepared now if it is the first time. */
static int keep(struct database *database, const char *sql, struct kept **out)
{
    for (size_t i = 0; i < database->kept_count; i++) {
        if (database->kept[i].sql == sql) {
            *out = &database->kept[i];
            return SQLITE_OK;
        }
    }
    sqlite3_stmt *raw = NULL;
    const int result =
        sqlite3_prepare_v3(database->raw, sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, NULL);
    if (result)
        return result;
    *out = find_place(database);
    **out = (struct kept){.sql = sql, .raw = raw};
    return SQLITE_OK;
}

enum vault_code statement_begin(struct database *database, const char *sql,
                                struct statement *statement, struct vault_error *err)
{
    struct kept *kept = NULL;
    const int result = keep(database, sql, &kept);
    if (result)
        return database_fail(database, result, "preparing", err);
    assert(!kept->in_use);
    kept->in_use = true;
    *statement = (struct statement){.database = database, .kept = kept, .raw = kept->raw};
    return VAULT_OK;
}

void statement_end(struct statement *statement)
{
    if (statement->raw) {
        sqlite3_reset(statement->raw);
        sqlite3_clear_bindings(statement->raw);
        statement->kept->in_use = false;
    }
    *statement = (struct statement){0};
}

static void note(struct statement *statement, int result)
{
    if (!statement->problem)
        statement->problem = result;
}

void bind_integer(struct statement *statement, int place, int64_t value)
{
    note(statement, sqlite3_bind_int64(statement->raw, place, value));
}

void bind_bytes(struct statement *statement, int place, struct bytes value)
{
    note(statement,
         sqlite3_bind_blob64(statement->raw, place, value.data, value.size, SQLITE_STATIC));
}

void bind_blob(struct statement *statement, int place, const void *data, size_t size_bytes)
{
    bind_bytes(statement, place, (struct bytes){data, size_bytes});
}

void bind_text_bytes(struct statement *statement, int place, struct bytes text)
{
    note(statement, sqlite3_bind_text64(statement->raw, place, (const char *)text.data, text.size,
                                        SQLITE_STATIC, SQLITE_UTF8));
}

void bind_text(struct statement *statement, int place, const char *text)
{
    bind_text_bytes(statement, place, text ? bytes_of_text(text) : (struct bytes){0});
}

enum vault_code statement_next(struct statement *statement, bool *row, struct vault_error *err)
{
    const int result = statement->problem ? statement->problem : sqlite3_step(statement->raw);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        return database_fail(statement->database, result, "reading or writing", err);
    *row = result == SQLITE_ROW;
    return VAULT_OK;
}

enum vault_code statement_run(struct statement *statement, struct vault_error *err)
{
    bool row = false;
    do
        VAULT_TRY(statement_next(statement, &row, err));
    while (row);
    return VAULT_OK;
}

int64_t column_integer(const struct statement *statement, int column)
{
    return sqlite3_column_int64(statement->raw, column);
}

unsigned column_small(const struct statement *statement, int column)
{
    return (unsigned)sqlite3_column_int(statement->raw, column);
}

struct bytes column_bytes(const struct statement *statement, int column)
{
    const uint8_t *data = sqlite3_column_blob(statement->raw, column);
    const int size = sqlite3_column_bytes(statement->raw, column);
    return (struct bytes){.data = data, .size = size > 0 && data ? (size_t)size : 0};
}

bool column_is_null(const struct statement *statement, int column)
{
    return sqlite3_column_type(statement->raw, column) == SQLITE_NULL;
}

void column_text(const struct statement *statement, int column, char *out, size_t out_bytes)
{
    const struct bytes text = column_bytes(statement, column);
    const size_t size = text.size < out_bytes ? text.size : out_bytes - 1;
    if (size)
        memcpy(out, text.data, size);
    out[size] = 0;
}

void column_blob(const struct statement *statement, int column, void *out, size_t size_bytes)
{
    const struct bytes blob = column_bytes(statement, column);
    if (blob.size == size_bytes && size_bytes)
        memcpy(out, blob.data, size_bytes);
    else
        memset(out, 0, size_bytes);
}

enum vault_code transaction_begin(struct database *database, struct transaction *transaction,
                                  struct vault_error *err)
{
    VAULT_AUTO(statement_end) struct statement begin = {0};
    VAULT_TRY(statement_begin(database, "BEGIN IMMEDIATE", &begin, err));
    VAULT_TRY(statement_run(&begin, err));
    transaction->database = database;
    return VAULT_OK;
}

enum vault_code transaction_commit(struct transaction *transaction, struct vault_error *err)
{
    assert(transaction->database);
    VAULT_AUTO(statement_end) struct statement commit = {0};
    VAULT_TRY(statement_begin(transaction->database, "COMMIT", &commit, err));
    VAULT_TRY(statement_run(&commit, err));
    transaction->database = NULL;
    return VAULT_OK;
}

void transaction_rollback(struct transaction *transaction)
{
    struct database *database = transaction->database;
    transaction->database = NULL;
    /* Some errors have undone the transaction already. */
    if (!database || sqlite3_get_autocommit(database->raw))
        return;
    VAULT_AUTO(statement_end) struct statement rollback = {0};
    if (statement_begin(database, "ROLLBACK", &rollback, NULL) || statement_run(&rollback, NULL))
        database->broken = true;
}
