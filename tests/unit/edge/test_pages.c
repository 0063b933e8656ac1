/* Who gets in, how forms are checked, and what every answer carries. */
#include "browser.h"

#include "edge/assets.h"
#include "edge/pages_visit.h"

#define SIGN_IN_FIELDS "login=Testine&password=un+mot+de+passe"

static struct vault_test test;
static struct browser browser;

static void begin(void)
{
    make_filled_vault(&test);
    browser_open(&browser, test.vault);
}

static void end(void)
{
    browser_close(&browser);
    vault_close(&test.vault);
}

static const struct {
    enum http_method method;
    const char *path;
} signed_in_pages[] = {
    {HTTP_GET, "/"},
    {HTTP_GET, "/request"},
    {HTTP_GET, "/r/7KQM-2XWR"},
    {HTTP_GET, "/request/01J00000000000000000000000"},
    {HTTP_GET, "/services/library"},
    {HTTP_GET, "/withdraw"},
    {HTTP_POST, "/sign-out"},
    {HTTP_POST, "/request"},
    {HTTP_POST, "/request/01J00000000000000000000000/give"},
    {HTTP_POST, "/request/01J00000000000000000000000/refuse"},
    {HTTP_POST, "/withdraw"},
};

static void test_how_accessible_it_is_stands_on_a_page_that_every_page_leads_to(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/sign-in");
    assert_shows(&browser, "<a href=\"/accessibility\">Accessibilité\u00a0: non conforme</a>");
    browser_get(&browser, "/accessibility");
    assert_status(&browser, 200);
    assert_shows(&browser, "La ville n’a pas encore donné d’adresse pour cela");
    browser.pages.accessibility_contact = "mailto:acces@ville.example";
    browser_get(&browser, "/accessibility");
    assert_shows(&browser, "<a href=\"mailto:acces@ville.example\" rel=\"noreferrer\">"
                           "acces@ville.example</a>");
    assert_hides(&browser, "n’a pas encore donné d’adresse");
    end();
}

static void test_every_page_but_signing_in_asks_to_sign_in_first(void **state)
{
    (void)state;
    begin();
    for (size_t i = 0; i < sizeof signed_in_pages / sizeof signed_in_pages[0]; i++) {
        browser_go(&browser, signed_in_pages[i].method, signed_in_pages[i].path, "");
        assert_status(&browser, 303);
        assert_memory_equal(browser_header(&browser, "Location"), "/sign-in", 8);
    }
    end();
}

static void test_signing_in_leads_home(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/");
    assert_location(&browser, "/sign-in");
    browser_follow(&browser);
    assert_status(&browser, 200);
    browser_submit(&browser, "/sign-in", SIGN_IN_FIELDS "&next=%2F");
    assert_location(&browser, "/");
    assert_int_equal(strlen(browser_cookie(&browser, "__Host-sid")), SIGN_IN_TOKEN_CHARS);
    browser_follow(&browser);
    assert_shows(&browser, "<h1>Votre coffre</h1>");
    end();
}

static void test_signing_in_leads_back_to_where_one_was_going(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/withdraw?service=library&purpose=library.lending&other=x");
    assert_location(&browser,
                    "/sign-in?next=%2Fwithdraw%3Fservice%3Dlibrary%26purpose%3Dlibrary.lending"
                    "%26other%3Dx");
    browser_follow(&browser);
    assert_shows(&browser, "name=\"next\" value=\"/withdraw?service=library&amp;purpose="
                           "library.lending&amp;other=x\"");
    browser_submit(&browser, "/sign-in",
                   SIGN_IN_FIELDS
                   "&next=%2Fwithdraw%3Fservice%3Dlibrary%26purpose%3Dlibrary.lending");
    assert_location(&browser, "/withdraw?service=library&purpose=library.lending");
    end();
}

/* What is sent too late and has no page of its own leads to the nearest one above it. */
static void test_a_button_pressed_too_late_leads_to_a_page(void **state)
{
    (void)state;
    static const struct {
        const char *button;
        const char *next;
    } late[] = {
        {"/pause", "/sign-in"},
        {"/statement", "/sign-in"},
        {"/sign-out", "/sign-in"},
        {"/object/end", "/sign-in"},
        {"/security/password", "/sign-in?next=%2Fsecurity"},
        {"/security/passkeys/rename", "/sign-in?next=%2Fsecurity"},
        {"/data/contact.email/ask", "/sign-in?next=%2Fdata%2Fcontact.email"},
        {"/mandates/codes", "/sign-in?next=%2Fmandates"},
    };
    begin();
    for (size_t i = 0; i < sizeof late / sizeof late[0]; i++) {
        browser_sign_in(&browser);
        test.now_ms += SIGN_IN_IDLE_S * 1000L;
        browser_submit(&browser, late[i].button, "");
        assert_location(&browser, late[i].next);
    }
    end();
}

