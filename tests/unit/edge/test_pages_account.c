/* The citizen's own pages: the password again, my data, taking all away, erasing, my security. */
#include "browser.h"

static struct vault_test test;
static struct browser browser;

#define OLD_E "un%20mot%20de%20passe"

static void begin(void)
{
    make_filled_vault(&test);
    browser_open(&browser, test.vault);
    browser_sign_in(&browser);
}

static void end(void)
{
    browser_close(&browser);
    vault_close(&test.vault);
}

/* Long enough that the password must be given again, too short for the session to end. */
static void wait_a_while(void)
{
    test.now_ms += (SIGN_IN_FRESH_S + 1) * 1000LL;
}

static void test_my_data_shows_each_value_with_source_and_date(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/data");
    assert_status(&browser, 200);
    assert_shows(&browser, "1990-05-17");
    assert_shows(&browser, "civil register");
    assert_shows(&browser, "2 janvier 2026");
    assert_shows(&browser, "rue des Essais");
    assert_hides(&browser, "{&quot;");
    end();
}

static void test_an_export_is_a_file_and_an_entry(void **state)
{
    (void)state;
    VAULT_AUTO(json_free) json_t *root = NULL;
    begin();
    browser_get(&browser, "/data");
    browser_submit(&browser, "/export", "");
    assert_status(&browser, 200);
    assert_string_equal(browser_header(&browser, "Content-Disposition"),
                        "attachment; filename=\"citizen-vault.json\"");
    assert_done(json_parse(buf_view(&browser.answer.body), 16, &root, NULL, &test_error));
    assert_string_equal(json_string_value(json_object_get(root, "reference")), "T-1");
    browser_get(&browser, "/accesses");
    assert_shows(&browser, "Vos données ont été exportées.");
    end();
}

static void test_an_export_wants_the_password_again_after_a_while(void **state)
{
    (void)state;
    begin();
    wait_a_while();
    browser_get(&browser, "/data");
    browser_submit(&browser, "/export", "");
    assert_location(&browser, "/again?next=%2Fdata");
    browser_follow(&browser);
    assert_shows(&browser, "data-action=\"reauth\"");
    browser_submit(&browser, "/again", "next=%2Fdata&password=wrong");
    assert_status(&browser, 422);
    assert_shows(&browser, "Le mot de passe n’est pas le bon.");
    browser_submit(&browser, "/again", "next=%2Fdata&password=");
    assert_status(&browser, 422);
    browser_submit(&browser, "/again", "next=%2Fdata&password=" OLD_E);
    assert_location(&browser, "/data");
    browser_follow(&browser);
    browser_submit(&browser, "/export", "");
    assert_status(&browser, 200);
    end();
}

/* Whoever took the cookie before is out; a form that is open in another window still counts. */
static void test_showing_that_it_is_oneself_changes_the_session_and_no_form(void **state)
{
    (void)state;
    struct browser thief;
    char stolen[BROWSER_VALUE_CHARS];
    char form_token[BROWSER_VALUE_CHARS];
    char again[BROWSER_VALUE_CHARS];
    begin();
    browser_get(&browser, "/again");
    browser_hidden(&browser, "form_token", form_token);
    snprintf(stolen, sizeof stolen, "%s", browser_cookie(&browser, "__Host-sid"));
    browser_submit(&browser, "/again", "next=%2Fdata&password=wrong");
    assert_string_equal(browser_cookie(&browser, "__Host-sid"), stolen);
    browser_submit(&browser, "/again", "next=%2Fdata&password=" OLD_E);
    assert_location(&browser, "/data");
    assert_string_not_equal(browser_cookie(&browser, "__Host-sid"), stolen);
    browser_follow(&browser);
    assert_status(&browser, 200);
    browser_hidden(&browser, "form_token", again);
    assert_string_equal(again, form_token);
    browser_open(&thief, test.vault);
    browser_set_cookie(&thief, "__Host-sid", stolen);
    browser_get(&thief, "/data");
    assert_status(&thief, 303);
    browser_close(&thief);
    end();
}

static void test_the_way_back_leads_nowhere_else(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/again?next=https%3A%2F%2Felsewhere.example%2F");
    assert_shows(&browser, "name=\"next\" value=\"/\"");
    browser_submit(&browser, "/again", "next=%2F%2Felsewhere.example&password=" OLD_E);
    assert_location(&browser, "/");
    end();
}

