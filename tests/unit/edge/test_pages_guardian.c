/* A minor of 14 and their guardian, a browser each: what both are shown, and what neither may. */
#include "browser.h"
#include "family.h"

#include "vault/vault/mandate.h"
#include "vault/vault/mediator.h"
#include "vault/vault/stance.h"

static struct vault_test test;
static struct family family;
static struct browser minor;
static struct browser max;
static struct browser other;
static char id[GUARDIAN_ID_CHARS + 1]; /* of Max's guardianship */
static struct access_receipt receipt;  /* of the library's request */

static enum vault_code take_id(void *context, const struct guardian_minor *one,
                               struct vault_error *err)
{
    (void)err;
    memcpy(context, one->id, sizeof one->id);
    return VAULT_OK;
}

static void enter(struct browser *who, const char *login)
{
    browser_open(who, test.vault);
    browser_sign_in_as(who, login, "un%20mot%20de%20passe");
}

static void begin(void)
{
    make_vault_with_family(&test, &family);
    assert_done(guardian_add(test.vault, &family.minor, &family.max, &test_error));
    assert_done(guardian_list_minors(test.vault, &family.max, take_id, id, &test_error));
    receipt = ask_minor(&test);
    own_password(&test, "minou");
    own_password(&test, "max");
    enter(&minor, "minou");
    enter(&max, "max");
    enter(&other, "other");
}

static void end(void)
{
    browser_close(&minor);
    browser_close(&max);
    browser_close(&other);
    vault_close(&test.vault);
}

/* Addresses of Max's side and of the request. */
static const char *minors(const char *rest)
{
    static char text[200];
    snprintf(text, sizeof text, "/minors/%s%s", id, rest);
    return text;
}

static const char *minors_request(void)
{
    static char text[200];
    snprintf(text, sizeof text, "/minors/%s/request?request=%s", id, receipt.id);
    return text;
}

static const char *own_request(const char *rest)
{
    static char text[200];
    snprintf(text, sizeof text, "/request/%s%s", receipt.id, rest);
    return text;
}

static void open_by_code(struct browser *who, const char *address)
{
    char fields[60];
    snprintf(fields, sizeof fields, "code=%s", receipt.code);
    browser_submit(who, address, fields);
}

/* The minor opens the request, so that it is known to be theirs. */
static void claim(void)
{
    open_by_code(&minor, "/request");
    browser_follow(&minor);
    assert_status(&minor, 200);
}

static void minor_agrees(void)
{
    char shown[BROWSER_VALUE_CHARS];
    char fields[300];
    browser_get(&minor, own_request(""));
    browser_hidden(&minor, "shown", shown);
    snprintf(fields, sizeof fields, "shown=%s&period=30", shown);
    browser_submit(&minor, own_request("/give"), fields);
    assert_location(&minor, "/");
    browser_follow(&minor);
}

/* Send what the guardian's page of the request would. */
static void max_sends(const char *action, const char *more)
{
    char shown[BROWSER_VALUE_CHARS];
    char fields[400];
    browser_get(&max, minors_request());
    assert_status(&max, 200);
    browser_hidden(&max, "shown", shown);
    snprintf(fields, sizeof fields, "request=%s&shown=%s%s", receipt.id, shown, more);
    browser_submit(&max, minors(action), fields);
}

static void max_agrees(void)
{
    max_sends("/give", "&period=30");
    assert_location(&max, minors(""));
    browser_follow(&max);
}

static size_t released(void)
{
    return release_of_minor(&test, &family);
}

#define PAIR "service=" LIBRARY "&purpose=" LENDING

/* --- Both ------------------------------------------------------------------------------------- */

static void test_a_guardian_agrees_only_to_what_is_offered(void **state)
{
    (void)state;
    begin();
    claim();
    minor_agrees();
    max_sends("/give", "&period=7");
    assert_status(&max, 422);
    max_sends("/give", "&period=30x");
    assert_status(&max, 422);
    assert_int_equal(released(), 0);
    end();
}

