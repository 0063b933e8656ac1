/* A request for consent: opened by its code or link, read, given, refused. */
#include "browser.h"

#include "vault/parts.h"

#include "vault/base/codec.h"
#include "vault/store/citizen_record.h"
#include "vault/store/control_service.h"

static struct vault_test test;
static struct browser browser;
static struct access_receipt receipt;
static char page[64]; /* of the request that was opened */

static void begin(void)
{
    make_filled_vault(&test);
    import_one(&test, "{\"reference\":\"T-2\",\"login\":\"deux\",\"password\":\"le second\","
                      "\"values\":{}}");
    browser_open(&browser, test.vault);
    browser_sign_in(&browser);
}

static void end(void)
{
    browser_close(&browser);
    vault_close(&test.vault);
}

static struct access_ask sample(void)
{
    return (struct access_ask){
        .purpose = BYTES(SUPPORT),
        .fields = {{"identity.birth_date", "year"}, {"employment.status", ""}},
        .field_count = 2,
        .uses = CONSENT_UNLIMITED,
    };
}

static void ask(const struct access_ask *what)
{
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, caseworker_key);
    enum access_fault fault;
    assert_done(access_request_open(test.vault, hold.service, what, &receipt, &fault, &test_error));
    snprintf(page, sizeof page, "/request/%s", receipt.id);
}

/* A request of the caseworker's, opened by its code and on the screen. */
static void open_request(const struct access_ask *what)
{
    char fields[64];
    ask(what);
    browser_get(&browser, "/request");
    snprintf(fields, sizeof fields, "code=%s", receipt.code);
    browser_submit(&browser, "/request", fields);
    assert_location(&browser, page);
    browser_follow(&browser);
    assert_status(&browser, 200);
}

static void open_sample(void)
{
    const struct access_ask what = sample();
    open_request(&what);
}

/* Send the page's form with what it showed. */
static void answer(const char *action, const char *more)
{
    char target[128];
    char shown[BROWSER_VALUE_CHARS];
    char fields[BROWSER_VALUE_CHARS * 2];
    browser_hidden(&browser, "shown", shown);
    snprintf(target, sizeof target, "%s/%s", page, action);
    snprintf(fields, sizeof fields, "shown=%s%s", shown, more);
    browser_submit(&browser, target, fields);
}

struct found {
    struct consent_field fields[4];
    size_t field_count;
    enum consent_state state;
    int64_t days;
    int64_t uses;
    size_t count;
};

static enum vault_code find(void *context, const struct consent *consent, struct vault_error *err)
{
    (void)err;
    struct found *found = context;
    found->count++;
    found->state = consent->state;
    found->uses = consent->uses;
    found->days = (consent->expires_s - consent->at_s) / 86400;
    found->field_count = consent->field_count;
    for (size_t i = 0; i < consent->field_count && i < 4; i++)
        found->fields[i] = consent->fields[i];
    return VAULT_OK;
}

static struct found consents(void)
{
    struct found found = {0};
    assert_done(consent_list(test.vault, &test.citizen, find, &found, &test_error));
    return found;
}

static void assert_nothing_decided(void)
{
    assert_int_equal(consents().count, 0);
}

/* --- Opening -------------------------------------------------------------------------------- */

static void test_a_code_opens_its_request_however_it_is_typed(void **state)
{
    (void)state;
    begin();
    const struct access_ask what = sample();
    ask(&what);
    char fields[64];
    snprintf(fields, sizeof fields, "code=+%.4s+%s", receipt.code, receipt.code + 5);
    for (char *p = fields + 5; *p; p++)
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 'a' - 'A' : *p);
    browser_submit(&browser, "/request", fields);
    assert_location(&browser, page);
    end();
}

static void test_a_wrong_code_is_one_friendly_answer(void **state)
{
    (void)state;
    begin();
    static const char *const codes[] = {"7KQM-2XWR",      "7KQM",   "%3Cscript%3E", "0000-0000",
                                        "7KQM-2XWR-7KQM", "%C3%A9", "%FF"};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        char fields[64];
        browser_get(&browser, "/request");
        snprintf(fields, sizeof fields, "code=%s", codes[i]);
        browser_submit(&browser, "/request", fields);
        assert_status(&browser, 422);
        assert_shows(&browser, "Aucune demande n’attend avec ce code.");
        assert_shows(&browser, "<a href=\"#code\">");
        assert_hides(&browser, "<script");
    }
    browser_submit(&browser, "/request", "code=7KQM-2XWR");
    assert_shows(&browser, "name=\"code\" value=\"7KQM-2XWR\"");
    end();
}

