/* What both agreed to, what is remembered of halves, and records that are none. */
#include "vault_test.h"

#include "vault/consent_json.h"
#include "vault/half.h"

static enum vault_code join(const struct consent_field *a, size_t a_count,
                            const struct consent_field *b, size_t b_count,
                            struct consent_field out[], size_t *count)
{
    struct consent_field list[8];
    struct consent_decision agreed;
    const struct half half = {.fields = list, .field_count = a_count, .days = 30, .uses = -1};
    const struct consent_decision decision = {
        .fields = b, .field_count = b_count, .days = 60, .uses = -1};
    memcpy(list, a, a_count * sizeof *a);
    VAULT_TRY(half_join(&half, &decision, &agreed, out, &test_error));
    assert_int_equal(agreed.days, 30);
    *count = agreed.field_count;
    return VAULT_OK;
}

static void test_only_fields_that_stand_in_both_are_agreed_to(void **state)
{
    (void)state;
    static const struct consent_field a[] = {{"a", ""}, {"b", "year"}, {"c", "year"}, {"d", "x"}};
    static const struct consent_field b[] = {{"e", ""}, {"d", "y"}, {"c", ""}, {"b", "year"}};
    struct consent_field out[CONSENT_FIELDS_MAX];
    size_t count = 0;
    assert_done(join(a, 4, b, 4, out, &count));
    assert_int_equal(count, 2);
    assert_string_equal(out[0].name, "c");
    assert_string_equal(out[0].form, "year"); /* the narrower of the two */
    assert_string_equal(out[1].name, "b");
    assert_string_equal(out[1].form, "year");
    assert_fails(VAULT_CONFLICT, join(a, 1, b, 1, out, &count));
    assert_fails(VAULT_CONFLICT, join(a + 3, 1, b + 1, 1, out, &count));
}

static void test_another_number_of_uses_is_something_else(void **state)
{
    (void)state;
    struct consent_field field = {"a", ""};
    struct consent_field out[CONSENT_FIELDS_MAX];
    struct consent_decision agreed;
    const struct half half = {.fields = &field, .field_count = 1, .days = 30, .uses = 1};
    const struct consent_decision decision = {
        .fields = &field, .field_count = 1, .days = 30, .uses = CONSENT_UNLIMITED};
    assert_fails(VAULT_CONFLICT, half_join(&half, &decision, &agreed, out, &test_error));
}

static enum vault_code apply(struct person *person, const char *json)
{
    const struct citizen_record record = {
        .kind = PERSON_HALF_KIND, .key = "1", .json = bytes_of_text(json)};
    return person_apply(person, &record, &test_error);
}

static void finish(struct person *person)
{
    for (size_t i = 0; i < person->half_count; i++)
        half_finish(&person->halves[i]);
    free(person->halves);
    *person = (struct person){0};
}

#define HALF(service, request, guardian, at, expires)                                              \
    "{\"given\":true,\"at\":" at ",\"id\":\"1\",\"service\":\"" service                            \
    "\",\"purpose\":\"p\",\"request\":\"" request "\",\"by\":\"\",\"guardian\":\"" guardian        \
    "\",\"days\":30,\"uses\":-1,\"expires\":" expires ",\"fields\":{\"a\":null}}"

static void test_halves_are_by_service_purpose_request_and_side(void **state)
{
    (void)state;
    struct person person = {0};
    assert_done(apply(&person, HALF("s", "r", "", "1", "100")));
    assert_done(apply(&person, HALF("s", "r", "g", "1", "100")));
    assert_done(apply(&person, HALF("s", "q", "", "1", "100")));
    assert_done(apply(&person, HALF("t", "r", "", "1", "100")));
    assert_done(apply(&person, HALF("s", "r", "h", "2", "100"))); /* the same side */
    assert_int_equal(person.half_count, 4);
    assert_true(half_waits(&person, "s", "p"));
    assert_done(apply(&person,
                      "{\"given\":false,\"at\":3,\"id\":\"1\",\"service\":\"s\","
                      "\"purpose\":\"p\",\"request\":\"\",\"by\":\"\",\"guardian\":\"\"}"));
    assert_false(half_waits(&person, "s", "p"));
    assert_true(half_waits(&person, "t", "p"));
    finish(&person);
}

