#include "vault/bell.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "test.h"
#include "vault/base/clock.h"

#define LONG_MS 20000

static struct bell *bell;

static void begin(void)
{
    assert_done(bell_new(&bell, &test_error));
}

struct sleeper {
    struct bell_waiter waiter;
    pthread_t thread;
    bool rung;
    int64_t slept_ms;
};

static void *sleep_there(void *context)
{
    struct sleeper *sleeper = context;
    const int64_t began_ms = clock_monotonic_ms();
    sleeper->rung = bell_sleep(&sleeper->waiter, LONG_MS);
    sleeper->slept_ms = clock_monotonic_ms() - began_ms;
    return NULL;
}

static void start(struct sleeper *sleeper, const char *key)
{
    assert_done(bell_join(bell, "library", key, &sleeper->waiter, &test_error));
    assert_int_equal(pthread_create(&sleeper->thread, NULL, sleep_there, sleeper), 0);
}

static void stop(struct sleeper *sleeper)
{
    pthread_join(sleeper->thread, NULL);
    bell_leave(&sleeper->waiter);
}

static void test_who_waits_for_it_is_woken_and_nobody_else(void **state)
{
    (void)state;
    struct sleeper two[2];
    struct bell_waiter other;
    begin();
    start(&two[0], "request/1");
    start(&two[1], "request/1");
    assert_done(bell_join(bell, "library", "request/2", &other, &test_error));
    bell_ring(bell, "request/1");
    for (size_t i = 0; i < 2; i++) {
        stop(&two[i]);
        assert_true(two[i].rung);
        assert_true(two[i].slept_ms < LONG_MS / 2);
    }
    assert_false(bell_sleep(&other, 1));
    bell_leave(&other);
    bell_free(&bell);
}

/* What happens between joining and sleeping is not lost. */
static void test_what_rang_before_sleeping_counts_once(void **state)
{
    (void)state;
    struct bell_waiter waiter;
    begin();
    assert_done(bell_join(bell, "library", "a", &waiter, &test_error));
    bell_ring(bell, "a");
    bell_ring(bell, "a");
    assert_true(bell_sleep(&waiter, LONG_MS));
    assert_false(bell_sleep(&waiter, 1));
    bell_leave(&waiter);
    bell_ring(bell, "a");
    bell_free(&bell);
}

static void test_closing_wakes_everybody_now_and_later(void **state)
{
    (void)state;
    struct sleeper sleeper;
    begin();
    start(&sleeper, "a");
    assert_false(bell_is_closed(bell));
    bell_close(bell);
    stop(&sleeper);
    assert_false(sleeper.rung);
    assert_true(sleeper.slept_ms < LONG_MS / 2);
    start(&sleeper, "a");
    stop(&sleeper);
    assert_true(sleeper.slept_ms < LONG_MS / 2);
    assert_true(bell_is_closed(bell));
    bell_free(&bell);
}

static void test_each_owner_has_a_limit_and_all_have_one(void **state)
{
    (void)state;
    static struct bell_waiter waiters[BELL_ALL_MAX];
    struct bell_waiter refused = {0};
    begin();
    for (size_t i = 0; i < BELL_ALL_MAX; i++) {
        char owner[32];
        snprintf(owner, sizeof owner, "service-%zu", i / BELL_OWNER_MAX);
        assert_done(bell_join(bell, owner, "a", &waiters[i], &test_error));
        if (i == BELL_OWNER_MAX - 1)
            assert_fails(VAULT_LIMITED, bell_join(bell, owner, "b", &refused, &test_error));
    }
    assert_fails(VAULT_LIMITED, bell_join(bell, "one more", "a", &refused, &test_error));
    bell_leave(&refused); /* it never joined */
    bell_leave(&waiters[7]);
    assert_done(bell_join(bell, "one more", "a", &waiters[7], &test_error));
    for (size_t i = 0; i < BELL_ALL_MAX; i++)
        bell_leave(&waiters[i]);
    bell_free(&bell);
}

int main(void)
{
    return TEST_RUN(
        test_who_waits_for_it_is_woken_and_nobody_else, test_what_rang_before_sleeping_counts_once,
        test_closing_wakes_everybody_now_and_later, test_each_owner_has_a_limit_and_all_have_one);
}
