/*
 * Random changes against a model: alone, with others at once, and killed.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_test.h"
#include "world.h"

#define THREADS 8

static unsigned steps_each = 1500;
static unsigned kills = 12;

static void assert_holds(const struct world *world, const struct world_model *model)
{
    char difference[128];
    if (!world_holds(world, model, difference))
        fail_msg("after \"%s\": %s", world->step, difference);
}

static void step(struct world *world)
{
    const enum vault_code code = world_step(world, &test_error);
    if (code != world->expected)
        fail_msg("%s: %s, not %s: %s", world->step, vault_code_name(code),
                 vault_code_name(world->expected), test_error.text);
}

static void test_random_changes_add_up(void **state)
{
    (void)state;
    struct world world;
    fresh_store();
    world_begin(&world, store, 0, 1);
    for (unsigned i = 0; i < steps_each; i++) {
        step(&world);
        if (i % 10 == 0)
            assert_holds(&world, &world.model);
    }
    reopen_store();
    world.store = store;
    assert_holds(&world, &world.model);
}

static void *live(void *context)
{
    struct world *world = context;
    for (unsigned i = 0; i < steps_each / 4; i++) {
        char difference[128];
        if (world_step(world, NULL) != world->expected ||
            (i % 10 == 0 && !world_holds(world, &world->model, difference)))
            return context;
    }
    return NULL;
}

/* Few places, so that what is open is closed and opened again all the time. */
static void test_worlds_at_once_do_not_see_each_other(void **state)
{
    (void)state;
    const struct store_options few = {.open_citizens_max = THREADS + 2, .acquire_wait_ms = 60000};
    static struct world worlds[THREADS];
    pthread_t threads[THREADS];
    fresh_store_with(&few);
    for (unsigned i = 0; i < THREADS; i++) {
        world_begin(&worlds[i], store, i, 7);
        assert_int_equal(pthread_create(&threads[i], NULL, live, &worlds[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        if (failed)
            fail_msg("world %u went wrong at \"%s\"", i, worlds[i].step);
    }
    for (unsigned i = 0; i < THREADS; i++)
        assert_holds(&worlds[i], &worlds[i].model);
}

/* In a process of its own: says each step that is done. */
static void live_and_tell(int to, uint64_t seed)
{
    struct world world;
    if (store_open(store_dir, keyring, NULL, &store, NULL))
        _exit(1);
    world_begin(&world, store, 0, seed);
    for (;;) {
        if (world_step(&world, NULL) != world.expected || write(to, "x", 1) != 1)
            _exit(2);
    }
}

static unsigned live_until_killed(uint64_t seed, unsigned enough)
{
    int ends[2];
    char byte = 0;
    int status = 0;
    unsigned told = 0;
    store_close(&store);
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        live_and_tell(ends[1], seed);
    }
    close(ends[1]);
    while (read(ends[0], &byte, 1) == 1) {
        if (++told == enough)
            assert_int_equal(kill(child, SIGKILL), 0);
    }
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    return told;
}

/* What was told is there, and of the one step that was not, all or nothing. */
static void test_a_killed_store_holds_all_that_was_told(void **state)
{
    (void)state;
    for (unsigned i = 0; i < kills; i++) {
        struct world world;
        char difference[128];
        fresh_store();
        const unsigned told = live_until_killed(100 + i, 40 + 23 * i);
        world_begin(&world, NULL, 0, 100 + i);
        for (unsigned k = 0; k < told; k++)
            (void)!world_step(&world, NULL);
        const struct world_model before = world.model;
        (void)!world_step(&world, NULL);
        open_store_with(NULL);
        world.store = store;
        if (!world_holds(&world, &before, difference))
            assert_holds(&world, &world.model);
    }
}

int main(void)
{
    const char *is_long = getenv("VAULT_TESTS_LONG");
    if (is_long && strcmp(is_long, "1") == 0) {
        steps_each = 20000;
        kills = 200;
    }
    store_test_start();
    const int failed =
        TEST_RUN(test_random_changes_add_up, test_worlds_at_once_do_not_see_each_other,
                 test_a_killed_store_holds_all_that_was_told);
    finish_store();
    return failed;
}
