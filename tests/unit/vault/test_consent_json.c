/*
 * A consent's record: what is written is read back the same, and what is damaged in any member is
 * known for damaged, so that damage never allows more than was given.
 */
#include "vault/consent_json.h"

#include "test.h"
#include "vault/base/codec.h"
#include "vault/crypto/crypto.h"

#define ROOM 65536

static struct consent_field two_fields[] = {{"identity.birth_date", "year"},
                                            {"employment.status", ""}};

static struct consent sample(void)
{
    return (struct consent){
        .id = "01TESTTESTTESTTESTTESTTEST",
        .version = 3,
        .service = "employment-plan",
        .purpose = "employment.support",
        .state = CONSENT_GIVEN,
        .at_s = 1804500000,
        .expires_s = 1804500000 + 86400,
        .uses = 5,
        .has_policy = true,
        .policy_version = 12,
        .policy_manifest = {0xab, 0xcd, [31] = 0xef},
        .fields = two_fields,
        .field_count = 2,
    };
}

static void begin(void)
{
    json_start();
    assert_done(crypto_start(true, &test_error));
}

static struct buf write_out(const struct consent *consent, const struct consent_decision *decision)
{
    struct buf json = buf_limited(ROOM);
    consent_json_write(&json, consent, decision);
    assert_done(buf_check(&json, &test_error));
    return json;
}

static void assert_same(const struct consent *a, const struct consent *b)
{
    assert_string_equal(a->id, b->id);
    assert_int_equal(a->version, b->version);
    assert_string_equal(a->service, b->service);
    assert_string_equal(a->purpose, b->purpose);
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->event, b->event);
    assert_int_equal(a->cause, b->cause);
    assert_int_equal(a->at_s, b->at_s);
    assert_int_equal(a->expires_s, b->expires_s);
    assert_int_equal(a->uses, b->uses);
    assert_int_equal(a->has_policy, b->has_policy);
    assert_int_equal(a->policy_version, b->policy_version);
    assert_memory_equal(a->policy_manifest, b->policy_manifest, SHA256_BYTES);
    assert_int_equal(a->field_count, b->field_count);
    for (size_t i = 0; i < a->field_count; i++) {
        assert_string_equal(a->fields[i].name, b->fields[i].name);
        assert_string_equal(a->fields[i].form, b->fields[i].form);
    }
}

static void assert_comes_back(const struct consent *consent)
{
    VAULT_AUTO(buf_finish) struct buf json = write_out(consent, NULL);
    VAULT_AUTO(consent_finish) struct consent read = {0};
    assert_done(consent_json_read(buf_view(&json), &read, &test_error));
    assert_same(&read, consent);
    assert_int_equal(read.used, 0); /* not of the record */
}

static void test_what_is_written_is_read_back(void **state)
{
    (void)state;
    begin();
    struct consent consent = sample();
    for (int i = 0; i < CONSENT_STORED_COUNT; i++) {
        consent.state = (enum consent_state)i;
        assert_comes_back(&consent);
    }
    consent = sample();
    for (int i = 0; i < CONSENT_EVENT_COUNT; i++) {
        consent.event = (enum consent_event)i;
        assert_comes_back(&consent);
    }
    for (int i = 0; i < CONSENT_CAUSE_COUNT; i++) {
        consent.cause = (enum consent_cause)i;
        assert_comes_back(&consent);
    }
    consent = sample();
    consent.uses = CONSENT_UNLIMITED;
    assert_comes_back(&consent);
    consent.uses = 1;
    consent.expires_s = 0; /* as of a refusal */
    assert_comes_back(&consent);
    consent.has_policy = false;
    consent.policy_version = 0;
    memset(consent.policy_manifest, 0, sizeof consent.policy_manifest);
    assert_comes_back(&consent);
}

static void test_the_longest_names_and_the_most_fields_come_back(void **state)
{
    (void)state;
    static struct consent_field many[CONSENT_FIELDS_MAX];
    begin();
    struct consent consent = sample();
    memset(consent.id, 'Z', CONSENT_ID_CHARS);
    memset(consent.service, 's', CONSENT_NAME_CHARS);
    memset(consent.purpose, 'p', CONSENT_NAME_CHARS);
    for (size_t i = 0; i < CONSENT_FIELDS_MAX; i++) {
        memset(many[i].name, 'a', CONSENT_NAME_CHARS);
        many[i].name[0] = (char)('0' + i / 10);
        many[i].name[1] = (char)('0' + i % 10);
        memset(many[i].form, 'f', CONSENT_FORM_CHARS);
    }
    consent.fields = many;
    consent.field_count = CONSENT_FIELDS_MAX;
    assert_comes_back(&consent);
}

