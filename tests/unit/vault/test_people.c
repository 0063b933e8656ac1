#include "vault_test.h"

#include "vault/parts.h"
#include "vault/store/citizen_value.h"

static struct vault_test test;

static void begin(void)
{
    make_filled_vault(&test);
}

static struct people_result import_row(const char *row)
{
    const struct bytes rows[] = {bytes_of_text(row)};
    struct people_result result;
    assert_done(people_import(test.vault, rows, 1, &result, &test_error));
    return result;
}

static void test_values_are_stored_with_their_source_and_time(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(1024);
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    struct citizen_value_about about;
    begin();
    assert_done(citizen_acquire(test.vault->store, &test.citizen, &citizen, &test_error));
    assert_done(citizen_value_get(citizen, "identity.birth_date", &json, &about, &test_error));
    assert_true(bytes_equal(buf_view(&json), BYTES("\"1990-05-17\"")));
    assert_string_equal(about.source, "civil register");
    citizen_release(&citizen);
    vault_close(&test.vault);
}

static void test_bad_rows_say_why_and_are_left_out_whole(void **state)
{
    (void)state;
    static const struct {
        const char *row;
        const char *why;
    } bad[] = {
        {"", "line 1"},
        {"[]", "object"},
        {"{\"values\":{}}", "reference"},
        {"{\"reference\":\"\",\"values\":{}}", "reference"},
        {"{\"reference\":\"X\"}", "values"},
        {"{\"reference\":\"X\",\"values\":{},\"shoe\":1}", "a row is"},
        {"{\"reference\":\"X\",\"values\":{\"shoe.size\":{\"value\":42}}}", "catalogue"},
        {"{\"reference\":\"X\",\"values\":{\"identity.is_adult\":{\"value\":true}}}", "catalogue"},
        {"{\"reference\":\"X\",\"values\":{\"identity.birth_date\":{\"value\":\"1990-02-30\"}}}",
         "identity.birth_date"},
        {"{\"reference\":\"X\",\"values\":{\"identity.birth_date\":\"1990-02-03\"}}", "an object"},
        {"{\"reference\":\"X\",\"values\":{},\"password\":\"p\"}", "login"},
        {"{\"reference\":\"X\",\"values\":{},\"login\":1}", "texts"},
        {"{\"reference\":\"X\",\"values\":{},\"login\":\"\",\"password\":\"p\"}", "login"},
        {"{\"reference\":\"X\",\"values\":{},\"login\":\"x\",\"password\":\"\"}", "password"},
        {"{\"reference\":\"X\",\"values\":{},\"login\":\"x\",\"language\":\"de\"}", "language"},
        {"{\"reference\":\"X\",\"values\":{},\"login\":\"x\",\"language\":\"\"}", "language"},
        {"{\"reference\":\"X\",\"values\":{\"identity.name\":{\"value\":\"A\",\"source\":7}}}",
         "identity.name"},
        {"{\"reference\":\"X\",\"values\":{\"identity.name\":{\"as_of\":null}}}", "an object"},
        {"{\"reference\":\"X\",\"values\":{\"identity.name\":{\"value\":\"A\","
         "\"as_of\":\"yesterday\"}}}",
         "identity.name"},
        {"{\"reference\":\"X\",\"values\":{\"identity.name\":{\"value\":\"A\","
         "\"as_of\":\"2027-03-08T10:00:01Z\"}}}",
         "identity.name"},
        {"{\"format\":\"vault-citizen/2\",\"reference\":\"X\",\"values\":{}}", "a row is"},
        {"{\"format\":1,\"reference\":\"X\",\"values\":{}}", "a row is"},
        {"{\"format\":\"vault-citizen/1\",\"reference\":\"X\"}", "values"},
    };
    struct citizen_id id;
    begin();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct people_result result = import_row(bad[i].row);
        assert_int_equal(result.code, VAULT_INVALID);
        assert_non_null(strstr(result.text, bad[i].why));
        assert_null(strstr(result.text, "1990-02-30"));
        assert_null(strstr(result.text, "shoe"));
    }
    assert_fails(VAULT_NOT_FOUND, people_find(test.vault, "X", &id, &test_error));
    vault_close(&test.vault);
}

