#include "store_test.h"

#include "vault/store/openings.h"

static struct openings_row opening_of(const struct citizen_id *citizen, uint64_t n, uint64_t index)
{
    return (struct openings_row){.citizen = *citizen,
                                 .n = n,
                                 .index = index,
                                 .time_ms = NOW_S * 1000LL + (int64_t)index,
                                 .leaf = {(uint8_t)index, 0xee},
                                 .sealed = BYTES("sealed")};
}

static void add(const struct openings_row openings[], size_t count, uint64_t next_index)
{
    assert_done(openings_add(store, openings, count, next_index, &test_error));
}

static uint64_t position(void)
{
    uint64_t next_index = 77;
    assert_done(openings_position(store, &next_index, &test_error));
    return next_index;
}

static uint64_t head(const struct citizen_id *citizen, uint8_t *first_of_leaf)
{
    uint64_t n = 77;
    uint8_t leaf[SHA256_BYTES];
    memset(leaf, 0x77, sizeof leaf);
    assert_done(openings_head(store, citizen, &n, leaf, &test_error));
    *first_of_leaf = leaf[0];
    return n;
}

static enum vault_code gather(void *context, const struct openings_row *opening,
                              struct vault_error *err)
{
    (void)err;
    struct buf *text = context;
    buf_format(text, "%llu@%llu:", (unsigned long long)opening->n,
               (unsigned long long)opening->index);
    buf_bytes(text, opening->sealed);
    buf_byte(text, ' ');
    assert_int_equal(opening->leaf[0], (uint8_t)opening->index);
    assert_int_equal(opening->leaf[1], 0xee);
    assert_int_equal(opening->time_ms, NOW_S * 1000LL + (int64_t)opening->index);
    return VAULT_OK;
}

static void assert_list(const struct citizen_id *citizen, uint64_t before_n, size_t limit,
                        const char *expected)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(1000);
    assert_done(openings_list(store, citizen, before_n, limit, gather, &text, &test_error));
    assert_string_equal(text.size ? buf_string(&text) : "", expected);
}

static void test_a_batch_moves_the_position_and_the_heads(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = citizen_id_new();
    const struct citizen_id grace = citizen_id_new();
    uint8_t leaf = 1;
    assert_int_equal(position(), 0);
    assert_int_equal(head(&ada, &leaf), 0);
    assert_int_equal(leaf, 0);
    const struct openings_row batch[] = {opening_of(&ada, 1, 0), opening_of(&grace, 1, 2),
                                         opening_of(&ada, 2, 3)};
    add(batch, 3, 5);
    assert_int_equal(position(), 5);
    assert_int_equal(head(&ada, &leaf), 2);
    assert_int_equal(leaf, 3);
    assert_int_equal(head(&grace, &leaf), 1);
    assert_int_equal(leaf, 2);
    reopen_store();
    assert_int_equal(position(), 5);
    assert_int_equal(head(&ada, &leaf), 2);
}

static void test_a_stretch_without_openings_moves_the_position(void **state)
{
    (void)state;
    fresh_store();
    add(NULL, 0, 9);
    add(NULL, 0, 9);
    assert_int_equal(position(), 9);
}

static void test_a_citizens_openings_come_newest_first_in_pages(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = citizen_id_new();
    const struct citizen_id grace = citizen_id_new();
    struct openings_row batch[6];
    for (uint64_t i = 0; i < 6; i++)
        batch[i] = opening_of(i % 2 ? &grace : &ada, i / 2 + 1, i);
    add(batch, 6, 6);
    assert_list(&ada, 0, 100, "3@4:sealed 2@2:sealed 1@0:sealed ");
    assert_list(&ada, 0, 2, "3@4:sealed 2@2:sealed ");
    assert_list(&ada, 2, 2, "1@0:sealed ");
    assert_list(&ada, 1, 2, "");
    assert_list(&grace, 0, 1, "3@5:sealed ");
    const struct citizen_id stranger = citizen_id_new();
    assert_list(&stranger, 0, 100, "");
}

