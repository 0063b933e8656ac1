#include "vault/edge/service_api.h"

#include "caller.h"
#include "vault/base/codec.h"
#include "vault/parts.h"
#include "vault_test.h"

#define RELEASES "/v1/releases"
#define REQUESTS "/v1/access-requests"
#define NOBODY   "aaaaaaaaaaaaaaaaaaaaaaaaaa"
#define JSON     "application/json"
#define TEXT     "text/plain; charset=utf-8"
#define LINKS    "https://citizens.example:8444"

static struct vault_test test;
static struct service_api api;
static struct caller caller;

static void begin(void)
{
    make_filled_vault(&test);
    api = (struct service_api){test.vault, LINKS};
    caller = caller_new(service_api_handle, &api, caseworker_key);
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

/* Ask for the test's citizen; the rest of the body follows the subject. */
static void ask(const char *rest)
{
    char subject[SUBJECT_CHARS + 1];
    char body[4096];
    subject_of_citizen(&test, subject);
    snprintf(body, sizeof body, "{\"subject\":\"%s\",%s}", subject, rest);
    caller_post(&caller, RELEASES, body);
}

/* A body with a mark where the fault is to be found; no mark: no offset. */
struct malformed {
    const char *body;
    unsigned status;
    const char *pointer;
};

static void assert_malformed(const char *path, const struct malformed *what)
{
    char body[2048];
    const char *mark = strchr(what->body, '@');
    const size_t before = mark ? (size_t)(mark - what->body) : strlen(what->body);
    snprintf(body, sizeof body, "%.*s%s", (int)before, what->body, mark ? mark + 1 : "");
    caller_post(&caller, path, body);
    assert_problem(&caller, what->status, what->pointer, mark ? (int64_t)before : -1);
}

/* --- Who calls ------------------------------------------------------------------------------ */

static const char *const guarded[] = {RELEASES, RELEASES "/batch", REQUESTS};

static void test_without_a_certificate_nothing_is_answered_but_401(void **state)
{
    (void)state;
    begin();
    caller.key = NULL;
    for (size_t i = 0; i < sizeof guarded / sizeof guarded[0]; i++) {
        caller_post(&caller, guarded[i], "{}");
        assert_problem(&caller, 401, NULL, -1);
    }
    caller_get(&caller, REQUESTS "/01ARZ3NDEKTSV4RRFFQ69G5FAV");
    assert_problem(&caller, 401, NULL, -1);
    end();
}

static void test_a_key_that_no_service_has_is_403(void **state)
{
    (void)state;
    static const uint8_t unknown[SHA256_BYTES] = {9};
    static const uint8_t auditor[SHA256_BYTES] = {3};
    begin();
    assert_done(service_add_key(test.vault, CONTROL_CERTIFICATE_AUDITOR, "auditor", auditor,
                                INT64_MAX, &test_error));
    const uint64_t before = log_size();
    caller.key = unknown;
    ask("\"purpose\":\"" SUPPORT "\",\"fields\":[\"identity.name\"]");
    assert_problem(&caller, 403, NULL, -1);
    caller.key = auditor;
    ask("\"purpose\":\"" SUPPORT "\",\"fields\":[\"identity.name\"]");
    assert_problem(&caller, 403, NULL, -1);
    caller_get(&caller, REQUESTS "/01ARZ3NDEKTSV4RRFFQ69G5FAV");
    assert_problem(&caller, 403, NULL, -1);
    assert_int_equal(log_size(), before);
    end();
}

static void test_who_calls_is_asked_before_what_is_asked(void **state)
{
    (void)state;
    static const uint8_t unknown[SHA256_BYTES] = {9};
    begin();
    caller.key = unknown;
    caller.content_type = "text/plain";
    caller_post(&caller, RELEASES, "not JSON at all");
    assert_problem(&caller, 403, NULL, -1);
    end();
}

static void test_a_suspended_service_is_refused_on_its_next_request(void **state)
{
    (void)state;
    begin();
    ask("\"purpose\":\"" SUPPORT "\",\"fields\":[\"identity.name\"]");
    assert_answered(&caller, 200, JSON);
    assert_done(control_service_set_state(test.vault->store, CASEWORKER, CONTROL_SERVICE_SUSPENDED,
                                          &test_error));
    caller_post(&caller, RELEASES, "{}");
    assert_problem(&caller, 403, NULL, -1);
    caller_post(&caller, REQUESTS, "{}");
    assert_problem(&caller, 403, NULL, -1);
    end();
}

static void test_a_revoked_certificate_is_refused_on_its_next_request(void **state)
{
    (void)state;
    begin();
    assert_done(control_certificate_revoke(test.vault->store, CONTROL_CERTIFICATE_SERVICE,
                                           caseworker_key, &test_error));
    caller_post(&caller, RELEASES, "{}");
    assert_problem(&caller, 403, NULL, -1);
    caller.key = library_key;
    caller_post(&caller, RELEASES, "{}");
    assert_problem(&caller, 400, "/subject", -1);
    end();
}

/* --- The body ------------------------------------------------------------------------------- */

static void test_only_json_is_read(void **state)
{
    (void)state;
    static const char *const others[] = {NULL,
                                         "",
                                         "text/plain",
                                         "application/jsonp",
                                         "application/json-patch+json",
                                         "text/json",
                                         " application/json",
                                         "application/x-www-form-urlencoded",
                                         "application/jso"};
    begin();
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        caller.content_type = others[i];
        for (size_t j = 0; j < sizeof guarded / sizeof guarded[0]; j++) {
            caller_post(&caller, guarded[j], "{}");
            assert_problem(&caller, 415, NULL, -1);
        }
    }
    end();
}

