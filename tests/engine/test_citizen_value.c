#include "store_test.h"

#include <stdlib.h>

static struct citizen *ada(void)
{
    fresh_store();
    const struct citizen_id id = new_citizen();
    return hold(&id);
}

static void test_the_newest_version_counts(void **state)
{
    (void)state;
    VAULT_AUTO(citizen_release) struct citizen *citizen = ada();
    put(citizen, "address.city", "\"Rennes\"");
    put(citizen, "address.city", "\"Saint-Malo\"");
    put(citizen, "address.street", "\"rue des Essais\"");
    assert_value(citizen, "address.city", "\"Saint-Malo\"");
    assert_value(citizen, "address.street", "\"rue des Essais\"");
}

static void test_a_value_comes_with_its_source_and_time(void **state)
{
    (void)state;
    VAULT_AUTO(citizen_release) struct citizen *citizen = ada();
    const struct citizen_value value = {"income.band", BYTES("3"), -5, "tax-office"};
    struct citizen_value_about about = {0};
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(10);
    assert_done(citizen_value_put(citizen, &value, &test_error));
    assert_done(citizen_value_put(citizen, &value, &test_error));
    assert_done(citizen_value_get(citizen, "income.band", &json, &about, &test_error));
    assert_int_equal(about.version, 2);
    assert_int_equal(about.as_of_s, -5);
    assert_string_equal(about.source, "tax-office");
}

static void put_as_of(struct citizen *citizen, const char *json, int64_t as_of_s)
{
    const struct citizen_value value = {"income.band", bytes_of_text(json), as_of_s, "test"};
    assert_done(citizen_value_put(citizen, &value, &test_error));
}

static void test_the_latest_time_counts_before_the_order_of_putting(void **state)
{
    (void)state;
    VAULT_AUTO(citizen_release) struct citizen *citizen = ada();
    put_as_of(citizen, "2026", 2026);
    put_as_of(citizen, "2024", 2024);
    assert_value(citizen, "income.band", "2026");
    put_as_of(citizen, "2027", 2026);
    assert_value(citizen, "income.band", "2027");
}

static void test_late_old_values_do_not_push_out_the_one_that_counts(void **state)
{
    (void)state;
    VAULT_AUTO(citizen_release) struct citizen *citizen = ada();
    put_as_of(citizen, "1", 1000);
    for (int64_t i = 0; i < 3 * (int64_t)CITIZEN_VALUE_VERSIONS; i++)
        put_as_of(citizen, "0", i);
    assert_value(citizen, "income.band", "1");
}

static void test_getting_appends_and_keeps_to_the_buffers_ceiling(void **state)
{
    (void)state;
    VAULT_AUTO(citizen_release) struct citizen *citizen = ada();
    put(citizen, "test.number", "12345");
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(8);
    buf_text(&json, "= ");
    assert_done(citizen_value_get(citizen, "test.number", &json, NULL, &test_error));
    assert_string_equal(buf_string(&json), "= 12345");
    assert_fails(VAULT_TOO_LARGE,
                 citizen_value_get(citizen, "test.number", &json, NULL, &test_error));
}

static void test_a_field_without_a_value_is_not_found(void **state)
{
    (void)state;
    VAULT_AUTO(citizen_release) struct citizen *citizen = ada();
    put(citizen, "test.number", "1");
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(100);
    const char *const others[] = {"test.numbe", "test.number ", "TEST.NUMBER", "", "' OR 1=1 --"};
    for (size_t i = 0; i < 5; i++)
        assert_fails(VAULT_NOT_FOUND,
                     citizen_value_get(citizen, others[i], &json, NULL, &test_error));
    assert_int_equal(json.size, 0);
}

static void test_values_over_their_limits_are_refused(void **state)
{
    (void)state;
    VAULT_AUTO(citizen_release) struct citizen *citizen = ada();
    static uint8_t large[CITIZEN_VALUE_MAX_BYTES + 1];
    memset(large, '7', sizeof large);
    const struct citizen_value too_large = {"test.number", {large, sizeof large}, 0, "test"};
    const struct citizen_value largest = {"test.number", {large, sizeof large - 1}, 0, "test"};
    const struct citizen_value empty = {"test.number", {NULL, 0}, 0, "test"};
    assert_fails(VAULT_TOO_LARGE, citizen_value_put(citizen, &too_large, &test_error));
    assert_fails(VAULT_INVALID, citizen_value_put(citizen, &empty, &test_error));
    assert_done(citizen_value_put(citizen, &largest, &test_error));
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(CITIZEN_VALUE_MAX_BYTES);
    assert_done(citizen_value_get(citizen, "test.number", &json, NULL, &test_error));
    assert_true(bytes_equal(buf_view(&json), largest.json));
}

static void test_any_text_comes_back_byte_for_byte(void **state)
{
    (void)state;
    VAULT_AUTO(citizen_release) struct citizen *citizen = ada();
    const char *const texts[] = {"\"L\xc3\xa9on\"", "\"\\u0000\"",
                                 "{\"a\":[1,2,\"'; DROP TABLE\"]}", "null"};
    for (size_t i = 0; i < 4; i++) {
        put(citizen, "test.text", texts[i]);
        assert_value(citizen, "test.text", texts[i]);
    }
}

