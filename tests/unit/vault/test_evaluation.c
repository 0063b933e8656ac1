#include "vault/vault/evaluation.h"

#include "opened.h"
#include "vault/parts.h"
#include "vault/vault/erase.h"
#include "vault_test.h"

#define NOBODY "aaaaaaaaaaaaaaaaaaaaaaaaaa"
#define BIRTH  "identity.birth_date"

static struct vault_test test;
static char subject[SUBJECT_CHARS + 1];

static void begin(void)
{
    make_filled_vault(&test);
    subject_of_citizen(&test, subject);
}

static uint64_t log_size(void)
{
    return ledger_head(test.vault->ledger).size;
}

/* What is asked, by whom; the outcome is the code and *allowed. */
struct asked {
    const uint8_t *key;
    const char *subject;
    const char *purpose;
    const char *field;
    const char *form; /* NULL: any */
};

static enum vault_code try_it(const struct asked *asked, bool *allowed, enum release_fault *fault)
{
    struct ledger_ticket ticket;
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, asked->key);
    VAULT_AUTO(json_free) json_t *context = json_pack("{s:s}", "assurance_at_least", "high");
    struct release_ask ask = {bytes_of_text(asked->field), {0}};
    if (asked->form)
        ask.form = bytes_of_text(asked->form);
    const struct release_request request = {.client_spki = asked->key,
                                            .subject = bytes_of_text(asked->subject),
                                            .purpose = bytes_of_text(asked->purpose),
                                            .asks = &ask,
                                            .ask_count = 1,
                                            .context = context};
    const enum vault_code code =
        evaluation_enter(test.vault, hold.service, &request, allowed, &ticket, fault, &test_error);
    return code ? code : evaluation_complete(test.vault, &ticket, &test_error);
}

static bool is_allowed(const struct asked *asked)
{
    bool allowed = false;
    enum release_fault fault;
    assert_done(try_it(asked, &allowed, &fault));
    return allowed;
}

static bool may_read(const char *whose, const char *field)
{
    return is_allowed(&(struct asked){caseworker_key, whose, SUPPORT, field, NULL});
}

static void test_it_is_allowed_while_a_consent_stands_and_not_before_or_after(void **state)
{
    (void)state;
    begin();
    assert_false(may_read(subject, BIRTH));
    give_consent(&test, CONSENT_UNLIMITED);
    assert_true(may_read(subject, BIRTH));
    assert_false(may_read(subject, "identity.name"));
    assert_false(may_read(subject, "address.postal")); /* the consent does not cover it */
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    assert_false(may_read(subject, BIRTH));
    vault_close(&test.vault);
}

static void test_a_form_that_the_field_does_not_have_is_not_allowed(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    struct asked asked = {caseworker_key, subject, SUPPORT, BIRTH, "year"};
    assert_true(is_allowed(&asked));
    asked.form = "no_such_form";
    assert_false(is_allowed(&asked));
    vault_close(&test.vault);
}

/* As in a release: nothing tells the three apart, not even where no consent is needed. */
static void test_nobody_an_erased_citizen_and_a_refusal_look_the_same(void **state)
{
    (void)state;
    char library[SUBJECT_CHARS + 1];
    begin();
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, library_key);
    assert_done(subject_write(hold.service, &test.citizen, library, &test_error));
    service_release(&hold);
    struct asked asked = {library_key, library, LENDING, "identity.is_adult", NULL};
    assert_true(is_allowed(&asked));
    asked.subject = NOBODY;
    assert_false(is_allowed(&asked));
    assert_false(may_read(NOBODY, BIRTH));
    assert_false(may_read(subject, BIRTH));
    assert_done(erase_citizen(test.vault, &test.citizen, &test_error));
    asked.subject = library;
    assert_false(is_allowed(&asked));
    assert_false(may_read(subject, BIRTH));
    vault_close(&test.vault);
}

