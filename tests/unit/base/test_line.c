/* Lines of streams, with any bytes in them. */
#include "vault/base/line.h"

#include "test.h"

static FILE *stream_of(struct bytes content)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(content.data, 1, content.size, file), content.size);
    rewind(file);
    return file;
}

static void assert_line(FILE *file, struct bytes expected)
{
    bool found = false;
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(8);
    assert_done(line_read(file, &line, &found, &test_error));
    assert_true(found);
    assert_true(bytes_equal(buf_view(&line), expected));
}

static void assert_no_line(FILE *file)
{
    bool found = true;
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(8);
    buf_text(&line, "before");
    assert_done(line_read(file, &line, &found, &test_error));
    assert_false(found);
    assert_int_equal(line.size, 0);
}

static void test_lines_come_one_by_one_without_their_ends(void **state)
{
    (void)state;
    VAULT_AUTO(line_end) FILE *file = stream_of(BYTES("one\n\nthree\n"));
    assert_line(file, BYTES("one"));
    assert_line(file, BYTES(""));
    assert_line(file, BYTES("three"));
    assert_no_line(file);
    assert_no_line(file);
}

static void test_the_last_line_needs_no_end(void **state)
{
    (void)state;
    VAULT_AUTO(line_end) FILE *file = stream_of(BYTES("one\ntwo"));
    assert_line(file, BYTES("one"));
    assert_line(file, BYTES("two"));
    assert_no_line(file);
}

static void test_nothing_hides_behind_a_zero(void **state)
{
    (void)state;
    VAULT_AUTO(line_end) FILE *file = stream_of(BYTES("a\0b\n\0\nc\0"));
    assert_line(file, BYTES("a\0b"));
    assert_line(file, BYTES("\0"));
    assert_line(file, BYTES("c\0"));
    assert_no_line(file);
}

static void test_an_empty_stream_has_no_line(void **state)
{
    (void)state;
    VAULT_AUTO(line_end) FILE *file = stream_of(BYTES(""));
    assert_no_line(file);
}

static void test_a_line_over_the_limit_is_refused(void **state)
{
    (void)state;
    bool found = false;
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(8);
    VAULT_AUTO(line_end) FILE *file = stream_of(BYTES("12345678\n123456789\n"));
    assert_line(file, BYTES("12345678"));
    assert_fails(VAULT_TOO_LARGE, line_read(file, &line, &found, &test_error));
}

static void test_a_stream_that_cannot_be_read_is_no_end(void **state)
{
    (void)state;
    bool found = false;
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(8);
    VAULT_AUTO(line_end) FILE *file = fopen("/", "re"); /* a folder opens, and does not read */
    assert_non_null(file);
    assert_fails(VAULT_IO, line_read(file, &line, &found, &test_error));
}

int main(void)
{
    return TEST_RUN(test_lines_come_one_by_one_without_their_ends, test_the_last_line_needs_no_end,
                    test_nothing_hides_behind_a_zero, test_an_empty_stream_has_no_line,
                    test_a_line_over_the_limit_is_refused,
                    test_a_stream_that_cannot_be_read_is_no_end);
}
