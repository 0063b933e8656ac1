#include "test.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "vault/base/codec.h"

#define TESTS_AT_MOST 256

/* Names come as one text, "test_one, test_two": cut it at the commas. */
int test_run(const CMUnitTestFunction tests[], size_t count, const char *names)
{
    static struct CMUnitTest list[TESTS_AT_MOST];
    static char cut[32 * 1024];
    snprintf(cut, sizeof cut, "%s", names);
    size_t i = 0;
    char *rest = NULL;
    for (char *name = strtok_r(cut, ", \n", &rest); name && i < count && i < TESTS_AT_MOST;
         name = strtok_r(NULL, ", \n", &rest), i++)
        list[i] = (struct CMUnitTest){.name = name, .test_func = tests[i]};
    if (i != count) {
        fprintf(stderr, "test_run: %zu tests but %zu names\n", count, i);
        return 1;
    }
    return _cmocka_run_group_tests("unit", list, count, NULL, NULL) ? 1 : 0;
}

struct buf test_hex(const char *hex)
{
    struct buf bytes = buf_limited(64 * 1024);
    if (hex_decode(&bytes, bytes_of_text(hex), &test_error))
        fail_msg("test data: %s", test_error.text);
    return bytes;
}

static char folder[64];
static char kept[64];

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static void folder_remove(const char *path)
{
    if (path[0])
        nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void folders_remove(void)
{
    folder_remove(folder);
    folder_remove(kept);
}

const char *test_folder(void)
{
    static bool begun;
    if (!begun)
        atexit(folders_remove);
    begun = true;
    folder_remove(folder);
    const char *where = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/vault-test-XXXXXX", where ? where : "/tmp");
    if (!mkdtemp(folder))
        fail_msg("cannot make a folder of the test's own");
    return folder;
}

const char *test_folder_keep(void)
{
    memcpy(kept, folder, sizeof kept);
    folder[0] = 0;
    return kept;
}

void test_flip(const char *path, int64_t at)
{
    uint8_t byte = 0;
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}
