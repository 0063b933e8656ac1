/* What "check" finds, one finding after the other, and what it must not find. */
#include "vault/policy/check.h"

#include "policy/model.h"
#include "sample.h"
#include "vault/base/clock.h"

#define NOW_S INT64_C(1803896000) /* 2027-03-01 */

#define RULE(id, effect, who, fields, rest)                                                        \
    "{\"id\":\"" id "\",\"effect\":\"" effect "\",\"who\":" who                                    \
    ",\"purposes\":[\"employment.support\"],\"fields\":[" fields "]" rest "}"
#define WORKER  "{\"classes\":[\"employment.caseworker\"]}"
#define LIBRARY "{\"classes\":[\"library\"]}"
#define PERMIT(id, who, fields, rest)                                                              \
    RULE(id, "permit", who, fields, ",\"basis\":\"contract\"" rest)
#define FORBID(id, who, fields, rest) RULE(id, "forbid", who, fields, rest)
#define STATUS                        "\"employment.status\""
#define BIRTH                         "\"identity.birth_date\""

static struct policy_report *report_of(const char *catalogue, const char *rules, const char *tests)
{
    char text[8192];
    VAULT_AUTO(policy_free) struct policy *policy = NULL;
    struct policy_report *report = NULL;
    snprintf(text, sizeof text, "{\"format\":\"vault-rules/1\",\"policy\":\"p\",\"rules\":[%s]}",
             rules);
    VAULT_AUTO(bundle_free) struct bundle *bundle = sample_bundle(catalogue, text, tests);
    assert_done(bundle_settle(bundle, NULL, &test_error));
    assert_done(policy_compile(bundle, &policy, NULL, &test_error));
    assert_done(policy_check(policy, bundle, NOW_S, &report, &test_error));
    return report;
}

/* The findings of this kind as "rules: text" lines; not_exercised and no_permit are left out
 * elsewhere, since these small bundles have no tests. */
static void findings_of(const char *catalogue, const char *rules, const char *kind,
                        struct buf *lines)
{
    VAULT_AUTO(policy_report_free)
    struct policy_report *report = report_of(catalogue, rules, NULL);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(65536);
    policy_report_write(report, false, &text);
    char wanted[64];
    snprintf(wanted, sizeof wanted, ": %s: ", kind);
    for (const char *line = buf_string(&text); line && *line; line = strchr(line, '\n') + 1) {
        const char *end = strchr(line, '\n');
        const char *at = strstr(line, wanted);
        if (at && at < end && at - line < 10)
            buf_append(lines, line, (size_t)(end - line + 1));
    }
}

/* That these rules, and no others, are found for this, as "error" or "warning". */
static void assert_found_in(const char *catalogue, const char *rules, const char *kind,
                            const char *expected)
{
    VAULT_AUTO(buf_finish) struct buf lines = buf_limited(65536);
    findings_of(catalogue, rules, kind, &lines);
    const char *got = lines.size ? buf_string(&lines) : "";
    if (*expected ? strncmp(got, expected, strlen(expected)) != 0 : *got)
        fail_msg("%s\n found %s\n not   %s", rules, got, expected);
}

static void assert_found(const char *rules, const char *kind, const char *expected)
{
    assert_found_in(SAMPLE_CATALOGUE, rules, kind, expected);
}

static void test_a_special_category_needs_its_article(void **state)
{
    (void)state;
    assert_found(PERMIT("a", WORKER, "\"health.disability\"," STATUS, ""), "article9_missing",
                 "error: article9_missing: a: permits special categories of data without "
                 "\"article9\": health.disability\n");
    assert_found(PERMIT("a", WORKER, "\"health.disability\"", ",\"article9\":\"9.2.b\""),
                 "article9_missing", "");
    assert_found(FORBID("a", WORKER, "\"health.disability\"", ""), "article9_missing", "");
    assert_found(PERMIT("a", WORKER, STATUS, ""), "article9_missing", "");
}

