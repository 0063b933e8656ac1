/* What is worth a second look: a first one, many more than usual, and what was not allowed. */
#include "vault_test.h"

#include "vault/vault/alert.h"

#define DAY_MS (24LL * 60 * 60 * 1000)

static struct vault_test test;

struct told {
    unsigned of[ALERT_KIND_COUNT];
    struct alert last[ALERT_KIND_COUNT];
};

static void hear(void *context, const struct alert *alert)
{
    struct told *told = context;
    assert_string_equal(alert->service, CASEWORKER);
    told->of[alert->kind]++;
    told->last[alert->kind] = *alert;
    told->last[alert->kind].service = NULL;
}

static struct told alerts(void)
{
    struct told told = {0};
    assert_done(alert_list(test.vault, &test.citizen, hear, &told, &test_error));
    return told;
}

static void ask(unsigned times)
{
    char subject[SUBJECT_CHARS + 1];
    subject_of_citizen(&test, subject);
    while (times-- > 0)
        json_decref(ask_release(&test, subject));
}

static void test_nothing_happened_and_nothing_is_told(void **state)
{
    (void)state;
    make_filled_vault(&test);
    give_consent(&test, CONSENT_UNLIMITED);
    const struct told told = alerts();
    assert_int_equal(told.of[ALERT_FIRST] + told.of[ALERT_MANY] + told.of[ALERT_DENIED], 0);
    vault_close(&test.vault);
}

static void test_a_first_look_is_told_for_a_month(void **state)
{
    (void)state;
    make_filled_vault(&test);
    give_consent(&test, CONSENT_UNLIMITED);
    ask(1);
    const int64_t first_s = test.now_ms / 1000;
    test.now_ms += DAY_MS;
    ask(2);
    struct told told = alerts();
    assert_int_equal(told.of[ALERT_FIRST], 1);
    assert_int_equal(told.last[ALERT_FIRST].at_s, first_s);
    assert_int_equal(told.of[ALERT_DENIED], 0);
    test.now_ms += (ALERT_RECENT_DAYS - 1) * DAY_MS;
    told = alerts();
    assert_int_equal(told.of[ALERT_FIRST], 0);
    vault_close(&test.vault);
}

static void test_what_was_refused_is_counted(void **state)
{
    (void)state;
    make_filled_vault(&test);
    ask(3);
    test.now_ms += DAY_MS;
    ask(1);
    struct told told = alerts();
    assert_int_equal(told.of[ALERT_DENIED], 1);
    assert_int_equal(told.last[ALERT_DENIED].count, 4);
    assert_int_equal(told.last[ALERT_DENIED].at_s, test.now_ms / 1000);
    test.now_ms += ALERT_RECENT_DAYS * DAY_MS;
    told = alerts();
    assert_int_equal(told.of[ALERT_DENIED], 0);
    vault_close(&test.vault);
}

static void test_many_more_than_usual_is_told(void **state)
{
    (void)state;
    make_filled_vault(&test);
    for (int week = 0; week < ALERT_WEEKS; week++) {
        ask(2);
        test.now_ms += 7 * DAY_MS;
    }
    ask(ALERT_MANY_LEAST - 1);
    assert_int_equal(alerts().of[ALERT_MANY], 0);
    ask(1);
    const struct told told = alerts();
    assert_int_equal(told.of[ALERT_MANY], 1);
    assert_int_equal(told.last[ALERT_MANY].count, ALERT_MANY_LEAST);
    assert_int_equal(told.last[ALERT_MANY].usual, 2);
    vault_close(&test.vault);
}

static void test_many_as_always_is_not(void **state)
{
    (void)state;
    make_filled_vault(&test);
    for (int week = 0; week < ALERT_WEEKS; week++) {
        ask(ALERT_MANY_LEAST / 2);
        test.now_ms += 7 * DAY_MS;
    }
    ask(ALERT_MANY_LEAST + 2);
    assert_int_equal(alerts().of[ALERT_MANY], 0);
    vault_close(&test.vault);
}

static void test_who_is_not_there_is_not_found(void **state)
{
    (void)state;
    struct told told = {0};
    const struct citizen_id nobody = citizen_id_new();
    make_filled_vault(&test);
    assert_fails(VAULT_NOT_FOUND, alert_list(test.vault, &nobody, hear, &told, &test_error));
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(test_nothing_happened_and_nothing_is_told,
                    test_a_first_look_is_told_for_a_month, test_what_was_refused_is_counted,
                    test_many_more_than_usual_is_told, test_many_as_always_is_not,
                    test_who_is_not_there_is_not_found);
}
