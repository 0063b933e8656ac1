/*
 * What becomes of consents and requests when the city suspends a service, removes it, or takes a
 * purpose from its registration: nothing is released, nobody's file is touched before it is read,
 * and the record says who ended what, and when.
 */
#include "vault/cascade.h"

#include <unistd.h>

#include "vault/indexer.h"
#include "vault/parts.h"
#include "vault/store/feed.h"
#include "vault/vault/stance.h"
#include "vault_test.h"

#define DAY_MS 86400000LL

static struct vault_test test;
static char subject[SUBJECT_CHARS + 1];

static void begin(void)
{
    make_filled_vault(&test);
    subject_of_citizen(&test, subject);
}

static void end(void)
{
    vault_close(&test.vault);
}

static uint64_t log_size(void)
{
    return ledger_head(test.vault->ledger).size;
}

static void remove_service(void)
{
    assert_done(service_remove(test.vault, CASEWORKER, &test_error));
}

static size_t released(void)
{
    return count_released(ask_release(&test, subject));
}

/* A copy of what is remembered of the caseworker's consent. */
static struct consent consent_now(void)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    assert_done(person_hold(test.vault, &test.citizen, &citizen, &person, &test_error));
    const struct consent *consent = person_consent(person, BYTES(CASEWORKER), BYTES(SUPPORT));
    assert_non_null(consent);
    return *consent;
}

static struct entry entry_at(uint64_t index)
{
    static struct buf text;
    struct entry entry;
    buf_finish(&text);
    text = buf_limited(ENTRY_MAX_BYTES);
    assert_done(event_entry_read(test.vault, index, &text, &test_error));
    assert_done(entry_parse(buf_view(&text), &entry, &test_error));
    return entry;
}

static struct access_receipt open_request(void)
{
    const struct access_ask ask = {.purpose = BYTES(SUPPORT),
                                   .fields = {{"employment.status", ""}},
                                   .field_count = 1,
                                   .uses = CONSENT_UNLIMITED};
    struct access_receipt receipt;
    enum access_fault fault;
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, caseworker_key);
    assert_done(access_request_open(test.vault, hold.service, &ask, &receipt, &fault, &test_error));
    return receipt;
}

static enum request_state state_of_request(const char *id)
{
    struct request request;
    assert_done(request_get(test.vault->store, id, &request, NULL, &test_error));
    return request.state;
}

static void test_a_consent_ends_with_its_service_and_says_who_ended_it(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    test.now_ms += DAY_MS;
    remove_service();
    test.now_ms += DAY_MS;
    const struct consent consent = consent_now();
    assert_int_equal(consent.state, CONSENT_WITHDRAWN);
    assert_int_equal(consent.event, CONSENT_END);
    assert_int_equal(consent.how, CONSENT_OPERATOR);
    assert_string_equal(consent.by, "operator");
    assert_int_equal(consent.at_s, (START_MS + DAY_MS) / 1000); /* when it was removed */
    assert_int_equal(consent.version, 2);
    end();
}

static void test_the_end_is_one_entry_made_when_the_file_is_read(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    remove_service();
    const uint64_t before = log_size();
    assert_int_equal(entry_at(before - 1).event, ENTRY_ADMIN);
    for (int i = 0; i < 3; i++)
        consent_now();
    assert_int_equal(log_size(), before + 1);
    const struct entry entry = entry_at(before);
    assert_int_equal(entry.event, ENTRY_WITHDRAW);
    assert_true(bytes_equal(entry.service, BYTES(CASEWORKER)));
    reopen_test_vault(&test);
    assert_int_equal(consent_now().state, CONSENT_WITHDRAWN);
    assert_int_equal(log_size(), before + 1);
    end();
}

static void test_a_file_that_is_read_after_a_start_tells_the_same(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    remove_service();
    vault_close(&test.vault);
    test.now_ms += 40 * DAY_MS; /* it would have run out by now */
    open_test_vault(&test);
    const struct consent consent = consent_now();
    assert_int_equal(consent.event, CONSENT_END);
    assert_int_equal(consent.at_s, START_MS / 1000);
    end();
}

static void test_what_had_run_out_before_the_removal_stays_expired(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    test.now_ms += 31 * DAY_MS;
    remove_service();
    const uint64_t before = log_size();
    const struct consent consent = consent_now();
    assert_int_equal(consent_state_now(&consent, test.now_ms / 1000), CONSENT_EXPIRED);
    assert_int_equal(log_size(), before);
    end();
}

static void test_a_suspended_consent_ends_too_and_a_pause_does_not_bring_it_back(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    assert_done(stance_pause(test.vault, &test.citizen, NULL, &test_error));
    remove_service();
    assert_int_equal(consent_now().state, CONSENT_WITHDRAWN);
    assert_done(stance_resume(test.vault, &test.citizen, NULL, &test_error));
    assert_int_equal(consent_now().state, CONSENT_WITHDRAWN);
    end();
}