static void test_an_empty_or_huge_code_is_an_answer_too(void **state)
{
    (void)state;
    begin();
    char fields[512] = "code=";
    browser_submit(&browser, "/request", "code=");
    assert_status(&browser, 422);
    assert_shows(&browser, "Écrivez le code");
    browser_submit(&browser, "/request", "");
    assert_status(&browser, 422);
    memset(fields + 5, 'K', 400);
    browser_submit(&browser, "/request", fields);
    assert_status(&browser, 422);
    assert_shows(&browser, "Aucune demande n’attend avec ce code.");
    end();
}

static void test_the_link_opens_the_request_also_after_signing_in(void **state)
{
    (void)state;
    begin();
    const struct access_ask what = sample();
    char target[64];
    ask(&what);
    snprintf(target, sizeof target, "/r/%s", receipt.code);
    browser_submit(&browser, "/sign-out", "");
    browser_get(&browser, target);
    assert_status(&browser, 303);
    browser_follow(&browser);
    char fields[BROWSER_VALUE_CHARS];
    snprintf(fields, sizeof fields, "name=\"next\" value=\"%s\"", target);
    assert_shows(&browser, fields);
    snprintf(fields, sizeof fields, "login=testine&password=un+mot+de+passe&next=%s", target);
    browser_submit(&browser, "/sign-in", fields);
    assert_location(&browser, target);
    browser_follow(&browser);
    assert_location(&browser, page);
    browser_follow(&browser);
    assert_shows(&browser, "data-action=\"consent-give\"");
    browser_get(&browser, target);
    assert_location(&browser, page);
    browser_get(&browser, "/r/7KQM-2XWR");
    assert_status(&browser, 404);
    assert_shows(&browser, "Aucune demande n’attend avec ce code.");
    end();
}

static void test_looking_at_a_link_signed_out_claims_nothing(void **state)
{
    (void)state;
    begin();
    const struct access_ask what = sample();
    struct browser stranger;
    char target[64];
    ask(&what);
    snprintf(target, sizeof target, "/r/%s", receipt.code);
    browser_open(&stranger, test.vault);
    browser_get(&stranger, target);
    assert_status(&stranger, 303);
    browser_close(&stranger);
    browser_get(&browser, target);
    assert_location(&browser, page);
    end();
}

static void test_a_request_belongs_to_who_opened_it(void **state)
{
    (void)state;
    begin();
    open_sample();
    struct browser other;
    char target[128];
    browser_open(&other, test.vault);
    browser_sign_in_as(&other, "deux", "le+second");
    browser_get(&other, page);
    assert_status(&other, 404);
    assert_shows(&other, "Demande introuvable");
    assert_hides(&other, "An employment plan");
    snprintf(target, sizeof target, "/r/%s", receipt.code);
    browser_get(&other, target);
    assert_status(&other, 404);
    snprintf(target, sizeof target, "%s/give", page);
    browser_submit(&other, target, "period=30");
    assert_status(&other, 404);
    snprintf(target, sizeof target, "%s/refuse", page);
    browser_submit(&other, target, "");
    assert_status(&other, 404);
    browser_close(&other);
    browser_get(&browser, page);
    assert_status(&browser, 200);
    end();
}

static void test_ids_that_are_none_look_the_same(void **state)
{
    (void)state;
    begin();
    static const char *const ids[] = {"01J00000000000000000000000",
                                      "x",
                                      "..",
                                      "%",
                                      "'--",
                                      "01J000000000000000000000000000000000000000000000000000000"};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        char target[128];
        snprintf(target, sizeof target, "/request/%s", ids[i]);
        browser_get(&browser, target);
        assert_status(&browser, 404);
        assert_shows(&browser, "Demande introuvable");
    }
    end();
}

static void test_a_request_that_is_over_is_not_found(void **state)
{
    (void)state;
    begin();
    open_sample();
    test.now_ms += (int64_t)ACCESS_REQUEST_DAYS * 86400 * 1000;
    browser_sign_in(&browser);
    browser_get(&browser, page);
    assert_status(&browser, 404);
    end();
}

/* --- Reading -------------------------------------------------------------------------------- */

