/*
 * POST /access/v1/evaluation and /access/v1/evaluations as a service meets them, and where it
 * learns of them.
 */
#include "caller.h"
#include "vault/edge/service_api.h"
#include "vault/parts.h"
#include "vault_test.h"

#define ONE      "/access/v1/evaluation"
#define MANY     "/access/v1/evaluations"
#define JSON     "application/json"
#define NOBODY   "aaaaaaaaaaaaaaaaaaaaaaaaaa"
#define WHO      "\"subject\":{\"type\":\"service\",\"id\":\"" CASEWORKER "\"}"
#define READ     "\"action\":{\"name\":\"read\",\"properties\":{\"purpose\":\"" SUPPORT "\"}}"
#define STRANGER "\"resource\":{\"type\":\"identity.birth_date\",\"id\":\"" NOBODY "\"}"
#define CONTEXT  "\"context\":{\"assurance_at_least\":\"high\"}"

static struct vault_test test;
static struct service_api api;
static struct caller caller;
static char subject[SUBJECT_CHARS + 1];

static void begin(void)
{
    make_filled_vault(&test);
    api = (struct service_api){test.vault, "https://citizens.example:8444"};
    caller = caller_new(service_api_handle, &api, caseworker_key);
    subject_of_citizen(&test, subject);
}

static void end(void)
{
    caller_finish(&caller);
    vault_close(&test.vault);
}

static uint64_t log_size(void)
{
    return ledger_head(test.vault->ledger).size;
}

/* "resource" for the test's citizen. */
static const char *resource(const char *field)
{
    static char texts[4][128];
    static size_t next;
    char *text = texts[next++ % 4];
    snprintf(text, sizeof texts[0], "\"resource\":{\"type\":\"%s\",\"id\":\"%s\"}", field, subject);
    return text;
}

static void post(const char *path, const char *format, ...) VAULT_PRINTF(2, 3);
static void post(const char *path, const char *format, ...)
{
    char body[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(body, sizeof body, format, args);
    va_end(args);
    caller_post(&caller, path, body);
}

static void assert_decision(const json_t *answer, bool allowed)
{
    assert_members(answer, "decision");
    assert_true(json_is_boolean(json_object_get(answer, "decision")));
    assert_int_equal(json_is_true(json_object_get(answer, "decision")), allowed);
}

static const json_t *element(size_t i)
{
    const json_t *found = json_array_get(caller_value(&caller, "/evaluations"), i);
    assert_non_null(found);
    return found;
}

/* --- One ------------------------------------------------------------------------------------ */

static void test_the_decision_is_the_releases_own(void **state)
{
    (void)state;
    begin();
    post(ONE, "{" WHO "," READ "," CONTEXT ",%s}", resource("identity.birth_date"));
    assert_answered(&caller, 200, JSON);
    assert_decision(caller.json, false);
    give_consent(&test, CONSENT_UNLIMITED);
    post(ONE, "{" WHO "," READ "," CONTEXT ",%s}", resource("identity.birth_date"));
    assert_decision(caller.json, true);
    post(ONE, "{" WHO "," READ ",%s}", resource("identity.birth_date")); /* not assured */
    assert_decision(caller.json, false);
    post(ONE, "{" WHO "," READ "," CONTEXT "," STRANGER "}");
    assert_decision(caller.json, false);
    end();
}

static void test_a_form_is_asked_for_among_the_resources_properties(void **state)
{
    (void)state;
    static const char whole[] =
        "{" WHO "," READ "," CONTEXT ",\"resource\":{\"type\":\"identity.birth_date\","
        "\"id\":\"%s\",\"properties\":{\"form\":\"%s\"}}}";
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    post(ONE, whole, subject, "year");
    assert_decision(caller.json, true);
    post(ONE, whole, subject, "no_such");
    assert_decision(caller.json, false);
    end();
}

/* Neither another service's id nor one that nobody has: the same words, and nothing is logged. */
static void test_a_service_asks_for_itself_alone(void **state)
{
    (void)state;
    static const char *const others[] = {"{\"type\":\"service\",\"id\":\"" LIBRARY "\"}",
                                         "{\"type\":\"service\",\"id\":\"x\"}",
                                         "{\"type\":\"user\",\"id\":\"" CASEWORKER "\"}"};
    begin();
    const uint64_t before = log_size();
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        post(ONE, "{\"subject\":%s," READ "," STRANGER "}", others[i]);
        assert_problem(&caller, 403, "/subject", -1);
        assert_string_equal(caller_text(&caller, "/detail"),
                            "the subject is the service that asks");
    }
    assert_int_equal(log_size(), before);
    end();
}

