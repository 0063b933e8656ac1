/*
 * The table of a consent's lifecycle: what it must hold whatever rows are added to it, and that the
 * chapter of the documentation is the table that runs.
 */
#include <stdio.h>

#include "test.h"
#include "vault/base/file.h"
#include "vault/vault/consent_state.h"

static bool may(unsigned state, unsigned event)
{
    enum consent_state to;
    return consent_state_after((enum consent_state)state, (enum consent_event)event, &to);
}

static enum consent_state after(enum consent_state state, enum consent_event event)
{
    enum consent_state to = CONSENT_STATE_COUNT;
    assert_true(consent_state_after(state, event, &to));
    return to;
}

static void test_from_every_state_one_can_give_and_refuse(void **state)
{
    (void)state;
    for (unsigned from = 0; from < CONSENT_STATE_COUNT; from++) {
        assert_int_equal(after((enum consent_state)from, CONSENT_GIVE), CONSENT_GIVEN);
        assert_int_equal(after((enum consent_state)from, CONSENT_REFUSE), CONSENT_REFUSED);
    }
}

static void test_whatever_rests_on_a_yes_can_be_withdrawn(void **state)
{
    (void)state;
    static const enum consent_state on_a_yes[] = {CONSENT_GIVEN, CONSENT_SUSPENDED, CONSENT_EXPIRED,
                                                  CONSENT_USED_UP};
    for (size_t i = 0; i < sizeof on_a_yes / sizeof on_a_yes[0]; i++)
        assert_int_equal(after(on_a_yes[i], CONSENT_WITHDRAW), CONSENT_WITHDRAWN);
}

static void test_only_what_is_given_releases(void **state)
{
    (void)state;
    for (int i = 0; i < CONSENT_STATE_COUNT; i++)
        assert_int_equal(consent_state_releases((enum consent_state)i), i == CONSENT_GIVEN);
}

static void test_only_giving_and_resuming_lead_to_a_release(void **state)
{
    (void)state;
    for (unsigned from = 0; from < CONSENT_STATE_COUNT; from++) {
        for (unsigned event = 0; event < CONSENT_EVENT_COUNT; event++) {
            if (from == CONSENT_GIVEN || !may(from, event))
                continue;
            if (consent_state_releases(after((enum consent_state)from, (enum consent_event)event)))
                assert_true(event == CONSENT_GIVE ||
                            (event == CONSENT_RESUME && from == CONSENT_SUSPENDED));
        }
    }
}

static void test_what_ended_is_neither_resumed_nor_changed(void **state)
{
    (void)state;
    static const enum consent_state ended[] = {CONSENT_REFUSED, CONSENT_WITHDRAWN, CONSENT_EXPIRED,
                                               CONSENT_USED_UP, CONSENT_NONE};
    for (size_t i = 0; i < sizeof ended / sizeof ended[0]; i++) {
        assert_false(may(ended[i], CONSENT_RESUME));
        assert_false(may(ended[i], CONSENT_SUSPEND));
        assert_false(may(ended[i], CONSENT_NARROW));
    }
    assert_false(may(CONSENT_WITHDRAWN, CONSENT_WITHDRAW));
    assert_false(may(CONSENT_SUSPENDED, CONSENT_SUSPEND));
}

static void test_every_row_leads_to_a_state_that_a_record_can_have(void **state)
{
    (void)state;
    for (unsigned from = 0; from < CONSENT_STATE_COUNT; from++) {
        for (unsigned event = 0; event < CONSENT_EVENT_COUNT; event++) {
            if (may(from, event))
                assert_true(after((enum consent_state)from, (enum consent_event)event) <
                            CONSENT_STORED_COUNT);
        }
    }
}

static void test_names_lead_back_and_others_to_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < CONSENT_STATE_COUNT; i++)
        assert_int_equal(consent_state_of(bytes_of_text(consent_state_name((enum consent_state)i))),
                         i);
    for (int i = 0; i < CONSENT_EVENT_COUNT; i++)
        assert_int_equal(consent_event_of(bytes_of_text(consent_event_name((enum consent_event)i))),
                         i);
    for (int i = 0; i < CONSENT_CAUSE_COUNT; i++)
        assert_int_equal(consent_cause_of(bytes_of_text(consent_cause_name((enum consent_cause)i))),
                         i);
    static const char *const none[] = {"", "Given", "given ", "giv", "giveN"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_int_equal(consent_state_of(bytes_of_text(none[i])), CONSENT_STATE_COUNT);
        assert_int_equal(consent_event_of(bytes_of_text(none[i])), CONSENT_EVENT_COUNT);
        assert_int_equal(consent_cause_of(bytes_of_text(none[i])), CONSENT_CAUSE_COUNT);
    }
}

/* build/dev/tests/unit/vault/test_vault_consent_state print > vault/vault/lifecycle.md */
static void test_the_documentation_is_the_table_that_runs(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf printed = buf_limited(65536);
    VAULT_AUTO(buf_finish) struct buf written = buf_limited(65536);
    consent_state_print(&printed);
    assert_done(buf_check(&printed, &test_error));
    assert_done(file_read(LIFECYCLE, &written, &test_error));
    assert_string_equal(buf_string(&printed), buf_string(&written));
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "print") == 0) {
        VAULT_AUTO(buf_finish) struct buf printed = buf_limited(65536);
        consent_state_print(&printed);
        return fputs(buf_string(&printed), stdout) < 0;
    }
    return TEST_RUN(test_from_every_state_one_can_give_and_refuse,
                    test_whatever_rests_on_a_yes_can_be_withdrawn, test_only_what_is_given_releases,
                    test_only_giving_and_resuming_lead_to_a_release,
                    test_what_ended_is_neither_resumed_nor_changed,
                    test_every_row_leads_to_a_state_that_a_record_can_have,
                    test_names_lead_back_and_others_to_nothing,
                    test_the_documentation_is_the_table_that_runs);
}
