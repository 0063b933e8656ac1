/*
 * What a service may bring into a citizen's vault, and what it cannot tell from the answer.
 */
#include "vault/vault/deposit.h"

#include "opened.h"
#include "vault/base/codec.h"
#include "vault/deposit_record.h"
#include "vault/parts.h"
#include "vault/person.h"
#include "vault/store/citizen_value.h"
#include "vault/vault/erase.h"

#define STATUS "employment.status"
#define BIRTH  "identity.birth_date"

/* The caseworker may bring the status; the birth date only with a high assurance, and of adults. */
static const char rules[] =
    "{\"format\":\"vault-rules/1\",\"policy\":\"deposits\","
    "\"title\":{\"fr\":\"Essai\",\"en\":\"Trial\"},\"owner\":\"dpo@ville.example\",\"rules\":["
    "{\"id\":\"bring-status\",\"effect\":\"deposit\",\"why\":{\"fr\":\"Essai\",\"en\":\"Trial\"},"
    "\"who\":{\"classes\":[\"employment.caseworker\"]},\"purposes\":[\"" SUPPORT "\"],"
    "\"fields\":[\"" STATUS "\"]},"
    "{\"id\":\"bring-birth\",\"effect\":\"deposit\",\"why\":{\"fr\":\"Essai\",\"en\":\"Trial\"},"
    "\"who\":{\"classes\":[\"employment.caseworker\"]},\"purposes\":[\"" SUPPORT "\"],"
    "\"fields\":[\"" BIRTH "\"],"
    "\"when\":{\"assurance_at_least\":\"high\",\"citizen_is_minor\":false}}]}";

static struct vault_test test;
static char subject[SUBJECT_CHARS + 1];
static struct deposit_wrong wrong;

static void begin(void)
{
    make_test_vault(&test);
    change_test_bundle(&test, "rules/deposits.json", rules, 2);
    fill_test_vault(&test);
    subject_of_citizen(&test, subject);
}

static uint64_t log_size(void)
{
    return ledger_head(test.vault->ledger).size;
}

/* A deposit under way, as a test likes it. */
struct trial {
    const uint8_t *key;
    const char *subject;
    const char *purpose; /* NULL: not said */
    const char *assurance;
    const char *fields; /* {"FIELD":VALUE…} */
    int64_t as_of_s;    /* 0: not said */
};

static enum vault_code bring(const struct trial *trial, json_t **answer)
{
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, trial->key);
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(DEPOSIT_ANSWER_BYTES);
    VAULT_AUTO(json_free) json_t *fields = NULL;
    VAULT_AUTO(json_free) json_t *context = NULL;
    struct deposit_value values[DEPOSIT_FIELDS_MAX];
    struct deposit_request request = {
        .client_spki = trial->key, .subject = bytes_of_text(trial->subject), .values = values};
    const char *name;
    json_t *value;
    assert_done(json_parse(bytes_of_text(trial->fields), 8, &fields, NULL, &test_error));
    json_object_foreach(fields, name, value)
    {
        values[request.value_count++] =
            (struct deposit_value){bytes_of_text(name), value, trial->as_of_s, trial->as_of_s != 0};
    }
    if (trial->purpose)
        request.purpose = bytes_of_text(trial->purpose);
    if (trial->assurance)
        context =
            json_pack("{s:s,s:b}", "assurance_at_least", trial->assurance, "citizen_is_minor", 0);
    request.context = context;
    const enum vault_code code =
        deposit_perform(test.vault, hold.service, &request, &body, &wrong, &test_error);
    if (code == VAULT_OK && answer)
        assert_done(json_parse(buf_view(&body), 8, answer, NULL, &test_error));
    return code;
}

static struct trial status_trial(void)
{
    return (struct trial){.key = caseworker_key,
                          .subject = subject,
                          .purpose = SUPPORT,
                          .fields = "{\"" STATUS "\":\"training\"}"};
}

