/* Pausing everything, and objecting to what needs no consent. */
#include "vault_test.h"

#include "vault/ledger/ledger.h"
#include "vault/parts.h"
#include "vault/person.h"

static struct vault_test test;
static char subject[SUBJECT_CHARS + 1];

static void begin(void)
{
    make_filled_vault(&test);
    give_consent(&test, CONSENT_UNLIMITED);
    subject_of_citizen(&test, subject);
}

static uint64_t log_size(void)
{
    return ledger_head(test.vault->ledger).size;
}

static size_t released(void)
{
    return count_released(ask_release(&test, subject));
}

static enum vault_code give_library(void)
{
    static const struct consent_field fields[] = {{"reader.token", ""}};
    const struct consent_decision decision = {
        .service = LIBRARY,
        .purpose = LENDING,
        .fields = fields,
        .field_count = 1,
        .days = 30,
        .uses = CONSENT_UNLIMITED,
        .language = "fr",
        .text = "Le texte affiché.",
    };
    char id[CONSENT_ID_CHARS + 1];
    int64_t seq;
    return consent_give(test.vault, &test.citizen, &decision, id, &seq, &test_error);
}

/* Ask as the library for what needs no consent and for what does; how many of the two came. */
static size_t library_gets(void)
{
    const struct release_ask asks[] = {{BYTES("identity.is_adult"), {0}},
                                       {BYTES("reader.token"), {0}}};
    char its_subject[SUBJECT_CHARS + 1];
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, library_key);
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(RELEASE_ANSWER_BYTES);
    assert_done(subject_write(hold.service, &test.citizen, its_subject, &test_error));
    const struct release_request request = {
        .client_spki = library_key,
        .subject = bytes_of_text(its_subject),
        .purpose = BYTES(LENDING),
        .asks = asks,
        .ask_count = 2,
    };
    enum release_fault fault;
    json_t *answer = NULL;
    assert_done(release_perform(test.vault, hold.service, &request, &body, &fault, &test_error));
    assert_done(json_parse(buf_view(&body), 8, &answer, NULL, &test_error));
    return count_released(answer);
}

static enum consent_state state_of(const char *service, const char *purpose)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    assert_done(person_hold(test.vault, &test.citizen, &citizen, &person, &test_error));
    const struct consent *consent =
        person_consent(person, bytes_of_text(service), bytes_of_text(purpose));
    assert_non_null(consent);
    return consent->state;
}

static size_t pause_all(void)
{
    size_t count = SIZE_MAX;
    assert_done(stance_pause(test.vault, &test.citizen, &count, &test_error));
    return count;
}

static size_t resume_all(void)
{
    size_t count = SIZE_MAX;
    assert_done(stance_resume(test.vault, &test.citizen, &count, &test_error));
    return count;
}

/* --- Pause ---------------------------------------------------------------------------------- */

static void test_paused_nothing_is_released_and_resumed_all_is(void **state)
{
    (void)state;
    begin();
    assert_done(give_library());
    assert_int_equal(library_gets(), 2);
    const uint64_t size = log_size();
    assert_int_equal(pause_all(), 2);
    assert_int_equal(log_size(), size + 3); /* the pause, and each consent */
    assert_int_equal(released(), 0);
    assert_int_equal(library_gets(), 1); /* what needs no consent is not the pause's */
    reopen_test_vault(&test);
    assert_int_equal(released(), 0);
    assert_int_equal(resume_all(), 2);
    assert_int_equal(released(), 2);
    assert_int_equal(library_gets(), 2);
    vault_close(&test.vault);
}

static void test_pausing_or_resuming_twice_changes_nothing(void **state)
{
    (void)state;
    begin();
    assert_int_equal(resume_all(), 0);
    assert_int_equal(pause_all(), 1);
    const uint64_t size = log_size();
    assert_int_equal(pause_all(), 0);
    assert_int_equal(log_size(), size);
    assert_int_equal(resume_all(), 1);
    assert_int_equal(resume_all(), 0);
    vault_close(&test.vault);
}

