/* Being told by e-mail: the page, the code that comes by a letter, and the end. */
#include "browser.h"
#include "mailbox.h"
#include "vault/edge/mailer.h"
#include "vault/vault/digest.h"

#define ADDRESS   "testine@exemple.example"
#define ADDRESS_E "testine%40exemple.example"

static struct vault_test test;
static struct browser browser;
static struct mailbox mailbox;
static struct sealing *sealing; /* sealed: nobody is told of anything here */
static struct mailer *mailer;

static void start_mailer(void)
{
    static const struct sealing_calls calls = {0};
    mailbox_open(&mailbox);
    assert_done(sealing_new(&calls, &sealing, &test_error));
    const struct mailer_options options = {.mail = {mailbox.relay, "coffre@ville.example", ""},
                                           .base = BROWSER_BASE,
                                           .sealing = sealing,
                                           .clock = clock_system};
    assert_done(mailer_open(&options, &mailer, &test_error));
    assert_done(mailer_start(mailer, &test_error));
}

static void begin(void)
{
    make_filled_vault(&test);
    start_mailer();
    browser_open(&browser, test.vault);
    browser.pages.mailer = mailer;
    browser_sign_in(&browser);
    browser_get(&browser, "/messages");
    assert_status(&browser, 200);
}

static void end(void)
{
    browser_close(&browser);
    mailer_close(&mailer);
    sealing_free(&sealing);
    mailbox_close(&mailbox);
    vault_close(&test.vault);
}

/* The code in the n-th letter. */
static const char *code_in(unsigned n)
{
    static char code[DIGEST_CODE_CHARS + 1];
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(4096);
    mailbox_text(&mailbox, n, &text);
    const char *at = strstr(buf_string(&text), "\r\n    ");
    assert_non_null(at);
    snprintf(code, sizeof code, "%.*s", DIGEST_CODE_CHARS, at + 6);
    return code;
}

static void ask_and_confirm(void)
{
    char fields[64];
    browser_submit(&browser, "/messages", "address=" ADDRESS_E "&every=day");
    assert_location(&browser, "/messages");
    browser_follow(&browser);
    assert_shows(&browser, "Un code part vers votre adresse.");
    assert_shows(&browser, "<strong>" ADDRESS "</strong>");
    snprintf(fields, sizeof fields, "code=%s", code_in(1));
    browser_submit(&browser, "/messages/code", fields);
    assert_location(&browser, "/messages");
    browser_follow(&browser);
}

static void test_an_address_counts_once_its_code_was_typed(void **state)
{
    (void)state;
    begin();
    assert_shows(&browser, "Vous ne recevez pas de message.");
    ask_and_confirm();
    assert_shows(&browser, "vous recevrez les messages");
    assert_shows(&browser, "<strong>" ADDRESS "</strong>, une fois par jour au plus.");
    assert_shows(&browser, "value=\"" ADDRESS "\"");
    assert_shows(&browser, "value=\"day\" checked");
    end();
}

static void test_how_often_is_changed_without_a_code(void **state)
{
    (void)state;
    begin();
    ask_and_confirm();
    browser_submit(&browser, "/messages", "address=" ADDRESS_E "&every=week");
    browser_follow(&browser);
    assert_shows(&browser, "C’est changé.");
    assert_shows(&browser, "une fois par semaine au plus");
    assert_int_equal(mailbox_count(&mailbox), 1);
    end();
}

static void test_messages_are_stopped_by_one_button(void **state)
{
    (void)state;
    begin();
    ask_and_confirm();
    browser_submit(&browser, "/messages/stop", "");
    browser_follow(&browser);
    assert_shows(&browser, "vous ne recevrez plus de message");
    assert_shows(&browser, "Vous ne recevez pas de message.");
    assert_hides(&browser, ADDRESS);
    end();
}

static void test_a_message_stops_them_without_a_session(void **state)
{
    (void)state;
    struct browser stranger;
    struct digest_letter letter;
    size_t count;
    bool more;
    char path[128];
    begin();
    ask_and_confirm();
    char subject[SUBJECT_CHARS + 1];
    subject_of_citizen(&test, subject);
    json_decref(ask_release(&test, subject));
    test.now_ms += DIGEST_WEEK_S * 1000;
    assert_done(digest_take(test.vault, &letter, 1, &count, &more, &test_error));
    assert_int_equal(count, 1);
    snprintf(path, sizeof path, "/messages/end/%s", letter.stop);
    browser_open(&stranger, test.vault);
    browser_get(&stranger, path);
    assert_status(&stranger, 200);
    assert_hides(&stranger, "testine");
    struct digest_wish wish;
    assert_done(digest_of(test.vault, &test.citizen, &wish, &test_error)); /* looking is nothing */
    browser_submit(&stranger, path, "");
    assert_location(&stranger, "/messages/end");
    browser_follow(&stranger);
    assert_shows(&stranger, "Plus aucun message ne sera envoyé.");
    assert_fails(VAULT_NOT_FOUND, digest_of(test.vault, &test.citizen, &wish, &test_error));
    browser_close(&stranger);
    end();
}

