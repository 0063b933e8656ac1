/* Mandates, and what a mediator may do under one and may not. */
#include "vault_test.h"

#include "vault/base/codec.h"
#include "vault/parts.h"
#include "vault/person.h"
#include "vault/store/mandate_index.h"
#include "vault/vault/history.h"
#include "vault/vault/mandate.h"
#include "vault/vault/mediator.h"
#include "vault/vault/receipt.h"
#include "vault/vault/stance.h"

#define DAY_MS (24LL * 3600 * 1000)

static struct vault_test test;
static char subject[SUBJECT_CHARS + 1];
static struct mediator_seat ada; /* of the hub */
static struct mediator_seat bob; /* of the centre */
static char id[MANDATE_ID_CHARS + 1];

static struct mediator_seat seat_of(const char *login)
{
    char token[ACTOR_TOKEN_CHARS + 1];
    struct mediator_seat seat;
    assert_done(mediator_sign_in(test.vault, bytes_of_text(login), BYTES(MEDIATOR_PASSWORD), token,
                                 &test_error));
    assert_done(mediator_check(test.vault, bytes_of_text(token), &seat, &test_error));
    return seat;
}

static void begin(void)
{
    make_vault_with_mediators(&test);
    subject_of_citizen(&test, subject);
    ada = seat_of("ada");
    bob = seat_of("bob");
}

static void end(void)
{
    vault_close(&test.vault);
}

static struct mandate_terms terms_of(int64_t days, bool values)
{
    return (struct mandate_terms){.structure = "hub",
                                  .label = "Mme T.",
                                  .purposes = {SUPPORT},
                                  .purpose_count = 1,
                                  .days = days,
                                  .values = values};
}

static void give_mandate(int64_t days, bool values)
{
    const struct mandate_terms terms = terms_of(days, values);
    assert_done(mandate_give(test.vault, &test.citizen, &terms, id, &test_error));
}

static enum vault_code open_mandate(const struct mediator_seat *seat)
{
    struct citizen_id citizen;
    struct mandate mandate;
    return mandate_open(test.vault, seat, id, &citizen, &mandate, &test_error);
}

static enum vault_code decide(const struct mediator_seat *seat, const char *field,
                              const char *purpose, bool gives)
{
    const struct actor actor = {.mediator = seat, .mandate = id};
    struct consent_field fields[] = {{"", ""}};
    char consent[CONSENT_ID_CHARS + 1];
    int64_t seq;
    snprintf(fields[0].name, sizeof fields[0].name, "%s", field);
    const struct consent_decision decision = {
        .service = CASEWORKER,
        .purpose = purpose,
        .fields = fields,
        .field_count = 1,
        .days = 30,
        .uses = CONSENT_UNLIMITED,
        .language = "fr",
        .text = "Le texte affiché.",
        .actor = &actor,
    };
    return gives ? consent_give(test.vault, &test.citizen, &decision, consent, &seq, &test_error)
                 : consent_refuse(test.vault, &test.citizen, &decision, &seq, &test_error);
}

static enum vault_code give_by(const struct mediator_seat *seat)
{
    return decide(seat, "employment.status", SUPPORT, true);
}

static enum vault_code change_by(const struct mediator_seat *seat, enum consent_event event)
{
    const struct actor actor = {.mediator = seat, .mandate = id};
    return consent_change_by(test.vault, &test.citizen, &actor, event, CASEWORKER, SUPPORT,
                             &test_error);
}

static size_t released(void)
{
    return count_released(ask_release(&test, subject));
}

/* --- The log -------------------------------------------------------------------------------- */

struct newest {
    enum entry_event event;
    char actor[ACTOR_TEXT_BYTES];
    char what[512];
    size_t count;
};

static enum vault_code take_newest(void *context, const struct history_event *event,
                                   struct vault_error *err)
{
    (void)err;
    struct newest *newest = context;
    if (newest->count++)
        return VAULT_OK;
    newest->event = event->event;
    snprintf(newest->actor, sizeof newest->actor, "%.*s", (int)event->actor.size,
             event->actor.size ? (const char *)event->actor.data : "");
    snprintf(newest->what, sizeof newest->what, "%.*s", (int)event->what.size,
             (const char *)event->what.data);
    return VAULT_OK;
}

static struct newest newest_event(void)
{
    struct newest newest = {0};
    assert_done(history_list(test.vault, &test.citizen, 0, 100, take_newest, &newest, &test_error));
    return newest;
}

