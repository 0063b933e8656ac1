/*
 * backup - everything of a running vault in a new folder, encrypted as the vault is.
 *
 *     FOLDER/MANIFEST         every file's size and hash, the log's size and root, authenticated
 *     FOLDER/keyring.json     from the same moment as the rest
 *     FOLDER/control.db       who exists        FOLDER/openings.db, citizens/…   as in the vault
 *     FOLDER/policy/…         FOLDER/log/…      published files, journal, do-not-restore list
 *     FOLDER/sealed/…         configuration, certificates and their keys, sealed under a key of the
 *                             vault: "inside/" what lies in the vault's folder, "outside/" the rest
 *
 * A thread of the vault's own makes it while everybody is served: a citizen is held only while
 * their file is copied. The folder is written as FOLDER.partial and gets its name last, when all of
 * it is on disk; until then control.db and openings.db lie in the vault's own folder, too, which
 * needs room for the two. The log is copied last, up to a size at which the index of openings is
 * copied too: it knows of every change that a citizen's file in the backup may lack. A citizen who
 * is erased meanwhile is left out; who is made meanwhile is not in it.
 *
 * While it is made no key is wrapped again or replaced, and nothing of the log is pruned: those
 * calls say VAULT_CONFLICT.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/secret.h"
#include "vault/vault/backup_place.h"
#include "vault/vault/vault.h"

#define BACKUP_SEALED_MAX_BYTES (1024UL * 1024) /* of one sealed file */
#define BACKUP_FILES_MAX        32

/* What is to be backed up beside what the vault knows of itself. Copied. */
struct backup_request {
    const char *folder;        /* to be made; absolute */
    struct backup_place place; /* who makes it and its files: taken over, also when it is refused;
                                  calls NULL: this process, by the path */
    const char *config;        /* the configuration's path */
    const char *files[BACKUP_FILES_MAX];
    size_t file_count;
    const char *certificates; /* a folder of files, or NULL */
};

/* Begin. VAULT_CONFLICT if a backup is under way, or something is at the folder's place. What an
 * interrupted backup left at FOLDER.partial is removed. */
enum vault_code backup_start(struct vault *vault, const struct backup_request *request,
                             struct vault_error *err) VAULT_MUST_CHECK;

enum backup_state { BACKUP_NONE, BACKUP_RUNNING, BACKUP_DONE, BACKUP_FAILED };

struct backup_progress {
    enum backup_state state;
    const char *step; /* in words; a literal */
    uint64_t citizens;
    uint64_t citizens_done;
    uint64_t files;
    uint64_t bytes;
    uint64_t log_size;        /* of BACKUP_DONE */
    struct vault_error error; /* of BACKUP_FAILED */
};

/* How the last one does, or did. */
void backup_look(struct vault *vault, struct backup_progress *out);

/* Have it given up: soon after, it has failed. Fine when there is none. */
void backup_cancel(struct vault *vault);

/* --- Looking at one ------------------------------------------------------------------------- */

struct backup_facts {
    int64_t time_ms;
    uint64_t files;
    uint64_t bytes;
    uint64_t citizens;
    uint64_t gone;
    uint64_t log_size;
};

/* Told how far it has come, in words and in numbers. */
typedef void backup_shows(void *context, const char *step, uint64_t done, uint64_t all);

/*
 * Check all of a backup, which is not changed: the manifest, every file's hash, that nothing is
 * there besides, every page of every encrypted file, the log. The keyring is one that was opened in
 * the backup's folder. shows may be NULL.
 *
 * VAULT_NOT_FOUND, VAULT_DENIED, VAULT_INVALID  as contents_read()
 * VAULT_CORRUPT                                 what is wrong is in the text
 */
enum vault_code backup_check(const char *folder, const struct keyring *keyring, backup_shows *shows,
                             void *context, struct backup_facts *out, struct vault_error *err)
    VAULT_MUST_CHECK;
