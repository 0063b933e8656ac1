/* Suspending, resuming, pausing everything, and objecting: each one button on a page. */
#include "browser.h"

static struct vault_test test;
static struct browser browser;

#define PAIR "service=" CASEWORKER "&purpose=" SUPPORT

static void begin(void)
{
    make_filled_vault(&test);
    browser_open(&browser, test.vault);
    browser_sign_in(&browser);
    give_consent(&test, CONSENT_UNLIMITED);
    browser_get(&browser, "/");
}

static void end(void)
{
    browser_close(&browser);
    vault_close(&test.vault);
}

static size_t released(void)
{
    char subject[SUBJECT_CHARS + 1];
    subject_of_citizen(&test, subject);
    return count_released(ask_release(&test, subject));
}

static void test_suspended_from_home_and_resumed_from_the_services_page(void **state)
{
    (void)state;
    begin();
    assert_shows(&browser, "data-action=\"suspend\" data-service=\"" CASEWORKER
                           "\" data-purpose=\"" SUPPORT "\"");
    assert_hides(&browser, "data-action=\"resume\"");
    browser_submit(&browser, "/suspend", PAIR);
    assert_location(&browser, "/services/" CASEWORKER);
    assert_int_equal(released(), 0);
    browser_follow(&browser);
    assert_status(&browser, 200);
    assert_shows(&browser, "suspendu. Le service n’obtient rien");
    assert_shows(&browser, "data-action=\"resume\"");
    assert_hides(&browser, "data-action=\"suspend\"");
    assert_shows(&browser, "data-action=\"withdraw\"");
    browser_submit(&browser, "/resume", PAIR);
    assert_location(&browser, "/services/" CASEWORKER);
    assert_int_equal(released(), 2);
    end();
}

static void test_paused_from_home_and_resumed(void **state)
{
    (void)state;
    begin();
    assert_shows(&browser, "data-action=\"pause-all\"");
    assert_hides(&browser, "data-action=\"resume-all\"");
    browser_submit(&browser, "/pause", "");
    assert_location(&browser, "/");
    assert_int_equal(released(), 0);
    browser_follow(&browser);
    assert_shows(&browser, "Tout est en pause");
    assert_shows(&browser, "data-action=\"resume-all\"");
    assert_hides(&browser, "data-action=\"pause-all\"");
    assert_hides(&browser, "data-action=\"resume\"");
    browser_submit(&browser, "/resume-all", "");
    assert_location(&browser, "/");
    assert_int_equal(released(), 2);
    end();
}

static void test_one_alone_is_not_resumed_while_everything_is_paused(void **state)
{
    (void)state;
    begin();
    browser_submit(&browser, "/pause", "");
    browser_follow(&browser);
    browser_submit(&browser, "/resume", PAIR);
    assert_status(&browser, 409);
    assert_int_equal(released(), 0);
    end();
}

static void test_what_needs_no_consent_is_shown_and_can_be_objected_to(void **state)
{
    (void)state;
    begin();
    assert_shows(&browser, "Ce qui ne demande pas de consentement");
    assert_shows(&browser, "<a href=\"/services/" LIBRARY "\">");
    assert_hides(&browser, "data-action=\"object\"");
    browser_get(&browser, "/services/" LIBRARY);
    assert_status(&browser, 200);
    assert_shows(&browser, "une mission d’intérêt public");
    assert_shows(&browser, "data-action=\"object\" data-service=\"" LIBRARY
                           "\" data-purpose=\"" LENDING "\"");
    browser_submit(&browser, "/object", "service=" LIBRARY "&purpose=" LENDING);
    assert_location(&browser, "/services/" LIBRARY);
    browser_follow(&browser);
    assert_shows(&browser, "Vous vous y opposez depuis le 8 mars 2027.");
    assert_hides(&browser, "data-action=\"object\"");
    browser_submit(&browser, "/object/end", "service=" LIBRARY "&purpose=" LENDING);
    browser_follow(&browser);
    assert_shows(&browser, "data-action=\"object\"");
    end();
}

/* What only consent would release is no use without asking. */
static void test_a_service_that_needs_consent_for_all_is_not_among_them(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/services/" CASEWORKER);
    assert_hides(&browser, "Ce qui ne demande pas de consentement");
    end();
}

static void test_a_suspended_service_uses_nothing(void **state)
{
    (void)state;
    begin();
    assert_done(service_set_state(test.vault, LIBRARY, CONTROL_SERVICE_SUSPENDED, &test_error));
    browser_get(&browser, "/");
    assert_hides(&browser, "Ce qui ne demande pas de consentement");
    browser_get(&browser, "/services/" LIBRARY);
    assert_status(&browser, 404);
    end();
}

static void test_forms_without_a_pair_or_with_a_bad_one_change_nothing(void **state)
{
    (void)state;
    static const char *const targets[] = {"/suspend", "/resume", "/object", "/object/end"};
    static const char *const bad[] = {"service=" CASEWORKER, "purpose=" SUPPORT, "",
                                      "service=%2F%2Felsewhere.example&purpose=" SUPPORT,
                                      "service=&purpose=" SUPPORT};
    begin();
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        for (size_t j = 0; j < sizeof bad / sizeof bad[0]; j++) {
            browser_get(&browser, "/");
            browser_submit(&browser, targets[i], bad[j]);
            assert_status(&browser, 400);
        }
    }
    assert_int_equal(released(), 2);
    end();
}

static void test_nobody_pauses_for_another(void **state)
{
    (void)state;
    struct browser stranger;
    begin();
    browser_open(&stranger, test.vault);
    browser_get(&stranger, "/sign-in");
    browser_submit(&stranger, "/pause", "");
    assert_status(&stranger, 303);
    assert_int_equal(released(), 2);
    browser_close(&stranger);
    end();
}

static void test_everything_is_restricted_and_resumed_again(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/data");
    assert_shows(&browser, "action=\"/restrict\"");
    browser_submit(&browser, "/restrict", "");
    assert_location(&browser, "/");
    browser_follow(&browser);
    assert_shows(&browser, "L’usage de vos données est limité");
    assert_shows(&browser, "data-action=\"resume-all\"");
    browser_submit(&browser, "/resume-all", "");
    browser_follow(&browser);
    assert_hides(&browser, "L’usage de vos données est limité");
    browser_get(&browser, "/accesses");
    assert_shows(&browser, "Vous avez limité l’usage de toutes vos données.");
    end();
}

int main(void)
{
    return TEST_RUN(
        test_everything_is_restricted_and_resumed_again,
        test_suspended_from_home_and_resumed_from_the_services_page,
        test_paused_from_home_and_resumed, test_one_alone_is_not_resumed_while_everything_is_paused,
        test_what_needs_no_consent_is_shown_and_can_be_objected_to,
        test_a_service_that_needs_consent_for_all_is_not_among_them,
        test_a_suspended_service_uses_nothing,
        test_forms_without_a_pair_or_with_a_bad_one_change_nothing, test_nobody_pauses_for_another);
}
