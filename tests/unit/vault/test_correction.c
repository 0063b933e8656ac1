/*
 * What a citizen may correct themselves, what they ask a source to correct, and what an operator
 * learns of it.
 */
#include "vault/vault/correction.h"

#include "opened.h"
#include "vault/correction_record.h"
#include "vault/parts.h"
#include "vault/person.h"
#include "vault/store/citizen_value.h"
#include "vault/vault/erase.h"
#include "vault/vault/history.h"

#define STATUS  "employment.status"
#define NAME    "identity.name"
#define BIRTH   "identity.birth_date"
#define ADDRESS "address.postal"
#define ID      "01ARZ3NDEKTSV4RRFFQ69G5FAV"

static struct vault_test test;
static struct citizen_id ada; /* who declared status and birth date themselves, and not the name */

static void begin(void)
{
    make_filled_vault(&test);
    import_one(&test, "{\"reference\":\"T-2\",\"values\":{"
                      "\"employment.status\":{\"value\":\"seeking\",\"source\":\"citizen\","
                      "\"as_of\":\"2027-01-01\"},"
                      "\"identity.birth_date\":{\"value\":\"1992-05-17\",\"source\":\"citizen\"},"
                      "\"identity.name\":{\"value\":\"Ada Inventee\",\"source\":\"library\"},"
                      "\"address.postal\":{\"value\":{\"street\":\"rue des Essais\","
                      "\"postcode\":\"35000\",\"city\":\"Rennes\"},\"source\":\"town hall\"}}}");
    assert_done(people_find(test.vault, "T-2", &ada, &test_error));
}

static enum vault_code make(const char *field, const char *json)
{
    return correction_make(test.vault, &ada, field, bytes_of_text(json), &test_error);
}

static uint64_t log_size(void)
{
    return ledger_head(test.vault->ledger).size;
}

static void assert_stored(const char *field, const char *expected)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(1000);
    struct citizen_value_about about;
    assert_done(citizen_acquire(test.vault->store, &ada, &citizen, &test_error));
    assert_done(citizen_value_get(citizen, field, &text, &about, &test_error));
    buf_format(&text, " %s", about.source);
    assert_string_equal(buf_string(&text), expected);
}

/* --- The citizen's own ---------------------------------------------------------------------- */

static enum vault_code take_newest(void *context, const struct history_event *event,
                                   struct vault_error *err)
{
    struct buf *out = context;
    (void)err;
    buf_format(out, "%s ", entry_event_name(event->event));
    buf_bytes(out, event->service);
    buf_byte(out, '|');
    buf_bytes(out, event->actor);
    buf_byte(out, '|');
    buf_bytes(out, event->basis);
    buf_byte(out, '|');
    buf_bytes(out, event->what);
    return VAULT_OK;
}

static void assert_newest_event(const char *expected)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(4000);
    assert_done(history_list(test.vault, &ada, 0, 1, take_newest, &text, &test_error));
    assert_string_equal(buf_string(&text), expected);
}

static void test_what_was_self_declared_is_declared_anew_and_released_so(void **state)
{
    (void)state;
    char subject[SUBJECT_CHARS + 1];
    static const struct consent_field field = {STATUS, ""};
    const struct consent_decision decision = {.service = CASEWORKER,
                                              .purpose = SUPPORT,
                                              .fields = &field,
                                              .field_count = 1,
                                              .days = 30,
                                              .uses = CONSENT_UNLIMITED,
                                              .language = "fr",
                                              .text = "Texte"};
    char id[CONSENT_ID_CHARS + 1];
    int64_t seq;
    begin();
    assert_done(consent_give(test.vault, &ada, &decision, id, &seq, &test_error));
    assert_done(make(STATUS, "\"training\""));
    assert_stored(STATUS, "\"training\" citizen");
    assert_newest_event("deposit ||own session|" STATUS " - corrected");
    test.citizen = ada;
    subject_of_citizen(&test, subject);
    VAULT_AUTO(json_free) json_t *answer = ask_release(&test, subject);
    const json_t *released = json_object_get(json_object_get(answer, "released"), STATUS);
    assert_string_equal(json_string_value(json_object_get(released, "value")), "training");
    assert_string_equal(json_string_value(json_object_get(released, "source")), "citizen");
    assert_string_equal(json_string_value(json_object_get(released, "as_of")), "2027-03-08");
    vault_close(&test.vault);
}

