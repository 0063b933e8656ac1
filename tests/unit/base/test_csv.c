#include "vault/base/csv.h"

#include <string.h>

#include "test.h"
#include "vault/base/json.h"

static struct csv csv;
static FILE *file;

static void begin(const char *text)
{
    file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(file);
    csv_start(&csv, file);
}

static void end(void)
{
    csv_finish(&csv);
    fclose(file);
}

static void assert_cell(size_t number, const char *text)
{
    assert_true(number < csv.count);
    assert_int_equal(csv.cells[number].size, strlen(text));
    assert_memory_equal(csv.cells[number].data, text, strlen(text));
}

static void assert_row(size_t count)
{
    bool found = false;
    assert_done(csv_next(&csv, &found, &test_error));
    assert_true(found);
    assert_int_equal(csv.count, count);
}

static void assert_end(void)
{
    bool found = true;
    assert_done(csv_next(&csv, &found, &test_error));
    assert_false(found);
}

static void assert_refused(enum vault_code code, const char *word)
{
    bool found = false;
    assert_fails(code, csv_next(&csv, &found, &test_error));
    if (!strstr(test_error.text, word))
        fail_msg("\"%s\" does not say \"%s\"", test_error.text, word);
}

static void test_cells_are_between_commas_and_rows_end_with_lines(void **state)
{
    (void)state;
    begin("a,b,c\r\nd,,f\n");
    assert_row(3);
    assert_cell(0, "a");
    assert_cell(2, "c");
    assert_row(3);
    assert_cell(1, "");
    assert_cell(2, "f");
    assert_end();
    assert_end();
    end();
}

static void test_the_last_line_may_have_no_end(void **state)
{
    (void)state;
    begin("a,b\nc,d");
    assert_row(2);
    assert_row(2);
    assert_cell(1, "d");
    assert_end();
    end();
}

static void test_quotes_hold_commas_quotes_and_lines(void **state)
{
    (void)state;
    begin("\"a,b\",\"say \"\"yes\"\"\",\"two\r\nlines\"\nnext,\"\"\n");
    assert_row(3);
    assert_cell(0, "a,b");
    assert_cell(1, "say \"yes\"");
    assert_cell(2, "two\nlines");
    assert_int_equal(csv.line, 1);
    assert_row(2);
    assert_cell(0, "next");
    assert_cell(1, "");
    assert_int_equal(csv.line, 3);
    end();
}

static void test_a_mark_and_empty_lines_are_passed_over(void **state)
{
    (void)state;
    begin("\xef\xbb\xbf\"a\",b\n\n\r\nc,d\n\n");
    assert_row(2);
    assert_cell(0, "a");
    assert_row(2);
    assert_cell(0, "c");
    assert_int_equal(csv.line, 4);
    assert_end();
    end();
}

static void test_what_only_begins_like_a_mark_is_text(void **state)
{
    (void)state;
    begin("\xef\xbc\x81,b\n"); /* a wide exclamation mark */
    assert_row(2);
    assert_cell(0, "\xef\xbc\x81");
    end();
}

static void test_a_return_without_a_line_is_text(void **state)
{
    (void)state;
    begin("a\rb,c\r\r\n");
    assert_row(2);
    assert_cell(0, "a\rb");
    assert_cell(1, "c\r");
    assert_end();
    end();
}

static void test_nothing_has_no_rows(void **state)
{
    (void)state;
    begin("\n");
    assert_end();
    end();
}

static void test_a_row_that_breaks_the_rules_is_refused_by_itself(void **state)
{
    (void)state;
    begin("a\"b,c\nd,e\n\"f\"g,h\ni,j\n\xff\xfe,k\nl,m\n");
    assert_refused(VAULT_INVALID, "does not begin");
    assert_row(2);
    assert_cell(0, "d");
    assert_refused(VAULT_INVALID, "behind the closing quote");
    assert_int_equal(csv.line, 3);
    assert_row(2);
    assert_cell(0, "i");
    assert_refused(VAULT_INVALID, "UTF-8");
    assert_row(2);
    assert_cell(1, "m");
    assert_end();
    end();
}

static void test_a_quote_that_is_not_closed_ends_with_the_file(void **state)
{
    (void)state;
    begin("\"a,b\nc,d\n");
    assert_refused(VAULT_INVALID, "not closed");
    assert_end();
    end();
}

static void test_a_row_has_its_limits(void **state)
{
    (void)state;
    static char text[CSV_ROW_BYTES_MAX + 64];
    memset(text, 'x', CSV_ROW_BYTES_MAX + 1);
    strcpy(text + CSV_ROW_BYTES_MAX + 1, "\na,b\n"); // NOLINT: it fits
    begin(text);
    assert_refused(VAULT_TOO_LARGE, "bytes");
    assert_row(2);
    end();
    memset(text, ',', CSV_CELLS_MAX + 5);
    strcpy(text + CSV_CELLS_MAX + 5, "\na,b\n"); // NOLINT: it fits
    begin(text);
    assert_refused(VAULT_TOO_LARGE, "cells");
    assert_row(2);
    assert_cell(0, "a");
    end();
}

static void begin_bytes(const char *text, size_t size)
{
    file = fmemopen((void *)(uintptr_t)text, size, "r");
    assert_non_null(file);
    csv_start(&csv, file);
}

/* A name with a zero in it would be taken for what stands before it. */
static void test_a_zero_in_a_cell_is_refused(void **state)
{
    static const char text[] = "reference\0x,b\na,b\n";
    (void)state;
    begin_bytes(text, sizeof text - 1);
    assert_refused(VAULT_INVALID, "zero");
    assert_row(2);
    end();
}

static void test_two_cells_are_no_text_because_together_they_are(void **state)
{
    (void)state;
    begin("\xc3,\xa9\n\xc3\xa9,b\n");
    assert_refused(VAULT_INVALID, "UTF-8");
    assert_row(2);
    assert_cell(0, "\xc3\xa9");
    end();
}

int main(void)
{
    json_start();
    return TEST_RUN(
        test_cells_are_between_commas_and_rows_end_with_lines, test_the_last_line_may_have_no_end,
        test_quotes_hold_commas_quotes_and_lines, test_a_mark_and_empty_lines_are_passed_over,
        test_what_only_begins_like_a_mark_is_text, test_a_return_without_a_line_is_text,
        test_nothing_has_no_rows, test_a_row_that_breaks_the_rules_is_refused_by_itself,
        test_a_quote_that_is_not_closed_ends_with_the_file, test_a_row_has_its_limits,
        test_a_zero_in_a_cell_is_refused, test_two_cells_are_no_text_because_together_they_are);
}
