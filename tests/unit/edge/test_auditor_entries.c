/* Auditors look through the log: as JSON and as pages, by the same filter; what is malformed is
 * refused, and nothing that is said is more than the log has. */
#include "auditor.h"
#include "vault/base/codec.h"
#include "vault/edge/pages.h"
#include "vault/parts.h"

#define TEXT "text/plain; charset=utf-8"
#define JSON "application/json"
#define HTML "text/html; charset=utf-8"

static struct vault_test test;
static struct auditor_api api;
static struct caller caller;
static char subject[SUBJECT_CHARS + 1];

/* A consent, two releases and a withdrawal's worth of entries behind those of the filling. */
static void begin(void)
{
    auditor_open(&test, "auditor", &api, &caller);
    auditor_releases(&test, 2, subject);
}

static void end(void)
{
    caller_finish(&caller);
    vault_close(&test.vault);
}

static size_t count_entries(void)
{
    return json_array_size(caller_value(&caller, "/entries"));
}

static size_t count_on_page(const char *text)
{
    size_t count = 0;
    for (const char *p = strstr(caller_page(&caller), text); p; p = strstr(p + 1, text))
        count++;
    return count;
}

static void test_an_entry_is_told_as_the_log_has_it(void **state)
{
    (void)state;
    begin();
    caller_get(&caller, "/v1/entries?event=release&service=" CASEWORKER);
    assert_answered(&caller, 200, JSON);
    assert_members(caller.json, "entries tree_size first read next");
    assert_int_equal(count_entries(), 2);
    const json_t *entry = json_array_get(caller_value(&caller, "/entries"), 0);
    assert_members(entry, "index time time_ms event outcome service client purpose policy leaf "
                          "proof");
    assert_string_equal(json_string_value(json_object_get(entry, "time")),
                        "2027-03-08T10:00:00.000Z");
    assert_string_equal(json_string_value(json_object_get(entry, "event")), "release");
    assert_string_equal(json_string_value(json_object_get(entry, "outcome")), "released");
    assert_string_equal(json_string_value(json_object_get(entry, "purpose")), SUPPORT);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(entry, "policy"), "version")), 1);
    assert_true(json_is_null(caller_value(&caller, "/next")));
    end();
}

static void test_nothing_tells_who_it_was_or_what_was_released(void **state)
{
    (void)state;
    static const char *const paths[] = {"/v1/entries", "/", "/entries", "/entries?lang=en",
                                        "/v1/entries/5"};
    static const char *const secrets[] = {"Testine", "T-1", "1990", "seeking"};
    begin();
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        caller_get(&caller, paths[i]);
        assert_int_equal(caller.answer.status, 200);
        assert_not_said(&caller, subject);
        for (size_t j = 0; j < sizeof secrets / sizeof secrets[0]; j++)
            assert_not_said(&caller, secrets[j]);
    }
    end();
}

static void test_the_leaf_is_the_hash_of_the_text_and_has_its_proof(void **state)
{
    (void)state;
    char path[128];
    char leaf[64];
    begin();
    caller_get(&caller, "/v1/entries?event=consent&limit=1");
    const json_t *entry = json_array_get(caller_value(&caller, "/entries"), 0);
    const long long index = json_integer_value(json_object_get(entry, "index"));
    char proof[128];
    snprintf(leaf, sizeof leaf, "%s", json_string_value(json_object_get(entry, "leaf")));
    snprintf(proof, sizeof proof, "%s", json_string_value(json_object_get(entry, "proof")));
    snprintf(path, sizeof path, "/v1/entries/%lld", index);
    caller_get(&caller, path);
    assert_answered(&caller, 200, TEXT);
    char computed[BASE64_CHARS(TREE_HASH_BYTES) + 1];
    base64_string(computed, tree_leaf(buf_view(&caller.answer.body)).bytes, TREE_HASH_BYTES);
    assert_string_equal(computed, leaf);
    caller_get(&caller, proof);
    assert_answered(&caller, 200, TEXT);
    snprintf(path, sizeof path, "c2sp.org/tlog-proof@v1\nindex %lld\n", index);
    assert_non_null(strstr(caller_page(&caller), path));
    end();
}

