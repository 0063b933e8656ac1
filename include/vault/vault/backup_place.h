/*
 * backup_place - where a backup is written: a folder that is made as FOLDER.partial and gets its
 * name when all of it is on disk.
 *
 * Whoever makes the backup asks for each file by name and gets a descriptor to write to; it need
 * not be able to open the folder itself. So there are two kinds: the folder here, and one at the
 * other end of a socket (edge/place_channel.h), which vaultctl has for vaultd, whose sandbox ends
 * at its own folder.
 */
#pragma once

#include <limits.h>
#include <sys/types.h>

#include "vault/base/error.h"

#define BACKUP_PARTIAL ".partial"

struct backup_place {
    const struct backup_place_calls *calls;
    void *context;
};

struct backup_place_calls {
    /* Make the folder. What an interrupted backup left is removed. VAULT_CONFLICT if something is
     * at its name, or in its way. */
    enum vault_code (*begin)(void *context, struct vault_error *err);
    /* Make a file of that name below it, and the folders that lead to it; the descriptor is the
     * caller's. VAULT_CONFLICT if there is one. */
    enum vault_code (*create)(void *context, const char *name, int *fd, struct vault_error *err);
    /* Make all of it last, and give it its name. */
    enum vault_code (*finish)(void *context, struct vault_error *err);
    /* Remove what was made. */
    void (*abandon)(void *context);
    /* No more is asked. */
    void (*close)(void *context);
};

/* A folder that this process can open. */
struct backup_folder {
    char folder[PATH_MAX]; /* what it is to be called */
    char made[PATH_MAX];   /* where it is made */
    uid_t owner;           /* of all of it, once it is finished; (uid_t)-1: whoever made it */
    gid_t group;
};

/* VAULT_INVALID if the path is not absolute, or too long. The place borrows the folder. */
enum vault_code backup_folder_at(const char *path, struct backup_folder *out,
                                 struct backup_place *place, struct vault_error *err)
    VAULT_MUST_CHECK;