static void test_what_is_no_address_is_shown_again_as_text(void **state)
{
    (void)state;
    static const struct {
        const char *fields;
        const char *shown;
    } wrong[] = {
        {"address=&every=day", "Écrivez votre adresse e-mail."},
        {"address=" ADDRESS_E, "Choisissez un rythme."},
        {"address=" ADDRESS_E "&every=hour", "Choisissez un rythme."},
        {"address=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&every=week",
         "value=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\""},
        {"address=a%40b.fr%0D%0ABcc%3A%20c%40d.fr&every=week",
         "Cette adresse n’a pas la bonne forme"},
    };
    begin();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        browser_submit(&browser, "/messages", wrong[i].fields);
        assert_status(&browser, 422);
        assert_shows(&browser, wrong[i].shown);
        assert_hides(&browser, "<script>");
    }
    browser_get(&browser, "/messages");
    assert_shows(&browser, "Vous ne recevez pas de message.");
    assert_int_equal(mailbox_count(&mailbox), 0);
    end();
}

static void test_a_second_code_has_to_wait(void **state)
{
    (void)state;
    begin();
    browser_submit(&browser, "/messages", "address=" ADDRESS_E "&every=day");
    browser_follow(&browser);
    browser_submit(&browser, "/messages", "address=autre%40exemple.example&every=day");
    assert_status(&browser, 429);
    assert_shows(&browser, "Attendez dix minutes");
    assert_shows(&browser, "value=\"autre@exemple.example\"");
    end();
}

static void test_a_wrong_code_says_so_and_the_right_one_still_counts(void **state)
{
    (void)state;
    begin();
    browser_submit(&browser, "/messages", "address=" ADDRESS_E "&every=day");
    browser_follow(&browser);
    browser_submit(&browser, "/messages/code", "code=2222-2222");
    assert_status(&browser, 422);
    assert_shows(&browser, "Ce n’est pas le bon code");
    assert_shows(&browser, "href=\"#code\"");
    browser_submit(&browser, "/messages/code", "code=");
    assert_status(&browser, 422);
    end();
}

static void test_what_was_typed_survives_a_session_that_ended(void **state)
{
    (void)state;
    begin();
    test.now_ms += 13LL * 60 * 60 * 1000;
    browser_submit(&browser, "/messages", "address=" ADDRESS_E "&every=week");
    assert_status(&browser, 403);
    assert_shows(&browser, "value=\"" ADDRESS "\"");
    assert_int_equal(mailbox_count(&mailbox), 0);
    end();
}

static void test_without_a_relay_there_is_no_such_page_and_no_word_of_it(void **state)
{
    (void)state;
    begin();
    browser_get(&browser, "/security");
    assert_shows(&browser, "href=\"/messages\"");
    browser_get(&browser, "/accesses");
    assert_shows(&browser, "href=\"/messages\"");
    browser.pages.mailer = NULL;
    static const char *const pages[] = {"/security", "/accesses"};
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        browser_get(&browser, pages[i]);
        assert_hides(&browser, "/messages");
    }
    browser_get(&browser, "/messages");
    assert_status(&browser, 404);
    browser_get(&browser, "/security");
    static const char *const forms[] = {"/messages", "/messages/code", "/messages/stop"};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        browser_get(&browser, "/security");
        browser_submit(&browser, forms[i], "address=" ADDRESS_E "&every=week&code=2222-2222");
        assert_status(&browser, 404);
    }
    end();
}

int main(void)
{
    return TEST_RUN(
        test_an_address_counts_once_its_code_was_typed, test_how_often_is_changed_without_a_code,
        test_messages_are_stopped_by_one_button, test_a_message_stops_them_without_a_session,
        test_what_is_no_address_is_shown_again_as_text, test_a_second_code_has_to_wait,
        test_a_wrong_code_says_so_and_the_right_one_still_counts,
        test_what_was_typed_survives_a_session_that_ended,
        test_without_a_relay_there_is_no_such_page_and_no_word_of_it);
}
