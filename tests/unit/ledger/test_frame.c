#include "ledger/frame.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "test.h"
#include "vault/base/file.h"
#include "vault/crypto/crypto.h"

static size_t write_entry(uint8_t *out, uint64_t index, struct bytes text, struct bytes opening)
{
    memcpy(out + FRAME_HEAD_BYTES, text.data, text.size);
    memcpy(out + FRAME_HEAD_BYTES + text.size, opening.data, opening.size);
    return frame_close(out, FRAME_ENTRY, index, text.size, opening.size);
}

static void test_an_entry_comes_back(void **state)
{
    (void)state;
    uint8_t bytes[256];
    const size_t size = write_entry(bytes, 4711, BYTES("the text"), BYTES("sealed"));
    struct frame frame;
    assert_true(frame_read((struct bytes){bytes, size}, &frame));
    assert_int_equal(frame.type, FRAME_ENTRY);
    assert_int_equal(frame.number, 4711);
    assert_int_equal(frame.size, size);
    assert_true(bytes_equal(frame.first, BYTES("the text")));
    assert_true(bytes_equal(frame.second, BYTES("sealed")));
}

static void test_a_commit_comes_back(void **state)
{
    (void)state;
    uint8_t bytes[FRAME_COMMIT_BYTES];
    struct frame_commit commit = {.size = 70000, .root = tree_empty_root()};
    struct frame_commit back;
    struct frame frame;
    memset(commit.signature, 7, sizeof commit.signature);
    frame_write_commit(bytes, &commit);
    assert_true(frame_read((struct bytes){bytes, sizeof bytes}, &frame));
    assert_true(frame_read_commit(&frame, &back));
    assert_int_equal(back.size, 70000);
    assert_memory_equal(back.signature, commit.signature, sizeof back.signature);
    assert_true(tree_hash_equal(&back.root, &commit.root));
}

static void test_the_start_of_a_segment_comes_back(void **state)
{
    (void)state;
    for (uint64_t size = 0; size < 70; size += 23) {
        struct frame_segment segment = {.last_time_ms = 1795295592123};
        for (uint64_t i = 0; i < size; i++) {
            const struct tree_hash leaf = tree_leaf((struct bytes){(uint8_t *)&i, sizeof i});
            tree_frontier_add(&segment.frontier, &leaf, NULL, NULL);
        }
        uint8_t bytes[FRAME_SEGMENT_BYTES];
        struct frame_segment back;
        struct frame frame;
        assert_true(
            frame_read((struct bytes){bytes, frame_write_segment(bytes, &segment)}, &frame));
        assert_true(frame_read_segment(&frame, &back));
        const struct tree_hash root = tree_frontier_root(&segment.frontier);
        const struct tree_hash back_root = tree_frontier_root(&back.frontier);
        assert_true(tree_hash_equal(&root, &back_root));
        assert_int_equal(back.frontier.size, size);
        assert_int_equal(back.last_time_ms, segment.last_time_ms);
    }
}

static void test_frames_of_the_wrong_type_are_not_taken_for_another(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct frame frame;
    struct frame_commit commit;
    struct frame_segment segment;
    const size_t size = write_entry(bytes, 1, BYTES("x"), BYTES(""));
    assert_true(frame_read((struct bytes){bytes, size}, &frame));
    assert_false(frame_read_commit(&frame, &commit));
    assert_false(frame_read_segment(&frame, &segment));
}

static void test_a_frame_that_is_cut_is_none(void **state)
{
    (void)state;
    uint8_t bytes[256];
    const size_t size = write_entry(bytes, 1, BYTES("the text"), BYTES("sealed"));
    struct frame frame;
    for (size_t cut = 0; cut < size; cut++)
        assert_false(frame_read((struct bytes){bytes, cut}, &frame));
}

static void test_a_frame_with_any_bit_flipped_is_none(void **state)
{
    (void)state;
    uint8_t bytes[256];
    const size_t size = write_entry(bytes, 1, BYTES("the text"), BYTES("sealed"));
    struct frame frame;
    for (size_t bit = 0; bit < size * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        assert_false(frame_read((struct bytes){bytes, sizeof bytes}, &frame));
        bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
    assert_true(frame_read((struct bytes){bytes, sizeof bytes}, &frame));
}

static void test_sizes_that_cannot_be_are_refused_unread(void **state)
{
    (void)state;
    static uint8_t bytes[2 * FRAME_MAX_BYTES];
    struct frame frame;
    frame_close(bytes, FRAME_ENTRY, 1, ENTRY_MAX_BYTES, LEDGER_OPENING_MAX_BYTES);
    assert_true(frame_read((struct bytes){bytes, sizeof bytes}, &frame));
    assert_int_equal(frame.size, FRAME_MAX_BYTES);
    frame_close(bytes, FRAME_ENTRY, 1, ENTRY_MAX_BYTES + 1, 0);
    assert_false(frame_read((struct bytes){bytes, sizeof bytes}, &frame));
    frame_close(bytes, FRAME_ENTRY, 1, 0, LEDGER_OPENING_MAX_BYTES + 1);
    assert_false(frame_read((struct bytes){bytes, sizeof bytes}, &frame));
    frame_close(bytes, FRAME_COMMIT, 1, 95, 0);
    assert_false(frame_read((struct bytes){bytes, sizeof bytes}, &frame));
    frame_close(bytes, FRAME_COMMIT, 1, 96, 1);
    assert_false(frame_read((struct bytes){bytes, sizeof bytes}, &frame));
    frame_close(bytes, (enum frame_type)4, 1, 0, 0);
    assert_false(frame_read((struct bytes){bytes, sizeof bytes}, &frame));
}

static void test_a_frontier_of_another_size_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[FRAME_SEGMENT_BYTES] = {0};
    struct frame frame;
    struct frame_segment segment;
    const size_t fixed = 8 + SIGN_SIGNATURE_BYTES;
    frame_close(bytes, FRAME_SEGMENT, 3, fixed + TREE_HASH_BYTES, 0); /* 3 has two nodes */
    assert_true(frame_read((struct bytes){bytes, sizeof bytes}, &frame));
    assert_false(frame_read_segment(&frame, &segment));
    frame_close(bytes, FRAME_SEGMENT, 3, fixed + 3 * TREE_HASH_BYTES, 0);
    assert_true(frame_read((struct bytes){bytes, sizeof bytes}, &frame));
    assert_false(frame_read_segment(&frame, &segment));
    frame_close(bytes, FRAME_SEGMENT, UINT64_MAX, fixed, 0);
    assert_true(frame_read((struct bytes){bytes, sizeof bytes}, &frame));
    assert_false(frame_read_segment(&frame, &segment));
}

