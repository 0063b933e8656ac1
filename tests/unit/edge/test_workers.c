#include "workers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "test.h"

#define STACK_BYTES (256U * 1024)
#define JOBS        200

static atomic_uint ran;
static atomic_uint running;
static atomic_uint most;
static atomic_bool may_end;

static void count(struct job *job)
{
    (void)job;
    atomic_fetch_add(&ran, 1);
}

static void stay(struct job *job)
{
    const unsigned now = atomic_fetch_add(&running, 1) + 1;
    unsigned before = atomic_load(&most);
    while (before < now && !atomic_compare_exchange_weak(&most, &before, now))
        continue;
    while (!atomic_load(&may_end))
        usleep(1000);
    atomic_fetch_sub(&running, 1);
    count(job);
}

static struct workers *begin(unsigned threads)
{
    struct workers *workers = NULL;
    atomic_store(&ran, 0);
    atomic_store(&most, 0);
    atomic_store(&may_end, false);
    assert_done(workers_new(threads, STACK_BYTES, &workers, &test_error));
    return workers;
}

static void test_every_job_runs_once_before_the_end(void **state)
{
    (void)state;
    static struct job jobs[JOBS];
    struct workers *workers = begin(3);
    for (size_t i = 0; i < JOBS; i++) {
        jobs[i].run = count;
        assert_true(workers_give(workers, &jobs[i]));
    }
    workers_end(workers);
    assert_int_equal(atomic_load(&ran), JOBS);
    assert_false(workers_give(workers, &jobs[0]));
    workers_free(&workers);
    assert_null(workers);
    assert_int_equal(atomic_load(&ran), JOBS);
}

static void wait_for_running(unsigned wanted)
{
    while (atomic_load(&running) < wanted)
        usleep(1000);
}

static void test_jobs_that_wait_hold_up_no_other_until_all_threads_are_taken(void **state)
{
    (void)state;
    static struct job jobs[8];
    struct workers *workers = begin(4);
    for (size_t i = 0; i < 8; i++) {
        jobs[i].run = stay;
        assert_true(workers_give(workers, &jobs[i]));
    }
    wait_for_running(4);
    usleep(20000); /* time enough for a fifth */
    assert_int_equal(atomic_load(&most), 4);
    atomic_store(&may_end, true);
    workers_free(&workers);
    assert_int_equal(atomic_load(&ran), 8);
    assert_int_equal(atomic_load(&most), 4);
}

static void test_without_a_thread_a_job_is_not_taken(void **state)
{
    (void)state;
    struct job job = {.run = count};
    struct workers *workers = begin(0);
    assert_false(workers_give(workers, &job));
    workers_free(&workers);
    assert_int_equal(atomic_load(&ran), 0);
}

static void test_none_is_made_where_nothing_is_to_do(void **state)
{
    (void)state;
    struct workers *workers = begin(4);
    workers_free(&workers);
    workers_free(&workers);
}

int main(void)
{
    return TEST_RUN(test_every_job_runs_once_before_the_end,
                    test_jobs_that_wait_hold_up_no_other_until_all_threads_are_taken,
                    test_without_a_thread_a_job_is_not_taken,
                    test_none_is_made_where_nothing_is_to_do);
}
