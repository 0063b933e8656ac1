/* A disk that fails: the log stops or waits, nothing acknowledged is lost, the next start recovers.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faults.h"
#include "log_support.h"
#include "vault/base/file.h"

#define PATIENCE_MS 20000

static void make_with(unsigned entries)
{
    log_make();
    for (unsigned i = 0; i < entries; i++)
        assert_done(log_append(100, NULL, &test_error));
}

/* The log has stopped for good, saying so, and a new process finds these entries and goes on. */
static void assert_stopped_with(uint64_t entries, const char *word)
{
    assert_true(ledger_has_stopped(log_ledger));
    assert_fails(VAULT_UNAVAILABLE, log_append(0, NULL, &test_error));
    assert_fails(VAULT_UNAVAILABLE, ledger_health(log_ledger, &test_error));
    if (!strstr(test_error.text, word))
        fail_msg("\"%s\" does not say \"%s\"", test_error.text, word);
    assert_int_equal(ledger_head(log_ledger).size, entries);
    ledger_close(&log_ledger);
    log_open();
    assert_true(ledger_head(log_ledger).size >= entries);
    assert_done(log_append(0, NULL, &test_error));
    log_stop();
    log_assert_verifies();
}

static void test_a_failed_sync_is_final_though_the_next_would_work(void **state)
{
    (void)state;
    make_with(3);
    assert_done(ledger_wait_published(log_ledger, 3, PATIENCE_MS, &test_error));
    fault_arm(FAULT_FDATASYNC, (struct fault){FAULT_ERROR, EIO, 0, 1});
    assert_fails(VAULT_UNAVAILABLE, log_append(100, NULL, &test_error));
    assert_int_equal(fault_struck(FAULT_FDATASYNC), 1);
    assert_stopped_with(3, "Input/output error");
}

static void test_a_failed_write_is_final(void **state)
{
    (void)state;
    make_with(3);
    fault_arm(FAULT_PWRITE, (struct fault){FAULT_ERROR, ENOSPC, 0, 1});
    assert_fails(VAULT_UNAVAILABLE, log_append(100, NULL, &test_error));
    assert_stopped_with(3, "No space left");
}

static void test_zeros_that_cannot_be_written_ahead_cost_nothing(void **state)
{
    (void)state;
    make_with(3);
    log_stop();
    log_open();
    fault_arm(FAULT_PWRITE, (struct fault){FAULT_ERROR, EIO, 1, 1}); /* the first is the entry's */
    assert_done(log_append(0, NULL, &test_error));
    assert_int_equal(fault_struck(FAULT_PWRITE), 1);
    assert_done(log_append(0, NULL, &test_error));
    log_stop();
    log_assert_verifies();
}

static void test_a_short_write_is_final_and_its_tail_is_dropped(void **state)
{
    (void)state;
    uint64_t count = 0;
    make_with(3);
    fault_arm(FAULT_PWRITE, (struct fault){FAULT_SHORT, 0, 0, 1});
    assert_fails(VAULT_UNAVAILABLE, log_append(3000, NULL, &test_error));
    assert_true(ledger_has_stopped(log_ledger));
    ledger_close(&log_ledger);
    log_open();
    assert_int_equal(ledger_head(log_ledger).size, 4);
    assert_int_equal(log_event_at(3, &count), ENTRY_RECOVER);
    assert_int_equal(count, 1);
    log_stop();
    log_assert_verifies();
}

static void test_a_sync_that_hangs_stops_the_log_in_time(void **state)
{
    (void)state;
    make_with(3);
    assert_done(ledger_wait_published(log_ledger, 3, PATIENCE_MS, &test_error));
    fault_arm(FAULT_FDATASYNC, (struct fault){FAULT_HANG, 0, 0, 0});
    const int64_t began = clock_monotonic_ms();
    assert_fails(VAULT_UNAVAILABLE, log_append(100, NULL, &test_error));
    assert_in_range(clock_monotonic_ms() - began, LEDGER_HANG_MS - 100, LEDGER_HANG_MS + 1500);
    const struct entry entry = {.event = ENTRY_ADMIN};
    struct ledger_ticket ticket;
    assert_fails(VAULT_UNAVAILABLE, ledger_enqueue(log_ledger, &entry, BYTES(""), &ticket, NULL));
    fault_lift(FAULT_FDATASYNC);
    /* It came back after all; nobody was told, so it does not count. */
    assert_stopped_with(3, "too long");
}