static void test_a_rule_that_can_never_apply(void **state)
{
    (void)state;
    assert_found(PERMIT("a", WORKER, STATUS,
                        ",\"in_force\":{\"from\":\"2028-01-01T00:00:00Z\","
                        "\"until\":\"2028-01-01T00:00:00Z\"}"),
                 "never_applies",
                 "error: never_applies: a: can never apply: its period is empty\n");
    assert_found(PERMIT("a", WORKER, "", ""), "never_applies",
                 "error: never_applies: a: can never apply: it covers no field");
    assert_found(PERMIT("a", WORKER, "\"nothing.*\"", ""), "never_applies",
                 "error: never_applies: a");
    assert_found(FORBID("a", "{\"classes\":[]}", STATUS, ""), "never_applies",
                 "error: never_applies: a");
    assert_found(RULE("a", "deposit", "{\"services\":[]}", STATUS, ""), "never_applies",
                 "error: never_applies: a");
    assert_found(RULE("a", "deposit", WORKER, STATUS, ""), "never_applies", "");
    assert_found(PERMIT("a", "{\"services\":[\"star\"]}", STATUS, ""), "never_applies", "");
    assert_found(PERMIT("a", WORKER, STATUS, ",\"in_force\":{\"until\":\"2020-01-01T00:00:00Z\"}"),
                 "never_applies", "");
}

static void test_a_service_without_classes_to_have_is_covered_by_nothing(void **state)
{
    (void)state;
    char *catalogue =
        replaced(SAMPLE_CATALOGUE,
                 "{\"id\":\"employment.caseworker\",\"title\":{\"en\":\"Caseworker\"}},"
                 "{\"id\":\"library\"}",
                 "");
    assert_found_in(catalogue, PERMIT("a", "{\"services\":[\"star\"]}", STATUS, ""),
                    "never_applies", "error: never_applies: a");
    free(catalogue);
}

static void test_consent_cannot_be_asked_for_what_has_no_title(void **state)
{
    (void)state;
    char *catalogue = replaced(SAMPLE_CATALOGUE, "\"type\":\"code\",\"title\":{\"en\":\"Status\"}",
                               "\"type\":\"code\"");
    assert_found_in(catalogue,
                    RULE("a", "permit", WORKER, STATUS "," BIRTH, ",\"basis\":\"consent\""),
                    "no_title", "error: no_title: a: rests on consent to what no consent screen");
    assert_found_in(catalogue, PERMIT("a", WORKER, STATUS, ""), "no_title", "");
    free(catalogue);
    assert_found(RULE("a", "permit", WORKER, STATUS, ",\"basis\":\"consent\""), "no_title", "");
}

static void test_a_permit_that_changes_nothing_is_shadowed(void **state)
{
    (void)state;
    assert_found(
        PERMIT("a", WORKER, STATUS, "") "," PERMIT("b", WORKER, STATUS,
                                                   ",\"when\":{\"citizen_is_minor\":false}"),
        "shadowed",
        "warning: shadowed: a, b: without b nothing would change: other permits release the "
        "same (a)\n");
    /* Each of two equal ones can go; a stricter form or another obligation makes a difference. */
    assert_found(
        PERMIT("a", WORKER, STATUS, "") "," PERMIT("b", WORKER, STATUS, ""), "shadowed",
        "warning: shadowed: a, b: without a nothing would change: other permits release the "
        "same (b)\nwarning: shadowed: a, b: without b");
    assert_found(PERMIT("a", WORKER, BIRTH, "") "," PERMIT(
                     "b", WORKER, BIRTH, ",\"release\":{\"identity.birth_date\":\"year\"}"),
                 "shadowed", "warning: shadowed: a, b: without a nothing");
    assert_found(PERMIT("a", WORKER, STATUS, "") "," PERMIT("b", WORKER, STATUS,
                                                            ",\"must\":{\"notify_citizen\":true}"),
                 "shadowed", "warning: shadowed: a, b: without a nothing");
    assert_found(PERMIT("a", WORKER, STATUS, ",\"must\":{\"retain_at_most_days\":30}") "," PERMIT(
                     "b", WORKER, STATUS, ",\"must\":{\"retain_at_most_days\":60}"),
                 "shadowed", "warning: shadowed: a, b: without b nothing");
}

