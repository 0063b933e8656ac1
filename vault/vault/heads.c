#include "heads.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "vault/base/clock.h"

#define SLOTS (HEADS_MAX * 2) /* a power of two: half of them free at least */

struct slot {
    bool used;
    struct citizen_id citizen;
    struct event_chain chain;
    uint64_t index;
};

struct heads {
    pthread_mutex_t mutex;
    pthread_cond_t room;
    size_t count;
    uint64_t filed;     /* the index has every entry below */
    struct slot *slots; /* open addressing, linear probing */
};

enum vault_code heads_new(struct heads **out, struct vault_error *err)
{
    VAULT_AUTO(heads_free) struct heads *heads = calloc(1, sizeof *heads);
    if (!heads)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    pthread_mutex_init(&heads->mutex, NULL);
    clock_condition_init(&heads->room);
    heads->slots = calloc(SLOTS, sizeof *heads->slots);
    if (!heads->slots)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    *out = VAULT_TAKE(heads);
    return VAULT_OK;
}

void heads_free(struct heads **heads)
{
    if (*heads) {
        pthread_cond_destroy(&(*heads)->room);
        pthread_mutex_destroy(&(*heads)->mutex);
        free((*heads)->slots);
        free(*heads);
    }
    *heads = NULL;
}

/* Ids are random, so their first bytes are as good as any hash. */
static size_t home_of(const struct citizen_id *citizen)
{
    uint64_t first;
    memcpy(&first, citizen->bytes, sizeof first);
    return (size_t)(first & (SLOTS - 1));
}

/* The citizen's slot, or the free one where it would be. */
static struct slot *find(const struct heads *heads, const struct citizen_id *citizen)
{
    size_t i = home_of(citizen);
    while (heads->slots[i].used && !citizen_id_equal(&heads->slots[i].citizen, citizen))
        i = (i + 1) & (SLOTS - 1);
    return &heads->slots[i];
}

/* Wait for a free place, unless this citizen has one. Called with the mutex held. */
static bool wait_for_room(struct heads *heads, const struct citizen_id *citizen)
{
    const struct timespec until = clock_deadline(HEADS_WAIT_MS);
    while (heads->count == HEADS_MAX && !find(heads, citizen)->used) {
        if (pthread_cond_timedwait(&heads->room, &heads->mutex, &until) != 0)
            return heads->count < HEADS_MAX;
    }
    return true;
}

enum vault_code heads_put(struct heads *heads, const struct citizen_id *citizen,
                          const struct event_chain *chain, uint64_t index, struct vault_error *err)
{
    pthread_mutex_lock(&heads->mutex);
    /* The index may have been faster than whoever entered: then there is nothing to remember. */
    const bool needed = index >= heads->filed;
    const bool room = !needed || wait_for_room(heads, citizen);
    if (needed && room) {
        struct slot *slot = find(heads, citizen);
        heads->count += !slot->used;
        *slot = (struct slot){true, *citizen, *chain, index};
    }
    pthread_mutex_unlock(&heads->mutex);
    if (!room)
        return vault_fail(err, VAULT_LIMITED, "the index of openings has fallen behind");
    return VAULT_OK;
}

bool heads_have_room(struct heads *heads)
{
    pthread_mutex_lock(&heads->mutex);
    const bool room = heads->count < HEADS_MAX - HEADS_SPARE;
    pthread_mutex_unlock(&heads->mutex);
    return room;
}

bool heads_get(struct heads *heads, const struct citizen_id *citizen, struct event_chain *out)
{
    pthread_mutex_lock(&heads->mutex);
    const struct slot *slot = find(heads, citizen);
    const bool found = slot->used;
    if (found)
        *out = slot->chain;
    pthread_mutex_unlock(&heads->mutex);
    return found;
}

/* Empty a slot and move up what was pushed past it, so that probing still finds everything. */
static void empty_slot(struct heads *heads, size_t hole)
{
    heads->slots[hole].used = false;
    heads->count--;
    for (size_t i = (hole + 1) & (SLOTS - 1); heads->slots[i].used; i = (i + 1) & (SLOTS - 1)) {
        const size_t home = home_of(&heads->slots[i].citizen);
        const size_t from_home = (i - home) & (SLOTS - 1);
        const size_t from_hole = (i - hole) & (SLOTS - 1);
        if (from_home < from_hole)
            continue;
        heads->slots[hole] = heads->slots[i];
        heads->slots[i].used = false;
        hole = i;
    }
}

void heads_forget(struct heads *heads, const struct citizen_id *citizen, uint64_t index)
{
    pthread_mutex_lock(&heads->mutex);
    const struct slot *slot = find(heads, citizen);
    if (heads->filed <= index)
        heads->filed = index + 1;
    if (slot->used && slot->index <= index) {
        empty_slot(heads, (size_t)(slot - heads->slots));
        pthread_cond_signal(&heads->room);
    }
    pthread_mutex_unlock(&heads->mutex);
}