static void test_what_is_wrong_is_pointed_at(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        unsigned status;
        const char *pointer;
    } wrong[] = {
        {"{}", 400, "/subject/type"},
        {"{\"subject\":\"me\"}", 400, "/subject"},
        {"{\"subject\":{\"type\":\"service\"}}", 400, "/subject/id"},
        {"{" WHO "}", 400, "/action/name"},
        {"{" WHO ",\"action\":{\"name\":\"read\"}}", 400, "/action/properties/purpose"},
        {"{" WHO ",\"action\":{\"name\":\"read\",\"properties\":[]}}", 400, "/action/properties"},
        {"{" WHO "," READ "}", 400, "/resource/type"},
        {"{" WHO "," READ ",\"resource\":{\"type\":\"identity.name\"}}", 400, "/resource/id"},
        {"{" WHO "," READ ",\"resource\":{\"type\":\"identity.name\",\"id\":\"short\"}}", 400,
         "/resource/id"},
        {"{" WHO "," READ ",\"resource\":{\"type\":\"identity.name\",\"id\":\"" NOBODY
         "\",\"properties\":{\"form\":7}}}",
         400, "/resource/properties/form"},
        {"{" WHO "," READ "," STRANGER ",\"context\":[]}", 400, "/context"},
        {"{" WHO ",\"action\":{\"name\":\"write\",\"properties\":{\"purpose\":\"" SUPPORT
         "\"}}," STRANGER "}",
         422, "/action/name"},
        {"{" WHO ",\"action\":{\"name\":\"read\",\"properties\":{\"purpose\":\"zebra\"}}," STRANGER
         "}",
         422, "/action/properties/purpose"},
        {"{" WHO "," READ ",\"resource\":{\"type\":\"zebra.size\",\"id\":\"" NOBODY "\"}}", 422,
         "/resource/type"},
    };
    begin();
    const uint64_t before = log_size();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        caller_post(&caller, ONE, wrong[i].body);
        assert_problem(&caller, wrong[i].status, wrong[i].pointer, -1);
        assert_not_said(&caller, "zebra");
    }
    caller_post(&caller, ONE, "{" WHO "," READ ",\"resource\":{\"zebra\":1}}");
    assert_answered(&caller, 400, "application/problem+json");
    assert_string_equal(caller_text(&caller, "/pointer"), "/resource");
    assert_int_equal(log_size(), before);
    end();
}

static void test_a_request_id_comes_back_and_is_plain(void **state)
{
    (void)state;
    begin();
    caller.request_id = "bfe9eb29-ab87";
    post(ONE, "{" WHO "," READ "," STRANGER "}");
    assert_answered(&caller, 200, JSON);
    assert_string_equal(caller_header(&caller, "X-Request-ID"), "bfe9eb29-ab87");
    post(MANY, "{}");
    assert_problem(&caller, 400, "/subject/type", -1);
    assert_string_equal(caller_header(&caller, "X-Request-ID"), "bfe9eb29-ab87");
    caller.request_id = "caf\xc3\xa9";
    post(ONE, "{" WHO "," READ "," STRANGER "}");
    assert_problem(&caller, 400, NULL, -1);
    assert_int_equal(caller.answer.header_count, 0);
    end();
}

