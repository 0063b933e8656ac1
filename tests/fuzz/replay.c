/* Gives every file of the folders on the command line to a fuzz target, once. What cannot be read
 * is a failure, since it says nothing of the target. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "vault/base/buf.h"
#include "vault/base/file.h"

#define INPUT_BYTES_MAX (4UL * 1024 * 1024)

static size_t inputs;

static bool unreadable(const char *path, const char *why)
{
    fprintf(stderr, "%s: %s\n", path, why);
    return false;
}

static bool replay_file(const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct vault_error err = {0};
    VAULT_AUTO(buf_finish) struct buf input = buf_limited(INPUT_BYTES_MAX);
    if (file_join(path, sizeof path, folder, name, &err) != VAULT_OK ||
        file_read(path, &input, &err) != VAULT_OK)
        return unreadable(name, err.text);
    LLVMFuzzerTestOneInput(input.data, input.size);
    inputs++;
    return true;
}

/* Whether all of them could be read. */
static bool replay(const char *folder)
{
    bool all = true;
    DIR *dir = opendir(folder);
    if (!dir)
        return unreadable(folder, strerror(errno));
    errno = 0;
    for (struct dirent *entry = readdir(dir); entry; errno = 0, entry = readdir(dir)) {
        if (entry->d_name[0] != '.')
            all = replay_file(folder, entry->d_name) && all;
    }
    if (errno)
        all = unreadable(folder, strerror(errno));
    closedir(dir);
    return all;
}

int main(int argc, char **argv)
{
    bool all = true;
    LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        all = replay(argv[i]) && all;
    printf("%zu inputs\n", inputs);
    return all && inputs ? 0 : 1;
}
