#include <errno.h>

#include "test.h"

#include "vault/base/clock.h"

static int64_t instant(const char *text)
{
    int64_t instant_s = 0;
    assert_done(instant_parse(bytes_of_text(text), &instant_s, &test_error));
    return instant_s;
}

static struct date date(const char *text)
{
    struct date day = {0};
    assert_done(date_parse(bytes_of_text(text), &day, &test_error));
    return day;
}

static void test_instants_known_from_elsewhere(void **state)
{
    (void)state;
    const struct {
        int64_t instant_s;
        const char *text;
    } known[] = {
        {0, "1970-01-01T00:00:00Z"},
        {-1, "1969-12-31T23:59:59Z"},
        {951782399, "2000-02-28T23:59:59Z"},
        {951782400, "2000-02-29T00:00:00Z"},
        {951868800, "2000-03-01T00:00:00Z"},
        {1000000000, "2001-09-09T01:46:40Z"},
        {2147483648, "2038-01-19T03:14:08Z"},
        {-2203977600, "1900-02-28T00:00:00Z"},
        {-2203891200, "1900-03-01T00:00:00Z"}, /* 1900 had no 29 February */
        {-2208988800, "1900-01-01T00:00:00Z"},
        {-62135596800, "0001-01-01T00:00:00Z"},
        {253402300799, "9999-12-31T23:59:59Z"},
        {4107542399, "2100-02-28T23:59:59Z"},
        {4107542400, "2100-03-01T00:00:00Z"},
        {1709164800, "2024-02-29T00:00:00Z"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char text[INSTANT_CHARS + 1];
        instant_format(text, known[i].instant_s);
        assert_string_equal(text, known[i].text);
        assert_true(instant(known[i].text) == known[i].instant_s);
    }
}

static void test_every_day_of_400_years_comes_back(void **state)
{
    (void)state;
    struct date before = date_of_instant(instant("1799-12-31T00:00:00Z"));
    const int64_t start = instant("1800-01-01T00:00:00Z");
    for (int64_t day = 0; day < 146097; day++) {
        const int64_t first = start + day * 86400;
        const struct date here = date_of_instant(first);
        assert_true(instant_of_date(here) == first);
        assert_int_equal(date_compare(date_of_instant(first + 86399), here), 0);
        assert_int_equal(date_compare(before, here), -1);
        assert_int_equal(date_compare(here, before), 1);
        before = here;
    }
    assert_int_equal(before.year, 2199);
    assert_int_equal(before.month, 12);
    assert_int_equal(before.day, 31);
}

static void test_dates_that_do_not_exist_are_refused(void **state)
{
    (void)state;
    const char *const odd[] = {
        "2023-02-29",  "1900-02-29", "2100-02-29", "2024-02-30",
        "2024-04-31",  "2024-13-01", "2024-00-10", "2024-01-00",
        "2024-01-32",  "0000-01-01", "",           "2024-1-01",
        "2024-01-1",   "2024/01/01", "24-01-01",   " 2024-01-01",
        "2024-01-01 ", "2024-01-0a", "+024-01-01", "-024-01-01",
        "2024-01-01Z", "20240101",
    };
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        struct date day = {7, 7, 7};
        assert_fails(VAULT_INVALID, date_parse(bytes_of_text(odd[i]), &day, &test_error));
        assert_int_equal(day.year, 7);
    }
    struct date day = {0};
    assert_fails(VAULT_INVALID, date_parse(BYTES("2024-01-0\0"), &day, &test_error));
    assert_int_equal(date("2000-02-29").day, 29);
    assert_int_equal(date("0001-01-01").year, 1);
    assert_int_equal(date("9999-12-31").year, 9999);
}

static void test_a_date_in_an_instants_place_is_its_first_second(void **state)
{
    (void)state;
    static const char *const odd[] = {"2024-02-30", "2024-02-30T00:00:00Z", "2024-01-01T00:00",
                                      "",           "2024-01-01T",          "now"};
    int64_t instant_s = 0;
    assert_done(instant_or_date_parse(BYTES("1970-01-02"), &instant_s, &test_error));
    assert_int_equal(instant_s, 86400);
    assert_done(instant_or_date_parse(BYTES("1970-01-02T00:00:01Z"), &instant_s, &test_error));
    assert_int_equal(instant_s, 86401);
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        assert_fails(VAULT_INVALID,
                     instant_or_date_parse(bytes_of_text(odd[i]), &instant_s, &test_error));
        assert_int_equal(instant_s, 86401);
    }
}

static void test_instants_have_one_form(void **state)
{
    (void)state;
    const char *const odd[] = {
        "2024-01-01T00:00:00",       "2024-01-01 00:00:00Z",
        "2024-01-01t00:00:00Z",      "2024-01-01T00:00:00z",
        "2024-01-01T24:00:00Z",      "2024-01-01T00:60:00Z",
        "2024-01-01T00:00:60Z",      "2024-01-01T00:00:00.0Z",
        "2024-01-01T00:00:00+00:00", "2024-02-30T00:00:00Z",
        "2024-01-01T0a:00:00Z",      "",
        "2024-01-01T00:00:00Z\n",    "2024-01-01",
        "2024-01-01T00-00-00Z",
    };
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        int64_t instant_s = 7;
        assert_fails(VAULT_INVALID, instant_parse(bytes_of_text(odd[i]), &instant_s, &test_error));
        assert_int_equal(instant_s, 7);
    }
}

