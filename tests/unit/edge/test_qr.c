/*
 * The picture as its squares. That readers read it is for tests/browser, which has one.
 */
#include "vault/edge/qr.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

#define SIDE_MAX 177 /* version 40 */

/* A picture's dark squares, read from its path; without the quiet zone. */
struct squares {
    int side;
    bool dark[SIDE_MAX][SIDE_MAX];
};

static void read_squares(const char *svg, struct squares *out)
{
    int whole = 0;
    *out = (struct squares){0};
    assert_int_equal(sscanf(strstr(svg, "viewBox"), "viewBox=\"0 0 %d", &whole), 1);
    out->side = whole - 8;
    assert_true(out->side >= 21 && out->side <= SIDE_MAX && (out->side - 21) % 4 == 0);
    const char *at = strstr(svg, "fill=\"#000\" d=\"");
    assert_non_null(at);
    for (at += strlen("fill=\"#000\" d=\""); *at == 'M';) {
        int x;
        int y;
        int width;
        int back;
        int read = 0;
        assert_int_equal(sscanf(at, "M%d %dh%dv1h-%dz%n", &x, &y, &width, &back, &read), 4);
        assert_true(width == back && x >= 4 && y >= 4 && x + width <= 4 + out->side);
        for (int i = 0; i < width; i++)
            out->dark[y - 4][x - 4 + i] = true;
        at += read;
    }
    assert_string_equal(at, "\"/></svg>");
}

static void draw(const char *text, struct squares *out)
{
    VAULT_AUTO(buf_finish) struct buf svg = buf_limited(QR_SVG_BYTES_MAX);
    assert_done(qr_write_svg(bytes_of_text(text), &svg, &test_error));
    read_squares(buf_string(&svg), out);
}

/* Section 6.3.3: seven squares, dark around light around three dark ones. */
static void assert_finder(const struct squares *squares, int left, int top)
{
    for (int y = 0; y < 7; y++)
        for (int x = 0; x < 7; x++) {
            const bool rim = x == 0 || y == 0 || x == 6 || y == 6;
            const bool heart = x >= 2 && x <= 4 && y >= 2 && y <= 4;
            assert_int_equal(squares->dark[top + y][left + x], rim || heart);
        }
}

static void test_three_corners_tell_readers_where_it_is(void **state)
{
    (void)state;
    static struct squares squares;
    draw("https://coffre.ville.example/activate", &squares);
    assert_finder(&squares, 0, 0);
    assert_finder(&squares, squares.side - 7, 0);
    assert_finder(&squares, 0, squares.side - 7);
    for (int i = 8; i < squares.side - 8; i++) { /* section 6.3.5 */
        assert_int_equal(squares.dark[6][i], i % 2 == 0);
        assert_int_equal(squares.dark[i][6], i % 2 == 0);
    }
    assert_true(squares.dark[squares.side - 8][8]); /* section 7.9.1 */
}

static void test_another_text_is_another_picture(void **state)
{
    (void)state;
    static struct squares one;
    static struct squares other;
    draw("https://coffre.ville.example/r/7KQM-2XWR", &one);
    draw("https://coffre.ville.example/r/7KQM-2XWS", &other);
    assert_int_equal(one.side, other.side);
    assert_memory_not_equal(one.dark, other.dark, sizeof one.dark);
}

static void test_the_longest_text_has_room(void **state)
{
    (void)state;
    static struct squares squares;
    char text[QR_TEXT_BYTES_MAX + 2];
    memset(text, 'x', sizeof text);
    text[QR_TEXT_BYTES_MAX] = 0;
    draw(text, &squares);
    assert_true(squares.side > 100);
}

static void test_what_is_empty_too_long_or_no_text_is_refused(void **state)
{
    (void)state;
    char text[QR_TEXT_BYTES_MAX + 1];
    memset(text, 'x', sizeof text);
    const struct bytes wrong[] = {{0}, {(const uint8_t *)text, sizeof text}, BYTES("a\0b")};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        VAULT_AUTO(buf_finish) struct buf svg = buf_limited(QR_SVG_BYTES_MAX);
        assert_fails(VAULT_INVALID, qr_write_svg(wrong[i], &svg, &test_error));
        assert_int_equal(svg.size, 0);
    }
}

static void test_a_full_buffer_is_said(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf svg = buf_limited(64);
    assert_fails(VAULT_TOO_LARGE, qr_write_svg(BYTES("https://ville.example"), &svg, &test_error));
}

int main(void)
{
    return TEST_RUN(test_three_corners_tell_readers_where_it_is,
                    test_another_text_is_another_picture, test_the_longest_text_has_room,
                    test_what_is_empty_too_long_or_no_text_is_refused, test_a_full_buffer_is_said);
}
