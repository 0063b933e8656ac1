/* Citizens' files on disk: missing, exchanged, damaged, and few descriptors to open them with. */
#include "citizen_path.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_few_descriptors_mean_few_open_files_and_no_errors(void **state)
{
    (void)state;
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit few = {270, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    fresh_store();
    const size_t most = store_stats(store).open_citizens_max;
    struct citizen_id ids[20];
    for (size_t i = 0; i < 20; i++)
        ids[i] = new_citizen();
    for (size_t i = 0; i < 20; i++)
        assert_true(exists(&ids[i]));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(most, 7);
    assert_int_equal(store_stats(store).open_citizens, 7);
    reopen_store();
    assert_int_equal(store_stats(store).open_citizens_max, STORE_OPEN_CITIZENS_DEFAULT);
}

static void copy_file(const char *from, const char *to)
{
    VAULT_AUTO(buf_finish) struct buf content = buf_limited(1024UL * 1024);
    assert_done(file_read(from, &content, &test_error));
    assert_done(file_replace(to, buf_view(&content), 0600, &test_error));
}

static void assert_refused(const struct citizen_id *id, const char *words)
{
    struct citizen *citizen = NULL;
    assert_fails(VAULT_CORRUPT, citizen_acquire(store, id, &citizen, &test_error));
    assert_null(citizen);
    assert_non_null(strstr(test_error.text, words));
    /* The error names the folder, never the citizen. */
    char hex[2 * CITIZEN_ID_BYTES + 1];
    for (size_t i = 0; i < CITIZEN_ID_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02x", id->bytes[i]);
    assert_null(strstr(test_error.text, hex));
}

static void test_a_missing_file_is_an_error_and_others_are_served(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct citizen_id grace = new_citizen();
    char path[PATH_MAX];
    citizen_file_path(path, &ada);
    assert_int_equal(unlink(path), 0);
    assert_refused(&ada, "is missing");
    assert_false(file_exists(path));
    assert_true(exists(&grace));
    assert_refused(&ada, "is missing");
    assert_int_equal(store_stats(store).open_citizens, 1);
}

static void test_another_citizens_file_in_place_of_one_is_refused(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct citizen_id grace = new_citizen();
    char adas[PATH_MAX];
    char graces[PATH_MAX];
    citizen_file_path(adas, &ada);
    citizen_file_path(graces, &grace);
    copy_file(graces, adas);
    assert_refused(&ada, "key is not its own");
    assert_true(exists(&grace));
}

static void test_a_damaged_file_is_refused_and_served_again_when_restored(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    struct citizen *citizen = hold(&ada);
    put(citizen, "identity.given_name", "\"Ada\"");
    citizen_release(&citizen);
    store_close(&store);
    char path[PATH_MAX];
    char kept[PATH_MAX];
    citizen_file_path(path, &ada);
    snprintf(kept, sizeof kept, "%s/kept.db", store_dir);
    copy_file(path, kept);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    for (off_t at = 17; at < status.st_size; at += 4096) {
        copy_file(kept, path);
        test_flip(path, at);
        open_store_with(NULL);
        enum vault_code code = citizen_acquire(store, &ada, &citizen, &test_error);
        VAULT_AUTO(buf_finish) struct buf json = buf_limited(100);
        uint64_t count = 0;
        if (!code)
            code = citizen_value_get(citizen, "identity.given_name", &json, NULL, &test_error);
        if (!code)
            code = citizen_record_count(citizen, &count, &test_error);
        citizen_release(&citizen);
        /* The index by kind is not touched by any of these. */
        if (code != VAULT_CORRUPT && at < status.st_size - 4096)
            fail_msg("byte %ld: %s", (long)at, vault_code_name(code));
        store_close(&store);
    }
    copy_file(kept, path);
    open_store_with(NULL);
    citizen = hold(&ada);
    assert_value(citizen, "identity.given_name", "\"Ada\"");
    citizen_release(&citizen);
}

static void test_a_cut_file_is_refused(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    char path[PATH_MAX];
    citizen_file_path(path, &ada);
    assert_int_equal(truncate(path, 4096), 0);
    struct citizen *citizen = NULL;
    assert_fails(VAULT_CORRUPT, citizen_acquire(store, &ada, &citizen, &test_error));
    assert_int_equal(truncate(path, 0), 0);
    assert_refused(&ada, "another kind");
}

int main(void)
{
    store_test_start();
    const int failed = TEST_RUN(test_few_descriptors_mean_few_open_files_and_no_errors,
                                test_a_missing_file_is_an_error_and_others_are_served,
                                test_another_citizens_file_in_place_of_one_is_refused,
                                test_a_damaged_file_is_refused_and_served_again_when_restored,
                                test_a_cut_file_is_refused);
    finish_store();
    return failed;
}
