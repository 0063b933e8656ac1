#include "handles.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "vault/crypto/secret.h"

#define DESCRIPTORS_ELSEWHERE 256 /* for connections, the log and the rest of the program */

static struct citizen **bucket_of(struct handles *handles, const struct citizen_id *id)
{
    /* Ids are random already; the seed keeps the buckets unguessable all the same. */
    uint64_t number = 0;
    memcpy(&number, id->bytes, sizeof number);
    number = (number ^ handles->hash_seed) * 0x9e3779b97f4a7c15U;
    return &handles->buckets[(number >> 32) & (handles->bucket_count - 1)];
}

static struct citizen *find(struct handles *handles, const struct citizen_id *id)
{
    struct citizen *citizen = *bucket_of(handles, id);
    while (citizen && !citizen_id_equal(&citizen->id, id))
        citizen = citizen->chain;
    return citizen;
}

static void order_remove(struct handles *handles, struct citizen *citizen)
{
    *(citizen->older ? &citizen->older->newer : &handles->oldest) = citizen->newer;
    *(citizen->newer ? &citizen->newer->older : &handles->newest) = citizen->older;
    citizen->newer = NULL;
    citizen->older = NULL;
}

static void order_add_newest(struct handles *handles, struct citizen *citizen)
{
    citizen->older = handles->newest;
    *(handles->newest ? &handles->newest->newer : &handles->oldest) = citizen;
    handles->newest = citizen;
}

static struct citizen *place_take(struct handles *handles, const struct citizen_id *id)
{
    struct citizen *citizen = handles->free;
    struct citizen **bucket = bucket_of(handles, id);
    handles->free = citizen->chain;
    citizen->id = *id;
    citizen->chain = *bucket;
    *bucket = citizen;
    order_add_newest(handles, citizen);
    handles->stats.open_citizens++;
    return citizen;
}

static void place_give_up(struct handles *handles, struct citizen *citizen)
{
    struct citizen **link = bucket_of(handles, &citizen->id);
    while (*link != citizen)
        link = &(*link)->chain;
    *link = citizen->chain;
    order_remove(handles, citizen);
    citizen->chain = handles->free;
    handles->free = citizen;
    handles->stats.open_citizens--;
}

void handles_shut(struct citizen *citizen)
{
    citizen_cache_set(citizen, NULL, NULL);
    values_forget(&citizen->kept);
    database_close(&citizen->database);
    secret_free(&citizen->seal_key);
    citizen->exists = false;
    citizen->changing = false;
    citizen->log_n_max = CITIZEN_UNKNOWN;
    citizen->record_count = CITIZEN_UNKNOWN;
}

/* With the lock held: wait for a signal until the deadline. */
static bool wait_until(struct handles *handles, pthread_cond_t *signal,
                       const struct timespec *deadline)
{
    return pthread_cond_timedwait(signal, &handles->mutex, deadline) != ETIMEDOUT;
}

/* Wait for one's turn at a place. Whoever lets go hands it to a waiter, so that newcomers do not
 * get in between. */
static bool turn_comes(struct handles *handles, struct citizen *citizen,
                       const struct timespec *deadline)
{
    citizen->waiting++;
    while (!citizen->handed_on && wait_until(handles, &citizen->turn, deadline)) {
    }
    citizen->waiting--;
    const bool mine = citizen->handed_on;
    citizen->handed_on = false;
    return mine;
}

/* Pass a held place on to a waiter; false if there is none. */
static bool hand_on(struct citizen *citizen)
{
    if (!citizen->waiting)
        return false;
    citizen->handed_on = true;
    pthread_cond_signal(&citizen->turn);
    return true;
}

/* Close the open file that was not held for the longest time. False if every one is held. */
static bool make_room(struct handles *handles)
{
    struct citizen *victim = handles->oldest;
    while (victim && victim->held)
        victim = victim->newer;
    if (!victim)
        return false;
    victim->held = true;
    pthread_mutex_unlock(&handles->mutex);
    handles_shut(victim);
    pthread_mutex_lock(&handles->mutex);
    handles->stats.evictions++;
    if (hand_on(victim))
        return true; /* somebody wants this one back: look again */
    victim->held = false;
    place_give_up(handles, victim);
    return true;
}

/* Take a place that is there, when it is free. */
static struct citizen *place_join(struct handles *handles, struct citizen *citizen,
                                  const struct timespec *deadline)
{
    if (citizen->held && !turn_comes(handles, citizen, deadline))
        return NULL;
    order_remove(handles, citizen);
    order_add_newest(handles, citizen);
    return citizen;
}

static struct citizen *hold_locked(struct handles *handles, const struct citizen_id *id,
                                   const struct timespec *deadline)
{
    for (;;) {
        struct citizen *citizen = find(handles, id);
        if (citizen)
            return place_join(handles, citizen, deadline);
        if (handles->free)
            return place_take(handles, id);
        if (!make_room(handles) && !wait_until(handles, &handles->freed, deadline))
            return NULL;
    }
}

static struct timespec deadline_in(int64_t wait_ms)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += wait_ms / 1000;
    deadline.tv_nsec += wait_ms % 1000 * 1000000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000;
    }
    return deadline;
}

