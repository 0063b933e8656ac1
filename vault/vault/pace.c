#include "pace.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS 60000

/* A level is in parts: MINUTE_MS of them are one taking, so that per_minute parts come each
 * millisecond. */
struct bucket {
    uint8_t key[PACE_KEY_BYTES];
    size_t key_size;
    int64_t level;
    int64_t full; /* when it was last looked at */
    int64_t at_ms;
};

struct pace {
    pthread_mutex_t mutex;
    size_t room;
    size_t used; /* no bucket behind was ever used */
    struct bucket buckets[];
};

enum vault_code pace_new(size_t room, struct pace **out, struct vault_error *err)
{
    struct pace *pace = calloc(1, sizeof *pace + room * sizeof pace->buckets[0]);
    if (!pace)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    pthread_mutex_init(&pace->mutex, NULL);
    pace->room = room;
    *out = pace;
    return VAULT_OK;
}

void pace_free(struct pace **pace)
{
    struct pace *gone = VAULT_TAKE(*pace);
    if (!gone)
        return;
    pthread_mutex_destroy(&gone->mutex);
    free(gone);
}

static struct bucket *find(struct pace *pace, struct bytes key)
{
    for (size_t i = 0; i < pace->used; i++) {
        struct bucket *bucket = &pace->buckets[i];
        if (bytes_equal((struct bytes){bucket->key, bucket->key_size}, key))
            return bucket;
    }
    return NULL;
}

static void fill(struct bucket *bucket, int64_t per_minute, int64_t now_ms)
{
    const int64_t passed_ms = now_ms - bucket->at_ms;
    bucket->full = per_minute * MINUTE_MS;
    if (passed_ms >= MINUTE_MS * 2)
        bucket->level = bucket->level < 0 ? bucket->level + bucket->full * 2 : bucket->full;
    else
        bucket->level += passed_ms * per_minute;
    if (bucket->level > bucket->full)
        bucket->level = bucket->full;
    bucket->at_ms = now_ms;
}

/* One that was never used, or is full again: whoever it was for is as if they had never come. */
static struct bucket *find_free(struct pace *pace, int64_t now_ms)
{
    if (pace->used < pace->room)
        return &pace->buckets[pace->used++];
    for (size_t i = 0; i < pace->room; i++) {
        struct bucket *bucket = &pace->buckets[i];
        fill(bucket, bucket->full / MINUTE_MS, now_ms);
        if (bucket->level == bucket->full)
            return bucket;
    }
    return NULL;
}

/* The key's bucket, filled up to now; NULL if there is no room for it. */
static struct bucket *bucket_of(struct pace *pace, struct bytes key, int64_t per_minute,
                                int64_t now_ms)
{
    assert(key.size >= 1 && key.size <= PACE_KEY_BYTES);
    assert(per_minute >= 1 && per_minute <= PACE_PER_MINUTE_MAX);
    struct bucket *bucket = find(pace, key);
    if (bucket) {
        fill(bucket, per_minute, now_ms);
        return bucket;
    }
    bucket = find_free(pace, now_ms);
    if (!bucket)
        return NULL;
    *bucket = (struct bucket){.key_size = key.size,
                              .level = per_minute * MINUTE_MS,
                              .full = per_minute * MINUTE_MS,
                              .at_ms = now_ms};
    memcpy(bucket->key, key.data, key.size);
    return bucket;
}

bool pace_take(struct pace *pace, struct bytes key, int64_t per_minute, int64_t amount,
               int64_t now_ms, int64_t *wait_ms)
{
    pthread_mutex_lock(&pace->mutex);
    struct bucket *bucket = bucket_of(pace, key, per_minute, now_ms);
    const bool may = bucket && bucket->level >= MINUTE_MS;
    if (may)
        bucket->level -= amount * MINUTE_MS;
    else
        *wait_ms = bucket ? (MINUTE_MS - bucket->level + per_minute - 1) / per_minute : MINUTE_MS;
    pthread_mutex_unlock(&pace->mutex);
    return may;
}

void pace_owe(struct pace *pace, struct bytes key, int64_t per_minute, int64_t amount,
              int64_t now_ms)
{
    pthread_mutex_lock(&pace->mutex);
    struct bucket *bucket = bucket_of(pace, key, per_minute, now_ms);
    if (bucket)
        bucket->level -= amount * MINUTE_MS;
    pthread_mutex_unlock(&pace->mutex);
}

void pace_return(struct pace *pace, struct bytes key, int64_t amount)
{
    pthread_mutex_lock(&pace->mutex);
    struct bucket *bucket = find(pace, key);
    if (bucket)
        bucket->level += amount * MINUTE_MS;
    pthread_mutex_unlock(&pace->mutex);
}
