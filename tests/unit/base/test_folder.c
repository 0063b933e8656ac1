#include "test.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lossy_folder.h"
#include "vault/base/file.h"
#include "vault/base/folder.h"

static void put(const char *folder, const char *name, const char *text)
{
    char path[PATH_MAX];
    assert_done(folder_create_for(folder, name, &test_error));
    assert_done(file_join(path, sizeof path, folder, name, &test_error));
    assert_done(file_create(path, bytes_of_text(text), 0600, &test_error));
}

struct seen {
    unsigned files;
    uint64_t bytes;
    char last[FOLDER_NAME_CHARS + 1];
};

static enum vault_code see(void *context, const char *name, int fd, uint64_t size_bytes,
                           struct vault_error *err)
{
    struct seen *seen = context;
    (void)fd;
    (void)err;
    seen->files++;
    seen->bytes += size_bytes;
    snprintf(seen->last, sizeof seen->last, "%s", name);
    return VAULT_OK;
}

static enum vault_code stop(void *context, const char *name, int fd, uint64_t size_bytes,
                            struct vault_error *err)
{
    (void)context;
    (void)name;
    (void)fd;
    (void)size_bytes;
    return vault_fail(err, VAULT_LIMITED, "enough");
}

static void test_a_walk_gives_every_file_under_its_name(void **state)
{
    (void)state;
    const char *const here = test_folder();
    struct seen seen = {0};
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s/walk", here);
    put(here, "walk/a", "1");
    put(here, "walk/b/c", "22");
    put(here, "walk/b/d/e", "333");
    assert_done(folder_walk(folder, "", see, &seen, &test_error));
    assert_int_equal(seen.files, 3);
    assert_int_equal(seen.bytes, 6);
    snprintf(folder, sizeof folder, "%s/walk/b/d", here);
    assert_done(folder_walk(folder, "x/y", see, &seen, &test_error));
    assert_string_equal(seen.last, "x/y/e");
    assert_fails(VAULT_LIMITED, folder_walk(folder, "", stop, NULL, &test_error));
    assert_fails(VAULT_NOT_FOUND, folder_walk("/nowhere/at/all", "", see, &seen, &test_error));
}

static void test_a_walk_follows_no_link(void **state)
{
    (void)state;
    const char *const here = test_folder();
    struct seen seen = {0};
    char folder[PATH_MAX];
    char link_path[PATH_MAX];
    snprintf(folder, sizeof folder, "%s/links", here);
    put(here, "links/a", "1");
    snprintf(link_path, sizeof link_path, "%s/links/b", here);
    assert_int_equal(symlink("/etc/passwd", link_path), 0);
    assert_fails(VAULT_INVALID, folder_walk(folder, "", see, &seen, &test_error));
    assert_fails(VAULT_INVALID, folder_give(link_path, "b", see, &seen, &test_error));
}

static void test_a_folder_goes_with_all_that_is_in_it_and_no_more(void **state)
{
    (void)state;
    const char *const here = test_folder();
    char folder[PATH_MAX];
    char outside[PATH_MAX];
    char link_path[PATH_MAX];
    snprintf(folder, sizeof folder, "%s/gone", here);
    snprintf(outside, sizeof outside, "%s/outside/kept", here);
    snprintf(link_path, sizeof link_path, "%s/gone/link", here);
    put(here, "gone/a/b/c", "1");
    put(here, "outside/kept", "1");
    char target[PATH_MAX];
    snprintf(target, sizeof target, "%s/outside", here);
    assert_int_equal(symlink(target, link_path), 0);
    assert_false(folder_is_free(folder));
    assert_done(folder_remove(folder, &test_error));
    assert_true(folder_is_free(folder));
    assert_true(file_exists(outside));
    assert_done(folder_remove(folder, &test_error));
}

static void test_a_folder_that_is_not_read_to_its_end_is_not_a_shorter_one(void **state)
{
    (void)state;
    char folder[PATH_MAX];
    struct seen seen = {0};
    const char *here = test_folder();
    put(here, "half/a", "1");
    put(here, "half/b", "2");
    snprintf(folder, sizeof folder, "%s/half", here);
    lossy_folder_refuses = true;
    for (unsigned i = 0; i < 4; i++) { /* with "." and ".." there are four */
        lossy_folder_names = i;
        assert_fails(VAULT_IO, folder_walk(folder, "", see, &seen, &test_error));
        assert_non_null(strstr(test_error.text, folder));
    }
    for (unsigned i = 0; i < 4; i++) {
        lossy_folder_names = i;
        assert_false(folder_is_free(folder));
    }
    lossy_folder_refuses = false;
    seen.files = 0;
    assert_done(folder_walk(folder, "", see, &seen, &test_error));
    assert_int_equal(seen.files, 2);
}

static void test_a_name_stays_below_its_folder(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "a/b", "a/b.c/d", "..a", "a..", ".a"};
    static const char *const bad[] = {"",     "/a",   "a/",  "a//b",  "..", "a/../b",
                                      "../a", "a/..", "./a", "a/./b", ".",  "a\nb"};
    char long_name[FOLDER_NAME_CHARS + 2];
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = 0;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(folder_name_is_safe(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(folder_name_is_safe(bad[i]));
    assert_false(folder_name_is_safe(long_name));
}

static void test_a_finished_folder_takes_an_empty_place_only(void **state)
{
    (void)state;
    const char *const here = test_folder();
    char from[PATH_MAX];
    char to[PATH_MAX];
    char file[PATH_MAX];
    snprintf(from, sizeof from, "%s/made.partial", here);
    snprintf(to, sizeof to, "%s/made", here);
    snprintf(file, sizeof file, "%s/made/a", here);
    put(here, "made.partial/a", "1");
    put(here, "made/in-the-way", "1");
    assert_fails(VAULT_CONFLICT, folder_finish(from, to, &test_error));
    assert_true(file_exists(from));
    assert_done(folder_remove(to, &test_error));
    assert_int_equal(mkdir(to, 0700), 0);
    assert_done(folder_finish(from, to, &test_error));
    assert_true(file_exists(file));
    assert_false(file_exists(from));
}

int main(void)
{
    return TEST_RUN(test_a_walk_gives_every_file_under_its_name, test_a_walk_follows_no_link,
                    test_a_folder_goes_with_all_that_is_in_it_and_no_more,
                    test_a_folder_that_is_not_read_to_its_end_is_not_a_shorter_one,
                    test_a_name_stays_below_its_folder,
                    test_a_finished_folder_takes_an_empty_place_only);
}
