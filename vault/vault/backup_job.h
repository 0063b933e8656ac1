/*
 * backup_job - one backup on its way: backup.c has it, starts its thread and answers for it,
 * backup_copy.c is what the thread does. For the two alone.
 */
#pragma once

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include "backup_parts.h"
#include "vault/vault/backup.h"

struct backup_job {
    struct vault *vault;
    struct backup_folder folder; /* where the place is by its path */
    struct backup_place place;
    char spool[PATH_MAX]; /* in the vault's folder: databases that are being copied */
    char config[PATH_MAX];
    char files[BACKUP_FILES_MAX][PATH_MAX];
    size_t file_count;
    char certificates[PATH_MAX]; /* empty: none */
    pthread_t thread;
    bool joined;
    atomic_bool cancelled;
    pthread_mutex_t mutex; /* over progress */
    struct backup_progress progress;

    /* The thread's own. */
    struct secret *key;
    struct buf keyring; /* as it was copied */
    struct hasher *hasher;
    struct contents_writer manifest;
    struct contents_facts facts;
    const char *prefix; /* of what is taken: "", "log/" */
};

/* backup_copy.c: copy all of the vault into job->made, and write the manifest last. */
enum vault_code backup_copy(struct backup_job *job, struct vault_error *err) VAULT_MUST_CHECK;