static void test_json_may_come_with_parameters_and_in_any_case(void **state)
{
    (void)state;
    static const char *const fine[] = {"application/json", "Application/JSON",
                                       "application/json; charset=utf-8",
                                       "application/json;charset=utf-8", "application/json ;a=b"};
    begin();
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        caller.content_type = fine[i];
        ask("\"purpose\":\"" SUPPORT "\",\"fields\":[\"identity.name\"]");
        assert_answered(&caller, 200, JSON);
    }
    end();
}

static void test_what_is_no_json_is_shown_where_it_stops_being_it(void **state)
{
    (void)state;
    static const struct malformed bodies[] = {
        {"@", 400, ""},
        {"nothin@g", 400, ""},
        {"{\"subject\":nothin@g}", 400, ""},
        {"{\"subject\":\"a@\"", 400, ""},
        {"{\"subject\":\"a\"}@}", 400, ""},
        {"{\"subject\":@'a'}", 400, ""},
        {"{\"subject\":\"a\",@}", 400, ""},
        {"[[[[[[[[@[]]]]]]]]]", 400, ""},
        {"[]", 400, ""},
        {"\"text\"", 400, ""},
        {"17", 400, ""},
        {"null", 400, ""},
    };
    begin();
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        for (size_t j = 0; j < sizeof guarded / sizeof guarded[0]; j++)
            assert_malformed(guarded[j], &bodies[i]);
    }
    end();
}

static void test_bytes_that_are_no_text_are_400(void **state)
{
    (void)state;
    const struct bytes bodies[] = {
        {0},
        BYTES("\0"),
        BYTES("{\"subject\":\"\xff\"}"),
        BYTES("{\"subject\":\"\xc3\"}"),
        BYTES("{\"subject\":\"\\ud800\"}"),
        BYTES("{\"subject\":\"\\u0000\"}"),
        BYTES("{\"\\u0000\":1}"),
        BYTES("{}\0"),
        BYTES("\xef\xbb\xbf{}"),
    };
    begin();
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        caller_send(&caller, HTTP_POST, RELEASES, bodies[i]);
        assert_answered(&caller, 400, "application/problem+json");
        assert_string_equal(caller_text(&caller, "/pointer"), "");
    }
    end();
}

/* What a member is called is the sender's own: it may be anything, and is never said again. */
static void test_unknown_and_repeated_members_are_shown_by_their_offset_alone(void **state)
{
    (void)state;
    static const struct malformed releases[] = {
        {"{@\"zebra\":1}", 400, ""},
        {"{\"subject\":\"a\",\"purpose\":\"zebra\",@\"zebra\":[{}]}", 400, ""},
        {"{\"subject\":{\"zebra\":1},@\"zebra\":1}", 400, ""},
        {"{@\"zebra~1/\\\"\\n\":1}", 400, ""},
        {"{@\"Subject-zebra\":\"a\"}", 400, ""},
        {"{\"zebra\":1,\"zebra@\":2}", 400, ""},
        {"{\"fields\":{\"zebra\":null,\"zebra@\":null}}", 400, ""},
        {"{\"subject\":\"zebra\",\"subject@\":\"zebra\"}", 400, ""},
    };
    static const struct malformed requests[] = {
        {"{@\"subject\":\"zebra\"}", 400, ""},
        {"{\"purpose\":\"" SUPPORT "\",\"fields\":{\"identity.name\":null},"
         "\"message\":{\"fr\":\"zebra\",@\"zebra\":\"zebra\"}}",
         400, "/message"},
        {"{\"purpose\":\"zebra\",\"zebra\":{\"message\":{\"zebra\":1}},\"zebra@\":2}", 400, ""},
    };
    begin();
    for (size_t i = 0; i < sizeof releases / sizeof releases[0]; i++) {
        assert_malformed(RELEASES, &releases[i]);
        assert_not_said(&caller, "zebra");
    }
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        assert_malformed(REQUESTS, &requests[i]);
        assert_not_said(&caller, "zebra");
    }
    end();
}

/* --- POST /v1/releases ---------------------------------------------------------------------- */