static void test_what_is_over_makes_room(void **state)
{
    (void)state;
    struct person person = {0};
    char json[1024];
    for (int i = 0; i < HALVES_MAX; i++) {
        snprintf(json, sizeof json, HALF("s%d", "r", "", "1", "100"), i);
        assert_done(apply(&person, json));
    }
    assert_fails(VAULT_LIMITED, apply(&person, HALF("s", "r", "", "99", "200")));
    assert_done(apply(&person, HALF("s", "r", "", "100", "200")));
    assert_int_equal(person.half_count, 1);
    finish(&person);
}

static void end_by(struct person *person, enum consent_event event, const char *request)
{
    struct consent consent = {.event = event, .service = "s", .purpose = "p"};
    snprintf(consent.request, sizeof consent.request, "%s", request);
    half_end(person, &consent);
}

static void test_a_consent_ends_its_own_half_and_a_refusal_all(void **state)
{
    (void)state;
    struct person person = {0};
    assert_done(apply(&person, HALF("s", "r", "", "1", "100")));
    assert_done(apply(&person, HALF("s", "q", "", "1", "100")));
    end_by(&person, CONSENT_SUSPEND, "r");
    assert_int_equal(person.half_count, 2);
    end_by(&person, CONSENT_GIVE, "r");
    assert_int_equal(person.half_count, 1);
    end_by(&person, CONSENT_REFUSE, "x");
    assert_int_equal(person.half_count, 0);
    assert_done(apply(&person, HALF("s", "q", "", "1", "100")));
    end_by(&person, CONSENT_WITHDRAW, "");
    assert_int_equal(person.half_count, 0);
    finish(&person);
}

static void test_what_is_no_half_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        "[]",
        "{\"given\":1,\"at\":1,\"id\":\"1\",\"service\":\"s\",\"purpose\":\"p\",\"request\":\"\","
        "\"by\":\"\",\"guardian\":\"\"}",
        "{\"given\":true,\"at\":1,\"id\":\"1\",\"service\":\"s\",\"purpose\":\"p\","
        "\"request\":\"\",\"by\":\"\",\"guardian\":\"\"}",
        "{\"given\":true,\"at\":1,\"id\":\"1\",\"service\":\"s\",\"purpose\":\"p\","
        "\"request\":\"\",\"by\":\"\",\"guardian\":\"\",\"days\":30,\"uses\":-1,\"expires\":9,"
        "\"fields\":{\"a\":\"\"}}",
        "{\"given\":true,\"at\":1,\"id\":\"1\",\"service\":\"s\",\"purpose\":\"p\","
        "\"request\":\"\",\"by\":\"\",\"guardian\":\"\",\"days\":\"30\",\"uses\":-1,\"expires\":9,"
        "\"fields\":{\"a\":null}}",
        "{\"given\":false,\"at\":1,\"id\":\"1\",\"service\":\"s\",\"request\":\"\",\"by\":\"\","
        "\"guardian\":\"\"}",
        "{\"given\":false,\"at\":1,\"id\":\"1\",\"service\":\"s\",\"purpose\":\"p\","
        "\"request\":\"\",\"by\":\"\",\"guardian\":\"123456789012345678901234567\"}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct person person = {0};
        assert_fails(VAULT_CORRUPT, apply(&person, texts[i]));
        assert_int_equal(person.half_count, 0);
        finish(&person);
    }
}

int main(void)
{
    json_start();
    return TEST_RUN(
        test_only_fields_that_stand_in_both_are_agreed_to,
        test_another_number_of_uses_is_something_else,
        test_halves_are_by_service_purpose_request_and_side, test_what_is_over_makes_room,
        test_a_consent_ends_its_own_half_and_a_refusal_all, test_what_is_no_half_is_refused);
}
