#include "policy/arena.h"

#include "sample.h"

static void test_pieces_are_zero_aligned_and_apart(void **state)
{
    (void)state;
    struct arena arena = {NULL};
    uint8_t *before = NULL;
    for (size_t i = 1; i < 2000; i++) {
        uint8_t *piece = arena_take(&arena, i, 1);
        assert_non_null(piece);
        assert_int_equal((uintptr_t)piece % _Alignof(max_align_t), 0);
        for (size_t j = 0; j < i; j++)
            assert_int_equal(piece[j], 0);
        memset(piece, 0xff, i);
        if (before)
            assert_int_equal(before[i - 2], 0xff);
        before = piece;
    }
    arena_finish(&arena);
    assert_null(arena.chunks);
}

static void test_a_piece_larger_than_a_chunk(void **state)
{
    (void)state;
    struct arena arena = {NULL};
    uint8_t *piece = arena_take(&arena, 1048576, 1);
    piece[1048575] = 1;
    assert_non_null(arena_take(&arena, 1, 1));
    arena_finish(&arena);
}

static void test_a_product_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct arena arena = {NULL};
    assert_null(arena_take(&arena, SIZE_MAX, 2));
    assert_null(arena_take(&arena, SIZE_MAX / 2, 1));
    assert_non_null(arena_take(&arena, 0, 8));
    assert_non_null(arena_take(&arena, 8, 0));
    arena_finish(&arena);
}

static void test_text_is_copied_and_ended(void **state)
{
    (void)state;
    struct arena arena = {NULL};
    char text[] = "abc";
    const char *copy = arena_text(&arena, (struct bytes){(uint8_t *)text, 2});
    text[0] = 'x';
    assert_string_equal(copy, "ab");
    assert_string_equal(arena_text(&arena, (struct bytes){NULL, 0}), "");
    arena_finish(&arena);
}

static void test_after_a_reset_pieces_are_zero_again(void **state)
{
    (void)state;
    struct arena arena = {NULL};
    arena_reset(&arena);
    uint8_t *piece = arena_take(&arena, 100, 1);
    memset(piece, 0xff, 100);
    assert_non_null(arena_take(&arena, 100000, 1));
    arena_reset(&arena);
    uint8_t *again = arena_take(&arena, 100, 1);
    assert_ptr_equal(again, piece);
    assert_int_equal(again[99], 0);
    arena_finish(&arena);
}

int main(void)
{
    return TEST_RUN(test_pieces_are_zero_aligned_and_apart, test_a_piece_larger_than_a_chunk,
                    test_a_product_that_does_not_fit_is_refused, test_text_is_copied_and_ended,
                    test_after_a_reset_pieces_are_zero_again);
}