static void test_erasing_takes_a_tick_and_the_password_and_is_for_good(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/erase");
    assert_shows(&browser, "data-action=\"erase\"");
    browser_submit(&browser, "/erase", "");
    assert_status(&browser, 422);
    wait_a_while();
    browser_submit(&browser, "/erase", "sure=yes");
    assert_location(&browser, "/again?next=%2Ferase");
    browser_follow(&browser);
    browser_submit(&browser, "/again", "next=%2Ferase&password=" OLD_E);
    browser_follow(&browser);
    browser_submit(&browser, "/erase", "sure=yes");
    assert_location(&browser, "/sign-in");
    struct citizen_id gone;
    assert_fails(VAULT_NOT_FOUND, people_find(test.vault, "T-1", &gone, &test_error));
    browser_get(&browser, "/data");
    assert_status(&browser, 303);
    end();
}

static void test_a_new_password_ends_all_other_sessions_and_the_old_one(void **state)
{
    (void)state;
    struct browser other;
    begin();
    browser_open(&other, test.vault);
    browser_sign_in(&other);
    browser_get(&browser, "/security");
    assert_shows(&browser, "Celle-ci");
    browser_submit(&browser, "/security/password",
                   "password=wrong&new_password=une%20phrase%20assez%20longue");
    assert_status(&browser, 422);
    browser_submit(&browser, "/security/password", "password=" OLD_E "&new_password=court");
    assert_status(&browser, 422);
    assert_shows(&browser, "12 caractères");
    browser_submit(&browser, "/security/password",
                   "password=" OLD_E "&new_password=testine%20testine");
    assert_status(&browser, 422);
    assert_shows(&browser, "Ce mot de passe serait deviné");
    assert_hides(&browser, "testine testine");
    browser_submit(&browser, "/security/password",
                   "password=" OLD_E "&new_password=une%20phrase%20assez%20longue");
    assert_location(&browser, "/security");
    browser_get(&other, "/");
    assert_status(&other, 303);
    browser_get(&browser, "/");
    assert_status(&browser, 200);
    browser_close(&browser);
    browser_open(&browser, test.vault);
    browser_sign_in_as(&browser, "testine", "une phrase assez longue");
    browser_close(&other);
    end();
}

static void test_one_session_can_be_ended_by_itself(void **state)
{
    (void)state;
    struct browser other;
    struct browser third;
    char name[BROWSER_VALUE_CHARS];
    char fields[BROWSER_VALUE_CHARS + 16];
    begin();
    browser_open(&other, test.vault);
    browser_sign_in(&other);
    browser_get(&browser, "/security");
    browser_hidden(&browser, "session", name); /* this one has none */
    browser_open(&third, test.vault);
    browser_sign_in(&third);
    snprintf(fields, sizeof fields, "session=%s", name);
    browser_submit(&browser, "/security/session", fields);
    assert_location(&browser, "/security");
    browser_get(&other, "/");
    assert_status(&other, 303);
    browser_get(&third, "/");
    assert_status(&third, 200);
    browser_get(&browser, "/security");
    assert_status(&browser, 200);
    browser_submit(&browser, "/security/session", fields); /* it has ended: nothing more to do */
    assert_location(&browser, "/security");
    browser_get(&third, "/");
    assert_status(&third, 200);
    browser_close(&other);
    browser_close(&third);
    end();
}

static void test_ending_sessions_wants_the_password_again_after_a_while(void **state)
{
    (void)state;
    static const char *const forms[] = {"/security/session", "/security/others"};
    struct browser other;
    char name[BROWSER_VALUE_CHARS];
    char fields[BROWSER_VALUE_CHARS + 16];
    begin();
    browser_open(&other, test.vault);
    browser_sign_in(&other);
    wait_a_while();
    browser_get(&other, "/");
    browser_get(&browser, "/security");
    browser_hidden(&browser, "session", name);
    snprintf(fields, sizeof fields, "session=%s", name);
    for (size_t i = 0; i < 2; i++) {
        browser_get(&browser, "/security");
        browser_submit(&browser, forms[i], fields);
        assert_location(&browser, "/again?next=%2Fsecurity");
        browser_get(&other, "/");
        assert_status(&other, 200);
    }
    browser_get(&browser, "/again?next=%2Fsecurity");
    browser_submit(&browser, "/again", "next=%2Fsecurity&password=" OLD_E);
    browser_follow(&browser);
    browser_submit(&browser, "/security/session", fields);
    browser_get(&other, "/");
    assert_status(&other, 303);
    browser_close(&other);
    end();
}

