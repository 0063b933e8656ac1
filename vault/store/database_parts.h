/*
 * database_parts - what the modules of a database share: database, database_copy.
 */
#pragma once

#include "database.h"

struct kept {
    const char *sql;
    sqlite3_stmt *raw;
    bool in_use;
};

struct database {
    sqlite3 *raw;
    sqlite3_backup *copying; /* of this one into another; NULL: none */
    bool broken;
    char what[DATABASE_WHAT_CHARS + 1];
    size_t kept_count;
    size_t next_out; /* whose place is looked at first when there is none left */
    struct kept kept[DATABASE_STATEMENTS_MAX];
};

/* DEFENSIVE refuses to do without a journal; one in memory costs no more. */
#define DATABASE_UNSYNCED                                                                          \
    "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE"

/* Say what SQLite says, in our codes and words. */
enum vault_code database_fail(struct database *database, int result, const char *doing,
                              struct vault_error *err);

/* An empty file, ours alone whatever the umask; what SQLite puts beside it takes its mode. */
enum vault_code database_make_empty(const struct database_place *place, struct vault_error *err)
    VAULT_MUST_CHECK;

/* How to connect to a file. */
struct database_way {
    const char *name; /* the file's path, or that as a URI */
    int flags;
    const char *vfs; /* NULL: SQLite's own files */
};

/* A connection with its key. */
enum vault_code database_connect(const struct database_place *place, const struct database_way *way,
                                 const struct secret *key, struct database **out,
                                 struct vault_error *err) VAULT_MUST_CHECK;

enum vault_code database_script(struct database *database, const char *sql, const char *doing,
                                struct vault_error *err) VAULT_MUST_CHECK;

/* A number that a PRAGMA tells, read once. */
enum vault_code database_number(struct database *database, const char *sql, int64_t *out,
                                struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_CORRUPT unless it is of that kind and not too new. */
enum vault_code database_check_kind(struct database *database, const struct database_kind *kind,
                                    int64_t *version, struct vault_error *err) VAULT_MUST_CHECK;