static void test_a_release_that_is_malformed_says_which_member(void **state)
{
    (void)state;
#define WHO "\"subject\":\"" NOBODY "\""
#define WHY "\"purpose\":\"" SUPPORT "\""
#define ALL "\"fields\":[\"identity.name\"]"
    static const struct malformed bodies[] = {
        {"{}", 400, "/subject"},
        {"{" WHY "," ALL "}", 400, "/subject"},
        {"{\"subject\":null," WHY "," ALL "}", 400, "/subject"},
        {"{\"subject\":7," WHY "," ALL "}", 400, "/subject"},
        {"{\"subject\":\"\"," WHY "," ALL "}", 400, "/subject"},
        {"{\"subject\":\"" NOBODY "a\"," WHY "," ALL "}", 400, "/subject"},
        {"{\"subject\":\"aaaaaaaaaaaaaaaaaaaaaaaaa\"," WHY "," ALL "}", 400, "/subject"},
        {"{\"subject\":\"AAAAAAAAAAAAAAAAAAAAAAAAAA\"," WHY "," ALL "}", 400, "/subject"},
        {"{\"subject\":\"aaaaaaaaaaaaaaaaaaaaaaaaa1\"," WHY "," ALL "}", 400, "/subject"},
        {"{" WHO "," ALL "}", 400, "/purpose"},
        {"{" WHO ",\"purpose\":[]," ALL "}", 400, "/purpose"},
        {"{" WHO ",\"purpose\":\"\"," ALL "}", 400, "/purpose"},
        {"{" WHO "," WHY "}", 400, "/fields"},
        {"{" WHO "," WHY ",\"fields\":null}", 400, "/fields"},
        {"{" WHO "," WHY ",\"fields\":\"identity.name\"}", 400, "/fields"},
        {"{" WHO "," WHY ",\"fields\":{}}", 400, "/fields"},
        {"{" WHO "," WHY ",\"fields\":[]}", 400, "/fields"},
        {"{" WHO "," WHY ",\"fields\":[7]}", 400, "/fields"},
        {"{" WHO "," WHY ",\"fields\":[null]}", 400, "/fields"},
        {"{" WHO "," WHY ",\"fields\":[\"identity.name\",\"identity.name\"]}", 400, "/fields"},
        {"{" WHO "," WHY ",\"fields\":{\"identity.name\":7}}", 400, "/fields"},
        {"{" WHO "," WHY ",\"fields\":{\"identity.name\":{}}}", 400, "/fields"},
        {"{" WHO "," WHY "," ALL ",\"context\":[]}", 400, "/context"},
        {"{" WHO "," WHY "," ALL ",\"context\":true}", 400, "/context"},
        {"{" WHO "," WHY "," ALL ",\"reference\":7}", 400, "/reference"},
        {"{" WHO ",\"purpose\":\"no.such.purpose\"," ALL "}", 422, "/purpose"},
        {"{" WHO ",\"purpose\":\"NO SUCH\\nPURPOSE\"," ALL "}", 422, "/purpose"},
        {"{" WHO "," WHY ",\"fields\":[\"identity.name\",\"shoe.size\"]}", 422, "/fields"},
        {"{" WHO "," WHY ",\"fields\":[\"\"]}", 422, "/fields"},
        {"{" WHO "," WHY ",\"fields\":{\"shoe.size\":null}}", 422, "/fields"},
        {"{" WHO "," WHY ",\"fields\":{\"\":null}}", 422, "/fields"},
        {"{" WHO "," WHY ",\"fields\":{\"IDENTITY.NAME\":null}}", 422, "/fields"},
    };
    begin();
    const uint64_t before = log_size();
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        assert_malformed(RELEASES, &bodies[i]);
        assert_not_said(&caller, "shoe");
        assert_not_said(&caller, "such");
        assert_not_said(&caller, "aaaa");
    }
    assert_int_equal(log_size(), before);
    end();
}

/* A release of count fields that nobody knows, as a list or as an object. */
static void ask_many(size_t count, bool as_list)
{
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(65536);
    buf_format(&body, "{" WHO "," WHY ",\"fields\":%c", as_list ? '[' : '{');
    for (size_t i = 0; i < count; i++)
        buf_format(&body, "%s\"f.n%zu\"%s", i ? "," : "", i, as_list ? "" : ":null");
    buf_text(&body, as_list ? "]}" : "}}");
    caller_send(&caller, HTTP_POST, RELEASES, buf_view(&body));
}

static void test_64_fields_are_looked_at_and_65_are_not(void **state)
{
    (void)state;
    begin();
    for (int as_list = 0; as_list < 2; as_list++) {
        ask_many(64, as_list);
        assert_problem(&caller, 422, "/fields", -1);
        ask_many(65, as_list);
        assert_problem(&caller, 400, "/fields", -1);
        ask_many(4000, as_list);
        assert_problem(&caller, 400, "/fields", -1);
    }
    end();
}

static void post_with(const char *member, size_t chars, const char *path, const char *rest)
{
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(65536);
    buf_format(&body, "{\"%s\":\"", member);
    for (size_t i = 0; i < chars; i++)
        buf_byte(&body, 'a');
    buf_format(&body, "\",%s}", rest);
    caller_send(&caller, HTTP_POST, path, buf_view(&body));
}

static void test_texts_have_a_longest_length(void **state)
{
    (void)state;
    begin();
    post_with("reference", 64, RELEASES, WHO "," WHY "," ALL);
    assert_answered(&caller, 200, JSON);
    post_with("reference", 65, RELEASES, WHO "," WHY "," ALL);
    assert_problem(&caller, 400, "/reference", -1);
    post_with("purpose", 128, RELEASES, WHO "," ALL);
    assert_problem(&caller, 422, "/purpose", -1);
    post_with("purpose", 129, RELEASES, WHO "," ALL);
    assert_problem(&caller, 400, "/purpose", -1);
    post_with("reference", 65, REQUESTS, WHY ",\"fields\":{\"employment.status\":null}");
    assert_problem(&caller, 400, "/reference", -1);
    post_with("purpose", 129, REQUESTS, "\"fields\":{\"employment.status\":null}");
    assert_problem(&caller, 400, "/purpose", -1);
    end();
}

static void test_a_context_has_at_most_32_conditions(void **state)
{
    (void)state;
    begin();
    for (size_t count = 32; count <= 33; count++) {
        VAULT_AUTO(buf_finish) struct buf body = buf_limited(65536);
        buf_text(&body, "{" WHO "," WHY "," ALL ",\"context\":{");
        for (size_t i = 0; i < count; i++)
            buf_format(&body, "%s\"atom%zu\":true", i ? "," : "", i);
        buf_text(&body, "}}");
        caller_send(&caller, HTTP_POST, RELEASES, buf_view(&body));
        if (count == 32)
            assert_answered(&caller, 200, JSON);
        else
            assert_problem(&caller, 400, "/context", -1);
    }
    end();
}

#define CONTEXT "\"context\":{\"assurance_at_least\":\"substantial\"}"

