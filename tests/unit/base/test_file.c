#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vault/base/file.h"

static char dir[PATH_MAX];
static char path[PATH_MAX];

static void fresh(void)
{
    snprintf(dir, sizeof dir, "%s", test_folder());
    assert_done(file_join(path, sizeof path, dir, "file", &test_error));
}

static void assert_content(const char *where, struct bytes expected)
{
    VAULT_AUTO(buf_finish) struct buf content = buf_limited(1 << 20);
    assert_done(file_read(where, &content, &test_error));
    assert_true(bytes_equal(buf_view(&content), expected));
}

static mode_t mode_of(const char *where)
{
    struct stat status;
    assert_int_equal(lstat(where, &status), 0);
    return status.st_mode & 07777;
}

static size_t names_in(const char *folder)
{
    char command[PATH_MAX];
    snprintf(command, sizeof command, "%s/.", folder);
    struct stat status;
    assert_int_equal(stat(command, &status), 0);
    return (size_t)status.st_nlink;
}

static void test_what_is_written_is_read(void **state)
{
    (void)state;
    fresh();
    assert_done(file_create(path, BYTES("one\0two"), 0600, &test_error));
    assert_content(path, BYTES("one\0two"));
    assert_done(file_replace(path, BYTES("three"), 0600, &test_error));
    assert_content(path, BYTES("three"));
    assert_done(file_replace(path, BYTES(""), 0600, &test_error));
    assert_content(path, BYTES(""));
}

static void test_reading_appends_and_keeps_to_the_ceiling(void **state)
{
    (void)state;
    fresh();
    static uint8_t large[100000];
    memset(large, 'x', sizeof large);
    assert_done(file_create(path, (struct bytes){large, sizeof large}, 0600, &test_error));
    VAULT_AUTO(buf_finish) struct buf fits = buf_limited(sizeof large + 2);
    VAULT_AUTO(buf_finish) struct buf too_small = buf_limited(sizeof large - 1);
    buf_text(&fits, "a:");
    assert_done(file_read(path, &fits, &test_error));
    assert_int_equal(fits.size, sizeof large + 2);
    assert_fails(VAULT_TOO_LARGE, file_read(path, &too_small, &test_error));
    assert_non_null(strstr(test_error.text, path));
    /* A file without end does not hang the reader. */
    VAULT_AUTO(buf_finish) struct buf zeros = buf_limited(100);
    assert_fails(VAULT_TOO_LARGE, file_read("/dev/zero", &zeros, &test_error));
}

static void test_a_missing_file_is_not_found(void **state)
{
    (void)state;
    fresh();
    VAULT_AUTO(buf_finish) struct buf content = buf_limited(100);
    assert_fails(VAULT_NOT_FOUND, file_read(path, &content, &test_error));
    assert_fails(VAULT_IO, file_read(dir, &content, &test_error));
    assert_true(file_is_missing(path));
    assert_false(file_is_missing(dir));
    assert_false(file_exists(path));
    assert_true(file_exists(dir));
}

static void test_creating_does_not_overwrite(void **state)
{
    (void)state;
    fresh();
    assert_done(file_create(path, BYTES("first"), 0600, &test_error));
    assert_fails(VAULT_CONFLICT, file_create(path, BYTES("second"), 0600, &test_error));
    assert_content(path, BYTES("first"));
    char link_path[PATH_MAX];
    assert_done(file_join(link_path, sizeof link_path, dir, "link", &test_error));
    assert_int_equal(symlink("nowhere", link_path), 0);
    assert_fails(VAULT_CONFLICT, file_create(link_path, BYTES("x"), 0600, &test_error));
    assert_true(file_exists(link_path)); /* the link, though it leads nowhere */
    assert_false(file_is_missing(link_path));
}