static void test_a_password_that_the_city_gave_is_told_until_it_is_changed(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/");
    assert_shows(&browser, "La ville vous a donné votre mot de passe");
    browser_get(&browser, "/security");
    browser_submit(&browser, "/security/password",
                   "password=" OLD_E "&new_password=une%20phrase%20assez%20longue");
    browser_get(&browser, "/");
    assert_status(&browser, 200);
    assert_hides(&browser, "La ville vous a donné votre mot de passe");
    end();
}

static void test_all_other_sessions_can_be_ended(void **state)
{
    (void)state;
    struct browser other;
    begin();
    browser_get(&browser, "/security");
    assert_hides(&browser, "/security/others");
    browser_open(&other, test.vault);
    browser_sign_in(&other);
    browser_get(&browser, "/security");
    assert_shows(&browser, "/security/others");
    browser_submit(&browser, "/security/others", "");
    assert_location(&browser, "/security");
    browser_get(&other, "/");
    assert_status(&other, 303);
    browser_get(&browser, "/");
    assert_status(&browser, 200);
    browser_close(&other);
    end();
}

/* To whom no letter is sent as well. */
static void test_wrong_tries_are_told_on_the_pages_and_in_the_list(void **state)
{
    (void)state;
    static const char *const pages[] = {"/", "/accesses", "/security"};
    struct browser stranger;
    begin();
    browser_open(&stranger, test.vault);
    for (int i = 0; i < SIGN_IN_TOLD_TRIES; i++) {
        browser_get(&browser, "/security");
        assert_hides(&browser, "mauvais mots de passe");
        browser_get(&stranger, "/sign-in");
        browser_submit(&stranger, "/sign-in", "login=testine&password=autre");
        assert_status(&stranger, 422);
    }
    browser_close(&stranger);
    for (size_t i = 0; i < 3; i++) {
        browser_get(&browser, pages[i]);
        assert_shows(&browser, ": 5 depuis que vous avez utilisé le vôtre, le dernier le 8 mars");
    }
    test.now_ms += SIGN_IN_WAIT_MAX_S * 1000LL;
    browser_get(&browser, "/again");
    browser_submit(&browser, "/again", "next=%2F&password=" OLD_E);
    for (size_t i = 0; i < 3; i++) {
        browser_get(&browser, pages[i]);
        assert_shows(&browser, "Avant votre connexion du 8 mars");
    }
    browser_get(&browser, "/accesses");
    assert_shows(&browser, "après plusieurs essais d’un mauvais mot de passe.");
    test.now_ms += 31 * 86400000LL;
    browser_close(&browser);
    browser_open(&browser, test.vault);
    own_password(&test, "testine");
    browser_sign_in(&browser);
    browser_get(&browser, "/");
    assert_hides(&browser, "mauvais mots de passe");
    end();
}

static void test_another_password_stands_in_the_list(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/security");
    browser_submit(&browser, "/security/password",
                   "password=" OLD_E "&new_password=une%20phrase%20assez%20longue");
    assert_status(&browser, 303);
    browser_get(&browser, "/accesses");
    assert_shows(&browser, "Vous avez choisi un autre mot de passe.");
    end();
}

int main(void)
{
    return TEST_RUN(
        test_wrong_tries_are_told_on_the_pages_and_in_the_list,
        test_another_password_stands_in_the_list,
        test_my_data_shows_each_value_with_source_and_date, test_an_export_is_a_file_and_an_entry,
        test_an_export_wants_the_password_again_after_a_while, test_the_way_back_leads_nowhere_else,
        test_showing_that_it_is_oneself_changes_the_session_and_no_form,
        test_erasing_takes_a_tick_and_the_password_and_is_for_good,
        test_a_new_password_ends_all_other_sessions_and_the_old_one,
        test_one_session_can_be_ended_by_itself,
        test_ending_sessions_wants_the_password_again_after_a_while,
        test_a_password_that_the_city_gave_is_told_until_it_is_changed,
        test_all_other_sessions_can_be_ended);
}