static void test_an_answer_holds_exactly_what_the_contract_says(void **state)
{
    (void)state;
    char subject[SUBJECT_CHARS + 1];
    uint8_t leaf[SHA256_BYTES];
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    ask(WHY ",\"fields\":{\"identity.birth_date\":null,\"identity.name\":\"as_is\"}," CONTEXT
            ",\"reference\":\"case-123\"");
    assert_answered(&caller, 200, JSON);
    assert_members(caller.json, "release subject purpose released withheld obligations log");
    subject_of_citizen(&test, subject);
    assert_string_equal(caller_text(&caller, "/subject"), subject);
    assert_string_equal(caller_text(&caller, "/purpose"), SUPPORT);
    assert_int_equal(strlen(caller_text(&caller, "/release")), 26);
    assert_members(caller_value(&caller, "/released"), "identity.birth_date");
    assert_members(caller_value(&caller, "/released/identity.birth_date"),
                   "form value as_of source");
    assert_string_equal(caller_text(&caller, "/released/identity.birth_date/form"), "year");
    assert_string_equal(caller_text(&caller, "/released/identity.birth_date/value"), "1990");
    assert_string_equal(caller_text(&caller, "/released/identity.birth_date/as_of"), "2026-01-02");
    const json_t *withheld = caller_value(&caller, "/withheld");
    assert_int_equal(json_array_size(withheld), 1);
    assert_string_equal(json_string_value(json_array_get(withheld, 0)), "identity.name");
    assert_members(caller_value(&caller, "/obligations"), "notify_citizen retain_at_most_days");
    assert_members(caller_value(&caller, "/log"), "origin index leaf");
    assert_string_equal(caller_text(&caller, "/log/origin"), "unit.vault.example/log");
    assert_int_equal(json_integer_value(caller_value(&caller, "/log/index")), log_size() - 1);
    assert_done(base64_decode_exact(leaf, sizeof leaf,
                                    bytes_of_text(caller_text(&caller, "/log/leaf")), &test_error));
    assert_not_said(&caller, "Testine");
    assert_not_said(&caller, "case-123");
    assert_not_said(&caller, "05-17");
    end();
}

static void test_the_leaf_is_that_of_an_entry_which_is_on_disk(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf entry = buf_limited(ENTRY_MAX_BYTES);
    uint8_t leaf[SHA256_BYTES];
    begin();
    ask(WHY "," ALL);
    const uint64_t index = (uint64_t)json_integer_value(caller_value(&caller, "/log/index"));
    assert_done(base64_decode_exact(leaf, sizeof leaf,
                                    bytes_of_text(caller_text(&caller, "/log/leaf")), &test_error));
    assert_done(ledger_wait_published(test.vault->ledger, index + 1, 10000, &test_error));
    assert_done(ledger_entry(test.vault->ledger, index, &entry, &test_error));
    const struct tree_hash wanted = tree_leaf(buf_view(&entry));
    assert_memory_equal(leaf, wanted.bytes, sizeof leaf);
    end();
}

static void test_fields_may_be_a_list_and_then_come_in_the_form_that_policy_sets(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    ask(WHY ",\"fields\":[\"employment.status\",\"identity.birth_date\"]," CONTEXT);
    assert_answered(&caller, 200, JSON);
    assert_members(caller_value(&caller, "/released"), "employment.status identity.birth_date");
    assert_string_equal(caller_text(&caller, "/released/identity.birth_date/form"), "year");
    end();
}

static void test_a_form_that_a_field_does_not_have_withholds_it(void **state)
{
    (void)state;
    static const char *const forms[] = {"\"city\"", "\"\"", "\"no such form\"", "\"YEAR\""};
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        char rest[256];
        snprintf(rest, sizeof rest, WHY ",\"fields\":{\"identity.birth_date\":%s}," CONTEXT,
                 forms[i]);
        ask(rest);
        assert_answered(&caller, 200, JSON);
        assert_members(caller_value(&caller, "/released"), "");
        assert_int_equal(json_array_size(caller_value(&caller, "/withheld")), 1);
        assert_not_said(&caller, "1990");
        assert_not_said(&caller, "no such form");
    }
    end();
}

static void test_a_form_that_says_more_than_is_allowed_comes_as_the_one_that_is(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    ask(WHY ",\"fields\":{\"identity.birth_date\":\"as_is\"}," CONTEXT);
    assert_string_equal(caller_text(&caller, "/released/identity.birth_date/form"), "year");
    assert_not_said(&caller, "05-17");
    ask(WHY ",\"fields\":{\"identity.birth_date\":\"present\"}," CONTEXT);
    assert_string_equal(caller_text(&caller, "/released/identity.birth_date/form"), "present");
    assert_not_said(&caller, "1990");
    end();
}

static void test_a_purpose_outside_the_registration_withholds_everything(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    ask("\"purpose\":\"" LENDING "\",\"fields\":[\"identity.birth_date\",\"identity.is_adult\"]");
    assert_answered(&caller, 200, JSON);
    assert_members(caller_value(&caller, "/released"), "");
    assert_int_equal(json_array_size(caller_value(&caller, "/withheld")), 2);
    end();
}

