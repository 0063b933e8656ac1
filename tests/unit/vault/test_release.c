#include "vault_test.h"

#include <pthread.h>

#include "opened.h"
#include "vault/base/codec.h"
#include "vault/parts.h"

static struct vault_test test;

static void begin(void)
{
    make_filled_vault(&test);
}

static size_t released_now(void)
{
    char subject[SUBJECT_CHARS + 1];
    subject_of_citizen(&test, subject);
    return count_released(ask_release(&test, subject));
}

static void test_nothing_is_released_before_consent(void **state)
{
    (void)state;
    begin();
    assert_int_equal(released_now(), 0);
    vault_close(&test.vault);
}

static void test_consent_releases_what_it_covers_in_the_strictest_form(void **state)
{
    (void)state;
    char subject[SUBJECT_CHARS + 1];
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    subject_of_citizen(&test, subject);
    VAULT_AUTO(json_free) json_t *answer = ask_release(&test, subject);
    const json_t *released = json_object_get(answer, "released");
    const json_t *birth = json_object_get(released, "identity.birth_date");
    assert_int_equal(json_object_size(released), 2);
    assert_string_equal(json_string_value(json_object_get(birth, "form")), "year");
    assert_string_equal(json_string_value(json_object_get(birth, "value")), "1990");
    assert_string_equal(json_string_value(json_object_get(birth, "as_of")), "2026-01-02");
    assert_string_equal(json_string_value(json_object_get(birth, "source")), "civil register");
    assert_int_equal(json_array_size(json_object_get(answer, "withheld")), 1);
    vault_close(&test.vault);
}

/* What the service was given, but for the entry's own place, which is not known before the entry.
 */
static void hash_of_answer(const char *body, char out[BASE64_CHARS(SHA256_BYTES) + 1])
{
    uint8_t hash[SHA256_BYTES];
    const char *log = strstr(body, ",\"log\":{");
    assert_non_null(log);
    const struct bytes parts[] = {{(const uint8_t *)body, (size_t)(log - body)}, BYTES("}")};
    sha256(hash, parts, 2);
    base64_string(out, hash, sizeof hash);
}

static void test_the_log_opens_to_what_was_decided_and_to_the_answers_hash(void **state)
{
    (void)state;
    char subject[SUBJECT_CHARS + 1];
    char hash[BASE64_CHARS(SHA256_BYTES) + 1];
    struct opened opened;
    enum release_fault fault;
    const struct release_ask ask = {BYTES("identity.birth_date"), {0}};
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    subject_of_citizen(&test, subject);
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, caseworker_key);
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(RELEASE_ANSWER_BYTES);
    VAULT_AUTO(json_free) json_t *context = json_pack("{s:s}", "assurance_at_least", "high");
    const struct release_request request = {.client_spki = caseworker_key,
                                            .subject = bytes_of_text(subject),
                                            .purpose = BYTES(SUPPORT),
                                            .asks = &ask,
                                            .ask_count = 1,
                                            .context = context};
    const uint64_t index = ledger_head(test.vault->ledger).size;
    assert_done(release_perform(test.vault, hold.service, &request, &body, &fault, &test_error));
    open_entry(&test, index, &test.citizen, &opened);
    hash_of_answer(buf_string(&body), hash);
    assert_int_equal(opened.event, ENTRY_RELEASE);
    assert_int_equal(opened.policy_version, 1);
    assert_string_equal(opened.what,
                        "identity.birth_date year released\nasserted assurance_at_least");
    assert_int_equal(strncmp(opened.basis, "consent ", 8), 0);
    assert_string_equal(opened.answer, hash);
    service_release(&hold);
    vault_close(&test.vault);
}

static void test_withdrawing_ends_it_at_once_and_for_good(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    assert_int_equal(released_now(), 2);
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    assert_int_equal(released_now(), 0);
    reopen_test_vault(&test);
    assert_int_equal(released_now(), 0);
    vault_close(&test.vault);
}

static void test_consent_given_again_in_the_same_second_counts(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    give_consent(&test, CONSENT_UNLIMITED);
    assert_int_equal(released_now(), 2);
    vault_close(&test.vault);
}

