#include "database_test.h"

#include <errno.h>
#include <fcntl.h>

#include "store/database_pace.h"

#define LOGGED SETTINGS "; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 100000"

static const char *const steps[] = {"CREATE TABLE t (k TEXT PRIMARY KEY, v BLOB) STRICT;"
                                    "PRAGMA application_id = 42; PRAGMA user_version = 1"};
static const struct database_kind logged = {42, LOGGED, steps, 1, false};
static const struct database_kind one_of_many = {42, SETTINGS "; PRAGMA journal_mode = MEMORY",
                                                 steps, 1, true};

/* Stands in place of the C library's. */
static struct {
    unsigned calls;
    int error; /* of errno, for each; 0: it works */
} sent;

int sync_file_range(int fd, off64_t offset, off64_t size, unsigned flags)
{
    (void)fd;
    assert_true(offset == 0 && size == 0);
    assert_int_equal(flags, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                                SYNC_FILE_RANGE_WAIT_AFTER);
    sent.calls++;
    errno = sent.error;
    return sent.error ? -1 : 0;
}

static uint8_t large[2 * DATABASE_PIECE_BYTES];

static void test_much_goes_out_in_pieces(void **state)
{
    (void)state;
    VAULT_AUTO(database_close) struct database *database = fresh_database(&logged);
    sent.calls = 0;
    assert_done(insert(database, "a", (struct bytes){large, sizeof large}));
    assert_in_range(sent.calls, 2, 3); /* into the log */
    assert_done(database_checkpoint(database, &test_error));
    assert_in_range(sent.calls, 4, 6); /* and to its place */
}

static void test_little_is_not_sent_off_by_itself(void **state)
{
    (void)state;
    VAULT_AUTO(database_close) struct database *database = fresh_database(&logged);
    sent.calls = 0;
    assert_done(insert(database, "a", BYTES("1")));
    assert_int_equal(sent.calls, 0);
}

static void test_files_that_are_many_are_left_alone(void **state)
{
    (void)state;
    VAULT_AUTO(database_close) struct database *database = fresh_database(&one_of_many);
    sent.calls = 0;
    assert_done(insert(database, "a", (struct bytes){large, sizeof large}));
    assert_int_equal(sent.calls, 0);
}

/* The kernel says it once: a sync would know of nothing. */
static void test_what_the_disk_refuses_is_not_passed_over(void **state)
{
    (void)state;
    const int refused[] = {EIO, ENOSPC, EDQUOT};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        VAULT_AUTO(database_close) struct database *database = fresh_database(&logged);
        assert_done(insert(database, "a", BYTES("1")));
        sent.error = refused[i];
        assert_fails(VAULT_IO, insert(database, "b", (struct bytes){large, sizeof large}));
        sent.error = 0;
        assert_true(database_is_broken(database));
        database_close(&database);
        assert_done(database_open(&place, key, &logged, &database, &test_error));
        assert_int_equal(number_of(database, "SELECT count(*) FROM t"), 1);
    }
}

static void test_a_system_that_cannot_do_without(void **state)
{
    (void)state;
    VAULT_AUTO(database_close) struct database *database = fresh_database(&logged);
    sent.error = ENOSYS;
    assert_done(insert(database, "a", (struct bytes){large, sizeof large}));
    sent.error = 0;
    assert_int_equal(number_of(database, "SELECT count(*) FROM t"), 1);
}

int main(void)
{
    store_test_start();
    const int failed = TEST_RUN(test_much_goes_out_in_pieces, test_little_is_not_sent_off_by_itself,
                                test_files_that_are_many_are_left_alone,
                                test_what_the_disk_refuses_is_not_passed_over,
                                test_a_system_that_cannot_do_without);
    secret_free(&key);
    return failed;
}
