#include "vault_test.h"

#include "vault/consent_json.h"
#include "vault/ledger/ledger.h"
#include "vault/parts.h"
#include "vault/person.h"

static struct vault_test test;

static const struct consent_field one_field[] = {{"employment.status", ""}};

static struct consent_decision decision(void)
{
    return (struct consent_decision){
        .service = CASEWORKER,
        .purpose = SUPPORT,
        .fields = one_field,
        .field_count = 1,
        .days = 30,
        .uses = CONSENT_UNLIMITED,
        .language = "fr",
        .text = "Ce qui a été montré.",
    };
}

static void begin(void)
{
    make_filled_vault(&test);
}

static enum vault_code give(const struct consent_decision *what)
{
    char id[CONSENT_ID_CHARS + 1];
    int64_t seq;
    return consent_give(test.vault, &test.citizen, what, id, &seq, &test_error);
}

struct seen {
    size_t count;
    struct consent last;
};

static enum vault_code see(void *context, const struct consent *consent, struct vault_error *err)
{
    (void)err;
    struct seen *seen = context;
    seen->count++;
    seen->last = *consent;
    seen->last.fields = NULL;
    return VAULT_OK;
}

static struct seen list(void)
{
    struct seen seen = {0};
    assert_done(consent_list(test.vault, &test.citizen, see, &seen, &test_error));
    return seen;
}

static void test_a_consent_says_what_was_decided(void **state)
{
    (void)state;
    const struct consent_decision what = decision();
    begin();
    assert_done(give(&what));
    const struct seen seen = list();
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.last.service, CASEWORKER);
    assert_string_equal(seen.last.purpose, SUPPORT);
    assert_int_equal(seen.last.state, CONSENT_GIVEN);
    assert_int_equal(seen.last.version, 1);
    assert_int_equal(seen.last.at_s, START_MS / 1000);
    assert_int_equal(seen.last.expires_s, START_MS / 1000 + 30 * 86400);
    assert_int_equal(seen.last.field_count, 1);
    assert_true(seen.last.has_policy);
    assert_int_equal(seen.last.policy_version, 1);
    vault_close(&test.vault);
}

static void test_periods_and_uses_out_of_range_are_refused(void **state)
{
    (void)state;
    begin();
    struct consent_decision what = decision();
    what.days = 0;
    assert_fails(VAULT_INVALID, give(&what));
    what.days = CONSENT_DAYS_MAX + 1;
    assert_fails(VAULT_INVALID, give(&what));
    what.days = 30;
    what.uses = 0;
    assert_fails(VAULT_INVALID, give(&what));
    what.uses = 1;
    what.field_count = 0;
    assert_fails(VAULT_INVALID, give(&what));
    what = decision();
    what.service = "Not An Id";
    assert_fails(VAULT_INVALID, give(&what));
    assert_int_equal(list().count, 0);
    vault_close(&test.vault);
}

/* Such a record could be stored, and then the citizen's file not be read any more. */
static void test_a_field_named_twice_or_badly_is_refused_before_it_is_stored(void **state)
{
    (void)state;
    static const struct consent_field twice[] = {
        {"employment.status", ""}, {"identity.name", ""}, {"employment.status", "as_is"}};
    static const struct consent_field bad[][1] = {
        {{"", ""}}, {{"A b", ""}}, {{"a\nb", ""}}, {{"\xff", ""}}};
    int64_t seq;
    begin();
    struct consent_decision what = decision();
    what.fields = twice;
    what.field_count = 3;
    assert_fails(VAULT_INVALID, give(&what));
    assert_fails(VAULT_INVALID,
                 consent_refuse(test.vault, &test.citizen, &what, &seq, &test_error));
    what.field_count = 1;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        what.fields = bad[i];
        assert_fails(VAULT_INVALID, give(&what));
    }
    reopen_test_vault(&test);
    assert_int_equal(list().count, 0);
    vault_close(&test.vault);
}

static void test_64_fields_are_a_consent_and_65_are_none(void **state)
{
    (void)state;
    static struct consent_field many[CONSENT_FIELDS_MAX + 1];
    begin();
    for (size_t i = 0; i < CONSENT_FIELDS_MAX + 1; i++)
        snprintf(many[i].name, sizeof many[i].name, "f.n%zu", i);
    struct consent_decision what = decision();
    what.fields = many;
    what.field_count = CONSENT_FIELDS_MAX + 1;
    assert_fails(VAULT_INVALID, give(&what));
    what.field_count = CONSENT_FIELDS_MAX;
    assert_done(give(&what));
    assert_int_equal(list().last.field_count, CONSENT_FIELDS_MAX);
    vault_close(&test.vault);
}

static void test_a_text_that_is_too_long_is_refused(void **state)
{
    (void)state;
    static char text[CONSENT_TEXT_BYTES_MAX + 2];
    begin();
    struct consent_decision what = decision();
    memset(text, 'a', CONSENT_TEXT_BYTES_MAX + 1);
    what.text = text;
    assert_fails(VAULT_TOO_LARGE, give(&what));
    text[CONSENT_TEXT_BYTES_MAX] = 0;
    assert_done(give(&what));
    vault_close(&test.vault);
}

