/*
 * internal - what the modules of this floor share: the store's parts, and the control store's
 * functions that only they may call.
 */
#pragma once

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "handles.h"
#include "shared.h"
#include "vault/store/citizen.h"
#include "vault/store/control_citizen.h"
#include "vault/store/feed.h"
#include "vault/store/slice.h"
#include "vault/store/store.h"

/* Whose key, and which file. */
struct control_key {
    struct citizen_id id;
    uint32_t version;
    bool has_key; /* it goes when the citizen is erased */
    uint8_t wrapped[KEYRING_WRAPPED_BYTES];
    bool has_next; /* a key of the next version is taking its place (citizen_key.h) */
    uint8_t next_wrapped[KEYRING_WRAPPED_BYTES];
};

struct store {
    char dir[PATH_MAX]; /* absolute, without links */
    int lock;           /* a descriptor, held locked */
    bool look;          /* everything is only looked at: store_look() */
    const struct keyring *keyring;
    struct shared control;
    struct shared openings;
    struct handles handles;
    _Atomic uint64_t service_generation;
    struct control_key nobody; /* the decoy */
    pthread_mutex_t living;    /* one at a time makes or erases citizens */
    bool is_unfinished;        /* guarded by it: a failure left somebody half made or half erased */
};

/* control_schema.c, openings.c */
extern const struct shared_file control_file;
extern const struct shared_file openings_file;

enum citizen_state { /* stored: never renumber */
                     CITIZEN_CREATING =
                         1, /* the file may be there, in part: undone at the next start */
                     CITIZEN_ACTIVE = 2,
                     CITIZEN_ERASING =
                         3, /* the key is gone, the file may be there: finished at the next start */
                     CITIZEN_ERASED = 4,
                     CITIZEN_NOBODY = 5, /* the decoy */
};

/* A new row, CITIZEN_CREATING or CITIZEN_NOBODY. In the caller's transaction. */
enum vault_code control_key_add(struct database *control, const struct control_key *key,
                                const char *reference, enum citizen_state state, int64_t now_s,
                                struct vault_error *err) VAULT_MUST_CHECK;

/* A row of id, key_version, wrapped, next_wrapped. */
void control_key_row(const struct statement *query, struct control_key *out);