static void test_the_switch_keeps_what_the_address_says(void **state)
{
    (void)state;
    begin();
    browser_sign_in(&browser);
    browser_get(&browser, "/accesses?kind=access&before=7");
    assert_shows(&browser, "name=\"next\" value=\"/accesses?kind=access&amp;before=7\"");
    end();
}

static void test_next_never_leads_elsewhere(void **state)
{
    (void)state;
    begin();
    static const char *const elsewhere[] = {
        "%2F%2Fevil.example",
        "https%3A%2F%2Fevil.example",
        "%2F%5Cevil.example",
        "%5C%5Cevil.example",
        "evil.example",
        "",
        "%2F%09%2Fevil.example",
        "javascript%3Aalert(1)",
        "%2Fa%0D%0ASet-Cookie%3Ax%3D1",
        "%2F%2F%2Fevil.example",
        "%20%2F%2Fevil.example",
        "%2F%C3%A9",
        "%2Fa%22onclick",
        "%2F%40evil.example%3A1",
        "%2F%2Fevil.example%2F..%2F",
    };
    for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++) {
        char target[256];
        browser_open(&browser, test.vault);
        snprintf(target, sizeof target, "/sign-in?next=%s", elsewhere[i]);
        browser_get(&browser, target);
        assert_shows(&browser, "name=\"next\" value=\"/\"");
        snprintf(target, sizeof target, SIGN_IN_FIELDS "&next=%s", elsewhere[i]);
        browser_submit(&browser, "/sign-in", target);
        assert_location(&browser, "/");
        snprintf(target, sizeof target, "/sign-in?next=%s", elsewhere[i]);
        browser_get(&browser, target);
        assert_location(&browser, "/");
        browser_close(&browser);
    }
    browser_open(&browser, test.vault);
    end();
}

static void test_a_next_that_is_too_long_is_forgotten(void **state)
{
    (void)state;
    begin();
    char target[900];
    memcpy(target, "/sign-in?next=%2F", 17);
    memset(target + 17, 'a', 800);
    target[817] = 0;
    browser_get(&browser, target);
    assert_shows(&browser, "name=\"next\" value=\"/\"");
    memset(target, 'a', 800);
    memcpy(target, "/request?code=", 14);
    browser_get(&browser, target);
    assert_location(&browser, "/sign-in");
    end();
}

static void test_a_wrong_password_and_an_unknown_login_look_the_same(void **state)
{
    (void)state;
    begin();
    char pages[2][16384];
    static const char *const fields[] = {"login=testine&password=wrong",
                                         "login=nobody1&password=wrong"};
    for (size_t i = 0; i < 2; i++) {
        browser_get(&browser, "/sign-in");
        browser_submit(&browser, "/sign-in", fields[i]);
        assert_status(&browser, 422);
        assert_string_equal(browser_cookie(&browser, "__Host-sid"), "");
        assert_shows(&browser, "n’est pas le bon");
        char *login = strstr(strcpy(pages[i], browser_page(&browser)), i ? "nobody1" : "testine");
        assert_non_null(login);
        memset(login, '-', 7);
    }
    assert_string_equal(pages[0], pages[1]);
    end();
}

static void test_the_login_is_kept_and_the_password_never(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/sign-in");
    assert_shows(&browser, "<input type=\"password\" id=\"password\"");
    browser_submit(&browser, "/sign-in", "login=Testine&password=hunter2%3C");
    assert_shows(&browser, "name=\"login\" value=\"Testine\"");
    assert_hides(&browser, "hunter2");
    end();
}

static void test_what_is_missing_is_said_with_a_link_to_it(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/sign-in");
    browser_submit(&browser, "/sign-in", "login=&password=");
    assert_status(&browser, 422);
    assert_shows(&browser, "<title>Erreur");
    assert_shows(&browser, "<a href=\"#login\">");
    assert_shows(&browser, "<a href=\"#password\">");
    assert_shows(&browser, "aria-describedby=\"login-hint login-error\"");
    assert_shows(&browser, "aria-describedby=\"password-hint password-error\"");
    browser_submit(&browser, "/sign-in", "login=testine");
    assert_hides(&browser, "<a href=\"#login\">");
    assert_shows(&browser, "<a href=\"#password\">");
    end();
}

