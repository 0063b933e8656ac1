/*
 * citizen - one person's encrypted file, held by one caller at a time.
 *
 *     VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
 *     VAULT_TRY(citizen_acquire(store, &id, &citizen, err));
 *     …read, decide, change, enqueue…
 *
 * Acquiring is a lock on that citizen: whoever holds it sees one consistent state, and the order in
 * which holders follow each other is the order of decisions. Open files are kept, the least
 * recently used closed first; with the file open, acquiring costs well under a microsecond, and no
 * key is derived and no statement prepared.
 *
 * An id that does not exist, or was erased, is acquired all the same: the vault's decoy file,
 * "nobody", is opened under that id, takes the same place among the open files and costs the same,
 * and only citizen_exists() says false. So an unknown subject cannot be told from a refusing one by
 * time. A decoy has no values and no records and takes none (VAULT_NOT_FOUND).
 *
 * A thread that holds one citizen must not acquire another: two doing so could wait for each other
 * until the limit (STORE_ACQUIRE_WAIT_MS) fails both.
 *
 * What this cannot hide: the decoy's file is always in the system's page cache, and that of a
 * citizen not read since boot may not be.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/secret.h"
#include "vault/store/store.h"

#define CITIZEN_ID_BYTES        16
#define CITIZEN_REFERENCE_CHARS 64
#define CITIZEN_CREATE_MAX      1000 /* in one call */
#define CITIZEN_FIELD_CHARS     128
#define CITIZEN_SOURCE_CHARS    64
#define CITIZEN_VALUE_MAX_BYTES (64UL * 1024)
#define CITIZEN_FIELDS_MAX      1000 /* fields with a value, for one citizen */

struct citizen;

/* Random; never leaves the vault. */
struct citizen_id {
    uint8_t bytes[CITIZEN_ID_BYTES];
};

struct citizen_id citizen_id_new(void);
bool citizen_id_equal(const struct citizen_id *a, const struct citizen_id *b);

/* A value to be stored. Borrowed. */
struct citizen_value {
    const char *field;  /* 1 to CITIZEN_FIELD_CHARS characters */
    struct bytes json;  /* one JSON value as text, 1 to CITIZEN_VALUE_MAX_BYTES; not parsed here */
    int64_t as_of_s;    /* when it was true, for its source */
    const char *source; /* 1 to CITIZEN_SOURCE_CHARS characters */
};

/* A citizen to be made, with their first values. Borrowed. */
struct citizen_new {
    struct citizen_id id;
    const char *reference; /* the city's own, unique, 1 to CITIZEN_REFERENCE_CHARS; NULL: none */
    const struct citizen_value *values;
    size_t value_count;
};

/*
 * Make count citizens (1 to CITIZEN_CREATE_MAX), all or none, durable on return. A crash on the way
 * leaves none of them; after a failure of the disk all of them may be there. One call for many is
 * the import's path: the disk is waited for three times whatever the count.
 *
 * VAULT_CONFLICT  an id or a reference is taken; *failed_at (may be NULL) is its position
 * VAULT_INVALID, VAULT_TOO_LARGE  a value or a reference breaks its limit, or a citizen has two
 *                 values for one field; likewise
 */
enum vault_code citizen_create(struct store *store, const struct citizen_new citizens[],
                               size_t count, int64_t now_s, size_t *failed_at,
                               struct vault_error *err) VAULT_MUST_CHECK;

/*
 * Erase: the key first, then the file, then openings, account, sessions and requests. Once the key
 * is gone the rest is finished at the next start if a crash comes between. The id stays known as
 * erased and is never given again. Nobody may hold the citizen but the caller, who must not:
 * release first. *openings_gone (may be NULL) counts the openings removed. That the log must be
 * told is noted (erasure.h).
 *
 * VAULT_NOT_FOUND  there is no such citizen, or erased already
 */
enum vault_code citizen_erase(struct store *store, const struct citizen_id *id,
                              uint64_t *openings_gone, struct vault_error *err) VAULT_MUST_CHECK;

/*
 * Hold one citizen, existing or not, and no one else does until citizen_release().
 *
 * VAULT_UNAVAILABLE  others held it, or every open file was held, for the whole wait
 * VAULT_CORRUPT      the file is damaged, missing, or another citizen's in this one's place
 */
enum vault_code citizen_acquire(struct store *store, const struct citizen_id *id,
                                struct citizen **out, struct vault_error *err) VAULT_MUST_CHECK;

/* The same for who must not wait: VAULT_UNAVAILABLE if the file is not open already, or somebody
 * holds it. */
enum vault_code citizen_acquire_open(struct store *store, const struct citizen_id *id,
                                     struct citizen **out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Let go. An open transaction is undone. NULL inside is fine. */
void citizen_release(struct citizen **citizen);

bool citizen_exists(const struct citizen *citizen);
const struct citizen_id *citizen_id_of(const struct citizen *citizen);

/* The key that seals this citizen's openings, SECRET_KEY_BYTES; borrowed until release. A decoy has
 * one too, of its own. */
const struct secret *citizen_seal_key(const struct citizen *citizen);

/*
 * What the domain remembers of a citizen between two holders, such as the state of their consents:
 * one pointer, NULL at first, destroyed when the file is closed or another is set. The domain keeps
 * it equal to what it wrote; if it changed it for a transaction that was then undone, it sets NULL.
 */
void *citizen_cache(const struct citizen *citizen);
void citizen_cache_set(struct citizen *citizen, void *data, void (*destroy)(void *data));

/*
 * Several changes as one:
 *
 *     VAULT_AUTO(citizen_rollback) struct citizen_change change = {0};
 *     VAULT_TRY(citizen_begin(citizen, &change, err));
 *     VAULT_TRY(citizen_value_put(citizen, …, err));
 *     VAULT_TRY(citizen_record_add(citizen, …, err));
 *     VAULT_TRY(citizen_commit(&change, err));
 *
 * Durable when citizen_commit() returns. A change outside such a pair is a transaction of its own.
 * They do not nest.
 */
struct citizen_change {
    struct citizen *citizen; /* NULL: nothing to undo */
};

enum vault_code citizen_begin(struct citizen *citizen, struct citizen_change *change,
                              struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code citizen_commit(struct citizen_change *change, struct vault_error *err)
    VAULT_MUST_CHECK;
void citizen_rollback(struct citizen_change *change);