static void test_the_page_says_who_what_why_and_how_long(void **state)
{
    (void)state;
    begin();
    open_sample();
    assert_shows(&browser, "<h1>An employment plan vous demande des données</h1>");
    assert_shows(&browser, CASEWORKER);
    assert_shows(&browser, "a@b.example");
    assert_shows(&browser, "Accompagnement vers l&#39;emploi");
    assert_shows(&browser, "Une personne vous accompagne");
    assert_shows(&browser, "Date de naissance");
    assert_shows(&browser, "seulement l’année");
    assert_shows(&browser, "Situation d&#39;emploi");
    assert_shows(&browser, "Votre accord, et rien d’autre.");
    assert_shows(&browser, "30 jours, 180 jours ou 12 mois");
    assert_shows(&browser, "730 jours au plus.");
    assert_shows(&browser, "Refuser n’entraîne aucune sanction.");
    assert_hides(&browser, "1990-05-17");
    end();
}

static void test_the_page_speaks_english_too(void **state)
{
    (void)state;
    begin();
    browser_set_cookie(&browser, "__Host-lang", "en");
    open_sample();
    assert_shows(&browser, "<h1>An employment plan asks you for data</h1>");
    assert_shows(&browser, "Support towards a job");
    assert_shows(&browser, "Date of birth");
    assert_shows(&browser, "only the year");
    assert_shows(&browser, "30 days, 180 days or 12 months");
    assert_shows(&browser, "Refusing brings no penalty.");
    end();
}

static void test_the_hooks_name_the_request(void **state)
{
    (void)state;
    begin();
    open_sample();
    char hook[256];
    static const char *const actions[] = {"consent-give", "consent-refuse"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(hook, sizeof hook,
                 "data-action=\"%s\" data-request=\"%s\" data-service=\"" CASEWORKER
                 "\" data-purpose=\"" SUPPORT "\"",
                 actions[i], receipt.id);
        assert_shows(&browser, hook);
    }
    end();
}

static void assert_periods(int64_t asked_days, const char *first, size_t count)
{
    struct access_ask what = sample();
    what.days = asked_days;
    open_request(&what);
    const char *radio = strstr(browser_page(&browser), "type=\"radio\"");
    assert_non_null(radio);
    char expected[64];
    snprintf(expected, sizeof expected, "name=\"period\" value=\"%s\" checked>", first);
    assert_memory_equal(strstr(radio, "name="), expected, strlen(expected));
    size_t found = 0;
    for (; radio; radio = strstr(radio + 1, "type=\"radio\""))
        found++;
    assert_int_equal(found, count);
}

static void test_the_shortest_period_comes_first_and_none_is_longer_than_asked(void **state)
{
    (void)state;
    begin();
    assert_periods(0, "30", 3);
    assert_periods(366, "30", 3);
    assert_periods(181, "30", 3);
    assert_periods(180, "30", 2);
    assert_periods(31, "30", 2);
    assert_periods(30, "30", 1);
    assert_periods(29, "29", 1);
    assert_periods(1, "1", 1);
    assert_shows(&browser, "1 jour<");
    end();
}

static void test_a_period_chosen_before_is_chosen_again(void **state)
{
    (void)state;
    begin();
    open_sample();
    char target[128];
    snprintf(target, sizeof target, "%s?period=180", page);
    browser_get(&browser, target);
    assert_shows(&browser, "value=\"180\" checked>");
    snprintf(target, sizeof target, "%s?period=9999", page);
    browser_get(&browser, target);
    assert_shows(&browser, "value=\"30\" checked>");
    assert_hides(&browser, "value=\"9999\"");
    end();
}

static void test_how_often_is_said(void **state)
{
    (void)state;
    begin();
    struct access_ask what = sample();
    what.uses = 1;
    open_request(&what);
    assert_shows(&browser, "Une seule fois.");
    what.uses = 7;
    open_request(&what);
    assert_shows(&browser, "7 fois au plus.");
    what.uses = CONSENT_UNLIMITED;
    open_request(&what);
    assert_shows(&browser, "plusieurs fois");
    end();
}