static void test_a_condition_that_is_not_asserted_or_not_understood_does_not_hold(void **state)
{
    (void)state;
    static const char *const contexts[] = {
        "",
        ",\"context\":{}",
        ",\"context\":{\"assurance_at_least\":\"low\"}",
        ",\"context\":{\"assurance_at_least\":\"HIGH\"}",
        ",\"context\":{\"assurance_at_least\":true}",
        ",\"context\":{\"assurance_at_least\":[\"high\"]}",
        ",\"context\":{\"citizen_is_minor\":false}",
        ",\"context\":{\"no_such_atom\":{\"a\":[1,2,3]}}",
    };
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    for (size_t i = 0; i < sizeof contexts / sizeof contexts[0]; i++) {
        char rest[256];
        snprintf(rest, sizeof rest, WHY ",\"fields\":[\"employment.status\"]%s", contexts[i]);
        ask(rest);
        assert_answered(&caller, 200, JSON);
        assert_members(caller_value(&caller, "/released"), "");
        assert_not_said(&caller, "no_such_atom");
    }
    ask(WHY ",\"fields\":[\"employment.status\"]," CONTEXT);
    assert_members(caller_value(&caller, "/released"), "employment.status");
    end();
}

static void test_an_answer_is_one_entry_of_the_log_even_when_all_is_withheld(void **state)
{
    (void)state;
    begin();
    const uint64_t before = log_size();
    ask(WHY "," ALL);
    assert_int_equal(log_size(), before + 1);
    caller_post(&caller, RELEASES, "{" WHO "," WHY "," ALL "}");
    assert_answered(&caller, 200, JSON);
    assert_int_equal(log_size(), before + 2);
    end();
}

static void test_a_log_that_stopped_releases_nothing(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    assert_done(ledger_stop(test.vault->ledger, &test_error));
    ask(WHY ",\"fields\":[\"identity.birth_date\"]," CONTEXT);
    assert_problem(&caller, 503, NULL, -1);
    assert_string_not_equal(caller_header(&caller, "Retry-After"), "");
    assert_not_said(&caller, "1990");
    assert_not_said(&caller, "log");
    caller_get(&caller, "/readyz");
    assert_problem(&caller, 503, NULL, -1);
    caller_get(&caller, "/healthz");
    assert_answered(&caller, 200, TEXT);
    end();
}

/* Before the first policy nothing bounds what a name may be but the log's own grammar. */
static void test_without_a_policy_no_name_gets_past(void **state)
{
    (void)state;
    begin();
    active_policy_close(test.vault);
    ask(WHY "," ALL);
    assert_answered(&caller, 200, JSON);
    assert_members(caller_value(&caller, "/released"), "");
    post_with("purpose", 128, RELEASES, WHO "," ALL);
    assert_problem(&caller, 422, "/purpose", -1);
    ask("\"purpose\":\"NO SUCH\\nPURPOSE\"," ALL);
    assert_problem(&caller, 422, "/purpose", -1);
    ask(WHY ",\"fields\":[\"identity.name as_is released\\nb\"]");
    assert_problem(&caller, 422, "/fields", -1);
    caller_post(&caller, REQUESTS, "{" WHY ",\"fields\":{\"employment.status\":null}}");
    assert_problem(&caller, 503, NULL, -1);
    end();
}

/* --- Access requests ------------------------------------------------------------------------ */

#define STATUS "\"fields\":{\"employment.status\":null}"

static void open_request(char id[REQUEST_ID_CHARS + 1])
{
    caller_post(
        &caller, REQUESTS,
        "{" WHY ",\"fields\":{\"identity.birth_date\":\"year\",\"employment.status\":null},"
        "\"period_days\":180,\"uses\":null,\"message\":{\"fr\":\"Bonjour\",\"en\":\"Hello\"},"
        "\"reference\":\"case-123\"}");
    assert_answered(&caller, 201, JSON);
    snprintf(id, REQUEST_ID_CHARS + 1, "%s", caller_text(&caller, "/id"));
}

static void get_request(const char *id)
{
    char path[256];
    snprintf(path, sizeof path, REQUESTS "/%s", id);
    caller_get(&caller, path);
}

static void test_a_request_is_answered_with_its_code_and_link(void **state)
{
    (void)state;
    char id[REQUEST_ID_CHARS + 1];
    char link[256];
    begin();
    open_request(id);
    assert_members(caller.json, "id state code link expires");
    assert_string_equal(caller_text(&caller, "/state"), "pending");
    assert_int_equal(strlen(caller_text(&caller, "/code")), ACCESS_REQUEST_CODE_CHARS);
    snprintf(link, sizeof link, LINKS "/r/%s", caller_text(&caller, "/code"));
    assert_string_equal(caller_text(&caller, "/link"), link);
    assert_string_equal(caller_text(&caller, "/expires"), "2027-03-22T10:00:00Z");
    snprintf(link, sizeof link, REQUESTS "/%s", id);
    assert_string_equal(caller_header(&caller, "Location"), link);
    get_request(id);
    assert_answered(&caller, 200, JSON);
    assert_members(caller.json, "id state");
    assert_string_equal(caller_text(&caller, "/id"), id);
    end();
}

static void test_only_purpose_and_fields_are_required(void **state)
{
    (void)state;
    begin();
    caller_post(&caller, REQUESTS, "{" WHY "," STATUS "}");
    assert_answered(&caller, 201, JSON);
    caller_post(&caller, REQUESTS,
                "{" WHY "," STATUS ",\"period_days\":null,\"uses\":null,\"message\":null}");
    assert_answered(&caller, 201, JSON);
    caller_post(&caller, REQUESTS, "{" WHY "," STATUS ",\"uses\":1,\"message\":{}}");
    assert_answered(&caller, 201, JSON);
    end();
}

