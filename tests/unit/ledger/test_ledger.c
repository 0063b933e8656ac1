/* The ledger in one process: entering, waiting, publishing, proving, stopping. */
#include "ledger_test.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

enum disk { DISK_AS_IT_IS, DISK_SLOW, DISK_FULL };

static _Atomic enum disk disk;
static atomic_uint reserves_asked;

/* In place of the C library's: for as long as the disk is slow, it does not return. */
int posix_fallocate(int fd, off_t offset, off_t length)
{
    atomic_fetch_add(&reserves_asked, 1);
    while (atomic_load(&disk) == DISK_SLOW)
        usleep(1000);
    if (atomic_load(&disk) == DISK_FULL)
        return ENOSPC;
    return syscall(SYS_fallocate, fd, 0, offset, length) == 0 ? 0 : errno;
}

static void test_a_new_log_is_published_empty(void **state)
{
    (void)state;
    make();
    assert_int_equal(ledger_head(ledger).size, 0);
    assert_published(0);
    assert_done(ledger_health(ledger, &test_error));
    stop();
}

static void test_a_log_is_made_once(void **state)
{
    (void)state;
    make();
    const struct ledger_options with = options();
    assert_fails(VAULT_CONFLICT, ledger_create(&with, &test_error));
    stop();
    assert_fails(VAULT_CONFLICT, ledger_create(&with, &test_error));
}

static void test_a_folder_without_a_log_is_not_found(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "%s", test_folder());
    const struct ledger_options with = options();
    assert_fails(VAULT_NOT_FOUND, ledger_open(&with, &ledger, &test_error));
    assert_null(ledger);
}

static void test_an_entry_gets_place_time_and_leaf(void **state)
{
    (void)state;
    make();
    const struct ledger_ticket first = append("a");
    now_ms += 5;
    const struct ledger_ticket second = append("b");
    assert_int_equal(first.index, 0);
    assert_int_equal(second.index, 1);
    assert_int_equal(second.time_ms, first.time_ms + 5);
    assert_published(2);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(ENTRY_MAX_BYTES);
    struct entry entry;
    assert_done(ledger_entry(ledger, 1, &text, &test_error));
    const struct tree_hash leaf = tree_leaf(buf_view(&text));
    assert_true(tree_hash_equal(&leaf, &second.leaf));
    assert_done(entry_parse(buf_view(&text), &entry, &test_error));
    assert_int_equal(entry.time_ms, now_ms);
    assert_int_equal(entry.event, ENTRY_ADMIN);
    stop();
}

static void test_times_never_decrease(void **state)
{
    (void)state;
    make();
    const int64_t first = append("").time_ms;
    now_ms -= 3600 * 1000;
    assert_int_equal(append("").time_ms, first);
    now_ms += 3600 * 1000 + 1;
    assert_int_equal(append("").time_ms, first + 1);
    stop();
    now_ms -= 86400 * 1000;
    open_log();
    assert_int_equal(append("").time_ms, first + 1);
    stop();
}

static void test_a_clock_that_steps_is_entered(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "%s", test_folder());
    struct ledger_options with = options();
    with.clock_step_ms = 60 * 1000; /* no test takes that long */
    assert_done(ledger_create(&with, &test_error));
    assert_done(ledger_open(&with, &ledger, &test_error));
    assert_int_equal(append("").index, 0);
    assert_int_equal(append("").index, 1);
    now_ms += 10LL * 365 * 86400 * 1000; /* forward */
    assert_int_equal(append("").index, 3);
    assert_int_equal(event_at(2), ENTRY_CLOCK_STEP);
    assert_int_equal(append("").index, 4);
    now_ms -= 10LL * 365 * 86400 * 1000; /* and back: entering goes on */
    assert_int_equal(append("").index, 6);
    assert_int_equal(event_at(5), ENTRY_CLOCK_STEP);
    assert_int_equal(append("").index, 7);
    stop();
    now_ms -= 3600 * 1000;
    assert_done(ledger_open(&with, &ledger, &test_error));
    assert_int_equal(append("").index, 9);
    assert_int_equal(event_at(8), ENTRY_CLOCK_STEP);
    stop();
}

static void test_what_no_entry_may_be_is_not_entered(void **state)
{
    (void)state;
    make();
    struct entry entry = {.event = ENTRY_RELEASE};
    struct ledger_ticket ticket = {.index = 4711};
    static uint8_t large[LEDGER_OPENING_MAX_BYTES + 1];
    assert_fails(VAULT_INVALID,
                 ledger_enqueue(ledger, &entry, (struct bytes){0}, &ticket, &test_error));
    entry.event = ENTRY_ADMIN;
    assert_fails(
        VAULT_TOO_LARGE,
        ledger_enqueue(ledger, &entry, (struct bytes){large, sizeof large}, &ticket, &test_error));
    assert_int_equal(ticket.index, 4711);
    assert_done(ledger_append(ledger, &entry, (struct bytes){large, sizeof large - 1}, &ticket,
                              &test_error));
    assert_int_equal(ticket.index, 0);
    stop();
}

