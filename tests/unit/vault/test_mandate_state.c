#include "test.h"

#include <stdio.h>

#include "vault/base/file.h"
#include "vault/vault/mandate_state.h"

static void test_only_a_mandate_in_force_allows_anything(void **state)
{
    (void)state;
    for (int i = 0; i < MANDATE_STATE_COUNT; i++)
        assert_int_equal(mandate_state_allows((enum mandate_state)i), i == MANDATE_IN_FORCE);
}

static void test_only_giving_leads_into_force_and_only_from_nothing(void **state)
{
    (void)state;
    for (int from = 0; from < MANDATE_STATE_COUNT; from++) {
        for (int event = 0; event < MANDATE_EVENT_COUNT; event++) {
            enum mandate_state to;
            if (!mandate_state_after((enum mandate_state)from, (enum mandate_event)event, &to))
                continue;
            assert_true(to < MANDATE_STORED_COUNT);
            if (to == MANDATE_IN_FORCE && event == MANDATE_GIVE)
                assert_int_equal(from, MANDATE_NONE);
            else if (to == MANDATE_IN_FORCE)
                assert_int_equal(from, MANDATE_IN_FORCE);
        }
    }
}

static void test_what_is_not_ended_can_be_ended(void **state)
{
    (void)state;
    static const enum mandate_state open[] = {MANDATE_IN_FORCE, MANDATE_EXPIRED, MANDATE_IDLE};
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        enum mandate_state to;
        assert_true(mandate_state_after(open[i], MANDATE_END, &to));
        assert_int_equal(to, MANDATE_ENDED);
    }
    enum mandate_state to;
    assert_false(mandate_state_after(MANDATE_ENDED, MANDATE_END, &to));
    assert_false(mandate_state_after(MANDATE_ENDED, MANDATE_USE, &to));
    assert_false(mandate_state_after(MANDATE_IDLE, MANDATE_USE, &to));
    assert_false(mandate_state_after(MANDATE_EXPIRED, MANDATE_USE, &to));
}

static void test_names_lead_back_and_others_to_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < MANDATE_STATE_COUNT; i++)
        assert_int_equal(mandate_state_of(bytes_of_text(mandate_state_name((enum mandate_state)i))),
                         i);
    for (int i = 0; i < MANDATE_EVENT_COUNT; i++)
        assert_int_equal(mandate_event_of(bytes_of_text(mandate_event_name((enum mandate_event)i))),
                         i);
    assert_int_equal(mandate_state_of(BYTES("In force")), MANDATE_STATE_COUNT);
    assert_int_equal(mandate_event_of(BYTES("")), MANDATE_EVENT_COUNT);
}

/* build/dev/tests/unit/vault/test_vault_mandate_state print > vault/vault/mandates.md */
static void test_the_documentation_is_the_table_that_runs(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf printed = buf_limited(65536);
    VAULT_AUTO(buf_finish) struct buf written = buf_limited(65536);
    mandate_state_print(&printed);
    assert_done(buf_check(&printed, &test_error));
    assert_done(file_read(LIFECYCLE, &written, &test_error));
    assert_string_equal(buf_string(&printed), buf_string(&written));
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "print") == 0) {
        VAULT_AUTO(buf_finish) struct buf printed = buf_limited(65536);
        mandate_state_print(&printed);
        return fputs(buf_string(&printed), stdout) < 0;
    }
    return TEST_RUN(test_only_a_mandate_in_force_allows_anything,
                    test_only_giving_leads_into_force_and_only_from_nothing,
                    test_what_is_not_ended_can_be_ended, test_names_lead_back_and_others_to_nothing,
                    test_the_documentation_is_the_table_that_runs);
}