static void test_who_is_no_service_is_told_nothing(void **state)
{
    (void)state;
    static const uint8_t unknown[SHA256_BYTES] = {9};
    begin();
    for (size_t i = 0; i < 2; i++) {
        caller.key = i ? unknown : NULL;
        post(ONE, "{" WHO "," READ "," STRANGER "}");
        assert_problem(&caller, i ? 403 : 401, NULL, -1);
        post(MANY, "{" WHO "," READ "," STRANGER "}");
        assert_problem(&caller, i ? 403 : 401, NULL, -1);
    }
    end();
}

static void test_a_log_that_stopped_answers_503(void **state)
{
    (void)state;
    begin();
    assert_done(ledger_stop(test.vault->ledger, &test_error));
    post(ONE, "{" WHO "," READ "," STRANGER "}");
    assert_problem(&caller, 503, NULL, -1);
    post(MANY, "{" WHO "," READ ",\"evaluations\":[{" STRANGER "}]}");
    assert_answered(&caller, 200, JSON);
    assert_members(element(0), "decision context");
    end();
}

/* --- Many ----------------------------------------------------------------------------------- */

static void test_each_is_decided_by_itself_with_what_the_whole_says_for_all(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    const uint64_t before = log_size();
    post(MANY, "{" WHO "," READ "," CONTEXT ",\"evaluations\":[{%s},{%s},{%s,\"context\":{}}]}",
         resource("identity.birth_date"), resource("identity.name"),
         resource("identity.birth_date"));
    assert_answered(&caller, 200, JSON);
    assert_members(caller.json, "evaluations");
    assert_int_equal(json_array_size(caller_value(&caller, "/evaluations")), 3);
    assert_decision(element(0), true);
    assert_decision(element(1), false);
    assert_decision(element(2), false); /* its own context stands, and is not assured */
    assert_int_equal(log_size(), before + 3);
    end();
}

static void test_without_evaluations_it_is_one(void **state)
{
    (void)state;
    begin();
    post(MANY, "{" WHO "," READ "," STRANGER "}");
    assert_answered(&caller, 200, JSON);
    assert_decision(caller.json, false);
    post(MANY, "{" WHO "," READ "," STRANGER ",\"evaluations\":[]}");
    assert_decision(caller.json, false);
    end();
}

static void test_a_fault_in_one_is_its_own_no_and_repeats_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *item;
        int status;
    } wrong[] = {
        {"7", 400},
        {"{}", 400},
        {"{" STRANGER ",\"zebra\":1}", 400},
        {"{\"resource\":{\"type\":\"zebra\",\"id\":\"" NOBODY "\"}}", 422},
        {"{\"subject\":{\"type\":\"service\",\"id\":\"zebra\"}," STRANGER "}", 403},
        {"{\"action\":{\"name\":\"zebra\"}," STRANGER "}", 400},
    };
    begin();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        post(MANY, "{" WHO "," READ ",\"evaluations\":[%s,{" STRANGER "}]}", wrong[i].item);
        assert_answered(&caller, 200, JSON);
        assert_members(element(0), "decision context");
        assert_false(json_is_true(json_object_get(element(0), "decision")));
        const json_t *error = json_object_get(json_object_get(element(0), "context"), "error");
        assert_members(error, "status message");
        assert_int_equal(json_integer_value(json_object_get(error, "status")), wrong[i].status);
        assert_decision(element(1), false);
        assert_not_said(&caller, "zebra");
    }
    end();
}

static void test_a_semantic_ends_them_early_and_what_was_not_reached_is_not_logged(void **state)
{
    (void)state;
    static const struct {
        const char *semantic;
        size_t count;
    } cases[] = {{"execute_all", 3}, {"deny_on_first_deny", 2}, {"permit_on_first_permit", 1}};
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint64_t before = log_size();
        post(MANY,
             "{" WHO "," READ "," CONTEXT ",\"options\":{\"evaluations_semantic\":\"%s\"},"
             "\"evaluations\":[{%s},{%s},{%s}]}",
             cases[i].semantic, resource("identity.birth_date"), resource("identity.name"),
             resource("employment.status"));
        assert_int_equal(json_array_size(caller_value(&caller, "/evaluations")), cases[i].count);
        assert_int_equal(log_size(), before + cases[i].count);
    }
    end();
}