static void test_a_services_words_are_text_in_the_readers_language(void **state)
{
    (void)state;
    begin();
    struct access_ask what = sample();
    what.message_fr = BYTES("Bonjour <img src=x onerror=alert(1)> {service_name} {{title}}");
    what.message_en = BYTES("Hello");
    open_request(&what);
    assert_shows(&browser, "Bonjour &lt;img src=x onerror=alert(1)&gt; {service_name} {{title}}");
    assert_hides(&browser, "<img");
    assert_hides(&browser, "Hello");
    what.message_fr = (struct bytes){0};
    open_request(&what);
    assert_shows(&browser, "Hello");
    what.message_en = (struct bytes){0};
    open_request(&what);
    assert_hides(&browser, "Ce que dit le service");
    end();
}

static void test_a_long_message_fits(void **state)
{
    (void)state;
    begin();
    static uint8_t words[ACCESS_REQUEST_MESSAGE_CHARS];
    memset(words, '&', sizeof words);
    struct access_ask what = sample();
    what.message_fr = (struct bytes){words, sizeof words};
    open_request(&what);
    assert_shows(&browser, "&amp;&amp;&amp;");
    answer("give", "&period=30");
    assert_location(&browser, "/");
    end();
}

/* --- Answering ------------------------------------------------------------------------------ */

static void test_giving_gives_what_was_shown_for_the_period_chosen(void **state)
{
    (void)state;
    begin();
    open_sample();
    answer("give", "&period=180");
    assert_location(&browser, "/");
    const struct found found = consents();
    assert_int_equal(found.count, 1);
    assert_int_equal(found.state, CONSENT_GIVEN);
    assert_int_equal(found.days, 180);
    assert_int_equal(found.uses, CONSENT_UNLIMITED);
    assert_int_equal(found.field_count, 2);
    browser_follow(&browser);
    assert_shows(&browser, "vous avez donné votre accord");
    assert_shows(&browser, "An employment plan");
    browser_get(&browser, "/");
    assert_hides(&browser, "vous avez donné votre accord");
    end();
}

/* Whoever finds a browser open gives nothing to a service that had nothing. */
static void test_a_first_consent_to_a_service_wants_the_person_again_after_a_while(void **state)
{
    (void)state;
    char wanted[160];
    begin();
    open_sample();
    test.now_ms += (SIGN_IN_FRESH_S + 1) * 1000LL;
    answer("give", "&period=30");
    snprintf(wanted, sizeof wanted, "/again?next=%%2Frequest%%2F%s%%3Fperiod%%3D30", receipt.id);
    assert_location(&browser, wanted);
    assert_nothing_decided();
    browser_follow(&browser);
    snprintf(wanted, sizeof wanted,
             "next=%%2Frequest%%2F%s%%3Fperiod%%3D30&password=un+mot+de+passe", receipt.id);
    browser_submit(&browser, "/again", wanted);
    snprintf(wanted, sizeof wanted, "%s?period=30", page);
    assert_location(&browser, wanted);
    browser_follow(&browser);
    answer("give", "&period=30");
    assert_location(&browser, "/");
    assert_int_equal(consents().count, 1);
    open_sample();
    test.now_ms += (SIGN_IN_FRESH_S + 1) * 1000LL;
    answer("give", "&period=30"); /* no first one any more */
    assert_location(&browser, "/");
    end();
}

static void test_a_service_reads_after_giving_and_not_before(void **state)
{
    (void)state;
    begin();
    char subject[SUBJECT_CHARS + 1];
    subject_of_citizen(&test, subject);
    assert_int_equal(count_released(ask_release(&test, subject)), 0);
    open_sample();
    assert_int_equal(count_released(ask_release(&test, subject)), 0);
    answer("give", "&period=30");
    assert_true(count_released(ask_release(&test, subject)) > 0);
    end();
}

static void test_a_form_that_was_not_named_is_bound_to_the_one_shown(void **state)
{
    (void)state;
    begin();
    struct access_ask what = sample();
    what.fields[0].form[0] = 0; /* the policy gives the year */
    open_request(&what);
    assert_shows(&browser, "seulement l’année");
    answer("give", "&period=30");
    const struct found found = consents();
    for (size_t i = 0; i < found.field_count; i++) {
        if (strcmp(found.fields[i].name, "identity.birth_date") == 0)
            assert_string_equal(found.fields[i].form, "year");
    }
    assert_int_equal(found.field_count, 2);
    end();
}

