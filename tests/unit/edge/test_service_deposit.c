/*
 * PUT /v1/subjects/{subject}/fields as a service meets it.
 */
#include "caller.h"
#include "vault/edge/service_api.h"
#include "vault/parts.h"
#include "vault_test.h"

#define STATUS "employment.status"
#define JSON   "application/json"

static const char rules[] =
    "{\"format\":\"vault-rules/1\",\"policy\":\"deposits\","
    "\"title\":{\"fr\":\"Essai\",\"en\":\"Trial\"},\"owner\":\"dpo@ville.example\",\"rules\":["
    "{\"id\":\"bring-status\",\"effect\":\"deposit\",\"why\":{\"fr\":\"Essai\",\"en\":\"Trial\"},"
    "\"who\":{\"classes\":[\"employment.caseworker\"]},\"purposes\":[\"" SUPPORT "\"],"
    "\"fields\":[\"" STATUS "\"]}]}";

static struct vault_test test;
static struct service_api api;
static struct caller caller;
static char path[128];

static void path_of(const char *subject)
{
    snprintf(path, sizeof path, "/v1/subjects/%s/fields", subject);
}

static void begin(void)
{
    char subject[SUBJECT_CHARS + 1];
    make_test_vault(&test);
    change_test_bundle(&test, "rules/deposits.json", rules, 2);
    fill_test_vault(&test);
    api = (struct service_api){test.vault, "https://citizens.example:8444"};
    caller = caller_new(service_api_handle, &api, caseworker_key);
    subject_of_citizen(&test, subject);
    path_of(subject);
}

static void end(void)
{
    caller_finish(&caller);
    vault_close(&test.vault);
}

static void put(const char *body)
{
    caller_send(&caller, HTTP_PUT, path, bytes_of_text(body));
}

static void test_a_deposit_is_answered_with_its_place_in_the_log(void **state)
{
    (void)state;
    begin();
    put("{\"fields\":{\"" STATUS "\":{\"value\":\"training\",\"as_of\":\"2027-01-02\"}}}");
    assert_answered(&caller, 200, JSON);
    assert_members(caller.json, "deposit subject purpose stored log");
    assert_members(caller_value(&caller, "/log"), "origin index leaf");
    assert_string_equal(caller_text(&caller, "/stored/" STATUS "/as_of"), "2027-01-02");
    assert_not_said(&caller, "training");
    put("{\"purpose\":\"" SUPPORT "\",\"context\":{\"assurance_at_least\":\"high\"},"
        "\"fields\":{\"" STATUS "\":{\"value\":\"seeking\",\"as_of\":\"2027-03-08T10:00:00Z\"}}}");
    assert_answered(&caller, 200, JSON);
    end();
}

static void test_a_subject_of_nobodys_looks_like_a_field_without_a_rule(void **state)
{
    (void)state;
    char refused[2048];
    begin();
    put("{\"fields\":{\"identity.name\":{\"value\":\"Autre Nom\"}}}");
    assert_problem(&caller, 403, NULL, -1);
    snprintf(refused, sizeof refused, "%s", caller_text(&caller, "/detail"));
    path_of("aaaaaaaaaaaaaaaaaaaaaaaaaa");
    put("{\"fields\":{\"" STATUS "\":{\"value\":\"training\"}}}");
    assert_problem(&caller, 403, NULL, -1);
    assert_string_equal(caller_text(&caller, "/detail"), refused);
    caller.key = library_key;
    put("{\"fields\":{\"" STATUS "\":{\"value\":\"training\"}}}");
    assert_problem(&caller, 403, NULL, -1);
    assert_string_equal(caller_text(&caller, "/detail"), refused);
    end();
}

static void test_who_brings_must_be_known(void **state)
{
    (void)state;
    static const uint8_t unknown[SHA256_BYTES] = {9};
    begin();
    caller.key = NULL;
    put("{}");
    assert_problem(&caller, 401, NULL, -1);
    caller.key = unknown;
    put("not JSON at all");
    assert_problem(&caller, 403, NULL, -1);
    end();
}