/* --- What a mediator may ---------------------------------------------------------------------- */

static void test_a_mediator_gives_within_a_mandate_and_the_citizen_is_told_who(void **state)
{
    (void)state;
    begin();
    give_mandate(31, false);
    assert_int_equal(released(), 0);
    assert_done(give_by(&ada));
    assert_int_equal(released(), 1);
    const struct newest newest = newest_event();
    assert_int_equal(newest.event, ENTRY_RELEASE);
    assert_done(change_by(&ada, CONSENT_SUSPEND));
    assert_int_equal(newest_event().event, ENTRY_SUSPEND);
    assert_int_equal(released(), 0);
    assert_done(change_by(&ada, CONSENT_RESUME));
    assert_int_equal(released(), 1);
    assert_done(change_by(&ada, CONSENT_WITHDRAW));
    assert_string_equal(newest_event().actor, "mediator Ada Inventée\nA digital hub");
    assert_int_equal(newest_event().event, ENTRY_WITHDRAW);
    assert_int_equal(released(), 0);
    assert_done(decide(&ada, "employment.status", SUPPORT, false));
    assert_int_equal(newest_event().event, ENTRY_REFUSE);
    end();
}

/* Whether the payload of the newest consent's receipt holds the text. */
static bool receipt_has(const char *text)
{
    int64_t seq;
    const char *payload;
    VAULT_AUTO(buf_finish) struct buf receipt = buf_limited(RECEIPT_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf clear = buf_limited(RECEIPT_BYTES_MAX);
    VAULT_AUTO(json_free) json_t *root = NULL;
    {
        struct person *person = NULL;
        VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
        assert_done(person_hold(test.vault, &test.citizen, &citizen, &person, &test_error));
        seq = person_consent(person, BYTES(CASEWORKER), BYTES(SUPPORT))->seq;
    }
    assert_done(receipt_write(test.vault, &test.citizen, seq, &receipt, &test_error));
    assert_done(json_parse(buf_view(&receipt), 4, &root, NULL, &test_error));
    payload = strchr(json_string_value(json_object_get(root, "receipt")), '.') + 1;
    const struct bytes part = {(const uint8_t *)payload, strcspn(payload, ".")};
    assert_done(base64url_decode(&clear, part, &test_error));
    return strstr(buf_string(&clear), text) != NULL;
}

static void test_the_record_and_the_receipt_say_mandate_and_who(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf all = buf_limited(1U << 20);
    begin();
    give_mandate(31, false);
    assert_done(give_by(&ada));
    reopen_test_vault(&test);
    {
        struct person *person = NULL;
        VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
        assert_done(person_hold(test.vault, &test.citizen, &citizen, &person, &test_error));
        const struct consent *consent = person_consent(person, BYTES(CASEWORKER), BYTES(SUPPORT));
        assert_int_equal(consent->how, CONSENT_MANDATE);
        assert_string_equal(consent->mandate, id);
        assert_string_equal(consent->by, "mediator Ada Inventée\nA digital hub");
    }
    assert_done(people_export(test.vault, "T-1", &all, &test_error));
    assert_non_null(strstr(buf_string(&all), "\"how\":\"mandate\""));
    assert_false(receipt_has("dpv:isIndicatedBy"));
    assert_true(receipt_has("\"dpv:hasIndicationMethod\":\"mandate\""));
    assert_true(receipt_has("\"by\":\"mediator Ada Inventée\\nA digital hub\""));
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    assert_string_equal(newest_event().actor, "");
    assert_true(receipt_has("dpv:isIndicatedBy"));
    assert_false(receipt_has("Ada"));
    end();
}

static void test_a_pause_of_the_citizens_is_their_own_record(void **state)
{
    (void)state;
    begin();
    give_mandate(31, false);
    assert_done(give_by(&ada));
    assert_done(stance_pause(test.vault, &test.citizen, NULL, &test_error));
    assert_string_equal(newest_event().actor, "");
    assert_fails(VAULT_CONFLICT, change_by(&ada, CONSENT_RESUME));
    assert_fails(VAULT_CONFLICT, give_by(&ada));
    end();
}

/* --- What a mediator may not ------------------------------------------------------------------ */

static void test_another_structure_can_do_nothing_with_it(void **state)
{
    (void)state;
    begin();
    give_mandate(365, true);
    assert_fails(VAULT_NOT_FOUND, open_mandate(&bob));
    assert_fails(VAULT_DENIED, give_by(&bob));
    assert_fails(VAULT_DENIED, change_by(&bob, CONSENT_WITHDRAW));
    assert_fails(VAULT_NOT_FOUND, mandate_end_by_mediator(test.vault, &bob, id, &test_error));
    assert_done(give_by(&ada));
    end();
}

static void test_nothing_is_done_for_a_purpose_that_it_does_not_name(void **state)
{
    (void)state;
    begin();
    give_mandate(365, true);
    assert_fails(VAULT_DENIED, decide(&ada, "employment.status", LENDING, true));
    assert_fails(VAULT_DENIED, decide(&ada, "employment.status", LENDING, false));
    end();
}

static void test_nothing_is_done_without_any_mandate_or_with_a_made_up_one(void **state)
{
    (void)state;
    begin();
    snprintf(id, sizeof id, "01ARZ3NDEKTSV4RRFFQ69G5FAV");
    assert_fails(VAULT_DENIED, give_by(&ada));
    assert_fails(VAULT_DENIED, change_by(&ada, CONSENT_WITHDRAW));
    assert_fails(VAULT_NOT_FOUND, open_mandate(&ada));
    assert_fails(VAULT_NOT_FOUND, mandate_end_by_mediator(test.vault, &ada, id, &test_error));
    assert_fails(VAULT_NOT_FOUND, mandate_end(test.vault, &test.citizen, id, &test_error));
    id[0] = 0;
    assert_fails(VAULT_DENIED, give_by(&ada));
    end();
}

static void test_an_ended_mandate_allows_nothing_from_the_next_call_on(void **state)
{
    (void)state;
    begin();
    give_mandate(365, true);
    assert_done(open_mandate(&ada));
    assert_done(mandate_end(test.vault, &test.citizen, id, &test_error));
    assert_int_equal(newest_event().event, ENTRY_MANDATE);
    assert_string_equal(newest_event().actor, "");
    assert_fails(VAULT_DENIED, give_by(&ada));
    assert_fails(VAULT_NOT_FOUND, open_mandate(&ada));
    assert_done(mandate_end(test.vault, &test.citizen, id, &test_error));
    end();
}

static void test_the_structure_ends_it_too_and_the_citizen_is_told(void **state)
{
    (void)state;
    begin();
    give_mandate(365, true);
    assert_done(mandate_end_by_mediator(test.vault, &ada, id, &test_error));
    assert_string_equal(newest_event().actor, "mediator Ada Inventée\nA digital hub");
    assert_fails(VAULT_DENIED, give_by(&ada));
    end();
}

static void test_it_expires_by_the_clock_to_the_second(void **state)
{
    (void)state;
    begin();
    give_mandate(1, false);
    test.now_ms += DAY_MS - 1000;
    assert_done(give_by(&ada));
    test.now_ms += 1000;
    assert_fails(VAULT_DENIED, give_by(&ada));
    assert_fails(VAULT_DENIED, change_by(&ada, CONSENT_WITHDRAW));
    assert_fails(VAULT_NOT_FOUND, open_mandate(&ada));
    end();
}

static void test_six_months_without_a_use_end_it_and_a_use_begins_them_anew(void **state)
{
    (void)state;
    begin();
    give_mandate(365, false);
    test.now_ms += (MANDATE_IDLE_DAYS - 1) * DAY_MS;
    assert_done(open_mandate(&ada));
    test.now_ms += (MANDATE_IDLE_DAYS - 1) * DAY_MS;
    assert_done(give_by(&ada));
    end();
    begin();
    give_mandate(365, false);
    test.now_ms += MANDATE_IDLE_DAYS * DAY_MS;
    assert_fails(VAULT_DENIED, give_by(&ada));
    assert_fails(VAULT_NOT_FOUND, open_mandate(&ada));
    reopen_test_vault(&test);
    assert_fails(VAULT_DENIED, give_by(&ada));
    end();
}

static void test_acting_is_a_use_also_after_a_restart(void **state)
{
    (void)state;
    begin();
    give_mandate(365, false);
    test.now_ms += 100 * DAY_MS;
    assert_done(give_by(&ada));
    reopen_test_vault(&test);
    test.now_ms += 100 * DAY_MS;
    assert_done(change_by(&ada, CONSENT_WITHDRAW));
    end();
}

static void test_special_categories_are_never_consented_to_for_somebody(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(65536);
    VAULT_AUTO(buf_finish) struct buf changed = buf_limited(65536);
    char path[PATH_MAX];
    static const char mark[] = "\"fields\": [";
    begin();
    give_mandate(365, true);
    assert_done(file_join(path, sizeof path, test.bundle, "catalogue.json", &test_error));
    assert_done(file_read(path, &text, &test_error));
    const char *whole = buf_string(&text);
    const char *at = strstr(whole, mark);
    buf_append(&changed, whole, (size_t)(at - whole) + sizeof mark - 1);
    buf_text(&changed, "{\"id\":\"health.need\",\"type\":\"text\",\"sensitivity\":\"art9\","
                       "\"title\":{\"fr\":\"Besoin\",\"en\":\"Need\"}},");
    buf_text(&changed, at + sizeof mark - 1);
    change_test_bundle(&test, "catalogue.json", buf_string(&changed), 2);
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    assert_fails(VAULT_DENIED, decide(&ada, "health.need", SUPPORT, true));
    assert_fails(VAULT_DENIED, decide(&ada, "nobody.knows", SUPPORT, true));
    assert_done(decide(&ada, "employment.status", SUPPORT, true));
    assert_done(decide(&ada, "health.need", SUPPORT, false));
    /* Given by the citizen and suspended, it is the citizen's to resume. */
    static const struct consent_field fields[] = {{"health.need", ""}};
    const struct consent_decision own = {.service = CASEWORKER,
                                         .purpose = SUPPORT,
                                         .fields = fields,
                                         .field_count = 1,
                                         .days = 30,
                                         .uses = CONSENT_UNLIMITED,
                                         .language = "fr",
                                         .text = "Le texte affiché."};
    char consent[CONSENT_ID_CHARS + 1];
    int64_t seq;
    assert_done(consent_give(test.vault, &test.citizen, &own, consent, &seq, &test_error));
    assert_done(change_by(&ada, CONSENT_SUSPEND));
    assert_fails(VAULT_DENIED, change_by(&ada, CONSENT_RESUME));
    assert_done(change_by(&ada, CONSENT_WITHDRAW));
    end();
}

static void test_nothing_makes_a_mandate_longer_or_wider(void **state)
{
    (void)state;
    char other[MANDATE_ID_CHARS + 1];
    char codes[MANDATE_CODES][MANDATE_CODE_CHARS + 1];
    const struct mandate_terms longer = terms_of(365, true);
    begin();
    give_mandate(1, false);
    assert_fails(VAULT_CONFLICT,
                 mandate_give(test.vault, &test.citizen, &longer, other, &test_error));
    assert_done(mandate_print_codes(test.vault, &test.citizen, codes, &test_error));
    assert_fails(VAULT_CONFLICT, mandate_give_by_code(test.vault, &ada, bytes_of_text(codes[0]),
                                                      &longer, other, &test_error));
    test.now_ms += DAY_MS;
    assert_done(mandate_give_by_code(test.vault, &ada, bytes_of_text(codes[0]), &longer, other,
                                     &test_error)); /* what failed did not spend it */
    end();
}

static void test_a_mediator_who_was_taken_off_the_register_is_out_at_once(void **state)
{
    (void)state;
    begin();
    give_mandate(365, true);
    assert_done(mediator_unregister(test.vault, "ada", &test_error));
    assert_fails(VAULT_DENIED, give_by(&ada));
    assert_fails(VAULT_NOT_FOUND, open_mandate(&ada));
    end();
    begin();
    give_mandate(365, true);
    assert_done(mediator_remove_structure(test.vault, "hub", &test_error));
    assert_fails(VAULT_DENIED, give_by(&ada));
    assert_done(mandate_end(test.vault, &test.citizen, id, &test_error));
    end();
}

/* --- Values ----------------------------------------------------------------------------------- */

static char seen_value[64];

static enum vault_code count_value(void *context, size_t at, enum preview_outcome outcome,
                                   struct bytes json, struct vault_error *err)
{
    (void)at, (void)err;
    assert_int_equal(outcome, PREVIEW_SHOWN);
    snprintf(seen_value, sizeof seen_value, "%.*s", (int)json.size, (const char *)json.data);
    ++*(size_t *)context;
    return VAULT_OK;
}

static enum vault_code see(const struct mediator_seat *seat, size_t *count)
{
    static const struct consent_field fields[] = {{"employment.status", ""}, {"no.such", ""}};
    const struct preview_wish wish = {CASEWORKER, SUPPORT, fields, 2};
    const struct actor actor = {.mediator = seat, .mandate = id};
    *count = 0;
    return mandate_values(test.vault, &test.citizen, &actor, &wish, count_value, count,
                          &test_error);
}

static void test_values_are_seen_only_where_the_mandate_says_so_and_the_log_says_which(void **state)
{
    (void)state;
    size_t count;
    begin();
    give_mandate(31, true);
    assert_done(see(&ada, &count));
    assert_int_equal(count, 1);
    assert_string_equal(newest_event().what, "use hub\nemployment.status");
    assert_string_equal(newest_event().actor, "mediator Ada Inventée\nA digital hub");
    assert_fails(VAULT_DENIED, see(&bob, &count));
    assert_int_equal(count, 0);
    end();
    begin();
    give_mandate(31, false);
    assert_fails(VAULT_DENIED, see(&ada, &count));
    assert_int_equal(count, 0);
    end();
}

static void test_a_value_is_seen_in_the_form_that_the_service_would_get(void **state)
{
    (void)state;
    size_t count = 0;
    static const struct consent_field fields[] = {{"identity.birth_date", "year"}};
    const struct preview_wish wish = {CASEWORKER, SUPPORT, fields, 1};
    begin();
    give_mandate(31, true);
    const struct actor actor = {.mediator = &ada, .mandate = id};
    assert_done(
        mandate_values(test.vault, &test.citizen, &actor, &wish, count_value, &count, &test_error));
    assert_int_equal(count, 1);
    assert_string_equal(seen_value, "\"1990\"");
    end();
}

/* --- Giving ----------------------------------------------------------------------------------- */

static void test_terms_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const int64_t wrong[] = {0, -1, 2, 30, 366, 100000};
    char other[MANDATE_ID_CHARS + 1];
    begin();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const struct mandate_terms terms = terms_of(wrong[i], false);
        assert_fails(VAULT_INVALID,
                     mandate_give(test.vault, &test.citizen, &terms, other, &test_error));
    }
    struct mandate_terms terms = terms_of(31, false);
    terms.purpose_count = 0;
    assert_fails(VAULT_INVALID,
                 mandate_give(test.vault, &test.citizen, &terms, other, &test_error));
    terms.purpose_count = 2;
    snprintf(terms.purposes[1], sizeof terms.purposes[1], SUPPORT);
    assert_fails(VAULT_INVALID,
                 mandate_give(test.vault, &test.citizen, &terms, other, &test_error));
    snprintf(terms.purposes[1], sizeof terms.purposes[1], "no.such");
    assert_fails(VAULT_INVALID,
                 mandate_give(test.vault, &test.citizen, &terms, other, &test_error));
    terms = terms_of(31, false);
    snprintf(terms.structure, sizeof terms.structure, "nowhere");
    assert_fails(VAULT_NOT_FOUND,
                 mandate_give(test.vault, &test.citizen, &terms, other, &test_error));
    const struct citizen_id nobody = citizen_id_new();
    terms = terms_of(31, false);
    assert_fails(VAULT_NOT_FOUND, mandate_give(test.vault, &nobody, &terms, other, &test_error));
    end();
}

