/* What a ledger finds at its start: another process, an older state, what a crash left. */
#include "ledger_test.h"

#include <stdlib.h>

static void test_the_log_goes_on_where_it_stopped(void **state)
{
    (void)state;
    make();
    append_many(3);
    const struct ledger_head head = ledger_head(ledger);
    stop();
    for (uint64_t round = 1; round <= 3; round++) {
        open_log();
        const struct ledger_head now = ledger_head(ledger);
        if (round == 1)
            assert_true(tree_hash_equal(&head.root, &now.root));
        assert_int_equal(now.size, 3 * round);
        append_many(3);
        assert_published(3 * round + 3);
        stop();
    }
}

static void test_a_second_process_is_refused(void **state)
{
    (void)state;
    make();
    const struct ledger_options with = options();
    struct ledger *second = NULL;
    assert_fails(VAULT_CONFLICT, ledger_open(&with, &second, &test_error));
    assert_non_null(strstr(test_error.text, "journal/lock"));
    append("goes on");
    stop();
}

static void test_a_log_older_than_its_checkpoint_is_refused(void **state)
{
    (void)state;
    char command[3 * PATH_MAX];
    make();
    append_many(5);
    stop();
    snprintf(command, sizeof command, "cp -a %s/journal %s/kept", dir, dir);
    assert_int_equal(system(command), 0); // NOLINT(concurrency-mt-unsafe,cert-env33-c)
    open_log();
    append_many(5);
    stop();
    snprintf(command, sizeof command, "rm -r %s/journal && mv %s/kept %s/journal", dir, dir, dir);
    assert_int_equal(system(command), 0); // NOLINT(concurrency-mt-unsafe,cert-env33-c)
    const struct ledger_options with = options();
    assert_fails(VAULT_CORRUPT, ledger_open(&with, &ledger, &test_error));
    assert_non_null(strstr(test_error.text, "older"));
}

static void test_a_log_older_than_the_vaults_memory_is_refused(void **state)
{
    (void)state;
    char command[3 * PATH_MAX];
    make();
    append_many(5);
    stop();
    snprintf(command, sizeof command, "cp -a %s %s.kept", dir, dir);
    assert_int_equal(system(command), 0); // NOLINT(concurrency-mt-unsafe,cert-env33-c)
    open_log();
    append_many(5);
    const struct ledger_head head = ledger_head(ledger);
    stop();
    struct ledger_options with = options();
    with.remembered = &head;
    with.remembered_count = 1;
    assert_done(ledger_open(&with, &ledger, &test_error));
    stop();
    /* Everything put back, the checkpoint too: only what is kept elsewhere notices. */
    snprintf(command, sizeof command, "rm -r %s && mv %s.kept %s", dir, dir, dir);
    assert_int_equal(system(command), 0); // NOLINT(concurrency-mt-unsafe,cert-env33-c)
    assert_fails(VAULT_CORRUPT, ledger_open(&with, &ledger, &test_error));
    assert_non_null(strstr(test_error.text, "10 are remembered"));
    open_log();
    stop();
}

static void test_a_checkpoint_of_another_key_is_refused(void **state)
{
    (void)state;
    make();
    append_many(1);
    stop();
    VAULT_AUTO(note_signer_finish)
    struct note_signer other = test_signer("log.example", NOTE_ED25519, 99);
    struct ledger_options with = options();
    with.signer = &other;
    assert_fails(VAULT_CORRUPT, ledger_open(&with, &ledger, &test_error));
    assert_null(ledger);
}

static void test_tiles_that_were_not_published_before_a_crash_are_published_after(void **state)
{
    (void)state;
    char command[3 * PATH_MAX];
    make();
    append_many(300);
    assert_published(300);
    snprintf(command, sizeof command, "cp -a %s/tile %s/checkpoint %s/new", dir, dir, dir);
    assert_int_equal(system(command), 0); // NOLINT(concurrency-mt-unsafe,cert-env33-c)
    append_many(1000);
    stop();
    snprintf(command, sizeof command,
             "cd %s && rm -r tile checkpoint && mv new/tile new/checkpoint .", dir);
    assert_int_equal(system(command), 0); // NOLINT(concurrency-mt-unsafe,cert-env33-c)
    open_log();
    assert_published(1300);
    stop();
}

static void test_everything_can_be_published_again_from_the_journal(void **state)
{
    (void)state;
    char command[3 * PATH_MAX];
    make();
    append_many(1300);
    stop();
    snprintf(command, sizeof command, "cd %s && rm -r tile checkpoint new", dir);
    assert_int_equal(system(command), 0); // NOLINT(concurrency-mt-unsafe,cert-env33-c)
    open_log();
    assert_published(1300);
    stop();
}

int main(void)
{
    return LEDGER_TEST_RUN(test_the_log_goes_on_where_it_stopped, test_a_second_process_is_refused,
                           test_a_log_older_than_its_checkpoint_is_refused,
                           test_a_log_older_than_the_vaults_memory_is_refused,
                           test_a_checkpoint_of_another_key_is_refused,
                           test_tiles_that_were_not_published_before_a_crash_are_published_after,
                           test_everything_can_be_published_again_from_the_journal);
}
