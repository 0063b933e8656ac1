#include "test.h"

#include <stdio.h>
#include <stdlib.h>

static void test_what_is_appended_is_there_in_order(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf buf = buf_limited(100);
    buf_text(&buf, "one ");
    buf_append(&buf, "two", 3);
    buf_byte(&buf, ' ');
    buf_bytes(&buf, BYTES("three"));
    buf_format(&buf, " %d", 4);
    assert_done(buf_check(&buf, &test_error));
    assert_string_equal(buf_string(&buf), "one two three 4");
    assert_int_equal(buf.size, 15);
}

static void test_integers_are_big_endian(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf buf = buf_limited(100);
    buf_u16(&buf, 0x0102);
    buf_u32(&buf, 0x03040506);
    buf_u64(&buf, 0x0708090a0b0c0d0e);
    assert_true(bytes_equal(buf_view(&buf), BYTES("\1\2\3\4\5\6\7\10\11\12\13\14\15\16")));
}

static void test_texts_and_decimals_are_written_as_they_are(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf buf = buf_limited(100);
    buf_texts(&buf, "one", "", " two ");
    buf_decimal(&buf, 0);
    buf_byte(&buf, ' ');
    buf_decimal(&buf, 1090);
    buf_byte(&buf, ' ');
    buf_decimal(&buf, UINT64_MAX);
    assert_string_equal(buf_string(&buf), "one two 0 1090 18446744073709551615");
}

static void test_an_empty_buffer_allocates_nothing(void **state)
{
    (void)state;
    struct buf buf = buf_limited(100);
    buf_append(&buf, NULL, 0);
    buf_text(&buf, "");
    buf_bytes(&buf, (struct bytes){0});
    assert_null(buf.data);
    assert_int_equal(buf_view(&buf).size, 0);
    buf_finish(&buf);
}

static void test_the_ceiling_is_reached_and_not_passed(void **state)
{
    (void)state;
    for (size_t limit = 0; limit <= 600; limit += 50) {
        VAULT_AUTO(buf_finish) struct buf buf = buf_limited(limit);
        for (size_t i = 0; i < limit; i++)
            buf_byte(&buf, 'x');
        assert_done(buf_check(&buf, &test_error));
        assert_int_equal(buf.size, limit);
        assert_int_equal(strlen(buf_string(&buf)), limit);
        buf_byte(&buf, 'x');
        assert_fails(VAULT_TOO_LARGE, buf_check(&buf, &test_error));
        assert_int_equal(buf.size, limit);
    }
}

static void test_a_problem_sticks_and_nothing_more_goes_in(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf buf = buf_limited(5);
    buf_text(&buf, "abc");
    buf_text(&buf, "def");
    buf_byte(&buf, 'g');
    buf_format(&buf, "%d", 1);
    assert_int_equal(buf.size, 3);
    assert_null(buf_extend(&buf, 1));
    assert_null(buf_string(&buf));
    assert_fails(VAULT_TOO_LARGE, buf_check(&buf, &test_error));
    assert_fails(VAULT_TOO_LARGE, buf_check(&buf, NULL));
    buf_clear(&buf);
    buf_text(&buf, "abcde");
    assert_done(buf_check(&buf, &test_error));
}

static void test_a_text_of_parts_has_all_of_them_or_a_problem(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf whole = buf_limited(64);
    VAULT_AUTO(buf_finish) struct buf part = buf_limited(4);
    buf_text(&part, "abcd");
    buf_text(&whole, "<");
    buf_join(&whole, &part);
    buf_text(&whole, ">");
    assert_done(buf_check(&whole, &test_error));
    assert_string_equal(buf_string(&whole), "<abcd>");
    buf_text(&part, "e");
    buf_join(&whole, &part);
    assert_fails(VAULT_TOO_LARGE, buf_check(&whole, &test_error));
    assert_null(buf_string(&whole));
    buf_clear(&part);
    buf_join(&whole, &part); /* what it was short of then, it is short of now */
    assert_fails(VAULT_TOO_LARGE, buf_check(&whole, &test_error));
}

static void test_huge_sizes_do_not_wrap_around(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf buf = buf_limited(100);
    buf_text(&buf, "abc");
    assert_null(buf_extend(&buf, SIZE_MAX));
    assert_fails(VAULT_TOO_LARGE, buf_check(&buf, &test_error));
    buf_clear(&buf);
    assert_null(buf_extend(&buf, SIZE_MAX - 2));
    assert_int_equal(buf.size, 0);
}