static void test_a_printed_code_gives_one_mandate_to_who_has_it(void **state)
{
    (void)state;
    char codes[MANDATE_CODES][MANDATE_CODE_CHARS + 1];
    const struct mandate_terms terms = terms_of(31, false);
    begin();
    assert_done(mandate_print_codes(test.vault, &test.citizen, codes, &test_error));
    assert_int_equal(newest_event().event, ENTRY_MANDATE);
    assert_fails(VAULT_DENIED, mandate_give_by_code(test.vault, &ada, BYTES("2222-2222-2222"),
                                                    &terms, id, &test_error));
    assert_fails(VAULT_DENIED,
                 mandate_give_by_code(test.vault, &ada, BYTES(""), &terms, id, &test_error));
    assert_done(
        mandate_give_by_code(test.vault, &bob, bytes_of_text(codes[1]), &terms, id, &test_error));
    assert_string_equal(newest_event().actor, "mediator Bob Inventé\nA social centre");
    assert_done(give_by(&bob));
    assert_fails(VAULT_DENIED, give_by(&ada));
    assert_fails(VAULT_DENIED, mandate_give_by_code(test.vault, &ada, bytes_of_text(codes[1]),
                                                    &terms, id, &test_error));
    test.now_ms += MANDATE_CODE_DAYS * DAY_MS;
    assert_fails(VAULT_DENIED, mandate_give_by_code(test.vault, &ada, bytes_of_text(codes[0]),
                                                    &terms, id, &test_error));
    end();
}