static void test_a_request_that_is_malformed_says_which_member(void **state)
{
    (void)state;
    static const struct malformed bodies[] = {
        {"{}", 400, "/purpose"},
        {"{" STATUS "}", 400, "/purpose"},
        {"{\"purpose\":null," STATUS "}", 400, "/purpose"},
        {"{\"purpose\":{}," STATUS "}", 400, "/purpose"},
        {"{" WHY "}", 400, "/fields"},
        {"{" WHY ",\"fields\":[\"employment.status\"]}", 400, "/fields"},
        {"{" WHY ",\"fields\":{}}", 400, "/fields"},
        {"{" WHY ",\"fields\":\"employment.status\"}", 400, "/fields"},
        {"{" WHY ",\"fields\":{\"employment.status\":true}}", 400, "/fields"},
        {"{" WHY "," STATUS ",\"period_days\":0}", 400, "/period_days"},
        {"{" WHY "," STATUS ",\"period_days\":-1}", 400, "/period_days"},
        {"{" WHY "," STATUS ",\"period_days\":30.5}", 400, "/period_days"},
        {"{" WHY "," STATUS ",\"period_days\":\"30\"}", 400, "/period_days"},
        {"{" WHY "," STATUS ",\"period_days\":36601}", 400, "/period_days"},
        {"{" WHY "," STATUS ",\"uses\":0}", 400, "/uses"},
        {"{" WHY "," STATUS ",\"uses\":-1}", 400, "/uses"},
        {"{" WHY "," STATUS ",\"uses\":true}", 400, "/uses"},
        {"{" WHY "," STATUS ",\"uses\":1000001}", 400, "/uses"},
        {"{" WHY "," STATUS ",\"message\":\"hello\"}", 400, "/message"},
        {"{" WHY "," STATUS ",\"message\":[]}", 400, "/message"},
        {"{" WHY "," STATUS ",\"message\":{\"fr\":7}}", 400, "/message"},
        {"{" WHY "," STATUS ",\"message\":{\"fr\":\"a\",\"en\":null}}", 400, "/message"},
        {"{" WHY "," STATUS ",\"reference\":[]}", 400, "/reference"},
        {"{\"purpose\":\"zebra.purpose\"," STATUS "}", 422, "/purpose"},
        {"{" WHY ",\"fields\":{\"shoe.size\":null}}", 422, "/fields"},
        {"{" WHY ",\"fields\":{\"employment.status\":null,\"\":null}}", 422, "/fields"},
        {"{" WHY ",\"fields\":{\"employment.status\":\"zebra\"}}", 422, "/fields"},
        {"{" WHY ",\"fields\":{\"employment.status\":\"a-form-of-over-thirty-two-chars--\"}}", 422,
         "/fields"},
        {"{" WHY ",\"fields\":{\"identity.name\":null}}", 422, "/fields"},
        {"{" WHY ",\"fields\":{\"identity.is_adult\":null}}", 422, "/fields"},
        {"{" WHY "," STATUS ",\"period_days\":367}", 422, "/period_days"},
    };
    begin();
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        assert_malformed(REQUESTS, &bodies[i]);
        assert_not_said(&caller, "shoe");
        assert_not_said(&caller, "zebra");
    }
    end();
}

static void test_a_request_for_too_many_or_too_long_names_is_refused(void **state)
{
    (void)state;
    begin();
    for (size_t count = 64; count <= 65; count++) {
        VAULT_AUTO(buf_finish) struct buf body = buf_limited(65536);
        buf_text(&body, "{" WHY ",\"fields\":{");
        for (size_t i = 0; i < count; i++)
            buf_format(&body, "%s\"f.n%zu\":null", i ? "," : "", i);
        buf_text(&body, "}}");
        caller_send(&caller, HTTP_POST, REQUESTS, buf_view(&body));
        assert_problem(&caller, count == 64 ? 422 : 400, "/fields", -1);
    }
    for (size_t chars = 64; chars <= 65; chars++) {
        VAULT_AUTO(buf_finish) struct buf body = buf_limited(65536);
        buf_text(&body, "{" WHY ",\"fields\":{\"");
        for (size_t i = 0; i < chars; i++)
            buf_byte(&body, 'a');
        buf_text(&body, "\":null}}");
        caller_send(&caller, HTTP_POST, REQUESTS, buf_view(&body));
        assert_problem(&caller, 422, "/fields", -1);
    }
    end();
}

static void test_a_message_has_at_most_1000_bytes(void **state)
{
    (void)state;
    begin();
    for (size_t size = 1000; size <= 1001; size++) {
        static const char *const languages[] = {"fr", "en"};
        for (size_t i = 0; i < 2; i++) {
            VAULT_AUTO(buf_finish) struct buf body = buf_limited(65536);
            buf_format(&body, "{" WHY "," STATUS ",\"message\":{\"%s\":\"", languages[i]);
            for (size_t j = 0; j < size; j++)
                buf_byte(&body, 'a');
            buf_text(&body, "\"}}");
            caller_send(&caller, HTTP_POST, REQUESTS, buf_view(&body));
            if (size == 1000)
                assert_answered(&caller, 201, JSON);
            else
                assert_problem(&caller, 400, "/message", -1);
        }
    }
    end();
}

static void test_a_request_for_a_purpose_outside_the_registration_is_403(void **state)
{
    (void)state;
    begin();
    caller_post(&caller, REQUESTS,
                "{\"purpose\":\"" LENDING "\",\"fields\":{\"reader.token\":null}}");
    assert_problem(&caller, 403, NULL, -1);
    caller.key = library_key;
    caller_post(&caller, REQUESTS,
                "{\"purpose\":\"" LENDING "\",\"fields\":{\"reader.token\":null}}");
    assert_answered(&caller, 201, JSON);
    end();
}

