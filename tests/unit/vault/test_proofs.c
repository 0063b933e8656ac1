/*
 * What proves a decision, and what systems of consent before this one got wrong about it
 * (tests/fault/README.md, the third table): proofs that no check accepts, that later changes break,
 * that the next one overwrites; one secret for several uses; and ciphers that let the clear text
 * through when they fail.
 */
#include <ftw.h>

#include "vault/base/codec.h"
#include "vault/crypto/jws.h"
#include "vault/ledger/opening.h"
#include "vault/parts.h"
#include "vault/person.h"
#include "vault/vault/receipt.h"
#include "vault_test.h"

static struct vault_test test;
static unsigned seal_calls;    /* since the last begin */
static unsigned seal_fails_at; /* which of them fails; 0: none */

enum vault_code __real_seal(const struct secret *key, struct bytes associated, struct bytes plain,
                            struct buf *out, struct vault_error *err);
enum vault_code __wrap_seal(const struct secret *key, struct bytes associated, struct bytes plain,
                            struct buf *out, struct vault_error *err);

enum vault_code __wrap_seal(const struct secret *key, struct bytes associated, struct bytes plain,
                            struct buf *out, struct vault_error *err)
{
    return ++seal_calls == seal_fails_at
               ? vault_fail(err, VAULT_NO_MEMORY, "sealing fails, for a test")
               : __real_seal(key, associated, plain, out, err);
}

static void begin(void)
{
    make_filled_vault(&test);
    seal_fails_at = 0;
}

static void end(void)
{
    vault_close(&test.vault);
}

/* --- Receipts ------------------------------------------------------------------------------- */

static int64_t newest_record(void)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    assert_done(person_hold(test.vault, &test.citizen, &citizen, &person, &test_error));
    return person_consent(person, BYTES(CASEWORKER), BYTES(SUPPORT))->seq;
}

/* A receipt's parts: what was signed, once the signature held, and the entry. */
struct parts {
    json_t *signed_part;
    char entry[ENTRY_MAX_BYTES];
};

static void read_receipt(int64_t seq, struct parts *out)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(RECEIPT_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf payload = buf_limited(JWS_PAYLOAD_MAX_BYTES);
    VAULT_AUTO(json_free) json_t *root = NULL;
    assert_done(receipt_write(test.vault, &test.citizen, seq, &text, &test_error));
    assert_done(json_parse(buf_view(&text), 4, &root, NULL, &test_error));
    assert_done(jws_verify(test.vault->log_keys.signer.key.public_key, RECEIPT_TYPE,
                           json_text(json_object_get(root, "receipt")), &payload, &test_error));
    assert_done(json_parse(buf_view(&payload), 16, &out->signed_part, NULL, &test_error));
    snprintf(out->entry, sizeof out->entry, "%s",
             json_string_value(json_object_get(root, "entry")));
}

/* What the receipt opens is what the log's entry committed to. */
static enum vault_code check(const struct parts *parts)
{
    struct entry entry;
    struct opening opening;
    VAULT_AUTO(buf_finish) struct buf storage = buf_limited(OPENING_MAX_BYTES);
    const json_t *log = json_object_get(parts->signed_part, "log");
    VAULT_TRY(entry_parse(bytes_of_text(parts->entry), &entry, &test_error));
    VAULT_TRY(opening_parse_json(json_object_get(log, "opening"), &storage, &opening, &test_error));
    return opening_check(&opening, &entry, &test_error);
}

static const json_t *record_of(const struct parts *parts)
{
    return json_object_get(parts->signed_part, "dpv:hasRecordOfActivity");
}

static void test_what_is_made_is_what_is_checked(void **state)
{
    (void)state;
    struct parts given;
    struct parts taken;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    read_receipt(newest_record(), &given);
    assert_done(check(&given));
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    read_receipt(newest_record(), &taken);
    assert_done(check(&taken));
    /* And it is a check: one's opening is not the other's. */
    memcpy(given.entry, taken.entry, sizeof given.entry);
    assert_fails(VAULT_DENIED, check(&given));
    json_free(&given.signed_part);
    json_free(&taken.signed_part);
    end();
}

