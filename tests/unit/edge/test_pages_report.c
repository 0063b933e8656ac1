/* Reporting a service: what is written, what is attached, and what comes of it. */
#include "browser.h"
#include "vault/vault/report.h"

static struct vault_test test;
static struct browser browser;

static const struct config_dpo dpo = {.name = "Camille Inventée, déléguée",
                                      .email = "dpo@ville.example",
                                      .page = "https://ville.example/dpo"};

/* One consent and one access of the caseworker's. */
static void begin(void)
{
    char subject[SUBJECT_CHARS + 1];
    make_filled_vault(&test);
    give_consent(&test, CONSENT_UNLIMITED);
    subject_of_citizen(&test, subject);
    assert_int_equal(count_released(ask_release(&test, subject)), 2);
    browser_open(&browser, test.vault);
    browser.pages.dpo = &dpo;
    browser_sign_in(&browser);
}

static void end(void)
{
    browser_close(&browser);
    vault_close(&test.vault);
}

static void report(const char *fields)
{
    browser_get(&browser, "/report?service=" CASEWORKER);
    browser_submit(&browser, "/report", fields);
}

static void test_an_access_is_reported_with_its_line(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/accesses");
    assert_shows(&browser, "/report?service=" CASEWORKER "&amp;line=2");
    browser_get(&browser, "/report?service=" CASEWORKER "&line=2");
    assert_status(&browser, 200);
    assert_shows(&browser, "name=\"line-2\" value=\"yes\" checked");
    assert_shows(&browser, "data-action=\"report\"");
    assert_hides(&browser, "line-1"); /* a decision of one's own */
    browser_submit(&browser, "/report",
                   "service=" CASEWORKER "&words=Trop%20%3Cb%3Ecurieux&line-2=yes");
    browser_follow(&browser);
    assert_status(&browser, 200);
    assert_shows(&browser, "Trop &lt;b&gt;curieux");
    assert_shows(&browser, "Camille Inventée, déléguée");
    assert_shows(&browser, "dpo@ville.example");
    assert_shows(&browser, "href=\"https://ville.example/dpo\"");
    assert_shows(&browser, "https://www.cnil.fr/fr/plaintes");
    assert_shows(&browser, "seulement l’année");
    assert_hides(&browser, "1990");
    browser_get(&browser, "/accesses");
    assert_shows(&browser, "Vous avez signalé An employment plan.");
    end();
}

static void test_the_text_to_send_has_all_of_it_and_no_value(void **state)
{
    (void)state;
    char text[100];
    begin();
    report("service=" CASEWORKER "&words=Trop%20curieux&line-2=yes");
    snprintf(text, sizeof text, "%s/text", browser_header(&browser, "Location"));
    browser_get(&browser, text);
    assert_status(&browser, 200);
    assert_non_null(strstr(browser_header(&browser, "Content-Disposition"), "attachment"));
    assert_shows(&browser, "Trop curieux");
    assert_shows(&browser, "Camille Inventée");
    assert_shows(&browser, "seulement l’année");
    assert_hides(&browser, "1990");
    end();
}

static void test_a_city_that_names_nobody_is_said_to(void **state)
{
    (void)state;
    static const struct config_dpo none = {0};
    begin();
    browser.pages.dpo = &none;
    report("service=" CASEWORKER "&words=Trop%20curieux");
    browser_follow(&browser);
    assert_shows(&browser, "La ville n’a indiqué aucun délégué");
    assert_shows(&browser, "https://www.cnil.fr/fr/plaintes");
    end();
}

static void test_what_the_operator_did_with_it_is_told(void **state)
{
    (void)state;
    char address[100];
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(REPORT_BYTES_MAX);
    begin();
    report("service=" CASEWORKER "&words=Trop%20curieux");
    snprintf(address, sizeof address, "%s", browser_header(&browser, "Location"));
    assert_done(report_show(test.vault, address + strlen("/reports/"), &text, &test_error));
    assert_done(report_close(test.vault, address + strlen("/reports/"), &test_error));
    browser_get(&browser, "/reports");
    assert_shows(&browser, "Clos le 8 mars 2027");
    browser_get(&browser, address);
    assert_shows(&browser, "Clos le 8 mars 2027");
    browser_get(&browser, "/accesses");
    assert_shows(&browser, "a été lu pour le délégué");
    assert_shows(&browser, "a été clos.");
    end();
}