/* What is stored, as "JSON SOURCE". */
static void assert_stored(const char *field, const char *expected)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(1000);
    struct citizen_value_about about;
    assert_done(citizen_acquire(test.vault->store, &test.citizen, &citizen, &test_error));
    assert_done(citizen_value_get(citizen, field, &text, &about, &test_error));
    buf_format(&text, " %s", about.source);
    assert_string_equal(buf_string(&text), expected);
}

static void test_what_is_brought_is_released_with_its_source_and_day(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    struct trial trial = status_trial();
    trial.as_of_s = START_MS / 1000; /* the import's is of this second, too */
    VAULT_AUTO(json_free) json_t *answer = NULL;
    assert_done(bring(&trial, &answer));
    const json_t *stored = json_object_get(json_object_get(answer, "stored"), STATUS);
    assert_string_equal(json_string_value(json_object_get(stored, "as_of")), "2027-03-08");
    assert_string_equal(json_string_value(json_object_get(answer, "purpose")), SUPPORT);
    VAULT_AUTO(json_free) json_t *release = ask_release(&test, subject);
    const json_t *status = json_object_get(json_object_get(release, "released"), STATUS);
    assert_string_equal(json_string_value(json_object_get(status, "value")), "training");
    assert_string_equal(json_string_value(json_object_get(status, "source")), CASEWORKER);
    assert_string_equal(json_string_value(json_object_get(status, "as_of")), "2027-03-08");
    vault_close(&test.vault);
}

static void test_the_log_has_the_names_of_fields_and_no_value(void **state)
{
    (void)state;
    struct opened opened;
    begin();
    const uint64_t index = log_size();
    const struct trial trial = status_trial();
    VAULT_AUTO(json_free) json_t *answer = NULL;
    assert_done(bring(&trial, &answer));
    open_entry(&test, index, &test.citizen, &opened);
    assert_int_equal(opened.event, ENTRY_DEPOSIT);
    assert_string_equal(opened.what, STATUS " - deposited");
    assert_string_equal(opened.basis, "deposit");
    assert_int_equal(opened.policy_version, 2);
    assert_int_equal(strlen(opened.answer), BASE64_CHARS(SHA256_BYTES));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(answer, "log"), "index")),
                     index);
    vault_close(&test.vault);
}

static void test_a_later_value_is_not_hidden_by_a_late_one(void **state)
{
    (void)state;
    begin();
    struct trial trial = status_trial();
    trial.as_of_s = START_MS / 1000 - 86400;
    assert_done(bring(&trial, NULL));
    assert_stored(STATUS, "\"seeking\" import");
    trial.as_of_s = 0;
    assert_done(bring(&trial, NULL));
    assert_stored(STATUS, "\"training\" " CASEWORKER);
    reopen_test_vault(&test);
    assert_stored(STATUS, "\"training\" " CASEWORKER);
    vault_close(&test.vault);
}

/* A refusal: nothing is stored, and the log has one entry more. */
static void assert_refused(const struct trial *trial, char text[sizeof test_error.text])
{
    const uint64_t before = log_size();
    assert_fails(VAULT_DENIED, bring(trial, NULL));
    assert_int_equal(wrong.fault, DEPOSIT_NO_FAULT);
    assert_int_equal(log_size(), before + 1);
    assert_stored(STATUS, "\"seeking\" import");
    snprintf(text, sizeof test_error.text, "%s", test_error.text);
}

static void test_nobody_and_a_field_without_a_rule_are_refused_alike(void **state)
{
    (void)state;
    char texts[4][sizeof test_error.text];
    struct trial trial = status_trial();
    begin();
    trial.subject = "aaaaaaaaaaaaaaaaaaaaaaaaaa";
    assert_refused(&trial, texts[0]);
    trial = status_trial();
    trial.fields = "{\"" STATUS "\":\"training\",\"identity.name\":\"Autre Nom\"}";
    assert_refused(&trial, texts[1]);
    trial = status_trial();
    trial.purpose = NULL;
    trial.key = library_key;
    assert_refused(&trial, texts[2]);
    trial = status_trial();
    trial.purpose = LENDING; /* known, but not the service's */
    assert_refused(&trial, texts[3]);
    for (size_t i = 1; i < 4; i++)
        assert_string_equal(texts[i], texts[0]);
    vault_close(&test.vault);
}

