#include <pthread.h>

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

/* Whoever enters may be slower than the indexer: a head put after it was filed would stay for ever,
 * and enough of them would stop everything. */
static void test_a_head_that_was_filed_already_is_not_kept(void **state)
{
    (void)state;
    VAULT_AUTO(heads_free) struct heads *heads = make();
    forget(heads, 1, 100);
    put(heads, 1, 7, 100);
    assert_int_equal(get(heads, 1), 0);
    put(heads, 2, 3, 99);
    assert_int_equal(get(heads, 2), 0);
    put(heads, 1, 8, 101);
    assert_int_equal(get(heads, 1), 8);
}

static void test_an_older_head_does_not_move_back_what_was_filed(void **state)
{
    (void)state;
    VAULT_AUTO(heads_free) struct heads *heads = make();
    forget(heads, 1, 100);
    forget(heads, 1, 50);
    put(heads, 1, 7, 60);
    assert_int_equal(get(heads, 1), 0);
}

static struct citizen_id spread(uint32_t number)
{
    struct citizen_id id = {{0}};
    memcpy(id.bytes, &number, sizeof number);
    return id;
}

static void fill(struct heads *heads)
{
    const struct event_chain chain = {.n = 1};
    for (uint32_t i = 0; i < HEADS_MAX; i++) {
        const struct citizen_id id = spread(i);
        assert_done(heads_put(heads, &id, &chain, i, &test_error));
    }
}

static void test_one_citizen_more_than_there_is_room_for_is_refused_after_a_while(void **state)
{
    (void)state;
    const struct citizen_id more = spread(HEADS_MAX);
    const struct citizen_id first = spread(0);
    struct event_chain chain = {.n = 2};
    VAULT_AUTO(heads_free) struct heads *heads = make();
    fill(heads);
    assert_fails(VAULT_LIMITED, heads_put(heads, &more, &chain, HEADS_MAX, &test_error));
    assert_false(heads_get(heads, &more, &chain));
    assert_done(heads_put(heads, &first, &chain, HEADS_MAX, &test_error)); /* has its place */
    assert_true(heads_get(heads, &first, &chain));
}

static void *put_one_more(void *context)
{
    const struct citizen_id more = spread(HEADS_MAX);
    const struct event_chain chain = {.n = 1};
    struct vault_error err;
    static enum vault_code code;
    code = heads_put(context, &more, &chain, HEADS_MAX, &err);
    return &code;
}

static void test_who_waits_for_room_goes_on_when_there_is_some(void **state)
{
    (void)state;
    const struct citizen_id more = spread(HEADS_MAX);
    const struct citizen_id first = spread(0);
    struct event_chain chain;
    pthread_t thread;
    void *code;
    VAULT_AUTO(heads_free) struct heads *heads = make();
    fill(heads);
    assert_int_equal(pthread_create(&thread, NULL, put_one_more, heads), 0);
    heads_forget(heads, &first, 0);
    pthread_join(thread, &code);
    assert_int_equal(*(enum vault_code *)code, VAULT_OK);
    assert_true(heads_get(heads, &more, &chain));
    assert_false(heads_get(heads, &first, &chain));
}

static void test_every_citizen_has_a_head_of_its_own(void **state)
{
    (void)state;
    struct event_chain chain;
    VAULT_AUTO(heads_free) struct heads *heads = make();
    for (uint32_t i = 1; i <= 1000; i++)
        put(heads, i, i, i);
    for (uint32_t i = 1; i <= 1000; i++) {
        const struct citizen_id id = citizen(i);
        assert_true(heads_get(heads, &id, &chain));
        assert_int_equal(chain.n, i);
        assert_int_equal(chain.leaf.bytes[0], i & 0xff);
    }
    const struct citizen_id nobody = citizen(1001);
    assert_false(heads_get(heads, &nobody, &chain));
}

int main(void)
{
    return TEST_RUN(test_a_head_that_was_filed_already_is_not_kept,
                    test_an_older_head_does_not_move_back_what_was_filed,
                    test_one_citizen_more_than_there_is_room_for_is_refused_after_a_while,
                    test_who_waits_for_room_goes_on_when_there_is_some,
                    test_every_citizen_has_a_head_of_its_own,
                    test_a_head_is_found_until_it_is_forgotten,
                    test_a_newer_head_stays_when_an_older_one_is_filed,
                    test_forgetting_one_loses_no_other_of_the_same_place,
                    test_forgetting_what_is_not_there_changes_nothing);
}
