/*
 * store - everything the vault keeps but the access log.
 *
 *     the control store      who exists, who may sign in, services, requests, sessions
 *     the openings           an index of sealed openings per citizen, taken from the log
 *     each citizen's file    their values and decisions, encrypted under that citizen's own key
 *
 * These headers are the interface of an engine: whoever is above knows of no folder, file or
 * statement behind them, and a static library that defines their functions can stand in this one's
 * place (vault/store/engine.md; the suite for any engine is tests/engine). "File" and "open" here
 * mean what an engine makes of them: what belongs to one citizen, and having it at hand. The
 * headers of the parts are
 *
 *   citizen_key.h      citizens' keys wrapped again, or replaced
 *   citizen.h          make, acquire and release a citizen; transactions; the domain's cached state
 *   citizen_value.h    a citizen's field values       citizen_record.h   consents and the like
 *   openings.h         the index of openings          erasure.h          what the log is to be told
 *   control_citizen.h  who exists                     account.h          who may sign in
 *   control_service.h  services, certificates         request.h          access requests
 *   session.h          signed-in browsers             setting.h          the vault's own memory
 *
 * Every function is safe from any thread unless its header says otherwise. A callback of a list is
 * called while a lock is held: it copies what it needs and must not call the store.
 *
 * Codes that any call may return, and that the headers do not repeat: VAULT_CORRUPT (what is kept
 * does not hold its own proof: stop serving it and tell a person), VAULT_IO (the disk is full or
 * refuses), VAULT_UNAVAILABLE (a lock was not free in time, or the engine's server is not there),
 * VAULT_NO_MEMORY, and VAULT_INVALID or VAULT_TOO_LARGE for an argument over its stated limit.
 *
 * After any other failure of a change nothing of it is stored. After one of the first four it is
 * not stored, or stored as a whole and the answer was lost: who keeps something in memory of what
 * is stored reads it again, and does not take the failure for a promise that nothing happened.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/error.h"
#include "vault/store/keyring.h"

#define STORE_OPEN_CITIZENS_DEFAULT 1000
#define STORE_OPEN_CITIZENS_MAX     8000 /* their keys must fit into secret memory */
#define STORE_ACQUIRE_WAIT_MS       10000

/* The keys that it takes from the keyring, by label. */
#define STORE_CONTROL_KEY_LABEL     "vault/control-store/1"
#define STORE_OPENINGS_KEY_LABEL    "vault/openings-store/1"
#define STORE_KEY_LABELS            STORE_CONTROL_KEY_LABEL, STORE_OPENINGS_KEY_LABEL

struct store;

struct store_options {
    /* 0: the default. With SQLCipher each costs some 50 KiB, 300 at most, and up to 2 descriptors:
     * where the process may not have that many (LimitNOFILE, ulimit -n), fewer are open, and
     * store_stats() says how many can be. */
    size_t open_citizens_max;
    int64_t acquire_wait_ms; /* how long to wait for a citizen in use; 0: the default */
};

/* Make an empty store. dir is the vault's folder, which is made if it is not there: an engine keeps
 * its data in it, or finds in it how to reach them. Leaves it closed.
 * VAULT_CONFLICT  there is a store already */
enum vault_code store_create(const char *dir, const struct keyring *keyring,
                             struct vault_error *err) VAULT_MUST_CHECK;

/*
 * Open it; the keyring is borrowed until store_close(). Takes as long with a million citizens as
 * with none. What a crash left half done, a citizen being made or erased, is finished or undone.
 *
 * VAULT_NOT_FOUND    there is no store in the folder
 * VAULT_CORRUPT      it does not open with this keyring, or is damaged, or a newer program wrote it
 * VAULT_UNAVAILABLE  another process has it open
 */
enum vault_code store_open(const char *dir, const struct keyring *keyring,
                           const struct store_options *options, struct store **out,
                           struct vault_error *err) VAULT_MUST_CHECK;

/*
 * Open it to be looked at, and change nothing: not a byte, a name or a time of a file. It serves
 * lists and settings, and check.h; a citizen cannot be acquired. While it is open, no other process
 * can open it to serve.
 *
 * VAULT_NOT_FOUND, VAULT_CORRUPT, VAULT_UNAVAILABLE  as above
 * VAULT_CONFLICT  it was not closed as it should be, or an older program did: what is in its files
 *                 is not all of it until it has been opened to serve
 */
enum vault_code store_look(const char *dir, const struct keyring *keyring, struct store **out,
                           struct vault_error *err) VAULT_MUST_CHECK;

/* Close everything. No key of a citizen stays in memory. No citizen may be held and no other call
 * be under way. */
void store_close(struct store **store);

struct store_stats {
    size_t open_citizens;     /* handles open now, decoys included */
    size_t open_citizens_max; /* as many as there can be */
    uint64_t hits;            /* acquired with the handle already open */
    uint64_t misses;          /* a handle had to be opened */
    uint64_t evictions;       /* a handle was closed to make room */
};

struct store_stats store_stats(struct store *store);
