/* What a service hears of its consents: which changes, in which order, and of nobody else's. */
#include "vault/vault/consent_feed.h"

#include <pthread.h>

#include "vault/indexer.h"
#include "vault/parts.h"
#include "vault/vault/erase.h"
#include "vault/vault/stance.h"
#include "vault_test.h"

static struct vault_test test;
static struct citizen_id other;
static uint64_t next;

static void begin(void)
{
    make_filled_vault(&test);
    import_one(&test, "{\"reference\":\"T-2\",\"values\":{}}");
    assert_done(people_find(test.vault, "T-2", &other, &test_error));
    next = 0;
}

static void end(void)
{
    vault_close(&test.vault);
}

static json_t *read_as(const uint8_t *key, uint64_t after, int64_t wait_ms)
{
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, key);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CONSENT_FEED_ANSWER_BYTES);
    json_t *answer = NULL;
    if (!wait_ms)
        assert_done(indexer_wait(test.vault->indexer, ledger_head(test.vault->ledger).size, 10000,
                                 &test_error));
    assert_done(consent_feed_read(test.vault, hold.service, after, wait_ms, &text, &test_error));
    assert_done(json_parse(buf_view(&text), 8, &answer, NULL, &test_error));
    assert_int_equal(json_object_size(answer), 2);
    return answer;
}

/* The changes since the last call, as words; each has to have all its members, and n to grow. */
static void assert_changes(const uint8_t *key, const char *wanted)
{
    char words[1024] = "";
    json_t *answer = read_as(key, next, 0);
    const json_t *changes = json_object_get(answer, "changes");
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const json_t *change = json_array_get(changes, i);
        const uint64_t n = (uint64_t)json_integer_value(json_object_get(change, "n"));
        assert_int_equal(json_object_size(change), 6);
        assert_true(n > next);
        next = n;
        strcat(words, i ? " " : "");
        strcat(words, json_string_value(json_object_get(change, "change")));
        assert_int_equal(json_string_length(json_object_get(change, "subject")), SUBJECT_CHARS);
        assert_true(json_is_object(json_object_get(change, "fields")));
        assert_int_equal(json_string_length(json_object_get(change, "at")), INSTANT_CHARS);
    }
    assert_string_equal(words, wanted);
    assert_true((uint64_t)json_integer_value(json_object_get(answer, "next")) >= next);
    next = (uint64_t)json_integer_value(json_object_get(answer, "next"));
    json_decref(answer);
}

static void narrow(void)
{
    static const struct consent_field fields[] = {{"identity.birth_date", "year"}};
    const struct consent_narrowing less = {fields, 1, START_MS / 1000 + 86400, "fr", "Moins."};
    assert_done(consent_narrow(test.vault, &test.citizen, CASEWORKER, SUPPORT, &less, &test_error));
}

static void refuse(const struct citizen_id *citizen)
{
    static const struct consent_field fields[] = {{"identity.birth_date", "year"}};
    const struct consent_decision decision = {
        CASEWORKER, SUPPORT, fields, 1, 30, CONSENT_UNLIMITED, NULL, "fr", "Le texte.", NULL};
    int64_t seq;
    assert_done(consent_refuse(test.vault, citizen, &decision, &seq, &test_error));
}

static void withdraw(void)
{
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
}

