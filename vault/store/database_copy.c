#include "database_copy.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "database_parts.h"

enum vault_code database_copy_begin(struct database *from, const struct database_place *place,
                                    const struct secret *key, struct database **to,
                                    struct vault_error *err)
{
    if (from->copying)
        return vault_fail(err, VAULT_CONFLICT, "%s is being copied already", from->what);
    VAULT_TRY(database_make_empty(place, err));
    VAULT_AUTO(database_close) struct database *made = NULL;
    const struct database_way way = {place->path, SQLITE_OPEN_READWRITE, NULL};
    VAULT_TRY(database_connect(place, &way, key, &made, err));
    VAULT_TRY(database_script(made, DATABASE_UNSYNCED, "making", err));
    from->copying = sqlite3_backup_init(made->raw, "main", from->raw, "main");
    if (!from->copying)
        return database_fail(made, sqlite3_errcode(made->raw), "beginning a copy", err);
    *to = VAULT_TAKE(made);
    return VAULT_OK;
}

enum vault_code database_copy_step(struct database *from, int pages, int *remaining,
                                   struct vault_error *err)
{
    if (!from->copying)
        return vault_fail(err, VAULT_UNAVAILABLE,
                          "%s was opened again while it was copied: try again", from->what);
    const int result = sqlite3_backup_step(from->copying, pages);
    if (result == SQLITE_OK || result == SQLITE_DONE) {
        *remaining = result == SQLITE_DONE ? 0 : sqlite3_backup_remaining(from->copying);
        return VAULT_OK;
    }
    /* Most often it is the copy's disk: that this one still works is seen by whoever uses it. */
    const bool was_broken = from->broken;
    const enum vault_code code = database_fail(from, result, "copying", err);
    from->broken = was_broken || code == VAULT_CORRUPT;
    return code;
}

void database_copy_stop(struct database *from)
{
    sqlite3_backup_finish(from->copying);
    from->copying = NULL;
}

/* A path as SQLite's URI. */
static enum vault_code frozen_name(const char *path, char *out, size_t out_bytes,
                                   struct vault_error *err)
{
    static const char tail[] = "?immutable=1";
    size_t at = (size_t)snprintf(out, out_bytes, "file:");
    for (const char *next = path; *next; next++) {
        if (at + 3 + sizeof tail > out_bytes)
            return vault_fail(err, VAULT_TOO_LARGE, "the path %.80s is too long", path);
        if (strchr("%?#", *next))
            at += (size_t)snprintf(out + at, out_bytes - at, "%%%02x", (unsigned char)*next);
        else
            out[at++] = *next;
    }
    memcpy(out + at, tail, sizeof tail);
    return VAULT_OK;
}

enum vault_code database_open_frozen(const struct database_place *place, const struct secret *key,
                                     const struct database_kind *kind, struct database **out,
                                     struct vault_error *err)
{
    char name[PATH_MAX + 64];
    int64_t version = 0;
    VAULT_AUTO(database_close) struct database *database = NULL;
    VAULT_TRY(frozen_name(place->path, name, sizeof name, err));
    const struct database_way way = {name, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL};
    VAULT_TRY(database_connect(place, &way, key, &database, err));
    VAULT_TRY(database_check_kind(database, kind, &version, err));
    *out = VAULT_TAKE(database);
    return VAULT_OK;
}

enum vault_code database_look(const struct database_place *place, const struct secret *key,
                              const struct database_kind *kind, struct database **out,
                              struct vault_error *err)
{
    int64_t version = 0;
    VAULT_AUTO(database_close) struct database *database = NULL;
    VAULT_TRY(database_open_frozen(place, key, kind, &database, err));
    VAULT_TRY(database_number(database, "PRAGMA user_version", &version, err));
    if (version < (int64_t)kind->step_count)
        return vault_fail(err, VAULT_CONFLICT,
                          "%s: its tables are older; the next start of vaultd mends that",
                          place->what);
    *out = VAULT_TAKE(database);
    return VAULT_OK;
}

enum vault_code database_check_pages(struct database *database, struct vault_error *err)
{
    sqlite3_stmt *raw = NULL;
    int result = sqlite3_prepare_v2(database->raw, "PRAGMA cipher_integrity_check", -1, &raw, NULL);
    if (!result)
        result = sqlite3_step(raw);
    sqlite3_finalize(raw);
    if (result == SQLITE_ROW)
        return vault_fail(err, VAULT_CORRUPT, "%s: a page does not hold its own proof",
                          database->what);
    return result == SQLITE_DONE ? VAULT_OK
                                 : database_fail(database, result, "checking its pages", err);
}
