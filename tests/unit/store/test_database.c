#include "database_test.h"

#include <fcntl.h>
#include <unistd.h>

static const char *const two_steps[] = {
    "CREATE TABLE t (k TEXT PRIMARY KEY, v BLOB CHECK (length(v) < 10)) STRICT;"
    "PRAGMA application_id = 42; PRAGMA user_version = 1",
    "ALTER TABLE t ADD COLUMN w INTEGER; PRAGMA user_version = 2",
};
static const char *const broken_steps[] = {
    "CREATE TABLE t (k TEXT PRIMARY KEY) STRICT;"
    "PRAGMA application_id = 42; PRAGMA user_version = 1",
    "ALTER TABLE t ADD COLUMN w INTEGER; CREATE TABLE t (k TEXT); PRAGMA user_version = 2",
};

static struct database_kind first_version = {42, SETTINGS, two_steps, 1, false};
static struct database_kind second_version = {42, SETTINGS, two_steps, 2, false};
static struct database_kind broken_version = {42, SETTINGS, broken_steps, 2, false};
static struct database_kind other_kind = {43, SETTINGS, two_steps, 1, false};

static struct secret *wrong_key;

static int64_t count(struct database *database)
{
    return number_of(database, "SELECT count(*) FROM t");
}

static void test_a_file_opens_with_its_key_only(void **state)
{
    (void)state;
    struct database *database = fresh_database(&first_version);
    assert_done(insert(database, "a", BYTES("1")));
    database_close(&database);
    assert_done(try_open(key, &first_version));
    assert_fails(VAULT_CORRUPT, try_open(wrong_key, &first_version));
    assert_non_null(strstr(test_error.text, "the test's file"));
    assert_non_null(strstr(test_error.text, "the key is not its own"));
    assert_done(try_open(key, &first_version));
}

static void test_sqlcipher_says_nothing_by_itself(void **state)
{
    (void)state;
    struct database *database = fresh_database(&first_version);
    database_close(&database);
    /* Standard error into a file for a while. */
    char said[PATH_MAX];
    snprintf(said, sizeof said, "%s.said", path);
    fflush(stderr);
    const int kept = dup(STDERR_FILENO);
    VAULT_AUTO(file_close) int fd = open(said, O_RDWR | O_CREAT, 0600);
    dup2(fd, STDERR_FILENO);
    const enum vault_code code = try_open(wrong_key, &first_version);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    assert_int_equal(code, VAULT_CORRUPT);
    assert_int_equal(lseek(fd, 0, SEEK_END), 0);
}

static void test_a_missing_file_is_not_made_by_opening(void **state)
{
    (void)state;
    fresh_path();
    assert_fails(VAULT_NOT_FOUND, try_open(key, &first_version));
    assert_false(file_exists(path));
}

static void test_a_file_is_not_made_over_another(void **state)
{
    (void)state;
    struct database *database = fresh_database(&first_version);
    assert_done(insert(database, "a", BYTES("1")));
    database_close(&database);
    assert_fails(VAULT_CONFLICT,
                 database_create(&place, key, &first_version, true, NULL, NULL, &test_error));
    assert_fails(VAULT_CONFLICT, database_create(&place, wrong_key, &first_version, false, NULL,
                                                 NULL, &test_error));
    assert_done(database_open(&place, key, &first_version, &database, &test_error));
    assert_int_equal(count(database), 1);
    database_close(&database);
}

static enum vault_code fill_one(struct database *database, const void *context,
                                struct vault_error *err)
{
    VAULT_TRY(insert(database, "a", BYTES("1")));
    return context ? vault_fail(err, VAULT_LIMITED, "enough") : VAULT_OK;
}

static void test_a_new_file_begins_with_what_it_was_filled_with(void **state)
{
    (void)state;
    for (int durable = 0; durable < 2; durable++) {
        fresh_path();
        assert_done(
            database_create(&place, key, &second_version, durable, fill_one, NULL, &test_error));
        VAULT_AUTO(database_close) struct database *database = NULL;
        assert_done(database_open(&place, key, &second_version, &database, &test_error));
        assert_int_equal(count(database), 1);
    }
}

static void test_a_file_that_could_not_be_filled_is_not_left_behind(void **state)
{
    (void)state;
    fresh_path();
    assert_fails(VAULT_CORRUPT,
                 database_create(&place, key, &broken_version, true, NULL, NULL, &test_error));
    assert_false(file_exists(path));
    assert_fails(VAULT_LIMITED,
                 database_create(&place, key, &second_version, false, fill_one, path, &test_error));
    assert_false(file_exists(path));
}

static void test_a_link_in_place_of_a_file_is_refused(void **state)
{
    (void)state;
    struct database *database = fresh_database(&first_version);
    database_close(&database);
    char elsewhere[PATH_MAX];
    snprintf(elsewhere, sizeof elsewhere, "%s.elsewhere", path);
    assert_int_equal(rename(path, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, path), 0);
    assert_fails(VAULT_IO, try_open(key, &first_version));
}

