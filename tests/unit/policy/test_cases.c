/* The tests that a bundle carries. */
#include "vault/policy/cases.h"

#include "sample.h"

#define GIVEN                                                                                      \
    "\"given\":{\"now\":\"2027-03-01T10:00:00Z\",\"service\":{\"id\":\"plie-rennes\","             \
    "\"classes\":[\"employment.caseworker\"],\"purposes\":[\"employment.support\"]},"              \
    "\"purpose\":\"employment.support\",\"atoms\":{\"assurance_at_least\":\"high\","               \
    "\"citizen_is_minor\":false},\"consents\":[{\"id\":\"c\",\"service\":\"plie-rennes\","         \
    "\"purpose\":\"employment.support\",\"state\":\"given\",\"at\":\"2027-01-01T00:00:00Z\","      \
    "\"expires\":\"2028-01-01T00:00:00Z\",\"fields\":{\"identity.birth_date\":null}}]}"
#define FILE_OF(cases) "{\"format\":\"vault-tests/1\"," GIVEN ",\"cases\":[" cases "]}"
#define CASE(expect)                                                                               \
    "{\"name\":\"the year\",\"request\":{\"fields\":{\"identity.birth_date\":null,"                \
    "\"identity.name\":null},\"values\":{\"identity.birth_date\":\"1990-05-17\"}},"                \
    "\"expect\":{" expect "}}"
#define YEAR                                                                                       \
    "\"identity.birth_date\":{\"outcome\":\"released\",\"form\":\"year\",\"value\":\"1990\","      \
    "\"by\":[\"core\"],\"must\":{\"retain_at_most_days\":730,\"notify_citizen\":true}}"

struct heard {
    size_t count;
    char last[1024];
};

static void hear(void *context, const char *file, const char *name, const char *what)
{
    struct heard *heard = context;
    heard->count++;
    snprintf(heard->last, sizeof heard->last, "%s|%s|%s", file, name, what);
}

/* Run these tests on the sample, or on other rules. */
static struct policy_cases run(const char *rules, const char *tests, struct heard *heard,
                               bool exercised[])
{
    VAULT_AUTO(bundle_free) struct bundle *bundle = sample_bundle(SAMPLE_CATALOGUE, rules, tests);
    VAULT_AUTO(policy_free) struct policy *policy = NULL;
    struct policy_cases result;
    assert_done(bundle_settle(bundle, NULL, &test_error));
    assert_done(policy_compile(bundle, &policy, NULL, &test_error));
    assert_done(policy_cases_run(policy, bundle, hear, heard, exercised, &result, &test_error));
    return result;
}

static void assert_run(const char *tests, size_t passed, size_t failed)
{
    struct heard heard = {0};
    const struct policy_cases result = run(SAMPLE_RULES, tests, &heard, NULL);
    if (result.passed != passed || result.failed != failed)
        fail_msg("%zu passed, %zu failed; %s", result.passed, result.failed, heard.last);
    assert_true((heard.count > 0) == (failed > 0));
}

static void test_a_case_that_is_as_expected_passes(void **state)
{
    (void)state;
    assert_run(FILE_OF(CASE(YEAR)), 1, 0);
    assert_run(FILE_OF(CASE(YEAR ",\"identity.name\":\"out_of_scope\"")), 1, 0);
    assert_run(FILE_OF(CASE("\"identity.birth_date\":\"released\"")), 1, 0);
    assert_run(FILE_OF(""), 0, 0);
}

static void test_a_case_that_is_otherwise_fails(void **state)
{
    (void)state;
    assert_run(FILE_OF(CASE("\"identity.birth_date\":\"no_consent\"")), 0, 1);
    assert_run(
        FILE_OF(CASE("\"identity.birth_date\":{\"outcome\":\"released\",\"form\":\"month\"}")), 0,
        1);
    assert_run(FILE_OF(CASE("\"identity.birth_date\":{\"outcome\":\"released\",\"value\":1990}")),
               0, 1);
    assert_run(FILE_OF(CASE("\"identity.birth_date\":{\"outcome\":\"released\",\"by\":[]}")), 0, 1);
    assert_run(FILE_OF(CASE("\"identity.birth_date\":{\"outcome\":\"released\",\"must\":{}}")), 0,
               1);
    assert_run(FILE_OF(CASE(YEAR ",\"identity.name\":\"no_consent\"")), 0, 1);
}

static void test_a_field_that_is_not_expected_must_not_be_released(void **state)
{
    (void)state;
    struct heard heard = {0};
    const struct policy_cases result = run(SAMPLE_RULES, FILE_OF(CASE("")), &heard, NULL);
    assert_int_equal(result.failed, 1);
    assert_non_null(strstr(heard.last, "tests/plie.json|the year|identity.birth_date: {\"by\""));
}

static void test_a_request_replaces_what_is_given(void **state)
{
    (void)state;
    assert_run(FILE_OF("{\"name\":\"n\",\"request\":{\"fields\":{\"identity.name\":null},"
                       "\"consents\":[]},\"expect\":{\"identity.name\":\"no_consent\"}}"),
               1, 0);
}

static void test_each_failing_field_is_told_in_one_line_and_the_case_counts_once(void **state)
{
    (void)state;
    struct heard heard = {0};
    const struct policy_cases result =
        run(SAMPLE_RULES,
            FILE_OF(CASE("\"identity.name\":\"refused\",\"identity.birth_date\":\"refused\"")),
            &heard, NULL);
    assert_int_equal(heard.count, 1);
    assert_int_equal(result.failed, 1);
    assert_non_null(strstr(heard.last, "|identity.birth_date: {"));
    assert_non_null(strstr(heard.last, "; identity.name: {"));
}