static void test_a_bad_row_does_not_harm_its_neighbours(void **state)
{
    (void)state;
    const struct bytes rows[] = {
        BYTES("{\"reference\":\"A\",\"values\":{}}"),
        BYTES("{\"reference\":\"B\",\"values\":[]}"),
        BYTES("{\"reference\":\"T-1\",\"values\":{}}"),
        BYTES("{\"reference\":\"C\",\"values\":{},\"login\":\"TESTINE\"}"),
        BYTES("{\"reference\":\"D\",\"values\":{}}"),
    };
    static const enum vault_code wanted[] = {VAULT_OK, VAULT_INVALID, VAULT_CONFLICT, VAULT_INVALID,
                                             VAULT_OK};
    struct people_result results[5];
    struct citizen_id id;
    begin();
    assert_done(people_import(test.vault, rows, 5, results, &test_error));
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(results[i].code, wanted[i]);
    assert_done(people_find(test.vault, "A", &id, &test_error));
    assert_done(people_find(test.vault, "D", &id, &test_error));
    assert_fails(VAULT_NOT_FOUND, people_find(test.vault, "C", &id, &test_error));
    vault_close(&test.vault);
}

static void test_an_export_is_a_row_of_another_name(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf exported = buf_limited(PEOPLE_EXPORT_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf again = buf_limited(65536);
    VAULT_AUTO(json_free) json_t *row = NULL;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    assert_done(people_export(test.vault, "T-1", &exported, &test_error));
    assert_done(json_parse(buf_view(&exported), 8, &row, NULL, &test_error));
    assert_int_equal(json_array_size(json_object_get(row, "consents")), 1);
    json_object_set_new(row, "reference", json_string("T-2"));
    buf_clear(&exported);
    json_write_value(&exported, row);
    assert_int_equal(import_row(buf_string(&exported)).code, VAULT_OK);
    assert_done(people_export(test.vault, "T-2", &again, &test_error));
    VAULT_AUTO(json_free) json_t *second = NULL;
    assert_done(json_parse(buf_view(&again), 8, &second, NULL, &test_error));
    assert_true(json_equal(json_object_get(row, "values"), json_object_get(second, "values")));
    assert_int_equal(json_array_size(json_object_get(second, "consents")), 0);
    vault_close(&test.vault);
}

static void test_a_day_is_taken_for_a_time(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(65536);
    begin();
    assert_int_equal(import_row("{\"reference\":\"A\",\"values\":{\"identity.name\":"
                                "{\"value\":\"A\",\"as_of\":\"2026-02-28\"}}}")
                         .code,
                     VAULT_OK);
    assert_done(people_export(test.vault, "A", &text, &test_error));
    assert_non_null(strstr(buf_string(&text), "\"as_of\":\"2026-02-28T00:00:00Z\""));
    vault_close(&test.vault);
}

static void test_an_import_can_be_run_again(void **state)
{
    (void)state;
    begin();
    assert_int_equal(import_row("{\"reference\":\"A\",\"values\":{}}").code, VAULT_OK);
    assert_int_equal(import_row("{\"reference\":\"A\",\"values\":{}}").code, VAULT_CONFLICT);
    vault_close(&test.vault);
}

static void test_nothing_is_imported_without_a_catalogue(void **state)
{
    (void)state;
    const struct bytes rows[] = {BYTES("{\"reference\":\"A\",\"values\":{}}")};
    struct people_result result;
    make_test_vault(&test);
    assert_fails(VAULT_UNAVAILABLE, people_import(test.vault, rows, 1, &result, &test_error));
    vault_close(&test.vault);
}

static void test_two_rows_cannot_have_one_login(void **state)
{
    (void)state;
    const struct bytes rows[] = {
        BYTES("{\"reference\":\"A\",\"values\":{},\"login\":\"one\"}"),
        BYTES("{\"reference\":\"B\",\"values\":{},\"login\":\"ONE\"}"),
    };
    struct people_result results[2];
    struct citizen_id id;
    begin();
    assert_done(people_import(test.vault, rows, 2, results, &test_error));
    assert_int_equal(results[0].code, VAULT_OK);
    assert_int_equal(results[1].code, VAULT_INVALID);
    assert_fails(VAULT_NOT_FOUND, people_find(test.vault, "B", &id, &test_error));
    vault_close(&test.vault);
}

static void test_an_account_that_an_interruption_left_out_is_made_up_for(void **state)
{
    (void)state;
    char token[SIGN_IN_TOKEN_CHARS + 1];
    begin();
    assert_int_equal(import_row("{\"reference\":\"A\",\"values\":{}}").code, VAULT_OK);
    assert_int_equal(import_row("{\"reference\":\"A\",\"values\":{},\"login\":\"anna\","
                                "\"password\":\"secret words\"}")
                         .code,
                     VAULT_OK);
    assert_done(sign_in(test.vault, BYTES("anna"), BYTES("secret words"), token, &test_error));
    assert_int_equal(import_row("{\"reference\":\"A\",\"values\":{},\"login\":\"other\"}").code,
                     VAULT_CONFLICT);
    vault_close(&test.vault);
}

static void test_a_password_that_is_too_long_makes_no_citizen(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf row = buf_limited(PEOPLE_ROW_BYTES_MAX);
    struct citizen_id id;
    begin();
    buf_text(&row, "{\"reference\":\"A\",\"values\":{},\"login\":\"long\",\"password\":\"");
    for (int i = 0; i < 1025; i++)
        buf_byte(&row, 'a');
    buf_text(&row, "\"}");
    assert_int_equal(import_row(buf_string(&row)).code, VAULT_INVALID);
    assert_fails(VAULT_NOT_FOUND, people_find(test.vault, "A", &id, &test_error));
    assert_int_equal(import_row("{\"reference\":\"A\",\"values\":{},\"login\":\"long\"}").code,
                     VAULT_OK);
    vault_close(&test.vault);
}

static void test_an_account_without_a_password_lets_nobody_in(void **state)
{
    (void)state;
    char token[SIGN_IN_TOKEN_CHARS + 1];
    begin();
    assert_int_equal(
        import_row("{\"reference\":\"A\",\"values\":{},\"login\":\"bare\",\"language\":\"en\"}")
            .code,
        VAULT_OK);
    assert_fails(VAULT_DENIED, sign_in(test.vault, BYTES("bare"), BYTES(""), token, &test_error));
    assert_fails(VAULT_DENIED, sign_in(test.vault, BYTES("bare"), BYTES("x"), token, &test_error));
    vault_close(&test.vault);
}

static void test_an_import_that_made_nobody_is_no_event(void **state)
{
    (void)state;
    begin();
    const uint64_t before = ledger_head(test.vault->ledger).size;
    assert_int_equal(import_row("nonsense").code, VAULT_INVALID);
    assert_int_equal(import_row("{\"reference\":\"T-1\",\"values\":{}}").code, VAULT_CONFLICT);
    assert_int_equal(ledger_head(test.vault->ledger).size, before);
    assert_int_equal(import_row("{\"reference\":\"A\",\"values\":{}}").code, VAULT_OK);
    assert_int_equal(ledger_head(test.vault->ledger).size, before + 1);
    vault_close(&test.vault);
}

static void test_an_export_has_all_of_a_citizen_and_is_an_entry_of_theirs(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(65536);
    VAULT_AUTO(json_free) json_t *all = NULL;
    make_filled_vault(&test);
    give_consent(&test, CONSENT_UNLIMITED);
    const uint64_t before = ledger_head(test.vault->ledger).size;
    assert_done(people_export(test.vault, "T-1", &text, &test_error));
    assert_int_equal(ledger_head(test.vault->ledger).size, before + 1);
    assert_done(json_parse(buf_view(&text), 16, &all, NULL, &test_error));
    assert_string_equal(json_string_value(json_object_get(all, "reference")), "T-1");
    const json_t *born = json_object_get(json_object_get(all, "values"), "identity.birth_date");
    assert_string_equal(json_string_value(json_object_get(born, "value")), "1990-05-17");
    assert_non_null(json_object_get(born, "as_of"));
    assert_non_null(json_object_get(born, "source"));
    assert_int_equal(json_array_size(json_object_get(all, "consents")), 1);
    assert_null(memchr(text.data, '\n', text.size)); /* a line of an import */
    const json_t *receipts = json_object_get(json_object_get(all, "receipts"), "list");
    assert_int_equal(json_array_size(receipts), 1);
    const json_t *log = json_object_get(all, "log");
    assert_true(json_is_true(json_object_get(log, "complete")));
    assert_int_equal(json_array_size(json_object_get(log, "entries")), 2);
    const json_t *own = json_array_get(json_object_get(log, "entries"), 0);
    assert_int_equal(json_integer_value(json_object_get(own, "n")), 2); /* the export's own */
    assert_fails(VAULT_NOT_FOUND, people_export(test.vault, "T-9", &text, &test_error));
    assert_int_equal(ledger_head(test.vault->ledger).size, before + 1);
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(test_an_export_has_all_of_a_citizen_and_is_an_entry_of_theirs,
                    test_values_are_stored_with_their_source_and_time,
                    test_bad_rows_say_why_and_are_left_out_whole,
                    test_a_bad_row_does_not_harm_its_neighbours,
                    test_an_export_is_a_row_of_another_name, test_a_day_is_taken_for_a_time,
                    test_an_import_can_be_run_again, test_nothing_is_imported_without_a_catalogue,
                    test_two_rows_cannot_have_one_login,
                    test_an_account_that_an_interruption_left_out_is_made_up_for,
                    test_a_password_that_is_too_long_makes_no_citizen,
                    test_an_account_without_a_password_lets_nobody_in,
                    test_an_import_that_made_nobody_is_no_event);
}