static void test_what_is_no_report_is_said_and_nothing_typed_is_lost(void **state)
{
    (void)state;
    begin();
    report("service=" CASEWORKER "&words=&line-2=yes");
    assert_status(&browser, 422);
    assert_shows(&browser, "Dites ce qui s’est passé");
    assert_shows(&browser, "name=\"line-2\" value=\"yes\" checked");
    report("service=" CASEWORKER "&words=Trop%1b%5b2J");
    assert_status(&browser, 422);
    report("service=" LIBRARY "&words=Une%20autre&line-2=yes");
    assert_status(&browser, 422);
    assert_shows(&browser, "Une autre");
    report("service=" CASEWORKER "&words=Rien&line-99=yes");
    assert_status(&browser, 404);
    report("service=" CASEWORKER "&words=Rien&line-x=yes");
    assert_status(&browser, 404);
    report("words=Rien");
    assert_status(&browser, 400);
    browser_get(&browser, "/reports");
    assert_shows(&browser, "Vous n’avez rien signalé.");
    end();
}

/* Before the page leaves the screen (pages_visit.h): nothing is reported, and the form goes on. */
static void test_whoever_stays_goes_on_writing(void **state)
{
    (void)state;
    begin();
    report("service=" CASEWORKER "&words=Une%20phrase%20qui&line-2=yes&stay=yes");
    assert_status(&browser, 200);
    assert_hides(&browser, "aria-invalid");
    assert_shows(&browser, ">Une phrase qui</textarea>");
    assert_shows(&browser, "name=\"line-2\" value=\"yes\" checked");
    assert_shows(&browser, "<button type=\"submit\" form=\"typed\" formnovalidate name=\"stay\"");
    assert_shows(&browser, "action=\"/report\" class=\"card\" id=\"typed\"");
    assert_string_equal(browser_header(&browser, "Refresh"), "905; url=/left");
    browser_get(&browser, "/reports");
    assert_shows(&browser, "Vous n’avez rien signalé.");
    assert_shows(&browser, "<a href=\"/reports\">Rester sur cette page</a>");
    end();
}

static void test_a_service_that_is_not_there_cannot_be_reported(void **state)
{
    (void)state;
    static const char *const paths[] = {"/report",
                                        "/report?service=nowhere",
                                        "/report?service=%3Cb%3E",
                                        "/report?service=",
                                        "/reports/01ARZ3NDEKTSV4RRFFQ69G5FAV",
                                        "/reports/x",
                                        "/reports/x/text"};
    begin();
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        browser_get(&browser, paths[i]);
        assert_status(&browser, 404);
    }
    report("service=nowhere&words=Rien");
    assert_status(&browser, 404);
    end();
}

static void test_anothers_report_is_not_there(void **state)
{
    (void)state;
    char address[100];
    char text[120];
    begin();
    report("service=" CASEWORKER "&words=Trop%20curieux");
    snprintf(address, sizeof address, "%s", browser_header(&browser, "Location"));
    snprintf(text, sizeof text, "%s/text", address);
    import_one(&test, "{\"reference\":\"T-2\",\"login\":\"deux\",\"password\":\"le second\","
                      "\"values\":{}}");
    browser_close(&browser);
    browser_open(&browser, test.vault);
    browser_sign_in_as(&browser, "deux", "le second");
    browser_get(&browser, address);
    assert_status(&browser, 404);
    browser_get(&browser, text);
    assert_status(&browser, 404);
    report("service=" CASEWORKER "&words=Moi&line-2=yes"); /* not a line of theirs */
    assert_status(&browser, 404);
    end();
}

