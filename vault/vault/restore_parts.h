/*
 * restore_parts - what the two halves of a restore share.
 */
#pragma once

#include <limits.h>

#include "backup_parts.h"
#include "erased_list.h"
#include "vault/store/store.h"
#include "vault/vault/restore.h"

struct restore {
    const char *backup;
    const char *surviving; /* NULL: the log is lost */
    bool accept_unknown_erasures;
    backup_shows *shows;
    void *context;
    char dir[PATH_MAX];
    char made[PATH_MAX];
    char log_dir[PATH_MAX];
    char config[PATH_MAX];
    bool has_elsewhere;
    bool finished;
    struct keyring *keyring;
    struct secret *key;
    struct hasher *hasher;
    struct contents_facts facts;
    uint32_t log_generation; /* of the surviving log's key; 0: as in the backup */
    uint64_t journal_begins; /* openings before are in the index, or lost */
    uint64_t pruned_below;
    uint64_t blind_below; /* an entry before it may have lost its opening */
    uint64_t log_size;
    uint64_t erased;
    uint64_t unknown_erasures;
};

/* restore_log.c: put the surviving log, or the backup's own, into place and look at it. */
enum vault_code restore_take_log(struct restore *restore, struct vault_error *err) VAULT_MUST_CHECK;

/* And once the store is there: what it is to remember of it. */
enum vault_code restore_join_log(struct restore *restore, struct store *store,
                                 struct vault_error *err) VAULT_MUST_CHECK;

/* How many entries of one kind the log has from an index on. */
enum vault_code restore_count(const struct restore *restore, enum entry_event event, uint64_t from,
                              uint64_t *count, struct vault_error *err) VAULT_MUST_CHECK;

/* A file_taker into the folder that is made; context is the restore. */
enum vault_code restore_put(void *context, const char *name, int fd, uint64_t size_bytes,
                            struct vault_error *err) VAULT_MUST_CHECK;
