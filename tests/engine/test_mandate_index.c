#include "store_test.h"

#include "vault/store/mandate_index.h"

static struct citizen_id ada;

static void begin(void)
{
    fresh_store();
    ada = new_citizen();
    assert_done(structure_add(store, "hub", "A digital hub", &test_error));
    assert_done(structure_add(store, "centre", "A social centre", &test_error));
}

static enum vault_code add(const char *id, const char *structure, const struct citizen_id *citizen)
{
    struct mandate_place place = {.citizen = *citizen};
    snprintf(place.id, sizeof place.id, "%s", id);
    snprintf(place.structure, sizeof place.structure, "%s", structure);
    return mandate_index_add(store, &place, &test_error);
}

static enum vault_code find(const char *structure, const char *id)
{
    struct mandate_place place;
    return mandate_index_find(store, structure, id, &place, &test_error);
}

static void test_a_mandate_is_found_by_its_own_structure_alone(void **state)
{
    (void)state;
    begin();
    assert_done(add("M1", "hub", &ada));
    assert_done(find("hub", "M1"));
    assert_fails(VAULT_NOT_FOUND, find("centre", "M1"));
    assert_fails(VAULT_NOT_FOUND, find("hub", "M2"));
    assert_done(mandate_index_drop(store, "M1", &test_error));
    assert_done(mandate_index_drop(store, "M1", &test_error));
    assert_fails(VAULT_NOT_FOUND, find("hub", "M1"));
}

static void test_only_who_exists_gives_to_a_structure_that_exists(void **state)
{
    (void)state;
    begin();
    const struct citizen_id stranger = citizen_id_new();
    assert_fails(VAULT_NOT_FOUND, add("M1", "hub", &stranger));
    assert_fails(VAULT_NOT_FOUND, add("M1", "nowhere", &ada));
    assert_done(structure_remove(store, "hub", &test_error));
    assert_fails(VAULT_NOT_FOUND, add("M1", "hub", &ada));
    assert_fails(VAULT_INVALID, add("", "centre", &ada));
}

static void test_the_list_is_of_one_structure_and_the_newest_first(void **state)
{
    (void)state;
    struct mandate_place places[2];
    size_t count = 9;
    begin();
    assert_done(add("M1", "hub", &ada));
    assert_done(add("M2", "hub", &ada));
    assert_done(add("M3", "hub", &ada));
    assert_done(add("M4", "centre", &ada));
    assert_done(mandate_index_list(store, "hub", places, 2, &count, &test_error));
    assert_int_equal(count, 2);
    assert_string_equal(places[0].id, "M3");
    assert_true(citizen_id_equal(&places[0].citizen, &ada));
    assert_done(mandate_index_list(store, "centre", places, 2, &count, &test_error));
    assert_int_equal(count, 1);
}

static void test_a_code_counts_once_and_for_its_time(void **state)
{
    (void)state;
    static const uint8_t hashes[2][SHA256_BYTES] = {{1}, {2}};
    static const uint8_t later[1][SHA256_BYTES] = {{3}};
    struct citizen_id whose;
    begin();
    assert_done(mandate_codes_put(store, &ada, hashes, 2, NOW_S + 10, &test_error));
    assert_done(mandate_code_find(store, hashes[0], NOW_S, &whose, &test_error));
    assert_true(citizen_id_equal(&whose, &ada));
    assert_fails(VAULT_NOT_FOUND,
                 mandate_code_find(store, hashes[0], NOW_S + 10, &whose, &test_error));
    assert_done(mandate_code_take(store, hashes[0], &test_error));
    assert_fails(VAULT_NOT_FOUND, mandate_code_take(store, hashes[0], &test_error));
    assert_fails(VAULT_NOT_FOUND, mandate_code_find(store, hashes[0], NOW_S, &whose, &test_error));
    assert_done(mandate_codes_put(store, &ada, later, 1, NOW_S + 10, &test_error));
    assert_fails(VAULT_NOT_FOUND, mandate_code_find(store, hashes[1], NOW_S, &whose, &test_error));
    assert_done(mandate_code_find(store, later[0], NOW_S, &whose, &test_error));
}

static bool counts(uint8_t code)
{
    const uint8_t hash[SHA256_BYTES] = {code};
    struct citizen_id whose;
    return mandate_code_find(store, hash, NOW_S, &whose, &test_error) == VAULT_OK;
}

static void test_codes_go_after_their_time_piece_by_piece(void **state)
{
    (void)state;
    static const uint8_t old[3][SHA256_BYTES] = {{1}, {3}, {5}};
    static const uint8_t fresh[2][SHA256_BYTES] = {{2}, {4}};
    struct slice slice = {.limit = 2};
    begin();
    const struct citizen_id grace = new_citizen();
    assert_done(mandate_codes_put(store, &ada, old, 3, NOW_S + 10, &test_error));
    assert_done(mandate_codes_put(store, &grace, fresh, 2, NOW_S + 11, &test_error));
    assert_done(mandate_codes_prune(store, NOW_S + 10, &slice, &test_error));
    assert_true(slice.more);
    assert_int_equal(slice.gone, 1);
    assert_true(!counts(1) && counts(2) && counts(3));
    assert_done(mandate_codes_prune(store, NOW_S + 10, &slice, &test_error));
    assert_true(slice.more);
    assert_done(mandate_codes_prune(store, NOW_S + 10, &slice, &test_error));
    assert_false(slice.more);
    assert_int_equal(slice.gone, 3);
    assert_true(counts(2) && counts(4) && !counts(3) && !counts(5));
    struct slice again = {.limit = 100};
    assert_done(mandate_codes_prune(store, NOW_S + 10, &again, &test_error));
    assert_false(again.more);
    assert_int_equal(again.gone, 0);
}

static void test_an_erased_citizen_leaves_nothing_here(void **state)
{
    (void)state;
    static const uint8_t hashes[1][SHA256_BYTES] = {{1}};
    struct citizen_id whose;
    begin();
    assert_done(add("M1", "hub", &ada));
    assert_done(mandate_codes_put(store, &ada, hashes, 1, NOW_S + 10, &test_error));
    assert_done(citizen_erase(store, &ada, NULL, &test_error));
    assert_fails(VAULT_NOT_FOUND, find("hub", "M1"));
    assert_fails(VAULT_NOT_FOUND, mandate_code_find(store, hashes[0], NOW_S, &whose, &test_error));
}

int main(void)
{
    store_test_start();
    return TEST_RUN(test_a_mandate_is_found_by_its_own_structure_alone,
                    test_only_who_exists_gives_to_a_structure_that_exists,
                    test_the_list_is_of_one_structure_and_the_newest_first,
                    test_a_code_counts_once_and_for_its_time,
                    test_codes_go_after_their_time_piece_by_piece,
                    test_an_erased_citizen_leaves_nothing_here);
}
