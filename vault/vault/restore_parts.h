/*
 * restore_parts - what the two halves of a restore share.
 */
#pragma once

#include <limits.h>

#include "backup_parts.h"
#include "erased_list.h"
#include "vault/store/store.h"
#include "vault/vault/consent.h"
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

/* An entry, and its opening as far as there is one. */
struct event_read {
    uint64_t index;
    struct buf text;
    struct entry entry; /* borrows from text */
    bool readable;
    struct citizen_id citizen;
    uint64_t n;
    struct buf sealed;
};

/* A service's or purpose's id out of an entry. */
void restore_name(char out[CONSENT_NAME_CHARS + 1], struct bytes name);

/* Whether the citizen's file has the record of that event. */
enum vault_code restore_is_recorded(struct citizen *citizen, uint64_t n, bool *is,
                                    struct vault_error *err) VAULT_MUST_CHECK;

/* Do a readable event again, unless the citizen is gone or their file has it. What was given or
 * narrowed is left aside: an opening does not have all its terms. *replayed grows by what is done.
 * A release that was made while the backup was may be counted twice, of a number of uses. */
enum vault_code restore_again(struct vault *vault, const struct event_read *event,
                              uint64_t *replayed, struct vault_error *err) VAULT_MUST_CHECK;

/* Whether a readable event was about a mandate, and not about a guardianship, which restore_again()
 * does by itself; true if that cannot be told. */
enum vault_code restore_is_of_mandate(struct vault *vault, const struct event_read *event, bool *is,
                                      struct vault_error *err) VAULT_MUST_CHECK;

/* restore_suspend.c: whether a consent is in force, or the citizen could put it in force without
 * being told of the restore. */
bool restore_leaves_open(const struct vault *vault, const struct consent *consent);

/* Suspend one that is left open, by the restore; or stop it where the file cannot be written.
 * Durable on return. VAULT_NOT_FOUND: there is no such citizen. */
enum vault_code restore_suspend(struct vault *vault, const struct citizen_id *citizen,
                                const char *service, const char *purpose, struct vault_error *err)
    VAULT_MUST_CHECK;

/* restore_guardian.c: nobody is a minor's guardian, and no half of theirs waits, as far as what
 * ended them since the backup is not known. The operator registers guardians again. */
enum vault_code restore_end_guardians(struct vault *vault, const struct citizen_id *citizen,
                                      struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code restore_end_halves(struct vault *vault, const struct citizen_id *citizen,
                                   struct vault_error *err) VAULT_MUST_CHECK;

/* The same of the halves of one service and purpose: what was given since answered them.
 * VAULT_NOT_FOUND: there is no such citizen. */
enum vault_code restore_end_half(struct vault *vault, const struct citizen_id *citizen,
                                 const char *service, const char *purpose, struct vault_error *err)
    VAULT_MUST_CHECK;

/* restore_mandate.c: end every mandate of a citizen that is in force. What changed of mandates
 * since the backup is not made again: who still wants one gives it again. */
enum vault_code restore_end_mandates(struct vault *vault, const struct citizen_id *citizen,
                                     struct vault_error *err) VAULT_MUST_CHECK;
