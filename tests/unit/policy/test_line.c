/* Requests as JSON lines: which are no valid request, and what is said of them. */
#include "vault/policy/line.h"

#include "sample.h"

#define SERVICE                                                                                    \
    "\"service\":{\"id\":\"s\",\"classes\":[\"library\"],\"purposes\":[\"library.card\"]}"
#define LINE                                                                                       \
    "{\"id\":\"r1\",\"now\":\"2027-03-01T10:00:00Z\"," SERVICE ",\"purpose\":\"library.card\","    \
    "\"fields\":{\"identity.name\":null}}"
#define CONSENT                                                                                    \
    "{\"id\":\"c\",\"service\":\"s\",\"purpose\":\"library.card\",\"state\":\"given\","            \
    "\"at\":\"2027-01-01T00:00:00Z\",\"expires\":\"2028-01-01T00:00:00Z\",\"fields\":{}}"

static struct policy *policy;

static void assert_answer(const char *line, const char *expected)
{
    char *answer = sample_answer(policy, line);
    assert_string_equal(answer, expected);
    free(answer);
}

/* The line is no request; the answer has its id. */
static void assert_invalid(const char *part, const char *other)
{
    char *line = replaced(LINE, part, other);
    char *answer = sample_answer(policy, line);
    json_t *root = json_loads(answer, 0, NULL);
    const bool refused = json_is_string(json_object_get(root, "error")) &&
                         strcmp(json_string_value(json_object_get(root, "id")), "r1") == 0 &&
                         json_object_size(root) == 2;
    if (!refused)
        fail_msg("%s was answered %s", line, answer);
    json_decref(root);
    free(line);
    free(answer);
}

static void assert_valid(const char *part, const char *other)
{
    char *line = replaced(LINE, part, other);
    char *answer = sample_answer(policy, line);
    if (strncmp(answer, "{\"fields\":", 10) != 0)
        fail_msg("%s was answered %s", line, answer);
    free(line);
    free(answer);
}

static void test_the_least_that_is_a_request(void **state)
{
    (void)state;
    assert_answer(LINE, "{\"fields\":{\"identity.name\":{\"by\":[],\"outcome\":\"no_rule\"}},"
                        "\"id\":\"r1\"}");
    assert_valid("{\"identity.name\":null}", "{}");
}

static void test_what_is_no_json_is_answered_without_an_id(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",       " ",
        "x",      "{",
        "[]",     "null",
        "\"id\"", "{\"id\":\"r1\"",
        LINE "}", "{\"id\":\"a\\u0000\"}",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char *answer = sample_answer(policy, lines[i]);
        json_t *root = json_loads(answer, 0, NULL);
        assert_true(json_is_string(json_object_get(root, "error")));
        assert_true(json_is_null(json_object_get(root, "id")));
        json_decref(root);
        free(answer);
    }
}

static void test_members_must_be_there_and_of_their_type(void **state)
{
    (void)state;
    assert_invalid("\"now\":\"2027-03-01T10:00:00Z\",", "");
    assert_invalid(SERVICE ",", "");
    assert_invalid("\"purpose\":\"library.card\",", "");
    assert_invalid(",\"fields\":{\"identity.name\":null}", "");
    assert_invalid("{\"identity.name\":null}", "[\"identity.name\"]");
    assert_invalid("{\"identity.name\":null}", "{\"identity.name\":true}");
    assert_invalid("\"classes\":[\"library\"],", "");
    assert_invalid("[\"library\"]", "\"library\"");
    assert_invalid("[\"library\"]", "[7]");
    assert_invalid(",\"purposes\":[\"library.card\"]", "");
    assert_invalid("{\"identity.name\":null}", "{},\"atoms\":[]");
    assert_invalid("{\"identity.name\":null}", "{},\"values\":[]");
    assert_invalid("{\"identity.name\":null}", "{},\"consents\":{}");
    assert_invalid("{\"identity.name\":null}", "{},\"consents\":null");
    assert_invalid("{\"identity.name\":null}", "{},\"objections\":[7]");
    assert_invalid("{\"identity.name\":null}", "{},\"unmet\":\"notify_citizen\"");
}

