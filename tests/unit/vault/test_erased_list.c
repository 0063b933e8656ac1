/* The do-not-restore list, and the manifest of a backup. */
#include "vault/erased_list.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"
#include "vault/base/file.h"
#include "vault/contents.h"
#include "vault/crypto/crypto.h"

static struct secret *key;
static char dir[PATH_MAX];

static void fresh(void)
{
    secret_free(&key);
    assert_done(secret_random(SECRET_KEY_BYTES, &key, &test_error));
    snprintf(dir, sizeof dir, "%s", test_folder());
}

static off_t size_of(const char *name)
{
    char path[PATH_MAX];
    struct stat status;
    assert_done(file_join(path, sizeof path, dir, name, &test_error));
    return stat(path, &status) == 0 ? status.st_size : -1;
}

static void append(const char *name, const char *text)
{
    char path[PATH_MAX];
    assert_done(file_join(path, sizeof path, dir, name, &test_error));
    const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_done(file_write_all(fd, bytes_of_text(text), &test_error));
    close(fd);
}

static void test_who_is_in_the_list_is_found_by_whoever_has_the_key(void **state)
{
    (void)state;
    fresh();
    size_t lines = 0;
    struct erased_list list = {0};
    const struct citizen_id gone = citizen_id_new();
    const struct citizen_id other = citizen_id_new();
    VAULT_AUTO(secret_free) struct secret *another = NULL;
    assert_done(secret_random(SECRET_KEY_BYTES, &another, &test_error));
    assert_done(erased_list_read(dir, &list, &lines, &test_error));
    assert_int_equal(lines, 0);
    assert_done(erased_list_add(dir, key, &gone, &test_error));
    assert_done(erased_list_add(dir, key, &gone, &test_error)); /* told once */
    assert_done(erased_list_read(dir, &list, &lines, &test_error));
    assert_int_equal(lines, 1);
    erased_list_sort(&list);
    assert_true(erased_list_has(&list, key, &gone));
    assert_false(erased_list_has(&list, key, &other));
    assert_false(erased_list_has(&list, another, &gone));
    erased_list_free(&list);
}

static void test_half_a_line_is_dropped_and_a_line_that_is_none_is_told(void **state)
{
    (void)state;
    fresh();
    size_t lines = 0;
    struct erased_list list = {0};
    const struct citizen_id one = citizen_id_new();
    const struct citizen_id two = citizen_id_new();
    assert_done(erased_list_add(dir, key, &one, &test_error));
    append(ERASED_LIST_FILE, "0123");
    assert_done(erased_list_read(dir, &list, &lines, &test_error));
    assert_int_equal(lines, 1);
    assert_done(erased_list_add(dir, key, &two, &test_error));
    assert_int_equal(size_of(ERASED_LIST_FILE), 130);
    append(ERASED_LIST_FILE, "no hexadecimal digits are in this line, which has as many as one\n");
    assert_fails(VAULT_CORRUPT, erased_list_read(dir, &list, &lines, &test_error));
    erased_list_free(&list);
}

static void test_many_are_found_and_written_once(void **state)
{
    (void)state;
    fresh();
    struct citizen_id ids[1500];
    struct erased_list list = {0};
    for (size_t i = 0; i < 1500; i++) {
        ids[i] = citizen_id_new();
        if (i < 40)
            assert_done(erased_list_add(dir, key, &ids[i], &test_error));
    }
    for (size_t i = 0; i < 30; i++) /* as from many folders */
        assert_done(erased_list_read(dir, &list, NULL, &test_error));
    erased_list_sort(&list);
    for (size_t i = 0; i < 1500; i++)
        assert_int_equal(erased_list_has(&list, key, &ids[i]), i < 40);
    assert_done(erased_list_write(dir, &list, &test_error));
    assert_int_equal(size_of(ERASED_LIST_FILE), 40 * 65);
    erased_list_free(&list);
}

/* --- The manifest --------------------------------------------------------------------------- */

