/*
 * Random changes, and calls that fail: what was told to have failed was not done, or, where the
 * answer was lost, done as a whole. Nothing else changed, and the next call works.
 */
#include <stdlib.h>

#include "inject.h"
#include "store_test.h"
#include "vault/store/control_citizen.h"
#include "vault/store/setting.h"
#include "world.h"

#define PERMILLE 200

static unsigned steps = 3000;

static void assert_holds(const struct world *world, const struct world_model *model)
{
    char difference[128];
    if (!world_holds(world, model, difference))
        fail_msg("after \"%s\": %s", world->step, difference);
}

/* The second call fails, the first and the third do not. */
static void test_the_call_that_was_asked_for_fails_and_no_other(void **state)
{
    (void)state;
    int64_t count = 0;
    fresh_store();
    inject_fail(2, INJECT_BEFORE, VAULT_UNAVAILABLE);
    assert_done(setting_count(store, "test.count", 1, &count, &test_error));
    assert_fails(VAULT_UNAVAILABLE, setting_count(store, "test.count", 1, &count, &test_error));
    assert_string_equal(inject_struck(), "setting_count");
    assert_string_equal(test_error.text, "injected: setting_count");
    assert_done(setting_count(store, "test.count", 1, &count, &test_error));
    assert_int_equal(count, 2);
    inject_fail(1, INJECT_AFTER, VAULT_IO);
    assert_fails(VAULT_IO, setting_count(store, "test.count", 1, &count, &test_error));
    assert_done(setting_count(store, "test.count", 0, &count, &test_error));
    assert_int_equal(count, 3);
}

/* Only a change can be done and not heard of; and what was refused was not done. */
static void test_a_reading_or_a_refused_call_does_not_fail_afterwards(void **state)
{
    (void)state;
    uint64_t people = 7;
    const struct citizen_id stranger = citizen_id_new();
    fresh_store();
    inject_fail(1, INJECT_AFTER, VAULT_IO);
    assert_done(control_citizen_count(store, &people, &test_error));
    assert_int_equal(people, 0);
    assert_fails(VAULT_NOT_FOUND, citizen_erase(store, &stranger, NULL, &test_error));
    inject_stop();
}

/* Erasing a citizen calls other functions of the interface inside the engine. */
static void test_calls_inside_the_engine_pass(void **state)
{
    (void)state;
    fresh_store();
    const struct citizen_id ada = new_citizen();
    VAULT_AUTO(citizen_release) struct citizen *citizen = hold(&ada);
    const struct citizen_value value = value_of("test.a", "1");
    const uint64_t before = inject_calls();
    inject_fail(2, INJECT_BEFORE, VAULT_IO); /* the put begins and commits, by itself */
    assert_done(citizen_value_put(citizen, &value, &test_error));
    assert_int_equal(inject_calls(), before + 1);
    inject_stop();
}

static const char *const must_fail[] = {
    "citizen_create",
    "citizen_erase",
    "citizen_commit",
    "citizen_record_add",
    "account_add",
    "citizen_value_put",
    "control_service_set_state",
    "openings_add",
    "request_add",
    "request_claim",
    "request_answer",
    "request_cancel",
    "session_add",
    "session_remove",
    "session_remove_all",
    "setting_put",
    "setting_remove",
    "setting_count",
    "citizen_rekey",
    "account_failed",
};

static void test_what_failed_was_not_done_or_done_unheard(void **state)
{
    (void)state;
    struct world world;
    fresh_store();
    world_begin(&world, store, 0, 3);
    for (unsigned i = 0; i < steps; i++) {
        inject_fail_some(PERMILLE, i + 1);
        const enum vault_code code = world_step(&world, &test_error);
        const char *struck = inject_struck();
        const bool unheard = struck && inject_struck_when() == INJECT_AFTER && world.was_decided;
        inject_stop();
        if (!struck)
            assert_int_equal(code, world.expected);
        else if (code != world.expected && unheard)
            world.model = world.next;
        assert_holds(&world, &world.model);
    }
    for (size_t i = 0; i < sizeof must_fail / sizeof must_fail[0]; i++) {
        if (!inject_has_failed(must_fail[i], INJECT_BEFORE) ||
            !inject_has_failed(must_fail[i], INJECT_AFTER))
            fail_msg("%s was not made to fail in both ways", must_fail[i]);
    }
    printf("%llu of %llu calls failed\n", (unsigned long long)inject_failures(),
           (unsigned long long)inject_calls());
}

int main(void)
{
    const char *is_long = getenv("VAULT_TESTS_LONG");
    if (is_long && strcmp(is_long, "1") == 0)
        steps = 40000;
    store_test_start();
    const int failed =
        TEST_RUN(test_the_call_that_was_asked_for_fails_and_no_other,
                 test_a_reading_or_a_refused_call_does_not_fail_afterwards,
                 test_calls_inside_the_engine_pass, test_what_failed_was_not_done_or_done_unheard);
    finish_store();
    return failed;
}