static void test_a_period_that_was_not_offered_gives_nothing(void **state)
{
    (void)state;
    begin();
    static const char *const periods[] = {
        "",           "&period=",    "&period=3650", "&period=31",
        "&period=-1", "&period=030", "&period=30x",  "&period=1e9"};
    open_sample();
    for (size_t i = 0; i < sizeof periods / sizeof periods[0]; i++) {
        answer("give", periods[i]);
        assert_status(&browser, 422);
        assert_shows(&browser, "<a href=\"#period\">");
        assert_shows(&browser, "id=\"period\"");
        assert_nothing_decided();
    }
    answer("give", "&period=30");
    assert_location(&browser, "/");
    end();
}

static void test_what_was_not_shown_is_not_given(void **state)
{
    (void)state;
    begin();
    open_sample();
    char target[128];
    snprintf(target, sizeof target, "%s/give", page);
    browser_submit(&browser, target, "period=30");
    assert_status(&browser, 409);
    assert_shows(&browser, "a changé depuis que vous l’avez lue");
    browser_submit(&browser, target, "period=30&shown=0000");
    assert_status(&browser, 409);
    assert_nothing_decided();
    answer("give", "&period=30");
    assert_location(&browser, "/");
    end();
}

/* The words that were agreed to are those of the page that was read. */
static void test_another_language_is_another_page(void **state)
{
    (void)state;
    begin();
    open_sample();
    browser_set_cookie(&browser, "__Host-lang", "en");
    answer("give", "&period=180");
    assert_status(&browser, 409);
    assert_shows(&browser, "This request has changed since you read it");
    assert_shows(&browser, "value=\"180\" checked>");
    assert_nothing_decided();
    answer("give", "&period=180");
    assert_location(&browser, "/");
    end();
}

static void test_refusing_takes_one_step_and_is_kept(void **state)
{
    (void)state;
    begin();
    open_sample();
    answer("refuse", "");
    assert_location(&browser, "/");
    assert_int_equal(consents().state, CONSENT_REFUSED);
    browser_follow(&browser);
    assert_shows(&browser, "vous avez refusé");
    assert_shows(&browser, "Refusé le 8 mars 2027");
    end();
}

static void test_a_refusal_counts_even_if_the_page_has_changed(void **state)
{
    (void)state;
    begin();
    open_sample();
    char target[128];
    snprintf(target, sizeof target, "%s/refuse", page);
    browser_submit(&browser, target, "shown=0000");
    assert_location(&browser, "/");
    assert_int_equal(consents().state, CONSENT_REFUSED);
    end();
}

static void test_an_answer_is_given_once(void **state)
{
    (void)state;
    begin();
    open_sample();
    char shown[BROWSER_VALUE_CHARS];
    char fields[BROWSER_VALUE_CHARS * 2];
    char target[128];
    browser_hidden(&browser, "shown", shown);
    answer("refuse", "");
    browser_follow(&browser);
    snprintf(target, sizeof target, "%s/give", page);
    snprintf(fields, sizeof fields, "shown=%s&period=30", shown);
    browser_submit(&browser, target, fields);
    assert_status(&browser, 404);
    assert_int_equal(consents().state, CONSENT_REFUSED);
    browser_get(&browser, page);
    assert_status(&browser, 404);
    assert_shows(&browser, "Vous y avez peut-être déjà répondu");
    end();
}

static enum vault_code keep_record(void *context, const struct citizen_record *record,
                                   struct vault_error *err)
{
    struct buf *out = context;
    buf_clear(out);
    buf_bytes(out, record->json);
    return buf_check(out, err);
}

/* The last consent's record as it was stored. */
static json_t *stored_record(void)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CITIZEN_RECORD_MAX_BYTES);
    json_t *record = NULL;
    assert_done(citizen_acquire(test.vault->store, &test.citizen, &citizen, &test_error));
    assert_done(citizen_record_list(citizen, "consent", 0, 100, keep_record, &text, &test_error));
    assert_done(json_parse(buf_view(&text), 8, &record, NULL, &test_error));
    return record;
}

/* Everything that the statement's list shows, and the heading, is in the text that is kept. */
static void assert_all_of_the_page_is_in(const char *text, const char *html)
{
    for (const char *p = strstr(html, "<dd"); p; p = strstr(p + 1, "<dd")) {
        for (const char *span = strstr(p, "<span"); span && span < strstr(p, "</dd>");
             span = strstr(span + 1, "<span")) {
            char shown[1024];
            const char *begin = strchr(span, '>') + 1;
            snprintf(shown, sizeof shown, "%.*s", (int)(strstr(begin, "</span>") - begin), begin);
            if (!strstr(shown, "&") && !strstr(text, shown))
                fail_msg("shown and not kept: %s", shown);
        }
    }
}

