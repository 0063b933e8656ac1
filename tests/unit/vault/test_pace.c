#include "vault/pace.h"

#include "test.h"

#define ADA BYTES("ada")
#define BOB BYTES("bob")

static struct pace *pace;
static int64_t wait_ms;

static void begin(size_t room)
{
    wait_ms = -1;
    assert_done(pace_new(room, &pace, &test_error));
}

static bool take(struct bytes key, int64_t per_minute, int64_t amount, int64_t now_ms)
{
    return pace_take(pace, key, per_minute, amount, now_ms, &wait_ms);
}

static void test_a_minute_s_worth_is_there_at_once_and_then_comes_with_time(void **state)
{
    (void)state;
    begin(4);
    for (int i = 0; i < 6; i++)
        assert_true(take(ADA, 6, 1, 1000));
    assert_false(take(ADA, 6, 1, 1000));
    assert_int_equal(wait_ms, 10000);
    assert_false(take(ADA, 6, 1, 10999));
    assert_int_equal(wait_ms, 1);
    assert_true(take(ADA, 6, 1, 11000));
    assert_false(take(ADA, 6, 1, 11000));
    pace_free(&pace);
}

static void test_a_bucket_does_not_fill_beyond_its_minute(void **state)
{
    (void)state;
    begin(4);
    assert_true(take(ADA, 2, 1, 0));
    for (int i = 0; i < 2; i++)
        assert_true(take(ADA, 2, 1, 100L * 365 * 86400 * 1000));
    assert_false(take(ADA, 2, 1, 100L * 365 * 86400 * 1000));
    pace_free(&pace);
}

static void test_each_has_their_own(void **state)
{
    (void)state;
    begin(4);
    assert_true(take(ADA, 1, 1, 0));
    assert_false(take(ADA, 1, 1, 0));
    assert_true(take(BOB, 1, 1, 0));
    pace_free(&pace);
}

static void test_a_debt_is_waited_for(void **state)
{
    (void)state;
    begin(4);
    assert_true(take(ADA, 60, 1, 0));
    pace_owe(pace, ADA, 60, 99, 0);
    assert_false(take(ADA, 60, 1, 0));
    assert_int_equal(wait_ms, 41000);
    assert_false(take(ADA, 60, 1, 40999));
    assert_true(take(ADA, 60, 1, 41000));
    pace_free(&pace);
}

static void test_what_is_returned_can_be_taken_again(void **state)
{
    (void)state;
    begin(4);
    assert_true(take(ADA, 1, 1, 0));
    pace_return(pace, ADA, 1);
    assert_true(take(ADA, 1, 1, 0));
    assert_false(take(ADA, 1, 1, 0));
    pace_return(pace, BOB, 1); /* who never took */
    pace_free(&pace);
}

static void test_newcomers_wait_until_a_bucket_is_full_again(void **state)
{
    (void)state;
    begin(2);
    assert_true(take(ADA, 1, 1, 0));
    assert_true(take(BOB, 1, 1, 0));
    assert_false(take(BYTES("eve"), 1, 1, 59999));
    assert_true(take(BYTES("eve"), 1, 1, 60000));
    assert_false(take(BYTES("eve"), 1, 1, 60000));
    pace_free(&pace);
}

static void test_the_largest_rate_does_not_overflow(void **state)
{
    (void)state;
    begin(1);
    assert_true(take(ADA, PACE_PER_MINUTE_MAX, PACE_PER_MINUTE_MAX, 0));
    assert_false(take(ADA, PACE_PER_MINUTE_MAX, 1, 0));
    assert_true(take(ADA, PACE_PER_MINUTE_MAX, 1, INT64_MAX / 4));
    pace_free(&pace);
}

int main(void)
{
    return TEST_RUN(test_a_minute_s_worth_is_there_at_once_and_then_comes_with_time,
                    test_a_bucket_does_not_fill_beyond_its_minute, test_each_has_their_own,
                    test_a_debt_is_waited_for, test_what_is_returned_can_be_taken_again,
                    test_newcomers_wait_until_a_bucket_is_full_again,
                    test_the_largest_rate_does_not_overflow);
}
