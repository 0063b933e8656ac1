/* The journal: what is appended is found again, what is torn is dropped, what is damaged is named.
 */
#include "ledger/journal.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keys.h"
#include "test.h"
#include "vault/base/file.h"
#include "vault/crypto/crypto.h"
#include "vault/ledger/checkpoint.h"

#define TIME 1795295592000

static struct note_signer signer;
static struct journal *journal;
static struct tree_frontier frontier;
static char dir[PATH_MAX];

static void sign_frontier(uint8_t out[SIGN_SIGNATURE_BYTES])
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CHECKPOINT_TEXT_MAX_BYTES);
    const struct tree_hash root = tree_frontier_root(&frontier);
    checkpoint_write_text(&text, signer.key.name, frontier.size, &root);
    assert_done(sign_message(signer.pair, buf_view(&text), out, &test_error));
}

static struct frame_segment beginning(void)
{
    struct frame_segment segment = {.frontier = frontier};
    if (frontier.size)
        segment.last_time_ms = TIME + (int64_t)frontier.size - 1;
    sign_frontier(segment.signature);
    return segment;
}

static struct journal_walk walk_wanting(uint64_t wanted)
{
    return (struct journal_walk){.key = &signer.key, .wanted = wanted};
}

static void open_and_start(void)
{
    struct journal_walk walk = walk_wanting(0);
    assert_done(journal_open(dir, &journal, &test_error));
    assert_done(journal_walk(journal, &walk, &test_error));
    assert_done(journal_start(journal, &walk, &test_error));
}

static void make(void)
{
    snprintf(dir, sizeof dir, "%s", test_folder());
    frontier = (struct tree_frontier){0};
    const struct frame_segment first = beginning();
    assert_done(journal_create(dir, &first, &test_error));
    open_and_start();
}

/* Bytes of a batch of entries from the frontier on, which moves on. */
static void write_batch(struct buf *out, uint64_t count, size_t opening_size)
{
    static uint8_t opening[LEDGER_OPENING_MAX_BYTES];
    for (uint64_t i = 0; i < count; i++) {
        uint8_t frame[FRAME_MAX_BYTES];
        const struct entry entry = {.event = ENTRY_ADMIN, .time_ms = TIME + (int64_t)frontier.size};
        const size_t size = entry_write(&entry, frame + FRAME_HEAD_BYTES);
        memcpy(frame + FRAME_HEAD_BYTES + size, opening, opening_size);
        const struct tree_hash leaf = tree_leaf((struct bytes){frame + FRAME_HEAD_BYTES, size});
        buf_append(out, frame, frame_close(frame, FRAME_ENTRY, frontier.size, size, opening_size));
        tree_frontier_add(&frontier, &leaf, NULL, NULL);
    }
    struct frame_commit commit = {.size = frontier.size, .root = tree_frontier_root(&frontier)};
    sign_frontier(commit.signature);
    frame_write_commit(buf_extend(out, FRAME_COMMIT_BYTES), &commit);
    assert_done(buf_check(out, &test_error));
}

static void append(uint64_t count, size_t opening_size)
{
    VAULT_AUTO(buf_finish) struct buf batch = buf_limited(JOURNAL_BATCH_MAX_BYTES);
    const struct frame_segment segment = beginning();
    write_batch(&batch, count, opening_size);
    if (journal_must_turn(journal, batch.size)) {
        assert_done(journal_turn(journal, &segment, &test_error));
        assert_done(journal_reserve(journal, &test_error));
    }
    assert_done(journal_append(journal, buf_view(&batch), &test_error));
}

static void stop_cleanly(void)
{
    assert_done(journal_finish(journal, &test_error));
    journal_close(&journal);
}

static struct journal_walk walk_again(uint64_t wanted)
{
    struct journal_walk walk = walk_wanting(wanted);
    if (!journal)
        assert_done(journal_open(dir, &journal, &test_error));
    assert_done(journal_walk(journal, &walk, &test_error));
    return walk;
}