static void *enqueue_until_refused(void *context)
{
    const struct entry entry = {.event = ENTRY_ADMIN};
    unsigned *entered = context;
    struct ledger_ticket ticket;
    while (ledger_enqueue(log_ledger, &entry, BYTES("some opening"), &ticket, NULL) == VAULT_OK)
        ++*entered;
    return NULL;
}

static void test_what_waits_for_a_slow_disk_is_bounded(void **state)
{
    (void)state;
    pthread_t threads[4];
    unsigned entered[4] = {0};
    unsigned total = 0;
    make_with(0);
    fault_arm(FAULT_FDATASYNC, (struct fault){FAULT_HANG, 0, 0, 0});
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, enqueue_until_refused, &entered[i]), 0);
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        total += entered[i];
    }
    const struct entry entry = {.event = ENTRY_ADMIN};
    struct ledger_ticket ticket;
    assert_fails(VAULT_LIMITED, ledger_enqueue(log_ledger, &entry, BYTES(""), &ticket, NULL));
    assert_in_range(total, 1000, LEDGER_OUTSTANDING_MAX);
    fault_lift(FAULT_FDATASYNC);
    while (ledger_head(log_ledger).size < total)
        usleep(1000);
    assert_done(log_append(0, NULL, &test_error));
    log_stop();
    log_assert_verifies();
}

/* Enter until the disk is full: it shows between batches, and all that was entered is there. */
static uint64_t fill(void)
{
    enum vault_code code = VAULT_OK;
    struct ledger_ticket ticket = {0};
    uint64_t entered = ledger_head(log_ledger).size;
    while ((code = log_append(LEDGER_OPENING_MAX_BYTES, &ticket, &test_error)) == VAULT_OK)
        assert_int_equal(ticket.index, entered++);
    assert_int_equal(code, VAULT_UNAVAILABLE);
    assert_non_null(strstr(test_error.text, "no room"));
    assert_false(ledger_has_stopped(log_ledger));
    assert_fails(VAULT_UNAVAILABLE, ledger_health(log_ledger, &test_error));
    assert_int_equal(ledger_head(log_ledger).size, entered);
    return entered;
}

static void wait_for_room(void)
{
    const int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    while (ledger_health(log_ledger, NULL) != VAULT_OK && clock_monotonic_ms() < until)
        usleep(10000);
    assert_done(ledger_health(log_ledger, &test_error));
}

static void test_a_full_disk_shows_between_batches_and_is_got_over(void **state)
{
    (void)state;
    make_with(1);
    fault_arm(FAULT_FALLOCATE, (struct fault){FAULT_ERROR, ENOSPC, 0, 0});
    const uint64_t entered = fill();
    assert_true(fault_struck(FAULT_FALLOCATE) > 0);
    fault_lift(FAULT_FALLOCATE);
    wait_for_room();
    for (unsigned i = 0; i < 100; i++)
        assert_done(log_append(LEDGER_OPENING_MAX_BYTES, NULL, &test_error));
    log_stop();
    log_assert_verifies();
    log_open();
    assert_int_equal(ledger_head(log_ledger).size, entered + 100);
    log_stop();
}

