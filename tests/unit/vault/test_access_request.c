#include "vault_test.h"

#include <pthread.h>

static struct vault_test test;

static void begin(void)
{
    make_filled_vault(&test);
    import_one(&test, "{\"reference\":\"T-2\",\"values\":{}}");
}

static struct access_ask sample(void)
{
    return (struct access_ask){
        .purpose = BYTES(SUPPORT),
        .fields = {{"identity.birth_date", "year"}, {"employment.status", ""}},
        .field_count = 2,
        .days = 90,
        .uses = CONSENT_UNLIMITED,
    };
}

static enum vault_code open_as(const uint8_t *key, const struct access_ask *ask,
                               struct access_receipt *out, enum access_fault *fault)
{
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, key);
    return access_request_open(test.vault, hold.service, ask, out, fault, &test_error);
}

static struct access_receipt open_request(void)
{
    const struct access_ask ask = sample();
    struct access_receipt receipt;
    enum access_fault fault;
    assert_done(open_as(caseworker_key, &ask, &receipt, &fault));
    return receipt;
}

static enum vault_code view_by_code(const struct citizen_id *citizen, const char *code,
                                    char id[REQUEST_ID_CHARS + 1])
{
    VAULT_AUTO(access_view_finish) struct access_view view = {0};
    VAULT_TRY(access_request_by_code(test.vault, citizen, bytes_of_text(code), &view, &test_error));
    memcpy(id, view.request.id, sizeof view.request.id);
    return VAULT_OK;
}

static json_t *state_of(const uint8_t *key, const char *id)
{
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, key);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(65536);
    json_t *state = NULL;
    assert_done(access_request_state(test.vault, hold.service, id, 0, &text, &test_error));
    assert_done(json_parse(buf_view(&text), 8, &state, NULL, &test_error));
    return state;
}

static void assert_state(const struct access_receipt *receipt, const char *wanted)
{
    VAULT_AUTO(json_free) json_t *state = state_of(caseworker_key, receipt->id);
    assert_string_equal(json_string_value(json_object_get(state, "state")), wanted);
}

static struct consent_decision answer(void)
{
    static const struct consent_field fields[] = {{"identity.birth_date", "year"}};
    return (struct consent_decision){.service = CASEWORKER,
                                     .purpose = SUPPORT,
                                     .fields = fields,
                                     .field_count = 1,
                                     .days = 30,
                                     .uses = CONSENT_UNLIMITED,
                                     .language = "en",
                                     .text = "What was shown."};
}

static void test_a_code_is_understood_as_people_type_it(void **state)
{
    (void)state;
    char id[REQUEST_ID_CHARS + 1];
    char typed[32];
    begin();
    const struct access_receipt receipt = open_request();
    assert_int_equal(strlen(receipt.code), ACCESS_REQUEST_CODE_CHARS);
    snprintf(typed, sizeof typed, " %.4s %s ", receipt.code, receipt.code + 5);
    for (char *c = typed; *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    assert_done(view_by_code(&test.citizen, typed, id));
    assert_string_equal(id, receipt.id);
    vault_close(&test.vault);
}

static void test_wrong_codes_find_nothing(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",           "2222",      "2222-2222",
                                        "2222-22222", "AAAA-0000", "\xc3\xa9\xc3\xa9-2222"};
    char id[REQUEST_ID_CHARS + 1];
    begin();
    open_request();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_fails(VAULT_NOT_FOUND, view_by_code(&test.citizen, wrong[i], id));
    vault_close(&test.vault);
}

static void test_whoever_opens_it_first_is_the_one_who_is_asked(void **state)
{
    (void)state;
    char id[REQUEST_ID_CHARS + 1];
    struct citizen_id second;
    struct access_view view = {0};
    begin();
    const struct access_receipt receipt = open_request();
    assert_done(people_find(test.vault, "T-2", &second, &test_error));
    assert_done(view_by_code(&test.citizen, receipt.code, id));
    assert_done(view_by_code(&test.citizen, receipt.code, id));
    assert_fails(VAULT_NOT_FOUND, view_by_code(&second, receipt.code, id));
    assert_fails(VAULT_NOT_FOUND,
                 access_request_by_id(test.vault, &second, receipt.id, &view, &test_error));
    const struct consent_decision decision = answer();
    assert_fails(VAULT_NOT_FOUND,
                 access_request_give(test.vault, &second, receipt.id, &decision, &test_error));
    assert_state(&receipt, "pending");
    vault_close(&test.vault);
}

