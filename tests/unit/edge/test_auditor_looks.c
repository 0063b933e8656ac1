/* Auditors look at openings: by a form that only a page of ours can send, or as JSON; never without
 * a reason, and never more than a list of fields. And whose line it was sees it. */
#include "auditor.h"
#include "browser.h"
#include "vault/base/codec.h"
#include "vault/ledger/opening.h"
#include "vault/parts.h"
#include "vault/vault/look.h"

#define FORM   "application/x-www-form-urlencoded"
#define JSON   "application/json"
#define HTML   "text/html; charset=utf-8"
#define LINES  "application/x-ndjson"
#define REASON "Annual control of the employment plan"
#define TYPED  "Annual+control+of+the+employment+plan"

static const uint8_t other_key[SHA256_BYTES] = {4};

static struct vault_test test;
static struct auditor_api api;
static struct caller caller;
static char subject[SUBJECT_CHARS + 1];
static uint64_t release_index;

static uint64_t size_now(void)
{
    return ledger_head(test.vault->ledger).size;
}

static void begin(void)
{
    auditor_open(&test, "anne", &api, &caller);
    assert_done(service_add_key(test.vault, CONTROL_CERTIFICATE_AUDITOR, "bo", other_key, INT64_MAX,
                                &test_error));
    auditor_releases(&test, 1, subject);
    release_index = size_now() - 1;
}

static void end(void)
{
    caller_finish(&caller);
    vault_close(&test.vault);
}

static void read_token(char out[64])
{
    static const char before[] = "name=\"form_token\" value=\"";
    const char *at = strstr(caller_page(&caller), before);
    assert_non_null(at);
    at += strlen(before);
    snprintf(out, 64, "%.*s", (int)strcspn(at, "\""), at);
    assert_int_equal(strlen(out), 43);
}

static char token[64];

/* Open the form, as a browser does before it sends one. */
static void open_form(void)
{
    caller.content_type = NULL;
    caller_get(&caller, "/looks/new?lang=en");
    assert_answered(&caller, 200, HTML);
    read_token(token);
    caller.content_type = FORM;
    caller.site = "same-origin";
}

static void send_form(const char *path, const char *entries, const char *reason)
{
    char body[2048];
    snprintf(body, sizeof body, "form_token=%s&entries=%s&reason=%s", token, entries, reason);
    caller_post(&caller, path, body);
}

static void look_by_json(const char *entries, const char *reason)
{
    char body[2048];
    snprintf(body, sizeof body, "{\"entries\":\"%s\",\"reason\":\"%s\"}", entries, reason);
    caller.content_type = JSON;
    caller.site = NULL;
    caller_post(&caller, "/v1/looks", body);
}

static void test_the_form_is_checked_then_done_then_shown(void **state)
{
    (void)state;
    char entries[32];
    char location[64];
    begin();
    snprintf(entries, sizeof entries, "%llu", (unsigned long long)release_index);
    const uint64_t before = size_now();
    open_form();
    assert_page_says(&caller, "each person one of whose lines you look at");
    send_form("/looks/check?lang=en", entries, TYPED);
    assert_answered(&caller, 200, HTML);
    assert_page_says(&caller, "Nothing has been shown or written yet.");
    assert_page_says(&caller, "value=\"" REASON "\"");
    assert_not_said(&caller, "identity.birth_date");
    assert_int_equal(size_now(), before);
    send_form("/looks?lang=en", entries, TYPED);
    assert_int_equal(caller.answer.status, 303);
    assert_int_equal(size_now(), before + 1);
    snprintf(location, sizeof location, "/looks/%llu?lang=en", (unsigned long long)before);
    assert_string_equal(caller_header(&caller, "Location"), location);
    caller_get(&caller, location);
    assert_answered(&caller, 200, HTML);
    assert_page_says(&caller, REASON);
    assert_page_says(&caller, "Fields, forms and outcomes:");
    assert_page_says(&caller, "<li>");
    assert_not_said(&caller, subject);
    assert_not_said(&caller, "Testine");
    assert_not_said(&caller, "1990");
    assert_int_equal(size_now(), before + 1);
    end();
}

static void test_what_is_typed_badly_is_said_and_kept(void **state)
{
    (void)state;
    begin();
    const uint64_t before = size_now();
    open_form();
    send_form("/looks?lang=en", "5+4", "short");
    assert_answered(&caller, 422, HTML);
    assert_page_says(&caller, "value=\"5 4\"");
    assert_page_says(&caller, "Write a reason of 20 to 500 characters.");
    assert_page_says(&caller, "Write numbers of lines in order");
    send_form("/looks/check?lang=en", "99999", TYPED);
    assert_answered(&caller, 422, HTML);
    assert_page_says(&caller, "not in the published register");
    assert_page_says(&caller, ">" REASON "</textarea>");
    send_form("/looks/check?lang=en", "1", TYPED "&change=1");
    assert_answered(&caller, 200, HTML);
    assert_page_says(&caller, ">" REASON "</textarea>");
    assert_int_equal(size_now(), before);
    end();
}