/* The same on a real file system that is really full, where mounting one is allowed. */
static void test_a_full_file_system_shows_between_batches_and_is_got_over(void **state)
{
    (void)state;
    char ballast[PATH_MAX];
    const char *folder = test_folder();
    snprintf(log_dir, sizeof log_dir, "%s/mounted", folder);
    assert_int_equal(mkdir(log_dir, 0700), 0);
    const bool mounted = mount("none", log_dir, "tmpfs", 0, "size=12m") == 0;
    snprintf(log_dir, sizeof log_dir, "%s/mounted/log", folder);
    snprintf(ballast, sizeof ballast, "%s/mounted/ballast", folder);
    const struct ledger_options with = {
        .dir = log_dir, .signer = &log_signer, .clock = clock_system};
    assert_done(ledger_create(&with, &test_error));
    VAULT_AUTO(buf_finish) struct buf weight = buf_limited(6UL * 1024 * 1024);
    memset(buf_extend(&weight, weight.limit), 7, weight.limit);
    assert_done(file_create(ballast, buf_view(&weight), 0600, &test_error));
    log_open();
    if (!mounted) /* the disk's being full has to be pretended */
        fault_arm(FAULT_FALLOCATE, (struct fault){FAULT_ERROR, ENOSPC, 0, 0});
    const uint64_t entered = fill();
    fault_lift(FAULT_FALLOCATE);
    assert_int_equal(unlink(ballast), 0);
    wait_for_room();
    assert_done(log_append(100, NULL, &test_error));
    log_stop();
    log_assert_verifies();
    log_open();
    assert_int_equal(ledger_head(log_ledger).size, entered + 1);
    log_stop();
    snprintf(ballast, sizeof ballast, "%s/mounted", folder);
    if (mounted)
        assert_int_equal(umount2(ballast, MNT_DETACH), 0);
}

static void test_a_log_that_cannot_be_published_is_not_entered_for_long(void **state)
{
    (void)state;
    char new_folder[PATH_MAX];
    char moved[PATH_MAX];
    make_with(3);
    assert_done(ledger_wait_published(log_ledger, 3, PATIENCE_MS, &test_error));
    assert_done(file_join(new_folder, sizeof new_folder, log_dir, "new", &test_error));
    assert_done(file_join(moved, sizeof moved, log_dir, "moved", &test_error));
    assert_int_equal(rename(new_folder, moved), 0);
    const int64_t began = clock_monotonic_ms();
    enum vault_code code = VAULT_OK;
    while ((code = log_append(0, NULL, &test_error)) == VAULT_OK) {
        assert_in_range(clock_monotonic_ms() - began, 0, LEDGER_PUBLISH_WITHIN_MS + 3000);
        usleep(20000);
    }
    assert_int_equal(code, VAULT_UNAVAILABLE);
    assert_non_null(strstr(test_error.text, "published"));
    assert_false(ledger_has_stopped(log_ledger));
    assert_true(clock_monotonic_ms() - began >= LEDGER_PUBLISH_WITHIN_MS - 1000);
    assert_int_equal(rename(moved, new_folder), 0);
    wait_for_room();
    assert_done(log_append(0, NULL, &test_error));
    log_stop();
    log_assert_verifies();
}

static void test_a_failed_sync_of_a_tile_is_tried_again(void **state)
{
    (void)state;
    make_with(3);
    assert_done(ledger_wait_published(log_ledger, 3, PATIENCE_MS, &test_error));
    fault_arm(FAULT_FSYNC, (struct fault){FAULT_ERROR, EIO, 0, 3}); /* folders and checkpoints */
    assert_done(log_append(0, NULL, &test_error));
    assert_done(ledger_wait_published(log_ledger, 4, PATIENCE_MS, &test_error));
    assert_int_equal(fault_struck(FAULT_FSYNC), 3);
    log_stop();
    log_assert_verifies();
}

int main(void)
{
    signal(SIGXFSZ, SIG_IGN);
    log_prepare();
    const int failed = TEST_RUN(
        test_a_failed_sync_is_final_though_the_next_would_work, test_a_failed_write_is_final,
        test_zeros_that_cannot_be_written_ahead_cost_nothing,
        test_a_short_write_is_final_and_its_tail_is_dropped,
        test_a_sync_that_hangs_stops_the_log_in_time, test_what_waits_for_a_slow_disk_is_bounded,
        test_a_full_disk_shows_between_batches_and_is_got_over,
        test_a_full_file_system_shows_between_batches_and_is_got_over,
        test_a_log_that_cannot_be_published_is_not_entered_for_long,
        test_a_failed_sync_of_a_tile_is_tried_again);
    note_signer_finish(&log_signer);
    return failed;
}
