#include "freshness.h"

struct freshness freshness_of(int64_t stale_s, int64_t warn_s, int64_t anchored_s,
                              struct freshness_now now)
{
    const int64_t at_s = anchored_s < now.wall_s ? anchored_s : now.wall_s;
    return (struct freshness){
        .stale_s = stale_s,
        .warn_s = warn_s,
        .anchored_s = at_s,
        .anchored_monotonic_ms = now.monotonic_ms - (now.wall_s - at_s) * 1000,
    };
}

void freshness_anchor(struct freshness *freshness, int64_t at_s, struct freshness_now now)
{
    const struct freshness anew = freshness_of(freshness->stale_s, freshness->warn_s, at_s, now);
    if (freshness_age_s(&anew, now) < freshness_age_s(freshness, now))
        *freshness = anew;
}

int64_t freshness_age_s(const struct freshness *freshness, struct freshness_now now)
{
    const int64_t by_wall_s = now.wall_s - freshness->anchored_s;
    const int64_t by_monotonic_s = (now.monotonic_ms - freshness->anchored_monotonic_ms) / 1000;
    return by_wall_s > by_monotonic_s ? by_wall_s : by_monotonic_s;
}

enum freshness_state freshness_state(const struct freshness *freshness, struct freshness_now now)
{
    const int64_t age_s = freshness_age_s(freshness, now);
    if (age_s > freshness->stale_s)
        return FRESHNESS_STALE;
    return age_s > freshness->warn_s ? FRESHNESS_LATE : FRESHNESS_FRESH;
}

const char *freshness_state_name(enum freshness_state state)
{
    static const char *const names[] = {"fresh", "late", "stale"};
    return names[state];
}
