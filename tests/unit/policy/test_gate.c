/* The gate: what may not pass, what is said to widen, and that the self-check can fail. */
#include "vault/policy/gate.h"

#include "policy/model.h"
#include "policy/naive.h"
#include "policy/rehearsal.h"
#include "sample.h"
#include "vault/policy/decide.h"

#define NOW_S INT64_C(1804500000)

struct candidate {
    struct bundle *bundle;
    struct policy *policy;
};

static void candidate_finish(struct candidate *candidate)
{
    policy_free(&candidate->policy);
    bundle_free(&candidate->bundle);
}

static struct candidate candidate_of(const char *rules, const char *tests)
{
    struct candidate candidate = {sample_bundle(SAMPLE_CATALOGUE, rules, tests), NULL};
    assert_done(bundle_settle(candidate.bundle, NULL, &test_error));
    assert_done(policy_compile(candidate.bundle, &candidate.policy, NULL, &test_error));
    return candidate;
}

static enum vault_code pass(const struct candidate *new, const struct policy *active,
                            struct policy_passed *out)
{
    const struct policy_candidate candidate = {
        .bundle = new->bundle, .policy = new->policy, .active = active, .now_s = NOW_S, .seed = 7};
    return policy_gate_pass(&candidate, out, &test_error);
}

/* The sample with a part replaced, against the sample. */
static struct policy_passed passed_over(const char *part, const char *other)
{
    struct policy_passed passed;
    char *rules = replaced(SAMPLE_RULES, part, other);
    VAULT_AUTO(candidate_finish) struct candidate old = candidate_of(SAMPLE_RULES, NULL);
    VAULT_AUTO(candidate_finish) struct candidate new = candidate_of(rules, NULL);
    assert_done(pass(&new, old.policy, &passed));
    free(rules);
    return passed;
}

static void test_a_first_bundle_passes_and_widens_nothing(void **state)
{
    (void)state;
    struct policy_passed passed;
    VAULT_AUTO(candidate_finish) struct candidate new = candidate_of(SAMPLE_RULES, NULL);
    assert_done(pass(&new, NULL, &passed));
    assert_false(passed.widens);
    VAULT_AUTO(candidate_finish) struct candidate empty = candidate_of(NULL, NULL);
    assert_done(pass(&empty, NULL, &passed));
}

static void test_a_test_that_fails_is_refused(void **state)
{
    (void)state;
    struct policy_passed passed;
    VAULT_AUTO(candidate_finish)
    struct candidate new = candidate_of(
        SAMPLE_RULES,
        "{\"format\":\"vault-tests/1\",\"suite\":\"s\",\"cases\":[{\"name\":\"wrong\","
        "\"request\":{\"now\":\"2027-03-01T10:00:00Z\",\"service\":{\"id\":\"s\",\"classes\":[],"
        "\"purposes\":[\"library.card\"]},\"purpose\":\"library.card\","
        "\"fields\":{\"identity.name\":null}},\"expect\":{\"identity.name\":\"released\"}}]}");
    assert_int_equal(pass(&new, NULL, &passed), VAULT_INVALID);
    assert_non_null(strstr(test_error.text, "test_fails"));
}

static void test_a_finding_of_level_error_is_refused(void **state)
{
    (void)state;
    struct policy_passed passed;
    char *rules = replaced(SAMPLE_RULES, "[\"identity.*\",", "[\"health.*\",\"identity.*\",");
    VAULT_AUTO(candidate_finish) struct candidate new = candidate_of(rules, NULL);
    assert_int_equal(pass(&new, NULL, &passed), VAULT_INVALID);
    assert_non_null(strstr(test_error.text, "article9_missing"));
    free(rules);
}

static void test_what_gives_more_widens(void **state)
{
    (void)state;
    assert_true(passed_over("\"year\"", "\"month\"").widens);
    assert_int_equal(passed_over("\"year\"", "\"month\"").changes[POLICY_WEAKER], 1);
    assert_true(
        passed_over("\"employment.status\"", "\"employment.status\",\"address.home\"").widens);
    assert_true(passed_over("730", "731").widens);
    assert_true(passed_over("\"notify_citizen\":true,", "").widens);
    assert_true(passed_over("\"citizen_is_minor\":false", "\"window\":\"summer\"").widens);
    assert_true(passed_over("2028-12-31", "2029-12-31").widens);
}