static void test_consent_ends_at_the_second_it_says(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    test.now_ms = START_MS + 30LL * 86400 * 1000 - 1000;
    assert_int_equal(released_now(), 2);
    test.now_ms += 1000;
    assert_int_equal(released_now(), 0);
    vault_close(&test.vault);
}

static void test_a_consent_of_the_future_does_not_exist_yet(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    test.now_ms = START_MS - 10000;
    assert_int_equal(released_now(), 0);
    vault_close(&test.vault);
}

static void test_uses_are_counted_across_a_restart(void **state)
{
    (void)state;
    begin();
    give_consent(&test, 3);
    assert_int_equal(released_now(), 2);
    assert_int_equal(released_now(), 2);
    reopen_test_vault(&test);
    assert_int_equal(released_now(), 2);
    assert_int_equal(released_now(), 0);
    vault_close(&test.vault);
}

struct reader {
    pthread_t thread;
    size_t released;
};

static void *read_once(void *context)
{
    struct reader *reader = context;
    reader->released = released_now();
    return NULL;
}

static void test_n_uses_are_n_releases_however_many_ask_at_once(void **state)
{
    (void)state;
    enum { USES = 5, READERS = 24 };
    struct reader readers[READERS];
    size_t releases = 0;
    begin();
    give_consent(&test, USES);
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_once, &readers[i]), 0);
    for (size_t i = 0; i < READERS; i++) {
        pthread_join(readers[i].thread, NULL);
        releases += readers[i].released > 0;
    }
    assert_int_equal(releases, USES);
    vault_close(&test.vault);
}

/* The same members, the same kinds of values: only ids and places in the log differ. */
static void assert_same_shape(json_t *a, json_t *b)
{
    static const char *const same[] = {"purpose", "released", "withheld", "obligations"};
    assert_int_equal(json_object_size(a), json_object_size(b));
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        assert_true(json_equal(json_object_get(a, same[i]), json_object_get(b, same[i])));
}

static void test_unknown_subjects_and_refusing_ones_get_the_same_answer(void **state)
{
    (void)state;
    char subject[SUBJECT_CHARS + 1];
    begin();
    subject_of_citizen(&test, subject);
    VAULT_AUTO(json_free) json_t *known = ask_release(&test, subject);
    VAULT_AUTO(json_free) json_t *unknown = ask_release(&test, "aaaaaaaaaaaaaaaaaaaaaaaaaa");
    VAULT_AUTO(json_free) json_t *odd = ask_release(&test, "zzzzzzzzzzzzzzzzzzzzzzzzzz");
    assert_same_shape(known, unknown);
    assert_same_shape(known, odd);
    vault_close(&test.vault);
}

static void test_an_unknown_purpose_or_field_is_told_apart_from_a_refusal(void **state)
{
    (void)state;
    const struct release_ask ask = {BYTES("shoe.size"), {0}};
    const struct release_ask known = {BYTES("identity.name"), {0}};
    enum release_fault fault;
    begin();
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, caseworker_key);
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(RELEASE_ANSWER_BYTES);
    struct release_request request = {.client_spki = caseworker_key,
                                      .subject = BYTES("aaaaaaaaaaaaaaaaaaaaaaaaaa"),
                                      .purpose = BYTES(SUPPORT),
                                      .asks = &ask,
                                      .ask_count = 1};
    assert_fails(VAULT_INVALID,
                 release_perform(test.vault, hold.service, &request, &body, &fault, &test_error));
    assert_int_equal(fault, RELEASE_UNKNOWN_FIELD);
    request.asks = &known;
    request.purpose = BYTES("marketing.everything");
    assert_fails(VAULT_INVALID,
                 release_perform(test.vault, hold.service, &request, &body, &fault, &test_error));
    assert_int_equal(fault, RELEASE_UNKNOWN_PURPOSE);
    assert_null(strstr(test_error.text, "marketing"));
    assert_int_equal(body.size, 0);
    vault_close(&test.vault);
}