static void test_the_minor_agrees_then_the_guardian(void **state)
{
    (void)state;
    begin();
    assert_shows(&minor, "Vos responsables légaux");
    assert_shows(&minor, MAX_NAME);
    claim();
    assert_shows(&minor, "vous décidez à deux");
    minor_agrees();
    assert_shows(&minor, "Il attend celui d’un responsable légal");
    assert_shows(&minor, "il manque celui d’un responsable légal");
    assert_int_equal(released(), 0);
    assert_told(&test, receipt.id, "pending");
    browser_get(&max, "/");
    assert_shows(&max, "href=\"/minors\"");
    browser_get(&max, "/minors");
    assert_shows(&max, MINOR_NAME);
    browser_get(&max, minors(""));
    assert_shows(&max, "A library");
    assert_shows(&max, "il manque celui d’un responsable légal");
    browser_get(&max, minors_request());
    assert_shows(&max, "A library demande des données de " MINOR_NAME);
    assert_shows(&max, MINOR_NAME " a donné son accord, pour 30");
    assert_shows(&max, "data-action=\"consent-give\"");
    assert_shows(&max, "data-action=\"consent-refuse\"");
    max_agrees();
    assert_shows(&max, "les deux accords sont donnés");
    assert_shows(&max, "data-action=\"withdraw-confirm\"");
    assert_int_equal(released(), 1);
    assert_told(&test, receipt.id, "granted");
    end();
}

static void test_the_guardian_opens_and_agrees_then_the_minor(void **state)
{
    (void)state;
    begin();
    browser_get(&max, minors(""));
    open_by_code(&max, minors("/open"));
    assert_location(&max, minors_request());
    browser_follow(&max);
    assert_status(&max, 200);
    max_agrees();
    assert_shows(&max, "Il attend celui de l’enfant");
    assert_int_equal(released(), 0);
    browser_get(&minor, "/");
    assert_shows(&minor, MAX_NAME " a donné son accord ; il manque l’autre.");
    browser_get(&minor, own_request(""));
    assert_shows(&minor, MAX_NAME " a donné son accord, pour 30");
    minor_agrees();
    assert_shows(&minor, "Il vaut dès maintenant");
    assert_int_equal(released(), 1);
    end();
}

static void test_who_agreed_is_offered_to_take_it_back(void **state)
{
    (void)state;
    begin();
    claim();
    minor_agrees();
    browser_get(&minor, own_request(""));
    assert_hides(&minor, "data-action=\"consent-give\"");
    assert_shows(&minor, "Retirer mon accord");
    browser_submit(&minor, "/withdraw", PAIR);
    assert_location(&minor, "/");
    browser_get(&minor, own_request(""));
    assert_shows(&minor, "data-action=\"consent-give\"");
    max_agrees();
    assert_int_equal(released(), 0); /* the first now, not the second */
    browser_get(&max, minors_request());
    assert_hides(&max, "data-action=\"consent-give\"");
    browser_submit(&max, minors("/withdraw"), PAIR);
    assert_location(&max, minors(""));
    minor_agrees();
    assert_int_equal(released(), 0);
    end();
}

static void test_a_guardian_refuses_for_both(void **state)
{
    (void)state;
    begin();
    claim();
    minor_agrees();
    max_sends("/refuse", "");
    assert_location(&max, minors(""));
    browser_follow(&max);
    assert_shows(&max, "vous avez refusé");
    assert_told(&test, receipt.id, "refused");
    browser_get(&max, minors_request());
    assert_status(&max, 404);
    end();
}

static void make_joint(void)
{
    begin();
    claim();
    minor_agrees();
    max_agrees();
    assert_int_equal(released(), 1);
}

static void test_a_guardian_withdraws(void **state)
{
    (void)state;
    make_joint();
    browser_submit(&max, minors("/withdraw"), PAIR);
    assert_location(&max, minors(""));
    browser_follow(&max);
    assert_shows(&max, "l’accord est retiré");
    assert_hides(&max, "data-action=\"withdraw-confirm\"");
    assert_int_equal(released(), 0);
    end();
}

static void test_all_that_a_guardian_did_is_in_the_minors_accesses_with_the_name(void **state)
{
    (void)state;
    begin();
    claim();
    max_agrees();
    browser_get(&minor, "/accesses");
    assert_shows(&minor, "à donner à deux, attend l’autre.</strong> Fait par " MAX_NAME
                         ", responsable légal.");
    assert_shows(&minor, "Un responsable légal a regardé");
    assert_shows(&minor, MAX_NAME " est enregistré·e comme votre responsable légal.");
    assert_shows(&minor, "Fait par l’exploitant de la ville");
    browser_submit(&max, minors("/withdraw"), PAIR);
    browser_get(&minor, "/accesses");
    assert_shows(&minor, "a été repris.</strong> Fait par " MAX_NAME ", responsable légal.");
    browser_get(&max, "/accesses"); /* and in the guardian's own, that they are one */
    assert_shows(&max, "Vous êtes enregistré·e comme responsable légal d’un mineur.");
    assert_hides(&max, "A library");
    end();
}

