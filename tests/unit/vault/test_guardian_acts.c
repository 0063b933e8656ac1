/* A minor of 14 and their guardians decide: both agree, either ends it, and the birthdays. */
#include "family.h"

#include "vault/base/codec.h"
#include "vault/half.h"
#include "vault/parts.h"
#include "vault/person.h"
#include "vault/policy/policy.h"
#include "vault/stop.h"
#include "vault/store/citizen_value.h"
#include "vault/vault/erase.h"
#include "vault/vault/history.h"
#include "vault/vault/mandate.h"
#include "vault/vault/mediator.h"
#include "vault/vault/receipt.h"
#include "vault/vault/stance.h"

#define DAY_MS (24LL * 3600 * 1000)

static struct vault_test test;
static struct family family;
static struct guardian_seat max; /* guardians who opened the minor */
static struct guardian_seat lou;
static char request[REQUEST_ID_CHARS + 1]; /* the library's, claimed by the minor */

static enum vault_code take_id(void *context, const struct guardian_minor *minor,
                               struct vault_error *err)
{
    (void)err;
    memcpy(context, minor->id, sizeof minor->id);
    return VAULT_OK;
}

static struct guardian_seat seat_of(const struct citizen_id *guardian)
{
    struct guardian_seat seat;
    struct guardian_minor minor;
    char id[GUARDIAN_ID_CHARS + 1] = "";
    assert_done(guardian_add(test.vault, &family.minor, guardian, &test_error));
    assert_done(guardian_list_minors(test.vault, guardian, take_id, id, &test_error));
    assert_done(guardian_open(test.vault, guardian, id, &seat, &minor, &test_error));
    return seat;
}

static void claim_request(void)
{
    const struct access_receipt receipt = ask_minor(&test);
    VAULT_AUTO(access_view_finish) struct access_view view = {0};
    assert_done(access_request_by_code(test.vault, &family.minor, bytes_of_text(receipt.code),
                                       &view, &test_error));
    memcpy(request, view.request.id, sizeof request);
}

static void begin(void)
{
    make_vault_with_family(&test, &family);
    max = seat_of(&family.max);
    lou = seat_of(&family.lou);
    claim_request();
}

static void end(void)
{
    vault_close(&test.vault);
}

static enum vault_code answer(const struct guardian_seat *seat, int64_t days, bool gives)
{
    static const struct consent_field fields[] = {{"reader.token", ""}};
    const struct actor actor = {.guardian = seat};
    const struct consent_decision decision = {
        .service = LIBRARY,
        .purpose = LENDING,
        .fields = fields,
        .field_count = 1,
        .days = days,
        .uses = CONSENT_UNLIMITED,
        .language = "fr",
        .text = "Le texte affiché.",
        .actor = seat ? &actor : NULL,
    };
    return gives
               ? access_request_give(test.vault, &family.minor, request, &decision, &test_error)
               : access_request_refuse(test.vault, &family.minor, request, &decision, &test_error);
}

static enum vault_code give(const struct guardian_seat *seat)
{
    return answer(seat, 90, true);
}

static enum vault_code refuse(const struct guardian_seat *seat)
{
    return answer(seat, 90, false);
}

static enum vault_code withdraw_by(const struct guardian_seat *seat)
{
    return guardian_withdraw(test.vault, &seat->citizen, seat->id, LIBRARY, LENDING, &test_error);
}

static size_t released(void)
{
    return release_of_minor(&test, &family);
}

static enum vault_code copy_consent(void *context, const struct consent *consent,
                                    struct vault_error *err)
{
    struct consent *out = context;
    (void)err;
    *out = *consent;
    return VAULT_OK;
}

static struct consent consent_now(void)
{
    struct consent consent = {.state = CONSENT_NONE};
    assert_done(consent_list(test.vault, &family.minor, copy_consent, &consent, &test_error));
    return consent;
}

static bool half_waits_now(struct guardian_half *half)
{
    struct guardian_rule rule;
    struct guardian_half ignored;
    bool waits = false;
    assert_done(guardian_ask(test.vault, &family.minor, request, &rule, &waits,
                             half ? half : &ignored, &test_error));
    return waits;
}

/* --- The log ---------------------------------------------------------------------------------- */

struct newest {
    size_t count;
    enum entry_event event;
    char actor[ACTOR_TEXT_BYTES];
    char basis[128];
};

static enum vault_code take_newest(void *context, const struct history_event *event,
                                   struct vault_error *err)
{
    struct newest *newest = context;
    (void)err;
    if (newest->count++)
        return VAULT_OK;
    newest->event = event->event;
    snprintf(newest->actor, sizeof newest->actor, "%.*s", (int)event->actor.size,
             event->actor.size ? (const char *)event->actor.data : "");
    snprintf(newest->basis, sizeof newest->basis, "%.*s", (int)event->basis.size,
             (const char *)event->basis.data);
    return VAULT_OK;
}

static struct newest newest_event(void)
{
    struct newest newest = {0};
    assert_done(history_list(test.vault, &family.minor, 0, 100, take_newest, &newest, &test_error));
    return newest;
}

/* --- Both ------------------------------------------------------------------------------------- */

static void assert_in_force(const char *by, enum consent_how how)
{
    const struct consent consent = consent_now();
    assert_int_equal(consent.state, CONSENT_GIVEN);
    assert_string_equal(consent.guardian, "guardian " MAX_NAME);
    assert_string_equal(consent.by, by);
    assert_int_equal(consent.how, how);
    assert_int_equal(released(), 1);
    assert_told(&test, request, "granted");
    assert_int_equal(feed_size(&test), 1);
    assert_false(half_waits_now(NULL));
}