/* Before the first policy nothing but the log's own grammar bounds what a service may send. */
static void test_without_a_policy_a_name_that_none_could_have_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",    "NO SUCH",
        "a b", "identity.name as_is released\nidentity.birth_date",
        "a\n", "a-name-that-is-longer-than-all-ids-of-a-policy-or-of-the-log-may-be"};
    enum release_fault fault;
    begin();
    active_policy_close(test.vault);
    const uint64_t before = ledger_head(test.vault->ledger).size;
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, caseworker_key);
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(RELEASE_ANSWER_BYTES);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct release_ask odd = {bytes_of_text(names[i]), {0}};
        const struct release_ask even = {BYTES("identity.name"), {0}};
        struct release_request request = {.client_spki = caseworker_key,
                                          .subject = BYTES("aaaaaaaaaaaaaaaaaaaaaaaaaa"),
                                          .purpose = BYTES(SUPPORT),
                                          .asks = &odd,
                                          .ask_count = 1};
        assert_fails(VAULT_INVALID, release_perform(test.vault, hold.service, &request, &body,
                                                    &fault, &test_error));
        assert_int_equal(fault, RELEASE_UNKNOWN_FIELD);
        request.asks = &even;
        request.purpose = bytes_of_text(names[i]);
        assert_fails(VAULT_INVALID, release_perform(test.vault, hold.service, &request, &body,
                                                    &fault, &test_error));
        assert_int_equal(fault, RELEASE_UNKNOWN_PURPOSE);
    }
    assert_int_equal(ledger_head(test.vault->ledger).size, before);
    assert_int_equal(body.size, 0);
    service_release(&hold);
    vault_close(&test.vault);
}

static void test_a_subject_of_another_service_is_nobody(void **state)
{
    (void)state;
    char subject[SUBJECT_CHARS + 1];
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    {
        VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, library_key);
        assert_done(subject_write(hold.service, &test.citizen, subject, &test_error));
    }
    assert_int_equal(count_released(ask_release(&test, subject)), 0);
    vault_close(&test.vault);
}

static void test_nobody_has_no_computed_values_either(void **state)
{
    (void)state;
    const struct release_ask asks[] = {{BYTES("reader.visitor"), {0}},
                                       {BYTES("identity.is_adult"), {0}}};
    char subject[SUBJECT_CHARS + 1];
    enum release_fault fault;
    begin();
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, library_key);
    assert_done(subject_write(hold.service, &test.citizen, subject, &test_error));
    const char *const subjects[] = {"aaaaaaaaaaaaaaaaaaaaaaaaaa", subject};
    for (size_t i = 0; i < 2; i++) {
        VAULT_AUTO(buf_finish) struct buf body = buf_limited(RELEASE_ANSWER_BYTES);
        VAULT_AUTO(json_free) json_t *answer = NULL;
        const struct release_request request = {.client_spki = library_key,
                                                .subject = bytes_of_text(subjects[i]),
                                                .purpose = BYTES(LENDING),
                                                .asks = asks,
                                                .ask_count = 2};
        assert_done(
            release_perform(test.vault, hold.service, &request, &body, &fault, &test_error));
        assert_done(json_parse(buf_view(&body), 8, &answer, NULL, &test_error));
        assert_int_equal(json_object_size(json_object_get(answer, "released")), i ? 2 : 0);
    }
    service_release(&hold);
    vault_close(&test.vault);
}

static void test_without_a_policy_nothing_is_released(void **state)
{
    (void)state;
    make_test_vault(&test);
    assert_done(service_add(test.vault,
                            BYTES("{\"id\":\"" CASEWORKER "\",\"name\":\"A\",\"contact\":\"b\","
                                  "\"classes\":[],\"purposes\":[\"" SUPPORT "\"]}"),
                            &test_error));
    assert_done(service_add_key(test.vault, CONTROL_CERTIFICATE_SERVICE, CASEWORKER, caseworker_key,
                                INT64_MAX, &test_error));
    assert_fails(VAULT_UNAVAILABLE, vault_ready(test.vault, &test_error));
    assert_int_equal(count_released(ask_release(&test, "aaaaaaaaaaaaaaaaaaaaaaaaaa")), 0);
    vault_close(&test.vault);
}

/* An anchor that says what it is told to. */
struct fake_anchor {
    bool is_stale;
    struct ledger_head kept; /* size 0: nothing */
};

