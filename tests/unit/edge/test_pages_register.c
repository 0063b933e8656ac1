/* The public register: whoever comes reads every version of the policy, in words and as JSON. */
#include "browser.h"
#include "vault/base/json.h"

static struct vault_test test;
static struct browser browser;

static void begin(void)
{
    make_filled_vault(&test);
    test.now_ms += 86400 * 1000LL;
    sign_again(&test, 2);
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    browser_open(&browser, test.vault);
}

static void end(void)
{
    browser_close(&browser);
    vault_close(&test.vault);
}

static json_t *json_of(const char *target)
{
    json_t *root = NULL;
    browser_get(&browser, target);
    assert_status(&browser, 200);
    assert_string_equal(browser.answer.content_type, "application/json");
    assert_done(json_parse(buf_view(&browser.answer.body), 32, &root, NULL, &test_error));
    return root;
}

static void test_all_versions_are_listed_for_who_is_not_signed_in(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/policies");
    assert_status(&browser, 200);
    assert_shows(&browser, "Registre des règles");
    assert_shows(&browser, "<a href=\"/policies/2\">Version 2</a> – en vigueur");
    assert_shows(&browser, "<a href=\"/policies/1\">Version 1</a></h2>");
    assert_shows(&browser, "9 mars 2027");
    assert_shows(&browser, "0 accès en plus");
    assert_shows(&browser, "Aucune version d’avant");
    browser_submit(&browser, "/language", "language=en&next=%2Fpolicies");
    browser_get(&browser, "/policies");
    assert_shows(&browser, "Register of the rules");
    end();
}

static void test_a_version_says_who_may_ask_what_why_and_how(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/policies/1");
    assert_status(&browser, 200);
    assert_shows(&browser, "Version 1");
    assert_shows(&browser, "seulement l’année");
    assert_shows(&browser, "Avec l’accord de la personne.");
    browser_submit(&browser, "/language", "language=en&next=%2Fpolicies");
    browser_get(&browser, "/policies/1");
    assert_shows(&browser, "only the year");
    assert_shows(&browser, "With the person’s consent.");
    assert_string_equal(browser_header(&browser, "Cache-Control"), "no-store");
    end();
}

static void test_programs_read_the_same(void **state)
{
    (void)state;
    begin();
    VAULT_AUTO(json_free) json_t *all = json_of("/policies.json");
    const json_t *versions = json_object_get(all, "versions");
    assert_int_equal(json_array_size(versions), 2);
    const json_t *newest = json_array_get(versions, 0);
    assert_true(json_is_true(json_object_get(newest, "active")));
    assert_string_equal(json_string_value(json_object_get(newest, "href")), "/policies/2.json");
    assert_string_equal(browser_header(&browser, "Cache-Control"), "public, max-age=300");
    assert_int_equal(browser.cookie_count, 0);
    VAULT_AUTO(json_free) json_t *one = json_of("/policies/2.json");
    assert_true(json_equal(json_object_get(one, "record"), json_object_get(newest, "record")));
    assert_true(json_array_size(json_object_get(json_object_get(one, "policy"), "purposes")) > 0);
    assert_int_equal(browser.cookie_count, 0);
    end();
}

static void test_what_never_decided_is_not_there(void **state)
{
    (void)state;
    static const char *const pages[] = {"/policies/3",  "/policies/0",   "/policies/x",
                                        "/policies/1x", "/policies/01.", "/policies/-1"};
    static const char *const files[] = {"/policies/3.json", "/policies/0.json", "/policies/.json",
                                        "/policies/1234567890123456789.json"};
    begin();
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        browser_get(&browser, pages[i]);
        assert_status(&browser, 404);
        assert_string_equal(browser.answer.content_type, "text/html; charset=utf-8");
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        browser_get(&browser, files[i]);
        assert_status(&browser, 404);
        assert_string_equal(browser.answer.content_type, "application/problem+json");
    }
    browser_go(&browser, HTTP_POST, "/policies", "");
    assert_status(&browser, 405);
    end();
}

static void test_every_page_leads_to_it(void **state)
{
    (void)state;
    static const char *const pages[] = {"/sign-in", "/about", "/nowhere", "/mediator/sign-in"};
    begin();
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        browser_get(&browser, pages[i]);
        assert_shows(&browser, "href=\"/policies\"");
    }
    end();
}

static void test_a_vault_without_a_policy_still_has_its_register(void **state)
{
    (void)state;
    begin();
    char command[PATH_MAX + 64];
    snprintf(command, sizeof command, "rm '%s'/policy/*.active.json", test.options.dir);
    assert_int_equal(system(command), 0);
    browser_get(&browser, "/policies");
    assert_status(&browser, 200);
    browser_get(&browser, "/policies/2");
    assert_status(&browser, 404);
    end();
}

int main(void)
{
    return TEST_RUN(test_all_versions_are_listed_for_who_is_not_signed_in,
                    test_a_version_says_who_may_ask_what_why_and_how, test_programs_read_the_same,
                    test_what_never_decided_is_not_there, test_every_page_leads_to_it,
                    test_a_vault_without_a_policy_still_has_its_register);
}
