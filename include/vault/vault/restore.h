/*
 * restore - a vault out of a backup, in which what was withdrawn or erased since stays so.
 *
 *     restore_begin()      check the backup, unpack it beside DIR, take over the surviving log,
 *                          erase again who was erased since
 *     (vault_open() in restore_dir(), with the configuration that stands there)
 *     restore_replay()     withdraw, suspend… again what the log tells; enter the restore
 *     (vault_close())
 *     restore_finish()     all of it to disk, and its name last
 *
 * Until restore_finish() there is no DIR, only DIR.partial, which the next try removes: a vault
 * never opens half restored. The backup and the surviving log are only read.
 *
 * What the log tells of the time since the backup:
 *   - an opening that still stands in the journal says whose consent it was: the change is made in
 *     the citizen's file as it was then. A consent that was given or narrowed since is not known in
 *     all its terms; the one it took the place of is suspended.
 *   - an entry without one says service and purpose: every consent for the two is suspended.
 *   - no log at all: every consent is suspended.
 *   - who was erased is in the do-not-restore list, in the log's folder and in the backup.
 *   - what an operator did to a service is not known: the service is suspended.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/store/keyring.h"
#include "vault/vault/backup.h"
#include "vault/vault/vault.h"

struct restore_options {
    const char *backup;
    const char *dir; /* to be made; absolute; nothing or an empty folder is there */
    const char *log; /* the newest surviving copy of the log's folder; NULL: it is lost */

    /* The log has more erasures than the list: go on, and suspend every consent. */
    bool accept_unknown_erasures;

    struct keyring_provider provider;
    const struct secret *recovery; /* text: the backup's provider is gone, and this one is new */
    backup_shows *shows;           /* NULL: nobody is shown */
    void *context;
};

struct restore;

/* VAULT_CONFLICT  something is in dir, the log is in use, is not the one that the backup is of or
 *                 does not go on from it, or tells of erasures that no list has
 * and the codes of backup_check() and of opening a keyring. */
enum vault_code restore_begin(const struct restore_options *options, struct restore **out,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* Where the vault is until it gets its name; and where its configuration is, in there. */
const char *restore_dir(const struct restore *restore);
const char *restore_config(const struct restore *restore);

/* Files of the backup that lay outside the vault's folder are in there, under "elsewhere". */
bool restore_has_elsewhere(const struct restore *restore);

struct restore_report {
    uint64_t erased;           /* again, from the list */
    uint64_t unknown_erasures; /* that the log has and no list */
    uint64_t replayed;         /* changes made again as they were */
    uint64_t suspended;        /* consents */
    uint64_t unreadable;       /* entries that concern somebody, nobody knows whom */
    uint64_t services_suspended;
    uint64_t policies; /* activated since: they are not in the backup */
    uint64_t log_size;
    bool log_lost;
};

/* Told of each (service, purpose) for which consents were suspended, with how many (0: a service
 * that was suspended itself; its purpose is ""). */
typedef void restore_tells(void *context, const char *service, const char *purpose,
                           uint64_t consents);

enum vault_code restore_replay(struct restore *restore, struct vault *vault, restore_tells *tells,
                               void *context, struct restore_report *out, struct vault_error *err)
    VAULT_MUST_CHECK;

enum vault_code restore_finish(struct restore *restore, struct vault_error *err) VAULT_MUST_CHECK;

/* Not finished: what was unpacked is removed. */
void restore_end(struct restore **restore);