static void test_a_permit_on_consent_beside_another_basis_matters(void **state)
{
    (void)state;
    /* The consent may ask for a stricter form. */
    assert_found(PERMIT("a", WORKER, STATUS, "") "," RULE("b", "permit", WORKER, STATUS,
                                                          ",\"basis\":\"consent\""),
                 "shadowed", "");
    /* And beside one that an objection stops. */
    assert_found(RULE("a", "permit", WORKER, STATUS,
                      ",\"basis\":\"public_task\"") "," PERMIT("b", WORKER, STATUS, ""),
                 "shadowed", "warning: shadowed: a, b: without a nothing");
}

static void test_permits_that_never_meet_in_time_do_not_shadow(void **state)
{
    (void)state;
    assert_found(
        PERMIT(
            "a", WORKER, STATUS,
            ",\"in_force\":{\"until\":\"2028-01-01T00:00:00Z\"}") "," PERMIT("b", WORKER, STATUS,
                                                                             ",\"in_force\":{"
                                                                             "\"from\":\"2028-01-"
                                                                             "01T00:00:00Z\"}"),
        "shadowed", "");
    assert_found(PERMIT("a", WORKER, STATUS, "") "," PERMIT(
                     "b", WORKER, STATUS, ",\"in_force\":{\"from\":\"2028-01-01T00:00:00Z\"}"),
                 "shadowed", "warning: shadowed: a, b: without b nothing");
}

static void test_a_permit_may_be_shadowed_by_several_together(void **state)
{
    (void)state;
    assert_found(PERMIT("a", WORKER, STATUS, ",\"when\":{\"citizen_is_minor\":true}") "," PERMIT(
                     "b", WORKER, STATUS,
                     ",\"when\":{\"citizen_is_minor\":false}") "," PERMIT("c", WORKER, STATUS,
                                                                          ",\"when\":{\"assurance_"
                                                                          "at_least\":\"low\"}"),
                 "shadowed", "");
    /* Not together either: nothing is said of an atom that is unknown. But a known one is. */
    assert_found(
        PERMIT("a", WORKER, STATUS, ",\"when\":{\"citizen_is_minor\":true}") "," PERMIT(
            "b", WORKER, STATUS, ",\"when\":{\"citizen_is_minor\":false}") "," PERMIT("c", WORKER,
                                                                                      STATUS, ""),
        "shadowed",
        "warning: shadowed: a, b, c: without a nothing would change: other permits release "
        "the same (b, c)\n");
}

static void test_a_permit_that_is_always_forbidden_is_overridden(void **state)
{
    (void)state;
    assert_found(PERMIT("a", WORKER, STATUS, "") "," FORBID("no", "\"any\"", STATUS, ""),
                 "overridden",
                 "warning: overridden: a, no: a never releases anything: wherever it applies, a "
                 "forbid does too (no)\n");
    assert_found(PERMIT("a", WORKER, STATUS, "") "," FORBID(
                     "no", "\"any\"", STATUS, ",\"when\":{\"citizen_is_minor\":true}"),
                 "overridden", "");
    /* Two forbids that leave no way through, also not by saying nothing. */
    assert_found(PERMIT("a", WORKER, STATUS, "") "," FORBID(
                     "n1", WORKER, STATUS,
                     ",\"when\":{\"citizen_is_minor\":true}") "," FORBID("n2", WORKER, STATUS,
                                                                         ",\"when\":{\"citizen_is_"
                                                                         "minor\":false}"),
                 "overridden", "warning: overridden: a, n1, n2: ");
    assert_found(PERMIT("a", WORKER, STATUS, "") "," FORBID(
                     "no", WORKER, STATUS, ",\"in_force\":{\"until\":\"2030-01-01T00:00:00Z\"}"),
                 "overridden", "");
}