static void test_a_grant_tells_the_service_who_and_what(void **state)
{
    (void)state;
    char id[REQUEST_ID_CHARS + 1];
    char subject[SUBJECT_CHARS + 1];
    begin();
    const struct access_receipt receipt = open_request();
    const struct consent_decision decision = answer();
    assert_done(view_by_code(&test.citizen, receipt.code, id));
    assert_done(access_request_give(test.vault, &test.citizen, id, &decision, &test_error));
    VAULT_AUTO(json_free) json_t *granted = state_of(caseworker_key, receipt.id);
    subject_of_citizen(&test, subject);
    assert_string_equal(json_string_value(json_object_get(granted, "state")), "granted");
    assert_string_equal(json_string_value(json_object_get(granted, "subject")), subject);
    assert_int_equal(json_object_size(json_object_get(granted, "fields")), 1);
    assert_int_equal(count_released(ask_release(&test, subject)), 1);
    assert_fails(VAULT_NOT_FOUND,
                 access_request_give(test.vault, &test.citizen, id, &decision, &test_error));
    vault_close(&test.vault);
}

static void test_many_are_asked_the_same_and_each_answers_for_themselves(void **state)
{
    (void)state;
    enum { MANY = 5 };
    struct citizen_id people[MANY];
    struct access_receipt receipts[MANY];
    const struct consent_decision decision = answer();
    begin();
    for (int i = 0; i < MANY; i++) {
        char row[64];
        char reference[16];
        snprintf(reference, sizeof reference, "M-%d", i);
        snprintf(row, sizeof row, "{\"reference\":\"%s\",\"values\":{}}", reference);
        import_one(&test, row);
        assert_done(people_find(test.vault, reference, &people[i], &test_error));
        receipts[i] = open_request(); /* all of them are pending at once */
    }
    for (int i = 0; i < MANY; i++) {
        char id[REQUEST_ID_CHARS + 1];
        assert_done(view_by_code(&people[i], receipts[i].code, id));
        assert_done(access_request_give(test.vault, &people[i], id, &decision, &test_error));
    }
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, caseworker_key);
    for (int i = 0; i < MANY; i++) {
        char subject[SUBJECT_CHARS + 1];
        VAULT_AUTO(json_free) json_t *granted = state_of(caseworker_key, receipts[i].id);
        assert_done(subject_write(hold.service, &people[i], subject, &test_error));
        assert_string_equal(json_string_value(json_object_get(granted, "subject")), subject);
    }
    service_release(&hold);
    vault_close(&test.vault);
}

static void test_a_refusal_is_told_without_saying_who(void **state)
{
    (void)state;
    char id[REQUEST_ID_CHARS + 1];
    begin();
    const struct access_receipt receipt = open_request();
    const struct consent_decision decision = answer();
    assert_done(view_by_code(&test.citizen, receipt.code, id));
    assert_done(access_request_refuse(test.vault, &test.citizen, id, &decision, &test_error));
    VAULT_AUTO(json_free) json_t *refused = state_of(caseworker_key, receipt.id);
    assert_string_equal(json_string_value(json_object_get(refused, "state")), "refused");
    assert_null(json_object_get(refused, "subject"));
    vault_close(&test.vault);
}

static void test_an_answer_cannot_go_beyond_what_was_asked(void **state)
{
    (void)state;
    static const struct consent_field more[] = {{"identity.birth_date", "as_is"}};
    static const struct consent_field other[] = {{"address.postal", "city"}};
    char id[REQUEST_ID_CHARS + 1];
    begin();
    const struct access_receipt receipt = open_request();
    assert_done(view_by_code(&test.citizen, receipt.code, id));
    struct consent_decision decision = answer();
    decision.days = 91;
    assert_fails(VAULT_INVALID,
                 access_request_give(test.vault, &test.citizen, id, &decision, &test_error));
    decision = answer();
    decision.fields = more;
    assert_fails(VAULT_INVALID,
                 access_request_give(test.vault, &test.citizen, id, &decision, &test_error));
    decision.fields = other;
    assert_fails(VAULT_INVALID,
                 access_request_give(test.vault, &test.citizen, id, &decision, &test_error));
    decision = answer();
    decision.service = LIBRARY;
    assert_fails(VAULT_INVALID,
                 access_request_give(test.vault, &test.citizen, id, &decision, &test_error));
    assert_state(&receipt, "pending");
    vault_close(&test.vault);
}

static void test_a_request_runs_out(void **state)
{
    (void)state;
    char id[REQUEST_ID_CHARS + 1];
    begin();
    const struct access_receipt receipt = open_request();
    test.now_ms += ACCESS_REQUEST_DAYS * 86400LL * 1000;
    assert_state(&receipt, "expired");
    assert_fails(VAULT_NOT_FOUND, view_by_code(&test.citizen, receipt.code, id));
    vault_close(&test.vault);
}

