/* Home, one service, and taking a consent back. */
#include "browser.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vault/parts.h"

#include "vault/store/control_service.h"

static struct vault_test test;
static struct browser browser;

#define WITHDRAW_PAGE "/withdraw?service=" CASEWORKER "&purpose=" SUPPORT

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

static size_t released(void)
{
    char subject[SUBJECT_CHARS + 1];
    subject_of_citizen(&test, subject);
    return count_released(ask_release(&test, subject));
}

static void give_other(const char *service, const char *purpose, int64_t days, int64_t uses)
{
    static const struct consent_field fields[] = {{"reader.token", "as_is"}};
    const struct consent_decision decision = {
        .service = service,
        .purpose = purpose,
        .fields = fields,
        .field_count = 1,
        .days = days,
        .uses = uses,
        .language = "fr",
        .text = "Le texte affiché.",
    };
    char id[CONSENT_ID_CHARS + 1];
    int64_t seq;
    assert_done(consent_give(test.vault, &test.citizen, &decision, id, &seq, &test_error));
}

static void test_an_empty_home_says_so_and_has_a_place_for_a_code(void **state)
{
    (void)state;
    begin();
    assert_shows(&browser, "Aucune demande n’attend votre réponse.");
    assert_shows(&browser, "Vous n’avez donné aucun accord.");
    assert_shows(&browser, "name=\"code\"");
    assert_shows(&browser, "data-action=\"request-open\"");
    assert_hides(&browser, "<details");
    end();
}

static void test_home_shows_who_has_what_and_until_when(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    browser_get(&browser, "/");
    assert_shows(&browser, "<a href=\"/services/" CASEWORKER "\">An employment plan</a>");
    assert_shows(&browser, "Accompagnement vers l&#39;emploi");
    assert_shows(&browser, "Date de naissance");
    assert_shows(&browser, "seulement l’année");
    assert_shows(&browser, "Jusqu’au 7 avril 2027");
    assert_shows(&browser, "autant que les règles de la ville le permettent");
    assert_shows(&browser, "data-action=\"withdraw\" data-service=\"" CASEWORKER
                           "\" data-purpose=\"" SUPPORT "\"");
    assert_hides(&browser, "Utilisations restantes");
    end();
}

static void test_dates_are_written_as_people_write_them(void **state)
{
    (void)state;
    begin();
    give_other(LIBRARY, LENDING, 24, CONSENT_UNLIMITED);
    browser_get(&browser, "/");
    assert_shows(&browser, "Jusqu’au 1er avril 2027");
    browser_set_cookie(&browser, "__Host-lang", "en");
    browser_get(&browser, "/");
    assert_shows(&browser, "Until 1 April 2027");
    end();
}

static void test_uses_that_are_left_are_counted(void **state)
{
    (void)state;
    begin();
    give_consent(&test, 2);
    browser_get(&browser, "/");
    assert_shows(&browser, "Utilisations restantes\xc2\xa0: 2");
    assert_true(released() > 0);
    browser_get(&browser, "/");
    assert_shows(&browser, "Utilisations restantes\xc2\xa0: 1");
    assert_true(released() > 0);
    browser_get(&browser, "/");
    assert_shows(&browser, "Utilisé autant de fois que vous l’aviez permis");
    assert_hides(&browser, "data-action=\"withdraw\"");
    end();
}

static void test_what_is_over_is_folded_below(void **state)
{
    (void)state;
    begin();
    own_password(&test, "testine");
    give_consent(&test, CONSENT_UNLIMITED);
    test.now_ms += 31L * 86400 * 1000;
    browser_sign_in(&browser);
    assert_shows(&browser, "<details");
    assert_shows(&browser, "Accords terminés et refus (1)");
    assert_shows(&browser, "Terminé le 7 avril 2027");
    assert_hides(&browser, "data-action=\"withdraw\"");
    end();
}

static void test_consents_stand_together_by_service(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    give_other(LIBRARY, LENDING, 30, CONSENT_UNLIMITED);
    give_other(CASEWORKER, "employment.other", 30, CONSENT_UNLIMITED);
    browser_get(&browser, "/");
    size_t articles = 0;
    for (const char *p = strstr(browser_page(&browser), "<article"); p;
         p = strstr(p + 1, "<article"))
        articles++;
    assert_int_equal(articles, 2);
    assert_shows(&browser, "employment.other"); /* no longer in the policy: its id stands for it */
    end();
}