static void assert_walks_to(const struct journal_walk *walk, uint64_t size)
{
    const struct tree_hash a = tree_frontier_root(&walk->frontier);
    assert_int_equal(walk->frontier.size, size);
    if (size == frontier.size) {
        const struct tree_hash b = tree_frontier_root(&frontier);
        assert_true(tree_hash_equal(&a, &b));
    }
}

static void path_of_segment(char out[PATH_MAX], uint64_t first)
{
    snprintf(out, PATH_MAX, "%s/journal/%020ju.segment", dir, (uintmax_t)first);
}

static int open_segment(uint64_t first)
{
    char path[PATH_MAX];
    path_of_segment(path, first);
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void assert_refused(const char *words)
{
    struct journal_walk walk = walk_wanting(0);
    if (!journal)
        assert_done(journal_open(dir, &journal, &test_error));
    assert_fails(VAULT_CORRUPT, journal_walk(journal, &walk, &test_error));
    if (!strstr(test_error.text, words))
        fail_msg("\"%s\" does not say \"%s\"", test_error.text, words);
    journal_close(&journal);
}

static void test_a_new_journal_is_empty_and_signed(void **state)
{
    (void)state;
    make();
    const struct journal_walk walk = walk_again(0);
    assert_walks_to(&walk, 0);
    assert_false(walk.is_torn);
    journal_close(&journal);
}

static void test_there_is_only_one_journal_in_a_folder(void **state)
{
    (void)state;
    make();
    const struct frame_segment first = beginning();
    assert_fails(VAULT_CONFLICT, journal_create(dir, &first, &test_error));
    journal_close(&journal);
}

static void test_a_folder_without_a_journal_is_not_found(void **state)
{
    (void)state;
    assert_fails(VAULT_NOT_FOUND, journal_open(test_folder(), &journal, &test_error));
    assert_null(journal);
}

static void test_batches_are_found_again_after_a_clean_stop(void **state)
{
    (void)state;
    make();
    append(1, 0);
    append(3, 100);
    append(20, 7);
    stop_cleanly();
    const struct journal_walk walk = walk_again(2);
    assert_walks_to(&walk, 24);
    assert_true(walk.is_clean);
    assert_false(walk.is_torn);
    assert_int_equal(walk.last_time_ms, TIME + 23);
    journal_close(&journal);
}

static void test_an_end_without_a_clean_stop_is_noticed(void **state)
{
    (void)state;
    make();
    append(5, 0);
    journal_close(&journal);
    const struct journal_walk walk = walk_again(0);
    assert_walks_to(&walk, 5);
    assert_false(walk.is_clean);
    assert_false(walk.is_torn);
    journal_close(&journal);
}

static void test_after_an_unclean_end_the_segment_is_a_new_file(void **state)
{
    (void)state;
    struct stat before;
    struct stat after;
    char path[PATH_MAX];
    make();
    append(5, 0);
    path_of_segment(path, 0);
    assert_int_equal(stat(path, &before), 0);
    journal_close(&journal);
    open_and_start();
    assert_int_equal(stat(path, &after), 0);
    assert_int_not_equal(before.st_ino, after.st_ino);
    append(2, 0);
    stop_cleanly();
    const struct journal_walk walk = walk_again(0);
    assert_walks_to(&walk, 7);
    journal_close(&journal);
}

static void test_after_a_clean_stop_the_segment_goes_on(void **state)
{
    (void)state;
    struct stat before;
    struct stat after;
    char path[PATH_MAX];
    make();
    append(5, 0);
    stop_cleanly();
    path_of_segment(path, 0);
    assert_int_equal(stat(path, &before), 0);
    open_and_start();
    append(2, 0);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    journal_close(&journal);
    const struct journal_walk walk = walk_again(0);
    assert_walks_to(&walk, 7);
    journal_close(&journal);
}

static void test_the_place_of_an_entry_is_told(void **state)
{
    (void)state;
    make();
    append(10, 0);
    const struct journal_walk walk = walk_again(7);
    VAULT_AUTO(frame_source_close) struct frame_source source = {.fd = -1};
    VAULT_AUTO(file_close) int fd = open_segment(walk.wanted_place.segment);
    struct frame frame;
    bool found = false;
    assert_done(frame_source_open(&source, fd, walk.wanted_place.offset, &test_error));
    assert_done(frame_source_next(&source, &frame, &found, &test_error));
    assert_true(found);
    assert_int_equal(frame.number, 7);
    const struct journal_walk beyond = walk_again(10);
    assert_int_equal(beyond.wanted_place.offset, beyond.end.offset);
    journal_close(&journal);
}

/* Large openings fill segments quickly. */
static void fill_segments(uint64_t batches)
{
    for (uint64_t i = 0; i < batches; i++)
        append(10, LEDGER_OPENING_MAX_BYTES);
}

static void test_segments_follow_each_other(void **state)
{
    (void)state;
    make();
    fill_segments(60);
    assert_true(journal->segment_count >= 3);
    uint64_t first = 0;
    assert_done(journal_segment_of(journal, 0, &first, &test_error));
    assert_int_equal(first, 0);
    assert_done(journal_segment_of(journal, 599, &first, &test_error));
    assert_int_equal(first, journal->segments[journal->segment_count - 1]);
    const struct journal_walk walk = walk_again(300);
    assert_walks_to(&walk, 600);
    assert_done(journal_segment_of(journal, 300, &first, &test_error));
    assert_int_equal(walk.wanted_place.segment, first);
    stop_cleanly();
    open_and_start();
    fill_segments(1);
    const struct journal_walk later = walk_again(0);
    assert_walks_to(&later, 610);
    journal_close(&journal);
}

static void test_segments_grow_so_that_a_small_log_is_small(void **state)
{
    (void)state;
    make();
    assert_int_equal(journal->segment_size, 1024 * 1024);
    assert_int_equal(journal->next_size, 2 * 1024 * 1024);
    assert_int_equal(segment_planned_bytes(0), 1024 * 1024);
    assert_int_equal(segment_planned_bytes(10000), 16 * 1024 * 1024);
    assert_int_equal(segment_planned_bytes(TREE_MAX_SIZE), SEGMENT_MAX_BYTES);
    journal_close(&journal);
}

static void test_a_second_process_is_refused_and_told_of_the_lock(void **state)
{
    (void)state;
    make();
    struct journal *second = NULL;
    assert_fails(VAULT_CONFLICT, journal_open(dir, &second, &test_error));
    assert_non_null(strstr(test_error.text, "journal/lock"));
    journal_close(&journal);
    assert_done(journal_open(dir, &second, &test_error));
    journal_close(&second);
}

/* A torn write: the first part of a batch, for each of several places to tear it at. */
static void test_a_torn_tail_is_dropped_wherever_it_tore(void **state)
{
    (void)state;
    make();
    append(4, 50);
    append(4, 50);
    const struct tree_frontier kept = frontier;
    VAULT_AUTO(buf_finish) struct buf torn = buf_limited(JOURNAL_BATCH_MAX_BYTES);
    write_batch(&torn, 3, 50);
    const size_t entry_size = (torn.size - FRAME_COMMIT_BYTES) / 3;
    const uint64_t end = journal->end.offset;
    journal_close(&journal);
    for (size_t size = 1; size < torn.size; size += 13) {
        VAULT_AUTO(file_close) int fd = open_segment(0);
        VAULT_AUTO(buf_finish) struct buf nothing = buf_limited(4096);
        memset(buf_extend(&nothing, 4096), 0, 4096);
        assert_int_equal(pwrite(fd, nothing.data, 4096, (off_t)end), 4096);
        assert_int_equal(pwrite(fd, torn.data, size, (off_t)end), size);
        frontier = kept;
        const struct journal_walk walk = walk_again(0);
        assert_walks_to(&walk, 8);
        assert_true(walk.is_torn);
        const uint64_t begun = (size + entry_size - 1) / entry_size;
        assert_int_equal(walk.torn_entries, begun < 3 ? begun : 3);
        journal_close(&journal);
    }
    open_and_start();
    append(2, 0);
    stop_cleanly();
    const struct journal_walk walk = walk_again(0);
    assert_walks_to(&walk, 10);
    assert_false(walk.is_torn);
    journal_close(&journal);
}

static void test_rubbish_behind_the_last_commit_is_a_torn_tail(void **state)
{
    (void)state;
    make();
    append(4, 0);
    const uint64_t end = journal->end.offset;
    journal_close(&journal);
    VAULT_AUTO(file_close) int fd = open_segment(0);
    assert_int_equal(pwrite(fd, "rubbish", 7, (off_t)end + 1000), 7);
    const struct journal_walk walk = walk_again(0);
    assert_walks_to(&walk, 4);
    assert_true(walk.is_torn);
    assert_int_equal(walk.torn_entries, 0);
    journal_close(&journal);
}

static void test_every_flipped_bit_before_the_last_commit_is_damage(void **state)
{
    (void)state;
    make();
    append(2, 0);
    const uint64_t first_end = journal->end.offset;
    append(2, 0);
    const uint64_t end = journal->end.offset;
    journal_close(&journal);
    VAULT_AUTO(file_close) int fd = open_segment(0);
    for (uint64_t at = 0; at < end; at += 7) {
        uint8_t byte = 0;
        assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
        byte ^= (uint8_t)(1U << (at % 8));
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
        if (at < end - FRAME_COMMIT_BYTES) {
            assert_refused("damaged at byte");
        } else {
            /* Without its commit the last batch is a torn tail: the vault's memory notices. */
            const struct journal_walk walk = walk_again(0);
            assert_int_equal(walk.frontier.size, 2);
            assert_int_equal(walk.end.offset, first_end);
            journal_close(&journal);
        }
        byte ^= (uint8_t)(1U << (at % 8));
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    }
    const struct journal_walk walk = walk_again(0);
    assert_walks_to(&walk, 4);
    journal_close(&journal);
}

static void test_what_is_remembered_catches_a_log_cut_at_a_batch(void **state)
{
    (void)state;
    make();
    append(2, 0);
    const uint64_t cut_at = journal->end.offset;
    append(2, 0);
    const struct ledger_head now = {4, tree_frontier_root(&frontier)};
    journal_close(&journal);
    VAULT_AUTO(file_close) int fd = open_segment(0);
    struct journal_walk walk = walk_wanting(0);
    walk.remembered = &now;
    walk.remembered_count = 1;
    assert_done(journal_open(dir, &journal, &test_error));
    assert_done(journal_walk(journal, &walk, &test_error));
    assert_int_equal(ftruncate(fd, (off_t)cut_at), 0);
    walk = walk_wanting(0);
    assert_done(journal_walk(journal, &walk, &test_error)); /* by itself it is a fine log */
    assert_true(walk.is_clean);
    walk = walk_wanting(0);
    walk.remembered = &now;
    walk.remembered_count = 1;
    assert_fails(VAULT_CORRUPT, journal_walk(journal, &walk, &test_error));
    assert_non_null(strstr(test_error.text, "4 are remembered"));
    journal_close(&journal);
}

static void test_what_is_remembered_catches_another_history(void **state)
{
    (void)state;
    make();
    append(4, 0);
    const struct ledger_head other[] = {{0, tree_empty_root()}, {3, tree_leaf(BYTES("other"))}};
    struct journal_walk walk = walk_wanting(0);
    walk.remembered = other;
    walk.remembered_count = 1;
    assert_done(journal_walk(journal, &walk, &test_error));
    walk = walk_wanting(0);
    walk.remembered = other;
    walk.remembered_count = 2;
    assert_fails(VAULT_CORRUPT, journal_walk(journal, &walk, &test_error));
    journal_close(&journal);
}

static void test_another_logs_key_is_noticed(void **state)
{
    (void)state;
    make();
    append(4, 0);
    VAULT_AUTO(note_signer_finish)
    struct note_signer other = test_signer("log.example", NOTE_ED25519, 99);
    struct journal_walk walk = {.key = &other.key};
    assert_fails(VAULT_CORRUPT, journal_walk(journal, &walk, &test_error));
    journal_close(&journal);
}

/* Frames of equal size, so that they can be moved about. */
static void exchange(int fd, off_t a, off_t b, size_t size)
{
    uint8_t first[1024];
    uint8_t second[1024];
    assert_true(size <= sizeof first);
    assert_int_equal(pread(fd, first, size, a), size);
    assert_int_equal(pread(fd, second, size, b), size);
    assert_int_equal(pwrite(fd, second, size, a), size);
    assert_int_equal(pwrite(fd, first, size, b), size);
}

static void test_entries_that_change_places_are_damage(void **state)
{
    (void)state;
    make();
    const uint64_t start = journal->end.offset;
    append(4, 0);
    const size_t size = (size_t)(journal->end.offset - start - FRAME_COMMIT_BYTES) / 4;
    journal_close(&journal);
    VAULT_AUTO(file_close) int fd = open_segment(0);
    exchange(fd, (off_t)start, (off_t)(start + size), size);
    assert_refused("another index");
    exchange(fd, (off_t)start, (off_t)(start + size), size);
    uint8_t frame[1024];
    assert_int_equal(pread(fd, frame, size, (off_t)start), size); /* the first entry twice */
    assert_int_equal(pwrite(fd, frame, size, (off_t)(start + size)), size);
    assert_refused("another index");
}

/* Rewrite an entry with a right checksum, as somebody would who knows the format. */
static void test_an_entry_that_was_forged_does_not_give_the_root(void **state)
{
    (void)state;
    make();
    const uint64_t start = journal->end.offset;
    append(4, 0);
    const size_t size = (size_t)(journal->end.offset - start - FRAME_COMMIT_BYTES) / 4;
    journal_close(&journal);
    VAULT_AUTO(file_close) int fd = open_segment(0);
    uint8_t bytes[1024];
    struct frame frame;
    assert_int_equal(pread(fd, bytes, size, (off_t)start), size);
    assert_true(frame_read((struct bytes){bytes, size}, &frame));
    uint8_t *last_digit = memmem(bytes, size, "592000", 6);
    assert_non_null(last_digit);
    last_digit[5] = '1';
    assert_int_equal(frame_close(bytes, FRAME_ENTRY, 0, frame.first.size, 0), size);
    assert_int_equal(pwrite(fd, bytes, size, (off_t)start), size);
    assert_refused("do not give the root");
}

static void test_times_that_run_backwards_are_damage(void **state)
{
    (void)state;
    make();
    VAULT_AUTO(buf_finish) struct buf batch = buf_limited(JOURNAL_BATCH_MAX_BYTES);
    append(2, 0);
    for (unsigned i = 0; i < 2; i++) {
        uint8_t frame[FRAME_MAX_BYTES];
        const struct entry entry = {.event = ENTRY_ADMIN, .time_ms = TIME - i};
        const size_t size = entry_write(&entry, frame + FRAME_HEAD_BYTES);
        const struct tree_hash leaf = tree_leaf((struct bytes){frame + FRAME_HEAD_BYTES, size});
        buf_append(&batch, frame, frame_close(frame, FRAME_ENTRY, frontier.size, size, 0));
        tree_frontier_add(&frontier, &leaf, NULL, NULL);
    }
    struct frame_commit commit = {.size = frontier.size, .root = tree_frontier_root(&frontier)};
    sign_frontier(commit.signature);
    frame_write_commit(buf_extend(&batch, FRAME_COMMIT_BYTES), &commit);
    assert_done(journal_append(journal, buf_view(&batch), &test_error));
    journal_close(&journal);
    assert_refused("earlier");
}

static void test_damage_in_an_earlier_segment_is_named(void **state)
{
    (void)state;
    make();
    fill_segments(30);
    assert_true(journal->segment_count >= 2);
    journal_close(&journal);
    VAULT_AUTO(file_close) int fd = open_segment(0);
    assert_int_equal(pwrite(fd, "X", 1, 300000), 1);
    assert_refused("00000000000000000000.segment");
    assert_int_equal(ftruncate(fd, 200000), 0);
    assert_refused("00000000000000000000.segment");
}

static void test_a_segment_that_is_missing_is_damage(void **state)
{
    (void)state;
    char path[PATH_MAX];
    make();
    fill_segments(60);
    path_of_segment(path, journal->segments[1]);
    journal_close(&journal);
    assert_int_equal(unlink(path), 0);
    assert_refused("does not begin");
    path_of_segment(path, 0);
    assert_int_equal(unlink(path), 0);
    assert_refused("begins with entry");
}

static void test_what_is_forgotten_is_gone_and_the_rest_stands(void **state)
{
    (void)state;
    make();
    fill_segments(100);
    const size_t segments = journal->segment_count;
    const uint64_t second = journal->segments[1];
    const uint64_t third = journal->segments[2];
    assert_true(segments > 3);
    assert_done(journal_forget(journal, second - 1, &test_error));
    assert_int_equal(journal->segment_count, segments);
    assert_done(journal_forget(journal, third + 1, &test_error));
    assert_int_equal(journal->segment_count, segments - 2);
    assert_int_equal(journal_begins_at(journal), third);
    assert_fails(VAULT_NOT_FOUND, journal_segment_of(journal, third - 1, &(uint64_t){0}, NULL));
    append(3, 0);
    journal_close(&journal);

    const struct journal_walk walk = walk_again(third + 1);
    assert_int_equal(walk.begins_at, third);
    assert_walks_to(&walk, frontier.size);
    assert_int_equal(walk.wanted_place.segment, third);
    journal_close(&journal);
    struct journal_walk earlier = walk_wanting(third - 1);
    assert_done(journal_open(dir, &journal, &test_error));
    assert_fails(VAULT_CORRUPT, journal_walk(journal, &earlier, &test_error));
    journal_close(&journal);
}

static void test_the_last_two_segments_stay(void **state)
{
    (void)state;
    make();
    fill_segments(100);
    const size_t segments = journal->segment_count;
    assert_done(journal_forget(journal, UINT64_MAX, &test_error));
    assert_int_equal(journal->segment_count, 2);
    assert_true(segments > 2);
    stop_cleanly();
    assert_done(journal_open(dir, &journal, &test_error));
    const struct journal_walk walk = walk_again(journal_begins_at(journal));
    assert_walks_to(&walk, frontier.size);
    journal_close(&journal);
}

static void test_a_beginning_that_was_not_signed_is_refused(void **state)
{
    (void)state;
    make();
    fill_segments(100);
    assert_done(journal_forget(journal, UINT64_MAX, &test_error));
    const uint64_t first = journal_begins_at(journal);
    journal_close(&journal);
    VAULT_AUTO(file_close) int fd = open_segment(first);
    uint8_t bytes[FRAME_SEGMENT_BYTES];
    struct frame frame;
    struct frame_segment segment;
    assert_int_equal(pread(fd, bytes, sizeof bytes, 0), sizeof bytes);
    assert_true(frame_read((struct bytes){bytes, sizeof bytes}, &frame));
    assert_true(frame_read_segment(&frame, &segment));
    for (unsigned level = 0; level < TREE_MAX_LEVELS; level++)
        segment.frontier.nodes[level].bytes[0] ^= 1;
    const size_t size = frame_write_segment(bytes, &segment);
    assert_int_equal(pwrite(fd, bytes, size, 0), size);
    struct journal_walk walk = walk_wanting(first);
    assert_done(journal_open(dir, &journal, &test_error));
    assert_fails(VAULT_CORRUPT, journal_walk(journal, &walk, &test_error));
    assert_non_null(strstr(test_error.text, "does not begin"));
    journal_close(&journal);
}

/* The signature does not cover the time; but before the first entry there is none. */
static void test_a_time_before_the_first_entry_is_refused(void **state)
{
    (void)state;
    make();
    struct frame_segment segment = beginning();
    stop_cleanly();
    uint8_t bytes[FRAME_SEGMENT_BYTES];
    segment.last_time_ms = TIME;
    const size_t size = frame_write_segment(bytes, &segment);
    VAULT_AUTO(file_close) int fd = open_segment(0);
    assert_int_equal(pwrite(fd, bytes, size, 0), size);
    struct journal_walk walk = walk_wanting(0);
    assert_done(journal_open(dir, &journal, &test_error));
    assert_fails(VAULT_CORRUPT, journal_walk(journal, &walk, &test_error));
    assert_non_null(strstr(test_error.text, "does not begin"));
    journal_close(&journal);
}

static void test_a_last_segment_without_a_beginning_is_dropped(void **state)
{
    (void)state;
    char path[PATH_MAX];
    make();
    fill_segments(10);
    snprintf(path, sizeof path, "%s/journal/%020d.segment", dir, 100);
    journal_close(&journal);
    assert_done(file_create(path, BYTES("CVLJ\3"), 0600, &test_error));
    struct journal_walk walk = walk_again(0);
    assert_walks_to(&walk, 100);
    assert_true(walk.is_torn);
    assert_false(walk.is_clean);
    assert_done(journal_start(journal, &walk, &test_error));
    assert_false(file_exists(path));
    append(1, 0);
    stop_cleanly();
    walk = walk_again(0);
    assert_walks_to(&walk, 101);
    journal_close(&journal);
}

static void test_walking_changes_nothing(void **state)
{
    (void)state;
    char command[2 * PATH_MAX];
    make();
    append(3, 0);
    const uint64_t end = journal->end.offset;
    journal_close(&journal);
    VAULT_AUTO(file_close) int fd = open_segment(0);
    assert_int_equal(pwrite(fd, "torn", 4, (off_t)end), 4);
    snprintf(command, sizeof command, "cd %s && sha256sum journal/* > before", dir);
    assert_int_equal(system(command), 0); // NOLINT(concurrency-mt-unsafe,cert-env33-c)
    const struct journal_walk walk = walk_again(0);
    assert_true(walk.is_torn);
    journal_close(&journal);
    snprintf(command, sizeof command, "cd %s && sha256sum -c --quiet before", dir);
    assert_int_equal(system(command), 0); // NOLINT(concurrency-mt-unsafe,cert-env33-c)
}

/* What happens to the files while they are open, and what must be noticed with the next batch. */
static void spoil(const char *what)
{
    char path[PATH_MAX];
    char other[PATH_MAX];
    path_of_segment(path, 0);
    snprintf(other, sizeof other, "%s/other", dir);
    if (strcmp(what, "unlink") == 0) {
        assert_int_equal(unlink(path), 0);
    } else if (strcmp(what, "replace") == 0) {
        assert_done(file_create(other, BYTES("x"), 0600, &test_error));
        assert_int_equal(rename(other, path), 0);
    } else if (strcmp(what, "rename") == 0) {
        assert_int_equal(rename(path, other), 0);
    } else if (strcmp(what, "cut") == 0) {
        assert_int_equal(truncate(path, 100), 0);
    } else if (strcmp(what, "lock") == 0) {
        snprintf(path, sizeof path, "%s/journal/lock", dir);
        assert_int_equal(unlink(path), 0);
    } else {
        snprintf(path, sizeof path, "%s/journal", dir);
        assert_int_equal(rename(path, other), 0);
    }
}

static void test_files_that_go_away_are_noticed_with_the_next_batch(void **state)
{
    (void)state;
    static const char *const ways[] = {"unlink", "replace", "rename", "cut", "lock", "folder"};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        VAULT_AUTO(buf_finish) struct buf batch = buf_limited(JOURNAL_BATCH_MAX_BYTES);
        make();
        append(2, 0);
        write_batch(&batch, 1, 0);
        assert_done(journal_check(journal, &test_error));
        spoil(ways[i]);
        if (journal_append(journal, buf_view(&batch), &test_error) != VAULT_IO)
            fail_msg("%s was not noticed", ways[i]);
        journal_close(&journal);
    }
}

