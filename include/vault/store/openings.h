/*
 * openings - for each citizen, where their entries are in the access log, and how to read them.
 *
 * An entry in the log is commitments. Its opening, the salts and clear contents, is a text sealed
 * under the citizen's key (citizen_seal_key()), which the log carries too. This index finds it
 * again: by citizen and the citizen's own count n. A background indexer fills it in batches from
 * the log and each batch moves the position; a crash loses at most the last batches, the position
 * with them, and the indexer goes on from there. Once it is settled, the log may forget its copies.
 *
 * The head of a citizen, the last n and that entry's leaf hash, is what the next entry links back
 * to. It outlives the openings, which go after their time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/hash.h"
#include "vault/store/citizen.h"
#include "vault/store/feed.h"

#define OPENINGS_BATCH_MAX        8192
#define OPENINGS_SEALED_MAX_BYTES (16UL * 1024)
#define OPENINGS_LIST_MAX         1000

struct openings_row {
    struct citizen_id citizen;
    uint64_t n;                 /* the citizen's own count, from 1 */
    uint64_t index;             /* of the entry in the log, from 0 */
    int64_t time_ms;            /* of the entry */
    uint8_t leaf[SHA256_BYTES]; /* the entry's leaf hash */
    struct bytes sealed;        /* borrowed */
    struct feed_row feed;       /* what is filed with it; FEED_NOTHING: nothing. Only to add. */
};

/*
 * Take in what the log has from the current position up to, not including, next_index: the openings
 * among those entries in the log's order (none is fine), in one transaction with the position.
 *
 * VAULT_CONFLICT  next_index is behind the position: somebody else was here
 * VAULT_INVALID   an opening is outside that stretch, out of order, or its n does not follow its
 *                 citizen's head (the first one known may have any n: older ones are pruned)
 */
enum vault_code openings_add(struct store *store, const struct openings_row openings[],
                             size_t count, uint64_t next_index, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The openings from the position up to next_index are lost, as after a backup was restored and the
 * journal that had them is gone: go on behind them. A citizen's count may leap over the gap.
 * VAULT_CONFLICT as above. */
enum vault_code openings_skip(struct store *store, uint64_t next_index, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Make all that was taken in durable. */
enum vault_code openings_settle(struct store *store, struct vault_error *err) VAULT_MUST_CHECK;

/* The index of the first entry not taken in. */
enum vault_code openings_position(struct store *store, uint64_t *next_index,
                                  struct vault_error *err) VAULT_MUST_CHECK;

/* The citizen's last n and its entry's leaf hash; 0 and zeros if they have none. */
enum vault_code openings_head(struct store *store, const struct citizen_id *citizen, uint64_t *n,
                              uint8_t leaf[SHA256_BYTES], struct vault_error *err) VAULT_MUST_CHECK;

/* One opening in a list; borrowed for the call. A code other than VAULT_OK ends the list, which
 * then returns it. */
typedef enum vault_code openings_each(void *context, const struct openings_row *opening,
                                      struct vault_error *err);

/* The citizen's openings with n < before_n (0: all), newest first, at most limit (1 to
 * OPENINGS_LIST_MAX). They follow each other from the last one on, since what goes goes from the
 * oldest on: VAULT_CORRUPT where one is missing, as after somebody put back a part of what
 * the engine keeps that stood there before. */
enum vault_code openings_list(struct store *store, const struct citizen_id *citizen,
                              uint64_t before_n, size_t limit, openings_each *each, void *context,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* The opening of one entry of the log. VAULT_NOT_FOUND. */
enum vault_code openings_get(struct store *store, uint64_t index, openings_each *each,
                             void *context, struct vault_error *err) VAULT_MUST_CHECK;

/* Of the openings from an index of the log on, at most limit of them: how many are from before a
 * time, and the index behind the last of those. */
enum vault_code openings_before(struct store *store, int64_t time_ms, uint64_t from, size_t limit,
                                uint64_t *end, uint64_t *count, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Remove openings of entries before index, at most limit at a time; *gone is how many. Heads stay.
 * Call again until *gone is smaller than limit. */
enum vault_code openings_prune(struct store *store, uint64_t index, size_t limit, uint64_t *gone,
                               struct vault_error *err) VAULT_MUST_CHECK;

/* Forget everything, position, heads and figures too, to build it again from the log. */
enum vault_code openings_reset(struct store *store, struct vault_error *err) VAULT_MUST_CHECK;