static void test_what_was_suspended_by_itself_stays_so(void **state)
{
    (void)state;
    begin();
    assert_done(give_library());
    assert_done(consent_suspend(test.vault, &test.citizen, CASEWORKER, SUPPORT, CONSENT_BY_CITIZEN,
                                &test_error));
    assert_int_equal(pause_all(), 1);
    assert_int_equal(resume_all(), 1);
    assert_int_equal(state_of(CASEWORKER, SUPPORT), CONSENT_SUSPENDED);
    assert_int_equal(state_of(LIBRARY, LENDING), CONSENT_GIVEN);
    vault_close(&test.vault);
}

static void test_while_paused_nothing_is_given_nor_resumed_by_itself(void **state)
{
    (void)state;
    begin();
    pause_all();
    assert_fails(VAULT_CONFLICT, give_library());
    assert_fails(VAULT_CONFLICT,
                 consent_resume(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    assert_int_equal(released(), 0);
    vault_close(&test.vault);
}

static void test_while_paused_one_can_withdraw_and_it_does_not_come_back(void **state)
{
    (void)state;
    begin();
    pause_all();
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    assert_int_equal(resume_all(), 0);
    assert_int_equal(released(), 0);
    assert_int_equal(state_of(CASEWORKER, SUPPORT), CONSENT_WITHDRAWN);
    vault_close(&test.vault);
}

static void test_one_can_pause_before_anything_was_given(void **state)
{
    (void)state;
    make_filled_vault(&test);
    const uint64_t size = log_size();
    assert_int_equal(pause_all(), 0);
    assert_int_equal(log_size(), size + 1);
    assert_fails(VAULT_CONFLICT, give_library());
    reopen_test_vault(&test);
    assert_fails(VAULT_CONFLICT, give_library());
    assert_int_equal(resume_all(), 0);
    assert_done(give_library());
    vault_close(&test.vault);
}

static void test_more_consents_than_the_log_takes_at_once_are_paused_all(void **state)
{
    (void)state;
    enum { MANY = 1500 };
    static const struct consent_field fields[] = {{"reader.token", ""}};
    struct consent_decision decision = {.service = LIBRARY,
                                        .fields = fields,
                                        .field_count = 1,
                                        .days = 30,
                                        .uses = CONSENT_UNLIMITED,
                                        .language = "fr",
                                        .text = "Le texte affiché."};
    make_filled_vault(&test);
    for (int i = 0; i < MANY; i++) {
        char purpose[CONSENT_NAME_CHARS + 1];
        char id[CONSENT_ID_CHARS + 1];
        int64_t seq;
        snprintf(purpose, sizeof purpose, "purpose-%d", i);
        decision.purpose = purpose;
        assert_done(consent_give(test.vault, &test.citizen, &decision, id, &seq, &test_error));
    }
    const uint64_t size = log_size();
    assert_int_equal(pause_all(), MANY);
    assert_int_equal(log_size(), size + MANY + 1);
    assert_int_equal(resume_all(), MANY);
    vault_close(&test.vault);
}

/* --- Objection ------------------------------------------------------------------------------ */

static void test_an_objection_ends_what_needs_no_consent_and_lifted_it_goes_on(void **state)
{
    (void)state;
    begin();
    assert_done(give_library());
    assert_int_equal(library_gets(), 2);
    const uint64_t size = log_size();
    assert_done(stance_object(test.vault, &test.citizen, LIBRARY, LENDING, &test_error));
    assert_int_equal(log_size(), size + 1);
    assert_int_equal(library_gets(), 1); /* what was consented to is another matter */
    reopen_test_vault(&test);
    assert_int_equal(library_gets(), 1);
    assert_done(stance_lift(test.vault, &test.citizen, LIBRARY, LENDING, &test_error));
    assert_int_equal(library_gets(), 2);
    vault_close(&test.vault);
}

static void test_a_clock_that_goes_back_lifts_no_objection(void **state)
{
    (void)state;
    begin();
    assert_int_equal(library_gets(), 1);
    assert_done(stance_object(test.vault, &test.citizen, LIBRARY, LENDING, &test_error));
    assert_int_equal(library_gets(), 0);
    test.now_ms -= 3600 * 1000;
    assert_int_equal(library_gets(), 0);
    vault_close(&test.vault);
}

static void test_objecting_twice_is_one_entry(void **state)
{
    (void)state;
    begin();
    uint64_t size = log_size();
    assert_done(stance_lift(test.vault, &test.citizen, LIBRARY, LENDING, &test_error));
    assert_int_equal(log_size(), size);
    assert_done(stance_object(test.vault, &test.citizen, LIBRARY, LENDING, &test_error));
    assert_done(stance_object(test.vault, &test.citizen, LIBRARY, LENDING, &test_error));
    assert_int_equal(log_size(), size + 1);
    vault_close(&test.vault);
}

static void test_an_objection_is_against_one_service_and_purpose(void **state)
{
    (void)state;
    begin();
    assert_done(stance_object(test.vault, &test.citizen, CASEWORKER, LENDING, &test_error));
    assert_done(stance_object(test.vault, &test.citizen, LIBRARY, SUPPORT, &test_error));
    assert_int_equal(library_gets(), 1);
    assert_fails(VAULT_INVALID,
                 stance_object(test.vault, &test.citizen, "Not An Id", LENDING, &test_error));
    assert_fails(VAULT_INVALID, stance_object(test.vault, &test.citizen, LIBRARY, "", &test_error));
    vault_close(&test.vault);
}

struct seen {
    size_t count;
    size_t standing;
};

static enum vault_code see(void *context, const struct objection *objection,
                           struct vault_error *err)
{
    (void)err;
    struct seen *seen = context;
    seen->count++;
    seen->standing += objection->stands;
    return VAULT_OK;
}

static void test_what_is_decided_can_be_read(void **state)
{
    (void)state;
    bool paused = true;
    bool restricted = false;
    struct seen seen = {0};
    begin();
    assert_done(stance_object(test.vault, &test.citizen, LIBRARY, LENDING, &test_error));
    assert_done(stance_object(test.vault, &test.citizen, LIBRARY, SUPPORT, &test_error));
    assert_done(stance_lift(test.vault, &test.citizen, LIBRARY, SUPPORT, &test_error));
    assert_done(
        stance_read(test.vault, &test.citizen, &paused, &restricted, see, &seen, &test_error));
    assert_false(paused);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.standing, 1);
    pause_all();
    assert_done(
        stance_read(test.vault, &test.citizen, &paused, &restricted, see, &seen, &test_error));
    assert_true(paused);
    vault_close(&test.vault);
}

static void test_nobody_decides_for_a_citizen_who_is_not_there(void **state)
{
    (void)state;
    bool paused;
    bool restricted = false;
    struct seen seen = {0};
    const struct citizen_id nobody = citizen_id_new();
    begin();
    assert_fails(VAULT_NOT_FOUND, stance_pause(test.vault, &nobody, NULL, &test_error));
    assert_fails(VAULT_NOT_FOUND, stance_resume(test.vault, &nobody, NULL, &test_error));
    assert_fails(VAULT_NOT_FOUND,
                 stance_object(test.vault, &nobody, LIBRARY, LENDING, &test_error));
    assert_fails(VAULT_NOT_FOUND,
                 stance_read(test.vault, &nobody, &paused, &restricted, see, &seen, &test_error));
    vault_close(&test.vault);
}

/* --- Restriction ---------------------------------------------------------------------------- */

static const char obliged[] =
    "{\"format\":\"vault-rules/1\",\"policy\":\"obliged\","
    "\"title\":{\"fr\":\"Essai\",\"en\":\"Trial\"},\"owner\":\"dpo@ville.example\",\"rules\":["
    "{\"id\":\"library-must\",\"effect\":\"permit\",\"why\":{\"fr\":\"Essai\",\"en\":\"Trial\"},"
    "\"who\":{\"classes\":[\"culture.library\"]},\"purposes\":[\"" LENDING "\"],"
    "\"fields\":[\"identity.is_adult\"],\"basis\":\"legal_obligation\"}]}";

static void restrict_all(void)
{
    assert_done(stance_restrict(test.vault, &test.citizen, NULL, &test_error));
}

static void test_restricted_nothing_is_released_with_or_without_consent(void **state)
{
    (void)state;
    bool paused = false;
    bool restricted = false;
    struct seen seen = {0};
    begin();
    assert_done(give_library());
    assert_int_equal(library_gets(), 2);
    restrict_all();
    assert_int_equal(released(), 0);
    assert_int_equal(library_gets(), 0);
    assert_done(
        stance_read(test.vault, &test.citizen, &paused, &restricted, see, &seen, &test_error));
    assert_true(paused && restricted);
    reopen_test_vault(&test);
    assert_int_equal(library_gets(), 0);
    assert_done(stance_resume(test.vault, &test.citizen, NULL, &test_error));
    assert_int_equal(library_gets(), 2);
    assert_int_equal(released(), 2);
    vault_close(&test.vault);
}

static void test_what_the_law_demands_goes_on_and_rests_on_that_alone(void **state)
{
    (void)state;
    make_test_vault(&test);
    change_test_bundle(&test, "rules/obliged.json", obliged, 2);
    fill_test_vault(&test);
    assert_done(give_library());
    restrict_all();
    assert_int_equal(library_gets(), 1);
    vault_close(&test.vault);
}

static void test_pausing_does_not_lift_a_restriction_and_resuming_does(void **state)
{
    (void)state;
    begin();
    restrict_all();
    const uint64_t before = log_size();
    assert_done(stance_pause(test.vault, &test.citizen, NULL, &test_error));
    restrict_all();
    assert_int_equal(log_size(), before);
    assert_int_equal(library_gets(), 0);
    assert_done(stance_resume(test.vault, &test.citizen, NULL, &test_error));
    assert_int_equal(library_gets(), 1);
    vault_close(&test.vault);
}

static void test_a_pause_can_become_a_restriction(void **state)
{
    (void)state;
    size_t count = 9;
    begin();
    pause_all();
    assert_int_equal(library_gets(), 1);
    assert_done(stance_restrict(test.vault, &test.citizen, &count, &test_error));
    assert_int_equal(count, 0); /* suspended already */
    assert_int_equal(library_gets(), 0);
    assert_done(stance_resume(test.vault, &test.citizen, NULL, &test_error));
    assert_int_equal(released(), 2);
    vault_close(&test.vault);
}

static void test_nobody_restricts_for_one_who_is_not_there(void **state)
{
    (void)state;
    const struct citizen_id nobody = citizen_id_new();
    begin();
    assert_fails(VAULT_NOT_FOUND, stance_restrict(test.vault, &nobody, NULL, &test_error));
    assert_int_equal(library_gets(), 1);
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(
        test_restricted_nothing_is_released_with_or_without_consent,
        test_what_the_law_demands_goes_on_and_rests_on_that_alone,
        test_pausing_does_not_lift_a_restriction_and_resuming_does,
        test_a_pause_can_become_a_restriction, test_nobody_restricts_for_one_who_is_not_there,
        test_paused_nothing_is_released_and_resumed_all_is,
        test_pausing_or_resuming_twice_changes_nothing, test_what_was_suspended_by_itself_stays_so,
        test_while_paused_nothing_is_given_nor_resumed_by_itself,
        test_while_paused_one_can_withdraw_and_it_does_not_come_back,
        test_one_can_pause_before_anything_was_given,
        test_more_consents_than_the_log_takes_at_once_are_paused_all,
        test_an_objection_ends_what_needs_no_consent_and_lifted_it_goes_on,
        test_a_clock_that_goes_back_lifts_no_objection, test_objecting_twice_is_one_entry,
        test_an_objection_is_against_one_service_and_purpose, test_what_is_decided_can_be_read,
        test_nobody_decides_for_a_citizen_who_is_not_there);
}