static void test_the_mode_is_as_said_whatever_the_umask(void **state)
{
    (void)state;
    fresh();
    const mode_t masks[] = {0, 0077, 0777};
    for (size_t i = 0; i < 3; i++) {
        const mode_t before = umask(masks[i]);
        const enum vault_code code = file_replace(path, BYTES("x"), 0640, &test_error);
        umask(before);
        assert_int_equal(code, VAULT_OK);
        assert_int_equal(mode_of(path), 0640);
    }
}

static void test_replacing_goes_by_a_new_file_and_leaves_nothing_beside_it(void **state)
{
    (void)state;
    fresh();
    assert_done(file_create(path, BYTES("old"), 0600, &test_error));
    VAULT_AUTO(file_close) int fd = open(path, O_RDONLY);
    assert_done(file_replace(path, BYTES("new"), 0600, &test_error));
    char still[4] = {0};
    assert_int_equal(read(fd, still, 3), 3);
    assert_string_equal(still, "old"); /* who had it open reads on what was there */
    char beside[PATH_MAX];
    snprintf(beside, sizeof beside, "%s.new", path);
    assert_false(file_exists(beside));
    /* Left over from a crash: in nobody's way. */
    assert_done(file_create(beside, BYTES("half"), 0600, &test_error));
    assert_done(file_replace(path, BYTES("newer"), 0600, &test_error));
    assert_content(path, BYTES("newer"));
    assert_false(file_exists(beside));
}

static void test_replacing_a_link_replaces_the_link(void **state)
{
    (void)state;
    fresh();
    char target[PATH_MAX];
    assert_done(file_join(target, sizeof target, dir, "target", &test_error));
    assert_done(file_create(target, BYTES("kept"), 0600, &test_error));
    assert_int_equal(symlink(target, path), 0);
    assert_done(file_replace(path, BYTES("new"), 0600, &test_error));
    assert_content(target, BYTES("kept"));
    assert_content(path, BYTES("new"));
}

/* In a child that may write 4096 bytes to a file and no more, as on a disk that fills up. */
static int write_past_the_limit(bool replace)
{
    static uint8_t large[100000];
    const struct rlimit limit = {4096, 4096};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 2;
    const struct bytes content = {large, sizeof large};
    const enum vault_code code =
        replace ? file_replace(path, content, 0600, NULL) : file_create(path, content, 0600, NULL);
    return code == VAULT_IO ? 0 : 1;
}

static void assert_refused_in_child(bool replace)
{
    const pid_t child = fork();
    if (child == 0)
        _exit(write_past_the_limit(replace));
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_a_full_disk_leaves_the_old_content_and_no_half_file(void **state)
{
    (void)state;
    fresh();
    assert_refused_in_child(false);
    assert_false(file_exists(path));
    assert_done(file_create(path, BYTES("old"), 0600, &test_error));
    assert_refused_in_child(true);
    assert_content(path, BYTES("old"));
    char beside[PATH_MAX];
    snprintf(beside, sizeof beside, "%s.new", path);
    assert_false(file_exists(beside));
}

static void test_folders_are_made_once_and_for_the_owner(void **state)
{
    (void)state;
    fresh();
    char folder[PATH_MAX];
    assert_done(file_join(folder, sizeof folder, dir, "folder", &test_error));
    const size_t before = names_in(dir);
    assert_done(folder_create(folder, &test_error));
    assert_done(folder_create(folder, &test_error));
    assert_int_equal(mode_of(folder), 0700);
    assert_int_equal(names_in(dir), before + 1);
    assert_done(folder_sync(folder, &test_error));
}

static void test_what_is_no_folder_is_refused(void **state)
{
    (void)state;
    fresh();
    char folder[PATH_MAX];
    assert_done(file_create(path, BYTES("x"), 0600, &test_error));
    assert_fails(VAULT_IO, folder_create(path, &test_error));
    assert_fails(VAULT_IO, folder_sync(path, &test_error));
    assert_done(file_join(folder, sizeof folder, dir, "no/such", &test_error));
    assert_fails(VAULT_NOT_FOUND, folder_create(folder, &test_error));
}

static void test_writing_goes_on_after_short_writes(void **state)
{
    (void)state;
    int ends[2];
    static uint8_t large[300000]; /* more than a pipe holds */
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (uint8_t)(i * 7);
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        _exit(file_write_all(ends[1], (struct bytes){large, sizeof large}, NULL) ? 1 : 0);
    }
    close(ends[1]);
    static uint8_t got[sizeof large];
    size_t size = 0;
    for (ssize_t n = 1; n > 0; size += n > 0 ? (size_t)n : 0)
        n = read(ends[0], got + size, sizeof got - size > 1000 ? 1000 : sizeof got - size);
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(size, sizeof large);
    assert_memory_equal(got, large, sizeof large);
}

