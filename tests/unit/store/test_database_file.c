#include "database_test.h"

#include <signal.h>
#include <sys/resource.h>

static const char *const steps[] = {"CREATE TABLE t (k TEXT PRIMARY KEY, v BLOB) STRICT;"
                                    "PRAGMA application_id = 42; PRAGMA user_version = 1"};
static const struct database_kind one_of_many = {42, SETTINGS, steps, 1, true};
static const struct database_kind sqlites_own = {42, SETTINGS, steps, 1, false};

static int64_t sum_of_sizes(struct database *database)
{
    return number_of(database, "SELECT sum(length(v)) FROM t");
}

static enum vault_code open_and_insert(const struct database_kind *kind)
{
    VAULT_AUTO(database_close) struct database *database = NULL;
    VAULT_TRY(database_open(&place, key, kind, &database, &test_error));
    return insert(database, "b", BYTES("1"));
}

static void test_one_that_was_written_is_locked_against_all_others(void **state)
{
    (void)state;
    VAULT_AUTO(database_close) struct database *database = fresh_database(&one_of_many);
    assert_done(insert(database, "a", BYTES("1")));
    assert_int_equal(open_elsewhere(&one_of_many), VAULT_UNAVAILABLE);
    assert_int_equal(open_elsewhere(&sqlites_own), VAULT_UNAVAILABLE);
    assert_fails(VAULT_UNAVAILABLE, try_open(key, &one_of_many));
    assert_fails(VAULT_UNAVAILABLE, try_open(key, &sqlites_own));
    assert_non_null(strstr(test_error.text, "another process has it open"));
}

static void test_one_that_was_only_read_is_read_and_not_written_by_others(void **state)
{
    (void)state;
    VAULT_AUTO(database_close) struct database *database = fresh_database(&one_of_many);
    assert_int_equal(open_elsewhere(&one_of_many), VAULT_OK);
    assert_int_equal(open_elsewhere(&sqlites_own), VAULT_OK);
    assert_fails(VAULT_UNAVAILABLE, open_and_insert(&one_of_many));
    assert_fails(VAULT_UNAVAILABLE, open_and_insert(&sqlites_own));
    assert_done(insert(database, "a", BYTES("1")));
}

static void test_one_that_others_read_is_not_written(void **state)
{
    (void)state;
    VAULT_AUTO(database_close) struct database *database = fresh_database(&sqlites_own);
    assert_fails(VAULT_UNAVAILABLE, open_and_insert(&one_of_many));
    assert_done(insert(database, "a", BYTES("1")));
}

static void test_the_lock_holds_whatever_else_of_the_file_is_closed(void **state)
{
    (void)state;
    VAULT_AUTO(database_close) struct database *database = fresh_database(&one_of_many);
    assert_done(insert(database, "a", BYTES("1")));
    FILE *other = fopen(path, "rb");
    assert_non_null(other);
    fclose(other);
    assert_int_equal(open_elsewhere(&sqlites_own), VAULT_UNAVAILABLE);
}

static void test_the_lock_goes_with_the_connection(void **state)
{
    (void)state;
    struct database *database = fresh_database(&one_of_many);
    database_close(&database);
    assert_int_equal(open_elsewhere(&one_of_many), VAULT_OK);
    assert_int_equal(open_elsewhere(&sqlites_own), VAULT_OK);
    assert_done(try_open(key, &one_of_many));
    assert_done(try_open(key, &sqlites_own));
}

static void test_one_that_another_has_open_is_refused(void **state)
{
    (void)state;
    VAULT_AUTO(database_close) struct database *database = fresh_database(&sqlites_own);
    assert_done(insert(database, "a", BYTES("1")));
    assert_int_equal(open_elsewhere(&one_of_many), VAULT_UNAVAILABLE);
}

static void test_one_that_was_moved_away_is_not_written(void **state)
{
    (void)state;
    char elsewhere[PATH_MAX];
    VAULT_AUTO(database_close) struct database *database = fresh_database(&one_of_many);
    snprintf(elsewhere, sizeof elsewhere, "%s.elsewhere", path);
    assert_int_equal(rename(path, elsewhere), 0);
    assert_fails(VAULT_IO, insert(database, "b", BYTES("1")));
}

/* Larger than what is kept in memory, so that it comes from the disk, page by page. */
static void test_what_is_written_is_read_again_by_either(void **state)
{
    (void)state;
    static uint8_t large[64 * 1024];
    const struct bytes value = {large, sizeof large};
    struct database *database = fresh_database(&one_of_many);
    for (char name[] = "a"; name[0] <= 'p'; name[0]++)
        assert_done(insert(database, name, value));
    database_close(&database);
    for (int way = 0; way < 2; way++) {
        assert_done(
            database_open(&place, key, way ? &sqlites_own : &one_of_many, &database, &test_error));
        assert_int_equal(sum_of_sizes(database), 16 * sizeof large);
        database_close(&database);
    }
}

static void test_a_file_cut_short_is_found_damaged(void **state)
{
    (void)state;
    static uint8_t large[64 * 1024];
    struct database *database = fresh_database(&one_of_many);
    assert_done(insert(database, "a", (struct bytes){large, sizeof large}));
    database_close(&database);
    assert_int_equal(truncate(path, 3 * 4096 + 100), 0);
    assert_fails(VAULT_CORRUPT, try_open(key, &one_of_many));
}

/* A child, that the limit does not stay. */
static void test_a_file_that_may_not_grow_says_so_and_keeps_what_it_has(void **state)
{
    (void)state;
    static uint8_t large[64 * 1024];
    int status = 0;
    struct database *database = fresh_database(&one_of_many);
    assert_done(insert(database, "a", BYTES("1")));
    database_close(&database);
    const pid_t child = fork();
    if (child == 0) {
        const struct rlimit limit = {32 * 1024, 32 * 1024};
        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &limit) ||
            database_open(&place, key, &one_of_many, &database, &test_error))
            exit_with(VAULT_OK);
        exit_with(insert(database, "b", (struct bytes){large, sizeof large}));
    }
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), VAULT_IO);
    assert_done(database_open(&place, key, &one_of_many, &database, &test_error));
    assert_int_equal(sum_of_sizes(database), 1);
    database_close(&database);
}

int main(void)
{
    store_test_start();
    const int failed = TEST_RUN(
        test_one_that_was_written_is_locked_against_all_others,
        test_one_that_was_only_read_is_read_and_not_written_by_others,
        test_one_that_others_read_is_not_written,
        test_the_lock_holds_whatever_else_of_the_file_is_closed,
        test_the_lock_goes_with_the_connection, test_one_that_another_has_open_is_refused,
        test_one_that_was_moved_away_is_not_written, test_what_is_written_is_read_again_by_either,
        test_a_file_cut_short_is_found_damaged,
        test_a_file_that_may_not_grow_says_so_and_keeps_what_it_has);
    secret_free(&key);
    return failed;
}