/* What one of two agreed to is nothing to anybody but the two. */
static void assert_nothing_yet(void)
{
    assert_int_equal(consent_now().state, CONSENT_NONE);
    assert_int_equal(released(), 0);
    assert_told(&test, request, "pending");
    assert_int_equal(feed_size(&test), 0);
}

static void test_the_minor_then_a_guardian(void **state)
{
    (void)state;
    begin();
    assert_done(give(NULL));
    assert_nothing_yet();
    assert_true(half_waits_now(NULL));
    reopen_test_vault(&test);
    assert_nothing_yet();
    assert_done(give(&max));
    assert_in_force("guardian " MAX_NAME, CONSENT_GUARDIAN);
    end();
}

static void test_a_guardian_then_the_minor(void **state)
{
    (void)state;
    struct guardian_half half;
    begin();
    assert_done(give(&max));
    assert_nothing_yet();
    assert_true(half_waits_now(&half));
    assert_true(half.by_guardian);
    assert_string_equal(half.name, MAX_NAME);
    assert_string_equal(half.request, request);
    assert_int_equal(half.days, 90);
    reopen_test_vault(&test);
    assert_nothing_yet();
    assert_done(give(NULL));
    assert_in_force("", CONSENT_OWN_SESSION);
    reopen_test_vault(&test);
    assert_in_force("", CONSENT_OWN_SESSION);
    end();
}

static void test_the_same_side_twice_is_one_half(void **state)
{
    (void)state;
    begin();
    assert_done(give(NULL));
    assert_done(give(NULL));
    assert_nothing_yet();
    assert_done(give(&max));
    assert_int_equal(released(), 1);
    end();
    begin();
    assert_done(give(&max));
    assert_done(give(&max));
    assert_nothing_yet();
    assert_done(give(&lou)); /* two guardians are one side */
    assert_nothing_yet();
    assert_done(give(NULL));
    assert_int_equal(released(), 1);
    assert_string_equal(consent_now().guardian, "guardian " LOU_NAME);
    end();
}

static void test_what_both_agreed_to_is_the_shorter_time(void **state)
{
    (void)state;
    begin();
    assert_done(answer(NULL, 90, true));
    assert_done(answer(&max, 30, true));
    assert_int_equal(consent_now().expires_s, START_MS / 1000 + 30 * 86400);
    end();
    begin();
    assert_done(answer(&max, 30, true));
    assert_done(answer(NULL, 90, true));
    assert_int_equal(consent_now().expires_s, START_MS / 1000 + 30 * 86400);
    end();
}

static void test_neither_side_goes_beyond_what_was_asked(void **state)
{
    (void)state;
    begin();
    assert_fails(VAULT_INVALID, answer(&max, 91, true));
    assert_fails(VAULT_INVALID, answer(NULL, 91, true));
    assert_false(half_waits_now(NULL));
    end();
}

static void test_every_act_of_a_guardian_is_told_with_their_name(void **state)
{
    (void)state;
    begin();
    assert_done(give(&max));
    assert_int_equal(newest_event().event, ENTRY_REQUEST);
    assert_string_equal(newest_event().actor, "guardian " MAX_NAME);
    assert_string_equal(newest_event().basis, "half");
    assert_done(withdraw_by(&max));
    assert_string_equal(newest_event().basis, "half taken back");
    assert_string_equal(newest_event().actor, "guardian " MAX_NAME);
    assert_done(give(NULL));
    assert_string_equal(newest_event().actor, "");
    assert_done(give(&lou));
    assert_int_equal(newest_event().event, ENTRY_CONSENT);
    assert_string_equal(newest_event().actor, "guardian " LOU_NAME);
    assert_done(withdraw_by(&max));
    assert_int_equal(newest_event().event, ENTRY_WITHDRAW);
    assert_string_equal(newest_event().actor, "guardian " MAX_NAME);
    end();
}

static void test_the_receipt_says_who_agreed(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf file = buf_limited(256UL * 1024);
    VAULT_AUTO(buf_finish) struct buf payload = buf_limited(256UL * 1024);
    VAULT_AUTO(json_free) json_t *root = NULL;
    begin();
    assert_done(give(&max));
    assert_done(give(NULL));
    assert_done(receipt_write(test.vault, &family.minor, consent_now().seq, &file, &test_error));
    assert_done(json_parse(buf_view(&file), 4, &root, NULL, &test_error));
    const char *jws = json_string_value(json_object_get(root, "receipt"));
    const char *begins = strchr(jws, '.') + 1;
    const struct bytes middle = {(const uint8_t *)begins, (size_t)(strchr(begins, '.') - begins)};
    assert_done(base64url_decode(&payload, middle, &test_error));
    assert_non_null(strstr(buf_string(&payload), "\"guardian\":\"guardian " MAX_NAME "\""));
    end();
}

/* --- Either ends it --------------------------------------------------------------------------- */

static void make_joint(void)
{
    begin();
    assert_done(give(NULL));
    assert_done(give(&max));
    assert_int_equal(released(), 1);
}

static void test_either_withdraws_alone(void **state)
{
    (void)state;
    make_joint();
    assert_done(consent_withdraw(test.vault, &family.minor, LIBRARY, LENDING, &test_error));
    assert_int_equal(released(), 0);
    assert_int_equal(consent_now().state, CONSENT_WITHDRAWN);
    end();
    make_joint();
    assert_done(withdraw_by(&max));
    assert_int_equal(released(), 0);
    assert_int_equal(feed_size(&test), 2);
    end();
    make_joint();
    assert_done(withdraw_by(&lou)); /* the other guardian, who agreed to nothing */
    assert_int_equal(released(), 0);
    reopen_test_vault(&test);
    assert_int_equal(released(), 0);
    end();
}