static void test_script_in_a_login_is_text(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/sign-in");
    browser_submit(&browser, "/sign-in",
                   "login=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E&password=x");
    assert_hides(&browser, "<script>");
    assert_shows(&browser, "value=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\"");
    browser_submit(&browser, "/sign-in", "login=%FF%FE&password=x");
    assert_status(&browser, 422);
    end();
}

static void test_after_too_many_tries_one_has_to_wait_and_then_gets_in(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < SIGN_IN_FREE_TRIES; i++) {
        browser_get(&browser, "/sign-in");
        browser_submit(&browser, "/sign-in", "login=testine&password=wrong");
        assert_status(&browser, 422);
    }
    browser_submit(&browser, "/sign-in", SIGN_IN_FIELDS);
    assert_status(&browser, 422);
    assert_shows(&browser, "il faut attendre, jusqu’à cinq minutes");
    test.now_ms += SIGN_IN_WAIT_MAX_S * 1000L;
    browser_submit(&browser, "/sign-in", SIGN_IN_FIELDS);
    assert_location(&browser, "/");
    end();
}

static void test_strangers_do_not_keep_the_owner_out_of_a_known_browser(void **state)
{
    (void)state;
    static struct browser stranger;
    begin();
    browser_sign_in(&browser);
    browser_submit(&browser, "/sign-out", "");
    browser_open(&stranger, test.vault);
    for (int i = 0; i < 2 * SIGN_IN_FREE_TRIES; i++) {
        browser_get(&stranger, "/sign-in");
        browser_submit(&stranger, "/sign-in", "login=testine&password=wrong");
    }
    browser_submit(&stranger, "/sign-in", SIGN_IN_FIELDS);
    assert_status(&stranger, 422);
    browser_close(&stranger);
    browser_sign_in(&browser);
    end();
}

static void test_signing_in_gives_a_new_session_whatever_was_there(void **state)
{
    (void)state;
    begin();
    char planted[SIGN_IN_TOKEN_CHARS + 1];
    memset(planted, 'A', SIGN_IN_TOKEN_CHARS);
    planted[SIGN_IN_TOKEN_CHARS] = 0;
    browser_set_cookie(&browser, "__Host-sid", planted);
    browser_sign_in(&browser);
    assert_string_not_equal(browser_cookie(&browser, "__Host-sid"), planted);
    assert_string_equal(browser_cookie(&browser, "__Host-pre"), "");
    end();
}

static void test_signing_in_again_ends_the_session_before(void **state)
{
    (void)state;
    begin();
    browser_sign_in(&browser);
    struct browser before = browser;
    before.answer = http_answer_new();
    browser_submit(&browser, "/sign-in", SIGN_IN_FIELDS);
    assert_location(&browser, "/");
    assert_string_not_equal(browser_cookie(&browser, "__Host-sid"),
                            browser_cookie(&before, "__Host-sid"));
    browser_get(&before, "/");
    assert_location(&before, "/sign-in");
    browser_get(&browser, "/");
    assert_status(&browser, 200);
    browser_close(&before);
    end();
}

static void test_signing_out_ends_the_session(void **state)
{
    (void)state;
    begin();
    browser_sign_in(&browser);
    char session[BROWSER_VALUE_CHARS];
    snprintf(session, sizeof session, "%s", browser_cookie(&browser, "__Host-sid"));
    browser_submit(&browser, "/sign-out", "");
    assert_location(&browser, "/sign-in");
    assert_string_equal(browser_cookie(&browser, "__Host-sid"), "");
    browser_follow(&browser);
    assert_shows(&browser, "Vous êtes déconnecté.");
    browser_get(&browser, "/sign-in");
    assert_hides(&browser, "Vous êtes déconnecté.");
    browser_set_cookie(&browser, "__Host-sid", session);
    browser_get(&browser, "/");
    assert_status(&browser, 303);
    end();
}

static void test_a_session_ends_when_it_is_not_used(void **state)
{
    (void)state;
    begin();
    browser_sign_in(&browser);
    test.now_ms += (SIGN_IN_IDLE_S - 1) * 1000L;
    browser_get(&browser, "/");
    assert_status(&browser, 200);
    test.now_ms += SIGN_IN_IDLE_S * 1000L;
    browser_get(&browser, "/request?code=7KQM-2XWR");
    assert_location(&browser, "/sign-in?next=%2Frequest%3Fcode%3D7KQM-2XWR");
    browser_follow(&browser);
    assert_shows(&browser, "Votre session est terminée");
    end();
}

