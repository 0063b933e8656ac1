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

static bool see(void *context, const struct history_event *event)
{
    alert_see(context, event);
    return false;
}

static struct told alerts(void)
{
    struct told told = {0};
    struct alert_watch watch = {.now_s = test.now_ms / 1000};
    assert_done(history_find(test.vault, &test.citizen, 0, ALERT_EVENTS_MAX, see, NULL, &watch,
                             &test_error));
    alert_tell(&watch, hear, &told);
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

static size_t counted(void)
{
    size_t count = 99;
    assert_done(alert_count(test.vault, &test.citizen, &count, &test_error));
    return count;
}

static void test_how_many_there_are_follows_what_happens_and_the_time(void **state)
{
    (void)state;
    size_t count = 99;
    make_filled_vault(&test);
    assert_int_equal(counted(), 0);
    ask(1);
    assert_int_equal(counted(), 2); /* a first look, and a refusal */
    assert_int_equal(counted(), 2); /* as it is kept */
    test.now_ms += ALERT_RECENT_DAYS * DAY_MS;
    assert_int_equal(counted(), 0);
    test.citizen = citizen_id_new();
    assert_fails(VAULT_NOT_FOUND, alert_count(test.vault, &test.citizen, &count, &test_error));
    assert_int_equal(count, 99);
    vault_close(&test.vault);
}

static struct history_event look_at(int64_t time_ms, const char *service)
{
    return (struct history_event){
        .event = ENTRY_RELEASE, .time_ms = time_ms, .service = bytes_of_text(service)};
}

static void count_first(void *context, const struct alert *alert)
{
    *(unsigned *)context += alert->kind == ALERT_FIRST;
}

/* Where as much was seen as there may be, all of it new, nothing says what was before. */
static void test_what_may_be_older_is_not_called_first(void **state)
{
    (void)state;
    unsigned firsts = 0;
    struct alert_watch watch = {.now_s = 1000000};
    const struct history_event event = look_at(999999000, "one");
    for (size_t i = 0; i < ALERT_EVENTS_MAX; i++)
        alert_see(&watch, &event);
    alert_tell(&watch, count_first, &firsts);
    assert_int_equal(firsts, 0);
}

static void test_services_have_a_limit(void **state)
{
    (void)state;
    unsigned firsts = 0;
    struct alert_watch watch = {.now_s = 1000000};
    for (size_t i = 0; i < ALERT_SERVICES_MAX + 5; i++) {
        char service[16];
        snprintf(service, sizeof service, "service-%zu", i);
        const struct history_event event = look_at(999999000, service);
        alert_see(&watch, &event);
    }
    alert_tell(&watch, count_first, &firsts);
    assert_int_equal(firsts, ALERT_SERVICES_MAX);
}

int main(void)
{
    return TEST_RUN(test_nothing_happened_and_nothing_is_told,
                    test_a_first_look_is_told_for_a_month, test_what_was_refused_is_counted,
                    test_many_more_than_usual_is_told, test_many_as_always_is_not,
                    test_how_many_there_are_follows_what_happens_and_the_time,
                    test_what_may_be_older_is_not_called_first, test_services_have_a_limit);
}
