/*
 * database_test - one database file, with a table t of names k and values v, for the tests of
 * database.h and of what SQLite reads and writes it by.
 */
#pragma once

#include "store_test.h"

#include <sys/wait.h>
#include <unistd.h>

#include "store/database.h"

#define SETTINGS "PRAGMA locking_mode = EXCLUSIVE"

static char path[PATH_MAX];
static const struct database_place place = {path, "the test's file"};
static struct secret *key;

/* Where a file may be, in a fresh folder, and another key for it. */
static inline void fresh_path(void)
{
    snprintf(path, sizeof path, "%s/test.db", test_folder());
    secret_free(&key);
    assert_done(secret_random(SECRET_KEY_BYTES, &key, &test_error));
}

static inline struct database *fresh_database(const struct database_kind *kind)
{
    struct database *database = NULL;
    fresh_path();
    assert_done(database_create(&place, key, kind, true, NULL, NULL, &test_error));
    assert_done(database_open(&place, key, kind, &database, &test_error));
    return database;
}

static inline enum vault_code try_open(const struct secret *with, const struct database_kind *kind)
{
    VAULT_AUTO(database_close) struct database *database = NULL;
    const enum vault_code code = database_open(&place, with, kind, &database, &test_error);
    assert_true((database != NULL) == (code == VAULT_OK));
    return code;
}

/* A child's word to its parent. */
_Noreturn static inline void exit_with(enum vault_code code)
{
    const int status = (int)code;
    _exit(status);
}

/* As another process opens it. */
static inline enum vault_code open_elsewhere(const struct database_kind *kind)
{
    int status = 0;
    const pid_t child = fork();
    if (child == 0)
        exit_with(try_open(key, kind));
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    return (enum vault_code)WEXITSTATUS(status);
}

static inline enum vault_code insert(struct database *database, const char *k, struct bytes v)
{
    VAULT_AUTO(statement_end) struct statement statement = {0};
    VAULT_TRY(
        statement_begin(database, "INSERT INTO t (k, v) VALUES (?1, ?2)", &statement, &test_error));
    bind_text(&statement, 1, k);
    bind_bytes(&statement, 2, v);
    return statement_run(&statement, &test_error);
}

/* What a query answers, of one number; its text is a literal. */
static inline int64_t number_of(struct database *database, const char *sql)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement statement = {0};
    assert_done(statement_begin(database, sql, &statement, &test_error));
    assert_done(statement_next(&statement, &row, &test_error));
    assert_true(row);
    return column_integer(&statement, 0);
}