static void test_no_other_site_can_make_an_auditor_look(void **state)
{
    (void)state;
    static const char *const sites[] = {"cross-site", "same-site", NULL};
    begin();
    const uint64_t before = size_now();
    open_form();
    for (size_t i = 0; i < 3; i++) {
        caller.site = sites[i];
        send_form("/looks", "1", TYPED);
        assert_answered(&caller, 403, HTML);
    }
    caller.origin = "https://elsewhere.example";
    send_form("/looks", "1", TYPED);
    assert_answered(&caller, 403, HTML);
    caller.origin = "https://vault.example:8443"; /* this listener's own */
    send_form("/looks/check", "1", TYPED);
    assert_answered(&caller, 200, HTML);
    caller.origin = NULL;
    caller.site = "same-origin";
    token[0] = token[0] == 'A' ? 'B' : 'A';
    send_form("/looks", "1", TYPED);
    assert_answered(&caller, 403, HTML);
    token[0] = 0;
    send_form("/looks", "1", TYPED);
    assert_answered(&caller, 403, HTML);
    caller.content_type = "text/plain";
    send_form("/looks", "1", TYPED);
    assert_answered(&caller, 415, HTML);
    assert_int_equal(size_now(), before);
    end();
}

static void test_a_forms_token_is_one_auditors_and_lasts_an_hour(void **state)
{
    (void)state;
    begin();
    open_form();
    caller.key = other_key;
    send_form("/looks/check", "1", TYPED);
    assert_answered(&caller, 403, HTML);
    caller.key = auditor_key;
    test.now_ms += 3600 * 1000;
    send_form("/looks/check", "1", TYPED);
    assert_answered(&caller, 200, HTML);
    test.now_ms += 3600 * 1000;
    send_form("/looks/check", "1", TYPED);
    assert_answered(&caller, 403, HTML);
    end();
}

static void test_a_program_looks_and_takes_lines_that_check(void **state)
{
    (void)state;
    char entries[32];
    char path[64];
    begin();
    snprintf(entries, sizeof entries, "0-%llu", (unsigned long long)release_index);
    const uint64_t look = size_now();
    look_by_json(entries, REASON);
    assert_answered(&caller, 201, JSON);
    assert_members(caller.json, "look time auditor entries reason until openings opening");
    assert_string_equal(caller_text(&caller, "/auditor"), "anne");
    assert_string_equal(caller_text(&caller, "/reason"), REASON);
    assert_string_equal(caller_text(&caller, "/entries"), entries);
    assert_int_equal(json_integer_value(caller_value(&caller, "/look")), look);
    snprintf(path, sizeof path, "/v1/looks/%llu", (unsigned long long)look);
    assert_string_equal(caller_header(&caller, "Location"), path);
    caller_get(&caller, path);
    assert_answered(&caller, 200, JSON);
    snprintf(path, sizeof path, "/v1/looks/%llu/openings", (unsigned long long)look);
    caller_get(&caller, path);
    assert_int_equal(caller.answer.status, 200);
    assert_string_equal(caller.answer.content_type, LINES);
    assert_page_says(&caller, "identity.birth_date year released");
    assert_not_said(&caller, "subject");
    assert_not_said(&caller, "basis");
    assert_not_said(&caller, "Testine");
    caller_get(&caller, "/v1/looks");
    assert_answered(&caller, 200, JSON);
    assert_int_equal(json_array_size(caller_value(&caller, "/looks")), 1);
    end();
}

