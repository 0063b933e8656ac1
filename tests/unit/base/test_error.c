#include "test.h"

#include <errno.h>

static void test_failing_returns_the_code_and_fills_the_words(void **state)
{
    (void)state;
    struct vault_error err = {0};
    assert_int_equal(vault_fail(&err, VAULT_DENIED, "door %d is shut", 7), VAULT_DENIED);
    assert_int_equal(err.code, VAULT_DENIED);
    assert_string_equal(err.text, "door 7 is shut");
}

static void test_without_an_error_only_the_code_comes_back(void **state)
{
    (void)state;
    assert_int_equal(vault_fail(NULL, VAULT_CORRUPT, "unheard"), VAULT_CORRUPT);
    errno = EACCES;
    assert_int_equal(vault_fail_errno(NULL, "unheard"), VAULT_IO);
    vault_error_context(NULL, "nowhere");
}

static void test_errno_decides_the_code_and_ends_the_text(void **state)
{
    (void)state;
    const struct {
        int number;
        enum vault_code code;
        const char *text;
    } cases[] = {
        {ENOENT, VAULT_NOT_FOUND, "opening x: No such file or directory"},
        {ENOMEM, VAULT_NO_MEMORY, "opening x: Cannot allocate memory"},
        {EIO, VAULT_IO, "opening x: Input/output error"},
        {99999, VAULT_IO, "opening x: unknown error"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct vault_error err = {0};
        errno = cases[i].number;
        assert_int_equal(vault_fail_errno(&err, "opening %s", "x"), cases[i].code);
        assert_int_equal(err.code, cases[i].code);
        assert_string_equal(err.text, cases[i].text);
    }
}

static void test_context_goes_in_front_and_keeps_the_code(void **state)
{
    (void)state;
    struct vault_error err = {0};
    assert_int_equal(vault_fail(&err, VAULT_IO, "the disk is full"), VAULT_IO);
    vault_error_context(&err, "writing %s", "policy.json");
    vault_error_context(&err, "start");
    assert_string_equal(err.text, "start: writing policy.json: the disk is full");
    assert_int_equal(err.code, VAULT_IO);
}

static void test_long_texts_are_cut_and_stay_text(void **state)
{
    (void)state;
    struct vault_error err = {0};
    char long_text[2 * VAULT_ERROR_TEXT_BYTES];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = 0;
    assert_int_equal(vault_fail(&err, VAULT_INVALID, "%s", long_text), VAULT_INVALID);
    assert_int_equal(strlen(err.text), VAULT_ERROR_TEXT_BYTES - 1);
    vault_error_context(&err, "where");
    assert_int_equal(strlen(err.text), VAULT_ERROR_TEXT_BYTES - 1);
    assert_memory_equal(err.text, "where: xxx", 10);
    vault_error_context(&err, "%s", long_text);
    assert_int_equal(strlen(err.text), VAULT_ERROR_TEXT_BYTES - 1);
    errno = EIO;
    assert_int_equal(vault_fail_errno(&err, "%s", long_text), VAULT_IO);
    assert_int_equal(strlen(err.text), VAULT_ERROR_TEXT_BYTES - 1);
}

static void test_every_code_has_a_name_of_its_own_and_an_exit(void **state)
{
    (void)state;
    for (int i = 0; i < VAULT_CODE_COUNT; i++) {
        assert_non_null(vault_code_name((enum vault_code)i));
        assert_true((vault_code_exit((enum vault_code)i) == 0) == (i == VAULT_OK));
        for (int k = 0; k < i; k++)
            assert_string_not_equal(vault_code_name((enum vault_code)i),
                                    vault_code_name((enum vault_code)k));
    }
}

static void test_exit_codes_are_those_of_the_contract(void **state)
{
    (void)state;
    const struct {
        enum vault_code code;
        int exit_code;
    } cases[] = {
        {VAULT_OK, 0},        {VAULT_INVALID, 65},     {VAULT_TOO_LARGE, 65}, {VAULT_DENIED, 77},
        {VAULT_NOT_FOUND, 1}, {VAULT_UNAVAILABLE, 69}, {VAULT_IO, 74},        {VAULT_CONFLICT, 1},
        {VAULT_CORRUPT, 1},   {VAULT_LIMITED, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(vault_code_exit(cases[i].code), cases[i].exit_code);
}

static void test_a_number_that_is_no_code_is_unknown(void **state)
{
    (void)state;
    const int odd = VAULT_CODE_COUNT;
    assert_string_equal(vault_code_name((enum vault_code)odd), "unknown");
    assert_int_equal(vault_code_exit((enum vault_code)odd), 1);
}

static enum vault_code try_it(enum vault_code code, int *went_on)
{
    VAULT_TRY(code);
    *went_on = 1;
    return VAULT_OK;
}

static void test_trying_leaves_the_function_at_the_first_failure(void **state)
{
    (void)state;
    int went_on = 0;
    assert_int_equal(try_it(VAULT_CONFLICT, &went_on), VAULT_CONFLICT);
    assert_int_equal(went_on, 0);
    assert_int_equal(try_it(VAULT_OK, &went_on), VAULT_OK);
    assert_int_equal(went_on, 1);
}

static void test_taking_hands_on_and_clears(void **state)
{
    (void)state;
    int thing = 0;
    int *owner = &thing;
    int *next = VAULT_TAKE(owner);
    assert_ptr_equal(next, &thing);
    assert_null(owner);
}

static void test_words_of_others_are_one_line_and_no_command(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "two\nlines", "a\rb", "\x1b[2J", "\x7f", "\xc2\x9bJ"};
    assert_true(vault_error_may_say("le coffre est scell\xc3\xa9"));
    assert_true(vault_error_may_say("\xc2\xab oui \xc2\xbb \xc2"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(vault_error_may_say(bad[i]));
}

int main(void)
{
    return TEST_RUN(
        test_failing_returns_the_code_and_fills_the_words,
        test_without_an_error_only_the_code_comes_back,
        test_errno_decides_the_code_and_ends_the_text,
        test_context_goes_in_front_and_keeps_the_code, test_long_texts_are_cut_and_stay_text,
        test_every_code_has_a_name_of_its_own_and_an_exit,
        test_exit_codes_are_those_of_the_contract, test_a_number_that_is_no_code_is_unknown,
        test_trying_leaves_the_function_at_the_first_failure, test_taking_hands_on_and_clears,
        test_words_of_others_are_one_line_and_no_command);
}