static void test_times_have_one_spelling(void **state)
{
    (void)state;
    static const char *const times[] = {
        "2027-03-01T10:00:00+00:00", "2027-03-01 10:00:00Z", "2027-03-01", "2027-02-29T00:00:00Z",
        "2027-03-01T24:00:00Z",      "2027-03-01T10:00:60Z", "",           "2027-03-01T10:00:00.0Z",
        "2027-03-01t10:00:00z",
    };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        assert_invalid("2027-03-01T10:00:00Z", times[i]);
}

static void test_unknown_members_atoms_and_obligations_are_invalid(void **state)
{
    (void)state;
    assert_invalid("\"id\":\"r1\",", "\"id\":\"r1\",\"then\":1,");
    assert_invalid("\"id\":\"s\"", "\"id\":\"s\",\"name\":\"x\"");
    assert_invalid("{\"identity.name\":null}", "{},\"atoms\":{\"moon_phase\":true}");
    assert_invalid("{\"identity.name\":null}", "{},\"unmet\":[\"call_mayor\"]");
    assert_invalid("{\"identity.name\":null}", "{},\"consents\":[{\"who\":1}]");
}

static void test_names_that_the_bundle_does_not_know_are_decided(void **state)
{
    (void)state;
    assert_valid("{\"identity.name\":null}", "{\"no.such\":null,\"x\":\"y\"}");
    assert_valid("[\"library\"]", "[\"no.such\"]");
    assert_valid("{\"identity.name\":null}", "{\"identity.name\":\"no_such\"}");
    assert_valid("\"purpose\":\"library.card\"", "\"purpose\":\"no.such\"");
    assert_valid("{\"identity.name\":null}", "{},\"values\":{\"no.such\":1}");
}

