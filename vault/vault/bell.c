#include "bell.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vault/base/clock.h"

struct bell {
    pthread_mutex_t mutex;
    struct bell_waiter *first;
    size_t count;
    bool closed;
};

enum vault_code bell_new(struct bell **out, struct vault_error *err)
{
    struct bell *bell = calloc(1, sizeof *bell);
    if (!bell)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    pthread_mutex_init(&bell->mutex, NULL);
    *out = bell;
    return VAULT_OK;
}

void bell_free(struct bell **bell)
{
    struct bell *gone = VAULT_TAKE(*bell);
    if (!gone)
        return;
    assert(!gone->first);
    pthread_mutex_destroy(&gone->mutex);
    free(gone);
}

static size_t count_of(const struct bell *bell, const char *owner)
{
    size_t count = 0;
    for (const struct bell_waiter *w = bell->first; w; w = w->next)
        count += strcmp(w->owner, owner) == 0;
    return count;
}

enum vault_code bell_join(struct bell *bell, const char *owner, const char *key,
                          struct bell_waiter *waiter, struct vault_error *err)
{
    assert(strlen(owner) <= BELL_OWNER_CHARS && strlen(key) <= BELL_KEY_CHARS);
    memset(waiter, 0, sizeof *waiter);
    snprintf(waiter->owner, sizeof waiter->owner, "%s", owner);
    snprintf(waiter->key, sizeof waiter->key, "%s", key);
    pthread_mutex_lock(&bell->mutex);
    const bool has_room =
        bell->count < BELL_ALL_MAX && count_of(bell, waiter->owner) < BELL_OWNER_MAX;
    if (has_room) {
        clock_condition_init(&waiter->rung_now);
        waiter->bell = bell;
        waiter->next = bell->first;
        if (bell->first)
            bell->first->previous = waiter;
        bell->first = waiter;
        bell->count++;
    }
    pthread_mutex_unlock(&bell->mutex);
    return has_room ? VAULT_OK : vault_fail(err, VAULT_LIMITED, "too many calls wait already");
}

bool bell_sleep(struct bell_waiter *waiter, int64_t wait_ms)
{
    struct bell *bell = waiter->bell;
    const struct timespec until = clock_deadline(wait_ms);
    int waited = 0;
    pthread_mutex_lock(&bell->mutex);
    while (!waiter->rung && !bell->closed && waited == 0)
        waited = pthread_cond_timedwait(&waiter->rung_now, &bell->mutex, &until);
    const bool rung = waiter->rung && !bell->closed;
    waiter->rung = false;
    pthread_mutex_unlock(&bell->mutex);
    return rung;
}

void bell_leave(struct bell_waiter *waiter)
{
    struct bell *bell = VAULT_TAKE(waiter->bell);
    if (!bell)
        return;
    pthread_mutex_lock(&bell->mutex);
    if (waiter->next)
        waiter->next->previous = waiter->previous;
    if (waiter->previous)
        waiter->previous->next = waiter->next;
    else
        bell->first = waiter->next;
    bell->count--;
    pthread_mutex_unlock(&bell->mutex);
    pthread_cond_destroy(&waiter->rung_now);
}

void bell_ring(struct bell *bell, const char *key)
{
    pthread_mutex_lock(&bell->mutex);
    for (struct bell_waiter *w = bell->first; w; w = w->next) {
        if (strcmp(w->key, key) != 0)
            continue;
        w->rung = true;
        pthread_cond_signal(&w->rung_now);
    }
    pthread_mutex_unlock(&bell->mutex);
}

void bell_close(struct bell *bell)
{
    pthread_mutex_lock(&bell->mutex);
    bell->closed = true;
    for (struct bell_waiter *w = bell->first; w; w = w->next)
        pthread_cond_signal(&w->rung_now);
    pthread_mutex_unlock(&bell->mutex);
}

bool bell_is_closed(struct bell *bell)
{
    pthread_mutex_lock(&bell->mutex);
    const bool closed = bell->closed;
    pthread_mutex_unlock(&bell->mutex);
    return closed;
}
