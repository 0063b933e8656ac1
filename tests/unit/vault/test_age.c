/* Who is under 15, under 18 and of age, to the second. */
#include "vault_test.h"

#include "vault/age.h"
#include "vault/parts.h"
#include "vault/person.h"
#include "vault/store/citizen_value.h"

static enum age on(const char *born, const char *instant)
{
    struct date date;
    int64_t now_s;
    assert_done(date_parse(bytes_of_text(born), &date, &test_error));
    assert_done(instant_parse(bytes_of_text(instant), &now_s, &test_error));
    return age_at(date, now_s);
}

static void test_a_birthday_comes_with_the_first_second_of_its_day(void **state)
{
    (void)state;
    assert_int_equal(on("2012-05-17", "2027-05-16T23:59:59Z"), AGE_CHILD);
    assert_int_equal(on("2012-05-17", "2027-05-17T00:00:00Z"), AGE_YOUTH);
    assert_int_equal(on("2012-05-17", "2030-05-16T23:59:59Z"), AGE_YOUTH);
    assert_int_equal(on("2012-05-17", "2030-05-17T00:00:00Z"), AGE_ADULT);
}

static void test_who_was_born_on_a_29_february_waits_for_the_1_march(void **state)
{
    (void)state;
    assert_int_equal(on("2012-02-29", "2027-02-28T23:59:59Z"), AGE_CHILD);
    assert_int_equal(on("2012-02-29", "2027-03-01T00:00:00Z"), AGE_YOUTH);
    assert_int_equal(on("2012-02-29", "2030-02-28T23:59:59Z"), AGE_YOUTH);
    assert_int_equal(on("2012-02-29", "2030-03-01T00:00:00Z"), AGE_ADULT);
}

static void test_the_day_of_birth_and_before_it_are_under_15(void **state)
{
    (void)state;
    assert_int_equal(on("2027-03-08", "2027-03-08T10:00:00Z"), AGE_CHILD);
    assert_int_equal(on("2029-03-08", "2027-03-08T10:00:00Z"), AGE_CHILD);
    assert_int_equal(on("1905-03-08", "2027-03-08T10:00:00Z"), AGE_ADULT);
}

static enum age age_in_file(const char *json)
{
    struct vault_test test;
    struct person *person = NULL;
    enum age age = AGE_ADULT;
    make_filled_vault(&test);
    {
        VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
        assert_done(person_hold(test.vault, &test.citizen, &citizen, &person, &test_error));
        if (json) {
            const struct citizen_value value = {AGE_BIRTH_FIELD, bytes_of_text(json),
                                                START_MS / 1000, "a test"};
            assert_done(citizen_value_put(citizen, &value, &test_error));
        }
        assert_done(age_of(citizen, START_MS / 1000, &age, &test_error));
    }
    vault_close(&test.vault);
    return age;
}

static void test_the_age_is_what_the_citizens_file_says(void **state)
{
    (void)state;
    assert_int_equal(age_in_file(NULL), AGE_ADULT); /* 1990-05-17 */
    assert_int_equal(age_in_file("\"2013-01-01\""), AGE_CHILD);
    assert_int_equal(age_in_file("\"2010-01-01\""), AGE_YOUTH);
}

static void test_what_is_no_birth_date_is_no_age(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "\"2013-02-30\"",   "\"2013-01\"",    "null", "20130101",    "\" 2013-01-01\"",
        "[\"2013-01-01\"]", "\"01.01.2013\"", "\"\"", "123456789012"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(age_in_file(texts[i]), AGE_UNKNOWN);
}

static void test_nobody_has_no_age(void **state)
{
    (void)state;
    struct vault_test test;
    struct person *person = NULL;
    enum age age = AGE_ADULT;
    const struct citizen_id nobody = citizen_id_new();
    make_filled_vault(&test);
    {
        VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
        assert_done(person_hold(test.vault, &nobody, &citizen, &person, &test_error));
        assert_done(age_of(citizen, START_MS / 1000, &age, &test_error));
    }
    assert_int_equal(age, AGE_UNKNOWN);
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(test_a_birthday_comes_with_the_first_second_of_its_day,
                    test_who_was_born_on_a_29_february_waits_for_the_1_march,
                    test_the_day_of_birth_and_before_it_are_under_15,
                    test_the_age_is_what_the_citizens_file_says,
                    test_what_is_no_birth_date_is_no_age, test_nobody_has_no_age);
}
