/* My mandates, and what a mediator does under one. */
#include "browser.h"

#include "vault/vault/mandate.h"

#define TERMS "purpose_0=" SUPPORT "&period=31&label=Mme%20T."

static struct vault_test test;
static struct browser browser;  /* the citizen's */
static struct browser mediator; /* of the hub */
static struct browser other;    /* of the centre */

static void begin(void)
{
    make_vault_with_mediators(&test);
    browser_open(&browser, test.vault);
    browser_sign_in(&browser);
    browser_open(&mediator, test.vault);
    browser_sign_in_mediator(&mediator, "ada");
    browser_open(&other, test.vault);
    browser_sign_in_mediator(&other, "bob");
}

static void end(void)
{
    browser_close(&browser);
    browser_close(&mediator);
    browser_close(&other);
    vault_close(&test.vault);
}

static enum vault_code take_id(void *context, const struct mandate *mandate,
                               struct vault_error *err)
{
    (void)err;
    memcpy(context, mandate->id, sizeof mandate->id);
    return VAULT_OK;
}

/* Give the hub a mandate, and write its address on the mediators' side, with what follows. */
static void give(const char *terms, char id[MANDATE_ID_CHARS + 1])
{
    char fields[300];
    snprintf(fields, sizeof fields, "structure=hub&%s", terms);
    browser_get(&browser, "/mandates");
    browser_submit(&browser, "/mandates", fields);
    assert_location(&browser, "/mandates");
    browser_follow(&browser);
    assert_done(mandate_list(test.vault, &test.citizen, take_id, id, &test_error));
}

static const char *address(const char *id, const char *rest)
{
    static char text[200];
    snprintf(text, sizeof text, "/mediator/%s%s", id, rest);
    return text;
}

/* A service asks. */
static struct access_receipt ask_only(const char *purpose, const char *field, const uint8_t *key)
{
    struct access_ask what = {
        .purpose = bytes_of_text(purpose), .field_count = 1, .uses = CONSENT_UNLIMITED};
    struct access_receipt receipt;
    enum access_fault fault;
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, key);
    snprintf(what.fields[0].name, sizeof what.fields[0].name, "%s", field);
    assert_done(
        access_request_open(test.vault, hold.service, &what, &receipt, &fault, &test_error));
    return receipt;
}

/* The same, and the citizen opens it, so that it is known to be theirs. */
static void ask(const char *purpose, const char *field, const uint8_t *key,
                char id[REQUEST_ID_CHARS + 1])
{
    VAULT_AUTO(access_view_finish) struct access_view view = {0};
    const struct access_receipt receipt = ask_only(purpose, field, key);
    assert_done(access_request_by_code(test.vault, &test.citizen, bytes_of_text(receipt.code),
                                       &view, &test_error));
    memcpy(id, receipt.id, sizeof receipt.id);
}

/* --- The citizen's page ----------------------------------------------------------------------- */

static void test_a_mandate_is_given_shown_and_ended(void **state)
{
    (void)state;
    char id[MANDATE_ID_CHARS + 1];
    char target[100];
    begin();
    browser_get(&browser, "/mandates");
    assert_shows(&browser, "data-action=\"mandate-give\"");
    assert_shows(&browser, "id=\"period\" name=\"period\" value=\"1\" checked");
    assert_hides(&browser, "data-action=\"mandate-end\"");
    give(TERMS, id);
    assert_shows(&browser, "le mandat est en vigueur");
    assert_shows(&browser, "A digital hub");
    snprintf(target, sizeof target, "/mandates/%s/end", id);
    browser_submit(&browser, target, "");
    assert_location(&browser, "/mandates");
    browser_follow(&browser);
    assert_hides(&browser, "data-action=\"mandate-end\"");
    browser_get(&mediator, address(id, ""));
    assert_status(&mediator, 404);
    end();
}