static void test_a_session_ends_in_any_case(void **state)
{
    (void)state;
    begin();
    browser_sign_in(&browser);
    for (int64_t s = 0; s + 600 < SIGN_IN_LONGEST_S; s += 600) {
        test.now_ms += 600 * 1000L;
        browser_get(&browser, "/request");
        assert_status(&browser, 200);
    }
    test.now_ms += 600 * 1000L;
    browser_get(&browser, "/request");
    assert_status(&browser, 303);
    end();
}

static void test_a_form_sent_after_the_end_comes_back_filled(void **state)
{
    (void)state;
    begin();
    browser_sign_in(&browser);
    browser_get(&browser, "/request");
    test.now_ms += SIGN_IN_IDLE_S * 1000L;
    browser_submit(&browser, "/request", "code=7kqm+2xwr");
    assert_location(&browser, "/sign-in?next=%2Frequest%3Fcode%3D7kqm%25202xwr");
    browser_follow(&browser);
    browser_submit(&browser, "/sign-in", SIGN_IN_FIELDS "&next=%2Frequest%3Fcode%3D7kqm%25202xwr");
    browser_follow(&browser);
    assert_shows(&browser, "name=\"code\" value=\"7kqm 2xwr\"");
    end();
}

static void test_cookies_that_are_there_twice_are_not_there(void **state)
{
    (void)state;
    begin();
    browser_sign_in(&browser);
    char twice[BROWSER_VALUE_CHARS];
    const char *session = browser_cookie(&browser, "__Host-sid");
    snprintf(twice, sizeof twice, "%s; __Host-sid=%s", session, session);
    browser_set_cookie(&browser, "__Host-sid", twice);
    browser_get(&browser, "/");
    assert_location(&browser, "/sign-in");
    end();
}

/* --- Where a form comes from ---------------------------------------------------------------- */

static void assert_form_counts(const char *site, const char *origin, bool counts)
{
    browser_open(&browser, test.vault);
    browser.site = site;
    browser.origin = origin;
    browser_get(&browser, "/sign-in");
    browser_submit(&browser, "/sign-in", SIGN_IN_FIELDS);
    assert_status(&browser, counts ? 303 : 403);
    if (!counts)
        assert_string_equal(browser_cookie(&browser, "__Host-sid"), "");
    browser_close(&browser);
}

static void test_a_form_counts_only_from_a_page_of_ours(void **state)
{
    (void)state;
    begin();
    assert_form_counts("same-origin", NULL, true);
    assert_form_counts("none", NULL, true);
    assert_form_counts("same-site", NULL, false);
    assert_form_counts("cross-site", NULL, false);
    assert_form_counts("cross-site", BROWSER_BASE, false);
    assert_form_counts("", BROWSER_BASE, false);
    assert_form_counts("Same-Origin", NULL, false);
    assert_form_counts(NULL, BROWSER_BASE, true);
    assert_form_counts(NULL, NULL, false);
    assert_form_counts(NULL, "null", false);
    assert_form_counts(NULL, "", false);
    assert_form_counts(NULL, "https://vault.example", false);
    assert_form_counts(NULL, "https://vault.example:84420", false);
    assert_form_counts(NULL, "http://vault.example:8442", false);
    assert_form_counts(NULL, BROWSER_BASE "/", false);
    assert_form_counts(NULL, "https://evil.example", false);
    browser_open(&browser, test.vault);
    end();
}