static void test_a_pending_request_is_on_the_home_page(void **state)
{
    (void)state;
    begin();
    const struct access_ask what = {.purpose = BYTES(SUPPORT),
                                    .fields = {{"employment.status", ""}},
                                    .field_count = 1,
                                    .uses = CONSENT_UNLIMITED};
    struct access_receipt receipt;
    enum access_fault fault;
    char target[128];
    {
        VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, caseworker_key);
        assert_done(
            access_request_open(test.vault, hold.service, &what, &receipt, &fault, &test_error));
    }
    browser_get(&browser, "/");
    assert_hides(&browser, "An employment plan");
    snprintf(target, sizeof target, "/r/%s", receipt.code);
    browser_get(&browser, target);
    browser_get(&browser, "/");
    snprintf(target, sizeof target, "<a href=\"/request/%s\">An employment plan</a>", receipt.id);
    assert_shows(&browser, target);
    assert_shows(&browser, "À répondre avant le 22 mars 2027");
    browser_get(&browser, "/services/" CASEWORKER);
    assert_shows(&browser, receipt.id);
    end();
}

static void test_a_services_page_is_only_for_who_deals_with_it(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    browser_get(&browser, "/services/" CASEWORKER);
    assert_status(&browser, 200);
    assert_shows(&browser, "<h1>An employment plan</h1>");
    assert_shows(&browser, "Une personne vous accompagne");
    assert_shows(&browser, "a@b.example");
    assert_shows(&browser, "Donné le 8 mars 2027");
    assert_shows(&browser, "data-action=\"withdraw\"");
    browser_get(&browser, "/services/nobody");
    assert_status(&browser, 404);
    end();
}

static void test_a_letter_asks_a_service_to_erase_what_it_has(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/services/" CASEWORKER "/letter");
    assert_status(&browser, 404); /* there is nothing between the two */
    give_consent(&test, CONSENT_UNLIMITED);
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    browser_get(&browser, "/services/" CASEWORKER "/letter");
    assert_status(&browser, 200);
    assert_shows(&browser, "article 17 du RGPD");
    assert_shows(&browser, "An employment plan");
    assert_shows(&browser, "8 mars 2027");
    assert_hides(&browser, "1990");
    end();
}

static void test_withdrawing_takes_two_steps_from_home_and_acts_at_once(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    assert_true(released() > 0);
    browser_get(&browser, WITHDRAW_PAGE);
    assert_status(&browser, 200);
    assert_shows(&browser, "Retirer votre accord à An employment plan");
    assert_shows(&browser, "data-action=\"withdraw-confirm\" data-service=\"" CASEWORKER
                           "\" data-purpose=\"" SUPPORT "\"");
    assert_shows(&browser, "n’est pas effacé par ce retrait");
    assert_shows(&browser, "/services/" CASEWORKER "/letter");
    assert_true(released() > 0); /* looking decides nothing */
    browser_submit(&browser, "/withdraw", "service=" CASEWORKER "&purpose=" SUPPORT);
    assert_location(&browser, "/");
    assert_int_equal(released(), 0);
    browser_follow(&browser);
    assert_shows(&browser, "vous avez retiré votre accord");
    assert_shows(&browser, "Retiré le 8 mars 2027");
    browser_get(&browser, WITHDRAW_PAGE);
    assert_status(&browser, 404);
    end();
}

static void test_a_statement_is_a_file_to_keep(void **state)
{
    (void)state;
    begin();
    assert_shows(&browser, "Télécharger une attestation");
    browser_submit(&browser, "/statement", "");
    assert_status(&browser, 200);
    assert_shows(&browser, "\"statement\":\"");
    assert_shows(&browser, "/statement+");
    browser_get(&browser, "/statement");
    assert_status(&browser, 405);
    end();
}

static void test_withdrawing_what_is_not_given_changes_nothing(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, WITHDRAW_PAGE);
    assert_status(&browser, 404);
    browser_get(&browser, "/");
    browser_submit(&browser, "/withdraw", "service=" CASEWORKER "&purpose=" SUPPORT);
    assert_location(&browser, "/");
    browser_follow(&browser);
    assert_shows(&browser, "Vous n’avez donné aucun accord.");
    browser_submit(&browser, "/withdraw", "service=" CASEWORKER);
    assert_status(&browser, 400);
    browser_submit(&browser, "/withdraw", "purpose=x");
    assert_status(&browser, 400);
    end();
}

static void set_state(enum control_service_state state)
{
    assert_done(service_set_state(test.vault, CASEWORKER, state, &test_error));
}