static void test_a_forbid_of_what_nobody_permits(void **state)
{
    (void)state;
    assert_found(PERMIT("a", WORKER, STATUS, "") "," FORBID("no", "\"any\"", BIRTH, ""),
                 "forbids_nothing",
                 "warning: forbids_nothing: no: forbids nothing that any rule permits\n");
    assert_found(PERMIT("a", WORKER, STATUS, "") "," FORBID("no", LIBRARY, STATUS, ""),
                 "forbids_nothing", "warning: forbids_nothing: no");
    assert_found(PERMIT("a", WORKER, STATUS, ",\"when\":{\"citizen_is_minor\":false}") "," FORBID(
                     "no", WORKER, STATUS, ",\"when\":{\"citizen_is_minor\":true}"),
                 "forbids_nothing", "warning: forbids_nothing: no");
    assert_found(PERMIT("a", WORKER, STATUS, "") "," FORBID(
                     "no", WORKER, STATUS, ",\"when\":{\"citizen_is_minor\":true}"),
                 "forbids_nothing", "");
    /* A service is forbidden what its class, whichever it is, may have. */
    assert_found(PERMIT("a", WORKER, STATUS, "") "," FORBID("no", "{\"services\":[\"bad-one\"]}",
                                                            STATUS, ""),
                 "forbids_nothing", "");
}

static void test_permits_that_give_different_forms_together(void **state)
{
    (void)state;
#define YEAR  ",\"release\":{\"identity.birth_date\":\"year\"}"
#define MONTH ",\"release\":{\"identity.birth_date\":\"month\"}"
    assert_found(
        PERMIT("a", WORKER, BIRTH, YEAR) "," PERMIT("b", "\"any\"", BIRTH, MONTH), "mixed_forms",
        "warning: mixed_forms: a, b: apply together and give different forms, of which the "
        "strictest counts: identity.birth_date for employment.support\n");
    assert_found(PERMIT("a", WORKER, BIRTH, YEAR) "," PERMIT("b", WORKER, BIRTH, YEAR),
                 "mixed_forms", "");
    assert_found(PERMIT("a", WORKER, BIRTH, YEAR) "," PERMIT("b", LIBRARY, BIRTH, MONTH),
                 "mixed_forms", "");
    assert_found(
        PERMIT("a", WORKER, BIRTH, YEAR ",\"when\":{\"citizen_is_minor\":true}") "," PERMIT(
            "b", WORKER, BIRTH, MONTH ",\"when\":{\"citizen_is_minor\":false}"),
        "mixed_forms", "");
    /* Two consents of one purpose are one consent: the same circumstances. */
    assert_found(PERMIT("a", WORKER, BIRTH, YEAR) "," PERMIT("b", WORKER, BIRTH, MONTH) "," FORBID(
                     "no", WORKER, BIRTH, ""),
                 "mixed_forms", "");
}

static void test_purposes_and_classes_without_a_permit(void **state)
{
    (void)state;
    assert_found(PERMIT("a", WORKER, STATUS, ""), "no_permit",
                 "warning: no_permit: nothing is permitted for the purpose library.card\n"
                 "warning: no_permit: nothing is permitted to the class library\n");
    assert_found("{\"id\":\"a\",\"effect\":\"permit\",\"who\":\"any\",\"purposes\":\"any\","
                 "\"fields\":[" STATUS "],\"basis\":\"contract\"}",
                 "no_permit", "");
    assert_found(FORBID("a", "\"any\"", STATUS, ""), "no_permit",
                 "warning: no_permit: nothing is permitted for the purpose employment.support\n");
}

