#include "store_test.h"

#include "vault/store/look.h"

#define NOW_MS 1804500000000

static struct look_row seen[8];
static char reasons[8][64];
static size_t seen_count;

static struct look_row row(uint64_t index, const char *auditor, const char *reason)
{
    struct look_row out = {.index = index,
                           .time_ms = NOW_MS + (int64_t)index,
                           .reason = bytes_of_text(reason),
                           .opening = BYTES("{}"),
                           .entries = {3, 7},
                           .entry_count = 2};
    snprintf(out.auditor, sizeof out.auditor, "%s", auditor);
    return out;
}

static enum vault_code take(void *context, const struct look_row *given, struct vault_error *err)
{
    (void)context;
    (void)err;
    assert_true(seen_count < 8);
    snprintf(reasons[seen_count], sizeof reasons[0], "%.*s", (int)given->reason.size,
             (const char *)given->reason.data);
    seen[seen_count++] = *given;
    return VAULT_OK;
}

static void add(uint64_t index, const char *auditor, const char *reason)
{
    const struct look_row new = row(index, auditor, reason);
    assert_done(look_add(store, &new, &test_error));
}

static void begin(void)
{
    fresh_store();
    seen_count = 0;
    add(10, "anne", "because");
    add(20, "bo", "why not");
}

static void test_a_look_is_read_as_it_was_kept(void **state)
{
    (void)state;
    begin();
    reopen_store();
    assert_done(look_get(store, 10, take, NULL, &test_error));
    assert_int_equal(seen_count, 1);
    assert_string_equal(seen[0].auditor, "anne");
    assert_string_equal(reasons[0], "because");
    assert_int_equal(seen[0].time_ms, NOW_MS + 10);
    assert_int_equal(seen[0].entry_count, 2);
    assert_int_equal(seen[0].entries[1], 7);
    assert_fails(VAULT_NOT_FOUND, look_get(store, 11, take, NULL, &test_error));
    assert_fails(VAULT_NOT_FOUND, look_get(store, UINT64_MAX, take, NULL, &test_error));
}

static void test_the_newest_comes_first_and_a_list_goes_on(void **state)
{
    (void)state;
    begin();
    assert_done(look_list(store, UINT64_MAX, 1, take, NULL, &test_error));
    assert_int_equal(seen[0].index, 20);
    assert_done(look_list(store, 20, 9, take, NULL, &test_error));
    assert_int_equal(seen_count, 2);
    assert_int_equal(seen[1].index, 10);
    assert_done(look_list(store, 10, 9, take, NULL, &test_error));
    assert_int_equal(seen_count, 2);
}

static void test_an_entry_knows_who_looked_at_it(void **state)
{
    (void)state;
    begin();
    struct look_row other = row(30, "cy", "other");
    other.entries[0] = 7;
    other.entry_count = 1;
    assert_done(look_add(store, &other, &test_error));
    assert_done(look_list_of(store, 7, 9, take, NULL, &test_error));
    assert_int_equal(seen_count, 3);
    assert_int_equal(seen[0].index, 30);
    seen_count = 0;
    assert_done(look_list_of(store, 3, 1, take, NULL, &test_error));
    assert_int_equal(seen_count, 1);
    assert_int_equal(seen[0].index, 20);
    seen_count = 0;
    assert_done(look_list_of(store, 4, 9, take, NULL, &test_error));
    assert_done(look_list_of(store, UINT64_MAX, 9, take, NULL, &test_error));
    assert_int_equal(seen_count, 0);
}

static void test_what_is_malformed_is_not_kept(void **state)
{
    (void)state;
    begin();
    struct look_row wrong = row(10, "anne", "again");
    assert_fails(VAULT_CONFLICT, look_add(store, &wrong, &test_error));
    wrong = row(40, "", "r");
    assert_fails(VAULT_INVALID, look_add(store, &wrong, &test_error));
    wrong = row(40, "anne", "");
    assert_fails(VAULT_INVALID, look_add(store, &wrong, &test_error));
    wrong = row(40, "anne", "r");
    wrong.entry_count = 0;
    assert_fails(VAULT_INVALID, look_add(store, &wrong, &test_error));
    wrong = row(40, "anne", "r");
    wrong.entries[1] = 3;
    assert_fails(VAULT_INVALID, look_add(store, &wrong, &test_error));
    wrong = row(UINT64_MAX, "anne", "r");
    assert_fails(VAULT_INVALID, look_add(store, &wrong, &test_error));
    assert_fails(VAULT_NOT_FOUND, look_get(store, 40, take, NULL, &test_error));
    assert_done(look_check_room(store, &test_error));
}

static void test_looks_go_after_their_time_with_what_they_looked_at(void **state)
{
    (void)state;
    uint64_t gone = 9;
    begin();
    assert_done(look_prune(store, NOW_MS + 20, 10, &gone, &test_error));
    assert_int_equal(gone, 1);
    assert_fails(VAULT_NOT_FOUND, look_get(store, 10, take, NULL, &test_error));
    assert_done(look_list_of(store, 3, 9, take, NULL, &test_error));
    assert_int_equal(seen_count, 1);
    assert_int_equal(seen[0].index, 20);
    assert_done(look_prune(store, NOW_MS + 20, 10, &gone, &test_error));
    assert_int_equal(gone, 0);
    assert_done(look_prune(store, INT64_MAX, 1, &gone, &test_error));
    assert_int_equal(gone, 1);
}

int main(void)
{
    store_test_start();
    const int failed =
        TEST_RUN(test_a_look_is_read_as_it_was_kept, test_the_newest_comes_first_and_a_list_goes_on,
                 test_an_entry_knows_who_looked_at_it, test_what_is_malformed_is_not_kept,
                 test_looks_go_after_their_time_with_what_they_looked_at);
    finish_store();
    return failed;
}