/* In a process of its own: the limit cannot be taken back. */
static int append_past_the_limit(void)
{
    const struct rlimit limit = {journal->end.offset + 100, RLIM_INFINITY};
    VAULT_AUTO(buf_finish) struct buf batch = buf_limited(JOURNAL_BATCH_MAX_BYTES);
    write_batch(&batch, 3, 0);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 2;
    const enum vault_code code = journal_append(journal, buf_view(&batch), &test_error);
    return code == VAULT_IO && strstr(test_error.text, "only 100 of") ? 0 : 1;
}

static void test_a_short_write_is_final_and_dropped_at_the_next_start(void **state)
{
    (void)state;
    make();
    append(2, 0);
    const struct tree_frontier kept = frontier;
    const pid_t child = fork();
    if (child == 0)
        _exit(append_past_the_limit());
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    journal_close(&journal);
    frontier = kept;
    const struct journal_walk walk = walk_again(0);
    assert_walks_to(&walk, 2);
    assert_true(walk.is_torn);
    assert_int_equal(walk.torn_entries, 1);
    journal_close(&journal);
}

static void test_room_counts_this_segment_and_the_next(void **state)
{
    (void)state;
    make();
    assert_true(journal_has_room(journal, 1));
    assert_true(journal_has_room(journal, (size_t)(journal->segment_size - journal->end.offset)));
    assert_true(journal_has_room(journal, 2 * 1024 * 1024));
    assert_false(journal_has_room(journal, 3 * 1024 * 1024));
    stop_cleanly();
}

