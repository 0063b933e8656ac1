/*
 * erasure - erasures of which the access log was not told yet.
 *
 * citizen_erase() notes here, in the transaction that destroys the key, that somebody is gone and
 * how many openings went with them. Whoever keeps the log takes the notes one by one:
 *
 *     erasure_next()      one that is noted
 *     (let the indexer catch up with the log)
 *     erasure_settle()    forget what was filed since; how many openings went in all
 *     erasure_entering()  note where the log ends
 *     (enter it into the log, and wait until that is durable)
 *     erasure_told()      done
 *
 * A crash leaves the note, and one that was being entered comes first: whether the log has it is
 * seen behind where it ended. So an erasure is entered once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/base/error.h"
#include "vault/store/citizen.h"

struct erasure {
    struct citizen_id citizen;
    bool is_entering; /* it may be in the log */
    uint64_t from;    /* at this index or behind */
};

/* Any one that is noted and over, but one that was being entered first; *found says whether there
 * is one. */
enum vault_code erasure_next(struct store *store, struct erasure *out, bool *found,
                             struct vault_error *err) VAULT_MUST_CHECK;

/* It is about to be entered into the log, which has so many entries. */
enum vault_code erasure_entering(struct store *store, const struct citizen_id *citizen,
                                 uint64_t log_size, struct vault_error *err) VAULT_MUST_CHECK;

/* Forget the openings that were filed after the erasure; *openings is how many went in all.
 * VAULT_NOT_FOUND if no such erasure is noted. */
enum vault_code erasure_settle(struct store *store, const struct citizen_id *citizen,
                               uint64_t *openings, struct vault_error *err) VAULT_MUST_CHECK;

/* The log has it: remove the note. Removing what is not there is fine. */
enum vault_code erasure_told(struct store *store, const struct citizen_id *citizen,
                             struct vault_error *err) VAULT_MUST_CHECK;
