#include "test.h"
#include "vault/vault/ulid.h"

static void test_the_time_is_in_front_and_readable(void **state)
{
    (void)state;
    char id[ULID_CHARS + 1];
    ulid_new(id, 1469918176385); /* the example of the ULID specification */
    assert_memory_equal(id, "01ARYZ6S41", 10);
    assert_int_equal(strlen(id), ULID_CHARS);
}

static void test_later_ids_sort_behind_earlier_ones(void **state)
{
    (void)state;
    char earlier[ULID_CHARS + 1];
    char later[ULID_CHARS + 1];
    for (int64_t ms = 1; ms < (int64_t)1 << 46; ms *= 3) {
        ulid_new(earlier, ms);
        ulid_new(later, ms + 1);
        assert_true(strcmp(earlier, later) < 0);
    }
}

static void test_two_of_one_millisecond_differ(void **state)
{
    (void)state;
    char a[ULID_CHARS + 1];
    char b[ULID_CHARS + 1];
    ulid_new(a, 5);
    ulid_new(b, 5);
    assert_string_not_equal(a, b);
}

static void test_only_letters_of_the_alphabet_appear(void **state)
{
    (void)state;
    char id[ULID_CHARS + 1];
    for (int i = 0; i < 200; i++) {
        ulid_new(id, 1804500000000 + i);
        assert_int_equal(strspn(id, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), ULID_CHARS);
    }
}

int main(void)
{
    return TEST_RUN(test_the_time_is_in_front_and_readable, test_later_ids_sort_behind_earlier_ones,
                    test_two_of_one_millisecond_differ, test_only_letters_of_the_alphabet_appear);
}