static void test_what_is_missing_is_said_and_nothing_is_given(void **state)
{
    (void)state;
    char id[MANDATE_ID_CHARS + 1] = "";
    begin();
    browser_get(&browser, "/mandates");
    browser_submit(&browser, "/mandates", "structure=hub&period=31");
    assert_status(&browser, 422);
    assert_shows(&browser, "Choisissez au moins un motif.");
    browser_submit(&browser, "/mandates", "structure=hub&purpose_0=" SUPPORT);
    assert_status(&browser, 422);
    browser_submit(&browser, "/mandates", "structure=nowhere&" TERMS);
    assert_status(&browser, 422);
    browser_submit(&browser, "/mandates", "structure=hub&purpose_0=" SUPPORT "&period=400");
    assert_status(&browser, 422);
    assert_done(mandate_list(test.vault, &test.citizen, take_id, id, &test_error));
    assert_string_equal(id, "");
    end();
}

static void test_a_mandate_and_its_codes_want_the_person_again_after_a_while(void **state)
{
    (void)state;
    char id[MANDATE_ID_CHARS + 1] = "";
    begin();
    browser_get(&browser, "/mandates");
    test.now_ms += (SIGN_IN_FRESH_S + 1) * 1000LL;
    browser_submit(&browser, "/mandates", "structure=hub&" TERMS);
    assert_location(&browser, "/again?next=%2Fmandates");
    browser_get(&browser, "/mandates");
    browser_submit(&browser, "/mandates/codes", "");
    assert_location(&browser, "/again?next=%2Fmandates");
    assert_done(mandate_list(test.vault, &test.citizen, take_id, id, &test_error));
    assert_string_equal(id, "");
    end();
}

static void test_a_citizen_ends_no_mandate_of_somebody_elses(void **state)
{
    (void)state;
    char id[MANDATE_ID_CHARS + 1];
    char target[100];
    struct browser stranger;
    begin();
    import_one(&test, "{\"reference\":\"T-2\",\"login\":\"autre\",\"password\":\"unautremot\","
                      "\"values\":{}}");
    give(TERMS, id);
    browser_open(&stranger, test.vault);
    browser_sign_in_as(&stranger, "autre", "unautremot");
    browser_get(&stranger, "/mandates");
    assert_hides(&stranger, id);
    snprintf(target, sizeof target, "/mandates/%s/end", id);
    browser_submit(&stranger, target, "");
    assert_status(&stranger, 404);
    browser_get(&mediator, address(id, ""));
    assert_status(&mediator, 200);
    browser_close(&stranger);
    end();
}

static void test_a_printed_code_confirms_what_a_mediator_asks_for(void **state)
{
    (void)state;
    char code[MANDATE_CODE_CHARS + 1];
    char fields[300];
    static const char mark[] = "<li><span class=\"what\">";
    begin();
    browser_get(&browser, "/mandates");
    browser_submit(&browser, "/mandates/codes", "");
    assert_status(&browser, 200);
    snprintf(code, sizeof code, "%s", strstr(browser_page(&browser), mark) + sizeof mark - 1);
    browser_get(&other, "/mediator");
    browser_submit(&other, "/mediator", TERMS "&code=2222-2222-2222");
    assert_status(&other, 422);
    assert_shows(&other, "Ce code ne vaut pas");
    snprintf(fields, sizeof fields, "%s&code=%s", TERMS, code);
    browser_submit(&other, "/mediator", fields);
    assert_location(&other, "/mediator");
    browser_follow(&other);
    assert_shows(&other, "Mme T.");
    browser_get(&browser, "/mandates");
    assert_shows(&browser, "A social centre");
    browser_get(&browser, "/accesses");
    assert_shows(&browser, "Bob Inventé, A social centre");
    end();
}

static void test_whoever_stays_gives_nothing_yet(void **state)
{
    (void)state;
    char id[MANDATE_ID_CHARS + 1] = "";
    begin();
    browser_get(&browser, "/mandates");
    browser_submit(&browser, "/mandates", "structure=hub&" TERMS "&stay=yes");
    assert_status(&browser, 200);
    assert_shows(&browser, "<option value=\"hub\" selected>");
    assert_done(mandate_list(test.vault, &test.citizen, take_id, id, &test_error));
    assert_string_equal(id, "");
    end();
}

