/* The prose of "explain": which rule, why, what was missing, what would have to change. */
#include "vault/policy/explain.h"

#include "sample.h"

#define NOW "\"now\":\"2027-03-01T10:00:00Z\""
#define CONSENT(rest)                                                                              \
    ",\"consents\":[{\"id\":\"c\",\"service\":\"plie\",\"purpose\":\"employment.support\","        \
    "\"at\":\"2027-02-01T00:00:00Z\"," rest "}]"
#define GIVEN                                                                                      \
    CONSENT("\"state\":\"given\",\"expires\":\"2028-01-01T00:00:00Z\","                            \
            "\"fields\":{\"identity.birth_date\":null}")
#define ATOMS ",\"atoms\":{\"assurance_at_least\":\"high\",\"citizen_is_minor\":false}"

static const char forbid[] =
    ",{\"id\":\"never\",\"effect\":\"forbid\",\"who\":\"any\",\"purposes\":\"any\","
    "\"fields\":\"any\",\"why\":{\"en\":\"Not in "
    "summer\"},\"when\":{\"window\":\"summer\"}}" END_OF_RULES;

/* The request about a field, with what else it says. */
static char *request_for(const char *field, const char *now, const char *rest)
{
    char *line = calloc(1, 4096);
    snprintf(line, 4096,
             "{\"id\":\"r1\",%s,\"service\":{\"id\":\"plie\",\"classes\":"
             "[\"employment.caseworker\"],\"purposes\":[\"employment.support\"]},"
             "\"purpose\":\"employment.support\",\"fields\":{%s}%s}",
             now, field, rest);
    return line;
}

static char *explained(const char *rules, enum policy_language language, const char *line)
{
    VAULT_AUTO(policy_free) struct policy *policy = sample_load(SAMPLE_CATALOGUE, rules);
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(65536);
    assert_done(policy_explain(policy, bytes_of_text(line), language, &out, &test_error));
    return strdup(buf_string(&out));
}

static void assert_told(const char *rules, enum policy_language language, const char *now,
                        const char *field, const char *rest, const char *told)
{
    char *line = request_for(field, now, rest);
    char *prose = explained(rules, language, line);
    if (!strstr(prose, told))
        fail_msg("nothing says: %s\n%s", told, prose);
    free(prose);
    free(line);
}

#define BIRTH                     "\"identity.birth_date\":null"
#define assert_en(rest, told)     assert_told(SAMPLE_RULES, POLICY_EN, NOW, BIRTH, rest, told)
#define assert_fr(rest, told)     assert_told(SAMPLE_RULES, POLICY_FR, NOW, BIRTH, rest, told)
#define assert_field(field, told) assert_told(SAMPLE_RULES, POLICY_EN, NOW, field, ATOMS, told)
#define assert_at(now, told)                                                                       \
    assert_told(SAMPLE_RULES, POLICY_EN, "\"now\":\"" now "\"", BIRTH, ATOMS GIVEN, told)

static void test_a_release_names_the_rule_its_why_and_its_form(void **state)
{
    (void)state;
    assert_en(ATOMS GIVEN, "*Date of birth* (identity.birth_date): released in the form \"year\" "
                           "(the year only).");
    assert_en(ATOMS GIVEN, "rule core (lawful basis: consent): One caseworker\n");
    assert_en(ATOMS GIVEN, "come with it: notify_citizen, retain_at_most_days 730.\n");
    assert_fr(ATOMS GIVEN, "*Date de naissance* (identity.birth_date) : transmise, forme « year »");
}

static void test_a_missing_consent_is_named_with_field_and_purpose(void **state)
{
    (void)state;
    assert_en(ATOMS, "not released (no_consent): the citizen has given no consent.\n");
    assert_en(ATOMS, "missing: a consent covering *Date of birth* for *Support*");
    assert_en(ATOMS, "What would have to change: the citizen consents to the release of "
                     "*Date of birth* for *Support*.\n");
    assert_fr(ATOMS, "un consentement valable, couvrant *Date de naissance*, pour "
                     "*Accompagnement*");
}

static void test_every_state_of_a_consent_has_its_words(void **state)
{
    (void)state;
    assert_en(ATOMS CONSENT("\"state\":\"refused\""), "(the citizen has refused)");
    assert_en(ATOMS CONSENT("\"state\":\"withdrawn\""), "(the citizen has withdrawn the consent)");
    assert_en(ATOMS CONSENT("\"state\":\"given\",\"fields\":{},"
                            "\"expires\":\"2027-02-02T00:00:00Z\""),
              "(the consent has expired)");
    assert_en(ATOMS CONSENT("\"state\":\"suspended\",\"fields\":{},"
                            "\"expires\":\"2028-02-02T00:00:00Z\""),
              "(the consent is suspended)");
    assert_en(ATOMS CONSENT("\"state\":\"given\",\"fields\":{},"
                            "\"expires\":\"2028-02-02T00:00:00Z\""),
              "(the citizen's consent does not cover *Date of birth*)");
    assert_en(ATOMS CONSENT("\"state\":\"given\",\"fields\":{\"identity.birth_date\":null},"
                            "\"uses_left\":0,\"expires\":\"2028-02-02T00:00:00Z\""),
              "(the consent has been used as often as it allowed)");
}