static void test_an_older_file_is_brought_up_to_date_and_keeps_its_rows(void **state)
{
    (void)state;
    struct database *database = fresh_database(&first_version);
    assert_done(insert(database, "a", BYTES("1")));
    database_close(&database);
    assert_done(database_open(&place, key, &second_version, &database, &test_error));
    assert_int_equal(count(database), 1);
    {
        VAULT_AUTO(statement_end) struct statement update = {0};
        assert_done(statement_begin(database, "UPDATE t SET w = 7", &update, &test_error));
        assert_done(statement_run(&update, &test_error));
        assert_int_equal(database_changes(database), 1);
    }
    database_close(&database);
    assert_done(try_open(key, &second_version));
}

static void test_a_newer_file_is_refused_and_left_as_it_is(void **state)
{
    (void)state;
    fresh_path();
    assert_done(database_create(&place, key, &second_version, true, NULL, NULL, &test_error));
    assert_fails(VAULT_CORRUPT, try_open(key, &first_version));
    assert_non_null(strstr(test_error.text, "version 2, this program knows 1"));
    assert_done(try_open(key, &second_version));
}

static void test_a_step_that_fails_changes_nothing(void **state)
{
    (void)state;
    struct database *database = fresh_database(&first_version);
    assert_done(insert(database, "a", BYTES("1")));
    database_close(&database);
    assert_fails(VAULT_CORRUPT, try_open(key, &broken_version));
    assert_done(database_open(&place, key, &first_version, &database, &test_error));
    assert_int_equal(count(database), 1);
    database_close(&database);
    assert_done(try_open(key, &second_version)); /* adds w, which is not there yet */
}

static void test_a_file_of_another_kind_is_refused(void **state)
{
    (void)state;
    struct database *database = fresh_database(&first_version);
    database_close(&database);
    assert_fails(VAULT_CORRUPT, try_open(key, &other_kind));
    assert_non_null(strstr(test_error.text, "another kind"));
}