static void test_a_correction_counts_though_the_clock_went_back(void **state)
{
    (void)state;
    begin();
    assert_done(make(STATUS, "\"training\""));
    test.now_ms -= 1000000;
    assert_done(make(STATUS, "\"working\""));
    assert_stored(STATUS, "\"working\" citizen");
    vault_close(&test.vault);
}

static void test_the_same_again_is_no_event(void **state)
{
    (void)state;
    begin();
    const uint64_t before = log_size();
    assert_done(make(STATUS, "\"seeking\""));
    assert_int_equal(log_size(), before);
    vault_close(&test.vault);
}

static void test_what_somebody_else_says_is_not_the_citizens_to_change(void **state)
{
    (void)state;
    begin();
    const uint64_t before = log_size();
    assert_fails(VAULT_DENIED, make(NAME, "\"Ada Autre\""));
    assert_fails(VAULT_DENIED,
                 make(ADDRESS, "{\"street\":\"x\",\"postcode\":\"35000\",\"city\":\"y\"}"));
    assert_stored(NAME, "\"Ada Inventee\" library");
    assert_int_equal(log_size(), before);
    vault_close(&test.vault);
}

/* Else somebody of fourteen would be grown up by a word. */
static void test_what_the_vault_decides_by_is_never_the_citizens_to_change(void **state)
{
    (void)state;
    begin();
    assert_false(correction_is_own(BIRTH, CORRECTION_SOURCE));
    assert_fails(VAULT_DENIED, make(BIRTH, "\"1990-05-17\""));
    assert_stored(BIRTH, "\"1992-05-17\" citizen");
    vault_close(&test.vault);
}

static void test_a_value_must_be_of_its_type_and_of_the_catalogue(void **state)
{
    (void)state;
    begin();
    assert_fails(VAULT_INVALID, make(STATUS, "17"));
    assert_fails(VAULT_INVALID, make(STATUS, "\"\""));
    assert_fails(VAULT_INVALID, make(STATUS, "\"a\" \"b\""));
    assert_fails(VAULT_INVALID, make("no.such_field", "\"a\""));
    assert_stored(STATUS, "\"seeking\" citizen");
    import_one(&test, "{\"reference\":\"T-3\",\"values\":{}}");
    assert_done(people_find(test.vault, "T-3", &ada, &test_error));
    assert_fails(VAULT_NOT_FOUND, make(STATUS, "\"training\""));
    vault_close(&test.vault);
}

static void test_nobody_corrects_for_one_who_is_not_there(void **state)
{
    (void)state;
    begin();
    const struct citizen_id nobody = citizen_id_new();
    assert_fails(VAULT_NOT_FOUND,
                 correction_make(test.vault, &nobody, STATUS, BYTES("\"training\""), &test_error));
    assert_fails(VAULT_NOT_FOUND, correction_ask(test.vault, &nobody, STATUS, &test_error));
    vault_close(&test.vault);
}

static void test_no_service_can_pass_for_the_citizen(void **state)
{
    (void)state;
    begin();
    assert_fails(
        VAULT_INVALID,
        service_add(test.vault,
                    BYTES("{\"id\":\"citizen\",\"name\":\"X\",\"contact\":\"a@b.example\","
                          "\"classes\":[\"culture.library\"],\"purposes\":[\"" LENDING "\"]}"),
                    &test_error));
    vault_close(&test.vault);
}

/* The value and the record were stored, and a crash came before the entry. */
static void test_a_correction_whose_entry_is_missing_gets_it_at_the_next_hold(void **state)
{
    (void)state;
    begin();
    {
        VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
        struct person *person = NULL;
        VAULT_AUTO(buf_finish) struct buf json = buf_limited(1000);
        const struct correction_record made = {.event = CORRECTION_MADE,
                                               .id = ID,
                                               .field = STATUS,
                                               .source = "citizen",
                                               .version = 1,
                                               .at_s = START_MS / 1000};
        correction_record_write(&json, &made);
        assert_done(person_hold(test.vault, &ada, &citizen, &person, &test_error));
        const struct citizen_record record = {.kind = CORRECTION_RECORD_KIND,
                                              .key = ID,
                                              .json = buf_view(&json),
                                              .log_n = person->chain.n + 1};
        assert_done(citizen_record_add(citizen, &record, NULL, &test_error));
        citizen_cache_set(citizen, NULL, NULL);
    }
    assert_done(correction_list(test.vault, &ada, NULL, NULL, &test_error)); /* holds them */
    assert_newest_event("deposit ||own session|" STATUS " - corrected");
    vault_close(&test.vault);
}