static void test_what_the_citizen_ended_before_stays_theirs(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    const uint64_t before = log_size();
    remove_service();
    assert_int_equal(consent_now().event, CONSENT_WITHDRAW);
    assert_int_equal(consent_now().how, CONSENT_OWN_SESSION);
    assert_int_equal(log_size(), before + 1); /* the removal alone */
    end();
}

static void test_nobody_else_is_touched(void **state)
{
    (void)state;
    static const struct consent_field fields[] = {{"reader.token", "as_is"}};
    const struct consent_decision decision = {
        LIBRARY, LENDING, fields, 1, 30, CONSENT_UNLIMITED, NULL, "fr", "Le texte.", NULL};
    char id[CONSENT_ID_CHARS + 1];
    int64_t seq;
    begin();
    assert_done(consent_give(test.vault, &test.citizen, &decision, id, &seq, &test_error));
    remove_service();
    const uint64_t before = log_size();
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    assert_done(person_hold(test.vault, &test.citizen, &citizen, &person, &test_error));
    assert_int_equal(person_consent(person, BYTES(LIBRARY), BYTES(LENDING))->state, CONSENT_GIVEN);
    assert_false(cascade_is_due(test.vault, person));
    citizen_release(&citizen);
    assert_int_equal(log_size(), before);
    end();
}

static void test_requests_go_with_the_service_at_once(void **state)
{
    (void)state;
    begin();
    struct access_receipt pending = open_request();
    struct access_receipt opened = open_request();
    VAULT_AUTO(access_view_finish) struct access_view view = {0};
    assert_done(access_request_by_code(test.vault, &test.citizen, bytes_of_text(opened.code), &view,
                                       &test_error));
    remove_service();
    assert_int_equal(state_of_request(pending.id), REQUEST_CANCELLED);
    assert_int_equal(state_of_request(opened.id), REQUEST_CANCELLED);
    struct access_view none = {0};
    assert_fails(VAULT_NOT_FOUND,
                 access_request_by_code(test.vault, &test.citizen, bytes_of_text(pending.code),
                                        &none, &test_error));
    assert_fails(VAULT_NOT_FOUND,
                 access_request_by_id(test.vault, &test.citizen, opened.id, &none, &test_error));
    end();
}

static void test_a_removed_service_is_told_of_and_nothing_else(void **state)
{
    (void)state;
    begin();
    remove_service();
    VAULT_AUTO(service_release) struct service_hold held = {0};
    assert_fails(VAULT_DENIED, service_by_key(test.vault, caseworker_key, &held, &test_error));
    assert_fails(VAULT_NOT_FOUND, service_by_id(test.vault, BYTES(CASEWORKER), &held, &test_error));
    assert_done(service_by_id_ever(test.vault, BYTES(CASEWORKER), &held, &test_error));
    assert_string_equal(held.service->name, "An employment plan");
    assert_int_equal(held.service->removed_s, START_MS / 1000);
    assert_int_equal(held.service->purposes.count + held.service->classes.count, 0);
    assert_false(held.service->active);
    VAULT_AUTO(buf_finish) struct buf list = buf_limited(4096);
    assert_done(service_list(test.vault, &list, &test_error));
    assert_string_equal(buf_string(&list),
                        "[{\"id\":\"library\",\"name\":\"A library\",\"state\":\"active\"}]");
    assert_fails(VAULT_CONFLICT, service_remove(test.vault, CASEWORKER, &test_error));
    assert_fails(VAULT_CONFLICT,
                 service_set_state(test.vault, CASEWORKER, CONTROL_SERVICE_ACTIVE, &test_error));
    assert_fails(VAULT_NOT_FOUND, service_remove(test.vault, "no-such-service", &test_error));
    assert_fails(VAULT_NOT_FOUND, service_remove(test.vault, "NO NAME", &test_error));
    end();
}

/* Given in the very moment: the decision was on its way when the service went. */
static void test_what_is_given_after_the_removal_ends_at_the_next_look(void **state)
{
    (void)state;
    begin();
    remove_service();
    test.now_ms += DAY_MS;
    give_consent(&test, CONSENT_UNLIMITED);
    reopen_test_vault(&test);
    const struct consent consent = consent_now();
    assert_int_equal(consent.state, CONSENT_WITHDRAWN);
    assert_int_equal(consent.at_s, test.now_ms / 1000); /* not before it was given */
    end();
}

