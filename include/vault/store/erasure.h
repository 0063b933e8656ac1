/*
 * erasure - erasures of which the access log was not told yet.
 *
 * citizen_erase() notes here, in the transaction that destroys the key, that somebody is gone and
 * how many openings went with them. Whoever keeps the log takes the notes one by one:
 *
 *     erasure_next()      one that is noted
 *     (let the indexer catch up with the log)
 *     erasure_settle()    forget what was filed since; how many openings went in all
 *     (enter it into the log, and wait until that is durable)
 *     erasure_told()      done
 *
 * A crash leaves the note: an erasure is entered once, or once more, and never left out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/base/error.h"
#include "vault/store/citizen.h"

/* Any one that is noted and over; *found says whether there is one. */
enum vault_code erasure_next(struct store *store, struct citizen_id *citizen, bool *found,
                             struct vault_error *err) VAULT_MUST_CHECK;

/* Forget the openings that were filed after the erasure; *openings is how many went in all.
 * VAULT_NOT_FOUND if no such erasure is noted. */
enum vault_code erasure_settle(struct store *store, const struct citizen_id *citizen,
                               uint64_t *openings, struct vault_error *err) VAULT_MUST_CHECK;

/* The log has it: remove the note. Removing what is not there is fine. */
enum vault_code erasure_told(struct store *store, const struct citizen_id *citizen,
                             struct vault_error *err) VAULT_MUST_CHECK;
