#include "vault/base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vault/base/file.h"

void folder_close(DIR **folder)
{
    if (*folder)
        closedir(*folder);
    *folder = NULL;
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* A walk, and where it stands. */
struct walk {
    file_taker *take;
    void *context;
    unsigned depth;
};

static enum vault_code give_open(const char *path, const char *name, int fd, file_taker *take,
                                 void *context, struct vault_error *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return vault_fail_errno(err, "looking at %s", path);
    if (!S_ISREG(status.st_mode))
        return vault_fail(err, VAULT_INVALID, "%s is no regular file", path);
    return take(context, name, fd, (uint64_t)status.st_size, err);
}

enum vault_code folder_give(const char *path, const char *name, file_taker *take, void *context,
                            struct vault_error *err)
{
    VAULT_AUTO(file_close)
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == ELOOP)
        return vault_fail(err, VAULT_INVALID, "%s is a link", path);
    if (fd < 0)
        return vault_fail_errno(err, "opening %s", path);
    return give_open(path, name, fd, take, context, err);
}

static enum vault_code walk_into(struct walk *walk, const char *path, const char *prefix,
                                 struct vault_error *err);

static enum vault_code walk_item(struct walk *walk, const char *path, const char *prefix,
                                 const char *item, struct vault_error *err)
{
    char within[PATH_MAX];
    char name[FOLDER_NAME_CHARS + 1];
    struct stat status;
    VAULT_TRY(file_join(within, sizeof within, path, item, err));
    const int length = snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "/" : "", item);
    if (length < 0 || (size_t)length >= sizeof name)
        return vault_fail(err, VAULT_TOO_LARGE, "a name in %s is too long", path);
    if (lstat(within, &status) != 0)
        return errno == ENOENT ? VAULT_OK : vault_fail_errno(err, "looking at %s", within);
    if (S_ISDIR(status.st_mode))
        return walk_into(walk, within, name, err);
    return folder_give(within, name, walk->take, walk->context, err);
}

static enum vault_code walk_into( // NOLINT(misc-no-recursion): FOLDER_DEPTH_MAX
    struct walk *walk, const char *path, const char *prefix, struct vault_error *err)
{
    if (walk->depth == FOLDER_DEPTH_MAX)
        return vault_fail(err, VAULT_TOO_LARGE, "%s is too deep a folder", path);
    VAULT_AUTO(folder_close) DIR *folder = opendir(path);
    if (!folder)
        return vault_fail_errno(err, "opening the folder %s", path);
    walk->depth++;
    const struct dirent *item = NULL;
    for (;;) {
        VAULT_TRY(folder_next(folder, path, &item, err));
        if (!item)
            break;
        if (!is_dots(item->d_name))
            VAULT_TRY(walk_item(walk, path, prefix, item->d_name, err));
    }
    walk->depth--;
    return VAULT_OK;
}

enum vault_code folder_walk(const char *path, const char *prefix, file_taker *take, void *context,
                            struct vault_error *err)
{
    struct walk walk = {take, context, 0};
    return walk_into(&walk, path, prefix, err);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

enum vault_code folder_remove(const char *path, struct vault_error *err)
{
    if (file_is_missing(path))
        return VAULT_OK;
    if (nftw(path, remove_one, FOLDER_DEPTH_MAX + 4, FTW_DEPTH | FTW_PHYS) != 0)
        return vault_fail_errno(err, "removing %s", path);
    return VAULT_OK;
}

enum vault_code folder_next(DIR *folder, const char *path, const struct dirent **item,
                            struct vault_error *err)
{
    errno = 0;
    *item = readdir(folder); // NOLINT(concurrency-mt-unsafe): the stream is its owner's alone
    return *item || errno == 0 ? VAULT_OK : vault_fail_errno(err, "reading the folder %s", path);
}

bool folder_is_free(const char *path)
{
    if (file_is_missing(path))
        return true;
    VAULT_AUTO(folder_close) DIR *folder = opendir(path);
    const struct dirent *item = NULL;
    if (!folder)
        return false;
    do {
        if (folder_next(folder, path, &item, NULL))
            return false;
    } while (item && is_dots(item->d_name));
    return !item;
}

bool folder_name_is_safe(const char *name)
{
    const size_t length = strnlen(name, FOLDER_NAME_CHARS + 1);
    if (length == 0 || length > FOLDER_NAME_CHARS)
        return false;
    for (const char *part = name; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL) {
        const size_t size = strcspn(part, "/");
        if (size == 0 || (size == 1 && part[0] == '.') ||
            (size == 2 && part[0] == '.' && part[1] == '.'))
            return false;
    }
    return strpbrk(name, "\n\r") == NULL;
}

enum vault_code folder_create_for(const char *path, const char *name, struct vault_error *err)
{
    char within[PATH_MAX];
    VAULT_TRY(file_join(within, sizeof within, path, name, err));
    for (char *slash = within + strlen(path) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        if (mkdir(within, 0700) != 0 && errno != EEXIST)
            return vault_fail_errno(err, "making the folder %s", within);
        *slash = '/';
    }
    return VAULT_OK;
}

static enum vault_code sync_all(const char *path, struct vault_error *err)
{
    VAULT_AUTO(file_close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || syncfs(fd) != 0)
        return vault_fail_errno(err, "syncing %s", path);
    return VAULT_OK;
}

enum vault_code folder_finish(const char *from, const char *to, struct vault_error *err)
{
    char parent[PATH_MAX];
    const int length = snprintf(parent, sizeof parent, "%s/..", from);
    if (length < 0 || (size_t)length >= sizeof parent)
        return vault_fail(err, VAULT_TOO_LARGE, "the path %.80s is too long", from);
    VAULT_TRY(sync_all(from, err));
    /* A folder takes the place of an empty one, and of nothing else. */
    if (rename(from, to) != 0 && (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR))
        return vault_fail(err, VAULT_CONFLICT, "there is something at %s", to);
    if (!file_is_missing(from))
        return vault_fail_errno(err, "renaming %s to %s", from, to);
    snprintf(parent, sizeof parent, "%s/..", to);
    return folder_sync(parent, err);
}
