/* Reading a bundle's folder. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "files.h"
#include "vault/base/file.h"
#include "vault/base/folder.h"

/* What reading a bundle passes along. */
struct reading {
    const char *root;
    struct bundle *bundle;
    struct policy_fault *fault;
    struct vault_error *err;
};

static enum vault_code add_file(struct reading *reading, const char *full, const char *path)
{
    struct bundle *bundle = reading->bundle;
    struct buf *content = NULL;
    VAULT_TRY(bundle_add(bundle, path, &content, reading->fault, reading->err));
    const enum vault_code code = file_read(full, content, reading->err);
    if (code == VAULT_TOO_LARGE)
        return bundle_refuse(reading->fault, reading->err, code, path,
                             "a file of a bundle has at most %lu bytes", POLICY_FILE_BYTES_MAX);
    VAULT_TRY(code);
    bundle->bytes += content->size;
    if (bundle->bytes > POLICY_BUNDLE_BYTES_MAX)
        return bundle_refuse(reading->fault, reading->err, VAULT_TOO_LARGE, "",
                             "a bundle has at most %lu bytes", POLICY_BUNDLE_BYTES_MAX);
    return VAULT_OK;
}

static enum vault_code read_folder(struct reading *reading, const char *folder);

static enum vault_code add_entry(struct reading *reading, const char *folder, const char *name)
{
    char path[NAME_MAX * 2 + 2];
    char full[PATH_MAX];
    snprintf(path, sizeof path, "%s%s%s", folder, *folder ? "/" : "", name);
    VAULT_TRY(file_join(full, sizeof full, reading->root, path, reading->err));
    struct stat status;
    if (lstat(full, &status) != 0)
        return vault_fail_errno(reading->err, "looking at %s", full);
    if (S_ISDIR(status.st_mode) && !*folder &&
        (strcmp(name, "rules") == 0 || strcmp(name, "tests") == 0))
        return read_folder(reading, name);
    if (!S_ISREG(status.st_mode))
        return bundle_refuse(reading->fault, reading->err, VAULT_INVALID, path,
                             "a bundle holds files, and the folders rules and tests");
    return add_file(reading, full, path);
}

static enum vault_code read_folder(struct reading *reading, const char *folder)
{
    char full[PATH_MAX];
    VAULT_TRY(file_join(full, sizeof full, reading->root, *folder ? folder : ".", reading->err));
    VAULT_AUTO(folder_close) DIR *open = opendir(full);
    if (!open)
        return vault_fail_errno(reading->err, "opening the folder %s%s%s", reading->root,
                                *folder ? "/" : "", folder);
    const struct dirent *entry = NULL;
    for (;;) {
        VAULT_TRY(folder_next(open, full, &entry, reading->err));
        if (!entry)
            return VAULT_OK;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            VAULT_TRY(add_entry(reading, folder, entry->d_name));
    }
}

enum vault_code bundle_read_files(const char *folder, struct bundle **out,
                                  struct policy_fault *fault, struct vault_error *err)
{
    VAULT_AUTO(bundle_free) struct bundle *bundle = NULL;
    VAULT_TRY(bundle_new(&bundle, err));
    struct reading reading = {.root = folder, .bundle = bundle, .fault = fault, .err = err};
    VAULT_TRY(read_folder(&reading, ""));
    *out = VAULT_TAKE(bundle);
    return VAULT_OK;
}

enum vault_code bundle_read(const char *folder, struct bundle **out, struct policy_fault *fault,
                            struct vault_error *err)
{
    VAULT_AUTO(bundle_free) struct bundle *bundle = NULL;
    VAULT_TRY(bundle_read_files(folder, &bundle, fault, err));
    VAULT_TRY(bundle_settle(bundle, fault, err));
    *out = VAULT_TAKE(bundle);
    return VAULT_OK;
}
