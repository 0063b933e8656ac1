/* The values of an open citizen that are kept beside its file: never other than what the file has.
 */
#include "citizen_path.h"

#include "store/internal.h"
#include "store/value_kept.h"

static const struct citizen_value_about about = {.version = 3, .as_of_s = 7, .source = "a test"};

static bool is_kept(const struct values_kept *kept, const char *field, const char *json)
{
    struct citizen_value_about found = {0};
    struct bytes text = {0};
    return value_kept(kept, field, &text, &found) && bytes_equal(text, bytes_of_text(json)) &&
           found.version == about.version && found.as_of_s == about.as_of_s &&
           strcmp(found.source, about.source) == 0;
}

static void test_what_is_kept_is_found_until_it_is_forgotten(void **state)
{
    (void)state;
    struct values_kept *kept = NULL;
    assert_false(is_kept(kept, "identity.name", "\"Testine\""));
    value_keep(&kept, "identity.name", bytes_of_text("\"Testine\""), &about);
    assert_true(is_kept(kept, "identity.name", "\"Testine\""));
    assert_false(is_kept(kept, "identity.nam", "\"Testine\""));
    assert_false(is_kept(kept, "", ""));
    values_forget(&kept);
    assert_null(kept);
    values_forget(&kept);
}

static void test_the_oldest_gives_way(void **state)
{
    (void)state;
    char field[16];
    struct values_kept *kept = NULL;
    for (unsigned i = 0; i <= VALUES_KEPT_MAX; i++) {
        snprintf(field, sizeof field, "field%u", i);
        value_keep(&kept, field, bytes_of_text("1"), &about);
    }
    assert_false(is_kept(kept, "field0", "1"));
    assert_true(is_kept(kept, "field1", "1"));
    assert_true(is_kept(kept, field, "1"));
    values_forget(&kept);
}

static void test_what_is_too_long_is_not_kept(void **state)
{
    (void)state;
    char field[CITIZEN_FIELD_CHARS + 2];
    uint8_t json[VALUE_KEPT_BYTES + 1];
    struct values_kept *kept = NULL;
    memset(json, '1', sizeof json);
    value_keep(&kept, "a", (struct bytes){json, sizeof json}, &about);
    memset(field, 'f', sizeof field - 1);
    field[sizeof field - 1] = 0;
    value_keep(&kept, field, bytes_of_text("1"), &about);
    assert_null(kept);
    value_keep(&kept, field + 1, (struct bytes){json, sizeof json - 1}, &about);
    assert_non_null(kept);
    values_forget(&kept);
}

static void test_that_there_is_none_is_kept_too(void **state)
{
    (void)state;
    struct citizen_value_about found;
    struct bytes text = bytes_of_text("something");
    struct values_kept *kept = NULL;
    value_keep(&kept, "identity.name", (struct bytes){0}, NULL);
    assert_true(value_kept(kept, "identity.name", &text, &found));
    assert_int_equal(text.size, 0);
    values_forget(&kept);
}

/* Nobody is asked for what nobody has in the same steps as somebody for what they have. */
static void test_nobodys_values_are_looked_for_once(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id nobody = citizen_id_new();
    struct citizen_value_about found;
    struct bytes text = {0};
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(100);
    struct citizen *citizen = hold(&nobody);
    assert_fails(VAULT_NOT_FOUND,
                 citizen_value_get(citizen, "identity.given_name", &json, NULL, &test_error));
    assert_true(value_kept(citizen->kept, "identity.given_name", &text, &found));
    assert_fails(VAULT_NOT_FOUND,
                 citizen_value_get(citizen, "identity.given_name", &json, NULL, &test_error));
    citizen_release(&citizen);
}

static void test_a_value_that_changed_is_read_as_it_is_now(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    struct citizen *citizen = hold(&ada);
    put(citizen, "identity.given_name", "\"Ada\"");
    assert_value(citizen, "identity.given_name", "\"Ada\"");
    assert_value(citizen, "identity.given_name", "\"Ada\"");
    put(citizen, "identity.given_name", "\"Ada Augusta\"");
    assert_value(citizen, "identity.given_name", "\"Ada Augusta\"");
    citizen_release(&citizen);
    citizen = hold(&ada);
    assert_value(citizen, "identity.given_name", "\"Ada Augusta\"");
    citizen_release(&citizen);
}

/* What a change reads while it is under way is its own, and goes with it. */
static void test_a_change_that_was_given_up_leaves_nothing(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    struct citizen *citizen = hold(&ada);
    put(citizen, "identity.given_name", "\"Ada\"");
    assert_value(citizen, "identity.given_name", "\"Ada\"");
    {
        VAULT_AUTO(citizen_rollback) struct citizen_change change = {0};
        assert_done(citizen_begin(citizen, &change, &test_error));
        put(citizen, "identity.given_name", "\"Grace\"");
        assert_value(citizen, "identity.given_name", "\"Grace\"");
    }
    assert_value(citizen, "identity.given_name", "\"Ada\"");
    citizen_release(&citizen);
}

int main(void)
{
    store_test_start();
    const int failed =
        TEST_RUN(test_what_is_kept_is_found_until_it_is_forgotten, test_the_oldest_gives_way,
                 test_that_there_is_none_is_kept_too, test_nobodys_values_are_looked_for_once,
                 test_what_is_too_long_is_not_kept, test_a_value_that_changed_is_read_as_it_is_now,
                 test_a_change_that_was_given_up_leaves_nothing);
    finish_store();
    return failed;
}
