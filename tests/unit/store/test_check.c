/*
 * Whatever is wrong with what is stored is found, in a store that serves and in one that rests; a
 * whole one gives no finding; and looking changes nothing.
 */
#include "citizen_path.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vault/store/check.h"

#define TEXTS_BYTES 4096

static char texts[TEXTS_BYTES];
static size_t findings;
static struct store_checked checked;

static void note(void *context, const char *text)
{
    (void)context;
    const size_t used = strlen(texts);
    snprintf(texts + used, sizeof texts - used, "%s\n", text);
    findings++;
}

static void check_all(bool pages)
{
    texts[0] = 0;
    findings = 0;
    checked = (struct store_checked){0};
    assert_done(store_check_shared(store, note, NULL, &test_error));
    for (unsigned shard = 0; shard < STORE_CHECK_SHARDS; shard++)
        assert_done(store_check_citizens(store, shard, pages, note, NULL, &checked, &test_error));
}

/* In a store that serves, then in one that rests. */
static void assert_found(const char *words)
{
    for (int resting = 0; resting < 2; resting++) {
        check_all(true);
        if (findings == 0 || !strstr(texts, words))
            fail_msg("%s: expected '%s', found: %s", resting ? "resting" : "serving", words, texts);
        if (!resting) {
            store_close(&store);
            assert_done(store_look(store_dir, keyring, &store, &test_error));
        }
    }
    store_close(&store);
}

static struct citizen_id somebody(void)
{
    const struct citizen_id id = new_citizen();
    VAULT_AUTO(citizen_release) struct citizen *citizen = hold(&id);
    char text[9000];
    memset(text, '7', sizeof text - 1);
    text[sizeof text - 1] = 0;
    put(citizen, "test.number", text);
    return id;
}

/* With nobody's file open, so that what is read is what the disk has. */
static void close_and_open(void)
{
    store_close(&store);
    open_store_with(NULL);
}

static void test_a_whole_store_gives_no_finding(void **state)
{
    (void)state;
    fresh_store();
    for (int i = 0; i < 20; i++)
        somebody();
    check_all(true);
    assert_string_equal(texts, "");
    assert_int_equal(checked.citizens, 21); /* with the decoy */
    assert_int_equal(checked.former_keys, 0);
    store_close(&store);
    assert_done(store_look(store_dir, keyring, &store, &test_error));
    check_all(true);
    assert_string_equal(texts, "");
    assert_int_equal(checked.citizens, 21);
    assert_int_equal(checked.unchecked, 0);
    store_close(&store);
}

static void test_a_damaged_page_of_a_citizen_is_found_and_nobody_named(void **state)
{
    (void)state;
    char path[PATH_MAX];
    char words[64];
    fresh_store();
    const struct citizen_id id = somebody();
    citizen_file_path(path, &id);
    close_and_open();
    test_flip(path, 4096 * 2 + 100);
    snprintf(words, sizeof words, "citizens/%02x has 1 damaged page", id.bytes[0]);
    assert_found(words);
    assert_null(strstr(texts, strrchr(path, '/') + 1));
    /* Without pages it is not looked for. */
    assert_done(store_look(store_dir, keyring, &store, &test_error));
    check_all(false);
    assert_int_equal(findings, 0);
    store_close(&store);
}

static void test_a_damaged_first_page_is_found(void **state)
{
    (void)state;
    char path[PATH_MAX];
    fresh_store();
    const struct citizen_id id = somebody();
    citizen_file_path(path, &id);
    close_and_open();
    test_flip(path, 200);
    assert_found("does not open");
}

static void test_a_damaged_shared_file_is_found(void **state)
{
    (void)state;
    static const char *const files[] = {"control.db", "openings.db"};
    for (size_t i = 0; i < 2; i++) {
        char path[PATH_MAX];
        struct stat status;
        fresh_store();
        somebody();
        store_close(&store);
        assert_done(file_join(path, sizeof path, store_dir, files[i], &test_error));
        assert_int_equal(stat(path, &status), 0);
        test_flip(path, status.st_size - 2000);
        assert_done(store_look(store_dir, keyring, &store, &test_error));
        check_all(false);
        assert_non_null(strstr(texts, "damaged page"));
        store_close(&store);
    }
}

static void test_a_missing_file_is_found(void **state)
{
    (void)state;
    char path[PATH_MAX];
    fresh_store();
    const struct citizen_id id = somebody();
    citizen_file_path(path, &id);
    close_and_open();
    assert_int_equal(unlink(path), 0);
    assert_found("is missing");
}

static void test_another_citizens_file_in_ones_place_is_found(void **state)
{
    (void)state;
    char first[PATH_MAX];
    char second[PATH_MAX];
    fresh_store();
    const struct citizen_id one = somebody();
    const struct citizen_id two = somebody();
    citizen_file_path(first, &one);
    citizen_file_path(second, &two);
    close_and_open();
    assert_int_equal(unlink(first), 0);
    assert_int_equal(link(second, first), 0);
    assert_found("does not open");
}