static enum vault_code fake_recall(void *context, const struct checkpoint_keys *log,
                                   struct ledger_head heads[VAULT_RECALLED_MAX], size_t *count,
                                   struct vault_error *err)
{
    const struct fake_anchor *fake = context;
    (void)log;
    (void)err;
    heads[0] = fake->kept;
    *count = fake->kept.size ? 1 : 0;
    return VAULT_OK;
}

static int64_t fake_present(void *context, const struct ledger_presented *presented,
                            struct buf *lines)
{
    (void)context;
    (void)presented;
    (void)lines;
    return 600000;
}

static enum vault_code fake_check(void *context, struct vault_error *err)
{
    const struct fake_anchor *fake = context;
    return fake->is_stale ? vault_fail(err, VAULT_UNAVAILABLE, "nobody has seen it") : VAULT_OK;
}

static void fake_describe(void *context, struct buf *out)
{
    (void)context;
    buf_text(out, "{}");
}

static enum vault_code try_release(const char *subject, enum release_fault *fault)
{
    const struct release_ask asks[] = {{BYTES("identity.birth_date"), {0}}};
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, caseworker_key);
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(RELEASE_ANSWER_BYTES);
    const struct release_request request = {.client_spki = caseworker_key,
                                            .subject = bytes_of_text(subject),
                                            .purpose = BYTES(SUPPORT),
                                            .asks = asks,
                                            .ask_count = 1};
    const enum vault_code code =
        release_perform(test.vault, hold.service, &request, &body, fault, &test_error);
    assert_true(code == VAULT_OK || body.size == 0);
    return code;
}

static void test_the_door_is_shut_while_nobody_outside_has_seen_the_log(void **state)
{
    (void)state;
    struct fake_anchor fake = {.is_stale = false};
    const struct vault_anchor anchor = {&fake, fake_recall, fake_present, fake_check,
                                        fake_describe};
    char subject[SUBJECT_CHARS + 1];
    enum release_fault fault;
    begin();
    test.options.anchor = &anchor;
    reopen_test_vault(&test);
    give_consent(&test, CONSENT_UNLIMITED);
    assert_int_equal(released_now(), 2);
    subject_of_citizen(&test, subject);
    fake.is_stale = true;
    const uint64_t before = ledger_head(test.vault->ledger).size;
    assert_fails(VAULT_UNAVAILABLE, try_release(subject, &fault));
    assert_int_equal(fault, RELEASE_SHUT);
    /* The same for a subject that there is none of, and for what is no subject at all. */
    assert_fails(VAULT_UNAVAILABLE, try_release("aaaaaaaaaaaaaaaaaaaaaaaaaa", &fault));
    assert_int_equal(fault, RELEASE_SHUT);
    assert_fails(VAULT_UNAVAILABLE, try_release("?", &fault));
    assert_int_equal(ledger_head(test.vault->ledger).size, before);
    assert_fails(VAULT_UNAVAILABLE, vault_ready(test.vault, &test_error));
    assert_string_equal(test_error.text, "nobody has seen it");
    /* Everything else goes on. */
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    give_consent(&test, CONSENT_UNLIMITED);
    assert_true(ledger_head(test.vault->ledger).size > before);
    fake.is_stale = false;
    assert_int_equal(released_now(), 2);
    vault_close(&test.vault);
    test.options.anchor = NULL;
}

static void test_a_vault_older_than_what_was_kept_of_it_does_not_open(void **state)
{
    (void)state;
    struct fake_anchor fake = {.is_stale = false};
    const struct vault_anchor anchor = {&fake, fake_recall, fake_present, fake_check,
                                        fake_describe};
    begin();
    fake.kept = ledger_head(test.vault->ledger);
    vault_close(&test.vault);
    test.options.anchor = &anchor;
    open_test_vault(&test);
    vault_close(&test.vault);
    fake.kept.size += 100;
    assert_fails(VAULT_CORRUPT, vault_open(&test.options, &test.vault, &test_error));
    fake.kept.size -= 101;
    assert_fails(VAULT_CORRUPT, vault_open(&test.options, &test.vault, &test_error));
    test.options.anchor = NULL;
}

