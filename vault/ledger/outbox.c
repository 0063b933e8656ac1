#include "outbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vault/base/file.h"
#include "vault/base/folder.h"

struct outbox outbox_of(const char *dir)
{
    return (struct outbox){.dir = dir};
}

void outbox_finish(struct outbox *outbox)
{
    for (size_t i = 0; i < outbox->count; i++)
        file_close(&outbox->fds[i]);
    outbox->count = 0;
}

static enum vault_code new_path(char out[PATH_MAX], const struct outbox *outbox, size_t number,
                                struct vault_error *err)
{
    char name[32];
    snprintf(name, sizeof name, "new/%zu", number);
    return file_join(out, PATH_MAX, outbox->dir, name, err);
}

enum vault_code outbox_put(struct outbox *outbox, struct tile_name name, struct bytes content,
                           struct vault_error *err)
{
    char path[PATH_MAX];
    if (outbox->count == OUTBOX_FILES)
        VAULT_TRY(outbox_send(outbox, err));
    VAULT_TRY(new_path(path, outbox, outbox->count, err));
    VAULT_AUTO(file_close)
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return vault_fail_errno(err, "making %s", path);
    VAULT_TRY(file_write_all(fd, content, err));
    /* Only a hint to begin: outbox_send() waits for it. */
    (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    outbox->names[outbox->count] = name;
    outbox->fds[outbox->count++] = fd;
    fd = -1;
    return VAULT_OK;
}

/* Make the folders that lead to a path inside dir. */
static enum vault_code make_folders(const char *dir, char path[PATH_MAX], struct vault_error *err)
{
    for (char *slash = strchr(path + strlen(dir) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        const enum vault_code code = folder_create(path, err);
        *slash = '/';
        VAULT_TRY(code);
    }
    return VAULT_OK;
}

static enum vault_code give_name(const struct outbox *outbox, size_t number, char path[PATH_MAX],
                                 struct vault_error *err)
{
    char relative[TILE_PATH_CHARS];
    char from[PATH_MAX];
    tile_path(relative, outbox->names[number]);
    VAULT_TRY(new_path(from, outbox, number, err));
    VAULT_TRY(file_join(path, PATH_MAX, outbox->dir, relative, err));
    if (rename(from, path) == 0)
        return VAULT_OK;
    VAULT_TRY(make_folders(outbox->dir, path, err));
    if (rename(from, path) != 0)
        return vault_fail_errno(err, "publishing %s", path);
    return VAULT_OK;
}

/* Give all their names; folders are synced once for files that follow each other in them. */
static enum vault_code give_names(const struct outbox *outbox, struct vault_error *err)
{
    char last[PATH_MAX] = "";
    for (size_t i = 0; i < outbox->count; i++) {
        char path[PATH_MAX];
        VAULT_TRY(give_name(outbox, i, path, err));
        *strrchr(path, '/') = 0;
        if (*last && strcmp(last, path) != 0)
            VAULT_TRY(folder_sync(last, err));
        memcpy(last, path, strlen(path) + 1);
    }
    return *last ? folder_sync(last, err) : VAULT_OK;
}

enum vault_code outbox_send(struct outbox *outbox, struct vault_error *err)
{
    for (size_t i = 0; i < outbox->count; i++) {
        if (fdatasync(outbox->fds[i]) != 0)
            return vault_fail_errno(err, "syncing a file to be published in %s", outbox->dir);
    }
    VAULT_TRY(give_names(outbox, err));
    outbox_finish(outbox);
    return VAULT_OK;
}

void outbox_remove_partials(const char *dir, struct tile_name full)
{
    char relative[TILE_PATH_CHARS];
    char path[PATH_MAX];
    tile_path(relative, full);
    snprintf(path, sizeof path, "%s/%s.p", dir, relative);
    VAULT_AUTO(folder_close) DIR *folder = opendir(path);
    if (!folder)
        return;
    const struct dirent *item = NULL;
    while (folder_next(folder, path, &item, NULL) == VAULT_OK && item) {
        if (item->d_name[0] != '.')
            unlinkat(dirfd(folder), item->d_name, 0);
    }
    rmdir(path);
}