static void test_a_suspended_services_consents_stay_and_give_nothing(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    const uint64_t before = log_size();
    assert_done(service_set_state(test.vault, CASEWORKER, CONTROL_SERVICE_SUSPENDED, &test_error));
    VAULT_AUTO(service_release) struct service_hold held = {0};
    assert_fails(VAULT_DENIED, service_by_key(test.vault, caseworker_key, &held, &test_error));
    assert_int_equal(consent_now().state, CONSENT_GIVEN);
    assert_int_equal(log_size(), before + 1);
    assert_done(service_set_state(test.vault, CASEWORKER, CONTROL_SERVICE_ACTIVE, &test_error));
    assert_int_equal(released(), 2);
    end();
}

#define REGISTRATION(purposes)                                                                     \
    "{\"id\":\"" CASEWORKER "\",\"name\":\"An employment plan\",\"contact\":\"a@b.example\","      \
    "\"classes\":[\"employment.caseworker\"],\"purposes\":[" purposes "],"                         \
    "\"atoms\":[\"assurance_at_least\"]}"

static void test_a_purpose_taken_from_a_registration_gives_nothing_until_it_is_back(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    assert_int_equal(released(), 2);
    assert_done(service_update(test.vault, BYTES(REGISTRATION("")), &test_error));
    assert_int_equal(released(), 0);
    assert_int_equal(consent_now().state, CONSENT_GIVEN);
    assert_done(service_update(test.vault, BYTES(REGISTRATION("\"" SUPPORT "\"")), &test_error));
    assert_int_equal(released(), 2);
    end();
}

static void test_only_what_is_registered_is_registered_anew(void **state)
{
    (void)state;
    begin();
    const uint64_t before = log_size();
    assert_fails(VAULT_NOT_FOUND,
                 service_update(test.vault,
                                BYTES("{\"id\":\"nobody\",\"name\":\"n\",\"contact\":\"c\"}"),
                                &test_error));
    assert_fails(VAULT_INVALID,
                 service_update(test.vault, BYTES("{\"id\":\"library\"}"), &test_error));
    assert_fails(VAULT_INVALID,
                 service_update(test.vault,
                                BYTES("{\"id\":\"library\",\"name\":\"n\",\"contact\":\"c\","
                                      "\"removed\":1}"),
                                &test_error));
    assert_int_equal(log_size(), before);
    remove_service();
    assert_fails(VAULT_NOT_FOUND, service_update(test.vault, BYTES(REGISTRATION("")), &test_error));
    end();
}

static enum vault_code count_row(void *context, const struct feed_row *row, struct vault_error *err)
{
    (void)err;
    size_t *withdrawn = context;
    *withdrawn += row->change == FEED_WITHDRAW;
    return VAULT_OK;
}

static void test_the_feed_has_the_end_like_any_withdrawal(void **state)
{
    (void)state;
    size_t withdrawn = 0;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    remove_service();
    consent_now();
    assert_done(indexer_wait(test.vault->indexer, log_size(), 10000, &test_error));
    assert_done(feed_list(test.vault->store, CASEWORKER, 0, UINT64_MAX, 100, count_row, &withdrawn,
                          &test_error));
    assert_int_equal(withdrawn, 1);
    end();
}

/* A removal by a program that did not write down when: as of before everything. */
static void test_a_removal_without_a_time_ends_what_was_given(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    assert_done(control_service_remove(
        test.vault->store, CASEWORKER,
        BYTES("{\"id\":\"" CASEWORKER "\",\"name\":\"n\",\"contact\":\"c\",\"classes\":[]}"),
        &test_error));
    const struct consent consent = consent_now();
    assert_int_equal(consent.event, CONSENT_END);
    assert_int_equal(consent.at_s, START_MS / 1000);
    end();
}

int main(void)
{
    return TEST_RUN(test_a_consent_ends_with_its_service_and_says_who_ended_it,
                    test_the_end_is_one_entry_made_when_the_file_is_read,
                    test_a_file_that_is_read_after_a_start_tells_the_same,
                    test_what_had_run_out_before_the_removal_stays_expired,
                    test_a_suspended_consent_ends_too_and_a_pause_does_not_bring_it_back,
                    test_what_the_citizen_ended_before_stays_theirs, test_nobody_else_is_touched,
                    test_requests_go_with_the_service_at_once,
                    test_a_removed_service_is_told_of_and_nothing_else,
                    test_what_is_given_after_the_removal_ends_at_the_next_look,
                    test_a_suspended_services_consents_stay_and_give_nothing,
                    test_a_purpose_taken_from_a_registration_gives_nothing_until_it_is_back,
                    test_only_what_is_registered_is_registered_anew,
                    test_the_feed_has_the_end_like_any_withdrawal,
                    test_a_removal_without_a_time_ends_what_was_given);
}
