/*
 * bell - a caller waits for something to happen to one thing, and is woken when it does.
 *
 * Who waits names the thing by a key, such as "request/ID", and looks at it after having begun to
 * wait: what happens from then on rings. Nothing is polled. How many may wait is bounded, in all
 * and for each owner (a service). Once the bell is closed nobody waits any more.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "vault/base/error.h"

#define BELL_KEY_CHARS   96
#define BELL_OWNER_CHARS 64
#define BELL_OWNER_MAX   256 /* that wait for one owner */
#define BELL_ALL_MAX     2000

struct bell;

/* One who waits. Lives until bell_leave(). */
struct bell_waiter {
    struct bell *bell; /* NULL: does not wait */
    struct bell_waiter *next;
    struct bell_waiter *previous;
    pthread_cond_t rung_now;
    bool rung;
    char owner[BELL_OWNER_CHARS + 1];
    char key[BELL_KEY_CHARS + 1];
};

enum vault_code bell_new(struct bell **out, struct vault_error *err) VAULT_MUST_CHECK;

/* Nobody waits. */
void bell_free(struct bell **bell);

/* Begin to wait. VAULT_LIMITED if too many do. */
enum vault_code bell_join(struct bell *bell, const char *owner, const char *key,
                          struct bell_waiter *waiter, struct vault_error *err) VAULT_MUST_CHECK;

/* Sleep until it rings or was rung since the last call. False if it did not for that long, or the
 * bell is closed. */
bool bell_sleep(struct bell_waiter *waiter, int64_t wait_ms);

/* Wait no more. One that never joined is fine. */
void bell_leave(struct bell_waiter *waiter);

/* It happened. */
void bell_ring(struct bell *bell, const char *key);

/* Wake everybody, now and from now on. */
void bell_close(struct bell *bell);
bool bell_is_closed(struct bell *bell);