static void test_the_citizens_log_has_it_before_it_is_told_and_as_no_release(void **state)
{
    (void)state;
    struct opened opened;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    uint64_t index = log_size();
    assert_true(may_read(subject, BIRTH));
    assert_int_equal(log_size(), index + 1);
    open_entry(&test, index, &test.citizen, &opened);
    assert_int_equal(opened.event, ENTRY_DENY);
    assert_string_equal(opened.what, BIRTH " - evaluated\nasserted assurance_at_least");
    assert_string_equal(opened.basis, "none");
    index = log_size();
    assert_false(may_read(subject, "identity.name"));
    open_entry(&test, index, &test.citizen, &opened);
    assert_string_equal(opened.what, "identity.name - forbidden\nasserted assurance_at_least");
    index = log_size();
    assert_false(may_read(NOBODY, BIRTH)); /* an entry like any other, which nobody can open */
    assert_int_equal(log_size(), index + 1);
    vault_close(&test.vault);
}

static void test_no_use_of_a_consent_is_spent(void **state)
{
    (void)state;
    begin();
    give_consent(&test, 1);
    for (int i = 0; i < 3; i++)
        assert_true(may_read(subject, BIRTH));
    assert_int_equal(count_released(ask_release(&test, subject)), 2);
    assert_false(may_read(subject, BIRTH));
    vault_close(&test.vault);
}

/* The citizen has none of these values: to be allowed says nothing of that. */
static void test_no_value_is_read(void **state)
{
    (void)state;
    struct citizen_id other;
    char of_other[SUBJECT_CHARS + 1];
    begin();
    import_one(&test, "{\"reference\":\"T-9\",\"values\":{}}");
    assert_done(people_find(test.vault, "T-9", &other, &test_error));
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, library_key);
    assert_done(subject_write(hold.service, &other, of_other, &test_error));
    service_release(&hold);
    assert_true(
        is_allowed(&(struct asked){library_key, of_other, LENDING, "identity.is_adult", NULL}));
    vault_close(&test.vault);
}

static void test_names_that_the_policy_does_not_know_are_faults_and_not_logged(void **state)
{
    (void)state;
    bool allowed = true;
    enum release_fault fault;
    begin();
    const uint64_t before = log_size();
    assert_fails(
        VAULT_INVALID,
        try_it(&(struct asked){caseworker_key, subject, "no.such", BIRTH, NULL}, &allowed, &fault));
    assert_int_equal(fault, RELEASE_UNKNOWN_PURPOSE);
    assert_fails(VAULT_INVALID,
                 try_it(&(struct asked){caseworker_key, subject, SUPPORT, "shoe.size", NULL},
                        &allowed, &fault));
    assert_int_equal(fault, RELEASE_UNKNOWN_FIELD);
    assert_fails(
        VAULT_INVALID,
        try_it(&(struct asked){caseworker_key, "short", SUPPORT, BIRTH, NULL}, &allowed, &fault));
    assert_int_equal(fault, RELEASE_NO_FAULT);
    assert_true(allowed); /* untouched */
    assert_int_equal(log_size(), before);
    vault_close(&test.vault);
}

static void test_a_purpose_outside_the_registration_is_not_allowed(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    assert_false(is_allowed(&(struct asked){caseworker_key, subject, LENDING, BIRTH, NULL}));
    vault_close(&test.vault);
}

static void test_without_a_log_nothing_is_told(void **state)
{
    (void)state;
    bool allowed = false;
    enum release_fault fault;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    assert_done(ledger_stop(test.vault->ledger, &test_error));
    assert_fails(
        VAULT_UNAVAILABLE,
        try_it(&(struct asked){caseworker_key, subject, SUPPORT, BIRTH, NULL}, &allowed, &fault));
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(test_it_is_allowed_while_a_consent_stands_and_not_before_or_after,
                    test_a_form_that_the_field_does_not_have_is_not_allowed,
                    test_nobody_an_erased_citizen_and_a_refusal_look_the_same,
                    test_the_citizens_log_has_it_before_it_is_told_and_as_no_release,
                    test_no_use_of_a_consent_is_spent, test_no_value_is_read,
                    test_names_that_the_policy_does_not_know_are_faults_and_not_logged,
                    test_a_purpose_outside_the_registration_is_not_allowed,
                    test_without_a_log_nothing_is_told);
}