static void test_the_text_kept_is_the_one_shown_with_its_hash(void **state)
{
    (void)state;
    begin();
    open_sample();
    char html[32768];
    char shown[BROWSER_VALUE_CHARS];
    snprintf(html, sizeof html, "%s", browser_page(&browser));
    browser_hidden(&browser, "shown", shown);
    answer("give", "&period=30");
    VAULT_AUTO(json_free) json_t *record = stored_record();
    const json_t *kept = json_object_get(record, "text");
    const char *text = json_string_value(json_object_get(kept, "shown"));
    assert_string_equal(json_string_value(json_object_get(kept, "language")), "fr");
    assert_string_equal(json_string_value(json_object_get(kept, "sha256")), shown);
    assert_memory_equal(text, "An employment plan vous demande des données\n", 45);
    assert_non_null(strstr(text, "- Date de naissance – seulement l’année\n"));
    assert_non_null(strstr(text, "- Situation d'emploi – tel quel\n"));
    assert_all_of_the_page_is_in(text, html);
    assert_string_equal(json_string_value(json_object_get(record, "request")), receipt.id);
    end();
}

/* --- Services and rules that are no longer what they were ------------------------------------ */

static void test_a_suspended_service_gets_no_consent_but_a_refusal(void **state)
{
    (void)state;
    begin();
    open_sample();
    assert_done(control_service_set_state(test.vault->store, CASEWORKER, CONTROL_SERVICE_SUSPENDED,
                                          &test_error));
    answer("give", "&period=30");
    assert_status(&browser, 409);
    assert_nothing_decided();
    browser_get(&browser, page);
    assert_shows(&browser, "La ville a suspendu ce service.");
    assert_hides(&browser, "consent-give");
    answer("refuse", "");
    assert_location(&browser, "/");
    assert_int_equal(consents().state, CONSENT_REFUSED);
    end();
}

#define RULES(rules)                                                                               \
    "{\"format\":\"vault-rules/1\",\"policy\":\"employment\",\"title\":{\"fr\":\"Emploi\"},"       \
    "\"owner\":\"dpo@ville.example\",\"rules\":[" rules "]}"
#define PERMIT(id, fields, keep)                                                                   \
    "{\"id\":\"" id "\",\"effect\":\"permit\",\"why\":{\"fr\":\"P\"},"                             \
    "\"who\":{\"classes\":[\"employment.caseworker\"]},\"purposes\":[\"" SUPPORT "\"],"            \
    "\"fields\":[" fields "],\"basis\":\"consent\"" keep "}"
#define KEEP(days) ",\"must\":{\"retain_at_most_days\":" #days "}"

static void activate(const char *rules)
{
    change_test_bundle(&test, "rules/employment.json", rules, 2);
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
}

static void test_what_is_kept_for_different_times_is_said_by_field(void **state)
{
    (void)state;
    begin();
    activate(RULES(PERMIT("one", "\"identity.birth_date\"",
                          KEEP(730)) "," PERMIT("two", "\"employment.status\"", KEEP(30))));
    open_sample();
    assert_shows(&browser, "730 jours au plus.");
    assert_shows(&browser, ">30 jours au plus.");
    end();
}

static void test_where_the_rules_say_nothing_of_keeping_nothing_is_said(void **state)
{
    (void)state;
    begin();
    activate(RULES(PERMIT("one", "\"identity.birth_date\"",
                          "") "," PERMIT("two", "\"employment.status\"", KEEP(30))));
    open_sample();
    assert_shows(&browser, "Combien de temps le service les garde");
    assert_shows(&browser, ">30 jours au plus.");
    browser_submit(&browser, "/sign-out", "");
    browser_sign_in(&browser);
    struct access_ask what = sample();
    what.field_count = 1;
    open_request(&what);
    assert_hides(&browser, "Combien de temps le service les garde");
    end();
}