static void test_pages_of_the_answer_join(void **state)
{
    (void)state;
    char next[256] = "/v1/entries?limit=2";
    long long last = -1;
    begin();
    size_t seen = 0;
    for (;;) {
        caller_get(&caller, next);
        assert_answered(&caller, 200, JSON);
        for (size_t i = 0; i < count_entries(); i++, seen++) {
            const json_t *entry = json_array_get(caller_value(&caller, "/entries"), i);
            assert_int_equal(json_integer_value(json_object_get(entry, "index")), last + 1);
            last++;
        }
        const json_t *more = caller_value(&caller, "/next");
        if (json_is_null(more))
            break;
        snprintf(next, sizeof next, "%s", json_string_value(more));
    }
    assert_int_equal(seen, ledger_head(test.vault->ledger).size);
    caller_get(&caller, "/v1/entries?before=999999999&limit=1");
    assert_int_equal(json_integer_value(json_object_get(
                         json_array_get(caller_value(&caller, "/entries"), 0), "index")),
                     last);
    end();
}

static void test_what_is_wrong_in_the_address_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        unsigned status;
    } wrong[] = {
        {"from=yesterday", 400},
        {"from=2027-02-30", 400},
        {"to=2027-03-08T10:00", 400},
        {"service=Employment", 400},
        {"purpose=a%20b", 400},
        {"after=-1", 400},
        {"after=1x", 400},
        {"after=1234567890123456789", 400},
        {"before=", 0},
        {"after=1&before=2", 400},
        {"limit=0", 400},
        {"limit=1001", 400},
        {"limit=ten", 400},
        {"event=released", 422},
        {"event=release&event=deny", 400},
        {"outcome=release", 422},
        {"from=2027-03-09&to=2027-03-07", 422},
        {"servise=library", 400},
        {"lang=en", 400},
        {"subject=x", 400},
    };
    begin();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char path[256];
        snprintf(path, sizeof path, "/v1/entries?%s", wrong[i].query);
        caller_get(&caller, path);
        if (wrong[i].status)
            assert_problem(&caller, wrong[i].status, NULL, -1);
        else
            assert_answered(&caller, 200, JSON);
    }
    end();
}

static void test_a_date_is_a_whole_day(void **state)
{
    (void)state;
    begin();
    caller_get(&caller, "/v1/entries?from=2027-03-08&to=2027-03-08&event=release");
    assert_int_equal(count_entries(), 2);
    caller_get(&caller, "/v1/entries?to=2027-03-07&event=release");
    assert_int_equal(count_entries(), 0);
    caller_get(&caller, "/v1/entries?to=2027-03-08T10:00:00Z&event=release");
    assert_int_equal(count_entries(), 0);
    caller_get(&caller, "/v1/entries?from=2027-03-08T10:00:00Z&to=2027-03-08T10:00:01Z"
                        "&event=release");
    assert_int_equal(count_entries(), 2);
    end();
}

static void test_the_page_shows_the_same_in_both_languages(void **state)
{
    (void)state;
    begin();
    caller_get(&caller, "/entries?event=release");
    assert_answered(&caller, 200, HTML);
    assert_page_says(&caller, "<html lang=\"fr\">");
    assert_page_says(&caller, "Données transmises à un service");
    assert_page_says(&caller, "<option value=\"release\" selected>");
    assert_int_equal(count_on_page("<li class=\"card\">"), 2);
    assert_page_says(&caller, "/entries?event=release&amp;lang=en");
    caller_get(&caller, "/entries?event=release&lang=en");
    assert_page_says(&caller, "<html lang=\"en\">");
    assert_page_says(&caller, "Data given to a service");
    assert_int_equal(count_on_page("<li class=\"card\">"), 2);
    assert_page_says(&caller, "name=\"lang\" value=\"en\"");
    end();
}

static void test_the_page_names_what_is_wrong_and_keeps_what_was_typed(void **state)
{
    (void)state;
    begin();
    caller_get(&caller, "/entries?service=<b>&lang=en");
    assert_answered(&caller, 400, HTML);
    assert_page_says(&caller, "This is no id.");
    assert_page_says(&caller, "value=\"&lt;b&gt;\"");
    assert_null(strstr(caller_page(&caller), "<b>"));
    assert_int_equal(count_on_page("<li class=\"card\">"), 0);
    caller_get(&caller, "/entries?from=2027-03-09&to=2027-03-01");
    assert_answered(&caller, 422, HTML);
    caller_get(&caller, "/entries?limit=51");
    assert_answered(&caller, 400, HTML);
    caller_get(&caller, "/entries?colour=red");
    assert_answered(&caller, 400, HTML);
    end();
}