static void test_no_form_counts_without_the_sessions_token(void **state)
{
    (void)state;
    begin();
    browser_sign_in(&browser);
    for (size_t i = 0; i < sizeof signed_in_pages / sizeof signed_in_pages[0]; i++) {
        if (signed_in_pages[i].method != HTTP_POST)
            continue;
        browser_go(&browser, HTTP_POST, signed_in_pages[i].path, "");
        assert_status(&browser, 403);
        browser_go(&browser, HTTP_POST, signed_in_pages[i].path, "form_token=");
        assert_status(&browser, 403);
        browser_go(&browser, HTTP_POST, signed_in_pages[i].path,
                   "form_token=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        assert_status(&browser, 403);
    }
    browser_get(&browser, "/");
    assert_status(&browser, 200);
    end();
}

static void test_another_sessions_token_does_not_fit(void **state)
{
    (void)state;
    begin();
    import_one(&test, "{\"reference\":\"T-2\",\"login\":\"deux\",\"password\":\"le second\","
                      "\"values\":{}}");
    struct browser other;
    char token[BROWSER_VALUE_CHARS];
    char body[BROWSER_VALUE_CHARS * 2];
    browser_open(&other, test.vault);
    browser_sign_in_as(&other, "deux", "le+second");
    browser_sign_in(&browser);
    browser_hidden(&other, "form_token", token);
    snprintf(body, sizeof body, "form_token=%s", token);
    browser_go(&browser, HTTP_POST, "/sign-out", body);
    assert_status(&browser, 403);
    assert_shows(&browser, "Envoi refusé");
    browser_close(&other);
    end();
}

static void test_signing_in_needs_the_token_of_its_own_page(void **state)
{
    (void)state;
    begin();
    browser_go(&browser, HTTP_POST, "/sign-in", SIGN_IN_FIELDS);
    assert_status(&browser, 403);
    browser_get(&browser, "/sign-in");
    browser_go(&browser, HTTP_POST, "/sign-in", SIGN_IN_FIELDS "&form_token=");
    assert_status(&browser, 403);
    struct browser other;
    char body[BROWSER_VALUE_CHARS * 2];
    char token[BROWSER_VALUE_CHARS];
    browser_open(&other, test.vault);
    browser_get(&other, "/sign-in");
    browser_hidden(&other, "form_token", token);
    snprintf(body, sizeof body, SIGN_IN_FIELDS "&form_token=%s", token);
    browser_go(&browser, HTTP_POST, "/sign-in", body);
    assert_status(&browser, 403);
    browser_close(&other);
    end();
}

static void test_a_planted_token_of_another_shape_is_replaced(void **state)
{
    (void)state;
    begin();
    browser_set_cookie(&browser, "__Host-pre", "short");
    browser_get(&browser, "/sign-in");
    assert_string_not_equal(browser_cookie(&browser, "__Host-pre"), "short");
    char first[BROWSER_VALUE_CHARS];
    snprintf(first, sizeof first, "%s", browser_cookie(&browser, "__Host-pre"));
    browser_get(&browser, "/sign-in");
    assert_string_equal(browser_cookie(&browser, "__Host-pre"), first);
    end();
}

static void test_only_forms_are_understood(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/sign-in");
    static const char *const types[] = {"application/json", "text/plain", "multipart/mixed", "",
                                        "application/x-www-form-urlencodedx"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        browser.content_type = types[i];
        browser_go(&browser, HTTP_POST, "/sign-in", SIGN_IN_FIELDS);
        assert_status(&browser, 415);
    }
    browser.content_type = "multipart/form-data"; /* without a boundary */
    browser_go(&browser, HTTP_POST, "/sign-in", SIGN_IN_FIELDS);
    assert_status(&browser, 400);
    browser.content_type = "Application/X-WWW-Form-Urlencoded; charset=UTF-8";
    browser_get(&browser, "/sign-in");
    browser_submit(&browser, "/sign-in", SIGN_IN_FIELDS);
    assert_status(&browser, 303);
    end();
}

static void test_a_form_that_is_none_is_answered_with_a_page(void **state)
{
    (void)state;
    begin();
    browser_go(&browser, HTTP_POST, "/sign-in", "login=a&login=b");
    assert_status(&browser, 400);
    assert_shows(&browser, "Demande incomprise");
    browser_go(&browser, HTTP_POST, "/sign-in", "login=%zz");
    assert_status(&browser, 400);
    end();
}

/* --- Language ------------------------------------------------------------------------------- */

static void assert_language(const char *wishes, const char *language)
{
    char html[64];
    browser_open(&browser, test.vault);
    browser.accept_language = wishes;
    browser_get(&browser, "/sign-in");
    snprintf(html, sizeof html, "<html lang=\"%s\">", language);
    if (!strstr(browser_page(&browser), html))
        fail_msg("%s does not give %s", wishes ? wishes : "nothing", language);
    browser_close(&browser);
}

static void test_the_language_is_the_one_the_browser_likes_best(void **state)
{
    (void)state;
    begin();
    assert_language(NULL, "fr");
    assert_language("", "fr");
    assert_language("en", "en");
    assert_language("EN-gb", "en");
    assert_language("fr-CA, en;q=0.8", "fr");
    assert_language("en;q=0.4, fr;q=0.5", "fr");
    assert_language("en;q=0.9, fr;q=0.85", "en");
    assert_language("br, de;q=0.9, en;q=0.1", "en");
    assert_language("de", "fr");
    assert_language("en;q=0", "fr");
    assert_language("en;q=0, fr;q=0", "fr");
    assert_language("en;q=1.001, fr;q=0.1", "fr");
    assert_language("en;q=x, fr;q=0.1", "fr");
    assert_language("english, fr;q=0.1", "fr");
    assert_language("*", "fr");
    assert_language(",,;q=1,;,en", "en");
    assert_language("en ;q=0.5", "fr");
    assert_language("fr;q=0.1 , en; q=0.2", "en");
    browser_open(&browser, test.vault);
    end();
}

static void test_the_switch_changes_the_language_and_keeps_the_page(void **state)
{
    (void)state;
    begin();
    browser_sign_in(&browser);
    browser_get(&browser, "/request?code=ABCD");
    browser_submit(&browser, "/language", "language=en&next=%2Frequest%3Fcode%3DABCD");
    assert_location(&browser, "/request?code=ABCD");
    assert_string_equal(browser_cookie(&browser, "__Host-lang"), "en");
    browser_follow(&browser);
    assert_shows(&browser, "<html lang=\"en\">");
    assert_shows(&browser, "data-action=\"lang-en\" aria-current=\"true\"");
    browser_submit(&browser, "/language", "language=fr&next=%2F");
    browser_follow(&browser);
    assert_shows(&browser, "<html lang=\"fr\">");
    end();
}

static void test_the_switch_knows_two_languages_and_no_other_site(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/sign-in");
    browser_submit(&browser, "/language", "language=de&next=%2F");
    assert_status(&browser, 400);
    browser_submit(&browser, "/language", "next=%2F");
    assert_status(&browser, 400);
    browser_submit(&browser, "/language", "language=en&next=%2F%2Fevil.example");
    assert_location(&browser, "/");
    browser_set_cookie(&browser, "__Host-lang", "x-klingon");
    browser_get(&browser, "/sign-in");
    assert_shows(&browser, "<html lang=\"fr\">");
    end();
}

/* --- Every answer --------------------------------------------------------------------------- */

static void assert_headers_of_every_answer(void)
{
    assert_non_null(strstr(browser_header(&browser, "Content-Security-Policy"),
                           "default-src 'none'; style-src 'self'; img-src 'self'; "
                           "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"));
    assert_string_equal(browser_header(&browser, "X-Content-Type-Options"), "nosniff");
    assert_string_equal(browser_header(&browser, "Referrer-Policy"), "no-referrer");
    assert_string_equal(browser_header(&browser, "Strict-Transport-Security"),
                        "max-age=63072000; includeSubDomains");
    assert_string_not_equal(browser_header(&browser, "Cache-Control"), "");
}

static void assert_headers_of_a_page(void)
{
    assert_headers_of_every_answer();
    assert_string_equal(browser.answer.content_type, "text/html; charset=utf-8");
    assert_string_equal(browser_header(&browser, "Cache-Control"), "no-store");
    assert_string_equal(browser_header(&browser, "Cross-Origin-Opener-Policy"), "same-origin");
    assert_non_null(strstr(browser_header(&browser, "Permissions-Policy"), "camera=()"));
}

static void test_every_answer_carries_its_headers(void **state)
{
    (void)state;
    begin();
    static const char *const others[] = {"/style.css",   "/icon.svg", "/robots.txt",
                                         "/healthz",     "/readyz",   "/log/checkpoint",
                                         "/log/nothing", "/"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        browser_get(&browser, others[i]);
        assert_headers_of_every_answer();
    }
    browser_get(&browser, "/sign-in");
    assert_headers_of_a_page();
    browser_get(&browser, "/nothing");
    assert_headers_of_a_page();
    browser_go(&browser, HTTP_DELETE, "/sign-in", "");
    assert_headers_of_a_page();
    browser_go(&browser, HTTP_POST, "/sign-in", "");
    assert_headers_of_a_page();
    browser_sign_in(&browser);
    assert_headers_of_a_page();
    assert_true(browser.answer.header_count < HTTP_EXTRA_HEADERS_MAX);
    end();
}

static void test_an_unknown_page_is_a_404_page_for_everybody(void **state)
{
    (void)state;
    begin();
    static const char *const paths[] = {"/nothing",     "/sign-in/",       "/request/a/b",
                                        "/favicon.ico", "/services/",      "/logs",
                                        "/log",         "/templates/home", "/.well-known/nothing"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        browser_get(&browser, paths[i]);
        assert_status(&browser, 404);
        assert_shows(&browser, "Page introuvable");
    }
    browser_sign_in(&browser);
    browser_get(&browser, "/nothing");
    assert_status(&browser, 404);
    assert_shows(&browser, "data-action=\"logout\"");
    end();
}

static void test_another_method_is_a_405_page_with_allow(void **state)
{
    (void)state;
    begin();
    browser_go(&browser, HTTP_PUT, "/sign-in", "");
    assert_status(&browser, 405);
    assert_string_equal(browser_header(&browser, "Allow"), "GET, HEAD, POST");
    assert_shows(&browser, "Action impossible");
    browser_get(&browser, "/sign-out");
    assert_status(&browser, 405);
    assert_string_equal(browser_header(&browser, "Allow"), "POST");
    end();
}

static void test_a_path_with_script_in_it_is_not_shown(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/\"><script>alert(1)</script>");
    assert_status(&browser, 404);
    assert_hides(&browser, "<script");
    assert_hides(&browser, "alert(1)");
    end();
}

