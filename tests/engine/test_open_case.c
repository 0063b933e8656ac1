#include "store_test.h"

#include "vault/store/open_case.h"

#define FIRST  "01AAAAAAAAAAAAAAAAAAAAAAA1"
#define SECOND "01AAAAAAAAAAAAAAAAAAAAAAA2"
#define THIRD  "01AAAAAAAAAAAAAAAAAAAAAAA3"

static struct citizen_id ada;

static void begin(void)
{
    fresh_store();
    ada = new_citizen();
}

static enum vault_code add(const char *id, enum open_case_kind kind,
                           const struct citizen_id *citizen)
{
    struct open_case what = {.kind = kind, .citizen = *citizen, .opened_s = NOW_S};
    snprintf(what.id, sizeof what.id, "%.26s", id);
    return open_case_add(store, &what, &test_error);
}

static uint64_t count_of(enum open_case_kind kind)
{
    uint64_t count = 99;
    assert_done(open_case_count(store, kind, &count, &test_error));
    return count;
}

static void test_a_case_is_found_until_it_is_dropped(void **state)
{
    (void)state;
    struct open_case found;
    begin();
    assert_done(add(FIRST, OPEN_CASE_REPORT, &ada));
    assert_done(open_case_find(store, OPEN_CASE_REPORT, FIRST, &found, &test_error));
    assert_string_equal(found.id, FIRST);
    assert_int_equal(found.kind, OPEN_CASE_REPORT);
    assert_int_equal(found.opened_s, NOW_S);
    assert_true(citizen_id_equal(&found.citizen, &ada));
    assert_int_equal(count_of(OPEN_CASE_REPORT), 1);
    assert_done(open_case_drop(store, FIRST, &test_error));
    assert_done(open_case_drop(store, FIRST, &test_error));
    assert_fails(VAULT_NOT_FOUND,
                 open_case_find(store, OPEN_CASE_REPORT, FIRST, &found, &test_error));
    assert_int_equal(count_of(OPEN_CASE_REPORT), 0);
}

static void test_a_kind_does_not_see_the_other(void **state)
{
    (void)state;
    struct open_case found;
    size_t count = 9;
    begin();
    assert_done(add(FIRST, OPEN_CASE_REPORT, &ada));
    assert_fails(VAULT_NOT_FOUND,
                 open_case_find(store, OPEN_CASE_CORRECTION, FIRST, &found, &test_error));
    assert_done(open_case_list(store, OPEN_CASE_CORRECTION, "", &found, 1, &count, &test_error));
    assert_int_equal(count, 0);
    assert_int_equal(count_of(OPEN_CASE_CORRECTION), 0);
}

static void test_the_oldest_comes_first_and_a_list_goes_on(void **state)
{
    (void)state;
    struct open_case cases[2];
    size_t count = 0;
    begin();
    assert_done(add(SECOND, OPEN_CASE_REPORT, &ada));
    assert_done(add(THIRD, OPEN_CASE_REPORT, &ada));
    assert_done(add(FIRST, OPEN_CASE_REPORT, &ada));
    assert_done(open_case_list(store, OPEN_CASE_REPORT, "", cases, 2, &count, &test_error));
    assert_int_equal(count, 2);
    assert_string_equal(cases[0].id, FIRST);
    assert_string_equal(cases[1].id, SECOND);
    assert_done(open_case_list(store, OPEN_CASE_REPORT, SECOND, cases, 2, &count, &test_error));
    assert_int_equal(count, 1);
    assert_string_equal(cases[0].id, THIRD);
}

static void test_only_who_exists_has_cases_and_not_without_end(void **state)
{
    (void)state;
    char id[OPEN_CASE_ID_CHARS + 1];
    begin();
    const struct citizen_id stranger = citizen_id_new();
    assert_fails(VAULT_NOT_FOUND, add(FIRST, OPEN_CASE_REPORT, &stranger));
    assert_fails(VAULT_INVALID, add("short", OPEN_CASE_REPORT, &ada));
    for (int i = 0; i < OPEN_CASES_MAX; i++) {
        snprintf(id, sizeof id, "01AAAAAAAAAAAAAAAAAAAAAA%02d", i);
        assert_done(add(id, OPEN_CASE_REPORT, &ada));
    }
    assert_fails(VAULT_LIMITED, add("01AAAAAAAAAAAAAAAAAAAAAA99", OPEN_CASE_REPORT, &ada));
    assert_done(add(FIRST, OPEN_CASE_CORRECTION, &ada));
}

static void test_an_erased_citizen_leaves_nothing_here(void **state)
{
    (void)state;
    begin();
    const struct citizen_id other = new_citizen();
    assert_done(add(FIRST, OPEN_CASE_REPORT, &ada));
    assert_done(add(SECOND, OPEN_CASE_CORRECTION, &ada));
    assert_done(add(THIRD, OPEN_CASE_REPORT, &other));
    assert_done(citizen_erase(store, &ada, NULL, &test_error));
    assert_int_equal(count_of(OPEN_CASE_REPORT), 1);
    assert_int_equal(count_of(OPEN_CASE_CORRECTION), 0);
}

int main(void)
{
    store_test_start();
    return TEST_RUN(test_a_case_is_found_until_it_is_dropped, test_a_kind_does_not_see_the_other,
                    test_the_oldest_comes_first_and_a_list_goes_on,
                    test_only_who_exists_has_cases_and_not_without_end,
                    test_an_erased_citizen_leaves_nothing_here);
}
