#include "vault/vault/backup_place.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "contents.h"
#include "vault/base/file.h"
#include "vault/base/folder.h"

#define DEPTH_MAX 20

/* An interrupted backup's folder has a manifest; anything else is not ours to remove. */
static enum vault_code begin(void *context, struct vault_error *err)
{
    const struct backup_folder *folder = context;
    if (!folder_is_free(folder->folder))
        return vault_fail(err, VAULT_CONFLICT, "there is something at %s", folder->folder);
    if (file_exists(folder->made) && !contents_is_there(folder->made) &&
        !folder_is_free(folder->made))
        return vault_fail(err, VAULT_CONFLICT, "%s is in the way, and is no unfinished backup",
                          folder->made);
    VAULT_TRY(folder_remove(folder->made, err));
    if (mkdir(folder->made, 0700) != 0)
        return vault_fail_errno(err, "making the folder %s", folder->made);
    return VAULT_OK;
}

static enum vault_code create(void *context, const char *name, int *out, struct vault_error *err)
{
    const struct backup_folder *folder = context;
    char path[PATH_MAX];
    if (!folder_name_is_safe(name))
        return vault_fail(err, VAULT_INVALID, "a file's name cannot be backed up: %.*s",
                          (int)strcspn(name, "\n\r"), name);
    VAULT_TRY(folder_create_for(folder->made, name, err));
    VAULT_TRY(file_join(path, sizeof path, folder->made, name, err));
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST)
        return vault_fail(err, VAULT_CONFLICT, "%s is in the backup already", name);
    if (fd < 0)
        return vault_fail_errno(err, "making a file in %s", folder->made);
    *out = fd;
    return VAULT_OK;
}

/* nftw(3) has no context, and one thread of vaultctl's finishes one backup. */
static _Thread_local const struct backup_folder *given_away;

static int give_away(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return lchown(path, given_away->owner, given_away->group);
}

static enum vault_code finish(void *context, struct vault_error *err)
{
    const struct backup_folder *folder = context;
    /* The folder last: until then nobody but us can put a link to something else into it. */
    given_away = folder;
    if (folder->owner != (uid_t)-1 &&
        nftw(folder->made, give_away, DEPTH_MAX, FTW_DEPTH | FTW_PHYS) != 0)
        return vault_fail_errno(err, "giving %s to the vault's user", folder->made);
    return folder_finish(folder->made, folder->folder, err);
}

static void abandon(void *context)
{
    const struct backup_folder *folder = context;
    (void)!folder_remove(folder->made, NULL);
}

static void no_more(void *context)
{
    (void)context;
}

static const struct backup_place_calls calls = {begin, create, finish, abandon, no_more};

enum vault_code backup_folder_at(const char *path, struct backup_folder *out,
                                 struct backup_place *place, struct vault_error *err)
{
    if (path[0] != '/' || strlen(path) + sizeof BACKUP_PARTIAL > sizeof out->made)
        return vault_fail(err, VAULT_INVALID, "a backup's folder is given as an absolute path");
    *out = (struct backup_folder){.owner = (uid_t)-1, .group = (gid_t)-1};
    snprintf(out->folder, sizeof out->folder, "%s", path);
    snprintf(out->made, sizeof out->made, "%s" BACKUP_PARTIAL, path);
    *place = (struct backup_place){&calls, out};
    return VAULT_OK;
}