static void test_the_style_may_be_kept_under_its_version_only(void **state)
{
    (void)state;
    begin();
    char target[64];
    browser_get(&browser, "/sign-in");
    snprintf(target, sizeof target, "/style.css?v=%s", assets_style_version());
    assert_shows(&browser, target);
    browser_get(&browser, target);
    assert_string_equal(browser.answer.content_type, "text/css; charset=utf-8");
    assert_non_null(strstr(browser_header(&browser, "Cache-Control"), "immutable"));
    assert_int_equal(browser.answer.body.size, assets_style().size);
    browser_get(&browser, "/style.css?v=old");
    assert_string_equal(browser_header(&browser, "Cache-Control"), "no-cache");
    browser_get(&browser, "/style.css");
    assert_string_equal(browser_header(&browser, "Cache-Control"), "no-cache");
    end();
}

static void test_files_set_no_cookies(void **state)
{
    (void)state;
    begin();
    static const char *const paths[] = {"/style.css", "/icon.svg", "/robots.txt",
                                        "/healthz",   "/readyz",   "/log/checkpoint"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        browser_get(&browser, paths[i]);
        assert_status(&browser, 200);
        assert_string_equal(browser_header(&browser, "Set-Cookie"), "");
    }
    end();
}

static void test_whoever_finds_a_fault_is_told_whom_to_tell(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/.well-known/security.txt");
    assert_status(&browser, 404);
    browser.pages.security_contact = "mailto:securite@ville.example";
    browser_get(&browser, "/.well-known/security.txt");
    assert_status(&browser, 200);
    assert_string_equal(browser_page(&browser),
                        "Contact: mailto:securite@ville.example\n"
                        "Expires: 2027-04-07T00:00:00Z\n"
                        "Preferred-Languages: fr, en\n"
                        "Canonical: " BROWSER_BASE "/.well-known/security.txt\n");
    assert_string_equal(browser_header(&browser, "Set-Cookie"), "");
    end();
}

