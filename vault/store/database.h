/*
 * database - one encrypted SQLCipher file and one connection to it.
 *
 * A file is opened with a raw key only; SQLCipher's passphrase derivation is never used. A
 * connection belongs to one thread at a time, holds its file locked against every other process
 * while it is open, and keeps its prepared statements, found again by the address of their SQL: so
 * SQL is always a string literal, beside the function that runs it.
 *
 * What kind of file it is, and how far its tables have come, is in the file: application_id and
 * user_version. A newer one than this program knows is refused, an older one is brought up to date
 * step by step, each step one transaction.
 *
 * After an error of the disk or of a page the connection is broken: what it remembers may not be
 * what the file holds. Its owner closes it and opens it again.
 *
 * This header is for the floor alone: above it nobody knows SQL.
 */
#pragma once

#include <sqlcipher/sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/secret.h"

#define DATABASE_STATEMENTS_MAX 160 /* kept prepared; more are prepared anew */
#define DATABASE_WHAT_CHARS     63

/* One kind of file. */
struct database_kind {
    int32_t application_id;
    const char *settings;     /* PRAGMAs of a connection */
    const char *const *steps; /* the n-th, from 0, ends with PRAGMA user_version = n + 1 */
    size_t step_count;
    bool is_one_of_many; /* opened and closed all the time (database_file.h); no write-ahead log */
};

struct database;

/* Where a file is, and what to call it in an error: never by a citizen's id. */
struct database_place {
    const char *path;
    const char *what; /* such as "the control store"; copied */
};

/* What a new file begins with, beside its tables. */
typedef enum vault_code database_fill(struct database *database, const void *context,
                                      struct vault_error *err);

/* Make the file (VAULT_CONFLICT if it is there) with all its tables and what fill (may be NULL)
 * puts in, in one transaction, and close it. Without durable nothing is synced and a crash may
 * leave half of it: the caller syncs the file. On failure there is none. */
enum vault_code database_create(const struct database_place *place, const struct secret *key,
                                const struct database_kind *kind, bool durable, database_fill *fill,
                                const void *context, struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_NOT_FOUND if there is no file. VAULT_CORRUPT if the key is not its own (which cannot be
 * told from a damaged first page), it is of another kind, or too new. */
enum vault_code database_open(const struct database_place *place, const struct secret *key,
                              const struct database_kind *kind, struct database **out,
                              struct vault_error *err) VAULT_MUST_CHECK;

void database_close(struct database **database);

bool database_is_broken(const struct database *database);

/* Rows that the last statement changed. */
int64_t database_changes(const struct database *database);

/* Write the whole file anew under another key, as one change that a crash leaves done or not begun.
 * Not for a file with a write-ahead log. Whether it worked shows only when the file is opened again
 * (SQLCipher 4.6 reports no failure): close it in any case. */
enum vault_code database_rekey(struct database *database, const struct secret *key,
                               struct vault_error *err) VAULT_MUST_CHECK;

/* Move what the write-ahead log holds into the file and empty the log. */
enum vault_code database_checkpoint(struct database *database, struct vault_error *err)
    VAULT_MUST_CHECK;

/*
 * A kept statement in use:
 *
 *     VAULT_AUTO(statement_end) struct statement query = {0};
 *     VAULT_TRY(statement_begin(database, "SELECT …", &query, err));
 *     bind_text(&query, 1, name);
 *     bool row = false;
 *     VAULT_TRY(statement_next(&query, &row, err));
 *
 * Binding borrows: what is bound outlives the statement's use. Columns are borrowed until the next
 * step. A bind that fails is reported by the next step.
 */
struct kept;
struct statement {
    struct database *database;
    struct kept *kept;
    sqlite3_stmt *raw;
    int problem;
};

enum vault_code statement_begin(struct database *database, const char *sql,
                                struct statement *statement, struct vault_error *err)
    VAULT_MUST_CHECK;
void statement_end(struct statement *statement);

void bind_integer(struct statement *statement, int place, int64_t value);
void bind_bytes(struct statement *statement, int place, struct bytes value); /* data NULL: NULL */
void bind_blob(struct statement *statement, int place, const void *data, size_t size_bytes);
void bind_text(struct statement *statement, int place, const char *text); /* NULL: NULL */
void bind_text_bytes(struct statement *statement, int place, struct bytes text);

/* Step. *row is whether there is a row to read. */
enum vault_code statement_next(struct statement *statement, bool *row, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Step to the end, passing over rows. */
enum vault_code statement_run(struct statement *statement, struct vault_error *err)
    VAULT_MUST_CHECK;

int64_t column_integer(const struct statement *statement, int column);
unsigned column_small(const struct statement *statement, int column); /* a state, a kind */
struct bytes column_bytes(const struct statement *statement, int column);
bool column_is_null(const struct statement *statement, int column);

/* Copy a text, NUL-ended; what does not fit is left out. */
void column_text(const struct statement *statement, int column, char *out, size_t out_bytes);

/* Copy a blob of exactly that size; zeros if it has another. */
void column_blob(const struct statement *statement, int column, void *out, size_t size_bytes);

/*
 * A transaction that may write, BEGIN IMMEDIATE, undone by attribute unless committed:
 *
 *     VAULT_AUTO(transaction_rollback) struct transaction change = {0};
 *     VAULT_TRY(transaction_begin(database, &change, err));
 *     …
 *     VAULT_TRY(transaction_commit(&change, err));
 */
struct transaction {
    struct database *database;
};

enum vault_code transaction_begin(struct database *database, struct transaction *transaction,
                                  struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code transaction_commit(struct transaction *transaction, struct vault_error *err)
    VAULT_MUST_CHECK;
void transaction_rollback(struct transaction *transaction);