static void test_what_was_shown_stands_in_the_record_with_its_hash(void **state)
{
    (void)state;
    static const char text[] = "« Vous acceptez »\n\t\"guillemets\" \\ \x7f é";
    begin();
    struct consent consent = sample();
    memcpy(consent.request, "01REQUEST", sizeof "01REQUEST");
    const struct consent_decision decision = {.language = "fr", .text = text};
    VAULT_AUTO(buf_finish) struct buf json = write_out(&consent, &decision);
    VAULT_AUTO(json_free) json_t *root = NULL;
    uint8_t digest[SHA256_BYTES];
    char hex[HEX_CHARS(SHA256_BYTES) + 1];
    assert_done(json_parse(buf_view(&json), 4, &root, NULL, &test_error));
    const json_t *shown = json_object_get(root, "text");
    assert_string_equal(json_string_value(json_object_get(shown, "shown")), text);
    assert_string_equal(json_string_value(json_object_get(shown, "language")), "fr");
    sha256_of(digest, BYTES(text));
    hex_string(hex, digest, sizeof digest);
    assert_string_equal(json_string_value(json_object_get(shown, "sha256")), hex);
    assert_string_equal(json_string_value(json_object_get(root, "request")), "01REQUEST");
    assert_string_equal(json_string_value(json_object_get(root, "how")), "own session");
    VAULT_AUTO(consent_finish) struct consent read = {0};
    assert_done(consent_json_read(buf_view(&json), &read, &test_error));
    assert_same(&read, &consent);
}

static void test_an_ending_shows_no_text_and_answers_no_request(void **state)
{
    (void)state;
    const struct consent_decision silent = {.language = "fr"};
    begin();
    const struct consent consent = sample();
    for (int i = 0; i < 2; i++) {
        VAULT_AUTO(buf_finish) struct buf json = write_out(&consent, i ? &silent : NULL);
        assert_null(strstr(buf_string(&json), "\"text\""));
        assert_null(strstr(buf_string(&json), "\"request\""));
    }
}

/* --- Damage --------------------------------------------------------------------------------- */

static void assert_damaged(struct bytes json)
{
    struct consent read = {.version = 77};
    if (consent_json_read(json, &read, &test_error) != VAULT_CORRUPT)
        fail_msg("not taken for damaged: %.*s", (int)json.size, (const char *)json.data);
    assert_int_equal(read.version, 77); /* outputs are written only on success */
    assert_null(read.fields);
    assert_null(strstr(test_error.text, "employment"));
}

/* The record with one member as it is in patch, or without it if patch is NULL. */
static void assert_damaged_by(const char *member, const char *patch)
{
    const struct consent consent = sample();
    VAULT_AUTO(buf_finish) struct buf json = write_out(&consent, NULL);
    VAULT_AUTO(buf_finish) struct buf damaged = buf_limited(ROOM);
    VAULT_AUTO(json_free) json_t *root = NULL;
    assert_done(json_parse(buf_view(&json), 4, &root, NULL, &test_error));
    if (patch) {
        json_t *value = NULL;
        assert_done(json_parse(bytes_of_text(patch), 4, &value, NULL, &test_error));
        assert_int_equal(json_object_set_new(root, member, value), 0);
    } else {
        assert_int_equal(json_object_del(root, member), 0);
    }
    json_write_value(&damaged, root);
    assert_damaged(buf_view(&damaged));
}

static void test_a_record_without_one_of_its_members_is_damaged(void **state)
{
    (void)state;
    static const char *const members[] = {"id",      "service", "purpose", "state", "event",
                                          "version", "at",      "expires", "uses",  "fields"};
    begin();
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        assert_damaged_by(members[i], NULL);
}