static void test_either_refuses_for_both(void **state)
{
    (void)state;
    begin();
    assert_done(give(NULL));
    assert_done(refuse(&max));
    assert_told(&test, request, "refused");
    assert_false(half_waits_now(NULL));
    assert_fails(VAULT_NOT_FOUND, give(&lou));
    assert_fails(VAULT_NOT_FOUND, give(NULL));
    assert_int_equal(released(), 0);
    end();
    begin();
    assert_done(give(&max));
    assert_done(refuse(NULL));
    assert_told(&test, request, "refused");
    assert_fails(VAULT_NOT_FOUND, give(&max));
    end();
}

static void test_either_takes_a_half_back(void **state)
{
    (void)state;
    begin();
    assert_done(give(NULL));
    assert_done(consent_withdraw(test.vault, &family.minor, LIBRARY, LENDING, &test_error));
    assert_false(half_waits_now(NULL));
    assert_done(give(&max)); /* the first again, and not the second */
    assert_nothing_yet();
    assert_done(consent_withdraw(test.vault, &family.minor, LIBRARY, LENDING, &test_error));
    assert_done(give(NULL));
    assert_nothing_yet();
    reopen_test_vault(&test);
    assert_nothing_yet();
    assert_done(withdraw_by(&lou));
    assert_done(withdraw_by(&lou)); /* nothing is there, which is fine */
    assert_done(give(&max));
    assert_nothing_yet();
    end();
}

static void test_a_new_half_leaves_what_is_given_in_force(void **state)
{
    (void)state;
    make_joint();
    claim_request();
    assert_done(give(NULL));
    assert_int_equal(released(), 1);
    assert_told(&test, request, "pending");
    assert_int_equal(feed_size(&test), 1);
    assert_done(withdraw_by(&max)); /* both: what was given, and the half */
    assert_int_equal(released(), 0);
    assert_false(half_waits_now(NULL));
    end();
}

/* --- Who may not ------------------------------------------------------------------------------ */

static void test_a_stranger_is_no_second_half(void **state)
{
    (void)state;
    struct guardian_seat stranger = max;
    begin();
    assert_done(give(NULL));
    stranger = max;
    stranger.citizen = family.other; /* with the id of somebody else's guardianship */
    assert_fails(VAULT_DENIED, give(&stranger));
    assert_fails(VAULT_DENIED, refuse(&stranger));
    assert_fails(VAULT_NOT_FOUND, withdraw_by(&stranger));
    snprintf(stranger.id, sizeof stranger.id, "01ARYZ6S41TSV4RRFFQ69G5FAV");
    assert_fails(VAULT_DENIED, give(&stranger));
    stranger.citizen = family.minor; /* nor is the minor their own */
    memcpy(stranger.id, max.id, sizeof stranger.id);
    assert_fails(VAULT_DENIED, give(&stranger));
    assert_nothing_yet();
    end();
}

static void test_a_guardian_of_one_minor_is_none_of_another(void **state)
{
    (void)state;
    struct citizen_id sister;
    begin();
    import_one(&test, "{\"reference\":\"S-1\",\"values\":{\"identity.birth_date\":"
                      "{\"value\":\"2014-01-01\"},\"identity.name\":{\"value\":\"Sœur\"}}}");
    assert_done(people_find(test.vault, "S-1", &sister, &test_error));
    assert_done(guardian_add(test.vault, &sister, &family.other, &test_error));
    char id[GUARDIAN_ID_CHARS + 1] = "";
    struct guardian_seat seat = {.citizen = family.other};
    assert_done(guardian_list_minors(test.vault, &family.other, take_id, id, &test_error));
    memcpy(seat.id, id, sizeof seat.id);
    assert_fails(VAULT_DENIED, give(&seat));
    end();
}

static void test_a_guardian_who_is_removed_has_agreed_to_nothing(void **state)
{
    (void)state;
    begin();
    assert_done(give(&max));
    assert_done(guardian_remove(test.vault, &family.minor, &family.max, &test_error));
    assert_false(half_waits_now(NULL));
    assert_done(give(NULL)); /* the first half now */
    assert_nothing_yet();
    assert_fails(VAULT_DENIED, give(&max));
    assert_fails(VAULT_NOT_FOUND, withdraw_by(&max));
    assert_nothing_yet();
    assert_done(give(&lou));
    assert_int_equal(released(), 1);
    end();
}

static void test_an_erased_guardians_half_is_none(void **state)
{
    (void)state;
    begin();
    assert_done(give(&max));
    assert_done(erase_citizen(test.vault, &family.max, &test_error));
    assert_false(half_waits_now(NULL));
    assert_done(give(NULL));
    assert_nothing_yet();
    assert_fails(VAULT_DENIED, give(&max));
    end();
}

static void test_a_guardian_does_nothing_else(void **state)
{
    (void)state;
    make_joint();
    const struct actor actor = {.guardian = &max};
    assert_fails(VAULT_DENIED, consent_change_by(test.vault, &family.minor, &actor, CONSENT_SUSPEND,
                                                 LIBRARY, LENDING, &test_error));
    assert_fails(VAULT_DENIED, consent_change_by(test.vault, &family.minor, &actor, CONSENT_RESUME,
                                                 LIBRARY, LENDING, &test_error));
    assert_int_equal(released(), 1);
    end();
}

static void test_without_a_guardian_a_minors_half_waits_in_vain(void **state)
{
    (void)state;
    begin();
    assert_done(guardian_remove(test.vault, &family.minor, &family.max, &test_error));
    assert_done(guardian_remove(test.vault, &family.minor, &family.lou, &test_error));
    assert_done(give(NULL));
    assert_nothing_yet();
    end();
}

