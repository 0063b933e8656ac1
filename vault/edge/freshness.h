/*
 * freshness - how long ago somebody outside last saw the access log, and what follows from it.
 *
 *     fresh    →  late, after warn_s: the operator is told
 *              →  stale, after stale_s: nothing is released
 *     any      →  fresh, with the next anchor
 *
 * Time is the wall clock's, and at least what the monotonic clock says has gone by: setting the
 * clock back keeps nothing fresh. A value; its owner's lock guards it.
 */
#pragma once

#include <stdint.h>

enum freshness_state { FRESHNESS_FRESH, FRESHNESS_LATE, FRESHNESS_STALE };

struct freshness {
    int64_t stale_s;
    int64_t warn_s;
    int64_t anchored_s;
    int64_t anchored_monotonic_ms;
};

/* An instant by both clocks. */
struct freshness_now {
    int64_t wall_s;
    int64_t monotonic_ms;
};

/* The last anchor was at anchored_s: as remembered, so not in the future. */
struct freshness freshness_of(int64_t stale_s, int64_t warn_s, int64_t anchored_s,
                              struct freshness_now now);

/* An anchor of a time, which may be a little ago. One older than the last changes nothing. */
void freshness_anchor(struct freshness *freshness, int64_t at_s, struct freshness_now now);

int64_t freshness_age_s(const struct freshness *freshness, struct freshness_now now);
enum freshness_state freshness_state(const struct freshness *freshness, struct freshness_now now);

/* "fresh", "late", "stale". */
const char *freshness_state_name(enum freshness_state state);
