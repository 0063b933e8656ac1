#include "store_test.h"

#include "vault/store/figures.h"
#include "vault/store/openings.h"

static struct figures_row listed[8];
static size_t listed_count;

static struct figures_row row(int32_t day, unsigned event, const char *service, uint64_t count)
{
    struct figures_row out = {.day = day, .event = event, .count = count};
    snprintf(out.service, sizeof out.service, "%s", service);
    return out;
}

static enum vault_code take(void *context, const struct figures_row *given, struct vault_error *err)
{
    (void)context;
    (void)err;
    assert_true(listed_count < sizeof listed / sizeof listed[0]);
    listed[listed_count++] = *given;
    return VAULT_OK;
}

static void list(int32_t from, int32_t to)
{
    listed_count = 0;
    assert_done(figures_list(store, from, to, take, NULL, &test_error));
}

static uint64_t position(void)
{
    uint64_t next = 99;
    assert_done(figures_position(store, &next, &test_error));
    return next;
}

static void assert_listed(size_t i, int32_t day, unsigned event, const char *service,
                          uint64_t count)
{
    assert_int_equal(listed[i].day, day);
    assert_int_equal(listed[i].event, event);
    assert_string_equal(listed[i].service, service);
    assert_int_equal(listed[i].count, count);
}

static void test_what_is_counted_adds_up_and_is_given_in_order(void **state)
{
    (void)state;
    fresh_store();
    const struct figures_row first[] = {row(11, 1, "library", 2), row(10, 0, "", 5)};
    const struct figures_row second[] = {row(11, 1, "library", 3), row(11, 1, "", 1)};
    assert_int_equal(position(), 0);
    assert_done(figures_add(store, first, 2, 0, 7, &test_error));
    assert_done(figures_add(store, second, 2, 7, 11, &test_error));
    assert_int_equal(position(), 11);
    list(10, 11);
    assert_int_equal(listed_count, 3);
    assert_listed(0, 10, 0, "", 5);
    assert_listed(1, 11, 1, "", 1);
    assert_listed(2, 11, 1, "library", 5);
    list(11, 11);
    assert_int_equal(listed_count, 2);
    list(12, 99);
    assert_int_equal(listed_count, 0);
    list(11, 10);
    assert_int_equal(listed_count, 0);
}

static void test_nothing_is_counted_twice(void **state)
{
    (void)state;
    fresh_store();
    const struct figures_row rows[] = {row(10, 0, "", 5)};
    assert_done(figures_add(store, rows, 1, 0, 5, &test_error));
    assert_fails(VAULT_CONFLICT, figures_add(store, rows, 1, 0, 5, &test_error));
    assert_fails(VAULT_CONFLICT, figures_add(store, rows, 1, 6, 8, &test_error));
    assert_fails(VAULT_INVALID, figures_add(store, rows, 1, 5, 4, &test_error));
    assert_fails(VAULT_INVALID, figures_add(store, rows, FIGURES_BATCH_MAX + 1, 5, 6, &test_error));
    list(0, 99);
    assert_int_equal(listed_count, 1);
    assert_listed(0, 10, 0, "", 5);
    assert_int_equal(position(), 5);
}

static void test_a_batch_without_anything_to_count_moves_the_position(void **state)
{
    (void)state;
    fresh_store();
    assert_done(figures_add(store, NULL, 0, 0, 5, &test_error));
    assert_int_equal(position(), 5);
}

static void test_figures_stay_when_the_store_is_opened_again(void **state)
{
    (void)state;
    fresh_store();
    const struct figures_row rows[] = {row(10, 0, "library", 5)};
    assert_done(figures_add(store, rows, 1, 0, 5, &test_error));
    reopen_store();
    list(0, 99);
    assert_int_equal(listed_count, 1);
    assert_int_equal(position(), 5);
}

static void test_building_the_index_again_counts_again(void **state)
{
    (void)state;
    fresh_store();
    const struct figures_row rows[] = {row(10, 0, "library", 5)};
    assert_done(figures_add(store, rows, 1, 0, 5, &test_error));
    assert_done(openings_reset(store, &test_error));
    list(0, 99);
    assert_int_equal(listed_count, 0);
    assert_int_equal(position(), 0);
}

static enum vault_code refuse(void *context, const struct figures_row *given,
                              struct vault_error *err)
{
    (void)context;
    (void)given;
    return vault_fail(err, VAULT_LIMITED, "enough");
}

static void test_a_reader_may_end_the_list(void **state)
{
    (void)state;
    fresh_store();
    const struct figures_row rows[] = {row(10, 0, "library", 5)};
    assert_done(figures_add(store, rows, 1, 0, 5, &test_error));
    assert_fails(VAULT_LIMITED, figures_list(store, 0, 99, refuse, NULL, &test_error));
}

int main(void)
{
    store_test_start();
    const int failed =
        TEST_RUN(test_what_is_counted_adds_up_and_is_given_in_order, test_nothing_is_counted_twice,
                 test_a_batch_without_anything_to_count_moves_the_position,
                 test_figures_stay_when_the_store_is_opened_again,
                 test_building_the_index_again_counts_again, test_a_reader_may_end_the_list);
    finish_store();
    return failed;
}
