#include "store_test.h"

#include "vault/store/erasure.h"
#include "vault/store/openings.h"

static void file_openings(const struct citizen_id *citizen, uint64_t from_n, uint64_t count,
                          uint64_t index)
{
    for (uint64_t i = 0; i < count; i++) {
        const struct openings_row row = {
            .citizen = *citizen, .n = from_n + i, .index = index + i, .sealed = BYTES("sealed")};
        assert_done(openings_add(store, &row, 1, index + i + 1, &test_error));
    }
}

static bool next_is(const struct citizen_id *citizen)
{
    bool found = false;
    struct erasure next;
    assert_done(erasure_next(store, &next, &found, &test_error));
    return found && citizen_id_equal(&next.citizen, citizen);
}

static bool none_is_noted(void)
{
    bool found = true;
    struct erasure next;
    assert_done(erasure_next(store, &next, &found, &test_error));
    return !found;
}

static void test_an_erasure_stays_noted_until_it_is_told(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    uint64_t openings = 99;
    file_openings(&ada, 1, 3, 0);
    assert_true(none_is_noted());
    assert_done(citizen_erase(store, &ada, NULL, &test_error));
    assert_true(next_is(&ada));
    reopen_store();
    assert_true(next_is(&ada));
    assert_done(erasure_settle(store, &ada, &openings, &test_error));
    assert_int_equal(openings, 3);
    assert_true(next_is(&ada));
    assert_done(erasure_told(store, &ada, &test_error));
    assert_true(none_is_noted());
    assert_done(erasure_told(store, &ada, &test_error));
}

static enum vault_code is_whose(void *context, const struct openings_row *opening,
                                struct vault_error *err)
{
    (void)err;
    *(struct citizen_id *)context = opening->citizen;
    return VAULT_OK;
}

static void test_openings_that_come_late_are_forgotten_and_counted_once(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct citizen_id grace = new_citizen();
    struct citizen_id whose = {0};
    uint64_t openings = 99;
    uint64_t left = 99;
    file_openings(&ada, 1, 2, 0);
    file_openings(&grace, 1, 1, 2);
    assert_done(citizen_erase(store, &ada, NULL, &test_error));
    file_openings(&ada, 3, 2, 3);
    for (int i = 0; i < 2; i++) {
        assert_done(erasure_settle(store, &ada, &openings, &test_error));
        assert_int_equal(openings, 4);
    }
    /* The other's is what is left. */
    assert_done(openings_before(store, INT64_MAX, 0, 10, &(uint64_t){0}, &left, &test_error));
    assert_int_equal(left, 1);
    assert_done(openings_get(store, 2, is_whose, &whose, &test_error));
    assert_true(citizen_id_equal(&whose, &grace));
}

static void test_each_of_several_is_noted(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id citizens[] = {new_citizen(), new_citizen(), new_citizen()};
    for (unsigned i = 0; i < 3; i++)
        assert_done(citizen_erase(store, &citizens[i], NULL, &test_error));
    for (unsigned i = 0; i < 3; i++) {
        bool found = false;
        struct erasure next;
        uint64_t openings = 99;
        assert_done(erasure_next(store, &next, &found, &test_error));
        assert_true(found);
        assert_done(erasure_settle(store, &next.citizen, &openings, &test_error));
        assert_int_equal(openings, 0);
        assert_done(erasure_told(store, &next.citizen, &test_error));
    }
    assert_true(none_is_noted());
}

static void test_who_was_not_erased_cannot_be_settled(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    uint64_t openings = 7;
    uint64_t left = 0;
    file_openings(&ada, 1, 1, 0);
    assert_fails(VAULT_NOT_FOUND, erasure_settle(store, &ada, &openings, &test_error));
    assert_int_equal(openings, 7);
    assert_done(openings_before(store, INT64_MAX, 0, 10, &(uint64_t){0}, &left, &test_error));
    assert_int_equal(left, 1);
}

int main(void)
{
    store_test_start();
    const int failed =
        TEST_RUN(test_an_erasure_stays_noted_until_it_is_told,
                 test_openings_that_come_late_are_forgotten_and_counted_once,
                 test_each_of_several_is_noted, test_who_was_not_erased_cannot_be_settled);
    finish_store();
    return failed;
}