static void write_manifest(void)
{
    struct contents_writer writer = {0};
    uint8_t hash[SHA256_BYTES] = {1, 2, 3};
    const struct contents_facts facts = {
        .time_ms = 5, .from = 3, .log = {.size = 4}, .gone = 1, .origin = "test.example/log"};
    char path[PATH_MAX];
    assert_done(file_join(path, sizeof path, dir, MANIFEST_FILE, &test_error));
    VAULT_AUTO(file_close) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_done(contents_begin(&writer, &fd, &test_error));
    assert_done(contents_add(&writer, "a/b", 10, hash, &test_error));
    assert_done(contents_add(&writer, "c d", 0, hash, &test_error));
    assert_fails(VAULT_INVALID, contents_add(&writer, "../e", 0, hash, &test_error));
    assert_fails(VAULT_INVALID, contents_add(&writer, "f\nfile 1", 0, hash, &test_error));
    assert_done(contents_end(&writer, &facts, key, &test_error));
    contents_abandon(&writer);
}

static enum vault_code see(void *context, const char *name, uint64_t size_bytes,
                           const uint8_t hash[SHA256_BYTES], struct vault_error *err)
{
    unsigned *files = context;
    (void)err;
    assert_string_equal(name, *files ? "c d" : "a/b");
    assert_int_equal(size_bytes, *files ? 0 : 10);
    assert_int_equal(hash[2], 3);
    ++*files;
    return VAULT_OK;
}

static void test_a_manifest_is_read_as_it_was_written(void **state)
{
    (void)state;
    fresh();
    unsigned files = 0;
    struct contents_facts facts;
    assert_fails(VAULT_NOT_FOUND, contents_read(dir, key, &facts, NULL, NULL, &test_error));
    write_manifest();
    assert_done(contents_read(dir, key, &facts, see, &files, &test_error));
    assert_int_equal(files, 2);
    assert_int_equal(facts.files, 2);
    assert_int_equal(facts.time_ms, 5);
    assert_int_equal(facts.from, 3);
    assert_int_equal(facts.log.size, 4);
    assert_int_equal(facts.gone, 1);
    assert_string_equal(facts.origin, "test.example/log");
}

static void test_another_key_opens_no_manifest(void **state)
{
    (void)state;
    fresh();
    struct contents_facts facts;
    VAULT_AUTO(secret_free) struct secret *another = NULL;
    assert_done(secret_random(SECRET_KEY_BYTES, &another, &test_error));
    write_manifest();
    assert_fails(VAULT_DENIED, contents_read(dir, another, &facts, NULL, NULL, &test_error));
}

/* Every byte, changed; and every length that is too short. */
static void test_no_byte_of_a_manifest_can_change(void **state)
{
    (void)state;
    fresh();
    char path[PATH_MAX];
    struct contents_facts facts;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(4096);
    write_manifest();
    assert_done(file_join(path, sizeof path, dir, MANIFEST_FILE, &test_error));
    assert_done(file_read(path, &text, &test_error));
    for (size_t i = 0; i < text.size; i++) {
        text.data[i] ^= 1;
        assert_done(file_replace(path, buf_view(&text), 0600, &test_error));
        assert_int_not_equal(contents_read(dir, key, &facts, NULL, NULL, NULL), VAULT_OK);
        text.data[i] ^= 1;
        assert_done(file_replace(path, (struct bytes){text.data, i}, 0600, &test_error));
        assert_int_not_equal(contents_read(dir, key, &facts, NULL, NULL, NULL), VAULT_OK);
    }
    assert_done(file_replace(path, buf_view(&text), 0600, &test_error));
    assert_done(contents_read(dir, key, &facts, NULL, NULL, &test_error));
    append(MANIFEST_FILE, "file 0 00 x\n");
    assert_int_not_equal(contents_read(dir, key, &facts, NULL, NULL, NULL), VAULT_OK);
}

int main(void)
{
    if (crypto_start(true, &test_error))
        return 1;
    const int result =
        TEST_RUN(test_who_is_in_the_list_is_found_by_whoever_has_the_key,
                 test_half_a_line_is_dropped_and_a_line_that_is_none_is_told,
                 test_many_are_found_and_written_once, test_a_manifest_is_read_as_it_was_written,
                 test_another_key_opens_no_manifest, test_no_byte_of_a_manifest_can_change);
    secret_free(&key);
    return result;
}
