/*
 * What a citizen is shown that a service would see, and that it is what the service then sees.
 */
#include "vault/vault/preview.h"

#include "vault/parts.h"
#include "vault/vault/correction.h"
#include "vault_test.h"

static struct vault_test test;

static void begin(void)
{
    make_filled_vault(&test);
}

struct seen {
    enum preview_outcome outcomes[8];
    char values[8][200];
    size_t count;
};

static enum vault_code see(void *context, size_t at, enum preview_outcome outcome,
                           struct bytes json, struct vault_error *err)
{
    struct seen *seen = context;
    (void)err;
    assert_int_equal(at, seen->count);
    seen->outcomes[at] = outcome;
    snprintf(seen->values[at], sizeof seen->values[at], "%.*s", (int)json.size,
             json.size ? (const char *)json.data : "");
    seen->count++;
    return VAULT_OK;
}

static struct seen look(const char *service, const char *purpose,
                        const struct consent_field fields[], size_t count)
{
    struct seen seen = {0};
    const struct preview_wish wish = {service, purpose, fields, count};
    assert_done(preview_fields(test.vault, &test.citizen, &wish, see, &seen, &test_error));
    assert_int_equal(seen.count, count);
    return seen;
}

static void test_the_form_is_the_strictest_of_what_is_named_and_what_the_rules_give(void **state)
{
    (void)state;
    static const struct consent_field fields[] = {{"identity.birth_date", "as_is"},
                                                  {"identity.birth_date", "age_band"},
                                                  {"identity.birth_date", ""},
                                                  {"employment.status", ""},
                                                  {"address.postal", ""}};
    begin();
    const struct seen seen = look(CASEWORKER, SUPPORT, fields, 5);
    assert_string_equal(seen.values[0], "\"1990\"");
    assert_string_equal(seen.values[1], "\"26-64\"");
    assert_string_equal(seen.values[2], "\"1990\"");
    assert_string_equal(seen.values[3], "\"seeking\"");
    assert_string_equal(seen.values[4], "{\"city\":\"Rennes\"}");
    vault_close(&test.vault);
}

/* As a release then has it, word for word. */
static void test_what_is_shown_is_what_is_released(void **state)
{
    (void)state;
    static const struct consent_field fields[] = {{"identity.birth_date", "year"},
                                                  {"employment.status", ""}};
    char subject[SUBJECT_CHARS + 1];
    begin();
    const struct seen seen = look(CASEWORKER, SUPPORT, fields, 2);
    give_consent(&test, CONSENT_UNLIMITED);
    subject_of_citizen(&test, subject);
    VAULT_AUTO(json_free) json_t *answer = ask_release(&test, subject);
    for (size_t i = 0; i < 2; i++) {
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(1000);
        const json_t *released =
            json_object_get(json_object_get(answer, "released"), fields[i].name);
        json_write_value(&text, json_object_get(released, "value"));
        assert_string_equal(buf_string(&text), seen.values[i]);
    }
    vault_close(&test.vault);
}

static void test_a_corrected_value_is_the_one_that_is_shown(void **state)
{
    (void)state;
    static const struct consent_field field = {"employment.status", ""};
    begin();
    import_one(&test, "{\"reference\":\"T-2\",\"values\":{\"employment.status\":{"
                      "\"value\":\"seeking\",\"source\":\"citizen\"}}}");
    assert_done(people_find(test.vault, "T-2", &test.citizen, &test_error));
    assert_done(correction_make(test.vault, &test.citizen, "employment.status",
                                BYTES("\"training\""), &test_error));
    const struct seen seen = look(CASEWORKER, SUPPORT, &field, 1);
    assert_string_equal(seen.values[0], "\"training\"");
    vault_close(&test.vault);
}

static void test_what_would_not_go_says_why(void **state)
{
    (void)state;
    static const struct consent_field fields[] = {
        {"employment.status", ""},          /* there is none */
        {"identity.name", ""},              /* forbidden */
        {"identity.birth_date", "no_form"}, /* not on its ladder */
        {"no.such_field", ""}};
    begin();
    import_one(&test, "{\"reference\":\"T-2\",\"values\":{\"identity.birth_date\":{"
                      "\"value\":\"1990-05-17\"},\"identity.name\":{\"value\":\"Deux\"}}}");
    assert_done(people_find(test.vault, "T-2", &test.citizen, &test_error));
    const struct seen seen = look(CASEWORKER, SUPPORT, fields, 4);
    assert_int_equal(seen.outcomes[0], PREVIEW_NO_VALUE);
    for (size_t i = 1; i < 4; i++)
        assert_int_equal(seen.outcomes[i], PREVIEW_NOT_ALLOWED);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(seen.values[i], "");
    vault_close(&test.vault);
}

static void test_another_purpose_or_service_shows_nothing(void **state)
{
    (void)state;
    static const struct consent_field field = {"employment.status", ""};
    begin();
    assert_int_equal(look(CASEWORKER, LENDING, &field, 1).outcomes[0], PREVIEW_NOT_ALLOWED);
    assert_int_equal(look(CASEWORKER, "no.such", &field, 1).outcomes[0], PREVIEW_NOT_ALLOWED);
    assert_int_equal(look(LIBRARY, SUPPORT, &field, 1).outcomes[0], PREVIEW_NOT_ALLOWED);
    vault_close(&test.vault);
}

static void test_looking_is_no_event(void **state)
{
    (void)state;
    static const struct consent_field field = {"employment.status", ""};
    begin();
    const uint64_t before = ledger_head(test.vault->ledger).size;
    look(CASEWORKER, SUPPORT, &field, 1);
    assert_int_equal(ledger_head(test.vault->ledger).size, before);
    vault_close(&test.vault);
}

static void test_nobody_is_shown_anything(void **state)
{
    (void)state;
    static const struct consent_field field = {"employment.status", ""};
    struct seen seen = {0};
    begin();
    const struct citizen_id nobody = citizen_id_new();
    const struct preview_wish wish = {CASEWORKER, SUPPORT, &field, 1};
    const struct preview_wish nowhere = {"nowhere", SUPPORT, &field, 1};
    assert_fails(VAULT_NOT_FOUND,
                 preview_fields(test.vault, &nobody, &wish, see, &seen, &test_error));
    assert_fails(VAULT_NOT_FOUND,
                 preview_fields(test.vault, &test.citizen, &nowhere, see, &seen, &test_error));
    assert_int_equal(seen.count, 0);
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(test_the_form_is_the_strictest_of_what_is_named_and_what_the_rules_give,
                    test_what_is_shown_is_what_is_released,
                    test_a_corrected_value_is_the_one_that_is_shown,
                    test_what_would_not_go_says_why, test_another_purpose_or_service_shows_nothing,
                    test_looking_is_no_event, test_nobody_is_shown_anything);
}