static void test_formatting_fits_exactly_or_not_at_all(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf fits = buf_limited(5);
    VAULT_AUTO(buf_finish) struct buf short_by_one = buf_limited(4);
    buf_format(&fits, "%s", "abcde");
    buf_format(&short_by_one, "%s", "abcde");
    assert_done(buf_check(&fits, &test_error));
    assert_true(bytes_equal(buf_view(&fits), BYTES("abcde")));
    assert_fails(VAULT_TOO_LARGE, buf_check(&short_by_one, &test_error));
    assert_int_equal(short_by_one.size, 0);
}

static void test_extending_counts_and_gives_the_place(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf buf = buf_limited(600);
    buf_text(&buf, "ab");
    uint8_t *place = buf_extend(&buf, 3);
    assert_non_null(place);
    memset(place, 'c', 3);
    assert_string_equal(buf_string(&buf), "abccc");
    assert_non_null(buf_extend(&buf, 0));
    assert_int_equal(buf.size, 5);
    place = buf_extend(&buf, 500); /* moves */
    memset(place, 'z', 500);
    assert_memory_equal(buf.data, "abcccz", 6);
}

static void test_a_finished_buffer_can_be_used_again(void **state)
{
    (void)state;
    struct buf buf = buf_limited(10);
    buf_text(&buf, "too long for it");
    buf_finish(&buf);
    assert_null(buf.data);
    assert_int_equal(buf.limit, 10);
    buf_text(&buf, "short");
    assert_string_equal(buf_string(&buf), "short");
    buf_finish(&buf);
    buf_finish(&buf);
}

/*
 * Wiping. The test takes malloc's place: blocks come from one arena and are never given back, so
 * that what is left in them can be looked at.
 */
static uint8_t arena[1 << 20];
static size_t arena_used;
static int arena_on;
static int fail_after = -1;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void __real_free(void *block);
void __wrap_free(void *block);

void *__wrap_malloc(size_t size)
{
    if (fail_after >= 0 && fail_after-- == 0)
        return NULL;
    if (!arena_on)
        return __real_malloc(size);
    uint8_t *block = arena + arena_used;
    arena_used += (size + 15) / 16 * 16;
    assert_true(arena_used <= sizeof arena);
    return block;
}

void __wrap_free(void *block)
{
    const uint8_t *place = block;
    if (place < arena || place >= arena + sizeof arena)
        __real_free(block);
}

static int arena_holds(const char *words)
{
    return memmem(arena, arena_used, words, strlen(words)) != NULL;
}

static void test_growing_leaves_no_copy_behind(void **state)
{
    (void)state;
    arena_used = 0;
    arena_on = 1;
    struct buf buf = buf_limited(100000);
    buf_text(&buf, "SECRET-OF-THE-TEST");
    for (int i = 0; i < 2000; i++)
        buf_text(&buf, "filling and filling ");
    arena_on = 0;
    /* Exactly one: the one in use. */
    const uint8_t *first = memmem(arena, arena_used, "SECRET-OF-THE-TEST", 18);
    assert_ptr_equal(first, buf.data);
    buf_finish(&buf);
    assert_false(arena_holds("SECRET-OF-THE-TEST"));
    assert_false(arena_holds("filling"));
}

static void test_clearing_wipes_and_keeps_the_memory(void **state)
{
    (void)state;
    arena_used = 0;
    arena_on = 1;
    struct buf buf = buf_limited(1000);
    buf_text(&buf, "SECRET-OF-THE-TEST");
    arena_on = 0;
    const uint8_t *place = buf.data;
    buf_clear(&buf);
    assert_false(arena_holds("SECRET"));
    buf_text(&buf, "again");
    assert_ptr_equal(buf.data, place);
    buf_finish(&buf);
}

static void test_a_move_to_a_smaller_size_by_hand_is_wiped_at_the_end(void **state)
{
    (void)state;
    arena_used = 0;
    arena_on = 1;
    struct buf buf = buf_limited(1000);
    buf_text(&buf, "keepSECRET-OF-THE-TEST");
    arena_on = 0;
    buf.size = 4;
    buf_finish(&buf);
    assert_false(arena_holds("SECRET"));
}