/* --- The index -------------------------------------------------------------------------------- */

static enum vault_code count_mandate(void *context, const struct mandate *mandate,
                                     struct vault_error *err)
{
    (void)mandate;
    (void)err;
    ++*(size_t *)context;
    return VAULT_OK;
}

static size_t count_of(const struct mediator_seat *seat)
{
    size_t count = 0;
    assert_done(mandate_list_of_structure(test.vault, seat, count_mandate, &count, &test_error));
    return count;
}

static void test_a_structure_finds_its_own_and_the_citizens_file_decides(void **state)
{
    (void)state;
    struct mandate_place place = {.id = "01ARZ3NDEKTSV4RRFFQ69G5FAV", .structure = "hub"};
    begin();
    assert_int_equal(count_of(&ada), 0);
    give_mandate(31, false);
    assert_int_equal(count_of(&ada), 1);
    assert_int_equal(count_of(&bob), 0);
    /* As a crash between index and record leaves it. */
    place.citizen = test.citizen;
    assert_done(mandate_index_add(test.vault->store, &place, &test_error));
    assert_int_equal(count_of(&ada), 1);
    assert_fails(VAULT_NOT_FOUND,
                 mandate_index_find(test.vault->store, "hub", place.id, &place, &test_error));
    test.now_ms += 31 * DAY_MS;
    assert_int_equal(count_of(&ada), 0);
    assert_fails(VAULT_NOT_FOUND,
                 mandate_index_find(test.vault->store, "hub", id, &place, &test_error));
    end();
}