static void let_the_session_end(void)
{
    test.now_ms += SIGN_IN_IDLE_S * 1000L;
}

/* Write a report after the session's end: the sign-in page has it. whose is what the form had. */
static void write_too_late(char whose[BROWSER_VALUE_CHARS])
{
    char fields[512];
    browser_get(&browser, "/report?service=" CASEWORKER "&line=2");
    browser_hidden(&browser, "whose", whose);
    let_the_session_end();
    snprintf(fields, sizeof fields,
             "service=" CASEWORKER "&words=Deux%%0D%%0A%%3Cb%%3Elignes&line-2=yes&whose=%s", whose);
    browser_submit(&browser, "/report", fields);
}

/* Sign in on that page, as its form would. */
static void sign_in_with(const char *password, const char *action, const char *whose)
{
    char fields[1024];
    snprintf(fields, sizeof fields,
             "login=testine&password=%s&kept_action=%s&kept.whose=%s&kept.service=" CASEWORKER
             "&kept.words=Deux%%0D%%0A%%3Cb%%3Elignes&kept.line-2=yes",
             password, action, whose);
    browser_submit(&browser, "/sign-in", fields);
}

static void test_what_was_written_outlives_the_session(void **state)
{
    (void)state;
    char whose[BROWSER_VALUE_CHARS];
    begin();
    write_too_late(whose);
    assert_status(&browser, 403);
    assert_shows(&browser, "n’est pas perdu");
    assert_shows(&browser, "name=\"kept.words\"");
    assert_hides(&browser, "kept.form_token");
    sign_in_with("faux", "%2Freport", whose);
    assert_status(&browser, 422);
    assert_shows(&browser, "name=\"kept.words\"");
    sign_in_with("un+mot+de+passe", "%2Freport", whose);
    assert_status(&browser, 200);
    assert_shows(&browser, "Rien n’est encore envoyé.");
    assert_shows(&browser, "Deux\r\n&lt;b&gt;lignes</pre>");
    assert_shows(&browser, "action=\"/report\"");
    browser_submit(&browser, "/report",
                   "service=" CASEWORKER "&words=Deux%0D%0A%3Cb%3Elignes&line-2=yes");
    browser_follow(&browser);
    assert_shows(&browser, "Deux");
    end();
}

static void test_what_was_written_is_for_who_wrote_it_and_for_its_own_form(void **state)
{
    (void)state;
    static const char *const actions[] = {"https%3A%2F%2Felsewhere.example%2F", "%2Fpause",
                                          "%2Ferase"};
    char whose[BROWSER_VALUE_CHARS];
    begin();
    write_too_late(whose);
    sign_in_with("un+mot+de+passe", "%2Freport", "somebody-else");
    assert_location(&browser, "/");
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        write_too_late(whose);
        sign_in_with("un+mot+de+passe", actions[i], whose);
        assert_location(&browser, "/");
    }
    end();
}

static void test_words_that_are_too_long_are_not_lost(void **state)
{
    (void)state;
    char fields[3000] = "service=" CASEWORKER "&words=";
    begin();
    memset(fields + strlen(fields), 'x', 2500);
    report(fields);
    assert_status(&browser, 422);
    assert_shows(&browser, "xxxxxxxxxxxxxxxxxxxxxxxxxx</textarea>");
    end();
}

int main(void)
{
    return TEST_RUN(
        test_what_was_written_outlives_the_session,
        test_what_was_written_is_for_who_wrote_it_and_for_its_own_form,
        test_words_that_are_too_long_are_not_lost, test_an_access_is_reported_with_its_line,
        test_the_text_to_send_has_all_of_it_and_no_value, test_a_city_that_names_nobody_is_said_to,
        test_what_the_operator_did_with_it_is_told,
        test_what_is_no_report_is_said_and_nothing_typed_is_lost,
        test_whoever_stays_goes_on_writing, test_a_service_that_is_not_there_cannot_be_reported,
        test_anothers_report_is_not_there);
}
