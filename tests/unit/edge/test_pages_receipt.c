/* Receipts: as a page to read and print, and as the file that proves it. */
#include "browser.h"
#include "vault/vault/consent.h"

static struct vault_test test;
static struct browser browser;

static void begin(void)
{
    make_filled_vault(&test);
    give_consent(&test, CONSENT_UNLIMITED);
    browser_open(&browser, test.vault);
    browser_sign_in(&browser);
}

static void end(void)
{
    browser_close(&browser);
    vault_close(&test.vault);
}

/* The number of the record whose receipt the service's page offers first. */
static void first_receipt(char out[64])
{
    browser_get(&browser, "/services/" CASEWORKER);
    const char *found = strstr(browser_page(&browser), "/receipts/");
    assert_non_null(found);
    snprintf(out, 64, "%.*s/page", (int)(10 + strspn(found + 10, "0123456789")), found);
}

static void test_a_receipt_says_in_words_what_was_decided(void **state)
{
    (void)state;
    char page[64];
    begin();
    first_receipt(page);
    browser_get(&browser, page);
    assert_status(&browser, 200);
    assert_shows(&browser, "Vous avez donné votre accord");
    assert_shows(&browser, "An employment plan");
    assert_shows(&browser, "seulement l’année");
    assert_shows(&browser, "8 mars 2027");
    assert_shows(&browser, "7 avril 2027");
    assert_shows(&browser, "Le texte affiché.");
    assert_shows(&browser, "unit.vault.example/log");
    assert_shows(&browser, "event consent");
    assert_shows(&browser, "vault-audit check-receipt receipt-");
    end();
}

static void test_the_page_is_in_the_language_of_the_reader(void **state)
{
    (void)state;
    char page[64];
    begin();
    first_receipt(page);
    browser_submit(&browser, "/language", "language=en&next=%2F");
    browser_get(&browser, page);
    assert_shows(&browser, "You gave your consent");
    assert_shows(&browser, "lang=\"fr\""); /* the text, as it was read */
    end();
}

static void test_a_withdrawal_has_a_receipt_of_its_own(void **state)
{
    (void)state;
    char given[64];
    char page[64];
    begin();
    first_receipt(given);
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    first_receipt(page);
    assert_string_not_equal(page, given);
    browser_get(&browser, page);
    assert_shows(&browser, "Vous avez retiré votre accord");
    assert_hides(&browser, "Le texte que vous avez lu");
    browser_get(&browser, given);
    assert_shows(&browser, "Vous avez donné votre accord");
    end();
}

static void test_no_value_stands_in_a_receipt(void **state)
{
    (void)state;
    char page[64];
    begin();
    first_receipt(page);
    browser_get(&browser, page);
    assert_hides(&browser, "1990");
    assert_hides(&browser, "seeking");
    end();
}

static void test_what_is_no_receipt_of_ones_own_is_not_there(void **state)
{
    (void)state;
    static const char *const paths[] = {"/receipts/99999/page", "/receipts/0/page",
                                        "/receipts/-1/page", "/receipts/x/page",
                                        "/receipts/99999999999999999999/page"};
    char page[64];
    begin();
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        browser_get(&browser, paths[i]);
        assert_status(&browser, 404);
    }
    first_receipt(page);
    import_one(&test, "{\"reference\":\"T-2\",\"login\":\"deux\",\"password\":\"le second\","
                      "\"values\":{}}");
    browser_close(&browser);
    browser_open(&browser, test.vault);
    browser_get(&browser, page);
    assert_status(&browser, 303); /* nobody is signed in */
    browser_sign_in_as(&browser, "deux", "le second");
    browser_get(&browser, page);
    assert_status(&browser, 404);
    end();
}

static void test_what_ended_with_its_service_has_a_receipt_that_names_it(void **state)
{
    (void)state;
    char page[64];
    begin();
    assert_done(service_remove(test.vault, CASEWORKER, &test_error));
    first_receipt(page);
    browser_get(&browser, page);
    assert_status(&browser, 200);
    assert_shows(&browser, "Votre accord a pris fin avec le service");
    assert_shows(&browser, "An employment plan");
    end();
}

