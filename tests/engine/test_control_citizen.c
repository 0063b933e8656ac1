#include "store_test.h"

#include "vault/store/control_citizen.h"

static struct citizen_id citizen_called(const char *reference)
{
    const struct citizen_new citizen = {.id = citizen_id_new(), .reference = reference};
    assert_done(citizen_create(store, &citizen, 1, NOW_S, NULL, &test_error));
    return citizen.id;
}

static void test_a_citizen_is_found_by_id_and_by_reference(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = citizen_called("INSEE-1");
    const struct citizen_id grace = citizen_called(NULL);
    struct control_citizen found;
    assert_done(control_citizen_find(store, &ada, &found, &test_error));
    assert_true(citizen_id_equal(&found.id, &ada));
    assert_string_equal(found.reference, "INSEE-1");
    assert_int_equal(found.key_version, 1);
    assert_int_equal(found.created_s, NOW_S);
    assert_done(control_citizen_by_reference(store, "INSEE-1", &found, &test_error));
    assert_true(citizen_id_equal(&found.id, &ada));
    assert_done(control_citizen_find(store, &grace, &found, &test_error));
    assert_string_equal(found.reference, "");
}

static void test_who_is_unknown_is_not_found(void **state)
{
    (void)state;
    fresh_store();
    (void)citizen_called("INSEE-1");
    (void)citizen_called(NULL);
    const struct citizen_id stranger = citizen_id_new();
    struct control_citizen found;
    assert_fails(VAULT_NOT_FOUND, control_citizen_find(store, &stranger, &found, &test_error));
    assert_fails(VAULT_NOT_FOUND,
                 control_citizen_by_reference(store, "INSEE-2", &found, &test_error));
    assert_fails(VAULT_NOT_FOUND, control_citizen_by_reference(store, "", &found, &test_error));
    assert_fails(VAULT_NOT_FOUND,
                 control_citizen_by_reference(store, "INSEE-%", &found, &test_error));
}

struct gathered {
    size_t count;
    size_t stop_after;
    struct citizen_id last;
};

static enum vault_code gather(void *context, const struct control_citizen *citizen,
                              struct vault_error *err)
{
    struct gathered *gathered = context;
    if (gathered->count)
        assert_true(memcmp(gathered->last.bytes, citizen->id.bytes, CITIZEN_ID_BYTES) < 0);
    gathered->last = citizen->id;
    gathered->count++;
    return gathered->count == gathered->stop_after ? vault_fail(err, VAULT_LIMITED, "enough")
                                                   : VAULT_OK;
}

static void test_the_list_goes_through_all_in_pages(void **state)
{
    (void)state;
    fresh_store();
    struct citizen_new citizens[25];
    for (size_t i = 0; i < 25; i++)
        citizens[i] = (struct citizen_new){.id = citizen_id_new()};
    assert_done(citizen_create(store, citizens, 25, NOW_S, NULL, &test_error));
    assert_done(citizen_erase(store, &citizens[7].id, NULL, &test_error));
    struct gathered gathered = {0};
    assert_done(control_citizen_list(store, NULL, 10, gather, &gathered, &test_error));
    assert_int_equal(gathered.count, 10);
    for (size_t before = 0; before < gathered.count;) {
        const struct citizen_id after = gathered.last;
        before = gathered.count;
        assert_done(control_citizen_list(store, &after, 10, gather, &gathered, &test_error));
    }
    assert_int_equal(gathered.count, 24);
    uint64_t count = 0;
    assert_done(control_citizen_count(store, &count, &test_error));
    assert_int_equal(count, 24);
}

static void test_a_callback_that_fails_ends_the_list(void **state)
{
    (void)state;
    fresh_store();
    for (int i = 0; i < 3; i++)
        (void)citizen_called(NULL);
    struct gathered gathered = {.stop_after = 2};
    assert_fails(VAULT_LIMITED,
                 control_citizen_list(store, NULL, 10, gather, &gathered, &test_error));
    assert_int_equal(gathered.count, 2);
    gathered = (struct gathered){0};
    assert_done(control_citizen_list(store, NULL, 10, gather, &gathered, &test_error));
    assert_int_equal(gathered.count, 3);
}

int main(void)
{
    store_test_start();
    const int failed =
        TEST_RUN(test_a_citizen_is_found_by_id_and_by_reference, test_who_is_unknown_is_not_found,
                 test_the_list_goes_through_all_in_pages, test_a_callback_that_fails_ends_the_list);
    finish_store();
    return failed;
}