/* A mediator of a hub. */
static struct mediator_seat make_mediator(void)
{
    char token[ACTOR_TOKEN_CHARS + 1];
    struct mediator_seat seat;
    assert_done(mediator_register_structure(test.vault, "hub", "A digital hub", &test_error));
    register_mediator(&test, "hub", "ada", "Ada Inventée", "une longue phrase");
    assert_done(
        mediator_sign_in(test.vault, BYTES("ada"), BYTES("une longue phrase"), token, &test_error));
    assert_done(mediator_check(test.vault, bytes_of_text(token), &seat, &test_error));
    return seat;
}

static void test_a_mediator_stands_in_for_neither(void **state)
{
    (void)state;
    char mandate[MANDATE_ID_CHARS + 1];
    static const struct consent_field fields[] = {{"reader.token", ""}};
    const struct mandate_terms terms = {
        .structure = "hub", .purposes = {LENDING}, .purpose_count = 1, .days = 31};
    begin();
    const struct mediator_seat seat = make_mediator();
    assert_done(mandate_give(test.vault, &family.minor, &terms, mandate, &test_error));
    const struct actor actor = {.mediator = &seat, .mandate = mandate};
    struct consent_decision decision = {.service = LIBRARY,
                                        .purpose = LENDING,
                                        .fields = fields,
                                        .field_count = 1,
                                        .days = 30,
                                        .uses = CONSENT_UNLIMITED,
                                        .language = "fr",
                                        .text = "Le texte affiché.",
                                        .actor = &actor};
    assert_done(give(NULL));
    assert_fails(VAULT_DENIED,
                 access_request_give(test.vault, &family.minor, request, &decision, &test_error));
    assert_nothing_yet();
    assert_done(access_request_refuse(test.vault, &family.minor, request, &decision, &test_error));
    assert_told(&test, request, "refused");
    end();
}

static enum vault_code count_value(void *context, size_t at, enum preview_outcome outcome,
                                   struct bytes json, struct vault_error *err)
{
    (void)at, (void)outcome, (void)json, (void)err;
    ++*(size_t *)context;
    return VAULT_OK;
}

static enum vault_code see_values(const struct mediator_seat *seat, const char *mandate,
                                  size_t *count)
{
    static const struct consent_field fields[] = {{"identity.birth_date", ""}};
    const struct preview_wish wish = {CASEWORKER, SUPPORT, fields, 1};
    const struct actor actor = {.mediator = seat, .mandate = mandate};
    *count = 0;
    return mandate_values(test.vault, &family.minor, &actor, &wish, count_value, count,
                          &test_error);
}

static void put_birth_date(const char *json)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    const struct citizen_value value = {"identity.birth_date", bytes_of_text(json),
                                        test.now_ms / 1000, "a test"};
    assert_done(person_hold(test.vault, &family.minor, &citizen, &person, &test_error));
    assert_done(citizen_value_put(citizen, &value, &test_error));
}

static const struct mandate_terms terms_with_values = {
    .structure = "hub", .purposes = {LENDING}, .purpose_count = 1, .days = 365, .values = true};

static void test_no_mandate_of_a_childs_lets_a_mediator_see_values(void **state)
{
    (void)state;
    char mandate[MANDATE_ID_CHARS + 1];
    char codes[MANDATE_CODES][MANDATE_CODE_CHARS + 1];
    size_t count;
    begin();
    const struct mediator_seat seat = make_mediator();
    assert_done(mandate_print_codes(test.vault, &family.minor, codes, &test_error));
    assert_fails(VAULT_DENIED,
                 mandate_give(test.vault, &family.minor, &terms_with_values, mandate, &test_error));
    assert_fails(VAULT_DENIED, mandate_give_by_code(test.vault, &seat, bytes_of_text(codes[0]),
                                                    &terms_with_values, mandate, &test_error));
    put_birth_date("\"unknown\""); /* with a guardian */
    assert_fails(VAULT_DENIED,
                 mandate_give(test.vault, &family.minor, &terms_with_values, mandate, &test_error));
    put_birth_date("\"2012-05-17\"");
    test.now_ms = MINOR_15_MS - 1;
    assert_done(mandate_print_codes(test.vault, &family.minor, codes, &test_error));
    assert_fails(VAULT_DENIED, mandate_give_by_code(test.vault, &seat, bytes_of_text(codes[0]),
                                                    &terms_with_values, mandate, &test_error));
    test.now_ms = MINOR_15_MS;
    assert_done(mandate_give_by_code(test.vault, &seat, bytes_of_text(codes[0]), &terms_with_values,
                                     mandate, &test_error)); /* the refusal did not spend it */
    assert_done(see_values(&seat, mandate, &count));
    assert_int_equal(count, 1);
    end();
}

/* As one that was given before the birth date was put right, or that a restore brought back. */
static void test_a_mandate_that_stands_already_shows_no_values_of_a_child(void **state)
{
    (void)state;
    char mandate[MANDATE_ID_CHARS + 1];
    size_t count;
    begin();
    const struct mediator_seat seat = make_mediator();
    put_birth_date("\"2000-05-17\"");
    assert_done(mandate_give(test.vault, &family.minor, &terms_with_values, mandate, &test_error));
    assert_done(see_values(&seat, mandate, &count));
    put_birth_date("\"2012-05-17\"");
    assert_fails(VAULT_DENIED, see_values(&seat, mandate, &count));
    assert_int_equal(count, 0);
    put_birth_date("\"unknown\"");
    assert_fails(VAULT_DENIED, see_values(&seat, mandate, &count));
    assert_int_equal(count, 0);
    end();
}

