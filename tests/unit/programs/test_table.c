#include "programs/ctl.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "test.h"
#include "vault/base/file.h"

static const struct ctl_column columns[] = {{"who", 0}, {"day", 10}, {"count", 0}, {"what", 0}};

/* What is printed of the rows. The text is the caller's. */
static struct buf printed(const char *rows)
{
    char path[PATH_MAX];
    json_t *list = NULL;
    struct buf text = buf_limited(1 << 16);
    assert_done(json_parse(bytes_of_text(rows), 4, &list, NULL, &test_error));
    assert_done(file_join(path, sizeof path, test_folder(), "out", &test_error));
    fflush(stdout);
    const int kept = dup(STDOUT_FILENO);
    assert_non_null(freopen(path, "w", stdout));
    ctl_print_table(list, columns, sizeof columns / sizeof *columns);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    assert_done(file_read(path, &text, &test_error));
    json_decref(list);
    return text;
}

static void assert_printed(const char *rows, const char *expected)
{
    VAULT_AUTO(buf_finish) struct buf text = printed(rows);
    const char *got = buf_string(&text);
    assert_string_equal(got ? got : "", expected);
}

static void test_columns_are_as_wide_as_their_widest_cell(void **state)
{
    (void)state;
    assert_printed("[{\"who\":\"a\",\"day\":\"2027-03-08T10:00:00Z\",\"count\":7,\"what\":\"x\"},"
                   "{\"who\":\"longer\",\"day\":\"2027-03-09\",\"count\":1234,\"what\":\"y z\"}]",
                   "a       2027-03-08  7     x\n"
                   "longer  2027-03-09  1234  y z\n");
}

/* In places of the terminal, which are neither bytes nor characters: an ideograph takes two, an
 * accent that stands by itself none. */
static void test_wide_letters_and_accents_leave_columns_in_line(void **state)
{
    (void)state;
    assert_printed("[{\"who\":\"日本\",\"day\":\"-\",\"count\":1,\"what\":\"x\"},"
                   "{\"who\":\"Inv\xc3\xa9\",\"day\":\"-\",\"count\":1,\"what\":\"x\"},"
                   "{\"who\":\"Inve\xcc\x81\",\"day\":\"-\",\"count\":1,\"what\":\"x\"}]",
                   "日本  -  1  x\n"
                   "Inv\xc3\xa9  -  1  x\n"
                   "Inve\xcc\x81  -  1  x\n");
}

static void test_what_is_missing_is_a_dash(void **state)
{
    (void)state;
    assert_printed("[{\"who\":\"a\"},{\"day\":null,\"what\":[1]}]", "a  -  -  -\n-  -  -  -\n");
    assert_printed("[]", "");
}

static void test_no_cell_commands_the_terminal(void **state)
{
    (void)state;
    assert_printed("[{\"who\":\"a\\u001b[2J\\u0007\",\"day\":\"b\\n\",\"count\":0,\"what\":\"c\"}]",
                   "a?[2J?  b?  0  c\n");
}

static void test_a_cell_that_is_cut_ends_before_the_letter(void **state)
{
    (void)state;
    assert_printed("[{\"who\":\"a\",\"day\":\"123456789\xc3\xa9\",\"count\":1,\"what\":\"x\"}]",
                   "a  123456789  1  x\n");
}

int main(void)
{
    json_start();
    return TEST_RUN(test_columns_are_as_wide_as_their_widest_cell,
                    test_wide_letters_and_accents_leave_columns_in_line,
                    test_what_is_missing_is_a_dash, test_no_cell_commands_the_terminal,
                    test_a_cell_that_is_cut_ends_before_the_letter);
}
