#include "store_test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "store/citizen_file.h"

static char dir[PATH_MAX];
static struct secret *key;

static void fresh_folders(void)
{
    snprintf(dir, sizeof dir, "%s", test_folder());
    secret_free(&key);
    assert_done(secret_random(SECRET_KEY_BYTES, &key, &test_error));
    assert_done(citizen_folders_create(dir, &test_error));
}

static void make_file(const struct citizen_id *id)
{
    const struct citizen_id *const ids[] = {id};
    const struct citizen_new citizen = {.id = *id};
    assert_done(citizen_file_create(dir, &citizen, key, &test_error));
    assert_done(citizen_files_sync(dir, ids, 1, &test_error));
}

static enum vault_code try_open(const struct citizen_id *id)
{
    VAULT_AUTO(database_close) struct database *file = NULL;
    return citizen_file_open(dir, id, key, &file, &test_error);
}

static void test_a_file_lies_in_the_folder_of_its_first_byte(void **state)
{
    (void)state;
    const struct citizen_id id = {{0xab, 0xcd, 0x01}};
    char path[PATH_MAX];
    assert_done(citizen_path(path, "/vault", &id, &test_error));
    assert_string_equal(path, "/vault/citizens/ab/abcd0100000000000000000000000000.db");
    char long_dir[PATH_MAX];
    memset(long_dir, 'd', sizeof long_dir - 1);
    long_dir[sizeof long_dir - 1] = 0;
    assert_fails(VAULT_TOO_LARGE, citizen_path(path, long_dir, &id, &test_error));
}

/* With the very same key, as nobody else could have it: the id inside is what tells. */
static void test_another_citizens_file_is_refused_even_under_the_same_key(void **state)
{
    (void)state;
    fresh_folders();
    const struct citizen_id ada = citizen_id_new();
    const struct citizen_id grace = citizen_id_new();
    char adas[PATH_MAX];
    char graces[PATH_MAX];
    make_file(&ada);
    assert_done(try_open(&ada));
    assert_done(citizen_path(adas, dir, &ada, &test_error));
    assert_done(citizen_path(graces, dir, &grace, &test_error));
    assert_int_equal(rename(adas, graces), 0);
    assert_fails(VAULT_CORRUPT, try_open(&grace));
    assert_non_null(strstr(test_error.text, "another citizen's file"));
    assert_fails(VAULT_CORRUPT, try_open(&ada));
    assert_non_null(strstr(test_error.text, "is missing"));
}

static void test_removing_takes_the_journal_too_and_twice_is_fine(void **state)
{
    (void)state;
    fresh_folders();
    const struct citizen_id ada = citizen_id_new();
    char path[PATH_MAX];
    char journal[PATH_MAX + 16];
    make_file(&ada);
    assert_done(citizen_path(path, dir, &ada, &test_error));
    snprintf(journal, sizeof journal, "%s-journal", path);
    assert_done(file_create(journal, BYTES("left over"), 0600, &test_error));
    assert_done(citizen_file_remove(dir, &ada, &test_error));
    assert_false(file_exists(path));
    assert_false(file_exists(journal));
    assert_done(citizen_file_remove(dir, &ada, &test_error));
}

static void test_syncing_what_is_not_there_fails(void **state)
{
    (void)state;
    fresh_folders();
    const struct citizen_id ada = citizen_id_new();
    const struct citizen_id *const ids[] = {&ada};
    assert_fails(VAULT_NOT_FOUND, citizen_files_sync(dir, ids, 1, &test_error));
}

static void test_keys_come_back_from_their_wrapping_and_differ_by_use(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = citizen_id_new();
    struct control_key wrapped;
    VAULT_AUTO(citizen_keys_free) struct citizen_keys fresh = {0};
    VAULT_AUTO(citizen_keys_free) struct citizen_keys again = {0};
    assert_done(citizen_keys_new(keyring, &ada, CITIZEN_FIRST_KEY, &wrapped, &fresh, &test_error));
    assert_int_equal(wrapped.version, 1);
    assert_done(citizen_keys_of(keyring, &wrapped, &again, &test_error));
    assert_true(secret_equal(secret_view(fresh.file), secret_view(again.file)));
    assert_true(secret_equal(secret_view(fresh.seal), secret_view(again.seal)));
    assert_false(secret_equal(secret_view(fresh.file), secret_view(fresh.seal)));
    /* For another citizen, or another version, the wrapped key does not open. */
    struct citizen_keys none = {0};
    wrapped.id.bytes[0] ^= 1;
    assert_fails(VAULT_CORRUPT, citizen_keys_of(keyring, &wrapped, &none, &test_error));
    wrapped.id.bytes[0] ^= 1;
    wrapped.version = 2;
    assert_fails(VAULT_CORRUPT, citizen_keys_of(keyring, &wrapped, &none, &test_error));
    assert_null(none.file);
}

int main(void)
{
    store_test_start();
    const int failed = TEST_RUN(test_a_file_lies_in_the_folder_of_its_first_byte,
                                test_another_citizens_file_is_refused_even_under_the_same_key,
                                test_removing_takes_the_journal_too_and_twice_is_fine,
                                test_syncing_what_is_not_there_fails,
                                test_keys_come_back_from_their_wrapping_and_differ_by_use);
    secret_free(&key);
    finish_store();
    return failed;
}
