/*
 * A citizen reports a service: their words and the lines they chose, who may read them, and what
 * the citizen learns of that.
 */
#include "vault/vault/report.h"

#include "vault/parts.h"
#include "vault/vault/erase.h"
#include "vault/vault/history.h"
#include "vault_test.h"

static struct vault_test test;
static char id[REPORT_ID_CHARS + 1];

/* One consent, which is line 1, and one access, which is line 2. */
static void begin(void)
{
    char subject[SUBJECT_CHARS + 1];
    make_filled_vault(&test);
    give_consent(&test, CONSENT_UNLIMITED);
    subject_of_citizen(&test, subject);
    assert_int_equal(count_released(ask_release(&test, subject)), 2);
}

static enum vault_code report(const char *service, const char *words, const uint64_t lines[],
                              size_t count)
{
    const struct report_wish wish = {service, bytes_of_text(words), lines, count};
    return report_make(test.vault, &test.citizen, &wish, id, &test_error);
}

static const uint64_t access_line[] = {2};

static enum vault_code take_newest(void *context, const struct history_event *event,
                                   struct vault_error *err)
{
    (void)err;
    snprintf(context, 200, "%s %.*s|%.*s|%.*s", entry_event_name(event->event),
             (int)event->service.size, event->service.size ? (const char *)event->service.data : "",
             (int)event->actor.size, event->actor.size ? (const char *)event->actor.data : "",
             (int)event->basis.size, (const char *)event->basis.data);
    return VAULT_OK;
}

static void assert_newest_event(const char *expected)
{
    char text[200] = "";
    assert_done(history_list(test.vault, &test.citizen, 0, 1, take_newest, text, &test_error));
    assert_string_equal(text, expected);
}

struct seen {
    size_t count;
    bool open;
    json_t *json;
};

static enum vault_code see(void *context, const struct report *what, struct vault_error *err)
{
    struct seen *seen = context;
    seen->count++;
    seen->open = what->open;
    json_free(&seen->json);
    return json_parse(what->json, 5, &seen->json, NULL, err);
}

static void test_a_report_has_the_words_and_where_the_lines_stand_and_no_value(void **state)
{
    (void)state;
    struct seen seen = {0};
    begin();
    assert_done(report(CASEWORKER, "Ils m'ont appelée trois fois.", access_line, 1));
    assert_newest_event("request " CASEWORKER "||report");
    assert_done(report_list(test.vault, &test.citizen, id, see, &seen, &test_error));
    assert_int_equal(seen.count, 1);
    assert_true(seen.open);
    assert_string_equal(json_string_value(json_object_get(seen.json, "words")),
                        "Ils m'ont appelée trois fois.");
    const json_t *line = json_array_get(json_object_get(seen.json, "lines"), 0);
    assert_int_equal(json_integer_value(json_object_get(line, "n")), 2);
    assert_string_equal(json_string_value(json_object_get(line, "event")), "release");
    const char *what = json_string_value(json_object_get(line, "what"));
    assert_non_null(strstr(what, "identity.birth_date year released"));
    assert_null(strstr(what, "1990"));
    json_free(&seen.json);
    vault_close(&test.vault);
}

static void test_what_is_no_report_is_refused_and_leaves_nothing(void **state)
{
    (void)state;
    static const uint64_t none[] = {99};
    static const uint64_t zero[] = {0};
    static const uint64_t many[REPORT_LINES_MAX + 1] = {0};
    char words[REPORT_WORDS_CHARS + 2];
    uint64_t count = 9;
    begin();
    memset(words, 'a', sizeof words);
    words[sizeof words - 1] = 0;
    const uint64_t before = ledger_head(test.vault->ledger).size;
    assert_fails(VAULT_INVALID, report(CASEWORKER, "", NULL, 0));
    assert_fails(VAULT_INVALID, report(CASEWORKER, " \n\t", NULL, 0));
    assert_fails(VAULT_INVALID, report(CASEWORKER, words, NULL, 0));
    assert_fails(VAULT_INVALID, report(CASEWORKER, "a\033[2J", NULL, 0));
    assert_fails(VAULT_INVALID, report(CASEWORKER,
                                       "a\xc2\x9b"
                                       "2J",
                                       NULL, 0));
    assert_fails(VAULT_INVALID, report(CASEWORKER, "\xff\xfe", NULL, 0));
    assert_fails(VAULT_INVALID, report(CASEWORKER, "Trop.", many, REPORT_LINES_MAX + 1));
    assert_fails(VAULT_NOT_FOUND, report("nowhere", "Rien.", NULL, 0));
    assert_fails(VAULT_NOT_FOUND, report(CASEWORKER, "Rien.", none, 1));
    assert_fails(VAULT_NOT_FOUND, report(CASEWORKER, "Rien.", zero, 1));
    assert_fails(VAULT_INVALID, report(LIBRARY, "Une autre.", access_line, 1));
    assert_int_equal(ledger_head(test.vault->ledger).size, before);
    assert_done(open_case_count(test.vault->store, OPEN_CASE_REPORT, &count, &test_error));
    assert_int_equal(count, 0);
    words[REPORT_WORDS_CHARS] = 0;
    assert_done(report(CASEWORKER, words, NULL, 0));
    vault_close(&test.vault);
}

