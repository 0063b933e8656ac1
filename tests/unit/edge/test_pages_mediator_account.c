/* A mediator's own session and password, apart from any citizen's. */
#include "browser.h"

#include "vault/vault/mediator.h"

#define PASSWORD_E "une%20longue%20phrase"

static struct vault_test test;
static struct browser mediator; /* of the hub */

static void begin(void)
{
    make_vault_with_mediators(&test);
    browser_open(&mediator, test.vault);
    browser_sign_in_mediator(&mediator, "ada");
}

static void end(void)
{
    browser_close(&mediator);
    vault_close(&test.vault);
}

static void test_a_first_password_opens_nothing_but_the_page_where_it_is_changed(void **state)
{
    (void)state;
    static const char *const others[] = {"/mediator", "/mediator/aaaa", "/mediator/aaaa/request"};
    struct mediator_first first;
    struct browser other;
    char fields[200];
    begin();
    assert_done(mediator_register(test.vault, "hub", "eve", "Eve", &first, &test_error));
    browser_open(&other, test.vault);
    browser_get(&other, "/mediator/sign-in");
    snprintf(fields, sizeof fields, "login=eve&password=%s", first.password);
    browser_submit(&other, "/mediator/sign-in", fields);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        browser_get(&other, others[i]);
        assert_location(&other, "/mediator/password");
    }
    browser_follow(&other);
    assert_shows(&other, "premier mot de passe, que quelqu’un d’autre a vu");
    browser_submit(&other, "/mediator", "purpose_0=" SUPPORT "&period=31&code=ABCD-EFGH");
    assert_location(&other, "/mediator/password");
    browser_follow(&other);
    browser_submit(&other, "/mediator/password", "password=wrong&new_password=" PASSWORD_E);
    assert_status(&other, 422);
    assert_shows(&other, "Le mot de passe n’est pas le bon.");
    snprintf(fields, sizeof fields, "password=%s&new_password=motdepasse123", first.password);
    browser_submit(&other, "/mediator/password", fields);
    assert_status(&other, 422);
    assert_shows(&other, "Ce mot de passe serait deviné");
    snprintf(fields, sizeof fields, "password=%s&new_password=%s", first.password, PASSWORD_E);
    browser_submit(&other, "/mediator/password", fields);
    assert_location(&other, "/mediator");
    browser_follow(&other);
    assert_status(&other, 200);
    browser_get(&other, "/mediator/password");
    assert_hides(&other, "premier mot de passe, que");
    browser_close(&other);
    end();
}

static void test_neither_side_opens_the_others_pages(void **state)
{
    (void)state;
    static const char *const citizens[] = {"/",         "/accesses", "/data", "/security",
                                           "/mandates", "/erase",    "/again"};
    struct browser browser;
    begin();
    for (size_t i = 0; i < sizeof citizens / sizeof citizens[0]; i++) {
        browser_get(&mediator, citizens[i]);
        assert_status(&mediator, 303);
        assert_non_null(strstr(browser_header(&mediator, "Location"), "/sign-in"));
    }
    browser_open(&browser, test.vault);
    browser_sign_in(&browser);
    browser_get(&browser, "/mediator");
    assert_location(&browser, "/mediator/sign-in");
    browser_get(&browser, "/mediator/sign-in");
    assert_status(&browser, 200);
    browser_submit(&browser, "/mediator/sign-in", "login=testine&password=un%20mot%20de%20passe");
    assert_status(&browser, 422);
    browser_get(&mediator, "/mediator");
    browser_submit(&mediator, "/export", "");
    assert_status(&mediator, 303);
    browser_close(&browser);
    end();
}

static void test_a_mediator_signs_out_and_changes_the_language(void **state)
{
    (void)state;
    begin();
    browser_get(&mediator, "/mediator");
    browser_submit(&mediator, "/language", "language=en&next=%2Fmediator");
    assert_location(&mediator, "/mediator");
    browser_follow(&mediator);
    assert_shows(&mediator, "Our mandates");
    browser_go(&mediator, HTTP_POST, "/mediator/sign-out", "form_token=wrong");
    assert_status(&mediator, 403);
    browser_get(&mediator, "/mediator");
    browser_submit(&mediator, "/mediator/sign-out", "");
    assert_location(&mediator, "/mediator/sign-in");
    browser_get(&mediator, "/mediator");
    assert_location(&mediator, "/mediator/sign-in");
    end();
}

static void test_a_mediators_page_leaves_the_screen_too(void **state)
{
    (void)state;
    begin();
    browser_get(&mediator, "/mediator");
    assert_string_equal(browser_header(&mediator, "Refresh"), "905; url=/left");
    test.now_ms += 905 * 1000L;
    browser_get(&mediator, "/left");
    assert_status(&mediator, 200);
    assert_shows(&mediator, "<a href=\"/mediator\">");
    browser_get(&mediator, "/mediator");
    assert_location(&mediator, "/mediator/sign-in");
    end();
}

static void test_a_mediator_is_told_of_wrong_tries_and_of_their_password(void **state)
{
    (void)state;
    struct browser other;
    struct browser stranger;
    begin();
    browser_open(&other, test.vault);
    browser_sign_in_mediator(&other, "bob");
    browser_open(&stranger, test.vault);
    for (int i = 0; i < SIGN_IN_TOLD_TRIES; i++) {
        browser_get(&mediator, "/mediator");
        assert_shows(&mediator, "Votre mot de passe date du 8 mars");
        assert_hides(&mediator, "mauvais mots de passe");
        browser_get(&stranger, "/mediator/sign-in");
        browser_submit(&stranger, "/mediator/sign-in", "login=ada&password=autre");
        assert_status(&stranger, 422);
    }
    browser_get(&mediator, "/mediator");
    assert_shows(&mediator, ": 5 depuis que vous avez utilisé le vôtre, le dernier le 8 mars");
    browser_get(&other, "/mediator");
    assert_hides(&other, "mauvais mots de passe");
    test.now_ms += SIGN_IN_WAIT_MAX_S * 1000LL;
    browser_close(&mediator);
    browser_open(&mediator, test.vault);
    browser_sign_in_mediator(&mediator, "ada");
    assert_shows(&mediator, "Avant votre connexion du 8 mars");
    browser_close(&stranger);
    browser_close(&other);
    end();
}

int main(void)
{
    return TEST_RUN(test_a_first_password_opens_nothing_but_the_page_where_it_is_changed,
                    test_neither_side_opens_the_others_pages,
                    test_a_mediator_signs_out_and_changes_the_language,
                    test_a_mediators_page_leaves_the_screen_too,
                    test_a_mediator_is_told_of_wrong_tries_and_of_their_password);
}