/* As many records as leave room for withdrawing alone. */
static void fill_file(void)
{
    uint64_t count = 0;
    struct person *person = NULL;
    const struct citizen_record record = {
        .kind = PERSON_PLACE_KIND, .key = "", .json = BYTES("{}")};
    VAULT_AUTO(citizen_rollback) struct citizen_change change = {0};
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    assert_done(person_hold(test.vault, &family.minor, &citizen, &person, &test_error));
    assert_done(citizen_begin(citizen, &change, &test_error));
    for (; count < CITIZEN_RECORDS_SOFT_MAX;) {
        assert_done(citizen_record_add(citizen, &record, NULL, &test_error));
        assert_done(citizen_record_count(citizen, &count, &test_error));
    }
    assert_done(citizen_commit(&change, &test_error));
}

static enum vault_code open_by_mediator(const struct mediator_seat *seat, const char *id)
{
    struct citizen_id citizen;
    struct mandate mandate;
    return mandate_open(test.vault, seat, id, &citizen, &mandate, &test_error);
}

static void test_who_has_many_records_is_helped_to_withdraw_all_the_same(void **state)
{
    (void)state;
    char mandate[MANDATE_ID_CHARS + 1];
    struct mandate_terms terms = terms_with_values;
    begin();
    terms.values = false;
    struct mediator_seat seat = make_mediator();
    assert_done(mandate_give(test.vault, &family.minor, &terms, mandate, &test_error));
    assert_done(give(NULL));
    assert_done(give(&max));
    fill_file();
    test.now_ms += DAY_MS;
    assert_done(open_by_mediator(&seat, mandate));
    assert_done(open_by_mediator(&seat, mandate));
    snprintf(seat.login, sizeof seat.login, "eve");
    snprintf(seat.name, sizeof seat.name, "Eve Inventée");
    register_mediator(&test, "hub", "eve", "Eve Inventée", "une longue phrase");
    assert_fails(VAULT_LIMITED, open_by_mediator(&seat, mandate)); /* one a day */
    assert_int_equal(released(), 1);
    assert_done(withdraw_by(&max));
    assert_int_equal(released(), 0);
    assert_fails(VAULT_LIMITED,
                 guardian_add(test.vault, &family.minor, &family.other, &test_error));
    end();
}

/* --- In time ---------------------------------------------------------------------------------- */

static void test_a_half_is_over_after_two_weeks(void **state)
{
    (void)state;
    const struct consent_field field = {"reader.token", ""};
    struct consent_decision decision = {.service = LIBRARY,
                                        .purpose = LENDING,
                                        .fields = &field,
                                        .field_count = 1,
                                        .days = 30,
                                        .uses = CONSENT_UNLIMITED,
                                        .language = "fr",
                                        .text = "Le texte affiché."};
    const struct actor actor = {.guardian = &max};
    char id[CONSENT_ID_CHARS + 1];
    int64_t seq;
    begin();
    assert_done(consent_give(test.vault, &family.minor, &decision, id, &seq, &test_error));
    test.now_ms += 14 * DAY_MS - 1;
    reopen_test_vault(&test);
    decision.actor = &actor;
    assert_done(consent_give(test.vault, &family.minor, &decision, id, &seq, &test_error));
    assert_int_equal(released(), 1);
    end();
    begin();
    decision.actor = NULL;
    assert_done(consent_give(test.vault, &family.minor, &decision, id, &seq, &test_error));
    test.now_ms += 14 * DAY_MS;
    decision.actor = &actor;
    assert_done(consent_give(test.vault, &family.minor, &decision, id, &seq, &test_error));
    assert_int_equal(released(), 0);
    assert_int_equal(consent_now().state, CONSENT_NONE);
    end();
}

static void test_a_request_that_ran_out_takes_its_half_along(void **state)
{
    (void)state;
    begin();
    test.now_ms += 10 * DAY_MS;
    assert_done(give(NULL));
    test.now_ms += 5 * DAY_MS;
    assert_told(&test, request, "expired");
    assert_fails(VAULT_NOT_FOUND, give(&max));
    claim_request();
    assert_done(give(&max)); /* for another request, the first half of that one */
    assert_nothing_yet();
    assert_done(give(NULL));
    assert_int_equal(released(), 1);
    end();
}

static size_t count_halves(void)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    assert_done(person_hold(test.vault, &family.minor, &citizen, &person, &test_error));
    return person->half_count;
}

static void test_a_service_that_was_removed_takes_its_halves_along(void **state)
{
    (void)state;
    begin();
    assert_done(give(NULL));
    assert_int_equal(count_halves(), 1);
    assert_done(service_remove(test.vault, LIBRARY, &test_error));
    assert_int_equal(count_halves(), 0);
    assert_string_equal(newest_event().actor, "operator");
    assert_string_equal(newest_event().basis, "half taken back");
    const size_t count = newest_event().count;
    reopen_test_vault(&test);
    assert_int_equal(count_halves(), 0);
    assert_int_equal(newest_event().count, count);
    end();
}

/* Halves of other services that wait, one fewer than there may be. */
static void fill_halves(void)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    static struct consent_field fields[] = {{"reader.token", ""}};
    struct consent_decision decision = {.purpose = LENDING,
                                        .fields = fields,
                                        .field_count = 1,
                                        .days = 30,
                                        .uses = CONSENT_UNLIMITED};
    assert_done(person_hold(test.vault, &family.minor, &citizen, &person, &test_error));
    for (size_t i = 0; i < HALVES_MAX - 1; i++) {
        char service[32];
        struct consent_outcome outcome = {0};
        snprintf(service, sizeof service, "service-%zu", i);
        decision.service = service;
        assert_done(half_give(test.vault, citizen, person, &decision, &outcome, &test_error));
    }
}

static void test_the_last_place_is_taken_by_a_half_that_can_be_replaced(void **state)
{
    (void)state;
    begin();
    fill_halves();
    assert_done(give(NULL));
    assert_int_equal(count_halves(), HALVES_MAX);
    assert_done(give(NULL));
    assert_int_equal(count_halves(), HALVES_MAX);
    claim_request();
    assert_fails(VAULT_LIMITED, give(NULL)); /* another request */
    reopen_test_vault(&test);
    assert_int_equal(count_halves(), HALVES_MAX);
    end();
}