static void test_later_rules_and_registrations_break_no_proof(void **state)
{
    (void)state;
    struct parts before;
    struct parts after;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    const int64_t seq = newest_record();
    read_receipt(seq, &before);
    sign_again(&test, 2);
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    assert_done(service_update(
        test.vault, BYTES("{\"id\":\"" CASEWORKER "\",\"name\":\"Renamed\",\"contact\":\"c\"}"),
        &test_error));
    read_receipt(seq, &after);
    assert_done(check(&after));
    assert_string_equal(before.entry, after.entry);
    assert_true(json_equal(json_object_get(before.signed_part, "log"),
                           json_object_get(after.signed_part, "log")));
    static const char *const same[] = {"dct:identifier", "dct:hasVersion", "dpv:hasNotice",
                                       "dpv:hasProcess", "policy",         "dct:issued"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        assert_true(json_equal(json_object_get(record_of(&before), same[i]),
                               json_object_get(record_of(&after), same[i])));
    json_free(&before.signed_part);
    json_free(&after.signed_part);
    end();
}

static void test_the_next_consent_leaves_the_proof_of_the_one_before(void **state)
{
    (void)state;
    struct parts first;
    struct parts again;
    struct parts second;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    const int64_t seq = newest_record();
    read_receipt(seq, &first);
    test.now_ms += 1000;
    give_consent(&test, CONSENT_UNLIMITED);
    read_receipt(newest_record(), &second);
    read_receipt(seq, &again);
    assert_done(check(&again));
    assert_true(json_equal(first.signed_part, again.signed_part));
    assert_false(json_equal(json_object_get(first.signed_part, "dct:identifier"),
                            json_object_get(second.signed_part, "dct:identifier")));
    json_free(&first.signed_part);
    json_free(&again.signed_part);
    json_free(&second.signed_part);
    end();
}

/* --- Times ---------------------------------------------------------------------------------- */

static void test_how_long_it_lasts_is_not_how_long_data_are_kept(void **state)
{
    (void)state;
    char subject[SUBJECT_CHARS + 1];
    begin();
    subject_of_citizen(&test, subject);
    give_consent(&test, CONSENT_UNLIMITED); /* for 30 days; the rules have data kept for 730 */
    test.now_ms += 30 * 86400000LL - 1000;
    json_t *answer = ask_release(&test, subject);
    const json_t *obligations = json_object_get(answer, "obligations");
    assert_int_equal(json_integer_value(json_object_get(obligations, "retain_at_most_days")), 730);
    assert_true(count_released(answer) > 0);
    test.now_ms += 1000;
    assert_int_equal(count_released(ask_release(&test, subject)), 0);
    end();
}

/* --- Secrets -------------------------------------------------------------------------------- */

static void test_every_use_has_a_key_of_its_own(void **state)
{
    (void)state;
    begin();
    const struct vault *vault = test.vault;
    VAULT_AUTO(service_release) struct service_hold one = hold_service(&test, caseworker_key);
    VAULT_AUTO(service_release) struct service_hold other = hold_service(&test, library_key);
    const struct secret *const keys[] = {
        vault->subject_key,       vault->log_name_key,       vault->tag_key,    vault->code_key,
        vault->pseudonym_key,     vault->session_key,        vault->erased_key, vault->reply_key,
        one.service->subject_key, other.service->subject_key};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        for (size_t j = 0; j < i; j++)
            assert_false(secret_equal(secret_view(keys[i]), secret_view(keys[j])));
    }
    service_release(&one);
    service_release(&other);
    end();
}

/* --- Ciphers that fail ---------------------------------------------------------------------- */

static bool found_in_clear;

static int look_into(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)walk;
    static const char *const values[] = {"Testine Inventee", "rue des Essais", "Le texte affich"};
    VAULT_AUTO(buf_finish) struct buf content = buf_limited(256UL * 1024 * 1024);
    if (type != FTW_F || status->st_size == 0)
        return 0;
    assert_done(file_read(path, &content, &test_error));
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        found_in_clear = found_in_clear ||
                         memmem(content.data, content.size, values[i], strlen(values[i])) != NULL;
    return 0;
}