/* --- Asking the source ---------------------------------------------------------------------- */

struct seen {
    size_t count;
    char field[CITIZEN_FIELD_CHARS + 1];
    char source[CITIZEN_SOURCE_CHARS + 1];
    enum correction_state state;
};

static enum vault_code see(void *context, const struct correction *correction,
                           struct vault_error *err)
{
    struct seen *seen = context;
    (void)err;
    seen->count++;
    snprintf(seen->field, sizeof seen->field, "%s", correction->field);
    snprintf(seen->source, sizeof seen->source, "%s", correction->source);
    seen->state = correction->state;
    return VAULT_OK;
}

static struct seen what_was_asked(void)
{
    struct seen seen = {0};
    assert_done(correction_list(test.vault, &ada, see, &seen, &test_error));
    return seen;
}

static json_t *what_waits(void)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(10000);
    json_t *list = NULL;
    assert_done(correction_open_list(test.vault, &text, &test_error));
    assert_null(strstr(buf_string(&text), "Inventee"));
    assert_done(json_parse(buf_view(&text), 3, &list, NULL, &test_error));
    return list;
}

static size_t count_waiting(void)
{
    VAULT_AUTO(json_free) json_t *list = what_waits();
    return json_array_size(list);
}

static void test_what_was_asked_waits_for_operator_and_citizen_alike(void **state)
{
    (void)state;
    begin();
    assert_done(correction_ask(test.vault, &ada, NAME, &test_error));
    assert_newest_event("request library||correction|" NAME " - correction_asked");
    const struct seen seen = what_was_asked();
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.field, NAME);
    assert_string_equal(seen.source, "library");
    assert_int_equal(seen.state, CORRECTION_WAITS);
    VAULT_AUTO(json_free) json_t *list = what_waits();
    const json_t *one = json_array_get(list, 0);
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(json_string_value(json_object_get(one, "reference")), "T-2");
    assert_string_equal(json_string_value(json_object_get(one, "field")), NAME);
    assert_string_equal(json_string_value(json_object_get(one, "asked")), "2027-03-08T10:00:00Z");
    vault_close(&test.vault);
}

/* A source that is no service is free text, and has no place in a public entry. */
static void test_a_source_that_is_no_service_is_not_named_in_the_entry(void **state)
{
    (void)state;
    begin();
    assert_done(correction_ask(test.vault, &ada, ADDRESS, &test_error));
    assert_newest_event("request ||correction|" ADDRESS " - correction_asked");
    vault_close(&test.vault);
}

static void test_asking_twice_is_asking_once(void **state)
{
    (void)state;
    begin();
    assert_done(correction_ask(test.vault, &ada, NAME, &test_error));
    const uint64_t before = log_size();
    assert_done(correction_ask(test.vault, &ada, NAME, &test_error));
    assert_int_equal(log_size(), before);
    assert_int_equal(count_waiting(), 1);
    vault_close(&test.vault);
}

static void test_ones_own_and_what_is_not_there_is_not_asked_of_anybody(void **state)
{
    (void)state;
    begin();
    assert_fails(VAULT_DENIED, correction_ask(test.vault, &ada, STATUS, &test_error));
    assert_fails(VAULT_NOT_FOUND, correction_ask(test.vault, &ada, "contact.email", &test_error));
    assert_int_equal(count_waiting(), 0);
    assert_int_equal(what_was_asked().count, 0);
    vault_close(&test.vault);
}

static void bring_name(const char *value, int64_t as_of_s)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    const struct citizen_value brought = {NAME, bytes_of_text(value), as_of_s, "library"};
    assert_done(citizen_acquire(test.vault->store, &ada, &citizen, &test_error));
    assert_done(citizen_value_put(citizen, &brought, &test_error));
}

static void test_it_is_over_when_the_source_brings_another_value(void **state)
{
    (void)state;
    begin();
    assert_done(correction_ask(test.vault, &ada, NAME, &test_error));
    bring_name("\"Ada Ancienne\"", 1); /* of long ago: what counts is as it was */
    assert_int_equal(what_was_asked().state, CORRECTION_WAITS);
    bring_name("\"Ada Juste\"", START_MS / 1000);
    assert_int_equal(what_was_asked().state, CORRECTION_DONE);
    assert_int_equal(count_waiting(), 0);
    assert_done(correction_ask(test.vault, &ada, NAME, &test_error));
    assert_int_equal(what_was_asked().state, CORRECTION_WAITS);
    assert_int_equal(count_waiting(), 1);
    vault_close(&test.vault);
}

