/* The operator's commands about what citizens asked the city to see to. */
#include "admin_test.h"

#include "vault/parts.h"
#include "vault/vault/correction.h"
#include "vault/vault/report.h"

static void begin(void)
{
    make_filled_vault(&test);
    begin_asking();
}

/* No value leaves by this door; 1990 is of the citizen's birth date. */
static const char *ask_for_no_value(const char *line)
{
    VAULT_AUTO(buf_finish) struct buf said = buf_limited(ADMIN_LINE_BYTES_MAX);
    const char *code = ask(line);
    json_write_value(&said, answer);
    assert_null(strstr(buf_string(&said), "1990"));
    return code;
}

static const char *ask_about(const char *command, const char *id)
{
    char line[200];
    snprintf(line, sizeof line, "{\"command\":\"%s\",\"id\":\"%s\"}", command, id);
    return ask_for_no_value(line);
}

static void test_what_waits_is_listed_and_closed_once(void **state)
{
    (void)state;
    char id[64];
    begin();
    assert_done(correction_ask(test.vault, &test.citizen, "identity.birth_date", &test_error));
    const uint64_t before = ledger_head(test.vault->ledger).size;
    assert_string_equal(ask_for_no_value("{\"command\":\"correction list\"}"), "ok");
    assert_int_equal(ledger_head(test.vault->ledger).size, before + 1); /* that it was looked at */
    const json_t *list = json_object_get(answer, "result");
    const json_t *one = json_array_get(list, 0);
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(json_string_value(json_object_get(one, "source")), "civil register");
    snprintf(id, sizeof id, "%s", json_string_value(json_object_get(one, "id")));
    assert_string_equal(ask_about("correction close", id), "ok");
    assert_string_equal(ask_about("correction close", id), "not_found");
    assert_string_equal(ask_for_no_value("{\"command\":\"correction list\"}"), "ok");
    assert_int_equal(json_array_size(json_object_get(answer, "result")), 0);
    end();
}

static void test_what_is_not_there_is_not_closed(void **state)
{
    (void)state;
    begin();
    assert_string_equal(ask_about("correction close", "01ARZ3NDEKTSV4RRFFQ69G5FAV"), "not_found");
    assert_string_equal(ask_about("correction close", "'; DROP TABLE open_case"), "not_found");
    assert_string_equal(ask_for_no_value("{\"command\":\"correction close\"}"), "invalid");
    assert_string_equal(ask_for_no_value("{\"command\":\"correction close\",\"id\":7}"), "invalid");
    end();
}

static void test_a_report_is_listed_without_a_name_shown_with_one_and_closed(void **state)
{
    (void)state;
    char id[REPORT_ID_CHARS + 1];
    const struct report_wish wish = {CASEWORKER, BYTES("Trop curieux."), NULL, 0};
    begin();
    assert_done(report_make(test.vault, &test.citizen, &wish, id, &test_error));
    assert_string_equal(ask_for_no_value("{\"command\":\"report list\"}"), "ok");
    const json_t *one = json_array_get(json_object_get(answer, "result"), 0);
    assert_string_equal(json_string_value(json_object_get(one, "id")), id);
    assert_null(json_object_get(one, "reference"));
    assert_string_equal(ask_about("report show", id), "ok");
    const json_t *shown = json_object_get(answer, "result");
    assert_string_equal(json_string_value(json_object_get(shown, "reference")), "T-1");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(shown, "report"), "words")),
        "Trop curieux.");
    assert_string_equal(ask_about("report close", id), "ok");
    assert_string_equal(ask_about("report show", id), "not_found");
    assert_string_equal(ask_about("report close", id), "not_found");
    assert_string_equal(ask_about("correction close", id), "not_found");
    assert_string_equal(ask_for_no_value("{\"command\":\"report show\"}"), "invalid");
    end();
}

int main(void)
{
    return TEST_RUN(test_a_report_is_listed_without_a_name_shown_with_one_and_closed,
                    test_what_waits_is_listed_and_closed_once,
                    test_what_is_not_there_is_not_closed);
}