static void test_a_request_that_was_taken_back_takes_its_half_along(void **state)
{
    (void)state;
    begin();
    assert_done(give(NULL));
    {
        VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, library_key);
        assert_done(access_request_cancel(test.vault, hold.service, request, &test_error));
    }
    assert_fails(VAULT_NOT_FOUND, give(&max));
    claim_request();
    assert_done(give(&max));
    assert_nothing_yet();
    end();
}

static void test_while_everything_is_paused_nobody_agrees(void **state)
{
    (void)state;
    begin();
    assert_done(stance_pause(test.vault, &family.minor, NULL, &test_error));
    assert_fails(VAULT_CONFLICT, give(&max));
    assert_fails(VAULT_CONFLICT, give(NULL));
    assert_done(refuse(&max));
    end();
}

/* --- The birthdays ---------------------------------------------------------------------------- */

static void test_at_15_the_minor_alone_suffices(void **state)
{
    (void)state;
    begin();
    test.now_ms = MINOR_15_MS - 1;
    claim_request();
    assert_done(give(NULL));
    assert_nothing_yet();
    test.now_ms = MINOR_15_MS;
    assert_nothing_yet(); /* a birthday gives nothing by itself */
    assert_fails(VAULT_DENIED, give(&max));
    assert_nothing_yet();
    assert_done(give(NULL));
    assert_int_equal(released(), 1);
    assert_string_equal(consent_now().guardian, "");
    end();
}

static void test_at_15_a_guardians_half_is_not_needed_any_more(void **state)
{
    (void)state;
    begin();
    test.now_ms = MINOR_15_MS - 1;
    claim_request();
    assert_done(answer(&max, 30, true));
    test.now_ms = MINOR_15_MS;
    assert_done(answer(NULL, 90, true));
    assert_int_equal(released(), 1);
    assert_int_equal(consent_now().expires_s, MINOR_15_MS / 1000 + 90 * 86400);
    assert_string_equal(consent_now().guardian, "");
    end();
}

/* A clock on which the birthday begins when it was read so often. */
struct birthday {
    unsigned reads_left;
};

static int64_t read_birthday(void *context)
{
    struct birthday *birthday = context;
    if (birthday->reads_left == 0)
        return MINOR_15_MS;
    birthday->reads_left--;
    return MINOR_15_MS - 1;
}

static void test_no_guardian_gives_alone_at_the_stroke_of_the_birthday(void **state)
{
    (void)state;
    enum vault_code code = VAULT_OK;
    struct birthday birthday = {0};
    begin();
    test.now_ms = MINOR_15_MS - 1;
    claim_request();
    const struct clock fixed = test.vault->options.clock;
    for (unsigned reads = 0; birthday.reads_left == 0 && reads < 100; reads++) {
        birthday.reads_left = reads;
        test.vault->options.clock = (struct clock){read_birthday, &birthday};
        code = give(&max);
        test.vault->options.clock = fixed;
        assert_true(code == VAULT_DENIED || code == VAULT_OK);
        assert_int_equal(consent_now().state, CONSENT_NONE);
    }
    assert_int_equal(code, VAULT_OK); /* a half, all before midnight */
    assert_true(half_waits_now(NULL));
    end();
}

static void test_at_15_what_was_given_jointly_stands_and_is_the_minors_own(void **state)
{
    (void)state;
    begin();
    test.now_ms = MINOR_15_MS - 1;
    claim_request();
    assert_done(give(NULL));
    assert_done(give(&max));
    test.now_ms = MINOR_15_MS;
    assert_int_equal(released(), 1);
    assert_fails(VAULT_NOT_FOUND, withdraw_by(&max));
    assert_int_equal(released(), 1);
    assert_done(consent_withdraw(test.vault, &family.minor, LIBRARY, LENDING, &test_error));
    assert_int_equal(released(), 0);
    end();
}

static void test_a_millisecond_before_15_a_guardian_still_withdraws(void **state)
{
    (void)state;
    begin();
    test.now_ms = MINOR_15_MS - 1;
    claim_request();
    assert_done(give(NULL));
    assert_done(give(&max));
    assert_done(withdraw_by(&lou));
    assert_int_equal(released(), 0);
    end();
}

static void test_from_18_on_a_guardian_does_nothing_to_the_millisecond(void **state)
{
    (void)state;
    begin();
    for (int64_t now_ms = MINOR_18_MS - 1; now_ms <= MINOR_18_MS + 1; now_ms++) {
        test.now_ms = now_ms;
        claim_request();
        assert_fails(VAULT_DENIED, give(&max));
        assert_fails(VAULT_DENIED, refuse(&max));
        assert_fails(VAULT_NOT_FOUND, withdraw_by(&max));
        assert_done(give(NULL));
        assert_int_equal(released(), 1);
    }
    end();
}

/* --- In doubt --------------------------------------------------------------------------------- */

static void test_who_has_a_guardian_and_no_birth_date_gives_nothing(void **state)
{
    (void)state;
    begin();
    put_birth_date("\"unknown\"");
    assert_done(give(NULL));
    assert_fails(VAULT_DENIED, give(&max));
    assert_nothing_yet();
    put_birth_date("\"2012-05-17\"");
    assert_done(give(&max));
    assert_int_equal(released(), 1);
    put_birth_date("\"unknown\"");
    assert_done(consent_withdraw(test.vault, &family.minor, LIBRARY, LENDING, &test_error));
    assert_int_equal(released(), 0);
    end();
}

