#include "citizen_path.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vault/store/control_citizen.h"
#include "vault/store/setting.h"

static enum vault_code try_open(const struct keyring *with)
{
    struct store *opened = NULL;
    const enum vault_code code = store_open(store_dir, with, NULL, &opened, &test_error);
    assert_true((opened != NULL) == (code == VAULT_OK));
    store_close(&opened);
    return code;
}

static void path_in_store(char out[PATH_MAX], const char *name)
{
    assert_done(file_join(out, PATH_MAX, store_dir, name, &test_error));
}

static void test_a_new_store_opens_empty_and_opens_again(void **state)
{
    (void)state;
    fresh_store();
    for (int i = 0; i < 2; i++) {
        uint64_t count = 7;
        assert_done(control_citizen_count(store, &count, &test_error));
        assert_int_equal(count, 0);
        reopen_store();
    }
}

static void test_a_store_is_not_made_over_another(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    assert_fails(VAULT_UNAVAILABLE, store_create(store_dir, keyring, &test_error));
    store_close(&store);
    assert_fails(VAULT_CONFLICT, store_create(store_dir, keyring, &test_error));
    open_store_with(NULL);
    assert_true(exists(&ada));
}

static void test_a_folder_without_a_store_is_refused_and_left_alone(void **state)
{
    (void)state;
    fresh_store();
    store_close(&store);
    snprintf(store_dir, sizeof store_dir, "%s", test_folder());
    assert_fails(VAULT_NOT_FOUND, try_open(keyring));
    char path[PATH_MAX];
    path_in_store(path, "store.lock");
    assert_false(file_exists(path));
    path_in_store(path, "nowhere");
    struct store *opened = NULL;
    assert_fails(VAULT_NOT_FOUND, store_open(path, keyring, NULL, &opened, &test_error));
}

static void test_a_store_is_open_once_at_a_time(void **state)
{
    (void)state;
    fresh_store();
    assert_fails(VAULT_UNAVAILABLE, try_open(keyring));
    assert_non_null(strstr(test_error.text, "store.lock"));
    reopen_store();
}

static void test_another_vaults_keyring_does_not_open_it(void **state)
{
    (void)state;
    fresh_store();
    struct keyring *own = keyring;
    char own_dir[PATH_MAX];
    store_close(&store);
    snprintf(own_dir, sizeof own_dir, "%s", store_dir);
    test_folder_keep();
    keyring = NULL;
    fresh_store();
    snprintf(store_dir, sizeof store_dir, "%s", own_dir);
    assert_fails(VAULT_CORRUPT, try_open(keyring));
    assert_non_null(strstr(test_error.text, "control store"));
    assert_done(try_open(own));
    keyring_close(&own);
}

static void test_missing_parts_are_named(void **state)
{
    (void)state;
    const char *const names[] = {"control.db", "openings.db"};
    const enum vault_code codes[] = {VAULT_NOT_FOUND, VAULT_NOT_FOUND};
    const char *const words[] = {"no store", "index of openings is missing"};
    for (size_t i = 0; i < 2; i++) {
        fresh_store();
        store_close(&store);
        char path[PATH_MAX];
        path_in_store(path, names[i]);
        assert_int_equal(unlink(path), 0);
        assert_fails(codes[i], try_open(keyring));
        assert_non_null(strstr(test_error.text, words[i]));
    }
}

static void test_a_flipped_byte_anywhere_in_the_control_store_is_found(void **state)
{
    (void)state;
    fresh_store();
    for (int i = 0; i < 50; i++)
        (void)new_citizen();
    store_close(&store);
    char path[PATH_MAX];
    struct stat status;
    path_in_store(path, "control.db");
    assert_int_equal(stat(path, &status), 0);
    assert_true(status.st_size > 8L * 4096);
    test_flip(path, 50);
    assert_fails(VAULT_CORRUPT, try_open(keyring));
    test_flip(path, 50);
    assert_done(try_open(keyring));
    /* The schema and the citizens lie on the first pages. */
    test_flip(path, 4096 + 100);
    const enum vault_code code = try_open(keyring);
    test_flip(path, 4096 + 100);
    assert_true(code == VAULT_CORRUPT);
    assert_non_null(strstr(test_error.text, "control store"));
    assert_done(try_open(keyring));
}

static void test_one_file_in_anothers_place_is_refused(void **state)
{
    (void)state;
    fresh_store();
    store_close(&store);
    char control[PATH_MAX];
    char openings[PATH_MAX];
    path_in_store(control, "control.db");
    path_in_store(openings, "openings.db");
    VAULT_AUTO(buf_finish) struct buf content = buf_limited(1024UL * 1024);
    assert_done(file_read(control, &content, &test_error));
    assert_done(file_replace(openings, buf_view(&content), 0600, &test_error));
    assert_fails(VAULT_CORRUPT, try_open(keyring));
    assert_non_null(strstr(test_error.text, "openings"));
}

