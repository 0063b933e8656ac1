/* The whole ledger in one process: entering, waiting, publishing, proving, reading, stopping. */
#include "vault/ledger/ledger.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keys.h"
#include "test.h"
#include "vault/base/file.h"
#include "vault/crypto/crypto.h"
#include "vault/ledger/checkpoint.h"
#include "vault/ledger/proof.h"
#include "vault/ledger/tile.h"

#define PATIENCE_MS 20000

static struct note_signer signer;
static struct ledger *ledger;
static char dir[PATH_MAX];
static _Atomic int64_t now_ms;

static struct ledger_options options(void)
{
    return (struct ledger_options){.dir = dir, .signer = &signer, .clock = clock_fixed(&now_ms)};
}

static void open_log(void)
{
    const struct ledger_options with = options();
    assert_done(ledger_open(&with, &ledger, &test_error));
}

static void make(void)
{
    snprintf(dir, sizeof dir, "%s", test_folder());
    now_ms = 1795295592000;
    const struct ledger_options with = options();
    assert_done(ledger_create(&with, &test_error));
    open_log();
}

static void stop(void)
{
    assert_done(ledger_stop(ledger, &test_error));
    ledger_close(&ledger);
    assert_null(ledger);
}

static struct ledger_ticket append(const char *opening)
{
    const struct entry entry = {.event = ENTRY_ADMIN};
    struct ledger_ticket ticket;
    assert_done(ledger_append(ledger, &entry, bytes_of_text(opening), &ticket, &test_error));
    return ticket;
}

static void append_many(uint64_t count)
{
    const struct entry entry = {.event = ENTRY_ADMIN};
    struct ledger_ticket ticket = {0};
    for (uint64_t i = 0; i < count; i++) {
        enum vault_code code;
        do {
            code = ledger_enqueue(ledger, &entry, BYTES("sealed"), &ticket, &test_error);
        } while (code == VAULT_LIMITED);
        assert_done(code);
    }
    assert_done(ledger_wait(ledger, &ticket, &test_error));
}

static void path_in_log(char out[PATH_MAX], const char *name)
{
    assert_done(file_join(out, PATH_MAX, dir, name, &test_error));
}

static struct checkpoint published(struct buf *note)
{
    char path[PATH_MAX];
    struct checkpoint checkpoint;
    path_in_log(path, "checkpoint");
    assert_done(file_read(path, note, &test_error));
    assert_done(checkpoint_parse(buf_view(note), &checkpoint, &test_error));
    assert_done(checkpoint_verify(&checkpoint, &signer.key, &test_error));
    return checkpoint;
}

