/*
 * What a crash leaves between a record and its entry is finished when the citizen is next held.
 */
#include "vault_test.h"

#include "vault/consent_json.h"
#include "vault/parts.h"
#include "vault/person.h"

static struct vault_test test;

/* Store a consent's record as person_record() does, and "crash" before its entry. */
static void store_without_entry(enum consent_state what)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(4096);
    struct person *person = NULL;
    const struct consent consent = {
        .id = "01TESTTESTTESTTESTTESTTEST",
        .version = 1,
        .service = CASEWORKER,
        .purpose = SUPPORT,
        .state = what,
        .event = what == CONSENT_GIVEN ? CONSENT_GIVE : CONSENT_WITHDRAW,
        .at_s = START_MS / 1000,
        .expires_s = START_MS / 1000 + 86400,
        .uses = CONSENT_UNLIMITED,
        .fields = (struct consent_field[]){{"employment.status", ""}},
        .field_count = 1,
    };
    consent_json_write(&json, &consent, NULL);
    assert_done(person_hold(test.vault, &test.citizen, &citizen, &person, &test_error));
    const struct citizen_record record = {.kind = PERSON_CONSENT_KIND,
                                          .key = consent.id,
                                          .json = buf_view(&json),
                                          .log_n = person->chain.n + 1};
    assert_done(citizen_record_add(citizen, &record, NULL, &test_error));
    citizen_cache_set(citizen, NULL, NULL);
}

static uint64_t chain_now(void)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    struct person *person = NULL;
    assert_done(person_hold(test.vault, &test.citizen, &citizen, &person, &test_error));
    return person->chain.n;
}

static void begin(void)
{
    make_filled_vault(&test);
}

static void test_a_record_without_its_entry_is_entered_once(void **state)
{
    (void)state;
    begin();
    store_without_entry(CONSENT_GIVEN);
    const uint64_t before = ledger_head(test.vault->ledger).size;
    assert_int_equal(chain_now(), 1);
    assert_int_equal(ledger_head(test.vault->ledger).size, before + 1);
    assert_int_equal(chain_now(), 1);
    reopen_test_vault(&test);
    assert_int_equal(chain_now(), 1);
    assert_int_equal(ledger_head(test.vault->ledger).size, before + 1);
    vault_close(&test.vault);
}

static void test_a_withdrawal_without_its_entry_is_in_force(void **state)
{
    (void)state;
    char subject[SUBJECT_CHARS + 1];
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    subject_of_citizen(&test, subject);
    assert_int_equal(count_released(ask_release(&test, subject)), 2);
    store_without_entry(CONSENT_WITHDRAWN);
    reopen_test_vault(&test);
    assert_int_equal(count_released(ask_release(&test, subject)), 0);
    vault_close(&test.vault);
}

static void test_the_chain_goes_on_while_the_index_is_behind(void **state)
{
    (void)state;
    char subject[SUBJECT_CHARS + 1];
    begin();
    subject_of_citizen(&test, subject);
    for (uint64_t n = 1; n <= 50; n++) {
        json_decref(ask_release(&test, subject));
        VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
        struct person *person = NULL;
        assert_done(person_hold(test.vault, &test.citizen, &citizen, &person, &test_error));
        assert_int_equal(person->chain.n, n);
        /* As if the file had been closed and opened again, at any moment of the indexer's. */
        citizen_cache_set(citizen, NULL, NULL);
    }
    reopen_test_vault(&test);
    assert_int_equal(chain_now(), 50);
    vault_close(&test.vault);
}

static void test_a_decoy_has_no_chain(void **state)
{
    (void)state;
    begin();
    json_decref(ask_release(&test, "aaaaaaaaaaaaaaaaaaaaaaaaaa"));
    json_decref(ask_release(&test, "aaaaaaaaaaaaaaaaaaaaaaaaaa"));
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, caseworker_key);
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    struct person *person = NULL;
    struct citizen_id id;
    assert_done(subject_read(hold.service, BYTES("aaaaaaaaaaaaaaaaaaaaaaaaaa"), &id, &test_error));
    assert_done(person_hold(test.vault, &id, &citizen, &person, &test_error));
    assert_false(citizen_exists(citizen));
    assert_int_equal(person->chain.n, 0);
    citizen_release(&citizen);
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(test_a_record_without_its_entry_is_entered_once,
                    test_a_withdrawal_without_its_entry_is_in_force,
                    test_the_chain_goes_on_while_the_index_is_behind, test_a_decoy_has_no_chain);
}