static void test_a_plain_sqlite_file_is_refused(void **state)
{
    (void)state;
    fresh_path();
    sqlite3 *raw = NULL;
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_exec(raw,
                                  "CREATE TABLE t (k TEXT); PRAGMA application_id = 42;"
                                  "PRAGMA user_version = 1",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(raw);
    assert_fails(VAULT_CORRUPT, try_open(key, &first_version));
}

static void test_clashes_and_broken_limits_are_told_apart_without_values(void **state)
{
    (void)state;
    VAULT_AUTO(database_close) struct database *database = fresh_database(&first_version);
    assert_done(insert(database, "MARKER", BYTES("1")));
    assert_fails(VAULT_CONFLICT, insert(database, "MARKER", BYTES("2")));
    assert_null(strstr(test_error.text, "MARKER"));
    assert_fails(VAULT_INVALID, insert(database, "b", BYTES("MARKERMARKER")));
    assert_null(strstr(test_error.text, "MARKER"));
    assert_false(database_is_broken(database));
    assert_int_equal(count(database), 1);
}

static void test_a_transaction_not_committed_is_undone(void **state)
{
    (void)state;
    VAULT_AUTO(database_close) struct database *database = fresh_database(&first_version);
    {
        VAULT_AUTO(transaction_rollback) struct transaction change = {0};
        assert_done(transaction_begin(database, &change, &test_error));
        assert_done(insert(database, "a", BYTES("1")));
        assert_int_equal(count(database), 1);
    }
    assert_int_equal(count(database), 0);
    {
        VAULT_AUTO(transaction_rollback) struct transaction change = {0};
        assert_done(transaction_begin(database, &change, &test_error));
        assert_done(insert(database, "a", BYTES("1")));
        assert_done(transaction_commit(&change, &test_error));
    }
    assert_int_equal(count(database), 1);
}

static void test_columns_are_read_with_their_bounds(void **state)
{
    (void)state;
    VAULT_AUTO(database_close) struct database *database = fresh_database(&first_version);
    bool row = false;
    char text[4];
    uint8_t blob[3] = {7, 7, 7};
    assert_done(insert(database, "longer", BYTES("abc")));
    VAULT_AUTO(statement_end) struct statement query = {0};
    assert_done(statement_begin(database, "SELECT k, v, NULL FROM t", &query, &test_error));
    assert_done(statement_next(&query, &row, &test_error));
    column_text(&query, 0, text, sizeof text);
    assert_string_equal(text, "lon");
    column_blob(&query, 1, blob, 3);
    assert_memory_equal(blob, "abc", 3);
    column_blob(&query, 1, blob, 2); /* of another size: zeros */
    assert_memory_equal(blob, "\0\0c", 3);
    assert_true(column_is_null(&query, 2));
    assert_int_equal(column_bytes(&query, 2).size, 0);
    column_text(&query, 2, text, sizeof text);
    assert_string_equal(text, "");
}

static void test_a_statement_is_prepared_once(void **state)
{
    (void)state;
    VAULT_AUTO(database_close) struct database *database = fresh_database(&first_version);
    static const char sql[] = "SELECT count(*) FROM t";
    sqlite3_stmt *first = NULL;
    for (int i = 0; i < 3; i++) {
        VAULT_AUTO(statement_end) struct statement query = {0};
        assert_done(statement_begin(database, sql, &query, &test_error));
        if (!first)
            first = query.raw;
        assert_ptr_equal(query.raw, first);
    }
}

static void test_an_open_file_is_locked_against_other_processes(void **state)
{
    (void)state;
    VAULT_AUTO(database_close) struct database *database = fresh_database(&first_version);
    assert_done(insert(database, "a", BYTES("1")));
    assert_int_equal(open_elsewhere(&first_version), VAULT_UNAVAILABLE);
}

static void test_hardening_is_on(void **state)
{
    (void)state;
    VAULT_AUTO(database_close) struct database *database = fresh_database(&first_version);
    const struct {
        const char *sql;
        int64_t expected;
    } settings[] = {
        {"PRAGMA trusted_schema", 0}, {"PRAGMA foreign_keys", 1}, {"PRAGMA secure_delete", 1},
        {"PRAGMA synchronous", 2},    {"PRAGMA temp_store", 0},
    };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        assert_int_equal(number_of(database, settings[i].sql), settings[i].expected);
    assert_true(sqlite3_compileoption_used("TEMP_STORE=2"));
    /* DEFENSIVE: the schema cannot be written as a table. */
    VAULT_AUTO(statement_end) struct statement forge = {0};
    assert_true(statement_begin(database, "DELETE FROM sqlite_schema", &forge, &test_error) !=
                VAULT_OK);
}

/* Each text is a statement of its own to the database, which knows them by their place. */
static void test_more_statements_than_are_kept_all_work_and_none_in_use_is_lost(void **state)
{
    (void)state;
    enum { MANY = 3 * DATABASE_STATEMENTS_MAX };
    static char sql[MANY][64];
    bool row = false;
    struct database *database = fresh_database(&first_version);
    VAULT_AUTO(statement_end) struct statement held = {0};
    assert_done(insert(database, "a", BYTES("1")));
    assert_done(statement_begin(database, "SELECT k FROM t WHERE k = ?1", &held, &test_error));
    bind_text(&held, 1, "a");
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < MANY; i++) {
            VAULT_AUTO(statement_end) struct statement statement = {0};
            snprintf(sql[i], sizeof sql[i], "SELECT %d FROM t", i);
            assert_done(statement_begin(database, sql[i], &statement, &test_error));
            assert_done(statement_next(&statement, &row, &test_error));
            assert_true(row);
            assert_int_equal(column_integer(&statement, 0), i);
        }
    assert_done(statement_next(&held, &row, &test_error));
    assert_true(row);
    char text[8];
    column_text(&held, 0, text, sizeof text);
    assert_string_equal(text, "a");
    statement_end(&held);
    database_close(&database);
}

static int run_all(void)
{
    return TEST_RUN(
        test_more_statements_than_are_kept_all_work_and_none_in_use_is_lost,
        test_a_file_opens_with_its_key_only, test_sqlcipher_says_nothing_by_itself,
        test_a_missing_file_is_not_made_by_opening, test_a_file_is_not_made_over_another,
        test_a_new_file_begins_with_what_it_was_filled_with,
        test_a_file_that_could_not_be_filled_is_not_left_behind,
        test_a_link_in_place_of_a_file_is_refused,
        test_an_older_file_is_brought_up_to_date_and_keeps_its_rows,
        test_a_newer_file_is_refused_and_left_as_it_is, test_a_step_that_fails_changes_nothing,
        test_a_file_of_another_kind_is_refused, test_a_plain_sqlite_file_is_refused,
        test_clashes_and_broken_limits_are_told_apart_without_values,
        test_a_transaction_not_committed_is_undone, test_columns_are_read_with_their_bounds,
        test_a_statement_is_prepared_once, test_an_open_file_is_locked_against_other_processes,
        test_hardening_is_on);
}

/* By SQLite's own files, and by those of one connection (database_file.h). */
int main(void)
{
    struct database_kind *const kinds[] = {&first_version, &second_version, &broken_version,
                                           &other_kind};
    store_test_start();
    assert_done(secret_random(SECRET_KEY_BYTES, &wrong_key, &test_error));
    int failed = run_all();
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        kinds[i]->is_one_of_many = true;
    failed += run_all();
    secret_free(&key);
    secret_free(&wrong_key);
    return failed;
}