static void test_a_file_that_others_can_open_is_found(void **state)
{
    (void)state;
    char path[PATH_MAX];
    fresh_store();
    const struct citizen_id id = somebody();
    citizen_file_path(path, &id);
    assert_int_equal(chmod(path, 0640), 0);
    assert_found("opened by others");
}

static void test_a_file_of_nobodys_is_found(void **state)
{
    (void)state;
    char path[PATH_MAX];
    fresh_store();
    const struct citizen_id id = somebody();
    const struct citizen_id gone = somebody();
    citizen_file_path(path, &gone);
    assert_done(citizen_erase(store, &gone, NULL, &test_error));
    assert_done(file_create(path, BYTES("an old backup"), 0600, &test_error));
    assert_found("belongs to nobody");
    (void)id;
}

static void test_a_stray_name_is_found(void **state)
{
    (void)state;
    char path[PATH_MAX];
    fresh_store();
    snprintf(path, sizeof path, "%s/citizens/00/copy.db", store_dir);
    assert_done(file_create(path, BYTES("?"), 0600, &test_error));
    assert_found("is none");
}

static void test_keys_of_a_former_root_are_counted(void **state)
{
    (void)state;
    char folder[PATH_MAX];
    char key_path[PATH_MAX];
    fresh_store();
    somebody();
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(store_dir, '/') - store_dir), store_dir);
    snprintf(key_path, sizeof key_path, "%s/provider.key", folder);
    const struct keyring_provider provider = {.name = "file", .place = key_path};
    assert_done(keyring_rotate(keyring, folder, &provider, &test_error));
    check_all(false);
    assert_int_equal(findings, 0);
    assert_int_equal(checked.former_keys, 2);
    /* The root goes too early: nothing of theirs opens any more, and every one is told. */
    assert_done(keyring_drop_former(keyring, folder, &test_error));
    check_all(false);
    assert_int_equal(findings, 2);
    assert_non_null(strstr(texts, "a key that does not open"));
    store_close(&store);
}

static void test_looking_keeps_others_out_and_is_kept_out(void **state)
{
    (void)state;
    struct store *second = NULL;
    fresh_store();
    assert_fails(VAULT_UNAVAILABLE, store_look(store_dir, keyring, &second, &test_error));
    store_close(&store);
    assert_done(store_look(store_dir, keyring, &store, &test_error));
    assert_fails(VAULT_UNAVAILABLE, store_open(store_dir, keyring, NULL, &second, &test_error));
    store_close(&store);
}

static void test_what_was_not_closed_is_not_looked_at(void **state)
{
    (void)state;
    char path[PATH_MAX];
    fresh_store();
    store_close(&store);
    assert_done(file_join(path, sizeof path, store_dir, "control.db-wal", &test_error));
    assert_done(file_create(path, BYTES("something"), 0600, &test_error));
    assert_fails(VAULT_CONFLICT, store_look(store_dir, keyring, &store, &test_error));
    assert_non_null(strstr(test_error.text, "vaultd"));
    assert_int_equal(unlink(path), 0);
}

/* Everything there is, with sizes, modes and times, as one text. */
static void describe(char *out, size_t room)
{
    char command[PATH_MAX + 128];
    snprintf(command, sizeof command,
             "cd '%s' && find . -printf '%%p %%m %%s %%T@ %%C@\\n' | sort | sha256sum", store_dir);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    assert_non_null(fgets(out, (int)room, pipe));
    pclose(pipe);
}

static void test_looking_changes_nothing(void **state)
{
    (void)state;
    char before[128];
    char after[128];
    fresh_store();
    for (int i = 0; i < 5; i++)
        somebody();
    store_close(&store);
    describe(before, sizeof before);
    assert_done(store_look(store_dir, keyring, &store, &test_error));
    check_all(true);
    store_close(&store);
    describe(after, sizeof after);
    assert_string_equal(after, before);
}

int main(void)
{
    store_test_start();
    const int failed =
        TEST_RUN(test_a_whole_store_gives_no_finding,
                 test_a_damaged_page_of_a_citizen_is_found_and_nobody_named,
                 test_a_damaged_first_page_is_found, test_a_damaged_shared_file_is_found,
                 test_a_missing_file_is_found, test_another_citizens_file_in_ones_place_is_found,
                 test_a_file_that_others_can_open_is_found, test_a_file_of_nobodys_is_found,
                 test_a_stray_name_is_found, test_keys_of_a_former_root_are_counted,
                 test_looking_keeps_others_out_and_is_kept_out,
                 test_what_was_not_closed_is_not_looked_at, test_looking_changes_nothing);
    finish_store();
    return failed;
}
