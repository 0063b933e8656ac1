/* My data, and putting right what is wrong in them. */
#include "browser.h"
#include "vault/vault/correction.h"

static struct vault_test test;
static struct browser browser;

#define STATUS  "/data/employment.status"
#define ADDRESS "/data/address.postal"
#define NAME    "/data/identity.name"

/* Ada declared her status, address and adulthood herself; her name and birth date are the city's.
 */
static void begin(void)
{
    make_filled_vault(&test);
    import_one(&test,
               "{\"reference\":\"T-2\",\"login\":\"ada\",\"password\":\"une longue phrase\","
               "\"values\":{\"employment.status\":{\"value\":\"seeking\",\"source\":\"citizen\"},"
               "\"identity.birth_date\":{\"value\":\"1992-05-17\",\"source\":\"citizen\"},"
               "\"identity.name\":{\"value\":\"Ada Inventee\",\"source\":\"library\"},"
               "\"address.postal\":{\"value\":{\"street\":\"rue des Essais\","
               "\"postcode\":\"35000\",\"city\":\"Rennes\"},\"source\":\"citizen\"}}}");
    browser_open(&browser, test.vault);
    browser_sign_in_as(&browser, "ada", "une longue phrase");
}

static void end(void)
{
    browser_close(&browser);
    vault_close(&test.vault);
}

static void test_what_was_declared_is_corrected_on_its_page(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/data");
    assert_shows(&browser, "action=\"" STATUS "\"");
    assert_shows(&browser, "data-action=\"field-edit\"");
    browser_get(&browser, STATUS);
    assert_status(&browser, 200);
    assert_shows(&browser, "value=\"seeking\"");
    browser_submit(&browser, STATUS, "value=%20training%20");
    assert_location(&browser, "/data");
    browser_follow(&browser);
    assert_shows(&browser, "C’est fait");
    assert_shows(&browser, "training");
    assert_hides(&browser, "seeking");
    browser_get(&browser, "/accesses");
    assert_shows(&browser, "Vous avez corrigé une donnée que vous aviez déclarée.");
    assert_shows(&browser, "corrigé</span>");
    assert_hides(&browser, "training");
    end();
}

static void test_an_address_is_corrected_part_by_part(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, ADDRESS);
    assert_shows(&browser, "value=\"rue des Essais\"");
    browser_submit(&browser, ADDRESS,
                   "number=7&street=rue%20%3Cb%3E&postcode=35200&city=Rennes%20%22Sud%22");
    assert_location(&browser, "/data");
    browser_follow(&browser);
    assert_shows(&browser, "rue &lt;b&gt;");
    assert_shows(&browser, "Rennes &quot;Sud&quot;");
    browser_get(&browser, ADDRESS);
    assert_shows(&browser, "value=\"7\"");
    browser_submit(&browser, ADDRESS, "number=&street=rue&postcode=35200&city=Rennes");
    browser_follow(&browser);
    assert_hides(&browser, "7, ");
    end();
}

static void test_what_is_no_value_is_said_and_what_was_typed_is_not_lost(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, ADDRESS);
    browser_submit(&browser, ADDRESS, "number=&street=rue%20Juste&postcode=&city=Rennes");
    assert_status(&browser, 422);
    assert_shows(&browser, "Ce n’est pas une valeur possible ici.");
    assert_shows(&browser, "value=\"rue Juste\"");
    browser_get(&browser, STATUS);
    browser_submit(&browser, STATUS, "value=%20%20");
    assert_status(&browser, 422);
    browser_submit(&browser, STATUS, "");
    assert_status(&browser, 422);
    browser_get(&browser, "/data");
    assert_shows(&browser, "seeking");
    end();
}

static void test_whoever_stays_on_the_page_has_what_was_typed(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, ADDRESS);
    browser_submit(&browser, ADDRESS, "number=9&street=rue%20Neuve&postcode=&city=&stay=yes");
    assert_status(&browser, 200);
    assert_hides(&browser, "aria-invalid");
    assert_shows(&browser, "value=\"rue Neuve\"");
    assert_shows(&browser, "action=\"" ADDRESS "\" class=\"card\" id=\"typed\"");
    browser_get(&browser, ADDRESS);
    assert_hides(&browser, "rue Neuve");
    end();
}

static void test_too_much_is_no_value(void **state)
{
    (void)state;
    char long_text[1200] = "value=";
    begin();
    memset(long_text + 6, 'a', sizeof long_text - 7);
    browser_get(&browser, STATUS);
    browser_submit(&browser, STATUS, long_text);
    assert_status(&browser, 422);
    end();
}