static void test_an_opening_is_got_by_its_entry(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = citizen_id_new();
    const struct openings_row one = opening_of(&ada, 1, 3);
    add(&one, 1, 4);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(1000);
    assert_done(openings_get(store, 3, gather, &text, &test_error));
    assert_string_equal(buf_string(&text), "1@3:sealed ");
    assert_fails(VAULT_NOT_FOUND, openings_get(store, 0, gather, &text, &test_error));
    assert_fails(VAULT_NOT_FOUND, openings_get(store, UINT64_MAX, gather, &text, &test_error));
}

static void test_what_was_taken_in_is_not_taken_in_again(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = citizen_id_new();
    const struct openings_row one = opening_of(&ada, 1, 3);
    add(&one, 1, 4);
    assert_fails(VAULT_CONFLICT, openings_add(store, NULL, 0, 3, &test_error));
    assert_fails(VAULT_INVALID, openings_add(store, &one, 1, 5, &test_error));
    assert_int_equal(position(), 4);
}

static void test_openings_out_of_order_or_place_are_refused_whole(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = citizen_id_new();
    const struct openings_row swapped[] = {opening_of(&ada, 1, 4), opening_of(&ada, 2, 3)};
    const struct openings_row twice[] = {opening_of(&ada, 1, 3), opening_of(&ada, 2, 3)};
    const struct openings_row past[] = {opening_of(&ada, 1, 3), opening_of(&ada, 2, 9)};
    const struct openings_row gap[] = {opening_of(&ada, 1, 3), opening_of(&ada, 3, 4)};
    const struct openings_row again[] = {opening_of(&ada, 1, 3), opening_of(&ada, 1, 4)};
    const struct openings_row *const batches[] = {swapped, twice, past, gap, again};
    uint8_t leaf = 0;
    for (size_t i = 0; i < 5; i++) {
        assert_fails(VAULT_INVALID, openings_add(store, batches[i], 2, 9, &test_error));
        assert_int_equal(position(), 0);
        assert_int_equal(head(&ada, &leaf), 0);
        assert_list(&ada, 0, 10, "");
    }
    const struct openings_row zeroth = opening_of(&ada, 0, 3);
    assert_fails(VAULT_INVALID, openings_add(store, &zeroth, 1, 9, &test_error));
}

static void test_each_head_moves_over_its_own_openings_of_a_batch(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = citizen_id_new();
    const struct citizen_id bo = citizen_id_new();
    const struct openings_row batch[] = {opening_of(&bo, 1, 2), opening_of(&ada, 1, 3),
                                         opening_of(&bo, 2, 4), opening_of(&ada, 2, 5),
                                         opening_of(&bo, 3, 7)};
    const struct openings_row after[] = {opening_of(&ada, 3, 8), opening_of(&bo, 4, 9),
                                         opening_of(&ada, 5, 10)};
    uint8_t leaf = 0;
    add(batch, 5, 8);
    assert_int_equal(head(&ada, &leaf), 2);
    assert_int_equal(leaf, 5);
    assert_int_equal(head(&bo, &leaf), 3);
    assert_int_equal(leaf, 7);
    assert_fails(VAULT_INVALID, openings_add(store, after, 3, 11, &test_error));
    assert_int_equal(head(&bo, &leaf), 3);
    assert_list(&bo, 0, 10, "3@7:sealed 2@4:sealed 1@2:sealed ");
}

static void test_the_first_known_opening_may_have_any_number(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = citizen_id_new();
    const struct openings_row batch[] = {opening_of(&ada, 41, 3), opening_of(&ada, 42, 4)};
    uint8_t leaf = 0;
    add(batch, 2, 5);
    assert_int_equal(head(&ada, &leaf), 42);
}