/* The published files, hashed anew from the entries up. */
static void assert_published(uint64_t size)
{
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    assert_done(ledger_wait_published(ledger, size, PATIENCE_MS, &test_error));
    const struct checkpoint checkpoint = published(&note);
    assert_true(checkpoint.size >= size);
    struct tree_frontier frontier = {0};
    for (uint64_t i = 0; i * TILE_WIDTH < checkpoint.size; i++) {
        VAULT_AUTO(buf_finish) struct buf bundle = buf_limited(TILE_BUNDLE_BYTES);
        const struct tile_name name = tile_of(checkpoint.size, TILE_ENTRIES, i);
        assert_done(tile_read(dir, name, &bundle, &test_error));
        struct cursor cursor = cursor_over(buf_view(&bundle));
        struct bytes entry;
        while (tile_bundle_next(&cursor, &entry)) {
            const struct tree_hash leaf = tree_leaf(entry);
            tree_frontier_add(&frontier, &leaf, NULL, NULL);
        }
    }
    const struct tree_hash root = tree_frontier_root(&frontier);
    assert_true(tree_hash_equal(&root, &checkpoint.root));
    VAULT_AUTO(tile_source_free) struct tile_source *source = NULL;
    assert_done(tile_source_new(dir, checkpoint.size, &source, &test_error));
    const struct tree_source nodes = tile_source_nodes(source);
    struct tree_hash of_tiles;
    assert_done(tree_root(&nodes, checkpoint.size, &of_tiles, &test_error));
    assert_true(tree_hash_equal(&of_tiles, &checkpoint.root));
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

static enum entry_event event_at(uint64_t index)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(ENTRY_MAX_BYTES);
    struct entry entry;
    assert_done(ledger_wait_published(ledger, index + 1, PATIENCE_MS, &test_error));
    assert_done(ledger_entry(ledger, index, &text, &test_error));
    assert_done(entry_parse(buf_view(&text), &entry, &test_error));
    return entry.event;
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

static void test_a_reader_gets_entries_with_their_openings_in_order(void **state)
{
    (void)state;
    make();
    for (unsigned i = 0; i < 50; i++) {
        char opening[16];
        snprintf(opening, sizeof opening, "opening %u", i);
        append(opening);
    }
    VAULT_AUTO(ledger_reader_close) struct ledger_reader *reader = NULL;
    assert_done(ledger_reader_open(ledger, 20, &reader, &test_error));
    for (unsigned i = 20; i < 50; i++) {
        char opening[16];
        struct ledger_record record;
        snprintf(opening, sizeof opening, "opening %u", i);
        assert_done(ledger_reader_next(reader, 0, &record, &test_error));
        assert_int_equal(record.index, i);
        assert_true(bytes_equal(record.opening, bytes_of_text(opening)));
        const struct tree_hash leaf = tree_leaf(record.entry);
        assert_true(tree_hash_equal(&leaf, &record.leaf));
    }
    struct ledger_record record;
    assert_fails(VAULT_NOT_FOUND, ledger_reader_next(reader, 0, &record, &test_error));
    append("late");
    assert_done(ledger_reader_next(reader, 0, &record, &test_error));
    assert_true(bytes_equal(record.opening, BYTES("late")));
    ledger_reader_close(&reader);
    stop();
}

/* A bit of the journal, near its beginning. */
static void change_first_entries(void)
{
    char path[PATH_MAX];
    uint8_t byte = 0;
    path_in_log(path, "journal/00000000000000000000.segment");
    VAULT_AUTO(file_close) int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, &byte, 1, 300), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, 300), 1);
}

/* However much a segment has before it. */
static void test_a_reader_of_what_is_new_reads_nothing_of_what_is_published(void **state)
{
    (void)state;
    make();
    append_many(TILE_WIDTH);
    assert_published(TILE_WIDTH);
    append_many(3);
    change_first_entries();
    VAULT_AUTO(ledger_reader_close) struct ledger_reader *reader = NULL;
    struct ledger_record record;
    assert_done(ledger_reader_open(ledger, TILE_WIDTH + 1, &reader, &test_error));
    assert_done(ledger_reader_next(reader, 0, &record, &test_error));
    assert_int_equal(record.index, TILE_WIDTH + 1);
    assert_done(ledger_reader_next(reader, 0, &record, &test_error));
    assert_int_equal(record.index, TILE_WIDTH + 2);
    ledger_reader_close(&reader);
    stop();
}

static void *append_later(void *context)
{
    (void)context;
    usleep(50 * 1000);
    append("later");
    return NULL;
}

static void test_a_reader_waits_for_more(void **state)
{
    (void)state;
    make();
    pthread_t thread;
    VAULT_AUTO(ledger_reader_close) struct ledger_reader *reader = NULL;
    struct ledger_record record;
    assert_done(ledger_reader_open(ledger, 0, &reader, &test_error));
    assert_fails(VAULT_NOT_FOUND, ledger_reader_next(reader, 10, &record, &test_error));
    assert_int_equal(pthread_create(&thread, NULL, append_later, NULL), 0);
    assert_done(ledger_reader_next(reader, PATIENCE_MS, &record, &test_error));
    assert_true(bytes_equal(record.opening, BYTES("later")));
    pthread_join(thread, NULL);
    ledger_reader_close(&reader);
    stop();
}

static void *stop_later(void *context)
{
    (void)context;
    usleep(50 * 1000);
    assert_done(ledger_stop(ledger, &test_error));
    return NULL;
}

/* Nobody waits for what cannot come any more. */
static void test_a_reader_that_waits_is_told_of_the_end(void **state)
{
    (void)state;
    make();
    pthread_t thread;
    struct vault_error said;
    VAULT_AUTO(ledger_reader_close) struct ledger_reader *reader = NULL;
    struct ledger_record record;
    assert_done(ledger_reader_open(ledger, 0, &reader, &test_error));
    assert_int_equal(pthread_create(&thread, NULL, stop_later, NULL), 0);
    const int64_t began_ms = clock_monotonic_ms();
    assert_fails(VAULT_UNAVAILABLE, ledger_reader_next(reader, PATIENCE_MS, &record, &said));
    assert_true(clock_monotonic_ms() - began_ms < PATIENCE_MS);
    pthread_join(thread, NULL);
    ledger_reader_close(&reader);
    ledger_close(&ledger);
}