static void test_what_gives_less_or_the_same_does_not_widen(void **state)
{
    (void)state;
    assert_false(passed_over("\"year\"", "\"present\"").widens);
    assert_false(passed_over(",\"employment.status\"", "").widens);
    assert_false(passed_over("730", "700").widens);
    assert_false(passed_over("2028-12-31", "2027-12-31").widens);
    assert_false(passed_over("\"id\":\"core\"", "\"id\":\"renamed\"").widens);
    assert_false(passed_over("One caseworker", "Another reason").widens);
    assert_int_equal(passed_over("730", "700").changes[POLICY_OBLIGATIONS], 5);
}

static void test_a_compiled_form_that_decides_otherwise_is_found(void **state)
{
    (void)state;
    VAULT_AUTO(candidate_finish) struct candidate good = candidate_of(SAMPLE_RULES, NULL);
    assert_done(policy_compare_naive(good.bundle, good.policy, 1, 2000, &test_error));
    good.policy->table.cores[0].basis = POLICY_CONTRACT;
    assert_int_equal(policy_compare_naive(good.bundle, good.policy, 1, 2000, &test_error),
                     VAULT_CORRUPT);
    good.policy->table.cores[0].basis = POLICY_CONSENT;
    good.policy->table.cores[0].must = 0;
    assert_int_equal(policy_compare_naive(good.bundle, good.policy, 1, 2000, &test_error),
                     VAULT_CORRUPT);
}

static void test_a_mistaken_condition_is_found(void **state)
{
    (void)state;
    VAULT_AUTO(candidate_finish) struct candidate good = candidate_of(SAMPLE_RULES, NULL);
    good.policy->table.cores[0].test.need_false = 0;
    assert_int_equal(policy_compare_naive(good.bundle, good.policy, 1, 10000, &test_error),
                     VAULT_CORRUPT);
}

/* What the random requests are worth: they must meet releases and every common denial. */
static void test_the_random_requests_meet_what_rules_do(void **state)
{
    (void)state;
    static const char *const outcomes[] = {
        "\"released\"",     "\"no_consent\"",    "\"refused\"",
        "\"withdrawn\"",    "\"expired\"",       "\"suspended\"",
        "\"out_of_scope\"", "\"used_up\"",       "\"conditions\"",
        "\"not_in_force\"", "\"no_rule\"",       "\"obligation\"",
        "\"bad_form\"",     "\"unknown_field\"", "\"purpose_not_registered\""};
    size_t seen[sizeof outcomes / sizeof *outcomes] = {0};
    VAULT_AUTO(policy_free) struct policy *policy = sample_load(SAMPLE_CATALOGUE, SAMPLE_RULES);
    struct rehearsal rehearsal = {.policy = policy, .state = 3};
    for (size_t i = 0; i < 5000; i++) {
        VAULT_AUTO(buf_finish) struct buf line = buf_limited(65536);
        rehearsal_write(&rehearsal, &line);
        char *answer = sample_answer(policy, buf_string(&line));
        if (strstr(answer, "\"error\":"))
            fail_msg("%s is answered %s", buf_string(&line), answer);
        for (size_t j = 0; j < sizeof outcomes / sizeof *outcomes; j++)
            seen[j] += strstr(answer, outcomes[j]) != NULL;
        free(answer);
    }
    for (size_t j = 0; j < sizeof outcomes / sizeof *outcomes; j++) {
        if (seen[j] < 5)
            fail_msg("%s came up %zu times", outcomes[j], seen[j]);
    }
}

static void test_the_same_seed_makes_the_same_requests(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free) struct policy *policy = sample_load(SAMPLE_CATALOGUE, SAMPLE_RULES);
    struct rehearsal one = {policy, 5};
    struct rehearsal other = {policy, 5};
    struct rehearsal third = {policy, 6};
    VAULT_AUTO(buf_finish) struct buf a = buf_limited(1048576);
    VAULT_AUTO(buf_finish) struct buf b = buf_limited(1048576);
    VAULT_AUTO(buf_finish) struct buf c = buf_limited(1048576);
    for (size_t i = 0; i < 50; i++) {
        rehearsal_write(&one, &a);
        rehearsal_write(&other, &b);
        rehearsal_write(&third, &c);
    }
    assert_true(bytes_equal(buf_view(&a), buf_view(&b)));
    assert_false(bytes_equal(buf_view(&a), buf_view(&c)));
}

int main(void)
{
    if (sample_start())
        return 1;
    return TEST_RUN(test_a_first_bundle_passes_and_widens_nothing,
                    test_a_test_that_fails_is_refused, test_a_finding_of_level_error_is_refused,
                    test_what_gives_more_widens, test_what_gives_less_or_the_same_does_not_widen,
                    test_a_compiled_form_that_decides_otherwise_is_found,
                    test_a_mistaken_condition_is_found, test_the_random_requests_meet_what_rules_do,
                    test_the_same_seed_makes_the_same_requests);
}