static void test_everything_is_said_in_english_too(void **state)
{
    (void)state;
    begin();
    minor.accept_language = "en";
    max.accept_language = "en";
    claim();
    minor_agrees();
    assert_shows(&minor, "A guardian has to agree too");
    browser_get(&max, "/minors");
    assert_shows(&max, "You decide with this child");
    browser_get(&max, minors_request());
    assert_shows(&max, "A library asks for data of " MINOR_NAME);
    max_agrees();
    assert_shows(&max, "both have agreed");
    browser_get(&minor, "/accesses");
    assert_shows(&minor, "Done by " MAX_NAME ", guardian.");
    end();
}

/* --- What is not there ------------------------------------------------------------------------ */

static void test_a_stranger_finds_nothing(void **state)
{
    (void)state;
    static const char *const actions[] = {"/open", "/give", "/refuse", "/withdraw", "/stop"};
    char fields[300];
    make_joint();
    browser_get(&other, "/minors");
    assert_shows(&other, "Vous n’êtes le responsable légal de personne ici");
    assert_hides(&other, MINOR_NAME);
    browser_get(&other, minors(""));
    assert_status(&other, 404);
    browser_get(&other, minors_request());
    assert_status(&other, 404);
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        snprintf(fields, sizeof fields, "request=%s&code=%s&period=30&shown=x&" PAIR, receipt.id,
                 receipt.code);
        browser_get(&other, "/");
        browser_submit(&other, minors(actions[i]), fields);
        assert_status(&other, 404);
        browser_get(&minor, "/"); /* nor is the minor their own guardian */
        browser_submit(&minor, minors(actions[i]), fields);
        assert_status(&minor, 404);
    }
    assert_int_equal(released(), 1);
    end();
}

static void test_who_is_not_signed_in_signs_in_first(void **state)
{
    (void)state;
    struct browser nobody = {0};
    begin();
    browser_open(&nobody, test.vault);
    browser_get(&nobody, "/minors");
    assert_status(&nobody, 303);
    assert_hides(&nobody, MINOR_NAME);
    browser_get(&nobody, minors(""));
    assert_status(&nobody, 303);
    browser_close(&nobody);
    end();
}

static void test_a_form_without_the_token_does_nothing(void **state)
{
    (void)state;
    make_joint();
    browser_go(&max, HTTP_POST, minors("/withdraw"), PAIR "&form_token=x");
    assert_status(&max, 403);
    assert_int_equal(released(), 1);
    end();
}

static void test_a_guardian_sees_no_values_and_has_only_their_own_pages(void **state)
{
    (void)state;
    static const char *const own[] = {"/data", "/accesses", "/security", "/mandates"};
    make_joint();
    browser_get(&max, minors(""));
    assert_hides(&max, "2012-05-17");
    assert_shows(&max, "2027"); /* dates of the consent and the accesses are there */
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        browser_get(&max, own[i]);
        assert_status(&max, 200);
        assert_hides(&max, "2012");
        assert_hides(&max, "A library");
    }
    browser_get(&max, "/services/" LIBRARY);
    assert_hides(&max, "data-action=\"withdraw\"");
    end();
}

static void test_what_changed_since_it_was_read_is_read_again(void **state)
{
    (void)state;
    char shown[BROWSER_VALUE_CHARS];
    char fields[400];
    begin();
    claim();
    browser_get(&max, minors_request());
    browser_hidden(&max, "shown", shown);
    minor_agrees(); /* and the page says so now */
    snprintf(fields, sizeof fields, "request=%s&shown=%s&period=30", receipt.id, shown);
    browser_submit(&max, minors("/give"), fields);
    assert_status(&max, 409);
    assert_shows(&max, MINOR_NAME " a donné son accord");
    assert_int_equal(released(), 0);
    max_agrees();
    assert_int_equal(released(), 1);
    end();
}

static void test_without_a_period_nothing_is_given(void **state)
{
    (void)state;
    begin();
    claim();
    minor_agrees();
    max_sends("/give", "");
    assert_status(&max, 422);
    assert_shows(&max, "Choisissez une durée");
    assert_int_equal(released(), 0);
    end();
}