static void test_a_programs_mistakes_are_refused_without_a_trace(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        unsigned status;
        const char *pointer;
    } wrong[] = {
        {"{\"entries\":\"1\"}", 400, "/reason"},
        {"{\"reason\":\"" REASON "\"}", 400, "/entries"},
        {"{\"entries\":[1],\"reason\":\"" REASON "\"}", 400, "/entries"},
        {"{\"entries\":\"one\",\"reason\":\"" REASON "\"}", 422, "/entries"},
        {"{\"entries\":\"0-100\",\"reason\":\"" REASON "\"}", 422, "/entries"},
        {"{\"entries\":\"99999\",\"reason\":\"" REASON "\"}", 422, "/entries"},
        {"{\"entries\":\"1\",\"reason\":\"because\"}", 422, "/reason"},
    };
    begin();
    const uint64_t before = size_now();
    caller.content_type = JSON;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        caller_post(&caller, "/v1/looks", wrong[i].body);
        assert_problem(&caller, wrong[i].status, wrong[i].pointer, -1);
    }
    caller_post(&caller, "/v1/looks", "{\"entries\":\"1\",\"who\":\"me\"}");
    assert_int_equal(caller.answer.status, 400);
    caller.content_type = FORM;
    caller_post(&caller, "/v1/looks", "entries=1");
    assert_problem(&caller, 415, NULL, -1);
    caller.content_type = JSON;
    caller.site = "cross-site";
    caller_post(&caller, "/v1/looks", wrong[0].body);
    assert_problem(&caller, 403, NULL, -1);
    caller.site = NULL;
    caller.origin = "https://elsewhere.example";
    caller_post(&caller, "/v1/looks", wrong[0].body);
    assert_problem(&caller, 403, NULL, -1);
    caller.origin = NULL;
    assert_int_equal(size_now(), before);
    end();
}

static void test_a_look_that_is_not_ones_own_or_is_over_shows_its_record_alone(void **state)
{
    (void)state;
    char entries[32];
    char path[64];
    char lines[64];
    begin();
    snprintf(entries, sizeof entries, "%llu", (unsigned long long)release_index);
    const unsigned long long look = size_now();
    look_by_json(entries, REASON);
    snprintf(path, sizeof path, "/looks/%llu?lang=en", look);
    snprintf(lines, sizeof lines, "/v1/looks/%llu/openings", look);
    caller.key = other_key;
    caller_get(&caller, path);
    assert_answered(&caller, 200, HTML);
    assert_page_says(&caller, REASON);
    assert_not_said(&caller, "Fields, forms and outcomes:");
    caller_get(&caller, lines);
    assert_problem(&caller, 403, NULL, -1);
    caller.key = auditor_key;
    test.now_ms += LOOK_OPEN_S * 1000LL;
    caller_get(&caller, path);
    assert_answered(&caller, 200, HTML);
    assert_not_said(&caller, "Fields, forms and outcomes:");
    caller_get(&caller, lines);
    assert_problem(&caller, 403, NULL, -1);
    caller_get(&caller, "/looks?lang=en");
    assert_page_says(&caller, REASON);
    end();
}

static void test_what_is_not_there_is_not_found(void **state)
{
    (void)state;
    static const char *const calls[] = {"/v1/looks/1", "/v1/looks/x", "/v1/looks/1/openings",
                                        "/v1/looks/99999999999999999999"};
    static const char *const pages[] = {"/looks/1", "/looks/check", "/looks/x"};
    begin();
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        caller_get(&caller, calls[i]);
        assert_problem(&caller, 404, NULL, -1);
    }
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        caller_get(&caller, pages[i]);
        assert_answered(&caller, 404, HTML);
    }
    caller_get(&caller, "/v1/looks?after=1");
    assert_problem(&caller, 400, NULL, -1);
    caller_get(&caller, "/looks?service=library");
    assert_answered(&caller, 400, HTML);
    caller_get(&caller, "/looks");
    assert_answered(&caller, 200, HTML);
    end();
}

static void test_whose_line_it_was_sees_that_it_was_looked_at(void **state)
{
    (void)state;
    char entries[32];
    struct browser browser;
    begin();
    snprintf(entries, sizeof entries, "%llu", (unsigned long long)release_index);
    browser_open(&browser, test.vault);
    browser.accept_language = "en";
    browser_sign_in(&browser);
    browser_get(&browser, "/accesses");
    assert_null(strstr(browser_page(&browser), "Control:"));
    look_by_json(entries, "A <b>reason</b> that is long enough");
    browser_get(&browser, "/accesses");
    assert_non_null(strstr(browser_page(&browser), "Control: anne looked at this line"));
    assert_non_null(strstr(browser_page(&browser), "A &lt;b&gt;reason&lt;/b&gt; that"));
    browser_close(&browser);
    end();
}

int main(void)
{
    return TEST_RUN(
        test_the_form_is_checked_then_done_then_shown, test_what_is_typed_badly_is_said_and_kept,
        test_no_other_site_can_make_an_auditor_look,
        test_a_forms_token_is_one_auditors_and_lasts_an_hour,
        test_a_program_looks_and_takes_lines_that_check,
        test_a_programs_mistakes_are_refused_without_a_trace,
        test_a_look_that_is_not_ones_own_or_is_over_shows_its_record_alone,
        test_what_is_not_there_is_not_found, test_whose_line_it_was_sees_that_it_was_looked_at);
}