/* A body with a mark where the fault is to be found; no mark: no offset. */
static const struct {
    const char *body;
    unsigned status;
    const char *pointer;
} malformed[] = {
    {"{}", 400, "/fields"},
    {"{\"fields\":[\"" STATUS "\"]}", 400, "/fields"},
    {"{\"fields\":{}}", 400, "/fields"},
    {"{\"fields\":{\"" STATUS "\":\"training\"}}", 400, "/fields"},
    {"{\"fields\":{\"" STATUS "\":{\"as_of\":\"2027-01-02\"}}}", 400, "/fields"},
    {"{\"fields\":{\"" STATUS "\":{\"value\":\"x\",\"as_of\":\"yesterday\"}}}", 400, "/fields"},
    {"{\"fields\":{\"" STATUS "\":{\"value\":\"x\",\"as_of\":7}}}", 400, "/fields"},
    {"{\"fields\":{\"" STATUS "\":{\"value\":\"x\",@\"source\":\"me\"}}}", 400, "/fields"},
    {"{\"fields\":{\"" STATUS "\":{\"value\":\"x\"}},@\"subject\":\"me\"}", 400, ""},
    {"{\"fields\":{\"" STATUS "\":{\"value\":\"x\"}},\"purpose\":7}", 400, "/purpose"},
    {"{\"fields\":{\"" STATUS "\":{\"value\":\"x\"}},\"context\":[]}", 400, "/context"},
    {"{\"fields\":{\"" STATUS "\":{\"value\":7}}}", 422, "/fields/" STATUS "/value"},
    {"{\"fields\":{\"identity.birth_date\":{\"value\":\"1990-02-30\"}}}", 422,
     "/fields/identity.birth_date/value"},
    {"{\"fields\":{\"" STATUS "\":{\"value\":\"x\",\"as_of\":\"2027-03-09\"}}}", 422,
     "/fields/" STATUS "/as_of"},
    {"{\"fields\":{\"MARKER.field\":{\"value\":\"x\"}}}", 422, "/fields"},
    {"{\"fields\":{\"" STATUS "\":{\"value\":\"x\"}},\"purpose\":\"MARKER\"}", 422, "/purpose"},
};

static void test_what_is_wrong_is_said_with_its_place(void **state)
{
    (void)state;
    begin();
    const uint64_t before = ledger_head(test.vault->ledger).size;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        char body[1024];
        const char *mark = strchr(malformed[i].body, '@');
        const size_t at = mark ? (size_t)(mark - malformed[i].body) : strlen(malformed[i].body);
        snprintf(body, sizeof body, "%.*s%s", (int)at, malformed[i].body, mark ? mark + 1 : "");
        put(body);
        assert_problem(&caller, malformed[i].status, malformed[i].pointer, mark ? (int64_t)at : -1);
        assert_not_said(&caller, "MARKER");
    }
    path_of("SHOUTED");
    put("{\"fields\":{\"" STATUS "\":{\"value\":\"x\"}}}");
    assert_problem(&caller, 404, NULL, -1);
    assert_int_equal(ledger_head(test.vault->ledger).size, before);
    end();
}

static void test_the_path_has_this_method_alone(void **state)
{
    (void)state;
    begin();
    caller_get(&caller, path);
    assert_problem(&caller, 405, NULL, -1);
    assert_string_equal(caller_header(&caller, "Allow"), "PUT");
    caller_get(&caller, "/v1/subjects//fields");
    assert_problem(&caller, 404, NULL, -1);
    end();
}

int main(void)
{
    return TEST_RUN(test_a_deposit_is_answered_with_its_place_in_the_log,
                    test_a_subject_of_nobodys_looks_like_a_field_without_a_rule,
                    test_who_brings_must_be_known, test_what_is_wrong_is_said_with_its_place,
                    test_the_path_has_this_method_alone);
}