static void test_the_error_does_not_repeat_the_text(void **state)
{
    (void)state;
    struct date day;
    int64_t instant_s;
    assert_fails(VAULT_INVALID, date_parse(BYTES("MARKER"), &day, &test_error));
    assert_null(strstr(test_error.text, "MARKER"));
    assert_fails(VAULT_INVALID, instant_parse(BYTES("MARKER"), &instant_s, &test_error));
    assert_null(strstr(test_error.text, "MARKER"));
}

static void test_years_between_count_birthdays(void **state)
{
    (void)state;
    const struct {
        const char *from;
        const char *to;
        int years;
    } cases[] = {
        {"2010-06-15", "2025-06-14", 14},  {"2010-06-15", "2025-06-15", 15},
        {"2010-06-15", "2025-06-16", 15},  {"2008-02-29", "2023-02-28", 14},
        {"2008-02-29", "2023-03-01", 15},  {"2008-02-29", "2024-02-28", 15},
        {"2008-02-29", "2024-02-29", 16},  {"2000-12-31", "2001-01-01", 0},
        {"2024-01-01", "2024-01-01", 0},   {"2025-06-15", "2010-06-15", -15},
        {"1900-02-28", "2000-02-28", 100},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(date_years_between(date(cases[i].from), date(cases[i].to)),
                         cases[i].years);
}

static void test_months_between_count_whole_months(void **state)
{
    (void)state;
    const struct {
        const char *from;
        const char *to;
        int months;
    } cases[] = {
        {"2024-01-31", "2024-02-29", 0},  {"2024-01-31", "2024-03-01", 1},
        {"2024-01-15", "2024-02-14", 0},  {"2024-01-15", "2024-02-15", 1},
        {"2023-12-31", "2024-12-31", 12}, {"2024-03-15", "2024-01-15", -2},
        {"2024-03-14", "2024-01-15", -1}, {"2024-05-05", "2024-05-05", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(date_months_between(date(cases[i].from), date(cases[i].to)),
                         cases[i].months);
}

static void test_a_fixed_clock_stands_where_it_is_set(void **state)
{
    (void)state;
    _Atomic int64_t now_ms = 1999;
    const struct clock clock = clock_fixed(&now_ms);
    assert_int_equal(clock_now_ms(&clock), 1999);
    assert_int_equal(clock_now_s(&clock), 1);
    now_ms = 86400000;
    assert_int_equal(clock_now_s(&clock), 86400);
}

static void test_seconds_before_1970_are_rounded_down_too(void **state)
{
    (void)state;
    _Atomic int64_t now_ms = -1;
    const struct clock clock = clock_fixed(&now_ms);
    assert_int_equal(clock_now_s(&clock), -1);
    now_ms = -1000;
    assert_int_equal(clock_now_s(&clock), -1);
    now_ms = -1001;
    assert_int_equal(clock_now_s(&clock), -2);
}

static void test_the_systems_clocks_go_forward(void **state)
{
    (void)state;
    const int64_t wall = clock_now_ms(&clock_system);
    const int64_t mono = clock_monotonic_ms();
    assert_true(wall > 1700000000000);
    assert_true(clock_monotonic_ms() >= mono);
    const int64_t mono_ns = clock_monotonic_ns();
    assert_true(mono_ns / 1000000 >= mono);
    assert_true(clock_monotonic_ns() >= mono_ns);
    assert_true(clock_now_s(&clock_system) - wall / 1000 <= 60);
}

/* A condition of the wall clock would take such a deadline for one long past. */
static void test_a_wait_ends_by_the_clock_that_only_goes_forward(void **state)
{
    (void)state;
    pthread_cond_t condition;
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    clock_condition_init(&condition);
    const int64_t before_ms = clock_monotonic_ms();
    const struct timespec until = clock_deadline(30);
    int waited = 0;
    pthread_mutex_lock(&mutex);
    while (waited == 0)
        waited = pthread_cond_timedwait(&condition, &mutex, &until);
    pthread_mutex_unlock(&mutex);
    assert_int_equal(waited, ETIMEDOUT);
    assert_true(clock_monotonic_ms() >= before_ms + 30);
    pthread_cond_destroy(&condition);
}

int main(void)
{
    return TEST_RUN(
        test_instants_known_from_elsewhere, test_every_day_of_400_years_comes_back,
        test_dates_that_do_not_exist_are_refused,
        test_a_date_in_an_instants_place_is_its_first_second, test_instants_have_one_form,
        test_the_error_does_not_repeat_the_text, test_years_between_count_birthdays,
        test_months_between_count_whole_months, test_a_fixed_clock_stands_where_it_is_set,
        test_seconds_before_1970_are_rounded_down_too, test_the_systems_clocks_go_forward,
        test_a_wait_ends_by_the_clock_that_only_goes_forward);
}
