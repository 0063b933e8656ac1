/* The store copied while it is written to. */
#include "vault/store/store_copy.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_test.h"
#include "vault/store/openings.h"
#include "vault/store/setting.h"

static char copy_dir[PATH_MAX];
static struct store_frozen *frozen;

static void fresh(void)
{
    store_frozen_close(&frozen);
    fresh_store();
    /* Beside the store: a fresh test_folder() would take the store's away. */
    const int length = (int)(strlen(store_dir) - strlen("/store"));
    snprintf(copy_dir, sizeof copy_dir, "%.*s/copy", length, store_dir);
    assert_done(folder_create(copy_dir, &test_error));
}

static void remember(const char *name, const char *value)
{
    const struct setting setting = {name, bytes_of_text(value)};
    assert_done(setting_put(store, &setting, 1, &test_error));
}

static enum vault_code take(void *context, const char *name, int fd, uint64_t size_bytes,
                            struct vault_error *err)
{
    char path[PATH_MAX];
    uint8_t *content = malloc(size_bytes);
    assert_non_null(content);
    (void)context;
    assert_int_equal(read(fd, content, size_bytes), (ssize_t)size_bytes);
    assert_true(folder_name_is_safe(name));
    assert_done(folder_create_for(copy_dir, name, err));
    assert_done(file_join(path, sizeof path, copy_dir, name, err));
    assert_done(file_create(path, (struct bytes){content, size_bytes}, 0600, err));
    free(content);
    return VAULT_OK;
}

static void copy_part(enum store_part part)
{
    bool done = false;
    struct store_copy *copy = NULL;
    assert_done(store_copy_begin(store, part, copy_dir, &copy, &test_error));
    while (!done)
        assert_done(store_copy_step(copy, false, &done, &test_error));
    store_copy_end(&copy);
}

static unsigned copy_citizens(void)
{
    unsigned gone_count = 0;
    size_t count = 0;
    struct citizen_id ids[STORE_COPY_IDS_MAX];
    assert_done(store_frozen_open(copy_dir, keyring, &frozen, &test_error));
    assert_done(store_frozen_ids(frozen, NULL, ids, &count, &test_error));
    for (size_t i = 0; i < count; i++) {
        bool gone = false;
        assert_done(store_copy_citizen(store, &ids[i], take, NULL, &gone, &test_error));
        gone_count += gone;
    }
    return gone_count;
}

static void test_a_copy_opens_as_a_store_and_has_everything(void **state)
{
    (void)state;
    fresh();
    const struct citizen_id id = new_citizen();
    remember("a", "1");
    copy_part(STORE_CONTROL);
    assert_int_equal(copy_citizens(), 0);
    copy_part(STORE_OPENINGS);
    assert_done(store_frozen_check(frozen, STORE_CONTROL, &test_error));
    assert_done(store_frozen_check(frozen, STORE_OPENINGS, &test_error));
    bool missing = true;
    assert_done(store_frozen_check_citizen(frozen, &id, &missing, &test_error));
    assert_false(missing);
    store_frozen_close(&frozen);
    store_close(&store);
    assert_done(store_open(copy_dir, keyring, NULL, &store, &test_error));
    VAULT_AUTO(buf_finish) struct buf value = buf_limited(16);
    assert_done(setting_get(store, "a", &value, &test_error));
    struct citizen *citizen = NULL;
    assert_done(citizen_acquire(store, &id, &citizen, &test_error));
    assert_true(citizen_exists(citizen));
    citizen_release(&citizen);
    finish_store();
}

static void test_what_changes_while_it_is_copied_is_in_the_copy_or_not_but_whole(void **state)
{
    (void)state;
    fresh();
    static char large[60000];
    memset(large, 'x', sizeof large - 1);
    for (char name[] = "a"; name[0] <= 'z'; name[0]++)
        remember(name, large);
    bool done = false;
    unsigned steps = 0;
    struct store_copy *copy = NULL;
    assert_done(store_copy_begin(store, STORE_CONTROL, copy_dir, &copy, &test_error));
    while (!done) {
        assert_done(store_copy_step(copy, true, &done, &test_error));
        remember("a", "changed");
        remember("new", large);
        steps++;
    }
    assert_true(steps > 1);
    done = false;
    remember("last", "1");
    while (!done)
        assert_done(store_copy_step(copy, false, &done, &test_error));
    remember("after", "1");
    store_copy_end(&copy);
    assert_done(store_frozen_open(copy_dir, keyring, &frozen, &test_error));
    assert_done(store_frozen_check(frozen, STORE_CONTROL, &test_error));
    struct citizen_id ids[STORE_COPY_IDS_MAX];
    size_t count = 0;
    assert_done(store_frozen_ids(frozen, NULL, ids, &count, &test_error));
    store_frozen_close(&frozen);
    assert_int_equal(count, 1); /* nobody */
    copy_part(STORE_OPENINGS);
    assert_int_equal(copy_citizens(), 0);
    store_frozen_close(&frozen);
    store_close(&store);
    assert_done(store_open(copy_dir, keyring, NULL, &store, &test_error));
    VAULT_AUTO(buf_finish) struct buf value = buf_limited(16);
    assert_done(setting_get(store, "a", &value, &test_error));
    assert_true(bytes_equal(buf_view(&value), BYTES("changed")));
    assert_done(setting_get(store, "last", &value, &test_error));
    assert_fails(VAULT_NOT_FOUND, setting_get(store, "after", &value, &test_error));
    finish_store();
}