static void test_every_file_is_for_its_owner_only(void **state)
{
    (void)state;
    const mode_t before = umask(0);
    fresh_store();
    const struct citizen_id ada = new_citizen();
    umask(before);
    char path[PATH_MAX];
    struct stat status;
    citizen_file_path(path, &ada);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    const char *const names[] = {"control.db", "openings.db", "store.lock"};
    for (size_t i = 0; i < 3; i++) {
        path_in_store(path, names[i]);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
    path_in_store(path, "citizens/00");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    path_in_store(path, ".");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
}

static void test_nothing_put_in_stands_in_clear_in_any_file(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_value value = value_of("identity.family_name", "\"MARKER-MARKER\"");
    const struct citizen_new ada = {citizen_id_new(), "REFERENCE-MARKER", &value, 1};
    assert_done(citizen_create(store, &ada, 1, NOW_S, NULL, &test_error));
    const struct setting setting = {"name-MARKER", BYTES("value-MARKER")};
    assert_done(setting_put(store, &setting, 1, &test_error));
    {
        VAULT_AUTO(citizen_release) struct citizen *citizen = hold(&ada.id);
        put(citizen, "identity.given_name", "\"MARKER-MARKER\"");
    }
    /* While open, journals and write-ahead logs are there too. */
    char files[4][PATH_MAX];
    path_in_store(files[0], "control.db");
    path_in_store(files[1], "control.db-wal");
    citizen_file_path(files[2], &ada.id);
    citizen_file_path(files[3], &ada.id);
    snprintf(files[3] + strlen(files[3]), PATH_MAX - strlen(files[3]), "-journal");
    for (size_t i = 0; i < 4; i++) {
        VAULT_AUTO(buf_finish) struct buf content = buf_limited(8UL * 1024 * 1024);
        assert_done(file_read(files[i], &content, &test_error));
        assert_null(memmem(content.data, content.size, "MARKER", 6));
        assert_null(memmem(content.data, content.size, "SQLite format", 13));
    }
}

/* As if the disk were full: no file may be written past its first bytes. */
static void fill_disk(bool full)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = full ? 16 : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_a_full_disk_refuses_changes_and_loses_nothing(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct citizen_value value = value_of("identity.given_name", "\"Grace\"");
    struct citizen *citizen = hold(&ada);
    put(citizen, "identity.given_name", "\"Ada\"");
    fill_disk(true);
    const enum vault_code code = citizen_value_put(citizen, &value, &test_error);
    fill_disk(false);
    assert_int_equal(code, VAULT_IO);
    assert_non_null(strstr(test_error.text, "a citizen's file in citizens/"));
    citizen_release(&citizen);
    /* The connection was given up; a new one finds what was there, and works. */
    assert_int_equal(store_stats(store).open_citizens, 0);
    citizen = hold(&ada);
    assert_value(citizen, "identity.given_name", "\"Ada\"");
    put(citizen, "identity.given_name", "\"Grace\"");
    assert_value(citizen, "identity.given_name", "\"Grace\"");
    citizen_release(&citizen);
}

static void test_a_full_disk_leaves_the_control_store_whole(void **state)
{
    (void)state;
    fresh_store();
    const struct setting first = {"a", BYTES("1")};
    const struct setting second = {"a", BYTES("2")};
    const struct citizen_new ada = {.id = citizen_id_new()};
    assert_done(setting_put(store, &first, 1, &test_error));
    fill_disk(true);
    const enum vault_code put_code = setting_put(store, &second, 1, &test_error);
    const enum vault_code create_code = citizen_create(store, &ada, 1, NOW_S, NULL, &test_error);
    fill_disk(false);
    assert_int_equal(put_code, VAULT_IO);
    assert_int_equal(create_code, VAULT_IO);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(10);
    assert_done(setting_get(store, "a", &text, &test_error));
    assert_string_equal(buf_string(&text), "1");
    assert_done(setting_put(store, &second, 1, &test_error));
    assert_false(exists(&ada.id));
    assert_done(citizen_create(store, &ada, 1, NOW_S, NULL, &test_error));
    reopen_store();
    assert_true(exists(&ada.id));
}

static void test_too_many_open_citizens_are_refused(void **state)
{
    (void)state;
    fresh_store();
    store_close(&store);
    const struct store_options options = {.open_citizens_max = STORE_OPEN_CITIZENS_MAX + 1};
    assert_fails(VAULT_INVALID, store_open(store_dir, keyring, &options, &store, &test_error));
    assert_null(store);
}

static void test_a_store_that_could_not_be_opened_is_not_locked(void **state)
{
    (void)state;
    fresh_store();
    store_close(&store);
    char path[PATH_MAX];
    path_in_store(path, "openings.db");
    test_flip(path, 50);
    assert_fails(VAULT_CORRUPT, try_open(keyring));
    test_flip(path, 50);
    assert_done(try_open(keyring));
}

static void test_a_path_through_a_link_opens_the_store_it_leads_to(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    store_close(&store);
    char link_path[PATH_MAX];
    snprintf(link_path, sizeof link_path, "%s-link", store_dir);
    assert_int_equal(symlink(store_dir, link_path), 0);
    assert_done(store_open(link_path, keyring, NULL, &store, &test_error));
    assert_true(exists(&ada));
}

int main(void)
{
    store_test_start();
    const int failed = TEST_RUN(
        test_a_new_store_opens_empty_and_opens_again, test_a_store_is_not_made_over_another,
        test_a_folder_without_a_store_is_refused_and_left_alone,
        test_a_store_is_open_once_at_a_time, test_another_vaults_keyring_does_not_open_it,
        test_missing_parts_are_named, test_a_flipped_byte_anywhere_in_the_control_store_is_found,
        test_one_file_in_anothers_place_is_refused, test_every_file_is_for_its_owner_only,
        test_nothing_put_in_stands_in_clear_in_any_file,
        test_a_full_disk_refuses_changes_and_loses_nothing,
        test_a_full_disk_leaves_the_control_store_whole, test_too_many_open_citizens_are_refused,
        test_a_store_that_could_not_be_opened_is_not_locked,
        test_a_path_through_a_link_opens_the_store_it_leads_to);
    finish_store();
    return failed;
}