static void test_a_list_names_nobody_and_has_no_words(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(10000);
    begin();
    assert_done(report(CASEWORKER, "Mes mots.", access_line, 1));
    assert_done(report_open_list(test.vault, &text, &test_error));
    assert_non_null(strstr(buf_string(&text), "\"service\":\"" CASEWORKER "\""));
    assert_non_null(strstr(buf_string(&text), "\"lines\":1"));
    assert_null(strstr(buf_string(&text), "Mes mots"));
    assert_null(strstr(buf_string(&text), "T-1"));
    vault_close(&test.vault);
}

static void test_whoever_reads_one_is_on_record_with_the_citizen(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(REPORT_BYTES_MAX * 2);
    begin();
    assert_done(report(CASEWORKER, "Mes mots.", access_line, 1));
    assert_done(report_show(test.vault, id, &text, &test_error));
    assert_non_null(strstr(buf_string(&text), "\"reference\":\"T-1\""));
    assert_non_null(strstr(buf_string(&text), "Mes mots."));
    assert_newest_event("request " CASEWORKER "|operator|report");
    vault_close(&test.vault);
}

static void test_a_report_is_closed_once_and_the_citizen_sees_it(void **state)
{
    (void)state;
    struct seen seen = {0};
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(REPORT_BYTES_MAX * 2);
    begin();
    assert_done(report(CASEWORKER, "Mes mots.", NULL, 0));
    assert_done(report_close(test.vault, id, &test_error));
    assert_newest_event("request " CASEWORKER "|operator|report");
    assert_done(report_list(test.vault, &test.citizen, NULL, see, &seen, &test_error));
    assert_int_equal(seen.count, 1);
    assert_false(seen.open);
    assert_fails(VAULT_NOT_FOUND, report_close(test.vault, id, &test_error));
    assert_fails(VAULT_NOT_FOUND, report_show(test.vault, id, &text, &test_error));
    assert_done(report_open_list(test.vault, &text, &test_error));
    assert_string_equal(buf_string(&text), "[]");
    json_free(&seen.json);
    vault_close(&test.vault);
}

static void test_anothers_report_is_not_there(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct citizen_id other;
    begin();
    assert_done(report(CASEWORKER, "Mes mots.", NULL, 0));
    import_one(&test, "{\"reference\":\"T-2\",\"values\":{}}");
    assert_done(people_find(test.vault, "T-2", &other, &test_error));
    assert_fails(VAULT_NOT_FOUND, report_list(test.vault, &other, id, see, &seen, &test_error));
    const struct report_wish wish = {CASEWORKER, BYTES("Moi aussi."), access_line, 1};
    assert_fails(VAULT_NOT_FOUND, report_make(test.vault, &other, &wish, id, &test_error));
    assert_int_equal(seen.count, 0);
    vault_close(&test.vault);
}

static void test_an_erased_citizens_report_goes_with_them(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(10000);
    begin();
    assert_done(report(CASEWORKER, "Mes mots.", NULL, 0));
    assert_done(erase_citizen(test.vault, &test.citizen, &test_error));
    assert_fails(VAULT_NOT_FOUND, report_show(test.vault, id, &text, &test_error));
    assert_done(report_open_list(test.vault, &text, &test_error));
    assert_string_equal(buf_string(&text), "[]");
    vault_close(&test.vault);
}

static void test_the_status_has_the_numbers_alone(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(10000);
    begin();
    assert_done(report(CASEWORKER, "Mes mots.", NULL, 0));
    assert_done(vault_status(test.vault, &text, &test_error));
    assert_non_null(strstr(buf_string(&text), "\"open_corrections\":0,\"open_reports\":1"));
    vault_close(&test.vault);
}

static void test_a_service_that_was_removed_can_be_reported(void **state)
{
    (void)state;
    begin();
    assert_done(service_remove(test.vault, CASEWORKER, &test_error));
    assert_done(report(CASEWORKER, "Mes mots.", access_line, 1));
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(
        test_a_report_has_the_words_and_where_the_lines_stand_and_no_value,
        test_what_is_no_report_is_refused_and_leaves_nothing,
        test_a_list_names_nobody_and_has_no_words,
        test_whoever_reads_one_is_on_record_with_the_citizen,
        test_a_report_is_closed_once_and_the_citizen_sees_it, test_anothers_report_is_not_there,
        test_an_erased_citizens_report_goes_with_them, test_the_status_has_the_numbers_alone,
        test_a_service_that_was_removed_can_be_reported);
}