/* The citizen opens the request and gives or refuses what it asks. */
static void answer_request(const char *id, const char *code, bool give)
{
    static const struct consent_field fields[] = {{"identity.birth_date", "year"}};
    const struct consent_decision decision = {
        .service = CASEWORKER,
        .purpose = SUPPORT,
        .fields = fields,
        .field_count = 1,
        .days = 30,
        .uses = CONSENT_UNLIMITED,
        .language = "fr",
        .text = "Le texte.",
    };
    VAULT_AUTO(access_view_finish) struct access_view view = {0};
    assert_done(
        access_request_by_code(test.vault, &test.citizen, bytes_of_text(code), &view, &test_error));
    if (give)
        assert_done(access_request_give(test.vault, &test.citizen, id, &decision, &test_error));
    else
        assert_done(access_request_refuse(test.vault, &test.citizen, id, &decision, &test_error));
}

static void test_a_granted_request_says_who_what_and_until_when(void **state)
{
    (void)state;
    char id[REQUEST_ID_CHARS + 1];
    char code[32];
    char subject[SUBJECT_CHARS + 1];
    begin();
    open_request(id);
    snprintf(code, sizeof code, "%s", caller_text(&caller, "/code"));
    answer_request(id, code, true);
    get_request(id);
    assert_answered(&caller, 200, JSON);
    assert_members(caller.json, "id state subject fields expires consent");
    subject_of_citizen(&test, subject);
    assert_string_equal(caller_text(&caller, "/state"), "granted");
    assert_string_equal(caller_text(&caller, "/subject"), subject);
    assert_members(caller_value(&caller, "/fields"), "identity.birth_date");
    assert_string_equal(caller_text(&caller, "/fields/identity.birth_date"), "year");
    assert_string_equal(caller_text(&caller, "/expires"), "2027-04-07T10:00:00Z");
    assert_members(caller_value(&caller, "/consent"), "id uses_left");
    assert_true(json_is_null(caller_value(&caller, "/consent/uses_left")));
    assert_not_said(&caller, code);
    end();
}

static void test_a_refused_request_says_nothing_of_who(void **state)
{
    (void)state;
    char id[REQUEST_ID_CHARS + 1];
    char code[32];
    begin();
    open_request(id);
    snprintf(code, sizeof code, "%s", caller_text(&caller, "/code"));
    answer_request(id, code, false);
    get_request(id);
    assert_answered(&caller, 200, JSON);
    assert_members(caller.json, "id state");
    assert_string_equal(caller_text(&caller, "/state"), "refused");
    end();
}

static void test_a_request_that_was_not_answered_in_time_is_expired(void **state)
{
    (void)state;
    char id[REQUEST_ID_CHARS + 1];
    begin();
    open_request(id);
    test.now_ms += ACCESS_REQUEST_DAYS * 86400000LL - 1000;
    get_request(id);
    assert_string_equal(caller_text(&caller, "/state"), "pending");
    test.now_ms += 1000;
    get_request(id);
    assert_members(caller.json, "id state");
    assert_string_equal(caller_text(&caller, "/state"), "expired");
    end();
}

/* Whether an id exists is not to be found out by asking for others'. */
static void test_anothers_request_is_answered_as_one_that_is_not_there(void **state)
{
    (void)state;
    char id[REQUEST_ID_CHARS + 1];
    char detail[512];
    begin();
    open_request(id);
    caller.key = library_key;
    get_request(id);
    assert_problem(&caller, 404, NULL, -1);
    snprintf(detail, sizeof detail, "%s", caller_text(&caller, "/detail"));
    get_request("01ARZ3NDEKTSV4RRFFQ69G5FAV");
    assert_problem(&caller, 404, NULL, -1);
    assert_string_equal(caller_text(&caller, "/detail"), detail);
    end();
}

static void test_ids_that_none_can_have_are_404(void **state)
{
    (void)state;
    static const char *const ids[] = {"x",
                                      "%",
                                      "'or'1'='1",
                                      "..",
                                      "\n",
                                      "\xc3\xa9",
                                      "01ARZ3NDEKTSV4RRFFQ69G5FAV0000000000000000000"};
    begin();
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        get_request(ids[i]);
        assert_answered(&caller, 404, "application/problem+json");
    }
    get_request("");
    assert_problem(&caller, 404, NULL, -1);
    get_request("a/b");
    assert_problem(&caller, 404, NULL, -1);
    end();
}

/* A path comes decoded: what no text can hold comes back as it was encoded. */
static void test_a_path_that_is_no_text_still_gives_a_problem_that_is_json(void **state)
{
    (void)state;
    begin();
    caller_get(&caller, "/v1/\xff\xfe\x01\x7f\" nothing");
    assert_answered(&caller, 404, "application/problem+json");
    assert_string_equal(caller_text(&caller, "/instance"), "/v1/%FF%FE%01%7F%22%20nothing");
    end();
}

/* --- Paths and methods ---------------------------------------------------------------------- */

static void test_paths_that_are_not_there_are_404(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "/",
        "/v1",
        "/v1/",
        "/v1/releases/",
        "/v1/Releases",
        "/v1/access-requests/",
        "/v2/releases",
        "/healthz/",
        "//healthz",
        "/v1/releases/01ARZ3NDEKTSV4RRFFQ69G5FAV",
    };
    begin();
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        caller_get(&caller, paths[i]);
        assert_problem(&caller, 404, NULL, -1);
        assert_string_equal(caller_header(&caller, "Allow"), "");
        caller_post(&caller, paths[i], "{}");
        assert_problem(&caller, 404, NULL, -1);
    }
    end();
}