static void test_a_reader_follows_from_segment_to_segment(void **state)
{
    (void)state;
    static uint8_t opening[LEDGER_OPENING_MAX_BYTES];
    const struct entry entry = {.event = ENTRY_ADMIN};
    struct ledger_record record;
    make();
    VAULT_AUTO(ledger_reader_close) struct ledger_reader *reader = NULL;
    assert_done(ledger_reader_open(ledger, 0, &reader, &test_error));
    for (unsigned i = 0; i < 300; i++) {
        opening[0] = (uint8_t)i;
        assert_done(ledger_append(ledger, &entry, (struct bytes){opening, sizeof opening}, NULL,
                                  &test_error));
        if (i % 2)
            assert_done(ledger_reader_next(reader, 0, &record, &test_error));
    }
    for (unsigned i = 150; i < 300; i++) {
        assert_done(ledger_reader_next(reader, 0, &record, &test_error));
        assert_int_equal(record.index, i);
        assert_int_equal(record.opening.data[0], (uint8_t)i);
    }
    ledger_reader_close(&reader);
    stop();
    open_log();
    assert_int_equal(ledger_head(ledger).size, 300);
    assert_done(ledger_reader_open(ledger, 299, &reader, &test_error));
    assert_done(ledger_reader_next(reader, 0, &record, &test_error));
    assert_int_equal(record.index, 299);
    ledger_reader_close(&reader);
    stop();
}

/* A log of so many entries whose journal has forgotten its beginning. */
static uint64_t make_forgetful(uint64_t count)
{
    static const uint8_t opening[LEDGER_OPENING_MAX_BYTES];
    const struct entry entry = {.event = ENTRY_ADMIN};
    make();
    for (uint64_t i = 0; i < count; i++)
        assert_done(ledger_append(ledger, &entry, (struct bytes){opening, sizeof opening}, NULL,
                                  &test_error));
    assert_done(ledger_wait_published(ledger, count, PATIENCE_MS, &test_error));
    assert_done(ledger_forget(ledger, count, &test_error));
    uint64_t begins_at = 0;
    struct ledger_reader *reader = NULL;
    while (ledger_reader_open(ledger, begins_at, &reader, NULL) == VAULT_NOT_FOUND)
        begins_at++;
    ledger_reader_close(&reader);
    assert_true(begins_at > 0 && begins_at <= count / TILE_WIDTH * TILE_WIDTH);
    return begins_at;
}

static void test_a_log_goes_on_without_the_beginning_of_its_journal(void **state)
{
    (void)state;
    make_forgetful(700);
    assert_published(700);
    stop();
    open_log();
    assert_int_equal(ledger_head(ledger).size, 700);
    append_many(400);
    assert_published(1100);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(PROOF_MAX_BYTES);
    assert_done(ledger_prove(ledger, 0, &text, &test_error));
    stop();
}

/* Tiles of the second level are begun, and one is full, when the journal forgets. */
static void test_the_edge_comes_from_the_tiles_where_the_journal_begins_later(void **state)
{
    (void)state;
    make();
    append_many(66000);
    assert_done(ledger_wait_published(ledger, 66000, PATIENCE_MS, &test_error));
    for (unsigned i = 0; i < 16; i++) {
        append_many(3000);
        assert_done(
            ledger_wait_published(ledger, 66000 + 3000 * (i + 1), PATIENCE_MS, &test_error));
    }
    const uint64_t size = ledger_head(ledger).size;
    assert_done(ledger_forget(ledger, size, &test_error));
    struct ledger_reader *reader = NULL;
    assert_fails(VAULT_NOT_FOUND, ledger_reader_open(ledger, 0, &reader, &test_error));
    stop();
    open_log();
    append_many(70000);
    assert_published(size + 70000);
    stop();
}

