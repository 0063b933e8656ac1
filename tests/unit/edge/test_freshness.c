#include "edge/freshness.h"

#include "test.h"

#define START_S INT64_C(1804500000)

static struct freshness_now at(int64_t wall_s, int64_t monotonic_s)
{
    return (struct freshness_now){START_S + wall_s, 5000000 + monotonic_s * 1000};
}

static struct freshness start(int64_t anchored_s)
{
    return freshness_of(14400, 1800, START_S + anchored_s, at(0, 0));
}

static void test_it_is_fresh_then_late_then_stale_and_not_before(void **state)
{
    (void)state;
    const struct freshness f = start(0);
    assert_int_equal(freshness_state(&f, at(0, 0)), FRESHNESS_FRESH);
    assert_int_equal(freshness_state(&f, at(1800, 1800)), FRESHNESS_FRESH);
    assert_int_equal(freshness_state(&f, at(1801, 1801)), FRESHNESS_LATE);
    assert_int_equal(freshness_state(&f, at(14400, 14400)), FRESHNESS_LATE);
    assert_int_equal(freshness_state(&f, at(14401, 14401)), FRESHNESS_STALE);
}

static void test_an_anchor_makes_it_fresh_again(void **state)
{
    (void)state;
    struct freshness f = start(0);
    assert_int_equal(freshness_state(&f, at(20000, 20000)), FRESHNESS_STALE);
    freshness_anchor(&f, START_S + 20000, at(20000, 20000));
    assert_int_equal(freshness_state(&f, at(20000, 20000)), FRESHNESS_FRESH);
    assert_int_equal(freshness_age_s(&f, at(20060, 20060)), 60);
}

static void test_an_older_anchor_changes_nothing(void **state)
{
    (void)state;
    struct freshness f = start(0);
    freshness_anchor(&f, START_S - 5000, at(100, 100));
    assert_int_equal(freshness_age_s(&f, at(100, 100)), 100);
    freshness_anchor(&f, START_S + 40, at(100, 100));
    assert_int_equal(freshness_age_s(&f, at(100, 100)), 60);
}

static void test_what_was_remembered_counts_from_then(void **state)
{
    (void)state;
    const struct freshness f = start(-14000);
    assert_int_equal(freshness_state(&f, at(400, 400)), FRESHNESS_LATE);
    assert_int_equal(freshness_state(&f, at(401, 401)), FRESHNESS_STALE);
}

static void test_no_memory_reaches_into_the_future(void **state)
{
    (void)state;
    struct freshness f = start(1000000);
    assert_int_equal(freshness_age_s(&f, at(60, 60)), 60);
    freshness_anchor(&f, START_S + 1000000, at(60, 60));
    assert_int_equal(freshness_age_s(&f, at(120, 120)), 60);
}

static void test_setting_the_clock_back_keeps_nothing_fresh(void **state)
{
    (void)state;
    struct freshness f = start(0);
    assert_int_equal(freshness_state(&f, at(-86400, 14401)), FRESHNESS_STALE);
    /* and an anchor after it is one all the same */
    freshness_anchor(&f, START_S - 86400, at(-86400, 14401));
    assert_int_equal(freshness_state(&f, at(-86400, 14401)), FRESHNESS_FRESH);
}

static void test_setting_the_clock_forward_makes_it_stale(void **state)
{
    (void)state;
    const struct freshness f = start(0);
    assert_int_equal(freshness_state(&f, at(86400, 1)), FRESHNESS_STALE);
}

static void test_each_state_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(freshness_state_name(FRESHNESS_FRESH), "fresh");
    assert_string_equal(freshness_state_name(FRESHNESS_LATE), "late");
    assert_string_equal(freshness_state_name(FRESHNESS_STALE), "stale");
}

int main(void)
{
    return TEST_RUN(
        test_it_is_fresh_then_late_then_stale_and_not_before, test_an_anchor_makes_it_fresh_again,
        test_an_older_anchor_changes_nothing, test_what_was_remembered_counts_from_then,
        test_no_memory_reaches_into_the_future, test_setting_the_clock_back_keeps_nothing_fresh,
        test_setting_the_clock_forward_makes_it_stale, test_each_state_has_a_name);
}
