/*
 * parts - what a vault is made of, for the modules of this floor alone.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "log_key.h"
#include "vault/crypto/note.h"
#include "vault/ledger/ledger.h"
#include "vault/store/citizen_key.h"
#include "vault/store/store.h"
#include "vault/vault/figures.h"
#include "vault/vault/vault.h"

struct active_policy;
struct policy;
struct bell;
struct pace;
struct service_registry;
struct heads;
struct indexer;
struct keeper;
struct stops;
struct backup_job;
struct new_password;

#define VAULT_REPEATING     256

#define STATEMENT_KEY_LABEL "vault/statement-signing/1"

struct vault {
    struct vault_options options;
    char log_dir[4096];
    char policy_dir[4096];
    struct keyring *keyring;
    struct store *store;
    struct log_keys log_keys;
    struct ledger *ledger;
    struct secret *subject_key;   /* from it each service's own is derived */
    struct secret *log_name_key;  /* what the log calls a citizen, in openings */
    struct secret *tag_key;       /* seals whose an opening in the journal is */
    struct secret *code_key;      /* access requests' codes are kept under it */
    struct secret *pseudonym_key; /* pseudonyms that policy forms release */
    struct secret *session_key;   /* sessions' tokens are kept under it */
    struct secret *erased_key;    /* names in the do-not-restore list */
    struct heads *heads;
    struct indexer *indexer;
    struct keeper *keeper;
    struct stops *stops;      /* stop.h */
    struct secret *reply_key; /* seals kept answers that are no citizen's */
    pthread_rwlock_t feeding; /* services' feeds are read; held alone while an erasure is told */
    struct bell *bell;        /* calls that wait for an answer or a change */
    struct pace *quotas;      /* of services, by id */
    struct pace *renewals;    /* of their certificates, the same */
    pthread_mutex_t renewing; /* one at a time is counted and added */
    struct new_password *new_password; /* which may be set */
    struct pace *codes; /* tries at access requests' codes: of each citizen, and of all */
    pthread_mutex_t repeating[VAULT_REPEATING]; /* requests under a key, by its hash */
    pthread_mutex_t keeping;      /* one at a time erases, prunes the log, or changes the root */
    struct citizen_rewrap rewrap; /* how far wrapping keys again has come */
    atomic_bool backing_up;       /* changed while keeping is held: nothing may be forgotten now */
    struct backup_job *backup;    /* the last one; NULL: none yet */
    atomic_uint_fast64_t figures[FIGURE_COUNT]; /* counting.h */

    pthread_mutex_t mutex;        /* guards the two below */
    struct active_policy *active; /* NULL: no policy is active */
    struct service_registry *registry;
    pthread_mutex_t activating; /* one activation at a time */
};

/* vault.c: VAULT_UNAVAILABLE while the anchor lets nothing be released. */
enum vault_code vault_anchored(const struct vault *vault, struct vault_error *err) VAULT_MUST_CHECK;

/* active_policy.c: load the bundle that was active, if any; let go of it. */
enum vault_code active_policy_open(struct vault *vault, struct vault_error *err) VAULT_MUST_CHECK;
void active_policy_close(struct vault *vault);

/* The same bundle, loaded from the vault's copy once more; the caller's. VAULT_NOT_FOUND if none
 * was ever activated. */
enum vault_code active_policy_look(struct vault *vault, struct policy **out,
                                   struct vault_error *err) VAULT_MUST_CHECK;

/* erase.c: enter into the log every erasure that it was not told of, what a crash left too. */
enum vault_code erase_tell(struct vault *vault, struct vault_error *err) VAULT_MUST_CHECK;

/* The same with keeping held. */
enum vault_code erase_tell_held(struct vault *vault, struct vault_error *err) VAULT_MUST_CHECK;

/* backup.c: end and free what there is; VAULT_CONFLICT while one is made, with keeping held. */
void backup_close(struct vault *vault);
enum vault_code backup_check_none(struct vault *vault, struct vault_error *err) VAULT_MUST_CHECK;

/* service.c: let go of the registry. */
void service_close(struct vault *vault);
