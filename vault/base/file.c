#include "vault/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void file_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static enum vault_code read_all(int fd, const char *path, struct buf *out, struct vault_error *err)
{
    for (;;) {
        uint8_t chunk[16384];
        const ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return vault_fail_errno(err, "reading %s", path);
        if (got == 0)
            break;
        buf_append(out, chunk, (size_t)got);
        explicit_bzero(chunk, (size_t)got);
        if (out->problem)
            break;
    }
    const enum vault_code code = buf_check(out, err);
    if (code)
        vault_error_context(err, "reading %s", path);
    return code;
}

enum vault_code file_read(const char *path, struct buf *out, struct vault_error *err)
{
    VAULT_AUTO(file_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return vault_fail_errno(err, "opening %s", path);
    return read_all(fd, path, out, err);
}

enum vault_code file_open_regular(const char *path, int *out, struct vault_error *err)
{
    struct stat status;
    VAULT_AUTO(file_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 && errno == ENOTDIR)
        return vault_fail(err, VAULT_NOT_FOUND, "%s is not there: what leads to it is no folder",
                          path);
    if (fd < 0 && errno != ENXIO) /* a socket, or a device that is not there */
        return vault_fail_errno(err, "opening %s", path);
    if (fd >= 0 && fstat(fd, &status) != 0)
        return vault_fail_errno(err, "looking at %s", path);
    if (fd < 0 || !S_ISREG(status.st_mode))
        return vault_fail(err, VAULT_CORRUPT, "%s is not a regular file", path);
    *out = fd;
    fd = -1;
    return VAULT_OK;
}

enum vault_code file_read_regular(const char *path, struct buf *out, struct vault_error *err)
{
    VAULT_AUTO(file_close) int fd = -1;
    VAULT_TRY(file_open_regular(path, &fd, err));
    return read_all(fd, path, out, err);
}

enum vault_code file_write_all(int fd, struct bytes content, struct vault_error *err)
{
    while (content.size > 0) {
        const ssize_t put = write(fd, content.data, content.size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return vault_fail_errno(err, "writing");
        content.data += put;
        content.size -= (size_t)put;
    }
    return VAULT_OK;
}

static enum vault_code write_new(const char *path, struct bytes content, mode_t mode,
                                 struct vault_error *err)
{
    VAULT_AUTO(file_close)
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0 && errno == EEXIST)
        return vault_fail(err, VAULT_CONFLICT, "%s is there already", path);
    if (fd < 0)
        return vault_fail_errno(err, "making %s", path);
    const enum vault_code code = file_write_all(fd, content, err);
    if (code) {
        vault_error_context(err, "%s", path);
        return code;
    }
    if (fchmod(fd, mode) != 0 || fsync(fd) != 0)
        return vault_fail_errno(err, "syncing %s", path);
    return VAULT_OK;
}

/* The folder a path is in, "." for a bare name. */
static void parent_of(char out[PATH_MAX], const char *path)
{
    snprintf(out, PATH_MAX, "%s", path);
    char *slash = strrchr(out, '/');
    if (!slash)
        snprintf(out, PATH_MAX, ".");
    else if (slash == out)
        out[1] = 0;
    else
        *slash = 0;
}

static enum vault_code sync_parent(const char *path, struct vault_error *err)
{
    char parent[PATH_MAX];
    parent_of(parent, path);
    return folder_sync(parent, err);
}

enum vault_code file_create(const char *path, struct bytes content, mode_t mode,
                            struct vault_error *err)
{
    const enum vault_code code = write_new(path, content, mode, err);
    if (code == VAULT_OK)
        return sync_parent(path, err);
    if (code != VAULT_CONFLICT)
        unlink(path);
    return code;
}

enum vault_code file_replace(const char *path, struct bytes content, mode_t mode,
                             struct vault_error *err)
{
    char beside[PATH_MAX];
    const int length = snprintf(beside, sizeof beside, "%s.new", path);
    if (length < 0 || (size_t)length >= sizeof beside)
        return vault_fail(err, VAULT_TOO_LARGE, "the path %.80s… is too long", path);
    if (unlink(beside) != 0 && errno != ENOENT)
        return vault_fail_errno(err, "removing %s", beside);
    const enum vault_code code = write_new(beside, content, mode, err);
    if (code) {
        unlink(beside);
        return code;
    }
    if (rename(beside, path) != 0)
        return vault_fail_errno(err, "renaming %s to %s", beside, path);
    return sync_parent(path, err);
}

enum vault_code folder_create(const char *path, struct vault_error *err)
{
    if (mkdir(path, 0700) == 0)
        return sync_parent(path, err);
    struct stat status;
    if (errno == EEXIST && stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return VAULT_OK;
    return vault_fail_errno(err, "making the folder %s", path);
}

enum vault_code folder_sync(const char *path, struct vault_error *err)
{
    VAULT_AUTO(file_close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        return vault_fail_errno(err, "syncing the folder %s", path);
    return VAULT_OK;
}

bool file_exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

bool file_is_missing(const char *path)
{
    struct stat status;
    return lstat(path, &status) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

enum vault_code file_join(char *out, size_t out_bytes, const char *dir, const char *name,
                          struct vault_error *err)
{
    const int length = snprintf(out, out_bytes, "%s/%s", dir, name);
    if (length < 0 || (size_t)length >= out_bytes)
        return vault_fail(err, VAULT_TOO_LARGE, "the path of %.80s is too long", name);
    return VAULT_OK;
}