static void test_a_failure_is_told_on_one_line_whatever_it_is_called(void **state)
{
    (void)state;
    struct heard heard = {0};
    run(SAMPLE_RULES,
        FILE_OF("{\"name\":\"a\\nb\\u001b[31m\\u007f\",\"request\":{\"fields\":{\"identity.name\":"
                "null}},"
                "\"expect\":{\"identity.name\":\"refused\"}}"),
        &heard, NULL);
    assert_int_equal(heard.count, 1);
    assert_non_null(strstr(heard.last, "|a\\u000ab\\u001b[31m\\u007f|"));
    for (const char *at = heard.last; *at; at++)
        assert_true((unsigned char)*at >= ' ' && *at != 0x7f);
}

static void test_rules_that_decide_in_a_passing_case_are_exercised(void **state)
{
    (void)state;
    char *rules = replaced(
        SAMPLE_RULES, END_OF_RULES,
        ",{\"id\":\"deposit\",\"effect\":\"deposit\",\"who\":\"any\",\"purposes\":\"any\","
        "\"fields\":[\"income.yearly\"]},{\"id\":\"never\",\"effect\":\"forbid\",\"who\":\"any\","
        "\"purposes\":\"any\",\"fields\":[\"address.home\"]}" END_OF_RULES);
    bool exercised[3] = {false};
    struct heard heard = {0};
    run(rules, FILE_OF(CASE("\"identity.birth_date\":\"refused\"")), &heard, exercised);
    assert_false(exercised[0]);
    run(rules, FILE_OF(CASE(YEAR)), &heard, exercised);
    assert_true(exercised[0]);
    assert_false(exercised[1]);
    run(rules,
        FILE_OF("{\"name\":\"n\",\"request\":{\"fields\":{}},\"deposit\":{\"income.yearly\":true,"
                "\"identity.name\":false}}"),
        &heard, exercised);
    assert_true(exercised[1]);
    assert_false(exercised[2]);
    free(rules);
}

static void test_a_deposit_that_is_otherwise_fails(void **state)
{
    (void)state;
    assert_run(FILE_OF("{\"name\":\"n\",\"request\":{\"fields\":{}},"
                       "\"deposit\":{\"income.yearly\":true}}"),
               0, 1);
}

static void test_tests_that_are_badly_written_make_the_bundle_unloadable(void **state)
{
    (void)state;
    static const struct {
        const char *part;
        const char *other;
        const char *pointer;
    } cases[] = {
        {"vault-tests/1", "vault-test/1", "/format"},
        {"\"given\":", "\"taken\":", "/taken"},
        {"\"name\":\"the year\"", "\"name\":\"\"", "/cases/0/name"},
        {"\"name\":\"the year\"", "\"title\":\"x\"", "/cases/0/title"},
        {"\"released\"", "\"granted\"", "/cases/0/expect/identity.birth_date"},
        {"\"outcome\":\"released\",", "", "/cases/0/expect/identity.birth_date"},
        {"\"form\":\"year\"", "\"shape\":\"year\"", "/cases/0/expect/identity.birth_date/shape"},
        {"\"expect\":{\"identity.birth_date\"", "\"expect\":{\"identity.card\"",
         "/cases/0/expect/identity.card"},
        {"\"now\":\"2027-03-01T10:00:00Z\"", "\"now\":\"today\"", "/cases/0/request/now"},
        {"{\"fields\":{\"identity.birth_date\":null", "{\"fields\":{\"identity.birth_date\":1",
         "/cases/0/request/fields/identity.birth_date"},
        {"\"citizen_is_minor\":false", "\"moon_phase\":1", "/cases/0/request/atoms/moon_phase"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct policy *policy = NULL;
        char *wrong = replaced(FILE_OF(CASE(YEAR)), cases[i].part, cases[i].other);
        assert_fails(VAULT_INVALID, sample_try(SAMPLE_CATALOGUE, SAMPLE_RULES, wrong, &policy));
        assert_string_equal(sample_fault.file, "tests/plie.json");
        assert_string_equal(sample_fault.pointer, cases[i].pointer);
        free(wrong);
    }
}

static void test_a_deposit_must_be_of_a_field_there_is(void **state)
{
    (void)state;
    struct policy *policy = NULL;
    assert_fails(VAULT_INVALID, sample_try(SAMPLE_CATALOGUE, SAMPLE_RULES,
                                           FILE_OF("{\"name\":\"n\",\"request\":{\"fields\":{}},"
                                                   "\"deposit\":{\"no.such\":true}}"),
                                           &policy));
    assert_string_equal(sample_fault.pointer, "/cases/0/deposit/no.such");
}

int main(void)
{
    if (sample_start())
        return 1;
    return TEST_RUN(test_a_case_that_is_as_expected_passes, test_a_case_that_is_otherwise_fails,
                    test_a_field_that_is_not_expected_must_not_be_released,
                    test_a_request_replaces_what_is_given,
                    test_a_failure_is_told_on_one_line_whatever_it_is_called,
                    test_each_failing_field_is_told_in_one_line_and_the_case_counts_once,
                    test_rules_that_decide_in_a_passing_case_are_exercised,
                    test_a_deposit_that_is_otherwise_fails,
                    test_tests_that_are_badly_written_make_the_bundle_unloadable,
                    test_a_deposit_must_be_of_a_field_there_is);
}