static void test_a_suspended_services_consent_says_so_and_can_be_withdrawn(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    set_state(CONTROL_SERVICE_SUSPENDED);
    browser_get(&browser, "/");
    assert_shows(&browser, "La ville a suspendu ce service\xc2\xa0: il n’obtient rien.");
    browser_get(&browser, "/services/" CASEWORKER);
    assert_shows(&browser, "Il n’obtient rien tant que la ville ne l’admet pas de nouveau.");
    browser_get(&browser, WITHDRAW_PAGE);
    assert_status(&browser, 200);
    browser_submit(&browser, "/withdraw", "service=" CASEWORKER "&purpose=" SUPPORT);
    assert_location(&browser, "/");
    browser_follow(&browser);
    assert_shows(&browser, "Retiré le");
    set_state(CONTROL_SERVICE_ACTIVE);
    browser_get(&browser, "/");
    assert_hides(&browser, "suspendu");
    end();
}

static void test_a_removed_services_consent_has_ended_and_says_by_whom(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    assert_done(service_remove(test.vault, CASEWORKER, &test_error));
    browser_get(&browser, "/");
    assert_shows(&browser, "An employment plan</a>"); /* it keeps its name for them */
    assert_shows(&browser, "Terminé le 8 mars 2027, quand la ville a retiré le service");
    assert_hides(&browser, "data-action=\"withdraw\"");
    browser_get(&browser, "/services/" CASEWORKER);
    assert_status(&browser, 200);
    assert_shows(&browser, "La ville a retiré ce service définitivement.");
    browser_get(&browser, WITHDRAW_PAGE);
    assert_status(&browser, 404); /* nothing is left to withdraw */
    browser_get(&browser, "/");
    browser_submit(&browser, "/withdraw", "service=" CASEWORKER "&purpose=" SUPPORT);
    assert_location(&browser, "/");
    end();
}

static void activate(uint64_t version, const char *fields)
{
    char text[2048];
    snprintf(text, sizeof text,
             "{\"format\":\"vault-rules/1\",\"policy\":\"employment\","
             "\"title\":{\"fr\":\"Emploi\",\"en\":\"Employment\"},"
             "\"owner\":\"dpo@ville.example\",\"rules\":[{\"id\":\"core\","
             "\"effect\":\"permit\",\"why\":{\"fr\":\"Essai.\",\"en\":\"A test.\"},"
             "\"who\":{\"classes\":[\"employment.caseworker\"]},"
             "\"purposes\":[\"employment.support\"],\"fields\":[\"%s\"],"
             "\"basis\":\"consent\",\"release\":{\"default\":\"as_is\"}}]}",
             fields);
    change_test_bundle(&test, "rules/employment.json", text, version);
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
}

static void test_what_the_rules_took_from_a_consent_is_shown_field_by_field(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    browser_get(&browser, "/");
    assert_hides(&browser, "règles de la ville laissent maintenant");
    activate(2, "employment.status");
    browser_get(&browser, "/");
    assert_shows(&browser, "laissent maintenant passer moins que vous n’aviez permis");
    assert_shows(&browser, "N’est plus transmis");
    browser_set_cookie(&browser, "__Host-lang", "en");
    browser_get(&browser, "/services/" CASEWORKER);
    assert_shows(&browser, "No longer released: the city’s rules do not allow it.");
    assert_shows(&browser, "data-action=\"withdraw\"");
    activate(3, "identity.name");
    browser_get(&browser, "/");
    assert_shows(&browser,
                 "The city’s rules no longer allow this: the service gets nothing on it.");
    assert_int_equal(released(), 0);
    end();
}

static void test_a_purpose_taken_from_a_service_is_told(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    assert_done(service_update(
        test.vault,
        BYTES("{\"id\":\"" CASEWORKER "\",\"name\":\"An employment plan\",\"contact\":\"c\"}"),
        &test_error));
    browser_get(&browser, "/");
    assert_shows(&browser, "La ville ne laisse plus ce service demander cela");
    end();
}

static void test_nobody_withdraws_for_another(void **state)
{
    (void)state;
    begin();
    import_one(&test, "{\"reference\":\"T-2\",\"login\":\"deux\",\"password\":\"le second\","
                      "\"values\":{}}");
    give_consent(&test, CONSENT_UNLIMITED);
    struct browser other;
    browser_open(&other, test.vault);
    browser_sign_in_as(&other, "deux", "le+second");
    assert_hides(&other, "An employment plan");
    browser_get(&other, WITHDRAW_PAGE);
    assert_status(&other, 404);
    browser_get(&other, "/services/" CASEWORKER);
    assert_status(&other, 404);
    browser_get(&other, "/");
    browser_submit(&other, "/withdraw", "service=" CASEWORKER "&purpose=" SUPPORT);
    assert_true(released() > 0);
    browser_close(&other);
    end();
}