/* --- The mediators' side ---------------------------------------------------------------------- */

static void test_a_mediator_answers_and_the_citizen_reads_who_it_was(void **state)
{
    (void)state;
    char id[MANDATE_ID_CHARS + 1];
    char request[REQUEST_ID_CHARS + 1];
    char shown[BROWSER_VALUE_CHARS];
    char fields[500];
    begin();
    give(TERMS, id);
    ask(SUPPORT, "employment.status", caseworker_key, request);
    browser_get(&mediator, address(id, ""));
    assert_shows(&mediator, "An employment plan");
    snprintf(fields, sizeof fields, "/request?request=%s", request);
    browser_get(&mediator, address(id, fields));
    assert_status(&mediator, 200);
    assert_hides(&mediator, "/values\"");
    browser_hidden(&mediator, "shown", shown);
    static const char *const not_offered[] = {"", "&period=7", "&period=30x", "&period=-30"};
    for (size_t i = 0; i < sizeof not_offered / sizeof not_offered[0]; i++) {
        snprintf(fields, sizeof fields, "request=%s&shown=%s%s", request, shown, not_offered[i]);
        browser_submit(&mediator, address(id, "/give"), fields);
        assert_status(&mediator, 422);
    }
    snprintf(fields, sizeof fields, "request=%s&shown=%s&period=30", request, shown);
    browser_submit(&mediator, address(id, "/give"), fields);
    assert_location(&mediator, address(id, ""));
    browser_follow(&mediator);
    browser_submit(&mediator, address(id, "/suspend"), "service=" CASEWORKER "&purpose=" SUPPORT);
    browser_follow(&mediator);
    browser_submit(&mediator, address(id, "/resume"), "service=" CASEWORKER "&purpose=" SUPPORT);
    browser_follow(&mediator);
    browser_submit(&mediator, address(id, "/withdraw"), "service=" CASEWORKER "&purpose=" SUPPORT);
    browser_follow(&mediator);
    assert_status(&mediator, 200);
    browser_get(&browser, "/accesses");
    assert_shows(&browser, "Fait par Ada Inventée, A digital hub.");
    assert_shows(&browser, "Un mandat a été utilisé.");
    end();
}

static void test_values_are_offered_and_shown_only_where_the_mandate_says_so(void **state)
{
    (void)state;
    char id[MANDATE_ID_CHARS + 1];
    char request[REQUEST_ID_CHARS + 1];
    char fields[200];
    begin();
    give(TERMS, id);
    ask(SUPPORT, "employment.status", caseworker_key, request);
    snprintf(fields, sizeof fields, "request=%s", request);
    browser_get(&mediator, address(id, ""));
    browser_submit(&mediator, address(id, "/values"), fields);
    assert_status(&mediator, 403);
    assert_hides(&mediator, "seeking");
    assert_done(mandate_end(test.vault, &test.citizen, id, &test_error));
    test.now_ms += 1000;
    give(TERMS "&values=yes", id);
    browser_get(&mediator, address(id, ""));
    browser_submit(&mediator, address(id, "/values"), fields);
    assert_status(&mediator, 200);
    assert_shows(&mediator, "seeking");
    end();
}

static void test_what_the_mandate_does_not_cover_is_not_there(void **state)
{
    (void)state;
    char id[MANDATE_ID_CHARS + 1];
    char request[REQUEST_ID_CHARS + 1];
    char fields[200];
    begin();
    give(TERMS, id);
    ask(LENDING, "reader.token", library_key, request);
    browser_get(&mediator, address(id, ""));
    assert_hides(&mediator, "A library");
    snprintf(fields, sizeof fields, "/request?request=%s", request);
    browser_get(&mediator, address(id, fields));
    assert_status(&mediator, 404);
    browser_get(&mediator, address(id, ""));
    snprintf(fields, sizeof fields, "request=%s&period=30", request);
    browser_submit(&mediator, address(id, "/give"), fields);
    assert_status(&mediator, 404);
    browser_get(&mediator, address(id, ""));
    browser_submit(&mediator, address(id, "/withdraw"), "service=" LIBRARY "&purpose=" LENDING);
    assert_status(&mediator, 403);
    assert_shows(&mediator, "Le mandat ne le permet pas");
    end();
}

