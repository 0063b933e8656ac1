/*
 * Whatever is wrong with a citizen's file, taking back works and acts on the next request; and it
 * is a withdrawal like any other once the file is whole again.
 */
#include "vault_test.h"

#include "vault/parts.h"
#include "vault/person.h"
#include "vault/stop.h"
#include "vault/vault/erase.h"
#include "vault/vault/stance.h"

#define PAGE_BYTES 4096

static struct vault_test test;
static char subject[SUBJECT_CHARS + 1];
static char file[PATH_MAX];
static struct buf whole; /* the file as it was */

static void write_file(const uint8_t *data, size_t size)
{
    FILE *out = fopen(file, "r+b");
    assert_non_null(out);
    assert_int_equal(fwrite(data, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

static void change_back_and_forth(void)
{
    assert_done(consent_suspend(test.vault, &test.citizen, CASEWORKER, SUPPORT, CONSENT_BY_CITIZEN,
                                &test_error));
    assert_done(consent_resume(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
}

/* A consent, and the vault closed, so that its file can be damaged. */
static void begin(void)
{
    make_filled_vault(&test);
    give_consent(&test, CONSENT_UNLIMITED);
    subject_of_citizen(&test, subject);
    for (int i = 0; i < 30; i++) /* more records: an index of more than a page */
        change_back_and_forth();
    vault_close(&test.vault);
    find_largest_file(&test, file);
    whole = buf_limited(1024UL * 1024);
    assert_done(file_read(file, &whole, &test_error));
}

static void damage(size_t page)
{
    whole.data[page * PAGE_BYTES + 100] ^= 1;
    write_file(whole.data, whole.size);
    whole.data[page * PAGE_BYTES + 100] ^= 1;
}

static void repair(void)
{
    vault_close(&test.vault);
    write_file(whole.data, whole.size);
    open_test_vault(&test);
}

/* How many fields came; none if there was no answer at all. */
static size_t released(void)
{
    const struct release_ask asks[] = {{BYTES("employment.status"), {0}}};
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, caseworker_key);
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(RELEASE_ANSWER_BYTES);
    VAULT_AUTO(json_free) json_t *context = json_pack("{s:s}", "assurance_at_least", "high");
    const struct release_request request = {.client_spki = caseworker_key,
                                            .subject = bytes_of_text(subject),
                                            .purpose = BYTES(SUPPORT),
                                            .asks = asks,
                                            .ask_count = 1,
                                            .context = context};
    enum release_fault fault;
    json_t *answer = NULL;
    if (release_perform(test.vault, hold.service, &request, &body, &fault, &test_error))
        return 0;
    assert_done(json_parse(buf_view(&body), 8, &answer, NULL, &test_error));
    return count_released(answer);
}

static enum consent_state state_now(void)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    assert_done(person_hold(test.vault, &test.citizen, &citizen, &person, &test_error));
    return person_consent(person, BYTES(CASEWORKER), BYTES(SUPPORT))->state;
}

static bool is_stopped(void)
{
    return stop_covers(test.vault, &test.citizen, CASEWORKER, BYTES(SUPPORT));
}

static void test_whichever_page_is_damaged_withdrawing_works_and_stays(void **state)
{
    (void)state;
    size_t stopped = 0;
    begin();
    for (size_t page = 0; page < whole.size / PAGE_BYTES; page++) {
        damage(page);
        open_test_vault(&test);
        assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
        assert_int_equal(released(), 0);
        stopped += is_stopped();
        reopen_test_vault(&test);
        assert_int_equal(released(), 0);
        if (is_stopped()) { /* else the damage was beside the way, and the file has the withdrawal
                             */
            repair();
            assert_int_equal(released(), 0);
            assert_false(is_stopped());
        }
        vault_close(&test.vault);
        write_file(whole.data, whole.size); /* as it was given, for the next page */
    }
    assert_true(stopped > 0);
    buf_finish(&whole);
}

static void test_a_stop_becomes_the_withdrawal_that_it_was_meant_as(void **state)
{
    (void)state;
    begin();
    damage(0);
    open_test_vault(&test);
    const uint64_t size = ledger_head(test.vault->ledger).size;
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    assert_int_equal(ledger_head(test.vault->ledger).size, size + 1);
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    assert_int_equal(ledger_head(test.vault->ledger).size, size + 1);
    repair();
    assert_int_equal(state_now(), CONSENT_WITHDRAWN);
    reopen_test_vault(&test);
    assert_int_equal(state_now(), CONSENT_WITHDRAWN);
    give_consent(&test, CONSENT_UNLIMITED); /* a stop is not for ever */
    assert_int_equal(released(), 1);
    vault_close(&test.vault);
    buf_finish(&whole);
}

static void test_pausing_everything_stops_everything(void **state)
{
    (void)state;
    size_t count = 7;
    begin();
    damage(0);
    open_test_vault(&test);
    assert_done(stance_pause(test.vault, &test.citizen, &count, &test_error));
    assert_int_equal(count, 0);
    assert_int_equal(released(), 0);
    repair();
    assert_int_equal(released(), 0);
    vault_close(&test.vault);
    buf_finish(&whole);
}

static void test_others_are_not_stopped(void **state)
{
    (void)state;
    begin();
    open_test_vault(&test);
    const struct citizen_id other = citizen_id_new();
    assert_done(stop_add(test.vault, &other, NULL, NULL, &test_error));
    assert_done(stop_add(test.vault, &test.citizen, LIBRARY, LENDING, &test_error));
    assert_false(stop_covers(test.vault, &test.citizen, CASEWORKER, BYTES(SUPPORT)));
    assert_true(stop_covers(test.vault, &test.citizen, LIBRARY, BYTES(LENDING)));
    assert_false(stop_covers(test.vault, &test.citizen, LIBRARY, BYTES(SUPPORT)));
    assert_true(stop_covers(test.vault, &other, CASEWORKER, BYTES(SUPPORT)));
    assert_int_equal(released(), 1);
    vault_close(&test.vault);
    buf_finish(&whole);
}

static void test_there_is_an_end_to_what_can_be_stopped(void **state)
{
    (void)state;
    begin();
    open_test_vault(&test);
    for (int i = 0; i < STOPS_MAX; i++) {
        const struct citizen_id other = citizen_id_new();
        assert_done(stop_add(test.vault, &other, CASEWORKER, SUPPORT, &test_error));
    }
    const struct citizen_id last = citizen_id_new();
    assert_fails(VAULT_LIMITED, stop_add(test.vault, &last, CASEWORKER, SUPPORT, &test_error));
    assert_false(stop_covers(test.vault, &last, CASEWORKER, BYTES(SUPPORT)));
    reopen_test_vault(&test);
    assert_int_equal(released(), 1);
    vault_close(&test.vault);
    buf_finish(&whole);
}

static void test_who_is_erased_gives_their_places_back(void **state)
{
    (void)state;
    begin();
    damage(0);
    open_test_vault(&test);
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    for (int i = 1; i < STOPS_MAX; i++) {
        const struct citizen_id other = citizen_id_new();
        assert_done(stop_add(test.vault, &other, CASEWORKER, SUPPORT, &test_error));
    }
    const struct citizen_id last = citizen_id_new();
    assert_fails(VAULT_LIMITED, stop_add(test.vault, &last, CASEWORKER, SUPPORT, &test_error));
    assert_true(is_stopped());
    assert_done(erase_citizen(test.vault, &test.citizen, &test_error));
    assert_false(is_stopped());
    assert_done(stop_add(test.vault, &last, CASEWORKER, SUPPORT, &test_error));
    reopen_test_vault(&test);
    assert_false(is_stopped());
    assert_true(stop_covers(test.vault, &last, CASEWORKER, BYTES(SUPPORT)));
    assert_int_equal(released(), 0); /* who is gone stays gone */
    vault_close(&test.vault);
    buf_finish(&whole);
}

int main(void)
{
    return TEST_RUN(test_whichever_page_is_damaged_withdrawing_works_and_stays,
                    test_a_stop_becomes_the_withdrawal_that_it_was_meant_as,
                    test_pausing_everything_stops_everything, test_others_are_not_stopped,
                    test_there_is_an_end_to_what_can_be_stopped,
                    test_who_is_erased_gives_their_places_back);
}