/* As many pairs of service and purpose as a citizen may have, in one change. */
static void fill_with_consents(void)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_AUTO(citizen_rollback) struct citizen_change change = {0};
    struct person *person = NULL;
    assert_done(person_hold(test.vault, &test.citizen, &citizen, &person, &test_error));
    assert_done(citizen_begin(citizen, &change, &test_error));
    for (int i = 0; i < CONSENTS_MAX; i++) {
        VAULT_AUTO(buf_finish) struct buf json = buf_limited(4096);
        struct consent consent = {.version = 1,
                                  .state = CONSENT_GIVEN,
                                  .at_s = START_MS / 1000,
                                  .expires_s = START_MS / 1000 + 86400,
                                  .uses = CONSENT_UNLIMITED,
                                  .fields = (struct consent_field[]){{"employment.status", ""}},
                                  .field_count = 1};
        snprintf(consent.id, sizeof consent.id, "%026d", i);
        snprintf(consent.service, sizeof consent.service, "service-%d", i);
        snprintf(consent.purpose, sizeof consent.purpose, "some.purpose");
        consent_json_write(&json, &consent, NULL);
        const struct citizen_record record = {
            .kind = PERSON_CONSENT_KIND, .key = consent.id, .json = buf_view(&json)};
        assert_done(citizen_record_add(citizen, &record, NULL, &test_error));
    }
    assert_done(citizen_commit(&change, &test_error));
    citizen_cache_set(citizen, NULL, NULL);
}

static void test_one_consent_too_many_is_refused_and_harms_none_of_the_others(void **state)
{
    (void)state;
    int64_t seq;
    begin();
    fill_with_consents();
    struct consent_decision what = decision();
    assert_fails(VAULT_LIMITED, give(&what));
    assert_fails(VAULT_LIMITED,
                 consent_refuse(test.vault, &test.citizen, &what, &seq, &test_error));
    reopen_test_vault(&test);
    assert_int_equal(list().count, CONSENTS_MAX);
    assert_done(
        consent_withdraw(test.vault, &test.citizen, "service-7", "some.purpose", &test_error));
    what.service = "service-7"; /* has its place */
    what.purpose = "some.purpose";
    assert_done(give(&what));
    vault_close(&test.vault);
}

static void test_nobody_can_consent_for_a_citizen_who_is_not_there(void **state)
{
    (void)state;
    const struct consent_decision what = decision();
    const struct citizen_id nobody = citizen_id_new();
    char id[CONSENT_ID_CHARS + 1];
    int64_t seq;
    begin();
    assert_fails(VAULT_NOT_FOUND, consent_give(test.vault, &nobody, &what, id, &seq, &test_error));
    assert_fails(VAULT_NOT_FOUND,
                 consent_withdraw(test.vault, &nobody, CASEWORKER, SUPPORT, &test_error));
    vault_close(&test.vault);
}

static void test_withdrawing_keeps_the_id_and_goes_on_in_version(void **state)
{
    (void)state;
    const struct consent_decision what = decision();
    begin();
    assert_done(give(&what));
    const struct seen before = list();
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    const struct seen after = list();
    assert_int_equal(after.last.state, CONSENT_WITHDRAWN);
    assert_int_equal(after.last.version, 2);
    assert_string_equal(after.last.id, before.last.id);
    assert_int_equal(after.count, 1);
    vault_close(&test.vault);
}

static void test_withdrawing_nothing_changes_nothing(void **state)
{
    (void)state;
    begin();
    const struct ledger_head before = ledger_head(test.vault->ledger);
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    assert_int_equal(ledger_head(test.vault->ledger).size, before.size);
    assert_int_equal(list().count, 0);
    vault_close(&test.vault);
}

static void test_withdrawing_needs_no_service_and_no_policy(void **state)
{
    (void)state;
    const struct consent_decision what = decision();
    begin();
    assert_done(give(&what));
    assert_done(service_remove(test.vault, CASEWORKER, &test_error));
    active_policy_close(test.vault);
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    assert_int_equal(list().last.state, CONSENT_WITHDRAWN);
    vault_close(&test.vault);
}

static void test_each_change_is_one_entry_of_the_log(void **state)
{
    (void)state;
    const struct consent_decision what = decision();
    int64_t seq;
    begin();
    const uint64_t start = ledger_head(test.vault->ledger).size;
    assert_done(give(&what));
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    assert_done(consent_refuse(test.vault, &test.citizen, &what, &seq, &test_error));
    assert_int_equal(ledger_head(test.vault->ledger).size, start + 3);
    assert_int_equal(list().last.state, CONSENT_REFUSED);
    vault_close(&test.vault);
}

static void test_consents_are_the_same_after_a_restart(void **state)
{
    (void)state;
    struct consent_decision what = decision();
    begin();
    assert_done(give(&what));
    what.purpose = LENDING;
    assert_done(give(&what));
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    reopen_test_vault(&test);
    const struct seen seen = list();
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.last.purpose, LENDING);
    assert_int_equal(seen.last.state, CONSENT_GIVEN);
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(
        test_a_consent_says_what_was_decided, test_periods_and_uses_out_of_range_are_refused,
        test_nobody_can_consent_for_a_citizen_who_is_not_there,
        test_a_field_named_twice_or_badly_is_refused_before_it_is_stored,
        test_64_fields_are_a_consent_and_65_are_none, test_a_text_that_is_too_long_is_refused,
        test_one_consent_too_many_is_refused_and_harms_none_of_the_others,
        test_withdrawing_keeps_the_id_and_goes_on_in_version,
        test_withdrawing_nothing_changes_nothing, test_withdrawing_needs_no_service_and_no_policy,
        test_each_change_is_one_entry_of_the_log, test_consents_are_the_same_after_a_restart);
}