#define FRAMES 2000

static int write_file(char *path, size_t path_size)
{
    static uint8_t bytes[8192];
    snprintf(path, path_size, "%s/segment", test_folder());
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    static uint8_t opening[4096];
    for (uint64_t i = 0; i < FRAMES; i++) {
        const size_t size = write_entry(bytes, i, BYTES("some text"),
                                        (struct bytes){opening, (i * 7) % sizeof opening});
        assert_done(file_write_all(fd, (struct bytes){bytes, size}, &test_error));
    }
    return fd;
}

static void test_a_file_gives_its_frames_in_turn(void **state)
{
    (void)state;
    char path[128];
    VAULT_AUTO(file_close) int fd = write_file(path, sizeof path);
    VAULT_AUTO(frame_source_close) struct frame_source source = {.fd = -1};
    assert_done(frame_source_open(&source, fd, 0, &test_error));
    struct frame frame;
    bool found = false;
    uint64_t middle = 0;
    for (uint64_t i = 0; i < FRAMES; i++) {
        assert_done(frame_source_next(&source, &frame, &found, &test_error));
        assert_true(found);
        assert_int_equal(frame.number, i);
        if (i == 1234)
            middle = frame.offset;
    }
    assert_done(frame_source_next(&source, &frame, &found, &test_error));
    assert_false(found);

    VAULT_AUTO(frame_source_close) struct frame_source from_middle = {.fd = -1};
    assert_done(frame_source_open(&from_middle, fd, middle, &test_error));
    assert_done(frame_source_next(&from_middle, &frame, &found, &test_error));
    assert_true(found);
    assert_int_equal(frame.number, 1234);
}

static void test_a_frame_that_was_not_there_yet_is_found_later(void **state)
{
    (void)state;
    char path[128];
    uint8_t bytes[256];
    VAULT_AUTO(file_close) int fd = write_file(path, sizeof path);
    const off_t end = lseek(fd, 0, SEEK_END);
    assert_int_equal(ftruncate(fd, end + 4096), 0);
    VAULT_AUTO(frame_source_close) struct frame_source source = {.fd = -1};
    assert_done(frame_source_open(&source, fd, (uint64_t)end, &test_error));
    struct frame frame;
    bool found = true;
    assert_done(frame_source_next(&source, &frame, &found, &test_error));
    assert_false(found);
    const size_t size = write_entry(bytes, FRAMES, BYTES("late"), BYTES(""));
    assert_int_equal(pwrite(fd, bytes, size / 2, end), size / 2);
    assert_done(frame_source_next(&source, &frame, &found, &test_error));
    assert_false(found);
    assert_int_equal(pwrite(fd, bytes, size, end), size);
    assert_done(frame_source_next(&source, &frame, &found, &test_error));
    assert_true(found);
    assert_int_equal(frame.number, FRAMES);
}

static void test_a_file_that_cannot_be_read_is_an_error(void **state)
{
    (void)state;
    VAULT_AUTO(file_close) int fd = open(test_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    VAULT_AUTO(frame_source_close) struct frame_source source = {.fd = -1};
    assert_done(frame_source_open(&source, fd, 0, &test_error));
    struct frame frame;
    bool found = false;
    assert_fails(VAULT_IO, frame_source_next(&source, &frame, &found, &test_error));
}

int main(void)
{
    if (crypto_start(true, &test_error))
        return 1;
    return TEST_RUN(
        test_an_entry_comes_back, test_a_commit_comes_back, test_the_start_of_a_segment_comes_back,
        test_frames_of_the_wrong_type_are_not_taken_for_another, test_a_frame_that_is_cut_is_none,
        test_a_frame_with_any_bit_flipped_is_none, test_sizes_that_cannot_be_are_refused_unread,
        test_a_frontier_of_another_size_is_refused, test_a_file_gives_its_frames_in_turn,
        test_a_frame_that_was_not_there_yet_is_found_later,
        test_a_file_that_cannot_be_read_is_an_error);
}
