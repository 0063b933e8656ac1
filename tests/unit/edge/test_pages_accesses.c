/* The citizen's own log: a year at a glance, each event in words, filters, and what to take away.
 */
#include "browser.h"

#include "store/internal.h"
#include "vault/ledger/opening.h"
#include "vault/parts.h"
#include "vault/vault/stance.h"

static struct vault_test test;
static struct browser browser;

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

static void ask(void)
{
    char subject[SUBJECT_CHARS + 1];
    subject_of_citizen(&test, subject);
    json_decref(ask_release(&test, subject));
}

static void test_what_happened_is_told_in_words(void **state)
{
    (void)state;
    begin();
    ask();
    give_consent(&test, CONSENT_UNLIMITED);
    ask();
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    browser_get(&browser, "/accesses");
    assert_status(&browser, 200);
    assert_shows(&browser, "Vous vous êtes connecté·e.");
    assert_shows(&browser, "An employment plan a demandé des données et n’a rien obtenu.");
    assert_shows(&browser, "Vous avez donné votre accord à An employment plan.");
    assert_shows(&browser, "An employment plan a obtenu des données sur vous.");
    assert_shows(&browser, "Vous avez retiré votre accord à An employment plan.");
    assert_shows(&browser, "Sur votre accord.");
    assert_shows(&browser, "non transmis");
    assert_shows(&browser, "8 mars 2027, 10:00<");
    assert_hides(&browser, "1990"); /* no value is in the log, or on this page */
    end();
}

static void test_a_year_is_shown_as_a_picture_and_as_a_table(void **state)
{
    (void)state;
    begin();
    own_password(&test, "testine");
    ask();
    give_consent(&test, CONSENT_UNLIMITED);
    ask();
    ask();
    test.now_ms += 40LL * 86400 * 1000;
    browser_close(&browser);
    browser_open(&browser, test.vault);
    browser_sign_in(&browser);
    browser_get(&browser, "/accesses");
    assert_shows(&browser, "<svg class=\"chart\"");
    assert_shows(&browser, "<tr><th scope=\"row\">mars 2027</th><td>2</td><td>1</td></tr>");
    assert_shows(&browser, "<tr><th scope=\"row\">avril 2027</th><td>0</td><td>0</td></tr>");
    assert_shows(&browser, "mai 2026");
    assert_hides(&browser, "avril 2026");
    end();
}

static void test_what_is_worth_a_look_stands_first(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/");
    assert_hides(&browser, "à remarquer");
    browser_get(&browser, "/accesses");
    assert_hides(&browser, "À remarquer");
    ask();
    ask();
    browser_get(&browser, "/accesses");
    assert_shows(&browser,
                 "An employment plan a consulté vos données pour la première fois le 8 mars 2027.");
    assert_shows(&browser, "An employment plan a demandé 2 fois en 30 jours");
    browser_get(&browser, "/accesses?kind=access");
    assert_hides(&browser, "À remarquer");
    browser_get(&browser, "/");
    assert_shows(&browser, "<a href=\"/accesses#alerts\">2 choses à remarquer dans vos accès</a>");
    end();
}

static void test_a_service_has_the_times_it_looked_on_its_page(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    browser_get(&browser, "/services/" CASEWORKER);
    assert_shows(&browser, "Il n’a encore rien demandé");
    ask();
    browser_get(&browser, "/services/" CASEWORKER);
    assert_hides(&browser, "Il n’a encore rien demandé");
    assert_shows(&browser, "An employment plan a obtenu des données sur vous.");
    assert_shows(&browser, "8 mars 2027, 10:00<");
    assert_shows(&browser, "/accesses?service=" CASEWORKER "&amp;kind=access");
    end();
}

static void test_pausing_and_objecting_have_words_of_their_own(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    assert_done(stance_pause(test.vault, &test.citizen, NULL, &test_error));
    assert_done(stance_resume(test.vault, &test.citizen, NULL, &test_error));
    assert_done(stance_object(test.vault, &test.citizen, LIBRARY, LENDING, &test_error));
    assert_done(stance_lift(test.vault, &test.citizen, LIBRARY, LENDING, &test_error));
    browser_get(&browser, "/accesses");
    assert_shows(&browser, "Vous avez tout mis en pause.");
    assert_shows(&browser, "Vous avez tout repris.");
    assert_shows(&browser, "Votre accord à An employment plan a été suspendu.");
    assert_shows(&browser, "Vous vous êtes opposé·e à ce que fait A library sans votre accord.");
    assert_shows(&browser, "Vous avez levé votre opposition à A library.");
    end();
}

static void test_filters_leave_out_the_rest(void **state)
{
    (void)state;
    begin();
    ask();
    give_consent(&test, CONSENT_UNLIMITED);
    assert_done(stance_object(test.vault, &test.citizen, LIBRARY, LENDING, &test_error));
    browser_get(&browser, "/accesses?service=" LIBRARY);
    assert_shows(&browser, "opposé·e");
    assert_hides(&browser, "n’a rien obtenu");
    browser_get(&browser, "/accesses?kind=access");
    assert_shows(&browser, "n’a rien obtenu");
    assert_hides(&browser, "opposé·e");
    browser_get(&browser, "/accesses?kind=account&service=" LIBRARY);
    assert_shows(&browser, "Il n’y a rien ici.");
    browser_get(&browser, "/accesses?kind=nonsense&service=%3Cb%3E&before=x");
    assert_status(&browser, 200);
    assert_shows(&browser, "opposé·e");
    assert_hides(&browser, "<b>");
    end();
}