static void test_writing_to_a_closed_descriptor_fails(void **state)
{
    (void)state;
    assert_fails(VAULT_IO, file_write_all(-1, BYTES("x"), &test_error));
    assert_done(file_write_all(-1, BYTES(""), &test_error));
}

static void test_closing_clears_the_descriptor(void **state)
{
    (void)state;
    int fd = open("/dev/null", O_RDONLY);
    const int kept = fd;
    file_close(&fd);
    assert_int_equal(fd, -1);
    assert_int_equal(fcntl(kept, F_GETFD), -1);
    file_close(&fd);
}

static void test_paths_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    char out[8];
    assert_done(file_join(out, sizeof out, "abc", "def", &test_error));
    assert_string_equal(out, "abc/def");
    assert_fails(VAULT_TOO_LARGE, file_join(out, sizeof out, "abc", "defg", &test_error));
    static char long_path[PATH_MAX + 1];
    memset(long_path, 'p', PATH_MAX - 3);
    assert_fails(VAULT_TOO_LARGE, file_replace(long_path, BYTES("x"), 0600, &test_error));
}

static void test_only_a_regular_file_is_read_as_one(void **state)
{
    (void)state;
    static const char *const others[] = {"fifo", "folder", "/dev/zero"};
    fresh();
    VAULT_AUTO(buf_finish) struct buf content = buf_limited(64);
    assert_fails(VAULT_NOT_FOUND, file_read_regular(path, &content, &test_error));
    assert_done(file_create(path, BYTES("content"), 0600, &test_error));
    assert_done(file_read_regular(path, &content, &test_error));
    assert_true(bytes_equal(buf_view(&content), BYTES("content")));
    assert_int_equal(chdir(dir), 0);
    assert_int_equal(mkfifo("fifo", 0600), 0); /* nobody writes to it: opening must not wait */
    assert_int_equal(mkdir("folder", 0700), 0);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_fails(VAULT_CORRUPT, file_read_regular(others[i], &content, &test_error));
        assert_non_null(strstr(test_error.text, "regular file"));
    }
    assert_fails(VAULT_NOT_FOUND, file_read_regular("fifo/file", &content, &test_error));
    assert_int_equal(chdir("/"), 0);
}

int main(void)
{
    return TEST_RUN(test_only_a_regular_file_is_read_as_one, test_what_is_written_is_read,
                    test_reading_appends_and_keeps_to_the_ceiling, test_a_missing_file_is_not_found,
                    test_creating_does_not_overwrite, test_the_mode_is_as_said_whatever_the_umask,
                    test_replacing_goes_by_a_new_file_and_leaves_nothing_beside_it,
                    test_replacing_a_link_replaces_the_link,
                    test_a_full_disk_leaves_the_old_content_and_no_half_file,
                    test_folders_are_made_once_and_for_the_owner, test_what_is_no_folder_is_refused,
                    test_writing_goes_on_after_short_writes,
                    test_writing_to_a_closed_descriptor_fails, test_closing_clears_the_descriptor,
                    test_paths_that_do_not_fit_are_refused);
}
