/*
 * citizen_file - a citizen's file on disk: where it is, how it is made, how it is known.
 *
 * DIR/citizens/<first two hex digits>/<32 hex digits>.db. The id stands inside too and is compared,
 * so that a file in another's place is refused even if its key were right.
 */
#pragma once

#include <limits.h>

#include "database.h"
#include "internal.h"

#define CITIZEN_FOLDER "citizens"
#define CITIZEN_SHARDS 256

/* The keys of one file, both derived from the citizen's key. */
struct citizen_keys {
    struct secret *file;
    struct secret *seal; /* of openings */
};

void citizen_keys_free(struct citizen_keys *keys);

#define CITIZEN_FIRST_KEY 1 /* version */

struct keyring_binding citizen_key_binding(const struct citizen_id *id, uint32_t version);

/* A fresh citizen's key of that version: wrapped, and the keys from it. */
enum vault_code citizen_keys_new(const struct keyring *keyring, const struct citizen_id *id,
                                 uint32_t version, struct control_key *wrapped,
                                 struct citizen_keys *out, struct vault_error *err)
    VAULT_MUST_CHECK;

enum vault_code citizen_keys_of(const struct keyring *keyring, const struct control_key *wrapped,
                                struct citizen_keys *out, struct vault_error *err) VAULT_MUST_CHECK;

/* The same by keyring_unwrap_giving_way(). */
enum vault_code citizen_keys_of_each(const struct keyring *keyring,
                                     const struct control_key *wrapped, struct citizen_keys *out,
                                     struct vault_error *err) VAULT_MUST_CHECK;

enum vault_code citizen_path(char out[PATH_MAX], const char *dir, const struct citizen_id *id,
                             struct vault_error *err) VAULT_MUST_CHECK;

/* Make the folders, empty. Durable. */
enum vault_code citizen_folders_create(const char *dir, struct vault_error *err) VAULT_MUST_CHECK;

/* Make the file, with the citizen's id and first values in it; not durable until
 * citizen_files_sync(). */
enum vault_code citizen_file_create(const char *dir, const struct citizen_new *citizen,
                                    const struct secret *key, struct vault_error *err)
    VAULT_MUST_CHECK;

/* What there is to open a citizen's file with. */
struct citizen_slots {
    struct control_key key; /* the decoy's if the citizen does not exist */
    bool exists;
    struct citizen_keys current;
    struct citizen_keys next; /* empty unless key.has_next */
};

void citizen_slots_free(struct citizen_slots *slots);

/* citizen_key.c: open the citizen's file, or the decoy's in just the same steps. Of two keys the
 * right one stays, as slots->current, and the other is destroyed. Codes as below. */
enum vault_code citizen_open_slots(struct store *store, const struct citizen_id *id,
                                   struct citizen_slots *slots, struct database **out,
                                   struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_CORRUPT, too, if the file is missing or another citizen's. */
enum vault_code citizen_file_open(const char *dir, const struct citizen_id *id,
                                  const struct secret *key, struct database **out,
                                  struct vault_error *err) VAULT_MUST_CHECK;

/* The same, to look at only (database_look). A file of an older version is VAULT_CONFLICT. */
enum vault_code citizen_file_look(const char *dir, const struct citizen_id *id,
                                  const struct secret *key, struct database **out,
                                  struct vault_error *err) VAULT_MUST_CHECK;
/* The same for a file that nobody has open and that is not to be changed (database_copy.h). */
enum vault_code citizen_file_open_frozen(const char *dir, const struct citizen_id *id,
                                         const struct secret *key, struct database **out,
                                         struct vault_error *err) VAULT_MUST_CHECK;

/* Make closed files last, and their names: one by one if few, else the whole file system at once.
 */
enum vault_code citizen_files_sync(const char *dir, const struct citizen_id *const ids[],
                                   size_t count, struct vault_error *err) VAULT_MUST_CHECK;

/* Remove the file and what lies beside it; one that is not there is fine. Durable. */
enum vault_code citizen_file_remove(const char *dir, const struct citizen_id *id,
                                    struct vault_error *err) VAULT_MUST_CHECK;