int main(void)
{
    if (crypto_start(true, &test_error))
        return 1;
    signal(SIGXFSZ, SIG_IGN);
    signer = test_signer("log.example", NOTE_ED25519, 1);
    const int failed = TEST_RUN(
        test_a_new_journal_is_empty_and_signed, test_there_is_only_one_journal_in_a_folder,
        test_a_folder_without_a_journal_is_not_found,
        test_batches_are_found_again_after_a_clean_stop,
        test_an_end_without_a_clean_stop_is_noticed,
        test_after_an_unclean_end_the_segment_is_a_new_file,
        test_after_a_clean_stop_the_segment_goes_on, test_the_place_of_an_entry_is_told,
        test_segments_follow_each_other, test_segments_grow_so_that_a_small_log_is_small,
        test_a_second_process_is_refused_and_told_of_the_lock,
        test_a_torn_tail_is_dropped_wherever_it_tore,
        test_rubbish_behind_the_last_commit_is_a_torn_tail,
        test_every_flipped_bit_before_the_last_commit_is_damage,
        test_what_is_remembered_catches_a_log_cut_at_a_batch,
        test_what_is_remembered_catches_another_history, test_another_logs_key_is_noticed,
        test_entries_that_change_places_are_damage,
        test_an_entry_that_was_forged_does_not_give_the_root,
        test_times_that_run_backwards_are_damage, test_damage_in_an_earlier_segment_is_named,
        test_a_segment_that_is_missing_is_damage,
        test_what_is_forgotten_is_gone_and_the_rest_stands, test_the_last_two_segments_stay,
        test_a_beginning_that_was_not_signed_is_refused,
        test_a_time_before_the_first_entry_is_refused,
        test_a_last_segment_without_a_beginning_is_dropped, test_walking_changes_nothing,
        test_files_that_go_away_are_noticed_with_the_next_batch,
        test_a_short_write_is_final_and_dropped_at_the_next_start,
        test_room_counts_this_segment_and_the_next);
    note_signer_finish(&signer);
    return failed;
}