static void test_short_memory_is_told_and_keeps_what_was_there(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf buf = buf_limited(100000);
    buf_text(&buf, "kept");
    fail_after = 0;
    assert_null(buf_extend(&buf, 5000));
    fail_after = -1;
    assert_fails(VAULT_NO_MEMORY, buf_check(&buf, &test_error));
    assert_memory_equal(buf.data, "kept", 4);
    buf_clear(&buf);
    char long_text[5000];
    memset(long_text, 'y', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = 0;
    fail_after = 0;
    buf_format(&buf, "%s", long_text);
    fail_after = -1;
    assert_fails(VAULT_NO_MEMORY, buf_check(&buf, &test_error));
}

static void test_bytes_are_compared_by_size_and_content(void **state)
{
    (void)state;
    assert_true(bytes_equal(BYTES("a\0b"), BYTES("a\0b")));
    assert_true(bytes_begin_with(BYTES("abc"), "ab"));
    assert_true(bytes_begin_with(BYTES(""), ""));
    assert_false(bytes_begin_with(BYTES("a"), "ab"));
    assert_false(bytes_begin_with(BYTES("abc"), "b"));
    assert_false(bytes_equal(BYTES("a\0b"), BYTES("a\0c")));
    assert_false(bytes_equal(BYTES("a"), BYTES("ab")));
    assert_true(bytes_equal(BYTES(""), (struct bytes){NULL, 0}));
    assert_int_equal(bytes_of_text("abc").size, 3);
}

static void test_a_cursor_reads_what_was_written(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf buf = buf_limited(100);
    buf_byte(&buf, 0xff);
    buf_u16(&buf, 0xfffe);
    buf_u32(&buf, 0xfffffffd);
    buf_u64(&buf, UINT64_MAX - 3);
    buf_text(&buf, "text!");
    struct cursor cursor = cursor_over(buf_view(&buf));
    char copied[3];
    assert_int_equal(cursor_u8(&cursor), 0xff);
    assert_int_equal(cursor_u16(&cursor), 0xfffe);
    assert_int_equal(cursor_u32(&cursor), 0xfffffffd);
    assert_true(cursor_u64(&cursor) == UINT64_MAX - 3);
    assert_true(bytes_equal(cursor_take(&cursor, 2), BYTES("te")));
    cursor_copy(&cursor, copied, 3);
    assert_memory_equal(copied, "xt!", 3);
    assert_int_equal(cursor.left, 0);
    assert_false(cursor.truncated);
    assert_int_equal(cursor_take(&cursor, 0).size, 0);
    assert_false(cursor.truncated);
}

static void test_a_cursor_past_the_end_gives_zeros_for_ever(void **state)
{
    (void)state;
    struct cursor cursor = cursor_over(BYTES("\1\2\3"));
    char copied[2] = {7, 7};
    assert_int_equal(cursor_u32(&cursor), 0);
    assert_true(cursor.truncated);
    assert_int_equal(cursor_u8(&cursor), 0);
    assert_int_equal(cursor_take(&cursor, 1).size, 0);
    cursor_copy(&cursor, copied, 2);
    assert_memory_equal(copied, "\0\0", 2);
    cursor = cursor_over((struct bytes){0});
    assert_int_equal(cursor_u16(&cursor), 0);
    assert_true(cursor.truncated);
    cursor = cursor_over(BYTES("abc"));
    assert_int_equal(cursor_take(&cursor, SIZE_MAX).size, 0);
    assert_true(cursor.truncated);
}

int main(void)
{
    return TEST_RUN(
        test_what_is_appended_is_there_in_order, test_texts_and_decimals_are_written_as_they_are,
        test_integers_are_big_endian, test_an_empty_buffer_allocates_nothing,
        test_the_ceiling_is_reached_and_not_passed, test_a_problem_sticks_and_nothing_more_goes_in,
        test_a_text_of_parts_has_all_of_them_or_a_problem, test_huge_sizes_do_not_wrap_around,
        test_formatting_fits_exactly_or_not_at_all, test_extending_counts_and_gives_the_place,
        test_a_finished_buffer_can_be_used_again, test_growing_leaves_no_copy_behind,
        test_clearing_wipes_and_keeps_the_memory,
        test_a_move_to_a_smaller_size_by_hand_is_wiped_at_the_end,
        test_short_memory_is_told_and_keeps_what_was_there,
        test_bytes_are_compared_by_size_and_content, test_a_cursor_reads_what_was_written,
        test_a_cursor_past_the_end_gives_zeros_for_ever);
}