static void test_every_change_is_told_in_order(void **state)
{
    (void)state;
    begin();
    assert_changes(caseworker_key, "");
    give_consent(&test, CONSENT_UNLIMITED);
    assert_changes(caseworker_key, "given");
    narrow();
    assert_done(consent_suspend(test.vault, &test.citizen, CASEWORKER, SUPPORT, CONSENT_BY_CITIZEN,
                                &test_error));
    assert_done(consent_resume(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    withdraw();
    assert_changes(caseworker_key, "narrowed suspended resumed withdrawn");
    give_consent(&test, CONSENT_UNLIMITED);
    assert_done(stance_pause(test.vault, &test.citizen, NULL, &test_error));
    assert_done(stance_resume(test.vault, &test.citizen, NULL, &test_error));
    assert_changes(caseworker_key, "given suspended resumed");
    assert_changes(caseworker_key, "");
    end();
}

static void test_a_change_says_who_what_for_and_when(void **state)
{
    (void)state;
    char subject[SUBJECT_CHARS + 1];
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    json_t *answer = read_as(caseworker_key, 0, 0);
    const json_t *change = json_array_get(json_object_get(answer, "changes"), 0);
    const json_t *fields = json_object_get(change, "fields");
    subject_of_citizen(&test, subject);
    assert_string_equal(json_string_value(json_object_get(change, "subject")), subject);
    assert_string_equal(json_string_value(json_object_get(change, "purpose")), SUPPORT);
    assert_string_equal(json_string_value(json_object_get(fields, "identity.birth_date")), "year");
    assert_true(json_is_null(json_object_get(fields, "employment.status")));
    assert_string_equal(json_string_value(json_object_get(change, "at")), "2027-03-08T10:00:00Z");
    assert_int_equal(json_integer_value(json_object_get(answer, "next")),
                     json_integer_value(json_object_get(change, "n")));
    json_decref(answer);
    end();
}

static void test_a_service_hears_nothing_of_another_s(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    withdraw();
    assert_changes(library_key, "");
    assert_int_equal(next, 0);
    assert_done(erase_citizen(test.vault, &test.citizen, &test_error));
    assert_changes(library_key, "");
    end();
}

/* A citizen who only refused is nobody to the service. */
static void test_a_refusal_is_told_only_where_it_ended_a_consent(void **state)
{
    (void)state;
    begin();
    refuse(&other);
    refuse(&test.citizen);
    assert_changes(caseworker_key, "");
    give_consent(&test, CONSENT_UNLIMITED);
    refuse(&test.citizen);
    refuse(&test.citizen);
    assert_changes(caseworker_key, "given withdrawn");
    assert_done(erase_citizen(test.vault, &other, &test_error));
    assert_changes(caseworker_key, "");
    end();
}

static void test_what_is_released_or_objected_to_is_no_change(void **state)
{
    (void)state;
    char subject[SUBJECT_CHARS + 1];
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    assert_changes(caseworker_key, "given");
    subject_of_citizen(&test, subject);
    json_decref(ask_release(&test, subject));
    assert_done(stance_object(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    assert_done(stance_lift(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    assert_changes(caseworker_key, "");
    end();
}

static void test_an_erasure_is_all_that_is_left_of_somebody(void **state)
{
    (void)state;
    char subject[SUBJECT_CHARS + 1];
    begin();
    subject_of_citizen(&test, subject);
    give_consent(&test, CONSENT_UNLIMITED);
    withdraw();
    assert_changes(caseworker_key, "given withdrawn");
    assert_done(erase_citizen(test.vault, &test.citizen, &test_error));
    assert_changes(caseworker_key, "erased");
    next = 0;
    json_t *answer = read_as(caseworker_key, 0, 0);
    const json_t *change = json_array_get(json_object_get(answer, "changes"), 0);
    assert_string_equal(json_string_value(json_object_get(change, "subject")), subject);
    assert_true(json_is_null(json_object_get(change, "purpose")));
    assert_int_equal(json_object_size(json_object_get(change, "fields")), 0);
    json_decref(answer);
    assert_changes(caseworker_key, "erased");
    end();
}

static void test_it_is_the_same_from_any_place_and_after_a_restart(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    assert_changes(caseworker_key, "given");
    const uint64_t first = next;
    narrow();
    withdraw();
    assert_changes(caseworker_key, "narrowed withdrawn");
    const uint64_t last = next;
    reopen_test_vault(&test);
    next = first;
    assert_changes(caseworker_key, "narrowed withdrawn");
    assert_int_equal(next, last);
    next = 0;
    assert_changes(caseworker_key, "given narrowed withdrawn");
    next = last + 1000; /* a place that is not reached yet */
    assert_changes(caseworker_key, "");
    assert_int_equal(next, last + 1000);
    end();
}

static void test_an_answer_has_a_hundred_changes_at_most(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < 60; i++) {
        give_consent(&test, CONSENT_UNLIMITED);
        withdraw();
    }
    json_t *answer = read_as(caseworker_key, 0, 0);
    assert_int_equal(json_array_size(json_object_get(answer, "changes")), CONSENT_FEED_MAX);
    const uint64_t after = (uint64_t)json_integer_value(json_object_get(answer, "next"));
    json_decref(answer);
    answer = read_as(caseworker_key, after, 0);
    assert_int_equal(json_array_size(json_object_get(answer, "changes")), 20);
    json_decref(answer);
    end();
}

static void *change_later(void *unused)
{
    (void)unused;
    withdraw();
    return NULL;
}

static void test_who_waits_hears_of_a_change_and_not_of_nothing(void **state)
{
    (void)state;
    pthread_t thread;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    assert_changes(caseworker_key, "given");
    const int64_t began_ms = clock_monotonic_ms();
    json_t *answer = read_as(caseworker_key, next, 50);
    assert_true(clock_monotonic_ms() - began_ms >= 50);
    assert_int_equal(json_array_size(json_object_get(answer, "changes")), 0);
    assert_int_equal(json_integer_value(json_object_get(answer, "next")), next);
    json_decref(answer);
    assert_int_equal(pthread_create(&thread, NULL, change_later, NULL), 0);
    answer = read_as(caseworker_key, next, 30000);
    pthread_join(thread, NULL);
    assert_true(clock_monotonic_ms() - began_ms < 15000);
    assert_int_equal(json_array_size(json_object_get(answer, "changes")), 1);
    json_decref(answer);
    vault_interrupt(test.vault);
    json_decref(read_as(caseworker_key, 1000000, 30000));
    assert_true(clock_monotonic_ms() - began_ms < 15000);
    end();
}

int main(void)
{
    return TEST_RUN(test_every_change_is_told_in_order, test_a_change_says_who_what_for_and_when,
                    test_a_service_hears_nothing_of_another_s,
                    test_a_refusal_is_told_only_where_it_ended_a_consent,
                    test_what_is_released_or_objected_to_is_no_change,
                    test_an_erasure_is_all_that_is_left_of_somebody,
                    test_it_is_the_same_from_any_place_and_after_a_restart,
                    test_an_answer_has_a_hundred_changes_at_most,
                    test_who_waits_hears_of_a_change_and_not_of_nothing);
}