static void test_a_mediator_opens_a_request_by_its_code_if_the_mandate_covers_it(void **state)
{
    (void)state;
    char id[MANDATE_ID_CHARS + 1];
    char fields[100];
    begin();
    give(TERMS, id);
    const struct access_receipt lending = ask_only(LENDING, "reader.token", library_key);
    const struct access_receipt support = ask_only(SUPPORT, "employment.status", caseworker_key);
    browser_get(&mediator, address(id, ""));
    snprintf(fields, sizeof fields, "code=%s", lending.code);
    browser_submit(&mediator, address(id, "/open"), fields);
    assert_status(&mediator, 422);
    assert_shows(&mediator, "ou le mandat ne la couvre pas");
    browser_submit(&mediator, address(id, "/open"), "code=");
    assert_status(&mediator, 422);
    snprintf(fields, sizeof fields, "code=%s", support.code);
    browser_get(&other, "/mediator");
    browser_submit(&other, address(id, "/open"), fields);
    assert_status(&other, 404);
    browser_submit(&mediator, address(id, "/open"), fields);
    browser_follow(&mediator);
    assert_status(&mediator, 200);
    assert_shows(&mediator, "data-action=\"consent-give\"");
    browser_get(&browser, "/accesses");
    assert_shows(&browser, "Vous avez ouvert une demande de An employment plan.");
    assert_shows(&browser, "Fait par Ada Inventée, A digital hub.");
    /* What was not covered is still nobody's, and the citizen can open it. */
    VAULT_AUTO(access_view_finish) struct access_view view = {0};
    assert_done(access_request_by_code(test.vault, &test.citizen, bytes_of_text(lending.code),
                                       &view, &test_error));
    end();
}

static void test_every_address_of_another_structures_mandate_is_not_found(void **state)
{
    (void)state;
    static const char *const sent[] = {"/values",  "/give",   "/refuse", "/withdraw",
                                       "/suspend", "/resume", "/end"};
    char id[MANDATE_ID_CHARS + 1];
    char request[REQUEST_ID_CHARS + 1];
    char fields[300];
    begin();
    give(TERMS "&values=yes", id);
    ask(SUPPORT, "employment.status", caseworker_key, request);
    browser_get(&other, address(id, ""));
    assert_status(&other, 404);
    snprintf(fields, sizeof fields, "/request?request=%s", request);
    browser_get(&other, address(id, fields));
    assert_status(&other, 404);
    snprintf(fields, sizeof fields, "request=%s&period=30&service=" CASEWORKER "&purpose=" SUPPORT,
             request);
    for (size_t i = 0; i < sizeof sent / sizeof sent[0]; i++) {
        browser_get(&other, "/mediator");
        browser_submit(&other, address(id, sent[i]), fields);
        assert_status(&other, 404);
    }
    browser_get(&mediator, address(id, ""));
    assert_status(&mediator, 200);
    end();
}

int main(void)
{
    return TEST_RUN(
        test_a_mandate_is_given_shown_and_ended, test_what_is_missing_is_said_and_nothing_is_given,
        test_a_mandate_and_its_codes_want_the_person_again_after_a_while,
        test_a_citizen_ends_no_mandate_of_somebody_elses,
        test_a_printed_code_confirms_what_a_mediator_asks_for, test_whoever_stays_gives_nothing_yet,
        test_a_mediator_answers_and_the_citizen_reads_who_it_was,
        test_values_are_offered_and_shown_only_where_the_mandate_says_so,
        test_what_the_mandate_does_not_cover_is_not_there,
        test_a_mediator_opens_a_request_by_its_code_if_the_mandate_covers_it,
        test_every_address_of_another_structures_mandate_is_not_found);
}