static void test_what_the_vault_is_can_be_read_by_anybody(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/sign-in");
    assert_shows(&browser, "<a href=\"/about\">");
    browser_get(&browser, "/about");
    assert_status(&browser, 200);
    assert_shows(&browser, "<h1>Comprendre le coffre</h1>");
    assert_hides(&browser, "data-action=\"logout\"");
    browser_sign_in(&browser);
    browser_get(&browser, "/about");
    assert_status(&browser, 200);
    assert_shows(&browser, "data-action=\"logout\"");
    end();
}

static void test_the_log_is_read_without_a_session(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/log/checkpoint");
    assert_status(&browser, 200);
    assert_memory_equal(browser_page(&browser), "unit.vault.example/log\n", 23);
    browser_get(&browser, "/log/journal");
    assert_status(&browser, 404);
    browser_get(&browser, "/log/../vault/keyring");
    assert_status(&browser, 404);
    end();
}

static void test_ready_means_that_a_policy_is_active(void **state)
{
    (void)state;
    make_test_vault(&test);
    browser_open(&browser, test.vault);
    browser_get(&browser, "/healthz");
    assert_status(&browser, 200);
    browser_get(&browser, "/readyz");
    assert_status(&browser, 503);
    assert_hides(&browser, "policy");
    fill_test_vault(&test);
    browser_get(&browser, "/readyz");
    assert_status(&browser, 200);
    end();
}

static void test_a_notice_is_shown_once_and_only_if_it_is_one(void **state)
{
    (void)state;
    begin();
    browser_set_cookie(&browser, "__Host-done", "signed_out");
    browser_get(&browser, "/sign-in");
    assert_shows(&browser, "class=\"notice\"");
    assert_string_equal(browser_cookie(&browser, "__Host-done"), "");
    browser_set_cookie(&browser, "__Host-done", "<b>you have won</b>");
    browser_get(&browser, "/sign-in");
    assert_hides(&browser, "class=\"notice\"");
    assert_hides(&browser, "you have won");
    end();
}