static void test_agreeing_needs_somebody_who_has_just_shown_who_they_are(void **state)
{
    (void)state;
    begin();
    claim();
    minor_agrees();
    test.now_ms += (SIGN_IN_FRESH_S + 1) * 1000LL;
    max_sends("/give", "&period=30");
    assert_status(&max, 303);
    assert_non_null(strstr(browser_header(&max, "Location"), "/again?next="));
    assert_int_equal(released(), 0);
    max_sends("/refuse", ""); /* refusing needs nothing */
    assert_location(&max, minors(""));
    end();
}

static void test_a_wrong_code_opens_nothing(void **state)
{
    (void)state;
    begin();
    browser_get(&max, minors(""));
    browser_submit(&max, minors("/open"), "code=AAAA-AAAA");
    assert_status(&max, 422);
    assert_shows(&max, "Aucune demande n’attend avec ce code");
    end();
}

static void test_a_mediator_is_offered_no_agreement_of_a_child(void **state)
{
    (void)state;
    struct browser mediator = {0};
    char mandate[MANDATE_ID_CHARS + 1];
    char address[200];
    const struct mandate_terms terms = {
        .structure = "hub", .purposes = {LENDING}, .purpose_count = 1, .days = 31};
    begin();
    claim();
    assert_done(mediator_register_structure(test.vault, "hub", "A digital hub", &test_error));
    register_mediator(&test, "hub", "ada", "Ada Inventée", "une longue phrase");
    assert_done(mandate_give(test.vault, &family.minor, &terms, mandate, &test_error));
    browser_open(&mediator, test.vault);
    browser_sign_in_mediator(&mediator, "ada");
    snprintf(address, sizeof address, "/mediator/%s/request?request=%s", mandate, receipt.id);
    browser_get(&mediator, address);
    assert_status(&mediator, 200);
    assert_hides(&mediator, "data-action=\"consent-give\"");
    assert_shows(&mediator, "Une médiation ne remplace ni l’un ni l’autre");
    assert_shows(&mediator, "data-action=\"consent-refuse\"");
    browser_close(&mediator);
    end();
}

static void test_a_child_is_not_offered_to_let_a_structure_see_values(void **state)
{
    (void)state;
    struct browser mediator = {0};
    char codes[MANDATE_CODES][MANDATE_CODE_CHARS + 1];
    char fields[300];
    static const char terms[] = "purpose_0=" LENDING "&period=31&values=yes";
    begin();
    assert_done(mediator_register_structure(test.vault, "hub", "A digital hub", &test_error));
    register_mediator(&test, "hub", "ada", "Ada Inventée", "une longue phrase");
    browser_get(&max, "/mandates");
    assert_shows(&max, "name=\"values\"");
    browser_get(&minor, "/mandates");
    assert_shows(&minor, "data-action=\"mandate-give\"");
    assert_hides(&minor, "name=\"values\"");
    snprintf(fields, sizeof fields, "structure=hub&%s", terms);
    browser_submit(&minor, "/mandates", fields);
    assert_status(&minor, 422);
    assert_shows(&minor, "href=\"#values\"");
    assert_shows(&minor, "id=\"values\">Avant 15 ans");
    assert_done(mandate_print_codes(test.vault, &family.minor, codes, &test_error));
    browser_open(&mediator, test.vault);
    browser_sign_in_mediator(&mediator, "ada");
    assert_shows(&mediator, "name=\"values\"");
    snprintf(fields, sizeof fields, "code=%s&%s", codes[0], terms);
    browser_submit(&mediator, "/mediator", fields);
    assert_status(&mediator, 422);
    assert_shows(&mediator, "ou ne permet pas que la structure voie");
    snprintf(fields, sizeof fields, "code=%s&purpose_0=" LENDING "&period=31", codes[0]);
    browser_submit(&mediator, "/mediator", fields);
    assert_location(&mediator, "/mediator");
    browser_close(&mediator);
    end();
}

/* --- The birthdays ---------------------------------------------------------------------------- */

static void both_enter_again(void)
{
    browser_close(&minor);
    browser_close(&max);
    enter(&minor, "minou");
    enter(&max, "max");
}

static void test_at_15_a_guardian_sees_what_is_given_and_can_do_nothing(void **state)
{
    (void)state;
    char fields[300];
    begin();
    test.now_ms = MINOR_15_MS - 1;
    receipt = ask_minor(&test);
    both_enter_again();
    claim();
    minor_agrees();
    max_agrees();
    test.now_ms = MINOR_15_MS;
    browser_get(&max, minors(""));
    assert_shows(&max, "elle décide seule");
    assert_shows(&max, "A library");
    assert_hides(&max, "data-action=\"withdraw-confirm\"");
    assert_hides(&max, "data-action=\"request-open\"");
    assert_hides(&max, "Qui a reçu quelque chose");
    browser_submit(&max, minors("/withdraw"), PAIR);
    assert_status(&max, 404);
    snprintf(fields, sizeof fields, "request=%s&shown=x&period=30", receipt.id);
    browser_get(&max, minors(""));
    browser_submit(&max, minors("/give"), fields);
    assert_status(&max, 404);
    assert_int_equal(released(), 1);
    browser_get(&minor, "/");
    assert_shows(&minor, "Depuis vos 15 ans vous décidez seul·e");
    end();
}

