/* What a vault of an earlier release has in control.db is still there after the steps since. */
#include "store_test.h"

#include "store/internal.h"

#define PASSKEYS_OF_CITIZENS_ALONE 13 /* steps */

static char path[PATH_MAX];
static const struct database_place place = {path, "the test's file"};
static struct secret *key;

static enum vault_code run(struct database *database, const char *sql)
{
    VAULT_AUTO(statement_end) struct statement statement = {0};
    VAULT_TRY(statement_begin(database, sql, &statement, &test_error));
    return statement_run(&statement, &test_error);
}

static int64_t ask(struct database *database, const char *sql)
{
    bool row = false;
    VAULT_AUTO(statement_end) struct statement query = {0};
    assert_done(statement_begin(database, sql, &query, &test_error));
    assert_done(statement_next(&query, &row, &test_error));
    assert_true(row);
    return column_integer(&query, 0);
}

/* A file as it was after so many steps, and then with them all. */
static void make(size_t steps, const char *const *rows, size_t count)
{
    struct database *database = NULL;
    struct database_kind before = *control_file.kind;
    before.step_count = steps;
    snprintf(path, sizeof path, "%s/control.db", test_folder());
    secret_free(&key);
    assert_done(secret_random(SECRET_KEY_BYTES, &key, &test_error));
    assert_done(database_create(&place, key, &before, true, NULL, NULL, &test_error));
    assert_done(database_open(&place, key, &before, &database, &test_error));
    for (size_t i = 0; i < count; i++)
        assert_done(run(database, rows[i]));
    database_close(&database);
}

static void test_citizens_keep_their_passkeys(void **state)
{
    (void)state;
    static const char *const rows[] = {
        ("INSERT INTO passkey VALUES (x'0102', zeroblob(16), zeroblob(16), -7, x'aa', 3, 'Une', 4,"
         " 5, 6)"),
        "INSERT INTO mediator (login, structure, name, password_hash) VALUES ('a', 'b', 'c', 'd')",
        "INSERT INTO mediator_session VALUES (zeroblob(32), 'a', 1, 2)",
    };
    VAULT_AUTO(database_close) struct database *database = NULL;
    make(PASSKEYS_OF_CITIZENS_ALONE, rows, sizeof rows / sizeof rows[0]);
    assert_done(database_open(&place, key, control_file.kind, &database, &test_error));
    assert_int_equal(ask(database, "SELECT count(*) FROM passkey"), 1);
    assert_int_equal(ask(database, "SELECT count(*) FROM passkey WHERE credential = x'0102'"
                                   " AND citizen = zeroblob(16) AND mediator IS NULL"
                                   " AND user = zeroblob(16) AND algorithm = -7 AND key = x'aa'"
                                   " AND sign_count = 3 AND name = 'Une' AND created_s = 4"
                                   " AND used_s = 5 AND challenge_ms = 6"),
                     1);
    assert_int_equal(ask(database, "SELECT passkeys_s FROM mediator"), 0);
    assert_int_equal(ask(database, "SELECT proved_s + by_passkey FROM mediator_session"), 0);
}

static void test_a_passkey_is_one_ones_or_the_others(void **state)
{
    (void)state;
    VAULT_AUTO(database_close) struct database *database = NULL;
    make(control_file.kind->step_count, NULL, 0);
    assert_done(database_open(&place, key, control_file.kind, &database, &test_error));
    assert_fails(VAULT_INVALID,
                 run(database, "INSERT INTO passkey VALUES (x'01', zeroblob(16), 'a',"
                               " zeroblob(16), -7, x'aa', 0, '', 0, 0, 0)"));
    assert_fails(VAULT_INVALID, run(database, "INSERT INTO passkey VALUES (x'01', NULL, NULL,"
                                              " zeroblob(16), -7, x'aa', 0, '', 0, 0, 0)"));
    assert_done(run(database, "INSERT INTO passkey VALUES (x'01', NULL, 'a', zeroblob(16), -7,"
                              " x'aa', 0, '', 0, 0, 0)"));
}

int main(void)
{
    store_test_start();
    const int failed =
        TEST_RUN(test_citizens_keep_their_passkeys, test_a_passkey_is_one_ones_or_the_others);
    secret_free(&key);
    return failed;
}