/* VAULT_NOT_FOUND unless the citizen is active. In the caller's hold, or in one of its own. */
enum vault_code control_key_read(struct database *control, const struct citizen_id *id,
                                 struct control_key *out, struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code control_key_find(struct store *store, const struct citizen_id *id,
                                 struct control_key *out, struct vault_error *err) VAULT_MUST_CHECK;

enum vault_code control_key_of_nobody(struct store *store, struct control_key *out,
                                      struct vault_error *err) VAULT_MUST_CHECK;

/* From creating to active. In the caller's transaction. */
enum vault_code control_citizen_activate(struct database *control, const struct citizen_id *id,
                                         struct vault_error *err) VAULT_MUST_CHECK;

/* Remove a row that is still CITIZEN_CREATING. */
enum vault_code control_citizen_undo(struct database *control, const struct citizen_id *id,
                                     struct vault_error *err) VAULT_MUST_CHECK;

/* Destroy the key, and what the control store has of the citizen, and note that so many openings
 * go with it. VAULT_NOT_FOUND. */
enum vault_code control_citizen_destroy_key(struct store *store, const struct citizen_id *id,
                                            uint64_t openings, struct vault_error *err)
    VAULT_MUST_CHECK;

/* From erasing to erased. */
enum vault_code control_citizen_erased(struct store *store, const struct citizen_id *id,
                                       struct vault_error *err) VAULT_MUST_CHECK;

/* One citizen in that state, any; *found says whether there is one. */
enum vault_code control_citizen_any(struct store *store, enum citizen_state state,
                                    struct citizen_id *id, bool *found, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Whether there is such a citizen, active. In the caller's hold. */
enum vault_code control_citizen_check(struct database *control, const struct citizen_id *id,
                                      struct vault_error *err) VAULT_MUST_CHECK;

/* Remove a piece's rows whose time is over. Of the statements the first finds the last row of the
 * piece (?1: behind which, ?2: how many to skip), the second removes (?1 to ?2, which may be NULL;
 * ?3: now). */
struct slice_statements {
    const char *end;
    const char *remove;
};
enum vault_code slice_prune(struct store *store, const struct slice_statements *sql, int64_t now_s,
                            struct slice *slice, struct vault_error *err) VAULT_MUST_CHECK;

/* What a service that goes asks of citizens goes with it. In the transaction. */
enum vault_code request_cancel_all(struct database *control, const char *service,
                                   struct vault_error *err) VAULT_MUST_CHECK;

/* What the other families of the control store do when a citizen goes. In the transaction. */
enum vault_code account_forget(struct database *control, const struct citizen_id *citizen,
                               struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code request_forget(struct database *control, const struct citizen_id *citizen,
                               struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code session_forget(struct database *control, const struct citizen_id *citizen,
                               struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code passkey_forget(struct database *control, const struct citizen_id *citizen,
                               struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code sign_in_codes_forget(struct database *control, const struct citizen_id *citizen,
                                     struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code mandate_forget(struct database *control, const struct citizen_id *citizen,
                               struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code open_case_forget(struct database *control, const struct citizen_id *citizen,
                                 struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code digest_forget(struct database *control, const struct citizen_id *citizen,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* structure.c: VAULT_NOT_FOUND unless sql, which counts what a structure has by its id, has a row;
 * VAULT_LIMITED if that is as many as there may be. */
enum vault_code structure_check_room(struct database *control, const char *sql, const char *id,
                                     int64_t most, struct vault_error *err) VAULT_MUST_CHECK;

/* structure.c: another password takes the place of a mediator's first one, which is good at now_s,
 * and that session goes on alone, as one that a passkey was shown in. In the transaction.
 * VAULT_CONFLICT if there is no such password; VAULT_NOT_FOUND if it is no session of theirs. */
enum vault_code mediator_end_first(struct database *control, const char *login,
                                   const char *password_hash, int64_t now_s,
                                   const uint8_t token_hash[SHA256_BYTES], struct vault_error *err)
    VAULT_MUST_CHECK;

/* Note an erasure of so many openings, in the caller's transaction; and that it was more of them.
 */
enum vault_code erasure_note(struct database *control, const struct citizen_id *citizen,
                             uint64_t openings, struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code erasure_raise(struct store *store, const struct citizen_id *citizen,
                              uint64_t openings, struct vault_error *err) VAULT_MUST_CHECK;

/* How many openings of a citizen there are. */
enum vault_code openings_count(struct store *store, const struct citizen_id *citizen,
                               uint64_t *count, struct vault_error *err) VAULT_MUST_CHECK;

/* Remove a citizen's openings and head; *gone is how many openings. */
enum vault_code openings_forget(struct store *store, const struct citizen_id *citizen,
                                uint64_t *gone, struct vault_error *err) VAULT_MUST_CHECK;

/* feed.c: file a row with its opening, in the caller's transaction. */
enum vault_code feed_file(struct database *openings, const struct feed_row *row,
                          struct vault_error *err) VAULT_MUST_CHECK;

/* Finish erasing what a crash interrupted, undo creating; and the same for what a failure did,
 * where there is something of it. */
enum vault_code citizen_tidy(struct store *store, struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code citizen_tidy_unfinished(struct store *store, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The vault's decoy: its file and its row. */
enum vault_code citizen_create_nobody(const char *dir, const struct keyring *keyring,
                                      struct database *control, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The first version of a value, into a file that is being made. VAULT_INVALID if there is one. */
enum vault_code value_insert_first(struct database *file, const struct citizen_value *value,
                                   struct vault_error *err) VAULT_MUST_CHECK;

/* The limits of a value to be stored. */
enum vault_code value_check(const struct citizen_value *value, struct vault_error *err)
    VAULT_MUST_CHECK;

/* A change to a held citizen: refused for a decoy. */
enum vault_code citizen_check_writable(const struct citizen *citizen, struct vault_error *err)
    VAULT_MUST_CHECK;

/* A text or blob has min to max bytes, else VAULT_INVALID or VAULT_TOO_LARGE naming what. */
enum vault_code size_check(size_t size, size_t min, size_t max, const char *what,
                           struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code text_check(const char *text, size_t min, size_t max, const char *what,
                           struct vault_error *err) VAULT_MUST_CHECK;