static void test_who_has_neither_gives_alone(void **state)
{
    (void)state;
    begin();
    assert_done(guardian_remove(test.vault, &family.minor, &family.max, &test_error));
    assert_done(guardian_remove(test.vault, &family.minor, &family.lou, &test_error));
    put_birth_date("\"unknown\"");
    assert_done(give(NULL));
    assert_int_equal(released(), 1);
    end();
}

static void test_whose_guardians_were_erased_gives_alone_without_a_birth_date(void **state)
{
    (void)state;
    begin();
    put_birth_date("\"unknown\"");
    assert_done(erase_citizen(test.vault, &family.max, &test_error));
    assert_done(give(NULL));
    assert_nothing_yet(); /* there is another */
    assert_done(erase_citizen(test.vault, &family.lou, &test_error));
    assert_done(give(NULL));
    assert_int_equal(released(), 1);
    end();
}

static void test_what_a_restore_suspended_a_minor_does_not_resume_alone(void **state)
{
    (void)state;
    make_joint();
    assert_done(consent_suspend(test.vault, &family.minor, LIBRARY, LENDING, CONSENT_BY_RESTORE,
                                &test_error));
    assert_fails(VAULT_DENIED,
                 consent_resume(test.vault, &family.minor, LIBRARY, LENDING, &test_error));
    assert_int_equal(released(), 0);
    test.now_ms = MINOR_15_MS;
    assert_done(consent_resume(test.vault, &family.minor, LIBRARY, LENDING, &test_error));
    assert_int_equal(released(), 1);
    end();
    make_joint();
    assert_done(consent_suspend(test.vault, &family.minor, LIBRARY, LENDING, CONSENT_BY_CITIZEN,
                                &test_error));
    assert_done(consent_resume(test.vault, &family.minor, LIBRARY, LENDING, &test_error));
    assert_int_equal(released(), 1);
    end();
}

/* --- A damaged file ----------------------------------------------------------------------------
 */

static void damage(char file[PATH_MAX])
{
    make_joint();
    for (int i = 0; i < 40; i++) {
        assert_done(consent_suspend(test.vault, &family.minor, LIBRARY, LENDING, CONSENT_BY_CITIZEN,
                                    &test_error));
        assert_done(consent_resume(test.vault, &family.minor, LIBRARY, LENDING, &test_error));
    }
    vault_close(&test.vault);
    find_largest_file(&test, file); /* the minor's */
    flip_first_page(file);
    open_test_vault(&test);
}

static void repair(const char *file)
{
    vault_close(&test.vault);
    flip_first_page(file);
    open_test_vault(&test);
}

static enum vault_code take_minor(void *context, const struct guardian_minor *minor,
                                  struct vault_error *err)
{
    (void)err;
    *(struct guardian_minor *)context = *minor;
    return VAULT_OK;
}

static struct guardian_minor minor_of(const struct guardian_seat *seat)
{
    struct guardian_minor minor = {0};
    assert_done(guardian_list_minors(test.vault, &seat->citizen, take_minor, &minor, &test_error));
    return minor;
}

static void test_with_the_minors_file_damaged_a_guardian_withdraws_all_the_same(void **state)
{
    (void)state;
    char file[PATH_MAX];
    struct guardian_seat stranger = max;
    damage(file);
    assert_true(minor_of(&max).damaged);
    assert_string_equal(minor_of(&max).id, max.id);
    stranger.citizen = family.other;
    assert_fails(VAULT_NOT_FOUND, withdraw_by(&stranger));
    assert_done(withdraw_by(&max));
    repair(file);
    assert_false(minor_of(&max).damaged);
    assert_int_equal(released(), 0);
    assert_int_equal(consent_now().state, CONSENT_WITHDRAWN);
    end();
}

/* The file could not be written, and what half of it was agreed to waited. */
static void wait_and_stop(const char *service, const char *purpose)
{
    begin();
    assert_done(give(NULL));
    assert_done(stop_add(test.vault, &family.minor, service, purpose, &test_error));
    reopen_test_vault(&test);
    assert_int_equal(released(), 0); /* the file is read, and what was stopped is settled */
    assert_false(stop_covers(test.vault, &family.minor, LIBRARY, BYTES(LENDING)));
}

static void test_a_stop_takes_back_the_half_that_waits(void **state)
{
    (void)state;
    wait_and_stop(LIBRARY, LENDING);
    assert_done(give(&max)); /* the first of two, and not the second */
    assert_int_equal(released(), 0);
    assert_done(give(NULL));
    assert_int_equal(released(), 1);
    end();
    wait_and_stop(NULL, NULL);
    assert_done(give(&max));
    assert_int_equal(released(), 0);
    end();
    wait_and_stop(CASEWORKER, SUPPORT); /* something else */
    assert_done(give(&max));
    assert_int_equal(released(), 1);
    end();
}

static void test_with_the_minors_file_damaged_a_guardian_stops_everything(void **state)
{
    (void)state;
    char file[PATH_MAX];
    damage(file);
    assert_done(guardian_withdraw(test.vault, &max.citizen, max.id, NULL, NULL, &test_error));
    repair(file);
    assert_int_equal(released(), 0);
    assert_fails(VAULT_INVALID,
                 guardian_withdraw(test.vault, &max.citizen, max.id, NULL, NULL, &test_error));
    end();
}

static void test_who_was_a_guardian_stops_nothing_even_then(void **state)
{
    (void)state;
    char file[PATH_MAX];
    damage(file);
    test.now_ms = MINOR_15_MS;
    assert_fails(VAULT_NOT_FOUND, withdraw_by(&max));
    assert_fails(VAULT_NOT_FOUND,
                 guardian_withdraw(test.vault, &max.citizen, max.id, NULL, NULL, &test_error));
    assert_int_equal(minor_of(&max).damaged, false);
    repair(file);
    test.now_ms = START_MS;
    assert_int_equal(released(), 1);
    end();
}

