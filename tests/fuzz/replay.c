/* Gives every file of the folders on the command line to a fuzz target, once. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>

#include "fuzz.h"
#include "vault/base/buf.h"
#include "vault/base/file.h"

#define INPUT_BYTES_MAX (4UL * 1024 * 1024)

static size_t replay(const char *folder)
{
    size_t count = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
        char path[PATH_MAX];
        VAULT_AUTO(buf_finish) struct buf input = buf_limited(INPUT_BYTES_MAX);
        if (entry->d_name[0] == '.' ||
            file_join(path, sizeof path, folder, entry->d_name, NULL) != VAULT_OK ||
            file_read(path, &input, NULL) != VAULT_OK)
            continue;
        LLVMFuzzerTestOneInput(input.data, input.size);
        count++;
    }
    if (dir)
        closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        count += replay(argv[i]);
    printf("%zu inputs\n", count);
    return count ? 0 : 1;
}
