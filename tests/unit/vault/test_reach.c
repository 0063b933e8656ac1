/* What is left of a consent when services and rules change: less or nothing, and never more. */
#include "vault/vault/reach.h"

#include "vault/parts.h"
#include "vault/vault/active_policy.h"
#include "vault_test.h"

static struct vault_test test;
static struct reach_field fields[CONSENT_FIELDS_MAX];

static void begin(void)
{
    make_filled_vault(&test);
}

static void end(void)
{
    vault_close(&test.vault);
}

/* The rules of the tests' bundle for the caseworker, with other fields and forms. */
static void activate(uint64_t version, const char *names, const char *form)
{
    char text[2048];
    snprintf(text, sizeof text,
             "{\"format\":\"vault-rules/1\",\"policy\":\"employment\","
             "\"title\":{\"fr\":\"Emploi\",\"en\":\"Employment\"},\"owner\":\"dpo@ville.example\","
             "\"rules\":[{\"id\":\"caseworker-core\",\"effect\":\"permit\","
             "\"why\":{\"fr\":\"Essai.\",\"en\":\"A test.\"},"
             "\"who\":{\"classes\":[\"employment.caseworker\"]},"
             "\"purposes\":[\"employment.support\"],\"fields\":[%s],\"basis\":\"consent\","
             "\"release\":{%s\"default\":\"as_is\"}}]}",
             names, form);
    change_test_bundle(&test, "rules/employment.json", text, version);
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
}

static enum reach_of reach(const struct consent_field of[], size_t count)
{
    VAULT_AUTO(active_policy_release) struct policy_hold held = active_policy_hold(test.vault);
    const struct consent consent = {.service = CASEWORKER,
                                    .purpose = SUPPORT,
                                    .fields = (struct consent_field *)(uintptr_t)of,
                                    .field_count = count};
    return reach_of_consent(test.vault, held.policy, &consent, test.now_ms / 1000, fields);
}

static const struct consent_field year_and_status[] = {{"identity.birth_date", "year"},
                                                       {"employment.status", "as_is"}};

static void test_all_that_was_allowed_can_come(void **state)
{
    (void)state;
    begin();
    assert_int_equal(reach(year_and_status, 2), REACH_WHOLE);
    assert_true(fields[0].comes && fields[1].comes);
    assert_string_equal(fields[0].form, "");
    end();
}

static void test_a_field_that_the_rules_took_away_does_not_come(void **state)
{
    (void)state;
    begin();
    activate(2, "\"employment.status\"", "");
    assert_int_equal(reach(year_and_status, 2), REACH_LESS);
    assert_false(fields[0].comes);
    assert_true(fields[1].comes);
    end();
}

static void test_a_form_that_the_rules_made_less_exact_is_told(void **state)
{
    (void)state;
    static const struct consent_field day[] = {{"identity.birth_date", "as_is"}};
    begin();
    assert_int_equal(reach(day, 1), REACH_LESS); /* the rules give the year */
    assert_true(fields[0].comes);
    assert_string_equal(fields[0].form, "year");
    end();
}

static void test_rules_that_give_more_change_nothing(void **state)
{
    (void)state;
    begin();
    activate(2, "\"identity.birth_date\", \"employment.status\", \"identity.name\"", "");
    assert_int_equal(reach(year_and_status, 2), REACH_WHOLE);
    assert_string_equal(fields[0].form, "");
    end();
}

static void test_whatever_the_rules_a_consent_gives_what_it_names_at_the_most(void **state)
{
    (void)state;
    char subject[SUBJECT_CHARS + 1];
    begin();
    subject_of_citizen(&test, subject);
    give_consent(&test, CONSENT_UNLIMITED);
    activate(2, "\"identity.birth_date\", \"employment.status\", \"identity.name\"", "");
    json_t *answer = ask_release(&test, subject);
    const json_t *released = json_object_get(answer, "released");
    assert_int_equal(json_object_size(released), 2);
    assert_null(json_object_get(released, "identity.name"));
    assert_string_equal(json_string_value(json_object_get(
                            json_object_get(released, "identity.birth_date"), "form")),
                        "year");
    json_decref(answer);
    end();
}

static void test_rules_that_give_nothing_say_so(void **state)
{
    (void)state;
    begin();
    activate(2, "\"identity.name\"", "");
    assert_int_equal(reach(year_and_status, 2), REACH_NOTHING);
    assert_false(fields[0].comes || fields[1].comes);
    active_policy_close(test.vault);
    assert_int_equal(reach(year_and_status, 2), REACH_NOTHING);
    end();
}

static void test_a_field_that_no_catalogue_has_does_not_come(void **state)
{
    (void)state;
    static const struct consent_field gone[] = {{"employment.status", "as_is"},
                                                {"employment.gone", "as_is"}};
    static const struct consent_field form[] = {{"employment.status", "no_such_form"}};
    begin();
    assert_int_equal(reach(gone, 2), REACH_LESS);
    assert_false(fields[1].comes);
    assert_int_equal(reach(form, 1), REACH_NOTHING);
    end();
}

static void test_what_became_of_the_service_comes_first(void **state)
{
    (void)state;
    begin();
    assert_done(service_set_state(test.vault, CASEWORKER, CONTROL_SERVICE_SUSPENDED, &test_error));
    assert_int_equal(reach(year_and_status, 2), REACH_SUSPENDED);
    assert_false(fields[0].comes || fields[1].comes);
    assert_done(service_set_state(test.vault, CASEWORKER, CONTROL_SERVICE_ACTIVE, &test_error));
    assert_done(service_update(test.vault,
                               BYTES("{\"id\":\"" CASEWORKER "\",\"name\":\"n\",\"contact\":\"c\","
                                     "\"classes\":[\"employment.caseworker\"]}"),
                               &test_error));
    assert_int_equal(reach(year_and_status, 2), REACH_NO_PURPOSE);
    assert_done(service_remove(test.vault, CASEWORKER, &test_error));
    assert_int_equal(reach(year_and_status, 2), REACH_REMOVED);
    end();
}

static void test_another_basis_is_not_the_consents_doing(void **state)
{
    (void)state;
    static const struct consent_field of[] = {{"identity.is_adult", "as_is"}};
    const struct consent consent = {.service = LIBRARY,
                                    .purpose = LENDING,
                                    .fields = (struct consent_field *)(uintptr_t)of,
                                    .field_count = 1};
    begin();
    VAULT_AUTO(active_policy_release) struct policy_hold held = active_policy_hold(test.vault);
    assert_int_equal(
        reach_of_consent(test.vault, held.policy, &consent, test.now_ms / 1000, fields),
        REACH_NOTHING);
    active_policy_release(&held);
    end();
}

int main(void)
{
    return TEST_RUN(
        test_all_that_was_allowed_can_come, test_a_field_that_the_rules_took_away_does_not_come,
        test_a_form_that_the_rules_made_less_exact_is_told,
        test_rules_that_give_more_change_nothing,
        test_whatever_the_rules_a_consent_gives_what_it_names_at_the_most,
        test_rules_that_give_nothing_say_so, test_a_field_that_no_catalogue_has_does_not_come,
        test_what_became_of_the_service_comes_first, test_another_basis_is_not_the_consents_doing);
}