static void test_one_copy_at_a_time(void **state)
{
    (void)state;
    fresh();
    struct store_copy *copy = NULL;
    struct store_copy *second = NULL;
    assert_done(store_copy_begin(store, STORE_CONTROL, copy_dir, &copy, &test_error));
    assert_fails(VAULT_CONFLICT,
                 store_copy_begin(store, STORE_CONTROL, store_dir, &second, &test_error));
    store_copy_end(&copy);
    assert_fails(VAULT_CONFLICT,
                 store_copy_begin(store, STORE_CONTROL, copy_dir, &copy, &test_error));
    remember("a", "1"); /* it goes on */
    finish_store();
}

static void test_who_is_erased_meanwhile_is_left_out(void **state)
{
    (void)state;
    fresh();
    const struct citizen_id id = new_citizen();
    const struct citizen_id other = new_citizen();
    copy_part(STORE_CONTROL);
    assert_done(citizen_erase(store, &id, NULL, &test_error));
    assert_int_equal(copy_citizens(), 1);
    bool missing = false;
    assert_done(store_frozen_check_citizen(frozen, &id, &missing, &test_error));
    assert_true(missing);
    assert_done(store_frozen_check_citizen(frozen, &other, &missing, &test_error));
    assert_false(missing);
    store_frozen_close(&frozen);
    finish_store();
}

static void path_of(char out[PATH_MAX], const struct citizen_id *id)
{
    int length = snprintf(out, PATH_MAX, "%s/citizens/%02x/", copy_dir, id->bytes[0]);
    for (size_t i = 0; i < sizeof id->bytes; i++)
        length += snprintf(out + length, PATH_MAX - (size_t)length, "%02x", id->bytes[i]);
    snprintf(out + length, PATH_MAX - (size_t)length, ".db");
}

static void test_a_changed_or_a_swapped_file_is_told(void **state)
{
    (void)state;
    fresh();
    bool missing = false;
    char path[PATH_MAX];
    char other_path[PATH_MAX];
    const struct citizen_id id = new_citizen();
    const struct citizen_id other = new_citizen();
    copy_part(STORE_CONTROL);
    assert_int_equal(copy_citizens(), 0);
    path_of(path, &id);
    path_of(other_path, &other);
    test_flip(path, 5000);
    assert_fails(VAULT_CORRUPT, store_frozen_check_citizen(frozen, &id, &missing, &test_error));
    assert_int_equal(rename(other_path, path), 0);
    assert_fails(VAULT_CORRUPT, store_frozen_check_citizen(frozen, &id, &missing, &test_error));
    store_frozen_close(&frozen);
    finish_store();
}

static void test_a_look_changes_nothing(void **state)
{
    (void)state;
    fresh();
    struct stat before;
    struct stat after;
    char path[PATH_MAX];
    copy_part(STORE_CONTROL);
    snprintf(path, sizeof path, "%s/control.db", copy_dir);
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(chmod(path, 0400), 0);
    assert_int_equal(chmod(copy_dir, 0500), 0);
    assert_done(store_frozen_open(copy_dir, keyring, &frozen, &test_error));
    assert_done(store_frozen_check(frozen, STORE_CONTROL, &test_error));
    store_frozen_close(&frozen);
    assert_int_equal(chmod(copy_dir, 0700), 0);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    finish_store();
}

int main(void)
{
    store_test_start();
    return TEST_RUN(test_a_copy_opens_as_a_store_and_has_everything,
                    test_what_changes_while_it_is_copied_is_in_the_copy_or_not_but_whole,
                    test_one_copy_at_a_time, test_who_is_erased_meanwhile_is_left_out,
                    test_a_changed_or_a_swapped_file_is_told, test_a_look_changes_nothing);
}
