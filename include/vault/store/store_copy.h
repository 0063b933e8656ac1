/*
 * store_copy - the store copied while it is used, and a look at such a copy.
 *
 * control.db and openings.db are copied some pages at a time (store_copy_step), between which
 * everybody else goes on; the copy is the file as it is at the last step. A citizen's file is
 * copied while that citizen is held and the file closed, so that it is at rest; nobody waits longer
 * than for that one file. What is copied stays under the keys that it was under.
 *
 *     store_copy_begin(STORE_CONTROL) … step … end     who exists, from then on
 *     store_frozen_open() on the copy                  and for each id that it tells:
 *     store_copy_citizen()
 *     store_copy_begin(STORE_OPENINGS) … step … end
 *
 * While this goes on no key may be wrapped again and no citizen given a new one: that is the
 * caller's to see to.
 */
#pragma once

#include <stdbool.h>

#include "vault/base/folder.h"
#include "vault/store/citizen.h"
#include "vault/store/store.h"

#define STORE_COPY_IDS_MAX 1000

enum store_part { STORE_CONTROL, STORE_OPENINGS };

struct store_copy;

/* Begin a copy in DIR, a folder that is there, as the file of that part's own name. VAULT_CONFLICT
 * if there is such a file, or the part is being copied already. */
enum vault_code store_copy_begin(struct store *store, enum store_part part, const char *dir,
                                 struct store_copy **out, struct vault_error *err) VAULT_MUST_CHECK;

/* Copy some pages more. With almost, *done once few pages are left, which a last step copies while
 * it holds the part; without, *done when the copy is whole. Codes as database_copy_step(). */
enum vault_code store_copy_step(struct store_copy *copy, bool almost, bool *done,
                                struct vault_error *err) VAULT_MUST_CHECK;

/* Close it. One that is not whole is worth nothing. Not synced. */
void store_copy_end(struct store_copy **copy);

/* Give the citizen's file to take, under the name "citizens/<xx>/<id>.db". *gone, and nothing is
 * given, if there is no such citizen any more. The decoy is given like anybody. */
enum vault_code store_copy_citizen(struct store *store, const struct citizen_id *id,
                                   file_taker *take, void *context, bool *gone,
                                   struct vault_error *err) VAULT_MUST_CHECK;

/* A copy in a folder, which nobody has open and which is not changed by being looked at. One thread
 * at a time. The keyring is borrowed. */
struct store_frozen;

/* Open its control store. VAULT_NOT_FOUND, VAULT_CORRUPT. */
enum vault_code store_frozen_open(const char *dir, const struct keyring *keyring,
                                  struct store_frozen **out, struct vault_error *err)
    VAULT_MUST_CHECK;
void store_frozen_close(struct store_frozen **frozen);

/* The ids behind after (NULL: from the first) of everybody who has a file, the decoy too, in their
 * order; *count 0 at the end. */
enum vault_code store_frozen_ids(struct store_frozen *frozen, const struct citizen_id *after,
                                 struct citizen_id ids[STORE_COPY_IDS_MAX], size_t *count,
                                 struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_CORRUPT unless every page of the part holds its HMAC. */
enum vault_code store_frozen_check(struct store_frozen *frozen, enum store_part part,
                                   struct vault_error *err) VAULT_MUST_CHECK;

/* The same for a citizen's file, which is theirs; *missing, and nothing is checked, if it is not
 * there, as after an erasure while the copy was made. */
enum vault_code store_frozen_check_citizen(struct store_frozen *frozen, const struct citizen_id *id,
                                           bool *missing, struct vault_error *err) VAULT_MUST_CHECK;

/* Whether the store in a folder has that citizen's file. */
enum vault_code store_has_file(struct store *store, const struct citizen_id *id, bool *has,
                               struct vault_error *err) VAULT_MUST_CHECK;