static void test_everything_enqueued_is_durable_and_published_after_a_stop(void **state)
{
    (void)state;
    make();
    const struct entry entry = {.event = ENTRY_ADMIN};
    struct ledger_ticket ticket;
    for (unsigned i = 0; i < 1000; i++)
        assert_done(ledger_enqueue(ledger, &entry, BYTES("x"), &ticket, &test_error));
    assert_done(ledger_stop(ledger, &test_error));
    assert_int_equal(ledger_head(ledger).size, 1000);
    assert_int_equal(ledger_published_size(ledger), 1000);
    assert_fails(VAULT_UNAVAILABLE,
                 ledger_enqueue(ledger, &entry, BYTES("x"), &ticket, &test_error));
    assert_done(ledger_wait(ledger, &ticket, &test_error));
    ledger_close(&ledger);
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    assert_int_equal(published(&note).size, 1000);
}

static void test_catching_up_waits_for_all_that_is_queued(void **state)
{
    (void)state;
    make();
    const struct entry entry = {.event = ENTRY_ADMIN};
    struct ledger_ticket ticket;
    uint64_t size = 99;
    assert_done(ledger_catch_up(ledger, &size, &test_error));
    assert_int_equal(size, 0);
    for (unsigned i = 0; i < 1000; i++)
        assert_done(ledger_enqueue(ledger, &entry, BYTES("x"), &ticket, &test_error));
    assert_done(ledger_catch_up(ledger, &size, &test_error));
    assert_int_equal(size, 1000);
    assert_int_equal(ledger_head(ledger).size, 1000);
    stop();
}

static void test_closing_stops_first(void **state)
{
    (void)state;
    make();
    const struct entry entry = {.event = ENTRY_ADMIN};
    struct ledger_ticket ticket;
    assert_done(ledger_enqueue(ledger, &entry, BYTES("x"), &ticket, &test_error));
    ledger_close(&ledger);
    open_log();
    assert_int_equal(ledger_head(ledger).size, 1);
    stop();
}

/* Sizes at which tiles become full, published one after the other and at once. */
static void test_tiles_are_right_at_every_border(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {1, 2, 255, 256, 257, 511, 512, 513, 700, 1024, 1025};
    make();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        append_many(sizes[i] - ledger_head(ledger).size);
        assert_published(sizes[i]);
    }
    stop();
}

static void test_tiles_are_right_past_65536(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {65535, 65536, 65537, 70000};
    char path[PATH_MAX];
    make();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        append_many(sizes[i] - ledger_head(ledger).size);
        assert_done(ledger_wait_published(ledger, sizes[i], PATIENCE_MS, &test_error));
    }
    assert_published(70000);
    static const char *const there[] = {"tile/0/272",     "tile/0/273.p/112",
                                        "tile/1/000",     "tile/1/001.p/17",
                                        "tile/2/000.p/1", "tile/entries/273.p/112"};
    for (size_t i = 0; i < sizeof there / sizeof there[0]; i++) {
        path_in_log(path, there[i]);
        if (!file_exists(path))
            fail_msg("%s is missing", there[i]);
    }
    stop();
}

static void test_partial_tiles_go_when_the_full_one_is_there(void **state)
{
    (void)state;
    char path[PATH_MAX];
    make();
    append_many(100);
    assert_published(100);
    path_in_log(path, "tile/0/000.p/100");
    assert_true(file_exists(path));
    append_many(200);
    assert_published(300);
    stop();
    assert_false(file_exists(path));
    path_in_log(path, "tile/entries/000.p");
    assert_false(file_exists(path));
    path_in_log(path, "tile/entries/001.p/44");
    assert_true(file_exists(path));
}

static void test_an_entry_is_published_within_a_second(void **state)
{
    (void)state;
    make();
    for (unsigned i = 0; i < 3; i++) {
        append("");
        const int64_t began = clock_monotonic_ms();
        while (ledger_published_size(ledger) < i + 1)
            usleep(1000);
        assert_in_range(clock_monotonic_ms() - began, 0, 2000);
    }
    stop();
}