static void test_what_is_not_ones_own_has_no_form_and_takes_none(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, NAME);
    assert_status(&browser, 200);
    assert_hides(&browser, "data-action=\"field-edit\"");
    assert_shows(&browser, "a@b.example"); /* whom to turn to */
    browser_submit(&browser, NAME, "value=Autre");
    assert_status(&browser, 403);
    browser_get(&browser, "/data/identity.birth_date");
    assert_hides(&browser, "data-action=\"field-edit\"");
    browser_submit(&browser, "/data/identity.birth_date", "value=1980-01-01");
    assert_status(&browser, 403);
    browser_get(&browser, "/data");
    assert_shows(&browser, "1992-05-17");
    end();
}

static void test_a_correction_is_asked_for_and_seen_to_wait(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, NAME);
    browser_submit(&browser, NAME "/ask", "");
    assert_location(&browser, "/data");
    browser_follow(&browser);
    assert_shows(&browser, "Correction demandée le 8 mars 2027");
    browser_get(&browser, NAME);
    assert_shows(&browser, "Correction demandée le");
    assert_hides(&browser, "action=\"" NAME "/ask\"");
    browser_get(&browser, "/accesses");
    assert_shows(&browser, "Vous avez demandé qu’une source corrige une donnée.");
    end();
}

static void test_what_the_city_closed_is_said_and_can_be_asked_again(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(1000);
    VAULT_AUTO(json_free) json_t *list = NULL;
    begin();
    browser_get(&browser, NAME);
    browser_submit(&browser, NAME "/ask", "");
    assert_done(correction_open_list(test.vault, &text, &test_error));
    assert_done(json_parse(buf_view(&text), 3, &list, NULL, &test_error));
    assert_done(correction_close(test.vault,
                                 json_string_value(json_object_get(json_array_get(list, 0), "id")),
                                 &test_error));
    browser_get(&browser, "/data");
    assert_shows(&browser, "La ville a clos votre demande");
    assert_shows(&browser, "href=\"" NAME "\"");
    browser_get(&browser, "/accesses");
    assert_shows(&browser, "Votre demande de correction a été close, sans changement.");
    assert_shows(&browser, "Fait par l’exploitant de la ville.");
    end();
}

static void test_ones_own_is_not_asked_of_anybody(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, STATUS);
    browser_submit(&browser, STATUS "/ask", "");
    assert_status(&browser, 403);
    end();
}

/* Every one of these pages is of the citizen who is signed in: another's fields are not theirs. */
static void test_what_one_does_not_have_is_not_there(void **state)
{
    (void)state;
    static const char *const paths[] = {"/data/reader.visitor", "/data/no.such", "/data/%3Cb%3E",
                                        "/data/T-1"};
    begin();
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char ask[64];
        browser_get(&browser, paths[i]);
        assert_status(&browser, 404);
        browser_get(&browser, "/data");
        browser_submit(&browser, paths[i], "value=x");
        assert_status(&browser, 404);
        snprintf(ask, sizeof ask, "%s/ask", paths[i]);
        browser_get(&browser, "/data");
        browser_submit(&browser, ask, "");
        assert_status(&browser, 404);
    }
    import_one(&test,
               "{\"reference\":\"T-3\",\"login\":\"bob\",\"password\":\"autre phrase longue\","
               "\"values\":{}}");
    browser_close(&browser);
    browser_open(&browser, test.vault);
    browser_sign_in_as(&browser, "bob", "autre phrase longue");
    browser_get(&browser, STATUS);
    assert_status(&browser, 404);
    browser_get(&browser, "/data");
    browser_submit(&browser, STATUS, "value=training");
    assert_status(&browser, 404);
    end();
}

static void test_a_form_of_elsewhere_corrects_nothing(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, STATUS);
    browser_go(&browser, HTTP_POST, STATUS, "value=training");
    assert_status(&browser, 403);
    browser_get(&browser, STATUS);
    browser.site = "cross-site";
    browser_submit(&browser, STATUS, "value=training");
    assert_status(&browser, 403);
    browser_submit(&browser, NAME "/ask", "");
    assert_status(&browser, 403);
    browser.site = "same-origin";
    browser_get(&browser, "/data");
    assert_shows(&browser, "seeking");
    end();
}

int main(void)
{
    return TEST_RUN(test_what_was_declared_is_corrected_on_its_page,
                    test_an_address_is_corrected_part_by_part,
                    test_what_is_no_value_is_said_and_what_was_typed_is_not_lost,
                    test_whoever_stays_on_the_page_has_what_was_typed, test_too_much_is_no_value,
                    test_what_is_not_ones_own_has_no_form_and_takes_none,
                    test_a_correction_is_asked_for_and_seen_to_wait,
                    test_what_the_city_closed_is_said_and_can_be_asked_again,
                    test_ones_own_is_not_asked_of_anybody, test_what_one_does_not_have_is_not_there,
                    test_a_form_of_elsewhere_corrects_nothing);
}