static void test_a_count_may_leap_over_a_gap_and_nowhere_else(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = citizen_id_new();
    const struct openings_row first[] = {opening_of(&ada, 1, 0), opening_of(&ada, 2, 1)};
    const struct openings_row back = opening_of(&ada, 2, 11);
    const struct openings_row later[] = {opening_of(&ada, 7, 12), opening_of(&ada, 8, 13)};
    const struct openings_row leap = opening_of(&ada, 10, 14);
    add(first, 2, 2);
    assert_fails(VAULT_CONFLICT, openings_skip(store, 1, &test_error));
    assert_fails(VAULT_INVALID, openings_add(store, later, 2, 14, &test_error));
    assert_done(openings_skip(store, 10, &test_error));
    assert_int_equal(position(), 10);
    assert_fails(VAULT_INVALID, openings_add(store, &back, 1, 12, &test_error));
    add(later, 2, 14);
    assert_fails(VAULT_INVALID, openings_add(store, &leap, 1, 15, &test_error));
    assert_list(&ada, 0, 10, "8@13:sealed 7@12:sealed 2@1:sealed 1@0:sealed ");
    reopen_store();
    assert_list(&ada, 7, 10, "2@1:sealed 1@0:sealed ");
    finish_store();
}

static void test_openings_over_their_limits_are_refused(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = citizen_id_new();
    static uint8_t large[OPENINGS_SEALED_MAX_BYTES + 1];
    struct openings_row one = opening_of(&ada, 1, 0);
    one.sealed = (struct bytes){large, sizeof large};
    assert_fails(VAULT_TOO_LARGE, openings_add(store, &one, 1, 1, &test_error));
    one.sealed = (struct bytes){large, 0};
    assert_fails(VAULT_INVALID, openings_add(store, &one, 1, 1, &test_error));
    assert_fails(VAULT_TOO_LARGE,
                 openings_add(store, &one, OPENINGS_BATCH_MAX + 1, 1, &test_error));
    assert_fails(VAULT_TOO_LARGE, openings_add(store, NULL, 0, UINT64_MAX, &test_error));
    one.sealed = (struct bytes){large, sizeof large - 1};
    add(&one, 1, 1);
}

static void test_pruning_removes_the_oldest_and_keeps_the_heads(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = citizen_id_new();
    struct openings_row batch[6];
    uint64_t gone = 77;
    uint8_t leaf = 0;
    for (uint64_t i = 0; i < 6; i++)
        batch[i] = opening_of(&ada, i + 1, i);
    add(batch, 6, 6);
    assert_done(openings_prune(store, 5, 3, &gone, &test_error));
    assert_int_equal(gone, 3);
    assert_list(&ada, 0, 10, "6@5:sealed 5@4:sealed 4@3:sealed ");
    assert_done(openings_prune(store, 5, 3, &gone, &test_error));
    assert_int_equal(gone, 2);
    assert_done(openings_prune(store, 6, 100, &gone, &test_error));
    assert_int_equal(gone, 1);
    assert_list(&ada, 0, 10, "");
    assert_int_equal(head(&ada, &leaf), 6);
    assert_int_equal(leaf, 5);
    assert_int_equal(position(), 6);
    const struct openings_row next = opening_of(&ada, 7, 6);
    add(&next, 1, 7);
}

static void test_a_reset_index_is_built_again(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = citizen_id_new();
    const struct openings_row batch[] = {opening_of(&ada, 1, 0), opening_of(&ada, 2, 1)};
    uint8_t leaf = 0;
    add(batch, 2, 2);
    assert_done(openings_reset(store, &test_error));
    assert_int_equal(position(), 0);
    assert_int_equal(head(&ada, &leaf), 0);
    assert_list(&ada, 0, 10, "");
    add(batch, 2, 2);
    assert_list(&ada, 0, 10, "2@1:sealed 1@0:sealed ");
}

int main(void)
{
    store_test_start();
    const int failed = TEST_RUN(
        test_a_batch_moves_the_position_and_the_heads,
        test_a_stretch_without_openings_moves_the_position,
        test_a_citizens_openings_come_newest_first_in_pages, test_an_opening_is_got_by_its_entry,
        test_what_was_taken_in_is_not_taken_in_again,
        test_openings_out_of_order_or_place_are_refused_whole,
        test_each_head_moves_over_its_own_openings_of_a_batch,
        test_the_first_known_opening_may_have_any_number,
        test_a_count_may_leap_over_a_gap_and_nowhere_else,
        test_openings_over_their_limits_are_refused,
        test_pruning_removes_the_oldest_and_keeps_the_heads, test_a_reset_index_is_built_again);
    finish_store();
    return failed;
}