static void test_what_is_not_there_is_said(void **state)
{
    (void)state;
    static const char *const paths[] = {"/v1/entries/99999", "/v1/entries/x",
                                        "/v1/entries/1x",    "/v1/entries/99999/proof",
                                        "/v1/entries/-1",    "/v1/entries/1/opening"};
    begin();
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        caller_get(&caller, paths[i]);
        assert_problem(&caller, 404, NULL, -1);
    }
    end();
}

static size_t count_lines(void)
{
    size_t count = 0;
    for (const char *p = strchr(caller_page(&caller), '\n'); p; p = strchr(p + 1, '\n'))
        count++;
    return count;
}

static void test_an_export_has_every_line_once(void **state)
{
    (void)state;
    begin();
    const uint64_t size = ledger_head(test.vault->ledger).size;
    caller_get(&caller, "/v1/export?format=jsonl");
    assert_answered(&caller, 200, "application/x-ndjson");
    assert_int_equal(count_lines(), size);
    assert_string_equal(caller_header(&caller, "Link"), "");
    caller_get(&caller, "/v1/export?format=csv&event=release");
    assert_answered(&caller, 200, "text/csv; charset=utf-8");
    assert_int_equal(count_lines(), 3);
    assert_memory_equal(caller_page(&caller), "index,time,event,outcome,service,", 33);
    assert_non_null(strstr(caller_page(&caller), ",release,released," CASEWORKER ","));
    assert_non_null(strstr(caller_page(&caller), ",2027-03-08T10:00:00.000Z,"));
    assert_not_said(&caller, subject);
    end();
}

static void test_parts_of_an_export_join(void **state)
{
    (void)state;
    begin();
    char next[256] = "/v1/export?format=csv&limit=3";
    const uint64_t size = ledger_head(test.vault->ledger).size;
    size_t lines = 0;
    for (;;) {
        caller_get(&caller, next);
        assert_int_equal(caller.answer.status, 200);
        lines += count_lines() - 1;
        const char *link = caller_header(&caller, "Link");
        if (!link[0])
            break;
        assert_int_equal(link[0], '<');
        assert_non_null(strstr(link, ">; rel=\"next\""));
        snprintf(next, sizeof next, "%.*s", (int)strcspn(link + 1, ">"), link + 1);
    }
    assert_int_equal(lines, size);
    end();
}

static void test_an_export_without_a_known_format_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        unsigned status;
    } wrong[] = {{"", 422},
                 {"?format=xml", 422},
                 {"?format=", 422},
                 {"?format=csv&limit=10001", 400},
                 {"?format=csv&a=b", 400},
                 {"?format=csv&from=x", 400}};
    begin();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "/v1/export%s", wrong[i].query);
        caller_get(&caller, path);
        assert_problem(&caller, wrong[i].status, NULL, -1);
        assert_string_equal(caller_header(&caller, "Content-Disposition"), "");
    }
    caller_get(&caller, "/entries?event=deny&lang=en");
    assert_page_says(&caller, "/v1/export?event=deny&amp;format=csv");
    end();
}

static void test_no_cookie_is_set_or_asked_for(void **state)
{
    (void)state;
    begin();
    caller_get(&caller, "/entries");
    pages_decorate(&caller.answer);
    assert_string_equal(caller_header(&caller, "Set-Cookie"), "");
    assert_non_null(
        strstr(caller_header(&caller, "Content-Security-Policy"), "default-src 'none'"));
    assert_string_equal(caller_header(&caller, "Cache-Control"), "no-store");
    assert_string_equal(caller_header(&caller, "Cross-Origin-Opener-Policy"), "same-origin");
    assert_null(strstr(caller_page(&caller), "form_token"));
    end();
}

int main(void)
{
    return TEST_RUN(
        test_an_entry_is_told_as_the_log_has_it, test_nothing_tells_who_it_was_or_what_was_released,
        test_the_leaf_is_the_hash_of_the_text_and_has_its_proof, test_pages_of_the_answer_join,
        test_what_is_wrong_in_the_address_is_refused, test_a_date_is_a_whole_day,
        test_the_page_shows_the_same_in_both_languages,
        test_the_page_names_what_is_wrong_and_keeps_what_was_typed, test_what_is_not_there_is_said,
        test_an_export_has_every_line_once, test_parts_of_an_export_join,
        test_an_export_without_a_known_format_is_refused, test_no_cookie_is_set_or_asked_for);
}