static void test_another_services_request_is_not_found(void **state)
{
    (void)state;
    begin();
    const struct access_receipt receipt = open_request();
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, library_key);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(65536);
    assert_fails(VAULT_NOT_FOUND,
                 access_request_state(test.vault, hold.service, receipt.id, 0, &text, &test_error));
    const struct vault_error anothers = test_error;
    assert_fails(VAULT_NOT_FOUND,
                 access_request_state(test.vault, hold.service, "01ARZ3NDEKTSV4RRFFQ69G5FAV", 0,
                                      &text, &test_error));
    assert_string_equal(test_error.text, anothers.text); /* or ids could be probed */
    assert_int_equal(text.size, 0);
    service_release(&hold);
    vault_close(&test.vault);
}

static void test_nobody_is_bothered_for_what_the_policy_never_lets_through(void **state)
{
    (void)state;
    struct access_receipt receipt;
    enum access_fault fault;
    begin();
    struct access_ask ask = sample();
    ask.purpose = BYTES("shoes.selling");
    assert_fails(VAULT_INVALID, open_as(caseworker_key, &ask, &receipt, &fault));
    assert_int_equal(fault, ACCESS_UNKNOWN_PURPOSE);
    ask = sample();
    ask.purpose = BYTES(LENDING);
    assert_fails(VAULT_DENIED, open_as(caseworker_key, &ask, &receipt, &fault));
    ask = sample();
    snprintf(ask.fields[1].name, sizeof ask.fields[1].name, "shoe.size");
    assert_fails(VAULT_INVALID, open_as(caseworker_key, &ask, &receipt, &fault));
    assert_int_equal(fault, ACCESS_UNKNOWN_FIELD);
    snprintf(ask.fields[1].name, sizeof ask.fields[1].name, "identity.name");
    assert_fails(VAULT_INVALID, open_as(caseworker_key, &ask, &receipt, &fault));
    assert_int_equal(fault, ACCESS_NEVER_RELEASED);
    ask = sample();
    ask.days = CONSENT_DAYS_MAX + 1;
    assert_fails(VAULT_INVALID, open_as(caseworker_key, &ask, &receipt, &fault));
    assert_int_equal(fault, ACCESS_BAD_PERIOD);
    vault_close(&test.vault);
}

struct answering {
    pthread_t thread;
    const char *id;
    bool gives;
    enum vault_code code;
};

static void *give_one_answer(void *context)
{
    struct answering *answering = context;
    struct vault_error err;
    const struct consent_decision decision = answer();
    answering->code =
        answering->gives
            ? access_request_give(test.vault, &test.citizen, answering->id, &decision, &err)
            : access_request_refuse(test.vault, &test.citizen, answering->id, &decision, &err);
    return NULL;
}

static void test_of_answers_given_at_once_one_counts_and_is_what_the_service_is_told(void **state)
{
    (void)state;
    enum { ANSWERS = 12 };
    struct answering answers[ANSWERS];
    char id[REQUEST_ID_CHARS + 1];
    char subject[SUBJECT_CHARS + 1];
    size_t taken = 0;
    bool given = false;
    begin();
    const struct access_receipt receipt = open_request();
    assert_done(view_by_code(&test.citizen, receipt.code, id));
    for (size_t i = 0; i < ANSWERS; i++) {
        answers[i] = (struct answering){.id = receipt.id, .gives = i % 2};
        assert_int_equal(pthread_create(&answers[i].thread, NULL, give_one_answer, &answers[i]), 0);
    }
    for (size_t i = 0; i < ANSWERS; i++) {
        pthread_join(answers[i].thread, NULL);
        taken += answers[i].code == VAULT_OK;
        given |= answers[i].code == VAULT_OK && answers[i].gives;
    }
    assert_int_equal(taken, 1);
    assert_state(&receipt, given ? "granted" : "refused");
    subject_of_citizen(&test, subject);
    assert_int_equal(count_released(ask_release(&test, subject)), given);
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(test_a_code_is_understood_as_people_type_it, test_wrong_codes_find_nothing,
                    test_whoever_opens_it_first_is_the_one_who_is_asked,
                    test_a_grant_tells_the_service_who_and_what,
                    test_many_are_asked_the_same_and_each_answers_for_themselves,
                    test_a_refusal_is_told_without_saying_who,
                    test_an_answer_cannot_go_beyond_what_was_asked, test_a_request_runs_out,
                    test_another_services_request_is_not_found,
                    test_nobody_is_bothered_for_what_the_policy_never_lets_through,
                    test_of_answers_given_at_once_one_counts_and_is_what_the_service_is_told);
}