/* --- Whether one is real ---------------------------------------------------------------------- */

static struct buf taken; /* the file of a receipt */

/* Take the first receipt away, and be somebody who is not signed in. */
static void take_receipt(void)
{
    char page[64];
    first_receipt(page);
    *strrchr(page, '/') = 0;
    browser_get(&browser, page);
    assert_status(&browser, 200);
    taken = buf_limited(HTTP_BODY_BYTES_MAX);
    buf_bytes(&taken, buf_view(&browser.answer.body));
    browser_close(&browser);
    browser_open(&browser, test.vault);
    browser_get(&browser, "/check");
    assert_status(&browser, 200);
}

/* Send it as the page's form does. */
static void check(const char *field)
{
    char token[BROWSER_VALUE_CHARS];
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(HTTP_BODY_BYTES_MAX);
    browser_hidden(&browser, "form_token", token);
    buf_format(&body,
               "--b\r\nContent-Disposition: form-data; name=\"form_token\"\r\n\r\n%s\r\n"
               "--b\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"r\"\r\n\r\n",
               token, field);
    buf_bytes(&body, buf_view(&taken));
    buf_text(&body, "\r\n--b--\r\n");
    browser.content_type = "multipart/form-data; boundary=b";
    browser_go(&browser, HTTP_POST, "/check", buf_string(&body));
}

static void end_check(void)
{
    buf_finish(&taken);
    end();
}

static void test_anybody_can_check_a_receipt(void **state)
{
    (void)state;
    begin();
    take_receipt();
    check("file");
    assert_status(&browser, 200);
    assert_shows(&browser, "Ce reçu est authentique");
    assert_shows(&browser, "Vous avez donné votre accord");
    assert_shows(&browser, "An employment plan");
    assert_shows(&browser, "8 mars 2027");
    assert_hides(&browser, "1990");
    end_check();
}

static void test_its_text_does_as_well(void **state)
{
    (void)state;
    begin();
    take_receipt();
    check("receipt");
    assert_status(&browser, 200);
    assert_shows(&browser, "Ce reçu est authentique");
    end_check();
}

static void test_a_receipt_that_was_changed_is_not_real(void **state)
{
    (void)state;
    begin();
    take_receipt();
    static const char *const parts[] = {"\"receipt\":\"", "\"entry\":\"", "\"proof\":\""};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char *at = strstr(buf_string(&taken), parts[i]);
        assert_non_null(at);
        at += strlen(parts[i]) + 60;
        const char was = *at;
        *at = was == 'A' ? 'B' : 'A';
        browser_get(&browser, "/check");
        check("file");
        assert_status(&browser, 422);
        assert_shows(&browser, "il a été modifié");
        *at = was;
    }
    browser_get(&browser, "/check");
    check("file");
    assert_status(&browser, 200);
    end_check();
}

static void test_nothing_chosen_is_said(void **state)
{
    (void)state;
    begin();
    take_receipt();
    buf_clear(&taken);
    check("file");
    assert_status(&browser, 422);
    assert_shows(&browser, "Choisissez le fichier du reçu");
    browser.content_type = "multipart/form-data";
    browser_go(&browser, HTTP_POST, "/check", "");
    assert_status(&browser, 400);
    end_check();
}

int main(void)
{
    return TEST_RUN(test_a_receipt_says_in_words_what_was_decided,
                    test_the_page_is_in_the_language_of_the_reader,
                    test_a_withdrawal_has_a_receipt_of_its_own, test_no_value_stands_in_a_receipt,
                    test_what_ended_with_its_service_has_a_receipt_that_names_it,
                    test_what_is_no_receipt_of_ones_own_is_not_there,
                    test_anybody_can_check_a_receipt, test_its_text_does_as_well,
                    test_a_receipt_that_was_changed_is_not_real, test_nothing_chosen_is_said);
}