static void test_all_that_a_permit_misses_is_told_at_once(void **state)
{
    (void)state;
    const char *atoms = ",\"atoms\":{\"assurance_at_least\":\"low\"}";
    assert_en(atoms, "not released (conditions)");
    assert_en(atoms, "missing: assurance_at_least must be at least substantial; it is not so");
    assert_en(atoms, "missing: citizen_is_minor must be false; it is not known");
    assert_en(atoms, "missing: a consent covering");
    assert_at("2026-12-31T23:59:59Z", "in force only from 2027-01-01T00:00:00Z on");
    assert_at("2028-12-31T23:59:59Z", "not been in force since 2028-12-31T23:59:59Z");
}

static void test_what_forbids_is_named_before_what_permits(void **state)
{
    (void)state;
    char *rules = replaced(SAMPLE_RULES, END_OF_RULES, forbid);
    const char *known = ",\"atoms\":{\"window\":[\"summer\"]}";
    assert_told(rules, POLICY_EN, NOW, BIRTH, known, "not released (forbidden)");
    assert_told(rules, POLICY_EN, NOW, BIRTH, known, "rule never: Not in summer\n");
    assert_told(rules, POLICY_EN, NOW, BIRTH, ATOMS, "not released (forbidden_unknown)");
    assert_told(rules, POLICY_EN, NOW, BIRTH, ATOMS, "not known: window\n");
    free(rules);
}

static void test_what_cannot_be_is_told_without_rules(void **state)
{
    (void)state;
    assert_field("\"no.such\":null", "*no.such*: not released (unknown_field)");
    assert_field("\"identity.birth_date\":\"city\"", "does not exist in the form");
    assert_field("\"address.home\":null", "no rule permits this service to receive *Home* for");
}

static void test_no_value_and_no_obligation_have_their_words(void **state)
{
    (void)state;
    assert_en(ATOMS GIVEN ",\"values\":{}", "the vault has no value for this field");
    assert_en(ATOMS GIVEN ",\"values\":{\"identity.birth_date\":7}", "cannot be put into the form");
    assert_en(ATOMS GIVEN ",\"unmet\":[\"notify_citizen\"]",
              "missing: the obligation notify_citizen cannot be met");
}

static void test_no_value_is_ever_shown(void **state)
{
    (void)state;
    char *line =
        request_for(BIRTH, NOW, ATOMS GIVEN ",\"values\":{\"identity.birth_date\":\"1990-05-17\"}");
    char *prose = explained(SAMPLE_RULES, POLICY_EN, line);
    assert_non_null(strstr(prose, "released in the form"));
    assert_null(strstr(prose, "1990"));
    free(prose);
    free(line);
}

static void test_what_is_no_request_is_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {"", "x", "{}", "{\"id\":\"r1\"}{\"id\":\"r2\"}"};
    VAULT_AUTO(policy_free) struct policy *policy = sample_load(SAMPLE_CATALOGUE, SAMPLE_RULES);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        VAULT_AUTO(buf_finish) struct buf out = buf_limited(65536);
        assert_int_equal(
            policy_explain(policy, bytes_of_text(lines[i]), POLICY_FR, &out, &test_error),
            VAULT_INVALID);
        assert_int_equal(out.size, 0);
    }
}

static void test_languages_are_fr_and_en(void **state)
{
    (void)state;
    assert_int_equal(policy_language_find(bytes_of_text("fr")), POLICY_FR);
    assert_int_equal(policy_language_find(bytes_of_text("en")), POLICY_EN);
    assert_int_equal(policy_language_find(bytes_of_text("de")), POLICY_LANGUAGE_COUNT);
    assert_int_equal(policy_language_find(bytes_of_text("")), POLICY_LANGUAGE_COUNT);
}

int main(void)
{
    if (sample_start())
        return 1;
    return TEST_RUN(
        test_a_release_names_the_rule_its_why_and_its_form,
        test_a_missing_consent_is_named_with_field_and_purpose,
        test_every_state_of_a_consent_has_its_words, test_all_that_a_permit_misses_is_told_at_once,
        test_what_forbids_is_named_before_what_permits, test_what_cannot_be_is_told_without_rules,
        test_no_value_and_no_obligation_have_their_words, test_no_value_is_ever_shown,
        test_what_is_no_request_is_refused, test_languages_are_fr_and_en);
}
