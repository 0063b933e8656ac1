/*
 * handles - the citizens that are open, each in one place, at most so many.
 *
 * A place is held by one thread at a time; the others wait for it in turn. A place nobody holds
 * keeps its open file until the room is needed: then the one not held for the longest time is
 * closed. While a file is opened or closed only its own place is locked, so that one slow disk read
 * holds up nobody else.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "database.h"
#include "value_kept.h"
#include "vault/store/citizen.h"
#include "vault/store/store.h"

#define CITIZEN_UNKNOWN UINT64_MAX

struct citizen {
    /* Under the lock of struct handles. */
    struct citizen_id id;
    bool held;
    bool handed_on;          /* held by a waiter that has not woken up yet */
    bool stale;              /* its file is to be closed when it is let go */
    unsigned waiting;        /* threads waiting for this place */
    pthread_cond_t turn;     /* one of them may go on */
    struct citizen *chain;   /* the next in the same bucket, or the next free place */
    struct citizen *newer;   /* held after this one */
    struct citizen *older;   /* held before this one */
    struct handles *handles; /* constant */

    /* Of whoever holds it. */
    struct store *store;
    struct database *database; /* NULL: not open */
    struct secret *seal_key;
    bool exists;
    bool changing;         /* a transaction is open */
    uint64_t log_n_max;    /* CITIZEN_UNKNOWN until asked for */
    uint64_t record_count; /* likewise */
    struct values_kept *kept;
    void *cache;
    void (*cache_destroy)(void *data);
};

struct handles {
    pthread_mutex_t mutex;
    pthread_cond_t freed; /* somebody let a place go that nobody waits for */
    int64_t wait_ms;
    uint64_t hash_seed;
    size_t places_count;
    struct citizen *places;
    struct citizen *free;
    size_t bucket_count; /* a power of 2 */
    struct citizen **buckets;
    struct citizen *newest;
    struct citizen *oldest;
    struct store_stats stats;
};

enum vault_code handles_start(struct handles *handles, const struct store_options *options,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* Close all. Nobody holds any. */
void handles_finish(struct handles *handles);

/* Hold the place of that id. Its file is open from before, or citizen->database is NULL and the
 * caller opens it. VAULT_UNAVAILABLE after the wait. */
enum vault_code handles_hold(struct handles *handles, const struct citizen_id *id,
                             struct citizen **out, struct vault_error *err) VAULT_MUST_CHECK;

/* The same without waiting: NULL if the file is not open, or somebody holds it. */
struct citizen *handles_hold_open(struct handles *handles, const struct citizen_id *id);

/* Close what is open under that id: now, or when whoever holds it lets go. */
void handles_forget(struct handles *handles, const struct citizen_id *id);

/* Let go. A place whose file is not open, or broken, is given up. */
void handles_let_go(struct citizen *citizen);

/* Close the file of a place one holds, with all that hangs on it. */
void handles_shut(struct citizen *citizen);

struct store_stats handles_stats(struct handles *handles);