static void test_only_what_is_filed_and_published_is_forgotten(void **state)
{
    (void)state;
    const uint64_t begins_at = make_forgetful(700);
    struct ledger_reader *reader = NULL;
    assert_done(ledger_forget(ledger, UINT64_MAX, &test_error));
    assert_done(ledger_reader_open(ledger, begins_at, &reader, &test_error));
    ledger_reader_close(&reader);
    stop();
}

static void test_what_is_remembered_from_before_the_journal_is_held_against_the_tiles(void **state)
{
    (void)state;
    struct ledger_head early;
    make();
    append_many(10);
    early = ledger_head(ledger);
    stop();
    open_log();
    static const uint8_t opening[LEDGER_OPENING_MAX_BYTES];
    const struct entry entry = {.event = ENTRY_ADMIN};
    for (uint64_t i = 0; i < 700; i++)
        assert_done(ledger_append(ledger, &entry, (struct bytes){opening, sizeof opening}, NULL,
                                  &test_error));
    assert_done(ledger_wait_published(ledger, 710, PATIENCE_MS, &test_error));
    assert_done(ledger_forget(ledger, 710, &test_error));
    stop();
    struct ledger_options with = options();
    with.remembered = &early;
    with.remembered_count = 1;
    assert_done(ledger_open(&with, &ledger, &test_error));
    stop();
    early.root.bytes[0] ^= 1;
    assert_fails(VAULT_CORRUPT, ledger_open(&with, &ledger, &test_error));
    assert_non_null(strstr(test_error.text, "10 entries"));
}

static void test_missing_tiles_are_said_where_the_journal_cannot_replace_them(void **state)
{
    (void)state;
    char path[PATH_MAX];
    const struct ledger_options with = options();
    make_forgetful(700);
    stop();
    path_in_log(path, "tile/1/000.p/2");
    assert_int_equal(unlink(path), 0);
    assert_fails(VAULT_CORRUPT, ledger_open(&with, &ledger, &test_error));
    assert_non_null(strstr(test_error.text, "tiles are missing"));
}

static void test_without_its_checkpoint_a_forgetful_log_does_not_start(void **state)
{
    (void)state;
    char path[PATH_MAX];
    const struct ledger_options with = options();
    make_forgetful(700);
    stop();
    path_in_log(path, "checkpoint");
    assert_int_equal(unlink(path), 0);
    assert_fails(VAULT_CORRUPT, ledger_open(&with, &ledger, &test_error));
    assert_non_null(strstr(test_error.text, "begins with entry"));
}

/* --- Openings that go --- */

static bool goes_below(void *context, uint64_t index, struct bytes opening)
{
    assert_true(opening.size > 0);
    return index < *(const uint64_t *)context;
}

static bool opening_is_blank(uint64_t index)
{
    struct ledger_record record;
    VAULT_AUTO(ledger_reader_close) struct ledger_reader *reader = NULL;
    assert_done(ledger_reader_open(ledger, index, &reader, &test_error));
    assert_done(ledger_reader_next(reader, 0, &record, &test_error));
    assert_int_equal(record.index, index);
    return ledger_is_blank(record.opening);
}

/* How many of the journal's files hold the text. */
static int files_with(const char *text)
{
    char command[PATH_MAX * 2];
    char counted[32] = "";
    snprintf(command, sizeof command, "grep -la '%s' '%s'/journal/* | wc -l", text, dir);
    FILE *pipe = popen(command, "r"); // NOLINT(cert-env33-c): no path from outside
    assert_non_null(pipe);
    assert_non_null(fgets(counted, sizeof counted, pipe));
    assert_int_equal(pclose(pipe), 0);
    return (int)strtol(counted, NULL, 10);
}

static void test_openings_are_overwritten_in_the_journal_and_the_log_stays(void **state)
{
    (void)state;
    uint64_t below = 3;
    make();
    for (unsigned i = 0; i < 3; i++)
        append("an opening that goes");
    for (unsigned i = 0; i < 2; i++)
        append("an opening that stays");
    assert_int_equal(files_with("that goes"), 1);
    assert_done(ledger_blank(ledger, goes_below, &below, &test_error));
    assert_int_equal(files_with("that goes"), 0);
    assert_int_equal(files_with("that stays"), 1);
    append("an opening that is new");
    for (uint64_t i = 0; i < 6; i++)
        assert_int_equal(opening_is_blank(i), i < 3);
    assert_published(6);
    stop();
    open_log();
    assert_int_equal(ledger_head(ledger).size, 6);
    assert_true(opening_is_blank(2));
    below = 6;
    assert_done(ledger_blank(ledger, goes_below, &below, &test_error));
    assert_done(ledger_blank(ledger, goes_below, &below, &test_error));
    assert_int_equal(files_with("an opening"), 0);
    append_many(300);
    assert_published(306);
    stop();
}