static void test_the_withdrawal_form_comes_back_after_a_session_ended(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    browser_get(&browser, WITHDRAW_PAGE);
    test.now_ms += SIGN_IN_IDLE_S * 1000L;
    browser_submit(&browser, "/withdraw", "service=" CASEWORKER "&purpose=" SUPPORT);
    assert_location(&browser,
                    "/sign-in?next=%2Fwithdraw%3Fservice%3D" CASEWORKER "%26purpose%3D" SUPPORT);
    assert_true(released() > 0);
    end();
}

static int truncate_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)walk;
    return type == FTW_F ? truncate(path, 100) : 0;
}

static void test_a_damaged_file_is_a_page_that_says_nothing_of_the_inside(void **state)
{
    (void)state;
    begin();
    char citizens[PATH_MAX + 16];
    give_consent(&test, CONSENT_UNLIMITED);
    vault_close(&test.vault);
    snprintf(citizens, sizeof citizens, "%s/citizens", test.dir);
    assert_int_equal(nftw(citizens, truncate_one, 8, FTW_PHYS), 0);
    open_test_vault(&test);
    browser.pages.vault = test.vault;
    static const struct {
        const char *path;
        const char *words;
    } pages[] = {{"/", "Votre coffre ne se lit pas"},
                 {"/services/" CASEWORKER, "Un problème de notre côté"},
                 {WITHDRAW_PAGE, "Votre coffre ne se lit pas"}};
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        browser_get(&browser, pages[i].path);
        assert_status(&browser, 500);
        assert_shows(&browser, pages[i].words);
        assert_hides(&browser, "citizens");
        assert_hides(&browser, "corrupt");
    }
    browser_get(&browser, "/");
    assert_shows(&browser, "data-action=\"pause-all\"");
    browser_submit(&browser, "/withdraw", "service=" CASEWORKER "&purpose=" SUPPORT);
    assert_location(&browser, "/");
    browser_get(&browser, "/");
    browser_submit(&browser, "/pause", "");
    assert_location(&browser, "/");
    browser_get(&browser, "/request");
    assert_status(&browser, 200);
    end();
}

static void test_names_of_every_script_are_text(void **state)
{
    (void)state;
    begin();
    assert_done(service_add(test.vault,
                            BYTES("{\"id\":\"odd\",\"name\":\"<b>مكتبة</b> \\\"日本\\\" & 'x'\","
                                  "\"contact\":\"a@b.example\",\"classes\":[],\"purposes\":[]}"),
                            &test_error));
    give_other("odd", "odd.purpose", 30, CONSENT_UNLIMITED);
    browser_get(&browser, "/");
    assert_shows(&browser, "&lt;b&gt;مكتبة&lt;/b&gt; &quot;日本&quot; &amp; &#39;x&#39;");
    assert_hides(&browser, "<b>");
    end();
}

static void test_pages_are_small(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    give_other(LIBRARY, LENDING, 30, CONSENT_UNLIMITED);
    browser_get(&browser, "/");
    size_t size = browser.answer.body.size;
    browser_get(&browser, "/style.css");
    size += browser.answer.body.size;
    browser_get(&browser, "/icon.svg");
    size += browser.answer.body.size;
    assert_true(size < 60L * 1024);
    end();
}

int main(void)
{
    return TEST_RUN(
        test_a_damaged_file_is_a_page_that_says_nothing_of_the_inside,
        test_an_empty_home_says_so_and_has_a_place_for_a_code,
        test_home_shows_who_has_what_and_until_when, test_dates_are_written_as_people_write_them,
        test_uses_that_are_left_are_counted, test_what_is_over_is_folded_below,
        test_consents_stand_together_by_service, test_a_pending_request_is_on_the_home_page,
        test_a_services_page_is_only_for_who_deals_with_it, test_a_statement_is_a_file_to_keep,
        test_a_letter_asks_a_service_to_erase_what_it_has,
        test_withdrawing_takes_two_steps_from_home_and_acts_at_once,
        test_withdrawing_what_is_not_given_changes_nothing,
        test_a_suspended_services_consent_says_so_and_can_be_withdrawn,
        test_a_removed_services_consent_has_ended_and_says_by_whom,
        test_what_the_rules_took_from_a_consent_is_shown_field_by_field,
        test_a_purpose_taken_from_a_service_is_told, test_nobody_withdraws_for_another,
        test_the_withdrawal_form_comes_back_after_a_session_ended,
        test_names_of_every_script_are_text, test_pages_are_small);
}