/* In the bundle's files the purpose has another name from now on. */
static void rename_purpose(const char *file)
{
    char path[PATH_MAX];
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(64UL * 1024);
    assert_done(file_join(path, sizeof path, test.bundle, file, &test_error));
    assert_done(file_read(path, &text, &test_error));
    for (size_t i = 0; i + strlen(SUPPORT) <= text.size; i++) {
        if (memcmp(text.data + i, SUPPORT, strlen(SUPPORT)) == 0)
            memcpy(text.data + i, "employment.renamed", strlen(SUPPORT));
    }
    assert_done(file_replace(path, buf_view(&text), 0600, &test_error));
}

static void test_a_purpose_that_the_rules_lost_falls_away_from_a_mandate(void **state)
{
    (void)state;
    begin();
    give_mandate(31, false);
    assert_done(give_by(&ada));
    rename_purpose("catalogue.json");
    rename_purpose("rules/employment.json");
    sign_again(&test, 2);
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    assert_fails(VAULT_DENIED, give_by(&ada));
    assert_fails(VAULT_DENIED, decide(&ada, "employment.status", "employment.renamed", true));
    assert_done(change_by(&ada, CONSENT_SUSPEND)); /* what narrows is always possible */
    assert_fails(VAULT_DENIED, change_by(&ada, CONSENT_RESUME));
    assert_done(change_by(&ada, CONSENT_WITHDRAW));
    end();
}