/* One field, without waiting. */
static enum vault_code ask_at_once(const char *subject, struct buf *body,
                                   struct ledger_ticket *ticket, enum release_fault *fault)
{
    const struct release_ask ask = {BYTES("employment.status"), {0}};
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, caseworker_key);
    VAULT_AUTO(json_free) json_t *context = json_pack("{s:s}", "assurance_at_least", "high");
    const struct release_request request = {
        .client_spki = caseworker_key,
        .subject = bytes_of_text(subject),
        .purpose = BYTES(SUPPORT),
        .asks = &ask,
        .ask_count = 1,
        .context = context,
        .at_once = true,
    };
    return release_enter(test.vault, hold.service, &request, body, ticket, fault, &test_error);
}

static void assert_would_wait(const char *subject)
{
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(RELEASE_ANSWER_BYTES);
    struct ledger_ticket ticket;
    enum release_fault fault;
    const uint64_t size = ledger_head(test.vault->ledger).size;
    assert_fails(VAULT_UNAVAILABLE, ask_at_once(subject, &body, &ticket, &fault));
    assert_int_equal(fault, RELEASE_WOULD_WAIT);
    assert_int_equal(ledger_head(test.vault->ledger).size, size);
}

static void test_at_once_is_what_needs_no_waiting(void **state)
{
    (void)state;
    char subject[SUBJECT_CHARS + 1];
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(RELEASE_ANSWER_BYTES);
    struct ledger_ticket ticket;
    enum release_fault fault;
    bool is_done = false;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    subject_of_citizen(&test, subject);
    reopen_test_vault(&test);
    assert_would_wait(subject); /* the file is not open */
    assert_int_equal(released_now(), 2);
    struct citizen *citizen = NULL;
    assert_done(citizen_acquire(test.vault->store, &test.citizen, &citizen, &test_error));
    assert_would_wait(subject); /* somebody holds it */
    citizen_release(&citizen);
    assert_done(ask_at_once(subject, &body, &ticket, &fault));
    while (!is_done)
        assert_done(release_try_complete(test.vault, &ticket, &body, &is_done, &test_error));
    assert_true(ledger_head(test.vault->ledger).size > ticket.index);
    VAULT_AUTO(json_free) json_t *answer = NULL;
    assert_done(json_parse(buf_view(&body), 8, &answer, NULL, &test_error));
    assert_int_equal(json_object_size(json_object_get(answer, "released")), 1);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(answer, "log"), "index")),
                     ticket.index);
    vault_close(&test.vault);
}

/* A use is written into the citizen's file, which may wait for the disk. */
static void test_a_use_is_not_counted_at_once(void **state)
{
    (void)state;
    char subject[SUBJECT_CHARS + 1];
    begin();
    give_consent(&test, 2);
    subject_of_citizen(&test, subject);
    assert_int_equal(released_now(), 2);
    assert_would_wait(subject);
    assert_would_wait(subject);
    assert_int_equal(released_now(), 2);
    assert_int_equal(released_now(), 0);
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(
        test_at_once_is_what_needs_no_waiting, test_a_use_is_not_counted_at_once,
        test_the_door_is_shut_while_nobody_outside_has_seen_the_log,
        test_a_vault_older_than_what_was_kept_of_it_does_not_open,
        test_nothing_is_released_before_consent,
        test_consent_releases_what_it_covers_in_the_strictest_form,
        test_the_log_opens_to_what_was_decided_and_to_the_answers_hash,
        test_withdrawing_ends_it_at_once_and_for_good,
        test_consent_given_again_in_the_same_second_counts, test_consent_ends_at_the_second_it_says,
        test_a_consent_of_the_future_does_not_exist_yet, test_uses_are_counted_across_a_restart,
        test_n_uses_are_n_releases_however_many_ask_at_once,
        test_unknown_subjects_and_refusing_ones_get_the_same_answer,
        test_an_unknown_purpose_or_field_is_told_apart_from_a_refusal,
        test_without_a_policy_a_name_that_none_could_have_is_refused,
        test_a_subject_of_another_service_is_nobody, test_nobody_has_no_computed_values_either,
        test_without_a_policy_nothing_is_released);
}