/* A full bundle ends where a segment does, and that segment is forgotten before the next bundle. */
static void test_publishing_goes_on_where_the_last_segment_is_forgotten(void **state)
{
    (void)state;
    uint64_t none = 0;
    struct ledger_reader *reader = NULL;
    make();
    append_many(TILE_WIDTH);
    assert_published(TILE_WIDTH);
    for (unsigned i = 1; i <= 3; i++) {
        assert_done(ledger_blank(ledger, goes_below, &none, &test_error));
        append_many(1);
        assert_published(TILE_WIDTH + i);
    }
    assert_done(ledger_forget(ledger, TILE_WIDTH, &test_error));
    assert_fails(VAULT_NOT_FOUND, ledger_reader_open(ledger, 0, &reader, &test_error));
    append_many(TILE_WIDTH);
    assert_published(2 * TILE_WIDTH + 3);
    stop();
}

static void test_a_reader_goes_on_while_openings_are_overwritten(void **state)
{
    (void)state;
    uint64_t below = UINT64_MAX;
    struct ledger_record record;
    make();
    append_many(10);
    VAULT_AUTO(ledger_reader_close) struct ledger_reader *reader = NULL;
    assert_done(ledger_reader_open(ledger, 0, &reader, &test_error));
    for (uint64_t i = 0; i < 5; i++)
        assert_done(ledger_reader_next(reader, 0, &record, &test_error));
    assert_done(ledger_blank(ledger, goes_below, &below, &test_error));
    append_many(5);
    for (uint64_t i = 5; i < 15; i++) {
        assert_done(ledger_reader_next(reader, 0, &record, &test_error));
        assert_int_equal(record.index, i);
    }
    ledger_reader_close(&reader);
    stop();
}

/* --- A new key --- */

static struct note_signer newer;

static bool is_signed_by(const struct checkpoint *checkpoint, const struct note_signer *by)
{
    return checkpoint_verify(checkpoint, &by->key, NULL) == VAULT_OK;
}

static struct ledger_options with_newer_key(void)
{
    struct ledger_options with = options();
    with.signer = &newer;
    with.former = &signer.key;
    with.former_count = 1;
    return with;
}

static void test_a_log_goes_on_under_a_new_key_and_the_old_one_signs_too_for_a_while(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    struct checkpoint checkpoint;
    make();
    append_many(300);
    stop();
    struct ledger_options with = with_newer_key();
    with.parting = &signer;
    assert_done(ledger_open(&with, &ledger, &test_error));
    append_many(1);
    assert_published(301);
    assert_done(ledger_checkpoint(ledger, &note, &test_error));
    assert_done(checkpoint_parse(buf_view(&note), &checkpoint, &test_error));
    assert_true(is_signed_by(&checkpoint, &signer));
    assert_true(is_signed_by(&checkpoint, &newer));
    stop();
    with.parting = NULL;
    assert_done(ledger_open(&with, &ledger, &test_error));
    append_many(1);
    assert_done(ledger_wait_published(ledger, 302, PATIENCE_MS, &test_error));
    buf_clear(&note);
    assert_done(ledger_checkpoint(ledger, &note, &test_error));
    assert_done(checkpoint_parse(buf_view(&note), &checkpoint, &test_error));
    assert_false(is_signed_by(&checkpoint, &signer));
    assert_true(is_signed_by(&checkpoint, &newer));
    stop();
}

static atomic_uint partings; /* how often the parting key signed */

static enum vault_code sign_and_count(void *context, struct bytes message,
                                      uint8_t out[SIGN_SIGNATURE_BYTES], struct vault_error *err)
{
    const struct note_signer *real = context;
    atomic_fetch_add(&partings, 1);
    return sign_message(real->pair, message, out, err);
}

/* Who keeps a key signs only what grows: a reader who had the newest state signed before the
 * publisher came with the one it began with would have it refused. */