static void test_a_page_leaves_the_screen_when_its_session_has_ended(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/sign-in");
    assert_string_equal(browser_header(&browser, "Refresh"), "");
    browser_sign_in(&browser);
    static const char *const pages[] = {"/", "/data", "/security", "/accesses", "/none"};
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        browser_get(&browser, pages[i]);
        assert_string_equal(browser_header(&browser, "Refresh"), "905; url=/left");
        assert_shows(&browser, "<div aria-live=\"assertive\">");
        assert_shows(&browser, "class=\"somebodys\"");
    }
    browser_get(&browser, "/style.css");
    assert_string_equal(browser_header(&browser, "Refresh"), "");
    assert_shows(&browser, "animation: appears 0s linear 780s both");
    assert_shows(&browser, "animation: vanishes 0s linear 905s forwards");
    assert_int_equal(780, SIGN_IN_IDLE_S - VISIT_WARNING_S);
    assert_int_equal(905, SIGN_IN_IDLE_S + VISIT_LEAVES_S);
    end();
}

/* Where it goes shows nothing, keeps nothing to go back to, and makes no session live longer. */
static void test_where_it_goes_prolongs_no_session(void **state)
{
    (void)state;
    begin();
    browser_sign_in(&browser);
    for (unsigned i = 0; i < 3; i++) {
        test.now_ms += SIGN_IN_IDLE_S * 1000L / 3;
        browser_get(&browser, "/left");
        assert_status(&browser, 200);
        assert_shows(&browser, "plus de 15 minutes");
        assert_string_equal(browser_header(&browser, "Clear-Site-Data"), "\"cache\"");
        assert_string_equal(browser_header(&browser, "Refresh"), "");
        assert_hides(&browser, "data-action");
    }
    browser_get(&browser, "/");
    assert_location(&browser, "/sign-in");
    browser_follow(&browser);
    assert_shows(&browser, "Votre session est terminée");
    end();
}

/* As another page of that browser may have been in use meanwhile. */
static void test_where_it_goes_ends_no_session_either(void **state)
{
    (void)state;
    begin();
    browser_sign_in(&browser);
    test.now_ms += 600 * 1000L;
    browser_get(&browser, "/data");
    test.now_ms += 305 * 1000L;
    browser_get(&browser, "/left");
    test.now_ms += 305 * 1000L;
    browser_get(&browser, "/");
    assert_status(&browser, 200);
    end();
}

int main(void)
{
    return TEST_RUN(
        test_a_page_leaves_the_screen_when_its_session_has_ended,
        test_where_it_goes_prolongs_no_session, test_where_it_goes_ends_no_session_either,
        test_how_accessible_it_is_stands_on_a_page_that_every_page_leads_to,
        test_strangers_do_not_keep_the_owner_out_of_a_known_browser,
        test_a_button_pressed_too_late_leads_to_a_page, test_the_switch_keeps_what_the_address_says,
        test_every_page_but_signing_in_asks_to_sign_in_first, test_signing_in_leads_home,
        test_signing_in_leads_back_to_where_one_was_going, test_next_never_leads_elsewhere,
        test_a_next_that_is_too_long_is_forgotten,
        test_a_wrong_password_and_an_unknown_login_look_the_same,
        test_the_login_is_kept_and_the_password_never,
        test_what_is_missing_is_said_with_a_link_to_it, test_script_in_a_login_is_text,
        test_after_too_many_tries_one_has_to_wait_and_then_gets_in,
        test_signing_in_gives_a_new_session_whatever_was_there,
        test_signing_in_again_ends_the_session_before, test_signing_out_ends_the_session,
        test_a_session_ends_when_it_is_not_used, test_a_session_ends_in_any_case,
        test_a_form_sent_after_the_end_comes_back_filled,
        test_cookies_that_are_there_twice_are_not_there,
        test_a_form_counts_only_from_a_page_of_ours, test_no_form_counts_without_the_sessions_token,
        test_another_sessions_token_does_not_fit, test_signing_in_needs_the_token_of_its_own_page,
        test_a_planted_token_of_another_shape_is_replaced, test_only_forms_are_understood,
        test_a_form_that_is_none_is_answered_with_a_page,
        test_the_language_is_the_one_the_browser_likes_best,
        test_the_switch_changes_the_language_and_keeps_the_page,
        test_the_switch_knows_two_languages_and_no_other_site,
        test_every_answer_carries_its_headers, test_an_unknown_page_is_a_404_page_for_everybody,
        test_another_method_is_a_405_page_with_allow, test_a_path_with_script_in_it_is_not_shown,
        test_the_style_may_be_kept_under_its_version_only, test_files_set_no_cookies,
        test_whoever_finds_a_fault_is_told_whom_to_tell,
        test_what_the_vault_is_can_be_read_by_anybody, test_the_log_is_read_without_a_session,
        test_ready_means_that_a_policy_is_active,
        test_a_notice_is_shown_once_and_only_if_it_is_one);
}
