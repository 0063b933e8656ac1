/*
 * Every allocation and every call of the system of a start and a stop, of a batch of the log and of
 * what the vault does by itself fails once in turn: nothing leaks, the next start works, and has
 * all that was acknowledged.
 *
 * torture_run.h says how many of them, and how to look at one.
 */
#include "test_torture.h"
#include "torture_run.h"
#include "torture_world.h"

#include "vault/indexer.h"
#include "vault/keeper.h"
#include "vault/parts.h"

#define BATCH_SIZE 8

/* --- A batch of the log --------------------------------------------------------------------- */

static struct ledger_ticket tickets[BATCH_SIZE];

/* Entered one after the other and made durable together, then published. */
static void run_entries(void)
{
    const struct entry entry = {.event = ENTRY_ADMIN};
    struct ledger *ledger = world.test.vault->ledger;
    uint64_t entered = 0;
    for (unsigned i = 0; i < BATCH_SIZE && !torture_code; i++, entered += !torture_code)
        torture_code =
            ledger_enqueue(ledger, &entry, (struct bytes){0}, &tickets[i], &torture_said);
    for (unsigned i = 0; i < entered; i++) {
        const enum vault_code waited = ledger_wait(ledger, &tickets[i], &torture_said);
        world.acknowledged[ENTRY_ADMIN] += waited == VAULT_OK;
        torture_code = waited ? waited : torture_code;
    }
    if (!torture_struck())
        world_settle();
}

static void check_entries(void)
{
    torture_assert_said();
    world_go_on();
    assert_int_equal(world_released(), 2);
}

static void test_a_batch_of_the_log(void **state)
{
    (void)state;
    const struct operation operation = {
        .name = "entries", .run = run_entries, .check = check_entries, .sample = {10, 10}};
    torture(&operation);
}

/* --- A start, and a stop -------------------------------------------------------------------- */

static void stop_before(void)
{
    world_close();
}

/* As kill -9 leaves it: what is open is copied, and the copy is what is started. Its last entry is
 * not filed yet. Nothing is under way while it is copied, since a kill has a moment, and a copy has
 * none. */
static void crash_before(void)
{
    char command[PATH_MAX * 4];
    struct vault *vault = world.test.vault;
    const uint64_t size = ledger_head(vault->ledger).size;
    assert_done(indexer_wait(vault->indexer, size, WORLD_WAIT_MS, &test_error));
    assert_done(indexer_limit(vault->indexer, size, WORLD_WAIT_MS, &test_error));
    assert_int_equal(world_released(), 2);
    assert_done(ledger_wait_published(vault->ledger, size + 1, WORLD_WAIT_MS, &test_error));
    snprintf(command, sizeof command, "rm -rf '%s.copy' && cp -a '%s' '%s.copy'", world.test.dir,
             world.test.dir, world.test.dir);
    assert_int_equal(system(command), 0); /* folders of our own */
    world_close();
    snprintf(command, sizeof command, "rm -rf '%s' && mv '%s.copy' '%s'", world.test.dir,
             world.test.dir, world.test.dir);
    assert_int_equal(system(command), 0);
}

/* A start that fails says why, and leaves nothing open. */
static void run_start(void)
{
    struct vault *vault = NULL;
    torture_code = vault_open(&world.test.options, &vault, &torture_said);
    if (torture_code)
        assert_null(vault);
    vault_close(&vault);
}

static void check_start(void)
{
    torture_assert_said();
    world_open();
    assert_int_equal(world_released(), 2);
}

static void test_a_start_and_a_stop(void **state)
{
    (void)state;
    const struct operation operation = {.name = "start and stop",
                                        .prepare = stop_before,
                                        .run = run_start,
                                        .check = check_start,
                                        .sample = {4, 6}};
    torture(&operation);
}

static void test_a_start_after_a_crash(void **state)
{
    (void)state;
    const struct operation operation = {.name = "start after a crash",
                                        .prepare = crash_before,
                                        .run = run_start,
                                        .check = check_start,
                                        .sample = {2, 4}};
    torture(&operation);
}

/* --- What the vault does by itself ---------------------------------------------------------- */

static void run_chores(void)
{
    torture_code = keeper_run(world.test.vault, &torture_said);
    if (!torture_struck())
        world_settle();
}

/* One that failed is done with the next turn. */
static void check_chores(void)
{
    torture_assert_said();
    world_go_on();
    assert_done(keeper_run(world.test.vault, &test_error));
    assert_int_equal(world_released(), 2);
}

static void test_the_chores(void **state)
{
    (void)state;
    const struct operation operation = {
        .name = "chores", .run = run_chores, .check = check_chores, .sample = {4, 6}};
    torture(&operation);
}

int test_chores(void)
{
    return TEST_RUN(test_a_batch_of_the_log, test_the_chores);
}

int test_start(void)
{
    return TEST_RUN(test_a_start_and_a_stop);
}

int test_restart(void)
{
    return TEST_RUN(test_a_start_after_a_crash);
}