int main(void)
{
    return TEST_RUN(test_a_value_is_seen_in_the_form_that_the_service_would_get,
                    test_a_mediator_gives_within_a_mandate_and_the_citizen_is_told_who,
                    test_the_record_and_the_receipt_say_mandate_and_who,
                    test_a_pause_of_the_citizens_is_their_own_record,
                    test_another_structure_can_do_nothing_with_it,
                    test_nothing_is_done_for_a_purpose_that_it_does_not_name,
                    test_nothing_is_done_without_any_mandate_or_with_a_made_up_one,
                    test_an_ended_mandate_allows_nothing_from_the_next_call_on,
                    test_the_structure_ends_it_too_and_the_citizen_is_told,
                    test_it_expires_by_the_clock_to_the_second,
                    test_six_months_without_a_use_end_it_and_a_use_begins_them_anew,
                    test_acting_is_a_use_also_after_a_restart,
                    test_special_categories_are_never_consented_to_for_somebody,
                    test_nothing_makes_a_mandate_longer_or_wider,
                    test_a_mediator_who_was_taken_off_the_register_is_out_at_once,
                    test_values_are_seen_only_where_the_mandate_says_so_and_the_log_says_which,
                    test_terms_that_cannot_be_are_refused,
                    test_a_printed_code_gives_one_mandate_to_who_has_it,
                    test_a_structure_finds_its_own_and_the_citizens_file_decides,
                    test_a_purpose_that_the_rules_lost_falls_away_from_a_mandate);
}