static size_t count_of(const char *text)
{
    size_t count = 0;
    for (const char *p = strstr(browser_page(&browser), text); p; p = strstr(p + 1, text))
        count++;
    return count;
}

static void test_older_ones_are_a_page_further_and_none_is_lost(void **state)
{
    (void)state;
    enum { ASKED = 60 };
    size_t seen = 0;
    begin();
    for (int i = 0; i < ASKED; i++)
        ask();
    browser_get(&browser, "/accesses?kind=access");
    for (int page = 0; page < 4; page++) {
        char address[BROWSER_VALUE_CHARS];
        seen += count_of("n’a rien obtenu");
        static const char link[] = "?service=&amp;kind=access&amp;before=";
        const char *older = strstr(browser_page(&browser), link);
        if (!older)
            break;
        older += sizeof link - 1;
        snprintf(address, sizeof address, "/accesses?kind=access&before=%.*s",
                 (int)strspn(older, "0123456789"), older);
        browser_get(&browser, address);
        assert_status(&browser, 200);
        assert_hides(&browser, "<svg");
    }
    assert_int_equal(seen, ASKED);
    end();
}

static void test_what_lies_behind_a_line_that_is_lost_is_shown_and_counted(void **state)
{
    (void)state;
    enum { ASKED = 10 };
    begin();
    for (int i = 0; i < ASKED; i++)
        ask();
    browser_get(&browser, "/accesses?kind=access");
    assert_int_equal(count_of("n’a rien obtenu"), ASKED);
    assert_hides(&browser, "ne se lit plus");
    {
        VAULT_AUTO(shared_let_go) struct hold index = {0};
        assert_done(shared_hold(&test.vault->store->openings, &index, &test_error));
        VAULT_AUTO(statement_end) struct statement change = {0};
        assert_done(statement_begin(index.database, "DELETE FROM opening WHERE n IN (5, 6)",
                                    &change, &test_error));
        assert_done(statement_run(&change, &test_error));
    }
    browser_get(&browser, "/accesses?kind=access");
    assert_status(&browser, 200);
    assert_shows(&browser, "ne se lit plus");
    assert_int_equal(count_of("n’a rien obtenu"), ASKED - 2);
    assert_shows(&browser, "<td>0</td><td>8</td>");
    end();
}

static struct buf taken(const char *part)
{
    char address[BROWSER_VALUE_CHARS];
    struct buf copy = buf_limited(65536);
    snprintf(address, sizeof address, "/accesses/2/%s", part);
    browser_get(&browser, address);
    assert_status(&browser, 200);
    assert_non_null(strstr(browser_header(&browser, "Content-Disposition"), "attachment"));
    buf_bytes(&copy, buf_view(&browser.answer.body));
    return copy;
}

static void test_what_is_taken_away_holds_together_without_the_vault(void **state)
{
    (void)state;
    struct entry entry;
    struct opening opening;
    begin();
    ask();
    VAULT_AUTO(buf_finish) struct buf text = taken("entry");
    VAULT_AUTO(buf_finish) struct buf proof = taken("proof");
    VAULT_AUTO(buf_finish) struct buf opened = taken("opening");
    VAULT_AUTO(buf_finish) struct buf storage = buf_limited(OPENING_MAX_BYTES);
    VAULT_AUTO(json_free) json_t *root = NULL;
    assert_done(entry_parse(buf_view(&text), &entry, &test_error));
    assert_int_equal(entry.event, ENTRY_DENY);
    assert_done(json_parse(buf_view(&opened), 4, &root, NULL, &test_error));
    assert_true(json_integer_value(json_object_get(root, "index")) > 0);
    assert_done(
        opening_parse_json(json_object_get(root, "fields"), &storage, &opening, &test_error));
    assert_done(opening_check(&opening, &entry, &test_error));
    assert_non_null(strstr(buf_string(&proof), "c2sp.org/tlog-proof@v1"));
    end();
}

static void test_nobody_takes_what_is_not_there_or_not_theirs(void **state)
{
    (void)state;
    static const char *const none[] = {
        "/accesses/0/entry",    "/accesses/99/proof",
        "/accesses/-1/entry",   "/accesses/18446744073709551615/entry",
        "/accesses/1x/opening", "/accesses/1/else"};
    struct browser stranger;
    begin();
    ask();
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        browser_get(&browser, none[i]);
        assert_status(&browser, 404);
    }
    browser_open(&stranger, test.vault);
    browser_get(&stranger, "/accesses/1/opening");
    assert_status(&stranger, 303);
    browser_get(&stranger, "/accesses");
    assert_status(&stranger, 303);
    browser_close(&stranger);
    end();
}

int main(void)
{
    return TEST_RUN(
        test_what_happened_is_told_in_words, test_a_year_is_shown_as_a_picture_and_as_a_table,
        test_what_is_worth_a_look_stands_first, test_a_service_has_the_times_it_looked_on_its_page,
        test_pausing_and_objecting_have_words_of_their_own, test_filters_leave_out_the_rest,
        test_older_ones_are_a_page_further_and_none_is_lost,
        test_what_lies_behind_a_line_that_is_lost_is_shown_and_counted,
        test_what_is_taken_away_holds_together_without_the_vault,
        test_nobody_takes_what_is_not_there_or_not_theirs);
}
