/* What stops a ledger: files that go away, a write that stops short, a journal that changes. */
#include "ledger_test.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void assert_stopped(const char *word)
{
    const struct entry entry = {.event = ENTRY_ADMIN};
    struct ledger_ticket ticket;
    assert_fails(VAULT_UNAVAILABLE,
                 ledger_enqueue(ledger, &entry, BYTES(""), &ticket, &test_error));
    assert_fails(VAULT_UNAVAILABLE, ledger_health(ledger, &test_error));
    if (!strstr(test_error.text, word))
        fail_msg("\"%s\" does not say \"%s\"", test_error.text, word);
    assert_fails(VAULT_UNAVAILABLE, ledger_stop(ledger, &test_error));
    ledger_close(&ledger);
}

static void test_an_unlinked_journal_stops_the_log_with_the_next_entry(void **state)
{
    (void)state;
    char path[PATH_MAX];
    const struct entry entry = {.event = ENTRY_ADMIN};
    make();
    append_many(3);
    path_in_log(path, "journal/00000000000000000000.segment");
    assert_int_equal(unlink(path), 0);
    assert_fails(VAULT_UNAVAILABLE, ledger_append(ledger, &entry, BYTES(""), NULL, &test_error));
    assert_int_equal(ledger_head(ledger).size, 3);
    assert_stopped("removed or replaced");
}

static void test_a_lost_lock_stops_the_log_even_when_nothing_happens(void **state)
{
    (void)state;
    char path[PATH_MAX];
    make();
    append_many(3);
    path_in_log(path, "journal/lock");
    assert_int_equal(unlink(path), 0);
    wait_until_stopped();
    assert_stopped("lock");
}

static void test_a_folder_that_was_replaced_stops_the_log(void **state)
{
    (void)state;
    char path[PATH_MAX];
    char other[PATH_MAX];
    make();
    append_many(3);
    path_in_log(path, "journal");
    path_in_log(other, "elsewhere");
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    wait_until_stopped();
    assert_stopped("removed or replaced");
}

/* A write that stops short, in a process of its own because of the limit. */
static int enter_past_a_limit(void)
{
    const struct rlimit limit = {20000, RLIM_INFINITY};
    const struct entry entry = {.event = ENTRY_ADMIN};
    open_log();
    append_many(3);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 2;
    static uint8_t opening[LEDGER_OPENING_MAX_BYTES];
    enum vault_code code = VAULT_OK;
    unsigned entered = 0;
    for (; entered < 3 && code == VAULT_OK; entered++)
        code = ledger_append(ledger, &entry, (struct bytes){opening, sizeof opening}, NULL,
                             &test_error);
    if (code != VAULT_UNAVAILABLE || !ledger_has_stopped(ledger))
        return 3;
    if (ledger_append(ledger, &entry, (struct bytes){0}, NULL, NULL) != VAULT_UNAVAILABLE)
        return 4;
    const uint64_t size = ledger_head(ledger).size;
    ledger_close(&ledger);
    return size == 3 + entered - 1 ? 0 : 5;
}

static void test_a_short_write_stops_the_log_and_the_next_start_recovers(void **state)
{
    (void)state;
    make();
    stop();
    const pid_t child = fork();
    if (child == 0)
        _exit(enter_past_a_limit());
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    open_log();
    const uint64_t size = ledger_head(ledger).size;
    assert_int_equal(event_at(size - 1), ENTRY_RECOVER);
    assert_published(size);
    append("goes on");
    stop();
}

static void test_a_journal_that_changes_on_the_disk_is_not_published(void **state)
{
    (void)state;
    make();
    append_many(3);
    assert_published(3);
    /* Behind the publisher's back, before it reads the entry: the lock keeps it out that long. */
    change_first_entries();
    append_many(1);
    wait_until_stopped();
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    assert_int_equal(published(&note).size, 3);
    assert_stopped("journal");
}

int main(void)
{
    return LEDGER_TEST_RUN(test_an_unlinked_journal_stops_the_log_with_the_next_entry,
                           test_a_lost_lock_stops_the_log_even_when_nothing_happens,
                           test_a_folder_that_was_replaced_stops_the_log,
                           test_a_short_write_stops_the_log_and_the_next_start_recovers,
                           test_a_journal_that_changes_on_the_disk_is_not_published);
}