enum vault_code handles_hold(struct handles *handles, const struct citizen_id *id,
                             struct citizen **out, struct vault_error *err)
{
    pthread_mutex_lock(&handles->mutex);
    const struct timespec deadline = deadline_in(handles->wait_ms);
    struct citizen *citizen = hold_locked(handles, id, &deadline);
    if (citizen) {
        citizen->held = true;
        (*(citizen->database ? &handles->stats.hits : &handles->stats.misses))++;
    }
    pthread_mutex_unlock(&handles->mutex);
    if (!citizen)
        return vault_fail(err, VAULT_UNAVAILABLE,
                          "a citizen's file was in use for the whole wait of %lld ms",
                          (long long)handles->wait_ms);
    *out = citizen;
    return VAULT_OK;
}

struct citizen *handles_hold_open(struct handles *handles, const struct citizen_id *id)
{
    pthread_mutex_lock(&handles->mutex);
    struct citizen *citizen = find(handles, id);
    if (citizen && (citizen->held || !citizen->database))
        citizen = NULL;
    if (citizen) {
        order_remove(handles, citizen);
        order_add_newest(handles, citizen);
        citizen->held = true;
        handles->stats.hits++;
    }
    pthread_mutex_unlock(&handles->mutex);
    return citizen;
}

void handles_let_go(struct citizen *citizen)
{
    struct handles *handles = citizen->handles;
    if (citizen->database && database_is_broken(citizen->database))
        handles_shut(citizen);
    pthread_mutex_lock(&handles->mutex);
    if (citizen->stale) {
        citizen->stale = false;
        pthread_mutex_unlock(&handles->mutex);
        handles_shut(citizen);
        pthread_mutex_lock(&handles->mutex);
    }
    if (!hand_on(citizen)) {
        citizen->held = false;
        if (!citizen->database)
            place_give_up(handles, citizen);
        pthread_cond_signal(&handles->freed);
    }
    pthread_mutex_unlock(&handles->mutex);
}

void handles_forget(struct handles *handles, const struct citizen_id *id)
{
    pthread_mutex_lock(&handles->mutex);
    struct citizen *citizen = find(handles, id);
    const bool free_now = citizen && !citizen->held;
    if (citizen) {
        citizen->held = true;
        citizen->stale = true;
    }
    pthread_mutex_unlock(&handles->mutex);
    if (free_now)
        handles_let_go(citizen);
}

struct store_stats handles_stats(struct handles *handles)
{
    pthread_mutex_lock(&handles->mutex);
    struct store_stats stats = handles->stats;
    stats.open_citizens_max = handles->places_count;
    pthread_mutex_unlock(&handles->mutex);
    return stats;
}

static void place_make(struct handles *handles, struct citizen *citizen,
                       const pthread_condattr_t *attributes)
{
    pthread_cond_init(&citizen->turn, attributes);
    citizen->handles = handles;
    citizen->log_n_max = CITIZEN_UNKNOWN;
    citizen->record_count = CITIZEN_UNKNOWN;
    citizen->chain = handles->free;
    handles->free = citizen;
}

/* As many as were asked for, or as the process has descriptors for: a file and its journal each. */
static size_t places_possible(size_t wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        limit.rlim_cur >= DESCRIPTORS_ELSEWHERE + 2 * wanted)
        return wanted;
    return limit.rlim_cur > DESCRIPTORS_ELSEWHERE + 2
               ? (size_t)(limit.rlim_cur - DESCRIPTORS_ELSEWHERE) / 2
               : 1;
}

enum vault_code handles_start(struct handles *handles, const struct store_options *options,
                              struct vault_error *err)
{
    const size_t wanted = options->open_citizens_max;
    const size_t count = places_possible(wanted ? wanted : STORE_OPEN_CITIZENS_DEFAULT);
    if (wanted > STORE_OPEN_CITIZENS_MAX)
        return vault_fail(err, VAULT_INVALID, "at most %d citizens can be open at a time",
                          STORE_OPEN_CITIZENS_MAX);
    handles->bucket_count = 1;
    while (handles->bucket_count < count)
        handles->bucket_count *= 2;
    handles->places = calloc(count, sizeof *handles->places);
    handles->buckets = calloc(handles->bucket_count, sizeof(struct citizen *));
    if (!handles->places || !handles->buckets)
        return vault_fail(err, VAULT_NO_MEMORY, "no memory for %zu open citizens", count);
    handles->wait_ms =
        options->acquire_wait_ms > 0 ? options->acquire_wait_ms : STORE_ACQUIRE_WAIT_MS;
    random_bytes(&handles->hash_seed, sizeof handles->hash_seed);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&handles->mutex, NULL);
    pthread_cond_init(&handles->freed, &attributes);
    for (handles->places_count = 0; handles->places_count < count; handles->places_count++)
        place_make(handles, &handles->places[handles->places_count], &attributes);
    pthread_condattr_destroy(&attributes);
    return VAULT_OK;
}

void handles_finish(struct handles *handles)
{
    for (size_t i = 0; i < handles->places_count; i++) {
        assert(!handles->places[i].held);
        handles_shut(&handles->places[i]);
        pthread_cond_destroy(&handles->places[i].turn);
    }
    if (handles->places_count) {
        pthread_mutex_destroy(&handles->mutex);
        pthread_cond_destroy(&handles->freed);
    }
    free(handles->places);
    free(handles->buckets);
    *handles = (struct handles){0};
}