static void test_another_method_is_405_and_told_what_there_is(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *allow;
        unsigned fits; /* bits by enum http_method */
    } paths[] = {
        {RELEASES, "POST", 1U << HTTP_POST},
        {RELEASES "/batch", "POST", 1U << HTTP_POST},
        {REQUESTS, "POST", 1U << HTTP_POST},
        {REQUESTS "/01ARZ3NDEKTSV4RRFFQ69G5FAV", "GET, HEAD, DELETE",
         1U << HTTP_GET | 1U << HTTP_HEAD | 1U << HTTP_DELETE},
        {"/v1/subjects/" NOBODY "/fields", "PUT", 1U << HTTP_PUT},
        {"/v1/consents", "GET, HEAD", 1U << HTTP_GET | 1U << HTTP_HEAD},
        {"/v1/me", "GET, HEAD", 1U << HTTP_GET | 1U << HTTP_HEAD},
        {"/v1/openapi.json", "GET, HEAD", 1U << HTTP_GET | 1U << HTTP_HEAD},
        {"/healthz", "GET, HEAD", 1U << HTTP_GET | 1U << HTTP_HEAD},
        {"/readyz", "GET, HEAD", 1U << HTTP_GET | 1U << HTTP_HEAD},
    };
    begin();
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        for (unsigned method = 0; method < HTTP_METHOD_COUNT; method++) {
            if (paths[i].fits >> method & 1)
                continue;
            caller_send(&caller, (enum http_method)method, paths[i].path, BYTES("{}"));
            assert_problem(&caller, 405, NULL, -1);
            assert_string_equal(caller_header(&caller, "Allow"), paths[i].allow);
        }
    }
    end();
}

static void test_head_is_answered_as_get_is(void **state)
{
    (void)state;
    char id[REQUEST_ID_CHARS + 1];
    begin();
    caller_send(&caller, HTTP_HEAD, "/healthz", (struct bytes){0});
    assert_answered(&caller, 200, TEXT);
    caller_send(&caller, HTTP_HEAD, REQUESTS "/x", (struct bytes){0});
    assert_problem(&caller, 404, NULL, -1);
    open_request(id);
    char path[128];
    snprintf(path, sizeof path, REQUESTS "/%s", id);
    caller_send(&caller, HTTP_HEAD, path, (struct bytes){0});
    assert_answered(&caller, 200, JSON);
    end();
}

/* --- Health --------------------------------------------------------------------------------- */

static void test_health_is_told_to_whoever_got_through_the_handshake(void **state)
{
    (void)state;
    begin();
    caller.key = NULL;
    caller_get(&caller, "/healthz");
    assert_answered(&caller, 200, TEXT);
    assert_true(bytes_equal(buf_view(&caller.answer.body), BYTES("ok\n")));
    caller_get(&caller, "/readyz");
    assert_answered(&caller, 200, TEXT);
    assert_true(bytes_equal(buf_view(&caller.answer.body), BYTES("ready\n")));
    end();
}

static void test_a_vault_without_a_policy_is_alive_but_not_ready(void **state)
{
    (void)state;
    begin();
    active_policy_close(test.vault);
    caller_get(&caller, "/healthz");
    assert_answered(&caller, 200, TEXT);
    caller_get(&caller, "/readyz");
    assert_problem(&caller, 503, NULL, -1);
    assert_string_not_equal(caller_header(&caller, "Retry-After"), "");
    assert_not_said(&caller, "policy");
    end();
}

int main(void)
{
    return TEST_RUN(
        test_without_a_certificate_nothing_is_answered_but_401,
        test_a_key_that_no_service_has_is_403, test_who_calls_is_asked_before_what_is_asked,
        test_a_suspended_service_is_refused_on_its_next_request,
        test_a_revoked_certificate_is_refused_on_its_next_request, test_only_json_is_read,
        test_json_may_come_with_parameters_and_in_any_case,
        test_what_is_no_json_is_shown_where_it_stops_being_it, test_bytes_that_are_no_text_are_400,
        test_unknown_and_repeated_members_are_shown_by_their_offset_alone,
        test_a_release_that_is_malformed_says_which_member,
        test_64_fields_are_looked_at_and_65_are_not, test_texts_have_a_longest_length,
        test_a_context_has_at_most_32_conditions,
        test_an_answer_holds_exactly_what_the_contract_says,
        test_the_leaf_is_that_of_an_entry_which_is_on_disk,
        test_fields_may_be_a_list_and_then_come_in_the_form_that_policy_sets,
        test_a_form_that_a_field_does_not_have_withholds_it,
        test_a_form_that_says_more_than_is_allowed_comes_as_the_one_that_is,
        test_a_purpose_outside_the_registration_withholds_everything,
        test_a_condition_that_is_not_asserted_or_not_understood_does_not_hold,
        test_an_answer_is_one_entry_of_the_log_even_when_all_is_withheld,
        test_a_log_that_stopped_releases_nothing, test_without_a_policy_no_name_gets_past,
        test_a_request_is_answered_with_its_code_and_link,
        test_only_purpose_and_fields_are_required,
        test_a_request_that_is_malformed_says_which_member,
        test_a_request_for_too_many_or_too_long_names_is_refused,
        test_a_message_has_at_most_1000_bytes,
        test_a_request_for_a_purpose_outside_the_registration_is_403,
        test_a_granted_request_says_who_what_and_until_when,
        test_a_refused_request_says_nothing_of_who,
        test_a_request_that_was_not_answered_in_time_is_expired,
        test_anothers_request_is_answered_as_one_that_is_not_there,
        test_ids_that_none_can_have_are_404,
        test_a_path_that_is_no_text_still_gives_a_problem_that_is_json,
        test_paths_that_are_not_there_are_404, test_another_method_is_405_and_told_what_there_is,
        test_head_is_answered_as_get_is, test_health_is_told_to_whoever_got_through_the_handshake,
        test_a_vault_without_a_policy_is_alive_but_not_ready);
}