static void test_a_whole_that_is_wrong_is_refused_whole(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *pointer;
    } wrong[] = {
        {"{\"evaluations\":{}}", "/evaluations"},
        {"{\"evaluations\":[{}],\"options\":7}", "/options"},
        {"{\"evaluations\":[{}],\"options\":{\"evaluations_semantic\":\"zebra\"}}",
         "/options/evaluations_semantic"},
        {"{\"evaluations\":[{}],\"options\":{\"evaluations_semantic\":1}}",
         "/options/evaluations_semantic"},
    };
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(4096);
    begin();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        caller_post(&caller, MANY, wrong[i].body);
        assert_problem(&caller, 400, wrong[i].pointer, -1);
        assert_not_said(&caller, "zebra");
    }
    buf_text(&body, "{\"evaluations\":[{}");
    for (int i = 0; i < 100; i++)
        buf_text(&body, ",{}");
    buf_text(&body, "]}");
    caller_send(&caller, HTTP_POST, MANY, buf_view(&body));
    assert_problem(&caller, 400, "/evaluations", -1);
    end();
}

static void test_they_count_as_so_many_for_the_quota(void **state)
{
    (void)state;
    static const uint8_t slow_key[SHA256_BYTES] = {7};
    begin();
    assert_done(service_add(test.vault,
                            BYTES("{\"id\":\"slow\",\"name\":\"Slow\",\"contact\":\"a@b.example\","
                                  "\"classes\":[\"culture.library\"],\"purposes\":[\"" LENDING
                                  "\"],\"quota\":2}"),
                            &test_error));
    assert_done(service_add_key(test.vault, CONTROL_CERTIFICATE_SERVICE, "slow", slow_key,
                                INT64_MAX, &test_error));
    caller.key = slow_key;
    post(MANY, "{\"evaluations\":[{},{},{}]}");
    assert_answered(&caller, 200, JSON);
    post(ONE, "{}");
    assert_problem(&caller, 429, NULL, -1);
    end();
}

/* --- Where they are ------------------------------------------------------------------------- */

static void test_the_addresses_are_those_of_the_host_that_was_asked(void **state)
{
    (void)state;
    begin();
    caller_get(&caller, "/.well-known/authzen-configuration");
    assert_answered(&caller, 200, JSON);
    assert_members(caller.json, "policy_decision_point access_evaluation_endpoint "
                                "access_evaluations_endpoint");
    assert_string_equal(caller_text(&caller, "/policy_decision_point"),
                        "https://vault.example:8443");
    assert_string_equal(caller_text(&caller, "/access_evaluation_endpoint"),
                        "https://vault.example:8443" ONE);
    assert_string_equal(caller_text(&caller, "/access_evaluations_endpoint"),
                        "https://vault.example:8443" MANY);
    caller.host = "a\"b";
    caller_get(&caller, "/.well-known/authzen-configuration");
    assert_problem(&caller, 400, NULL, -1);
    end();
}

int main(void)
{
    return TEST_RUN(
        test_the_decision_is_the_releases_own,
        test_a_form_is_asked_for_among_the_resources_properties,
        test_a_service_asks_for_itself_alone, test_what_is_wrong_is_pointed_at,
        test_a_request_id_comes_back_and_is_plain, test_who_is_no_service_is_told_nothing,
        test_a_log_that_stopped_answers_503,
        test_each_is_decided_by_itself_with_what_the_whole_says_for_all,
        test_without_evaluations_it_is_one, test_a_fault_in_one_is_its_own_no_and_repeats_nothing,
        test_a_semantic_ends_them_early_and_what_was_not_reached_is_not_logged,
        test_a_whole_that_is_wrong_is_refused_whole, test_they_count_as_so_many_for_the_quota,
        test_the_addresses_are_those_of_the_host_that_was_asked);
}