/* --- The policy's own condition ----------------------------------------------------------------
 */

static void read_file(const char *name, struct buf *out)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", test.bundle, name);
    assert_done(file_read(path, out, &test_error));
}

/* The library may have the number of a minor only where a guardian agrees. */
static void demand_guardian(const char *basis)
{
    static const char rules[] =
        "{\"format\":\"vault-rules/"
        "1\",\"policy\":\"library\",\"title\":{\"fr\":\"B\",\"en\":\"L\"},"
        "\"owner\":\"dpo@ville.example\",\"rules\":[{\"id\":\"library-token\",\"effect\":"
        "\"permit\","
        "\"why\":{\"fr\":\"A\",\"en\":\"A\"},\"who\":{\"classes\":[\"culture.library\"]},"
        "\"purposes\":[\"library.lending\"],\"fields\":[\"reader.token\"],\"basis\":\"%s\","
        "\"when\":{\"citizen_is_minor\":true,\"guardian_agrees\":true}}]}";
    char text_of_rules[1024];
    static const char before[] = "{\"id\": \"citizen_is_minor\"";
    VAULT_AUTO(buf_finish) struct buf old = buf_limited(65536);
    VAULT_AUTO(buf_finish) struct buf catalogue = buf_limited(65536);
    read_file("catalogue.json", &old);
    const char *text = buf_string(&old);
    const char *place = strstr(text, before);
    assert_non_null(place);
    buf_append(&catalogue, text, (size_t)(place - text));
    buf_text(&catalogue, "{\"id\": \"guardian_agrees\", \"kind\": \"boolean\"},\n");
    buf_text(&catalogue, place);
    change_test_bundle(&test, "catalogue.json", buf_string(&catalogue), 2);
    snprintf(text_of_rules, sizeof text_of_rules, rules, basis);
    change_test_bundle(&test, "rules/library.json", text_of_rules, 3);
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
}

static void test_that_a_guardian_agrees_is_what_the_vault_itself_knows(void **state)
{
    (void)state;
    begin();
    demand_guardian("consent");
    assert_done(give(NULL));
    assert_int_equal(released(), 0);
    assert_done(give(&max));
    assert_int_equal(released(), 1);
    test.now_ms = MINOR_15_MS; /* what was agreed stands */
    assert_int_equal(released(), 1);
    claim_request();
    assert_done(give(NULL)); /* and what the minor gives alone, no guardian agreed to */
    assert_int_equal(released(), 0);
    end();
}

/* What stops the consent takes back that a guardian agreed, also for what needs no consent. */
static void test_what_is_stopped_no_guardian_agrees_to(void **state)
{
    (void)state;
    begin();
    demand_guardian("public_task");
    assert_int_equal(released(), 0);
    assert_done(give(NULL));
    assert_done(give(&max));
    assert_int_equal(released(), 1);
    assert_done(stop_add(test.vault, &family.minor, LIBRARY, LENDING, &test_error));
    assert_int_equal(released(), 0);
    end();
}

int main(void)
{
    return TEST_RUN(
        test_the_minor_then_a_guardian, test_a_guardian_then_the_minor,
        test_the_same_side_twice_is_one_half, test_what_both_agreed_to_is_the_shorter_time,
        test_neither_side_goes_beyond_what_was_asked,
        test_every_act_of_a_guardian_is_told_with_their_name, test_the_receipt_says_who_agreed,
        test_either_withdraws_alone, test_either_refuses_for_both, test_either_takes_a_half_back,
        test_a_new_half_leaves_what_is_given_in_force, test_a_stranger_is_no_second_half,
        test_a_guardian_of_one_minor_is_none_of_another,
        test_a_guardian_who_is_removed_has_agreed_to_nothing, test_an_erased_guardians_half_is_none,
        test_no_mandate_of_a_childs_lets_a_mediator_see_values,
        test_a_mandate_that_stands_already_shows_no_values_of_a_child,
        test_who_has_many_records_is_helped_to_withdraw_all_the_same,
        test_a_guardian_does_nothing_else, test_without_a_guardian_a_minors_half_waits_in_vain,
        test_a_mediator_stands_in_for_neither, test_a_half_is_over_after_two_weeks,
        test_a_request_that_ran_out_takes_its_half_along,
        test_a_service_that_was_removed_takes_its_halves_along,
        test_the_last_place_is_taken_by_a_half_that_can_be_replaced,
        test_a_request_that_was_taken_back_takes_its_half_along,
        test_while_everything_is_paused_nobody_agrees, test_at_15_the_minor_alone_suffices,
        test_at_15_a_guardians_half_is_not_needed_any_more,
        test_no_guardian_gives_alone_at_the_stroke_of_the_birthday,
        test_at_15_what_was_given_jointly_stands_and_is_the_minors_own,
        test_a_millisecond_before_15_a_guardian_still_withdraws,
        test_from_18_on_a_guardian_does_nothing_to_the_millisecond,
        test_who_has_a_guardian_and_no_birth_date_gives_nothing, test_who_has_neither_gives_alone,
        test_whose_guardians_were_erased_gives_alone_without_a_birth_date,
        test_what_a_restore_suspended_a_minor_does_not_resume_alone,
        test_with_the_minors_file_damaged_a_guardian_withdraws_all_the_same,
        test_a_stop_takes_back_the_half_that_waits,
        test_with_the_minors_file_damaged_a_guardian_stops_everything,
        test_who_was_a_guardian_stops_nothing_even_then,
        test_that_a_guardian_agrees_is_what_the_vault_itself_knows,
        test_what_is_stopped_no_guardian_agrees_to);
}