static void test_a_member_of_another_kind_or_range_is_damage(void **state)
{
    (void)state;
    static const struct {
        const char *member;
        const char *patches[12];
    } cases[] = {
        {"id", {"null", "7", "true", "[]", "{}", "\"01TESTTESTTESTTESTTESTTESTX\""}},
        {"service",
         {"null", "7", "[\"a\"]",
          "\"sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss\""}},
        {"purpose",
         {"null", "{}", "false",
          "\"ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp\""}},
        {"event", {"null", "0", "\"\"", "\"Give\"", "\"expire\"", "[\"give\"]"}},
        {"cause", {"null", "0", "\"\"", "\"Pause\"", "[\"pause\"]"}},
        {"state", {"null", "0", "\"\"", "\"Given\"", "\"given \"", "\"expired\"", "[\"given\"]"}},
        {"version", {"null", "0", "-1", "\"3\"", "3.0", "true", "[]"}},
        {"at", {"null", "-1", "\"1\"", "1.5", "{}"}},
        {"expires", {"null", "-1", "\"9999999999\"", "1e12", "true"}},
        {"uses", {"0", "-1", "\"5\"", "5.0", "false", "[]", "{}", "\"\""}},
        {"fields",
         {"null", "[]", "\"identity.birth_date\"", "[\"identity.birth_date\"]", "{\"a\":7}",
          "{\"a\":true}", "{\"a\":[]}", "{\"a\":{}}", "{\"a\":\"\"}",
          "{\"a\":\"fffffffffffffffffffffffffffffffff\"}",
          "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":null}"}},
        {"policy",
         {"null", "7", "\"x\"", "[]", "{}", "{\"version\":1}",
          "{\"version\":1,\"manifest\":\"ab\"}", "{\"version\":1,\"manifest\":7}"}},
    };
    begin();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t j = 0; j < 12 && cases[i].patches[j]; j++)
            assert_damaged_by(cases[i].member, cases[i].patches[j]);
    }
}

static void test_a_policy_that_is_damaged_is_not_passed_over(void **state)
{
    (void)state;
#define HASH "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789"
    begin();
    assert_damaged_by("policy", "{\"manifest\":\"" HASH "\"}");
    assert_damaged_by("policy", "{\"version\":\"1\",\"manifest\":\"" HASH "\"}");
    assert_damaged_by("policy", "{\"version\":-1,\"manifest\":\"" HASH "\"}");
    assert_damaged_by("policy", "{\"version\":1,\"manifest\":\"" HASH "00\"}");
    assert_damaged_by("policy",
                      "{\"version\":1,\"manifest\":"
                      "\"ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef0123456789\"}");
}

static void test_more_fields_than_a_consent_has_are_damage(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf fields = buf_limited(ROOM);
    begin();
    for (int i = 0; i <= CONSENT_FIELDS_MAX; i++)
        buf_format(&fields, "%s\"f%d\":null", i ? "," : "{", i);
    buf_byte(&fields, '}');
    assert_damaged_by("fields", buf_string(&fields));
}

static void test_a_record_that_was_cut_anywhere_is_damaged(void **state)
{
    (void)state;
    begin();
    const struct consent consent = sample();
    VAULT_AUTO(buf_finish) struct buf json = write_out(&consent, NULL);
    for (size_t size = 0; size < json.size; size++)
        assert_damaged((struct bytes){json.data, size});
}

static void test_what_is_no_record_at_all_is_damaged(void **state)
{
    (void)state;
    const struct bytes others[] = {BYTES(""),
                                   BYTES("null"),
                                   BYTES("[]"),
                                   BYTES("\"a\""),
                                   BYTES("{}"),
                                   BYTES("nonsense"),
                                   BYTES("\0"),
                                   BYTES("\xff"),
                                   BYTES("{}{}"),
                                   BYTES("[[[[["),
                                   BYTES("{\"a\":[[[[1]]]]}")};
    begin();
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_damaged(others[i]);
}

/* jansson alone would take the last of two. */
static void test_a_member_that_stands_twice_is_damage(void **state)
{
    (void)state;
    begin();
    const struct consent consent = sample();
    VAULT_AUTO(buf_finish) struct buf json = write_out(&consent, NULL);
    VAULT_AUTO(buf_finish) struct buf twice = buf_limited(ROOM);
    buf_append(&twice, json.data, json.size - 1);
    buf_text(&twice, ",\"uses\":null}");
    assert_damaged(buf_view(&twice));
}

int main(void)
{
    return TEST_RUN(
        test_what_is_written_is_read_back, test_the_longest_names_and_the_most_fields_come_back,
        test_what_was_shown_stands_in_the_record_with_its_hash,
        test_an_ending_shows_no_text_and_answers_no_request,
        test_a_record_without_one_of_its_members_is_damaged,
        test_a_member_of_another_kind_or_range_is_damage,
        test_a_policy_that_is_damaged_is_not_passed_over,
        test_more_fields_than_a_consent_has_are_damage,
        test_a_record_that_was_cut_anywhere_is_damaged, test_what_is_no_record_at_all_is_damaged,
        test_a_member_that_stands_twice_is_damage);
}