static void test_a_wildcard_that_matches_nothing_is_named(void **state)
{
    (void)state;
    assert_found(FORBID("a", WORKER, "\"identity.*\",\"nothing.*\"", ""), "empty_wildcard",
                 "warning: empty_wildcard: a: names nothing.*, which no field matches");
    assert_found(FORBID("a", WORKER, "\"identity.*\"", ""), "empty_wildcard", "");
}

static void test_a_finding_names_every_rival(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf rules = buf_limited(65536);
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(65536);
    buf_text(&rules, PERMIT("z", WORKER, BIRTH, YEAR));
    buf_text(&line, "warning: shadowed: ");
    for (int i = 10; i < 30; i++) {
        buf_byte(&rules, ',');
        char *rule = replaced(PERMIT("z", WORKER, BIRTH, YEAR), "\"z\"", "\"p__\"");
        char *at = strstr(rule, "p__");
        at[1] = (char)('0' + i / 10);
        at[2] = (char)('0' + i % 10);
        buf_text(&rules, rule);
        buf_format(&line, "p%d, ", i);
        free(rule);
    }
    buf_text(&line, "z: without p10 nothing would change: other permits release the "
                    "same (p11, p12, p13 and 17 more)");
    assert_found(buf_string(&rules), "shadowed", buf_string(&line));
}

static void test_wildcards_in_a_permit(void **state)
{
    (void)state;
    assert_found(PERMIT("a", WORKER, "\"identity.*\"", ""), "wildcard_permit",
                 "warning: wildcard_permit: a: ");
    assert_found("{\"id\":\"a\",\"effect\":\"permit\",\"who\":\"any\",\"purposes\":\"any\","
                 "\"fields\":\"any\",\"basis\":\"contract\"}",
                 "wildcard_permit", "warning: wildcard_permit: a: ");
    assert_found(FORBID("a", WORKER, "\"identity.*\"", ""), "wildcard_permit", "");
}