static void test_a_parting_key_signs_each_state_once_and_not_for_each_reader(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    struct checkpoint checkpoint;
    struct sign_key *pair = NULL;
    struct note_signer parting;
    uint8_t public_key[SIGN_PUBLIC_BYTES];
    make();
    append_many(5);
    stop();
    sign_key_public(signer.pair, public_key);
    const struct sign_elsewhere elsewhere = {sign_and_count, &signer};
    assert_done(sign_key_elsewhere(public_key, elsewhere, &pair, &test_error));
    assert_done(
        note_signer_of(bytes_of_text(signer.key.name), NOTE_ED25519, &pair, &parting, &test_error));
    struct ledger_options with = with_newer_key();
    with.parting = &parting;
    atomic_store(&partings, 0);
    assert_done(ledger_open(&with, &ledger, &test_error));
    append_many(1);
    append_many(1);
    assert_published(7);
    for (unsigned i = 0; i < 10; i++) {
        buf_clear(&note);
        assert_done(ledger_checkpoint(ledger, &note, &test_error));
    }
    assert_done(checkpoint_parse(buf_view(&note), &checkpoint, &test_error));
    assert_true(is_signed_by(&checkpoint, &signer));
    assert_int_equal(atomic_load(&partings), 3); /* at the start, and of two batches */
    stop();
    note_signer_finish(&parting);
}

static void test_the_checkpoint_is_the_new_keys_before_anything_is_entered(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf proof = buf_limited(PROOF_MAX_BYTES);
    struct checkpoint checkpoint;
    make();
    append_many(5);
    stop();
    const struct ledger_options with = with_newer_key();
    assert_done(ledger_open(&with, &ledger, &test_error));
    assert_done(ledger_checkpoint(ledger, &note, &test_error));
    assert_done(checkpoint_parse(buf_view(&note), &checkpoint, &test_error));
    assert_true(is_signed_by(&checkpoint, &newer));
    assert_int_equal(checkpoint.size, 5);
    assert_done(ledger_prove(ledger, 2, &proof, &test_error));
    stop();
}