static void check_proof(uint64_t index, const struct tree_hash *leaf)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(PROOF_MAX_BYTES);
    struct proof proof;
    struct checkpoint checkpoint;
    assert_done(ledger_prove(ledger, index, &text, &test_error));
    assert_done(proof_parse(buf_view(&text), &proof, &test_error));
    assert_done(checkpoint_parse(proof.checkpoint, &checkpoint, &test_error));
    assert_done(checkpoint_verify(&checkpoint, &signer.key, &test_error));
    assert_int_equal(proof.index, index);
    assert_true(checkpoint.size > index);
    assert_done(tree_check_inclusion(&proof.path, index, checkpoint.size, leaf, &checkpoint.root,
                                     &test_error));
}

static void test_an_entry_is_proved_as_soon_as_it_is_durable(void **state)
{
    (void)state;
    struct tree_hash leaves[600];
    make();
    for (uint64_t i = 0; i < 600; i++) {
        const struct ledger_ticket ticket = append("");
        leaves[i] = ticket.leaf;
        if (i < 20 || i > 590 || (i >= 254 && i < 259))
            check_proof(i, &ticket.leaf);
    }
    assert_published(600);
    for (uint64_t i = 0; i < 600; i += 37)
        check_proof(i, &leaves[i]);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(PROOF_MAX_BYTES);
    assert_fails(VAULT_NOT_FOUND, ledger_prove(ledger, 600, &text, &test_error));
    stop();
    open_log();
    for (uint64_t i = 0; i < 600; i += 41)
        check_proof(i, &leaves[i]);
    stop();
}

static void test_the_checkpoint_is_of_what_is_durable(void **state)
{
    (void)state;
    make();
    append_many(7);
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf vkey = buf_limited(NOTE_KEY_CHARS_MAX);
    struct checkpoint checkpoint;
    struct note_key key;
    assert_done(ledger_checkpoint(ledger, &note, &test_error));
    assert_done(ledger_vkey(ledger, &vkey, &test_error));
    assert_done(note_key_parse(buf_view(&vkey), &key, &test_error));
    assert_done(checkpoint_parse(buf_view(&note), &checkpoint, &test_error));
    assert_done(checkpoint_verify(&checkpoint, &key, &test_error));
    assert_int_equal(checkpoint.size, 7);
    stop();
}

static void test_the_stats_say_what_was_written_and_how_long_it_took(void **state)
{
    (void)state;
    make();
    struct ledger_stats stats = ledger_stats(ledger);
    assert_int_equal(stats.size, 0);
    assert_int_equal(stats.batches, 0);
    for (int i = 0; i < 3; i++)
        append("");
    assert_done(ledger_wait_published(ledger, 3, PATIENCE_MS, &test_error));
    stats = ledger_stats(ledger);
    assert_int_equal(stats.size, 3);
    assert_int_equal(stats.waiting, 0);
    assert_int_equal(stats.unpublished, 0);
    assert_in_range(stats.published_ms, 0, PATIENCE_MS);
    assert_in_range(stats.batches, 1, 3);
    assert_true(stats.batches_ns > 0);
    for (size_t i = 1; i < LEDGER_BATCH_BOUNDS; i++) {
        assert_true(ledger_batch_bounds_s[i - 1] < ledger_batch_bounds_s[i]);
        assert_true(stats.batches_within[i - 1] <= stats.batches_within[i]);
    }
    assert_true(stats.batches_within[LEDGER_BATCH_BOUNDS - 1] <= stats.batches);
    stop();
    open_log();
    stats = ledger_stats(ledger); /* the log goes on, what is counted begins anew */
    assert_int_equal(stats.size, 3);
    assert_int_equal(stats.batches, 0);
    stop();
}

#define THREADS    16
#define PER_THREAD 200

static void *append_some(void *context)
{
    uint64_t *indexes = context;
    const struct entry entry = {.event = ENTRY_ADMIN};
    for (unsigned i = 0; i < PER_THREAD; i++) {
        struct ledger_ticket ticket;
        if (ledger_append(ledger, &entry, BYTES("x"), &ticket, NULL) != VAULT_OK)
            return NULL;
        indexes[i] = ticket.index;
    }
    return context;
}

static void test_many_threads_get_every_place_once(void **state)
{
    (void)state;
    static uint64_t indexes[THREADS][PER_THREAD];
    static bool seen[THREADS * PER_THREAD];
    pthread_t threads[THREADS];
    make();
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, append_some, indexes[i]), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        void *done = NULL;
        pthread_join(threads[i], &done);
        assert_non_null(done);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        for (unsigned j = 0; j < PER_THREAD; j++) {
            assert_true(indexes[i][j] < THREADS * PER_THREAD);
            assert_false(seen[indexes[i][j]]);
            seen[indexes[i][j]] = true;
            assert_true(j == 0 || indexes[i][j] > indexes[i][j - 1]);
        }
    }
    assert_published(THREADS * PER_THREAD);
    stop();
}