static void test_rules_that_changed_since_the_page_was_read_ask_to_read_again(void **state)
{
    (void)state;
    begin();
    open_sample();
    activate(RULES(PERMIT("one", "\"employment.status\"", KEEP(30))));
    answer("give", "&period=30");
    assert_status(&browser, 409);
    assert_shows(&browser, "a changé depuis que vous l’avez lue");
    assert_hides(&browser, "Date de naissance");
    assert_nothing_decided();
    answer("give", "&period=30");
    assert_location(&browser, "/");
    const struct found found = consents();
    assert_int_equal(found.field_count, 1);
    assert_string_equal(found.fields[0].name, "employment.status");
    end();
}

static void test_what_no_rule_allows_any_more_can_only_be_refused(void **state)
{
    (void)state;
    begin();
    open_sample();
    activate(RULES(PERMIT("one", "\"identity.name\"", "")));
    browser_get(&browser, page);
    assert_shows(&browser, "ne permettent plus");
    assert_hides(&browser, "consent-give");
    answer("give", "&period=30");
    assert_status(&browser, 409);
    answer("refuse", "");
    assert_location(&browser, "/");
    assert_int_equal(consents().state, CONSENT_REFUSED);
    end();
}

/* --- What the service would see -------------------------------------------------------------- */

static void test_each_field_is_shown_as_the_service_would_see_it(void **state)
{
    (void)state;
    begin();
    const struct access_ask what = sample();
    open_request(&what);
    assert_shows(&browser, "<bdi>1990</bdi>");
    assert_shows(&browser, "<bdi>seeking</bdi>");
    assert_hides(&browser, "1990-05-17");
    end();
}

/* What is written down with the decision says which data, and never what they are. */
static void test_no_value_is_part_of_the_text_that_is_kept(void **state)
{
    (void)state;
    char shown[BROWSER_VALUE_CHARS];
    char again[BROWSER_VALUE_CHARS];
    begin();
    const struct access_ask what = sample();
    open_request(&what);
    browser_hidden(&browser, "shown", shown);
    import_one(&test, "{\"reference\":\"T-3\",\"login\":\"trois\",\"password\":\"le "
                      "troisieme\",\"values\":{\"employment.status\":{\"value\":\"autre\"}}}");
    browser_close(&browser);
    browser_open(&browser, test.vault);
    browser_sign_in_as(&browser, "trois", "le troisieme");
    open_request(&what);
    browser_hidden(&browser, "shown", again);
    assert_string_equal(shown, again);
    assert_shows(&browser, "<bdi>autre</bdi>");
    assert_shows(&browser, "Votre coffre n’a pas cette donnée");
    end();
}

int main(void)
{
    return TEST_RUN(
        test_each_field_is_shown_as_the_service_would_see_it,
        test_no_value_is_part_of_the_text_that_is_kept,

        test_a_code_opens_its_request_however_it_is_typed, test_a_wrong_code_is_one_friendly_answer,
        test_an_empty_or_huge_code_is_an_answer_too,
        test_the_link_opens_the_request_also_after_signing_in,
        test_looking_at_a_link_signed_out_claims_nothing, test_a_request_belongs_to_who_opened_it,
        test_ids_that_are_none_look_the_same, test_a_request_that_is_over_is_not_found,
        test_the_page_says_who_what_why_and_how_long, test_the_page_speaks_english_too,
        test_the_hooks_name_the_request,
        test_the_shortest_period_comes_first_and_none_is_longer_than_asked,
        test_a_period_chosen_before_is_chosen_again, test_how_often_is_said,
        test_a_services_words_are_text_in_the_readers_language, test_a_long_message_fits,
        test_giving_gives_what_was_shown_for_the_period_chosen,
        test_a_first_consent_to_a_service_wants_the_person_again_after_a_while,
        test_a_service_reads_after_giving_and_not_before,
        test_a_form_that_was_not_named_is_bound_to_the_one_shown,
        test_a_period_that_was_not_offered_gives_nothing, test_what_was_not_shown_is_not_given,
        test_another_language_is_another_page, test_refusing_takes_one_step_and_is_kept,
        test_a_refusal_counts_even_if_the_page_has_changed, test_an_answer_is_given_once,
        test_the_text_kept_is_the_one_shown_with_its_hash,
        test_a_suspended_service_gets_no_consent_but_a_refusal,
        test_what_is_kept_for_different_times_is_said_by_field,
        test_where_the_rules_say_nothing_of_keeping_nothing_is_said,
        test_rules_that_changed_since_the_page_was_read_ask_to_read_again,
        test_what_no_rule_allows_any_more_can_only_be_refused);
}