static void test_the_operator_closes_one_and_the_citizen_sees_it(void **state)
{
    (void)state;
    begin();
    assert_done(correction_ask(test.vault, &ada, NAME, &test_error));
    VAULT_AUTO(json_free) json_t *list = what_waits();
    const char *id = json_string_value(json_object_get(json_array_get(list, 0), "id"));
    assert_done(correction_close(test.vault, id, &test_error));
    assert_int_equal(what_was_asked().state, CORRECTION_CLOSED);
    assert_newest_event("request library|operator|correction|" NAME " - correction_closed");
    assert_int_equal(count_waiting(), 0);
    assert_fails(VAULT_NOT_FOUND, correction_close(test.vault, id, &test_error));
    assert_fails(VAULT_NOT_FOUND, correction_close(test.vault, ID, &test_error));
    assert_done(correction_ask(test.vault, &ada, NAME, &test_error));
    assert_int_equal(what_was_asked().state, CORRECTION_WAITS);
    vault_close(&test.vault);
}

/* A row that a crash left before the record was stored. */
static void test_a_case_without_its_record_means_nothing(void **state)
{
    (void)state;
    begin();
    const struct open_case left = {
        .id = ID, .kind = OPEN_CASE_CORRECTION, .citizen = ada, .opened_s = 1};
    assert_done(open_case_add(test.vault->store, &left, &test_error));
    assert_fails(VAULT_NOT_FOUND, correction_close(test.vault, ID, &test_error));
    assert_int_equal(count_waiting(), 0);
    uint64_t count = 9;
    assert_done(open_case_count(test.vault->store, OPEN_CASE_CORRECTION, &count, &test_error));
    assert_int_equal(count, 0);
    vault_close(&test.vault);
}

static void test_an_erased_citizen_asks_for_nothing_more(void **state)
{
    (void)state;
    begin();
    assert_done(correction_ask(test.vault, &ada, NAME, &test_error));
    assert_done(erase_citizen(test.vault, &ada, &test_error));
    assert_int_equal(count_waiting(), 0);
    vault_close(&test.vault);
}

static void test_a_record_that_cannot_be_read_is_said_to_be_damaged(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "[]",
        "{}",
        "{\"at\":1,\"event\":\"else\",\"field\":\"a\",\"id\":\"x\",\"source\":\"s\",\"version\":1}",
        "{\"at\":1,\"event\":\"made\",\"field\":7,\"id\":\"x\",\"source\":\"s\",\"version\":1}",
        "{\"at\":1,\"event\":\"made\",\"field\":\"a.b\",\"id\":\"x\",\"source\":\"s\"}"};
    struct correction_record record;
    json_start();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_fails(VAULT_CORRUPT,
                     correction_record_read(bytes_of_text(wrong[i]), &record, &test_error));
}

int main(void)
{
    return TEST_RUN(
        test_what_was_self_declared_is_declared_anew_and_released_so,
        test_a_correction_counts_though_the_clock_went_back, test_the_same_again_is_no_event,
        test_what_somebody_else_says_is_not_the_citizens_to_change,
        test_what_the_vault_decides_by_is_never_the_citizens_to_change,
        test_a_value_must_be_of_its_type_and_of_the_catalogue,
        test_nobody_corrects_for_one_who_is_not_there, test_no_service_can_pass_for_the_citizen,
        test_a_correction_whose_entry_is_missing_gets_it_at_the_next_hold,
        test_what_was_asked_waits_for_operator_and_citizen_alike,
        test_a_source_that_is_no_service_is_not_named_in_the_entry,
        test_asking_twice_is_asking_once,
        test_ones_own_and_what_is_not_there_is_not_asked_of_anybody,
        test_it_is_over_when_the_source_brings_another_value,
        test_the_operator_closes_one_and_the_citizen_sees_it,
        test_a_case_without_its_record_means_nothing, test_an_erased_citizen_asks_for_nothing_more,
        test_a_record_that_cannot_be_read_is_said_to_be_damaged);
}