static void test_where_sealing_fails_nothing_is_released_or_kept_in_clear(void **state)
{
    (void)state;
    static const struct release_ask asks[] = {{{(const uint8_t *)"employment.status", 17}, {0}}};
    static const struct repeat_key repeat = {.key = {(const uint8_t *)"k", 1}};
    char subject[SUBJECT_CHARS + 1];
    enum release_fault fault;
    begin();
    subject_of_citizen(&test, subject);
    give_consent(&test, CONSENT_UNLIMITED);
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, caseworker_key);
    VAULT_AUTO(json_free) json_t *context = json_pack("{s:s}", "assurance_at_least", "high");
    const struct release_request request = {.client_spki = caseworker_key,
                                            .subject = bytes_of_text(subject),
                                            .purpose = BYTES(SUPPORT),
                                            .asks = asks,
                                            .ask_count = 1,
                                            .context = context,
                                            .repeat = &repeat};
    for (seal_fails_at = 1;; seal_fails_at++) {
        VAULT_AUTO(buf_finish) struct buf body = buf_limited(RELEASE_ANSWER_BYTES);
        const uint64_t before = ledger_head(test.vault->ledger).size;
        seal_calls = 0;
        const enum vault_code code =
            release_perform(test.vault, hold.service, &request, &body, &fault, &test_error);
        if (seal_calls < seal_fails_at) {
            assert_int_equal(code, VAULT_OK); /* none failed this time */
            break;
        }
        assert_int_equal(code, VAULT_NO_MEMORY);
        assert_null(strstr(test_error.text, "seeking"));
        assert_int_equal(ledger_head(test.vault->ledger).size, before);
    }
    assert_int_equal(seal_fails_at, 4); /* the kept answer, whose an opening is, and the opening */
    service_release(&hold);
    end();
    found_in_clear = false;
    assert_int_equal(nftw(test.dir, look_into, 16, FTW_PHYS), 0);
    assert_false(found_in_clear);
}

/* --- Minors --------------------------------------------------------------------------------- */

static size_t released_to(const char *reference)
{
    static const struct release_ask asks[] = {{{(const uint8_t *)"employment.status", 17}, {0}}};
    static const struct consent_field fields[] = {{"employment.status", ""}};
    const struct consent_decision decision = {
        CASEWORKER, SUPPORT, fields, 1, 30, CONSENT_UNLIMITED, NULL, "fr", "Le texte.", NULL};
    char subject[SUBJECT_CHARS + 1];
    char id[CONSENT_ID_CHARS + 1];
    int64_t seq;
    struct citizen_id citizen;
    enum release_fault fault;
    json_t *answer = NULL;
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(RELEASE_ANSWER_BYTES);
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, caseworker_key);
    VAULT_AUTO(json_free)
    json_t *context = json_pack("{s:s, s:b}", "assurance_at_least", "high", "citizen_is_minor", 0);
    assert_done(people_find(test.vault, reference, &citizen, &test_error));
    assert_done(consent_give(test.vault, &citizen, &decision, id, &seq, &test_error));
    assert_done(subject_write(hold.service, &citizen, subject, &test_error));
    const struct release_request request = {.client_spki = caseworker_key,
                                            .subject = bytes_of_text(subject),
                                            .purpose = BYTES(SUPPORT),
                                            .asks = asks,
                                            .ask_count = 1,
                                            .context = context};
    assert_done(release_perform(test.vault, hold.service, &request, &body, &fault, &test_error));
    assert_done(json_parse(buf_view(&body), 8, &answer, NULL, &test_error));
    return count_released(answer);
}

/* Its registration names the condition, and it asserts it; the rule is for those of age. */
static void test_no_service_says_who_is_of_age(void **state)
{
    (void)state;
    begin();
    assert_done(service_update(
        test.vault,
        BYTES("{\"id\":\"" CASEWORKER "\",\"name\":\"n\",\"contact\":\"c\","
              "\"classes\":[\"employment.caseworker\"],\"purposes\":[\"" SUPPORT "\"],"
              "\"atoms\":[\"assurance_at_least\",\"citizen_is_minor\"]}"),
        &test_error));
    import_one(&test, "{\"reference\":\"unknown\",\"values\":{\"employment.status\":"
                      "{\"value\":\"seeking\"}}}");
    assert_int_equal(released_to("unknown"), 0);
    assert_int_equal(released_to("T-1"), 1); /* born in 1990 */
    end();
}

int main(void)
{
    return TEST_RUN(
        test_what_is_made_is_what_is_checked, test_later_rules_and_registrations_break_no_proof,
        test_the_next_consent_leaves_the_proof_of_the_one_before,
        test_how_long_it_lasts_is_not_how_long_data_are_kept, test_every_use_has_a_key_of_its_own,
        test_where_sealing_fails_nothing_is_released_or_kept_in_clear,
        test_no_service_says_who_is_of_age);
}
