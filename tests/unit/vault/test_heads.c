#include "test.h"
#include "vault/heads.h"

static struct citizen_id citizen(uint32_t number)
{
    struct citizen_id id = {{0}};
    /* All have the same first bytes, so that they crowd into one place of the table. */
    memcpy(id.bytes + 8, &number, sizeof number);
    return id;
}

static struct heads *make(void)
{
    struct heads *heads = NULL;
    assert_done(heads_new(&heads, &test_error));
    return heads;
}

static void put(struct heads *heads, uint32_t number, uint64_t n, uint64_t index)
{
    const struct citizen_id id = citizen(number);
    const struct event_chain chain = {.n = n, .leaf = {{(uint8_t)number}}};
    assert_done(heads_put(heads, &id, &chain, index, &test_error));
}

static uint64_t get(struct heads *heads, uint32_t number)
{
    const struct citizen_id id = citizen(number);
    struct event_chain chain;
    return heads_get(heads, &id, &chain) ? chain.n : 0;
}

static void forget(struct heads *heads, uint32_t number, uint64_t index)
{
    const struct citizen_id id = citizen(number);
    heads_forget(heads, &id, index);
}

static void test_a_head_is_found_until_it_is_forgotten(void **state)
{
    (void)state;
    VAULT_AUTO(heads_free) struct heads *heads = make();
    assert_int_equal(get(heads, 1), 0);
    put(heads, 1, 7, 100);
    assert_int_equal(get(heads, 1), 7);
    forget(heads, 1, 100);
    assert_int_equal(get(heads, 1), 0);
}

static void test_a_newer_head_stays_when_an_older_one_is_filed(void **state)
{
    (void)state;
    VAULT_AUTO(heads_free) struct heads *heads = make();
    put(heads, 1, 1, 100);
    put(heads, 1, 2, 105);
    forget(heads, 1, 100);
    assert_int_equal(get(heads, 1), 2);
}

static void test_forgetting_one_loses_no_other_of_the_same_place(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    VAULT_AUTO(heads_free) struct heads *heads = make();
    for (uint32_t i = 0; i < COUNT; i++)
        put(heads, i, i + 1, i);
    for (uint32_t i = 0; i < COUNT; i += 3)
        forget(heads, i, i);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(get(heads, i), i % 3 ? i + 1 : 0);
}

static void test_forgetting_what_is_not_there_changes_nothing(void **state)
{
    (void)state;
    VAULT_AUTO(heads_free) struct heads *heads = make();
    put(heads, 1, 1, 1);
    forget(heads, 2, 9);
    assert_int_equal(get(heads, 1), 1);
}

int main(void)
{
    return TEST_RUN(test_a_head_is_found_until_it_is_forgotten,
                    test_a_newer_head_stays_when_an_older_one_is_filed,
                    test_forgetting_one_loses_no_other_of_the_same_place,
                    test_forgetting_what_is_not_there_changes_nothing);
}