static void test_a_key_that_the_log_never_had_opens_nothing(void **state)
{
    (void)state;
    make();
    append_many(5);
    stop();
    struct ledger_options with = with_newer_key();
    with.former_count = 0;
    assert_fails(VAULT_CORRUPT, ledger_open(&with, &ledger, &test_error));
    with.former = &newer.key;
    with.former_count = 1;
    assert_fails(VAULT_CORRUPT, ledger_open(&with, &ledger, &test_error));
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

static void wait_until_stopped(void)
{
    const int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    while (!ledger_has_stopped(ledger) && clock_monotonic_ms() < until)
        usleep(1000);
    assert_true(ledger_has_stopped(ledger));
}

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

/* --- Presenting ------------------------------------------------------------------------------ */

struct audience {
    pthread_mutex_t mutex;
    unsigned calls;
    uint64_t size;     /* of the last checkpoint presented */
    uint64_t old_size; /* to be proved from */
    bool tiles_were_there;
    bool proof_held;
    int64_t again_ms;
    const struct note_signer *witness; /* NULL: nobody signs */
    size_t surplus;                    /* bytes of lines that nobody wants */
    unsigned slow_s;                   /* how long each answer takes */
};

static int64_t present(void *context, const struct ledger_presented *presented, struct buf *lines)
{
    struct audience *audience = context;
    struct checkpoint checkpoint;
    struct tree_proof proof = {0};
    struct tree_hash root;
    char tile[PATH_MAX];
    char name[TILE_PATH_CHARS];
    assert_done(checkpoint_parse(presented->checkpoint, &checkpoint, &test_error));
    assert_done(checkpoint_verify(&checkpoint, &signer.key, &test_error));
    assert_int_equal(checkpoint.size, presented->head.size);
    sleep(audience->slow_s);
    pthread_mutex_lock(&audience->mutex);
    audience->calls++;
    audience->size = presented->head.size;
    if (presented->head.size) {
        tile_path(name, tile_of(presented->head.size, 0, 0));
        path_in_log(tile, name);
        audience->tiles_were_there = file_exists(tile);
    }
    audience->proof_held =
        ledger_prove_growth(presented, audience->old_size, &proof, &root, NULL) == VAULT_OK;
    if (audience->witness)
        assert_done(checkpoint_cosign(checkpoint.note.text, audience->witness, 7, lines, NULL));
    for (size_t i = 0; i < audience->surplus; i++)
        buf_byte(lines, 'x');
    pthread_mutex_unlock(&audience->mutex);
    return audience->again_ms;
}

static void open_before(struct audience *audience)
{
    struct ledger_options with = options();
    pthread_mutex_init(&audience->mutex, NULL);
    with.anchor = (struct ledger_anchor){present, audience};
    assert_done(ledger_open(&with, &ledger, &test_error));
}

static unsigned calls_of(struct audience *audience)
{
    pthread_mutex_lock(&audience->mutex);
    const unsigned calls = audience->calls;
    pthread_mutex_unlock(&audience->mutex);
    return calls;
}

static void test_a_checkpoint_is_presented_before_it_is_published(void **state)
{
    (void)state;
    VAULT_AUTO(note_signer_finish)
    struct note_signer witness = test_signer("witness.example/w", NOTE_COSIGNATURE, 9);
    struct audience audience = {.again_ms = 600000, .witness = &witness, .old_size = 2};
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    int64_t when_s = -1;
    make();
    stop();
    open_before(&audience);
    append_many(5);
    assert_published(5);
    assert_true(audience.tiles_were_there);
    assert_true(audience.proof_held);
    const struct checkpoint checkpoint = published(&note);
    assert_done(checkpoint_cosigned(&checkpoint, &witness.key, &when_s, &test_error));
    assert_int_equal(when_s, 7);
    stop();
}

static void test_a_log_that_stands_still_is_presented_again(void **state)
{
    (void)state;
    struct audience audience = {.again_ms = 20};
    make();
    stop();
    open_before(&audience);
    append_many(1);
    assert_published(1);
    const unsigned before = calls_of(&audience);
    const int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (calls_of(&audience) < before + 3 && clock_monotonic_ms() < until_ms)
        assert_done(ledger_health(ledger, &test_error));
    assert_true(calls_of(&audience) >= before + 3);
    stop();
}

static void test_presenting_can_be_asked_for(void **state)
{
    (void)state;
    struct audience audience = {.again_ms = 600000};
    make();
    stop();
    open_before(&audience);
    assert_done(ledger_present(ledger, PATIENCE_MS, &test_error));
    const unsigned before = calls_of(&audience);
    assert_true(before >= 1);
    /* The first of these may find a round under way that was begun before. */
    assert_done(ledger_present(ledger, PATIENCE_MS, &test_error));
    assert_done(ledger_present(ledger, PATIENCE_MS, &test_error));
    assert_true(calls_of(&audience) > before);
    stop();
}

/* Witnesses are asked now and then, not with every batch, and however slow they are, an entry is
 * published within the time that is promised. */
static void test_a_busy_log_is_presented_every_few_seconds(void **state)
{
    (void)state;
    struct audience audience = {.again_ms = 600000, .slow_s = 3};
    make();
    stop();
    open_before(&audience);
    const int64_t began_ms = clock_monotonic_ms();
    uint64_t waiting_for = 0;
    int64_t since_ms = 0;
    while (clock_monotonic_ms() < began_ms + 14000) {
        append_many(1);
        const int64_t at_ms = clock_monotonic_ms();
        if (!waiting_for) {
            waiting_for = ledger_head(ledger).size;
            since_ms = at_ms;
        } else if (ledger_published_size(ledger) >= waiting_for) {
            waiting_for = 0;
        }
        assert_true(!waiting_for || at_ms - since_ms < LEDGER_PUBLISH_WITHIN_MS);
        usleep(5000); /* a load, not a flood */
    }
    assert_in_range(calls_of(&audience), 2, 4); /* at 0, 5 and 10 s, and perhaps at the start */
    stop();
}

static void test_publishing_can_be_asked_for_before_its_time(void **state)
{
    (void)state;
    struct audience audience = {.again_ms = 600000};
    make();
    stop();
    open_before(&audience);
    const int64_t began_ms = clock_monotonic_ms();
    for (uint64_t size = 1; size <= 10; size++) {
        append_many(1);
        assert_published(size); /* asks */
    }
    assert_true(clock_monotonic_ms() - began_ms < LEDGER_PUBLISH_ANCHORED_MS);
    assert_true(calls_of(&audience) >= 10);
    stop();
}

static void test_lines_that_are_too_many_do_not_keep_a_checkpoint_back(void **state)
{
    (void)state;
    struct audience audience = {.again_ms = 600000, .surplus = CHECKPOINT_MAX_BYTES};
    make();
    stop();
    open_before(&audience);
    append_many(2);
    assert_published(2);
    stop();
}

static void test_no_growth_is_proved_from_a_size_the_log_never_had(void **state)
{
    (void)state;
    struct audience audience = {.again_ms = 600000, .old_size = 50};
    make();
    stop();
    open_before(&audience);
    append_many(3);
    assert_published(3);
    assert_false(audience.proof_held);
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

int main(void)
{
    if (crypto_start(true, &test_error))
        return 1;
    signer = test_signer("log.example", NOTE_ED25519, 1);
    newer = test_signer("log.example", NOTE_ED25519, 2);
    const int failed = TEST_RUN(
        test_a_checkpoint_is_presented_before_it_is_published,
        test_a_log_that_stands_still_is_presented_again, test_presenting_can_be_asked_for,
        test_a_busy_log_is_presented_every_few_seconds,
        test_publishing_can_be_asked_for_before_its_time,
        test_lines_that_are_too_many_do_not_keep_a_checkpoint_back,
        test_no_growth_is_proved_from_a_size_the_log_never_had, test_a_new_log_is_published_empty,
        test_a_log_is_made_once, test_a_folder_without_a_log_is_not_found,
        test_an_entry_gets_place_time_and_leaf, test_times_never_decrease,
        test_a_clock_that_steps_is_entered, test_what_no_entry_may_be_is_not_entered,
        test_the_log_goes_on_where_it_stopped,
        test_everything_enqueued_is_durable_and_published_after_a_stop, test_closing_stops_first,
        test_tiles_are_right_at_every_border, test_tiles_are_right_past_65536,
        test_partial_tiles_go_when_the_full_one_is_there,
        test_an_entry_is_published_within_a_second,
        test_an_entry_is_proved_as_soon_as_it_is_durable, test_the_checkpoint_is_of_what_is_durable,
        test_the_stats_say_what_was_written_and_how_long_it_took,
        test_a_reader_gets_entries_with_their_openings_in_order,
        test_a_reader_of_what_is_new_reads_nothing_of_what_is_published,
        test_a_reader_waits_for_more, test_a_reader_that_waits_is_told_of_the_end,
        test_a_reader_follows_from_segment_to_segment,
        test_a_log_goes_on_without_the_beginning_of_its_journal,
        test_the_edge_comes_from_the_tiles_where_the_journal_begins_later,
        test_only_what_is_filed_and_published_is_forgotten,
        test_what_is_remembered_from_before_the_journal_is_held_against_the_tiles,
        test_missing_tiles_are_said_where_the_journal_cannot_replace_them,
        test_without_its_checkpoint_a_forgetful_log_does_not_start,
        test_openings_are_overwritten_in_the_journal_and_the_log_stays,
        test_publishing_goes_on_where_the_last_segment_is_forgotten,
        test_a_reader_goes_on_while_openings_are_overwritten,
        test_a_log_goes_on_under_a_new_key_and_the_old_one_signs_too_for_a_while,
        test_a_parting_key_signs_each_state_once_and_not_for_each_reader,
        test_the_checkpoint_is_the_new_keys_before_anything_is_entered,
        test_a_key_that_the_log_never_had_opens_nothing, test_many_threads_get_every_place_once,
        test_a_second_process_is_refused, test_a_log_older_than_its_checkpoint_is_refused,
        test_a_log_older_than_the_vaults_memory_is_refused,
        test_a_checkpoint_of_another_key_is_refused,
        test_tiles_that_were_not_published_before_a_crash_are_published_after,
        test_everything_can_be_published_again_from_the_journal,
        test_an_unlinked_journal_stops_the_log_with_the_next_entry,
        test_a_lost_lock_stops_the_log_even_when_nothing_happens,
        test_a_folder_that_was_replaced_stops_the_log,
        test_a_short_write_stops_the_log_and_the_next_start_recovers,
        test_a_journal_that_changes_on_the_disk_is_not_published,
        test_entries_can_be_asked_for_without_waiting);
    note_signer_finish(&signer);
    note_signer_finish(&newer);
    return failed;
}
