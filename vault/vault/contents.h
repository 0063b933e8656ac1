/*
 * contents - what a backup consists of, so that nothing in it can be changed, added, taken away or
 * swapped unnoticed. For the modules of this floor alone.
 *
 *     citizen-vault-backup/1
 *     file 4096 HEX control.db          size, SHA-256, name; one for each file
 *     …
 *     time 1795295592123                when it was made, ms
 *     from 17                           how long the log was before anything was copied
 *     log 23 BASE64                     its size and root in the backup
 *     pruned 0                          what is before is not in the published files any more
 *     gone 0                            citizens who were erased while it was made
 *     origin test.vault.example/log
 *     key test.vault.example/log+…      the log's keys, the one that signs first
 *     end 12                            how many files
 *     mac HEX                           HMAC of the hash of all before, under the backup's key
 *
 * It is written and read as a stream: memory does not grow with the number of files.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "vault/base/folder.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/note.h"
#include "vault/crypto/secret.h"
#include "vault/ledger/ledger.h"

#define MANIFEST_FILE  "MANIFEST"
#define MANIFEST_FIRST "citizen-vault-backup/1"
#define BACKUP_LABEL   "vault/backup/1" /* of the key, from the keyring */

struct contents_facts {
    int64_t time_ms;
    uint64_t from;
    struct ledger_head log;
    uint64_t pruned_below;
    uint64_t gone;
    uint64_t files;
    char origin[NOTE_NAME_CHARS_MAX + 1];
    struct note_key keys[LEDGER_FORMER_MAX + 1];
    size_t key_count;
};

/* --- Writing -------------------------------------------------------------------------------- */

struct contents_writer {
    FILE *file; /* NULL: not open */
    struct hasher *hasher;
    uint64_t files;
};

/* Begin the manifest, MANIFEST_FILE of a backup, in that file, which it takes over. */
enum vault_code contents_begin(struct contents_writer *writer, int *fd, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code contents_add(struct contents_writer *writer, const char *name, uint64_t size_bytes,
                             const uint8_t hash[SHA256_BYTES], struct vault_error *err)
    VAULT_MUST_CHECK;

/* The facts and the mac; synced. facts->files is not read. */
enum vault_code contents_end(struct contents_writer *writer, const struct contents_facts *facts,
                             const struct secret *key, struct vault_error *err) VAULT_MUST_CHECK;
void contents_abandon(struct contents_writer *writer);

/* --- Reading -------------------------------------------------------------------------------- */

/* Told of each file. */
typedef enum vault_code contents_each(void *context, const char *name, uint64_t size_bytes,
                                      const uint8_t hash[SHA256_BYTES], struct vault_error *err);

/*
 * Read the manifest of the backup in a folder: each (may be NULL) is told of its files before it is
 * known whether it is genuine, so one reads once without and then with.
 *
 * VAULT_NOT_FOUND  there is none: the folder is no backup, or one that was not finished
 * VAULT_DENIED     it is another vault's, or it was changed
 * VAULT_INVALID    a newer program wrote it, or it is no manifest
 */
enum vault_code contents_read(const char *dir, const struct secret *key,
                              struct contents_facts *facts, contents_each *each, void *context,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* Whether the folder has a manifest, finished or begun: that it is a backup's. */
bool contents_is_there(const char *dir);
