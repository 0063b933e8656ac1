#include "store_test.h"

#include "vault/store/sign_in_code.h"

#define LATER_S (NOW_S + 1000)

static const uint8_t hashes[SIGN_IN_CODES_MAX][SHA256_BYTES] = {{1}, {2}, {3}, {4}, {5},
                                                                {6}, {7}, {8}, {9}, {10}};
static const uint8_t others[2][SHA256_BYTES] = {{101}, {102}};

static void set(const struct citizen_id *citizen, enum sign_in_code_kind kind)
{
    assert_done(
        sign_in_codes_set(store, citizen, kind, hashes, SIGN_IN_CODES_MAX, LATER_S, &test_error));
}

static enum vault_code use(const uint8_t *hash, const struct citizen_id *owner, int64_t now_s,
                           uint64_t *left)
{
    struct citizen_id citizen;
    VAULT_TRY(sign_in_code_use(store, SIGN_IN_CODE_RECOVERY, hash, owner, now_s, &citizen, left,
                               &test_error));
    if (owner)
        assert_true(citizen_id_equal(&citizen, owner));
    return VAULT_OK;
}

static void test_each_code_is_used_once_and_what_is_left_is_said(void **state)
{
    (void)state;
    uint64_t left = 0;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    set(&ada, SIGN_IN_CODE_RECOVERY);
    assert_done(use(hashes[3], &ada, NOW_S, &left));
    assert_int_equal(left, 9);
    assert_fails(VAULT_NOT_FOUND, use(hashes[3], &ada, NOW_S, &left));
    reopen_store();
    assert_fails(VAULT_NOT_FOUND, use(hashes[3], &ada, NOW_S, &left));
    assert_done(use(hashes[0], NULL, NOW_S, &left));
    assert_int_equal(left, 8);
    assert_fails(VAULT_NOT_FOUND, use(others[0], NULL, NOW_S, &left));
}

static void test_a_code_is_its_owners_of_its_kind_and_in_its_time(void **state)
{
    (void)state;
    uint64_t left = 0;
    struct citizen_id citizen;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct citizen_id bob = new_citizen();
    set(&ada, SIGN_IN_CODE_RECOVERY);
    assert_fails(VAULT_NOT_FOUND, use(hashes[0], &bob, NOW_S, &left));
    assert_fails(VAULT_NOT_FOUND, use(hashes[0], &ada, LATER_S, &left));
    assert_fails(VAULT_NOT_FOUND, sign_in_code_use(store, SIGN_IN_CODE_ACTIVATION, hashes[0], NULL,
                                                   NOW_S, &citizen, &left, &test_error));
    assert_done(use(hashes[0], &ada, LATER_S - 1, &left));
}

static void test_new_codes_take_the_place_of_the_old(void **state)
{
    (void)state;
    uint64_t left = 0;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct citizen_id stranger = citizen_id_new();
    set(&ada, SIGN_IN_CODE_RECOVERY);
    assert_done(
        sign_in_codes_set(store, &ada, SIGN_IN_CODE_RECOVERY, others, 2, LATER_S, &test_error));
    assert_fails(VAULT_NOT_FOUND, use(hashes[0], &ada, NOW_S, &left));
    assert_done(sign_in_codes_count(store, &ada, SIGN_IN_CODE_RECOVERY, &left, &test_error));
    assert_int_equal(left, 2);
    assert_fails(VAULT_NOT_FOUND, sign_in_codes_set(store, &stranger, SIGN_IN_CODE_RECOVERY, hashes,
                                                    1, LATER_S, &test_error));
}

static void test_codes_go_after_their_time_piece_by_piece(void **state)
{
    (void)state;
    uint64_t left = 0;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    const struct citizen_id grace = new_citizen();
    struct slice slice = {.limit = 3};
    set(&ada, SIGN_IN_CODE_RECOVERY);
    assert_done(sign_in_codes_set(store, &grace, SIGN_IN_CODE_ACTIVATION, others, 2, LATER_S + 1,
                                  &test_error));
    unsigned pieces = 0;
    do {
        assert_done(sign_in_codes_prune(store, LATER_S, &slice, &test_error));
        pieces++;
    } while (slice.more);
    assert_int_equal(pieces, 5); /* of 12 rows, and the end */
    assert_int_equal(slice.gone, SIGN_IN_CODES_MAX);
    assert_done(sign_in_codes_count(store, &ada, SIGN_IN_CODE_RECOVERY, &left, &test_error));
    assert_int_equal(left, 0);
    assert_done(sign_in_codes_count(store, &grace, SIGN_IN_CODE_ACTIVATION, &left, &test_error));
    assert_int_equal(left, 2);
}

static void test_codes_go_with_their_citizen(void **state)
{
    (void)state;
    uint64_t left = 9;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    set(&ada, SIGN_IN_CODE_ACTIVATION);
    assert_done(citizen_erase(store, &ada, NULL, &test_error));
    assert_done(sign_in_codes_count(store, &ada, SIGN_IN_CODE_ACTIVATION, &left, &test_error));
    assert_int_equal(left, 0);
}

int main(void)
{
    store_test_start();
    const int failed =
        TEST_RUN(test_each_code_is_used_once_and_what_is_left_is_said,
                 test_a_code_is_its_owners_of_its_kind_and_in_its_time,
                 test_new_codes_take_the_place_of_the_old,
                 test_codes_go_after_their_time_piece_by_piece, test_codes_go_with_their_citizen);
    finish_store();
    return failed;
}
