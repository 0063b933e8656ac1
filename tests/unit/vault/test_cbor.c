/* What may be given to a library that reads CBOR, and what not. Examples are RFC 8949's, appendix
 * A.
 */
#include "test.h"
#include "vault/cbor.h"

#define BOUNDED(...)                                                                               \
    cbor_is_bounded(                                                                               \
        (struct bytes){(const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})})

static void test_whole_items_are_let_through(void **state)
{
    (void)state;
    assert_true(cbor_is_bounded((struct bytes){0}));
    assert_true(BOUNDED(0x00));
    assert_true(BOUNDED(0x18, 0x64));
    assert_true(BOUNDED(0x1b, 0, 0, 0, 0xe8, 0xd4, 0xa5, 0x10, 0));
    assert_true(BOUNDED(0x39, 0x03, 0xe7));
    assert_true(BOUNDED(0xf4));
    assert_true(BOUNDED(0xf9, 0x3c, 0x00));
    assert_true(BOUNDED(0x44, 1, 2, 3, 4));
    assert_true(BOUNDED(0x64, 'I', 'E', 'T', 'F'));
    assert_true(BOUNDED(0x80));
    assert_true(BOUNDED(0xa2, 0x61, 'a', 0x01, 0x61, 'b', 0x82, 0x02, 0x03));
    assert_true(BOUNDED(0x01, 0x80, 0xa0)); /* one behind the other */
}

static void test_what_says_it_has_more_than_there_is_is_not(void **state)
{
    (void)state;
    assert_false(BOUNDED(0x81));
    assert_false(BOUNDED(0x82, 0x01));
    assert_false(BOUNDED(0xa1, 0x01));
    assert_false(BOUNDED(0xa1, 0x01, 0x81));
    assert_false(BOUNDED(0x9a, 0x2e, 0, 0, 0, 0x01));
    assert_false(BOUNDED(0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01));
    assert_false(BOUNDED(0xbb, 0x80, 0, 0, 0, 0, 0, 0, 0x01, 0x01, 0x01));
    assert_false(BOUNDED(0x45, 1, 2, 3, 4));
    assert_false(BOUNDED(0x7b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 'x'));
}

static void test_a_head_that_is_cut_is_not(void **state)
{
    (void)state;
    assert_false(BOUNDED(0x18));
    assert_false(BOUNDED(0x19, 0x01));
    assert_false(BOUNDED(0x1a, 0, 0, 0));
    assert_false(BOUNDED(0x1b, 0, 0, 0, 0, 0, 0, 0));
}

static void test_lengths_left_open_and_tags_are_not(void **state)
{
    (void)state;
    assert_false(BOUNDED(0x9f, 0xff));
    assert_false(BOUNDED(0xbf, 0x01, 0x02, 0xff));
    assert_false(BOUNDED(0x5f, 0x41, 'x', 0xff));
    assert_false(BOUNDED(0x1c));
    assert_false(BOUNDED(0xc0, 0x01));
    assert_false(BOUNDED(0x81, 0xd8, 0x20, 0x01));
}

static void test_nesting_has_its_limit(void **state)
{
    (void)state;
    assert_true(BOUNDED(0x81, 0x81, 0x81, 0x81, 0x01));
    assert_false(BOUNDED(0x81, 0x81, 0x81, 0x81, 0x81, 0x01));
    assert_true(BOUNDED(0x81, 0x81, 0x81, 0x81, 0x80)); /* an empty one is not entered */
}

int main(void)
{
    return TEST_RUN(test_whole_items_are_let_through,
                    test_what_says_it_has_more_than_there_is_is_not, test_a_head_that_is_cut_is_not,
                    test_lengths_left_open_and_tags_are_not, test_nesting_has_its_limit);
}