static void test_at_18_there_is_no_guardian_any_more(void **state)
{
    (void)state;
    begin();
    test.now_ms = MINOR_18_MS - 1;
    both_enter_again();
    browser_get(&max, minors(""));
    assert_status(&max, 200);
    test.now_ms = MINOR_18_MS;
    browser_get(&max, minors(""));
    assert_status(&max, 404);
    browser_get(&max, "/minors");
    assert_hides(&max, MINOR_NAME);
    browser_get(&max, "/");
    assert_hides(&max, "href=\"/minors\"");
    browser_get(&minor, "/");
    assert_hides(&minor, MAX_NAME);
    end();
}

static void test_a_minor_without_guardians_is_told_whom_to_ask(void **state)
{
    (void)state;
    begin();
    assert_done(guardian_remove(test.vault, &family.minor, &family.max, &test_error));
    browser_get(&minor, "/");
    assert_shows(&minor, "Aucun responsable légal n’est enregistré");
    claim();
    assert_shows(&minor, "Aucun responsable légal n’est enregistré");
    browser_get(&other, "/"); /* who is of age reads nothing of all this */
    assert_hides(&other, "responsable légal");
    end();
}

/* --- A damaged file --------------------------------------------------------------------------- */

static void reopen(void)
{
    open_test_vault(&test);
    both_enter_again();
}

static void test_a_damaged_vault_of_a_minor_is_stopped_by_the_guardian(void **state)
{
    (void)state;
    char file[PATH_MAX];
    make_joint();
    for (int i = 0; i < 40; i++) { /* the largest file */
        assert_done(stance_pause(test.vault, &family.minor, NULL, &test_error));
        assert_done(stance_resume(test.vault, &family.minor, NULL, &test_error));
    }
    vault_close(&test.vault);
    find_largest_file(&test, file);
    flip_first_page(file);
    open_test_vault(&test);
    browser_close(&max);
    enter(&max, "max");
    browser_get(&max, "/minors");
    assert_status(&max, 200);
    assert_shows(&max, "dont le coffre ne se lit pas");
    browser_get(&max, minors(""));
    assert_status(&max, 500);
    assert_shows(&max, "Tout retirer");
    browser_submit(&max, minors("/stop"), "");
    assert_location(&max, "/minors");
    vault_close(&test.vault);
    flip_first_page(file);
    reopen();
    assert_int_equal(released(), 0);
    browser_get(&max, minors("")); /* whole again, there is nothing to stop in one go */
    assert_status(&max, 200);
    browser_submit(&max, minors("/stop"), "");
    assert_status(&max, 400);
    end();
}

int main(void)
{
    return TEST_RUN(
        test_a_guardian_agrees_only_to_what_is_offered, test_the_minor_agrees_then_the_guardian,
        test_the_guardian_opens_and_agrees_then_the_minor,
        test_who_agreed_is_offered_to_take_it_back, test_a_guardian_refuses_for_both,
        test_a_guardian_withdraws,
        test_all_that_a_guardian_did_is_in_the_minors_accesses_with_the_name,
        test_everything_is_said_in_english_too, test_a_stranger_finds_nothing,
        test_who_is_not_signed_in_signs_in_first, test_a_form_without_the_token_does_nothing,
        test_a_guardian_sees_no_values_and_has_only_their_own_pages,
        test_what_changed_since_it_was_read_is_read_again, test_without_a_period_nothing_is_given,
        test_agreeing_needs_somebody_who_has_just_shown_who_they_are,
        test_a_wrong_code_opens_nothing, test_a_mediator_is_offered_no_agreement_of_a_child,
        test_a_child_is_not_offered_to_let_a_structure_see_values,
        test_at_15_a_guardian_sees_what_is_given_and_can_do_nothing,
        test_at_18_there_is_no_guardian_any_more,
        test_a_minor_without_guardians_is_told_whom_to_ask,
        test_a_damaged_vault_of_a_minor_is_stopped_by_the_guardian);
}