/* Whoever has no thread to wait with is told when to ask, and what became of it. */
static void test_entries_can_be_asked_for_without_waiting(void **state)
{
    (void)state;
    const struct entry entry = {.event = ENTRY_ADMIN};
    struct ledger_ticket ticket;
    bool is_durable = false;
    make();
    stop();
    struct ledger_options with = options();
    with.durable_fd = eventfd(0, EFD_CLOEXEC);
    assert_true(with.durable_fd > 0);
    assert_done(ledger_open(&with, &ledger, &test_error));
    for (unsigned i = 0; i < 3; i++) {
        assert_done(ledger_enqueue(ledger, &entry, (struct bytes){0}, &ticket, &test_error));
        do {
            eventfd_t told;
            assert_int_equal(eventfd_read(with.durable_fd, &told), 0); /* it comes, or this hangs */
            assert_done(ledger_poll(ledger, &ticket, &is_durable, &test_error));
        } while (!is_durable);
        assert_true(ledger_head(ledger).size > ticket.index);
    }
    stop();
    close(with.durable_fd);
}

static enum vault_code enqueue_large(struct ledger_ticket *ticket)
{
    static const uint8_t opening[LEDGER_OPENING_MAX_BYTES];
    const struct entry entry = {.event = ENTRY_ADMIN};
    return ledger_enqueue(ledger, &entry, (struct bytes){opening, sizeof opening}, ticket,
                          &test_error);
}

/* Enqueue until the next segment is asked for. */
static void fill_until(unsigned reserves)
{
    const int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (atomic_load(&reserves_asked) < reserves && clock_monotonic_ms() < until_ms) {
        struct ledger_ticket ticket;
        const enum vault_code code = enqueue_large(&ticket);
        assert_true(code == VAULT_OK || code == VAULT_LIMITED);
    }
    assert_true(atomic_load(&reserves_asked) >= reserves);
}

/* A disk that is slow is not full: what does not fit yet is to be tried again. */
static void test_a_slow_disk_is_not_a_full_one(void **state)
{
    (void)state;
    struct ledger_ticket last = {0};
    struct ledger_ticket ticket;
    enum vault_code code;
    make();
    atomic_store(&reserves_asked, 0);
    atomic_store(&disk, DISK_SLOW);
    fill_until(1);
    while ((code = enqueue_large(&ticket)) == VAULT_OK)
        last = ticket;
    assert_int_equal(code, VAULT_LIMITED);
    assert_non_null(strstr(test_error.text, "the next is being made"));
    atomic_store(&disk, DISK_AS_IT_IS);
    assert_done(ledger_wait(ledger, &last, &test_error));
    append("after");
    stop();
}

static void test_a_full_disk_refuses_until_there_is_room(void **state)
{
    (void)state;
    struct ledger_ticket ticket;
    enum vault_code code;
    make();
    atomic_store(&disk, DISK_FULL);
    do {
        code = enqueue_large(&ticket);
    } while (code == VAULT_OK || code == VAULT_LIMITED);
    assert_int_equal(code, VAULT_UNAVAILABLE);
    assert_non_null(strstr(test_error.text, "no room"));
    assert_fails(VAULT_UNAVAILABLE, ledger_health(ledger, &test_error));
    atomic_store(&disk, DISK_AS_IT_IS);
    const int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (enqueue_large(&ticket) != VAULT_OK && clock_monotonic_ms() < until_ms)
        usleep(1000);
    assert_done(ledger_wait(ledger, &ticket, &test_error));
    stop();
}

int main(void)
{
    return LEDGER_TEST_RUN(

        test_a_new_log_is_published_empty, test_a_log_is_made_once,
        test_a_folder_without_a_log_is_not_found, test_an_entry_gets_place_time_and_leaf,
        test_times_never_decrease, test_a_clock_that_steps_is_entered,
        test_what_no_entry_may_be_is_not_entered,
        test_everything_enqueued_is_durable_and_published_after_a_stop,
        test_catching_up_waits_for_all_that_is_queued, test_closing_stops_first,
        test_tiles_are_right_at_every_border, test_tiles_are_right_past_65536,
        test_partial_tiles_go_when_the_full_one_is_there,
        test_an_entry_is_published_within_a_second,
        test_an_entry_is_proved_as_soon_as_it_is_durable, test_the_checkpoint_is_of_what_is_durable,
        test_the_stats_say_what_was_written_and_how_long_it_took,
        test_many_threads_get_every_place_once, test_entries_can_be_asked_for_without_waiting,
        test_a_slow_disk_is_not_a_full_one, test_a_full_disk_refuses_until_there_is_room);
}