/* Lists, gathered into one text. */

static enum vault_code gather(void *context, const char *field, struct bytes json,
                              const struct citizen_value_about *about, struct vault_error *err)
{
    (void)err;
    struct buf *text = context;
    buf_format(text, "%s#%lld=", field, (long long)about->version);
    buf_bytes(text, json);
    buf_byte(text, ' ');
    return VAULT_OK;
}

static void test_the_list_has_the_newest_of_every_field_by_name(void **state)
{
    (void)state;
    VAULT_AUTO(citizen_release) struct citizen *citizen = ada();
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(1000);
    assert_done(citizen_value_list(citizen, gather, &text, &test_error));
    assert_int_equal(text.size, 0);
    put(citizen, "b", "1");
    put(citizen, "c", "2");
    put(citizen, "a", "3");
    put(citizen, "b", "4");
    assert_done(citizen_value_list(citizen, gather, &text, &test_error));
    assert_string_equal(buf_string(&text), "a#1=3 b#2=4 c#1=2 ");
}

static void test_older_versions_are_kept_up_to_their_number(void **state)
{
    (void)state;
    VAULT_AUTO(citizen_release) struct citizen *citizen = ada();
    put(citizen, "other", "\"untouched\"");
    for (int i = 1; i <= CITIZEN_VALUE_VERSIONS + 3; i++) {
        char number[8];
        snprintf(number, sizeof number, "%d", i);
        put(citizen, "test.number", number);
    }
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(1000);
    VAULT_AUTO(buf_finish) struct buf expected = buf_limited(1000);
    assert_done(citizen_value_versions(citizen, "test.number", gather, &text, &test_error));
    for (int i = CITIZEN_VALUE_VERSIONS + 3; i > 3; i--)
        buf_format(&expected, "test.number#%d=%d ", i, i);
    assert_string_equal(buf_string(&text), buf_string(&expected));
    assert_value(citizen, "other", "\"untouched\"");
}

static enum vault_code stop_at_once(void *context, const char *field, struct bytes json,
                                    const struct citizen_value_about *about,
                                    struct vault_error *err)
{
    (void)field;
    (void)json;
    (void)about;
    ++*(int *)context;
    return vault_fail(err, VAULT_LIMITED, "enough");
}

static void test_a_callback_that_fails_ends_the_list_with_its_code(void **state)
{
    (void)state;
    VAULT_AUTO(citizen_release) struct citizen *citizen = ada();
    int called = 0;
    put(citizen, "a", "1");
    put(citizen, "b", "1");
    assert_fails(VAULT_LIMITED, citizen_value_list(citizen, stop_at_once, &called, &test_error));
    assert_int_equal(called, 1);
    /* The statement is free again. */
    assert_fails(VAULT_LIMITED, citizen_value_list(citizen, stop_at_once, &called, &test_error));
    assert_int_equal(called, 2);
}

static void test_a_citizen_has_only_so_many_fields(void **state)
{
    (void)state;
    VAULT_AUTO(citizen_release) struct citizen *citizen = ada();
    struct citizen_change change = {0};
    assert_done(citizen_begin(citizen, &change, &test_error));
    for (int i = 0; i < CITIZEN_FIELDS_MAX; i++) {
        char field[16];
        snprintf(field, sizeof field, "f%d", i);
        put(citizen, field, "1");
    }
    const struct citizen_value another = value_of("one-more", "1");
    assert_fails(VAULT_LIMITED, citizen_value_put(citizen, &another, &test_error));
    put(citizen, "f7", "2");
    assert_done(citizen_commit(&change, &test_error));
    assert_value(citizen, "f7", "2");
}

static void test_a_put_that_fails_stores_nothing(void **state)
{
    (void)state;
    VAULT_AUTO(citizen_release) struct citizen *citizen = ada();
    put(citizen, "a", "1");
    const struct citizen_value bad = {"a", BYTES("2"), 0, ""};
    assert_fails(VAULT_INVALID, citizen_value_put(citizen, &bad, &test_error));
    assert_value(citizen, "a", "1");
}

int main(void)
{
    store_test_start();
    const int failed = TEST_RUN(
        test_the_newest_version_counts, test_a_value_comes_with_its_source_and_time,
        test_the_latest_time_counts_before_the_order_of_putting,
        test_late_old_values_do_not_push_out_the_one_that_counts,
        test_getting_appends_and_keeps_to_the_buffers_ceiling,
        test_a_field_without_a_value_is_not_found, test_values_over_their_limits_are_refused,
        test_any_text_comes_back_byte_for_byte, test_the_list_has_the_newest_of_every_field_by_name,
        test_older_versions_are_kept_up_to_their_number,
        test_a_callback_that_fails_ends_the_list_with_its_code,
        test_a_citizen_has_only_so_many_fields, test_a_put_that_fails_stores_nothing);
    finish_store();
    return failed;
}
