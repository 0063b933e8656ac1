#include <execinfo.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "torture_parts.h"

#define PLACES_MAX (1U << 16)
#define NEARS_MAX  (1U << 18)
#define HASH_BEGIN 14695981039346656037U
#define HASH_STEP  1099511628211U

/* A call, by one way: a hash of its callers' addresses, up to the thread's first, or up to who has
 * the work done. */
struct place {
    uint64_t way_in;
    size_t near;
    unsigned ways;   /* in so many ways it can fail */
    unsigned wanted; /* in so many it is to */
    unsigned failed; /* in so many it did */
};

/* To find all callers takes long. The caller next to it and how deep the stack is are at hand, and
 * nearly always say which place it is: where no place near is to fail, there is no need to look.
 * What that misses is found when all are looked at. */
struct near {
    uint64_t key;
    unsigned open; /* places that are to fail still */
};

static struct {
    atomic_flag busy;
    bool wants_all;
    unsigned count;
    struct place places[PLACES_MAX];
    uint32_t by_way_in[PLACES_MAX * 2]; /* the number of a place, and one; 0: none */
    unsigned near_count;
    struct near nears[NEARS_MAX];
} known = {.busy = ATOMIC_FLAG_INIT};

static _Thread_local const char *stack_begin;

/* Who has the work done, and their callers: they are no part of the way. */
static void *outer[TORTURE_FRAMES_MAX];
static int outer_count;

/* --- Where it is ---------------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, uint64_t more)
{
    return (hash ^ more) * HASH_STEP;
}

static void full(const char *of_what)
{
    fprintf(stderr, "torture: no room for more %s\n", of_what);
    abort();
}

static uint64_t way_in_now(void)
{
    void *frames[TORTURE_FRAMES_MAX];
    int count = backtrace(frames, TORTURE_FRAMES_MAX);
    uint64_t hash = HASH_BEGIN;
    if (count == TORTURE_FRAMES_MAX)
        full("callers");
    for (int i = outer_count; count && i && frames[count - 1] == outer[i - 1]; i--)
        count--;
    for (int i = 0; i < count; i++)
        hash = mix(hash, (uintptr_t)frames[i]);
    return hash;
}

static uint64_t near_now(const void *caller)
{
    const char *here = __builtin_frame_address(0);
    return mix(mix(HASH_BEGIN, (uintptr_t)caller), (uint64_t)(stack_begin - here)) | 1;
}

void torture_places_thread(void)
{
    stack_begin = __builtin_frame_address(0);
}

void torture_places_begin(void)
{
    torture_places_thread();
    outer_count = backtrace(outer, TORTURE_FRAMES_MAX);
}

/* --- Which there are ------------------------------------------------------------------------ */

/* Not a mutex: a sanitizer looks at those. */
void torture_places_lock(void)
{
    while (atomic_flag_test_and_set_explicit(&known.busy, memory_order_acquire))
        sched_yield();
}

void torture_places_unlock(void)
{
    atomic_flag_clear_explicit(&known.busy, memory_order_release);
}

static size_t near_of(uint64_t key)
{
    size_t i = key % NEARS_MAX;
    while (known.nears[i].key && known.nears[i].key != key)
        i = (i + 1) % NEARS_MAX;
    return i;
}

static void want(struct place *place, unsigned ways)
{
    const bool was_open = place->failed < place->wanted;
    place->wanted = ways;
    if (!was_open && place->failed < ways)
        known.nears[place->near].open++;
}

static struct place *place_of(uint64_t way_in, size_t near, const struct call *call)
{
    size_t i = way_in % (PLACES_MAX * 2);
    while (known.by_way_in[i] && known.places[known.by_way_in[i] - 1].way_in != way_in)
        i = (i + 1) % (PLACES_MAX * 2);
    if (known.by_way_in[i])
        return &known.places[known.by_way_in[i] - 1];
    if (known.count == PLACES_MAX)
        full("places");
    struct place *place = &known.places[known.count];
    *place = (struct place){.way_in = way_in, .near = near, .ways = call->way_count};
    known.by_way_in[i] = ++known.count;
    if (known.wants_all)
        want(place, place->ways);
    return place;
}

bool torture_place_fails(const struct call *call, const void *caller, enum torture_look look,
                         unsigned *turn)
{
    const uint64_t key = near_now(caller);
    const size_t near = near_of(key);
    const bool is_new = !known.nears[near].key;
    if (look == TORTURE_NEAR && !is_new && !known.nears[near].open)
        return false;
    if (is_new && ++known.near_count > NEARS_MAX / 2)
        full("callers");
    known.nears[near].key = key;
    struct place *place = place_of(way_in_now(), near, call);
    if (look == TORTURE_LEARN || place->failed >= place->wanted)
        return false;
    *turn = place->failed++;
    if (place->failed == place->wanted)
        known.nears[place->near].open--;
    return true;
}

/* --- Which are to fail ---------------------------------------------------------------------- */

void torture_forget(void)
{
    known.count = known.near_count = 0;
    known.wants_all = false;
    memset(known.by_way_in, 0, sizeof known.by_way_in);
    memset(known.nears, 0, sizeof known.nears);
}

void torture_want(unsigned place)
{
    want(&known.places[place], 1);
}

void torture_want_all(void)
{
    known.wants_all = true;
    for (unsigned i = 0; i < known.count; i++)
        want(&known.places[i], known.places[i].ways);
}

struct torture_sum torture_sum(void)
{
    struct torture_sum sum = {.places = known.count};
    for (unsigned i = 0; i < known.count; i++) {
        const struct place *place = &known.places[i];
        sum.failed += place->failed > 0;
        sum.ways += place->ways;
        sum.ways_failed += place->failed;
        sum.left += place->failed < place->wanted;
    }
    return sum;
}