static void test_a_rule_that_ends_within_thirty_days(void **state)
{
    (void)state;
    static const struct {
        int64_t until_s;
        const char *expected;
    } cases[] = {
        {NOW_S + INT64_C(31) * 86400, ""},
        {NOW_S + INT64_C(30) * 86400, "warning: ends_soon: a: ends on 2027-"},
        {NOW_S + 1, "warning: ends_soon: a: ends on 2027-03-01T"},
        {NOW_S, "warning: ends_soon: a: ended on 2027-03-01T"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char until[INSTANT_CHARS + 1];
        char rules[512];
        instant_format(until, cases[i].until_s);
        snprintf(rules, sizeof rules,
                 PERMIT("a", WORKER, STATUS, ",\"in_force\":{\"until\":\"%s\"}"), until);
        assert_found(rules, "ends_soon", cases[i].expected);
    }
}

static void test_forms_for_fields_that_are_not_covered(void **state)
{
    (void)state;
    assert_found(PERMIT("a", WORKER, STATUS, ",\"release\":{\"identity.birth_date\":\"year\"}"),
                 "stray_release",
                 "warning: stray_release: a: names a form for 1 field that it does");
    assert_found(PERMIT("a", WORKER, BIRTH, YEAR), "stray_release", "");
}

static void test_rules_that_no_test_exercises_and_tests_that_fail(void **state)
{
    (void)state;
#define TESTS(outcome)                                                                             \
    "{\"format\":\"vault-tests/1\",\"cases\":[{\"name\":\"n\",\"request\":{\"now\":"               \
    "\"2027-03-01T10:00:00Z\",\"service\":{\"id\":\"s\",\"classes\":[\"employment.caseworker\"],"  \
    "\"purposes\":[\"employment.support\"]},\"purpose\":\"employment.support\",\"fields\":"        \
    "{" STATUS ":null}},\"expect\":{" STATUS ":\"" outcome "\"}}]}"
    const char *rules = PERMIT("a", WORKER, STATUS, "") "," PERMIT("b", LIBRARY, STATUS, "");
    VAULT_AUTO(policy_report_free)
    struct policy_report *good = report_of(SAMPLE_CATALOGUE, rules, TESTS("released"));
    VAULT_AUTO(policy_report_free)
    struct policy_report *bad = report_of(SAMPLE_CATALOGUE, rules, TESTS("refused"));
    size_t count;
    const struct policy_finding *findings = policy_report_findings(good, &count);
    assert_int_equal(policy_report_errors(good), 0);
    assert_int_equal(count, 2);
    assert_string_equal(findings[0].kind, "no_permit");
    assert_string_equal(findings[1].kind, "not_exercised");
    assert_int_equal(findings[1].rules[0], 1);
    findings = policy_report_findings(bad, &count);
    assert_int_equal(policy_report_errors(bad), 1);
    assert_string_equal(findings[0].kind, "test_fails");
    assert_non_null(strstr(findings[0].text, "tests/plie.json: n: employment.status: "));
    assert_int_equal(count, 4);
    assert_int_equal(policy_report_cases(bad).failed, 1);
}

static void test_a_report_for_programs_is_one_json_object(void **state)
{
    (void)state;
    VAULT_AUTO(policy_report_free)
    struct policy_report *report =
        report_of(SAMPLE_CATALOGUE, PERMIT("a", WORKER, "\"health.disability\"", ""), NULL);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(65536);
    policy_report_write(report, true, &text);
    VAULT_AUTO(json_free) json_t *root = NULL;
    assert_done(json_parse(buf_view(&text), 8, &root, NULL, &test_error));
    const json_t *first = json_array_get(json_object_get(root, "findings"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "level")), "error");
    assert_string_equal(json_string_value(json_object_get(first, "kind")), "article9_missing");
    assert_int_equal(json_integer_value(json_object_get(root, "errors")), 1);
    const json_t *worst = json_object_get(root, "worst_cell");
    assert_int_equal(json_integer_value(json_object_get(worst, "rules")), 1);
    assert_string_equal(json_string_value(json_object_get(worst, "class")),
                        "employment.caseworker");
}

static void test_a_bundle_without_rules_has_no_worst_cell(void **state)
{
    (void)state;
    VAULT_AUTO(policy_report_free)
    struct policy_report *report = report_of(SAMPLE_CATALOGUE, "", NULL);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(65536);
    policy_report_write(report, false, &text);
    assert_non_null(strstr(buf_string(&text), "0 rules; no cell has a rule"));
    buf_clear(&text);
    policy_report_write(report, true, &text);
    assert_non_null(strstr(buf_string(&text), "\"worst_cell\":{\"atoms\":0,\"rules\":0}"));
}

int main(void)
{
    if (sample_start())
        return 1;
    return TEST_RUN(
        test_a_special_category_needs_its_article, test_a_rule_that_can_never_apply,
        test_a_service_without_classes_to_have_is_covered_by_nothing,
        test_consent_cannot_be_asked_for_what_has_no_title,
        test_a_permit_that_changes_nothing_is_shadowed,
        test_a_permit_on_consent_beside_another_basis_matters,
        test_permits_that_never_meet_in_time_do_not_shadow,
        test_a_permit_may_be_shadowed_by_several_together,
        test_a_permit_that_is_always_forbidden_is_overridden, test_a_forbid_of_what_nobody_permits,
        test_permits_that_give_different_forms_together, test_purposes_and_classes_without_a_permit,
        test_wildcards_in_a_permit, test_a_wildcard_that_matches_nothing_is_named,
        test_a_finding_names_every_rival, test_a_rule_that_ends_within_thirty_days,
        test_forms_for_fields_that_are_not_covered,
        test_rules_that_no_test_exercises_and_tests_that_fail,
        test_a_report_for_programs_is_one_json_object,
        test_a_bundle_without_rules_has_no_worst_cell);
}
