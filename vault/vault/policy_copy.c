#include "policy_copy.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include "vault/base/file.h"
#include "vault/base/folder.h"
#include "vault/policy/policy.h"

#define COPY_FILES_MAX POLICY_FILES_MAX

static enum vault_code copy_file(const char *from_dir, const char *to_dir, const char *name,
                                 struct vault_error *err)
{
    char from[PATH_MAX];
    char to[PATH_MAX];
    VAULT_AUTO(buf_finish) struct buf content = buf_limited(POLICY_FILE_BYTES_MAX);
    VAULT_TRY(file_join(from, sizeof from, from_dir, name, err));
    VAULT_TRY(file_join(to, sizeof to, to_dir, name, err));
    VAULT_TRY(file_read(from, &content, err));
    return file_replace(to, buf_view(&content), 0600, err);
}

/* Copy the files of a folder, without those of the folders in it. */
static enum vault_code copy_files(const char *from, const char *to, struct vault_error *err)
{
    VAULT_AUTO(folder_close) DIR *dir = opendir(from);
    if (!dir)
        return vault_fail_errno(err, "opening the folder %s", from);
    VAULT_TRY(folder_create(to, err));
    size_t count = 0;
    const struct dirent *entry = NULL;
    for (;;) {
        VAULT_TRY(folder_next(dir, from, &entry, err));
        if (!entry)
            break;
        char path[PATH_MAX];
        struct stat status = {0};
        VAULT_TRY(file_join(path, sizeof path, from, entry->d_name, err));
        if (stat(path, &status) != 0 && errno != ENOENT)
            return vault_fail_errno(err, "looking at %s", path);
        if (!S_ISREG(status.st_mode))
            continue;
        if (++count > COPY_FILES_MAX)
            return vault_fail(err, VAULT_TOO_LARGE, "%s has too many files", from);
        VAULT_TRY(copy_file(from, to, entry->d_name, err));
    }
    return VAULT_OK;
}

enum vault_code policy_copy(const char *from, const char *to, struct vault_error *err)
{
    static const char *const parts[] = {"rules", "tests"};
    VAULT_TRY(copy_files(from, to, err));
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char from_part[PATH_MAX];
        char to_part[PATH_MAX];
        VAULT_TRY(file_join(from_part, sizeof from_part, from, parts[i], err));
        VAULT_TRY(file_join(to_part, sizeof to_part, to, parts[i], err));
        if (!file_is_missing(from_part))
            VAULT_TRY(copy_files(from_part, to_part, err));
    }
    return VAULT_OK;
}