static void test_the_erased_are_nobody(void **state)
{
    (void)state;
    begin();
    assert_done(erase_citizen(test.vault, &test.citizen, &test_error));
    const struct trial trial = status_trial();
    assert_fails(VAULT_DENIED, bring(&trial, NULL));
    vault_close(&test.vault);
}

static void test_a_rules_conditions_are_the_services_and_the_vaults_own(void **state)
{
    (void)state;
    char text[sizeof test_error.text];
    begin();
    struct trial trial = status_trial();
    trial.fields = "{\"" BIRTH "\":\"1991-01-01\"}";
    trial.assurance = "substantial";
    assert_refused(&trial, text);
    trial.assurance = "high";
    assert_done(bring(&trial, NULL));
    assert_stored(BIRTH, "\"1991-01-01\" " CASEWORKER);
    /* Now a minor, whatever the service says. */
    trial.fields = "{\"" BIRTH "\":\"2015-01-01\"}";
    test.now_ms += 1000;
    assert_done(bring(&trial, NULL));
    assert_refused(&trial, text);
    vault_close(&test.vault);
}

static void test_without_a_purpose_the_registrations_are_tried(void **state)
{
    (void)state;
    begin();
    struct trial trial = status_trial();
    trial.purpose = NULL;
    VAULT_AUTO(json_free) json_t *answer = NULL;
    assert_done(bring(&trial, &answer));
    assert_string_equal(json_string_value(json_object_get(answer, "purpose")), SUPPORT);
    vault_close(&test.vault);
}

static void test_what_is_wrong_is_neither_stored_nor_logged(void **state)
{
    (void)state;
    static const struct {
        const char *fields;
        const char *purpose;
        int64_t as_of_s;
        enum deposit_fault fault;
        size_t at;
    } trials[] = {
        {"{\"" STATUS "\":\"\"}", SUPPORT, 0, DEPOSIT_BAD_VALUE, 0},
        {"{\"" STATUS "\":7}", SUPPORT, 0, DEPOSIT_BAD_VALUE, 0},
        {"{\"" STATUS "\":null}", SUPPORT, 0, DEPOSIT_BAD_VALUE, 0},
        {"{\"" STATUS "\":\"training\",\"" BIRTH "\":\"1990-02-30\"}", SUPPORT, 0,
         DEPOSIT_BAD_VALUE, 1},
        {"{\"address.postal\":{\"city\":\"Rennes\"}}", SUPPORT, 0, DEPOSIT_BAD_VALUE, 0},
        {"{\"identity.nickname\":\"x\"}", SUPPORT, 0, DEPOSIT_UNKNOWN_FIELD, 0},
        {"{\"identity.is_adult\":true}", SUPPORT, 0, DEPOSIT_UNKNOWN_FIELD, 0},
        {"{\"" STATUS "\":\"training\"}", "no.such.purpose", 0, DEPOSIT_UNKNOWN_PURPOSE, 0},
        {"{\"" STATUS "\":\"training\"}", SUPPORT, START_MS / 1000 + 1, DEPOSIT_BAD_TIME, 0},
    };
    begin();
    const uint64_t before = log_size();
    for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++) {
        struct trial trial = status_trial();
        trial.fields = trials[i].fields;
        trial.purpose = trials[i].purpose;
        trial.as_of_s = trials[i].as_of_s;
        assert_fails(VAULT_INVALID, bring(&trial, NULL));
        assert_int_equal(wrong.fault, trials[i].fault);
        assert_int_equal(wrong.at, trials[i].at);
    }
    struct trial trial = status_trial();
    trial.subject = "SHOUTED-AND-TOO-SHORT";
    assert_fails(VAULT_NOT_FOUND, bring(&trial, NULL));
    assert_int_equal(log_size(), before);
    assert_stored(STATUS, "\"seeking\" import");
    vault_close(&test.vault);
}