static void test_consents_are_held_to_their_form(void **state)
{
    (void)state;
#define WITH(consent) "{},\"consents\":[" consent "]"
    assert_valid("{\"identity.name\":null}", WITH(CONSENT));
    static const struct {
        const char *part;
        const char *other;
        bool valid;
    } cases[] = {
        {"\"given\"", "\"maybe\"", false},
        {"\"id\":\"c\",", "", false},
        {"\"at\":\"2027-01-01T00:00:00Z\",", "", false},
        {"\"expires\":\"2028-01-01T00:00:00Z\",", "", false},
        {",\"fields\":{}", "", false},
        {"\"fields\":{}", "\"fields\":[]", false},
        {"\"fields\":{}", "\"fields\":{\"identity.name\":1}", false},
        {"\"fields\":{}", "\"fields\":{},\"uses_left\":null", false},
        {"\"fields\":{}", "\"fields\":{},\"uses_left\":-1", false},
        {"\"fields\":{}", "\"fields\":{},\"uses_left\":true", false},
        {"\"fields\":{}", "\"fields\":{},\"uses_left\":1", true},
        {"\"fields\":{}", "\"fields\":{\"no.such\":\"year\"}", true},
        {"\"given\"", "\"suspended\"", true},
        {"\"state\":\"given\",\"at\":\"2027-01-01T00:00:00Z\",\"expires\":\"2028-01-01T00:00:00Z\","
         "\"fields\":{}",
         "\"state\":\"refused\",\"at\":\"2027-01-01T00:00:00Z\"", true},
        {"\"state\":\"given\",\"at\":\"2027-01-01T00:00:00Z\",\"expires\":\"2028-01-01T00:00:00Z\","
         "\"fields\":{}",
         "\"state\":\"suspended\",\"at\":\"2027-01-01T00:00:00Z\"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *consent = replaced(WITH(CONSENT), cases[i].part, cases[i].other);
        if (cases[i].valid)
            assert_valid("{\"identity.name\":null}", consent);
        else
            assert_invalid("{\"identity.name\":null}", consent);
        free(consent);
    }
}

static void test_a_consent_to_another_service_is_held_to_its_form_too(void **state)
{
    (void)state;
    char *other = replaced(WITH(CONSENT), "\"service\":\"s\"", "\"service\":\"t\"");
    assert_valid("{\"identity.name\":null}", other);
    char *wrong = replaced(other, "\"given\"", "\"maybe\"");
    assert_invalid("{\"identity.name\":null}", wrong);
    free(other);
    free(wrong);
}

static void test_more_classes_than_a_service_may_have_are_refused(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf catalogue = buf_limited(65536);
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(65536);
    buf_text(&catalogue, "{\"format\":\"vault-catalogue/1\",\"classes\":[");
    buf_text(&line, "{\"id\":\"r\",\"now\":\"2027-03-01T10:00:00Z\",\"purpose\":\"p\","
                    "\"fields\":{},\"service\":{\"id\":\"s\",\"purposes\":[],\"classes\":[");
    for (int i = 0; i <= POLICY_SERVICE_CLASSES_MAX; i++) {
        buf_format(&catalogue, "%s{\"id\":\"c%d\"}", i ? "," : "", i);
        buf_format(&line, "%s\"c%d\",\"c%d\"", i ? "," : "", i, i);
    }
    buf_text(&catalogue, "]}");
    buf_text(&line, "]}}");
    VAULT_AUTO(policy_free) struct policy *many = sample_load(buf_string(&catalogue), NULL);
    char *answer = sample_answer(many, buf_string(&line));
    assert_non_null(strstr(answer, "at most 16 classes"));
    free(answer);
    /* One fewer is known to the small bundle: the others add nothing. */
    VAULT_AUTO(policy_free)
    struct policy *one =
        sample_load("{\"format\":\"vault-catalogue/1\",\"classes\":[{\"id\":\"c1\"}]}", NULL);
    answer = sample_answer(one, buf_string(&line));
    assert_string_equal(answer, "{\"fields\":{},\"id\":\"r\"}");
    free(answer);
}

static void test_a_duplicate_key_is_invalid(void **state)
{
    (void)state;
    char *answer = sample_answer(policy, "{\"id\":\"r1\",\"id\":\"r2\"}");
    assert_non_null(strstr(answer, "an object names a member twice\",\"id\":null}"));
    free(answer);
}

static void test_answers_are_sorted_and_escaped(void **state)
{
    (void)state;
    char *line = replaced(LINE, "{\"identity.name\":null}", "{\"z\":null,\"a\\\"b\":null}");
    char *named = replaced(line, "\"r1\"", "\"r\\n1\"");
    assert_answer(named, "{\"fields\":{\"a\\\"b\":{\"by\":[],\"outcome\":\"unknown_field\"},"
                         "\"z\":{\"by\":[],\"outcome\":\"unknown_field\"}},\"id\":\"r\\n1\"}");
    free(line);
    free(named);
}

static void test_an_error_names_the_line_of_the_input(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf answer = buf_limited(65536);
    policy_line_answer_at(policy, BYTES("{\"id\":\"r\"}"), 7, &answer);
    assert_non_null(strstr(buf_string(&answer), "\"line 7, column 1: the member"));
}

int main(void)
{
    if (sample_start())
        return 1;
    policy = sample_load(SAMPLE_CATALOGUE, SAMPLE_RULES);
    const int result = TEST_RUN(
        test_an_error_names_the_line_of_the_input, test_the_least_that_is_a_request,
        test_what_is_no_json_is_answered_without_an_id,
        test_members_must_be_there_and_of_their_type, test_times_have_one_spelling,
        test_unknown_members_atoms_and_obligations_are_invalid,
        test_names_that_the_bundle_does_not_know_are_decided, test_consents_are_held_to_their_form,
        test_a_consent_to_another_service_is_held_to_its_form_too,
        test_more_classes_than_a_service_may_have_are_refused, test_a_duplicate_key_is_invalid,
        test_answers_are_sorted_and_escaped);
    policy_free(&policy);
    return result;
}