static void test_without_a_policy_nothing_is_taken(void **state)
{
    (void)state;
    begin();
    vault_close(&test.vault);
    make_test_vault(&test);
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(DEPOSIT_ANSWER_BYTES);
    VAULT_AUTO(json_free) json_t *value = json_string("training");
    const struct service service = {.id = CASEWORKER};
    const struct deposit_value one = {.field = BYTES(STATUS), .value = value};
    const struct deposit_request request = {.client_spki = caseworker_key,
                                            .subject = bytes_of_text(subject),
                                            .values = &one,
                                            .value_count = 1};
    assert_fails(VAULT_UNAVAILABLE,
                 deposit_perform(test.vault, &service, &request, &body, &wrong, &test_error));
    assert_int_equal(wrong.fault, DEPOSIT_NO_FAULT);
    vault_close(&test.vault);
}

static void test_a_deposit_that_crashed_before_its_entry_is_entered_once(void **state)
{
    (void)state;
    struct opened opened;
    const struct deposit_record record = {.service = CASEWORKER,
                                          .purpose = SUPPORT,
                                          .what = STATUS " - deposited",
                                          .answer = "AA==",
                                          .client = {1, 2, 3},
                                          .policy_version = 2};
    begin();
    {
        VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
        VAULT_AUTO(buf_finish) struct buf json = buf_limited(4096);
        struct person *person = NULL;
        deposit_record_write(&json, &record);
        assert_done(person_hold(test.vault, &test.citizen, &citizen, &person, &test_error));
        const struct citizen_record stored = {.kind = DEPOSIT_RECORD_KIND,
                                              .key = "01TESTTESTTESTTESTTESTTEST",
                                              .json = buf_view(&json),
                                              .log_n = person->chain.n + 1};
        assert_done(citizen_record_add(citizen, &stored, NULL, &test_error));
        citizen_cache_set(citizen, NULL, NULL);
    }
    reopen_test_vault(&test);
    const uint64_t index = log_size();
    const struct trial trial = status_trial();
    assert_done(bring(&trial, NULL));
    assert_int_equal(log_size(), index + 2);
    open_entry(&test, index, &test.citizen, &opened);
    assert_int_equal(opened.event, ENTRY_DEPOSIT);
    assert_string_equal(opened.what, STATUS " - deposited");
    reopen_test_vault(&test);
    assert_done(bring(&trial, NULL));
    assert_int_equal(log_size(), index + 3);
    vault_close(&test.vault);
}

static void test_a_record_that_is_none_is_found_damaged(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{}",
        "[]",
        "nonsense",
        "{\"service\":\"a\",\"purpose\":\"b\",\"what\":\"c\"}",
        ("{\"client\":\"00\",\"policy\":{\"version\":1,\"manifest\":\"0000000000000000\"},"
         "\"service\":\"a\",\"purpose\":\"b\",\"what\":\"c\",\"answer\":\"\"}"),
        ("{\"client\":\"0000000000000000\",\"policy\":{\"version\":-1,\"manifest\":"
         "\"0000000000000000\"},\"service\":\"a\",\"purpose\":\"b\",\"what\":\"c\","
         "\"answer\":\"\"}")};
    begin();
    const uint64_t before = log_size();
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    struct person *person = NULL;
    struct ledger_ticket ticket;
    assert_done(person_hold(test.vault, &test.citizen, &citizen, &person, &test_error));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_fails(VAULT_CORRUPT,
                     deposit_record_enter(test.vault, citizen, &person->chain,
                                          bytes_of_text(bad[i]), &ticket, &test_error));
    assert_int_equal(log_size(), before);
    citizen_release(&citizen);
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(
        test_what_is_brought_is_released_with_its_source_and_day,
        test_the_log_has_the_names_of_fields_and_no_value,
        test_a_later_value_is_not_hidden_by_a_late_one,
        test_nobody_and_a_field_without_a_rule_are_refused_alike, test_the_erased_are_nobody,
        test_a_rules_conditions_are_the_services_and_the_vaults_own,
        test_without_a_purpose_the_registrations_are_tried,
        test_what_is_wrong_is_neither_stored_nor_logged, test_without_a_policy_nothing_is_taken,
        test_a_deposit_that_crashed_before_its_entry_is_entered_once,
        test_a_record_that_is_none_is_found_damaged);
}
