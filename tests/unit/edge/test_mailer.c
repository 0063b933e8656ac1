/* The post room: codes at once, messages when they are due, and a relay that is away. */
#include "vault/edge/mailer.h"

#include <unistd.h>

#include "mailbox.h"
#include "vault/edge/metrics.h"
#include "vault/vault/digest.h"
#include "vault_test.h"

#define ADDRESS     "testine@exemple.example"
#define BASE        "https://vault.example:8442"
#define PATIENCE_MS 10000

static struct vault_test test;
static struct mailbox mailbox;
static struct sealing *sealing;
static struct mailer *mailer;

static enum vault_code open_it(void *context, const struct secret *secret, struct vault **out,
                               struct vault_error *err)
{
    (void)context;
    (void)secret;
    (void)err;
    *out = test.vault;
    return VAULT_OK;
}

static void close_it(void *context)
{
    (void)context;
}

static void start_mailer(void)
{
    const struct mailer_options options = {.mail = {mailbox.relay, "coffre@ville.example", ""},
                                           .base = BASE,
                                           .sealing = sealing,
                                           .clock = clock_system,
                                           .look_ms = 20};
    assert_done(mailer_open(&options, &mailer, &test_error));
    assert_done(mailer_start(mailer, &test_error));
}

static void begin(void)
{
    static const struct sealing_calls calls = {NULL, open_it, close_it, NULL};
    make_filled_vault(&test);
    mailbox_open(&mailbox);
    assert_done(sealing_new(&calls, &sealing, &test_error));
    assert_done(sealing_unseal(sealing, NULL, &test_error));
    start_mailer();
}

static void end(void)
{
    mailer_close(&mailer);
    sealing_free(&sealing);
    mailbox_close(&mailbox);
    vault_close(&test.vault);
}

/* Messages for the test's citizen, in a language, from now on. */
static void want_messages(const char *language)
{
    char code[DIGEST_CODE_CHARS + 1];
    struct digest_wish wish = {.address = ADDRESS, .every_s = DIGEST_WEEK_S};
    snprintf(wish.language, sizeof wish.language, "%s", language);
    assert_done(digest_ask(test.vault, &test.citizen, &wish, code, &test_error));
    assert_done(digest_confirm(test.vault, &test.citizen, bytes_of_text(code), &test_error));
}

static void make_news(void)
{
    char subject[SUBJECT_CHARS + 1];
    subject_of_citizen(&test, subject);
    json_decref(ask_release(&test, subject));
    test.now_ms += DIGEST_WEEK_S * 1000;
}

/* A figure by its place. */
static uint64_t figure(size_t offset)
{
    const struct mailer_figures figures = mailer_figures(mailer);
    uint64_t value;
    memcpy(&value, (const char *)&figures + offset, sizeof value);
    return value;
}

#define FIGURE(name) offsetof(struct mailer_figures, name)

static void wait_for(size_t offset, uint64_t wanted)
{
    const int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (figure(offset) < wanted && clock_monotonic_ms() < until_ms)
        usleep(2000);
    assert_true(figure(offset) >= wanted);
}

/* The same, while time goes on: a failure is counted a moment before it is noted when to try
 * again. */
static void wait_for_another_try(size_t offset, uint64_t wanted)
{
    const int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (figure(offset) < wanted && clock_monotonic_ms() < until_ms) {
        test.now_ms += DIGEST_AGAIN_S * 1000LL;
        usleep(20000);
    }
    assert_true(figure(offset) >= wanted);
}

static enum vault_code send_code(const char *language)
{
    return mailer_send_code(mailer, ADDRESS, language, "7KQM-2XWR", &test_error);
}

static void test_a_code_goes_out_at_once_in_its_language(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf french = buf_limited(4096);
    VAULT_AUTO(buf_finish) struct buf english = buf_limited(4096);
    begin();
    assert_done(send_code("fr"));
    mailbox_text(&mailbox, 1, &french);
    assert_non_null(strstr(buf_string(&french), "\r\n    7KQM-2XWR\r\n\r\n" BASE "/messages\r\n"));
    assert_non_null(strstr(buf_string(&french), "Bonjour,"));
    assert_done(send_code("en"));
    mailbox_text(&mailbox, 2, &english);
    assert_non_null(strstr(buf_string(&english), "Hello,"));
    wait_for(FIGURE(codes_sent), 2);
    assert_int_equal(figure(FIGURE(failures)), 0);
    assert_int_equal(figure(FIGURE(waiting)), 0);
    end();
}

/* What is new is looked for by the vault's time; nothing of it is in the letter. */
static void test_a_message_says_that_something_is_new_and_nothing_of_what(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(4096);
    VAULT_AUTO(buf_finish) struct buf letter = buf_limited(8192);
    VAULT_AUTO(buf_finish) struct buf to = buf_limited(1024);
    begin();
    want_messages("en");
    make_news();
    mailbox_read(&mailbox, 1, &letter, &to);
    mailbox_text(&mailbox, 1, &text);
    assert_non_null(strstr(buf_string(&to), "TO:<" ADDRESS ">"));
    assert_non_null(strstr(buf_string(&letter), "List-Unsubscribe: <" BASE "/messages/end/"));
    assert_non_null(strstr(buf_string(&text), "\r\n" BASE "/accesses\r\n"));
    static const char *const hidden[] = {CASEWORKER,   SUPPORT, "Testine", "birth",
                                         "employment", "PLIE",  "T-1"};
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
        assert_null(strcasestr(buf_string(&text), hidden[i]));
        if (strcmp(hidden[i], "Testine") != 0) /* the invented address has that */
            assert_null(strcasestr(buf_string(&letter), hidden[i]));
    }
    wait_for(FIGURE(messages_sent), 1);
    make_news();
    wait_for(FIGURE(messages_sent), 2);
    assert_int_equal(mailbox_count(&mailbox), 2);
    end();
}

/* At once, and one for all of it; the letter does not say which it was. */
static void test_wrong_tries_and_a_change_make_a_letter_at_once(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(4096);
    VAULT_AUTO(buf_finish) struct buf letter = buf_limited(8192);
    VAULT_AUTO(buf_finish) struct buf to = buf_limited(1024);
    char token[SIGN_IN_TOKEN_CHARS + 1];
    begin();
    want_messages("en");
    for (int i = 0; i < SIGN_IN_TOLD_TRIES; i++)
        assert_fails(VAULT_DENIED,
                     sign_in(test.vault, BYTES("testine"), BYTES("wrong"), token, &test_error));
    mailbox_read(&mailbox, 1, &letter, &to);
    mailbox_text(&mailbox, 1, &text);
    assert_non_null(strstr(buf_string(&to), "TO:<" ADDRESS ">"));
    assert_non_null(strstr(buf_string(&text), "something changed about how you sign in"));
    assert_non_null(strstr(buf_string(&letter), "List-Unsubscribe: <" BASE "/messages/end/"));
    assert_non_null(strstr(buf_string(&text), "\r\n" BASE "/security\r\n"));
    assert_null(strstr(buf_string(&text), "Testine"));
    wait_for(FIGURE(messages_sent), 1);
    mailbox_refuse(&mailbox, "451 not now");
    test.now_ms += DIGEST_URGENT_S * 1000LL;
    assert_done(sign_out_citizen(test.vault, &test.citizen, &test_error));
    wait_for(FIGURE(failures), 1);
    mailbox_refuse(&mailbox, NULL);
    wait_for_another_try(FIGURE(messages_sent), 2);
    assert_int_equal(mailbox_count(&mailbox), 2);
    end();
}

static void test_what_a_message_carries_ends_them(void **state)
{
    (void)state;
    struct digest_wish wish;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(4096);
    begin();
    want_messages("fr");
    make_news();
    mailbox_text(&mailbox, 1, &text);
    const char *stop = strstr(buf_string(&text), "/messages/end/");
    assert_non_null(stop);
    stop += strlen("/messages/end/");
    assert_done(
        digest_stop_named(test.vault, (struct bytes){(const uint8_t *)stop, 22}, &test_error));
    assert_fails(VAULT_NOT_FOUND, digest_of(test.vault, &test.citizen, &wish, &test_error));
    end();
}

static void test_a_relay_that_is_away_is_tried_again(void **state)
{
    (void)state;
    begin();
    mailbox_refuse(&mailbox, "451 not now");
    want_messages("fr");
    make_news();
    wait_for(FIGURE(failures), 1);
    const struct metrics metrics = {.mailer = mailer};
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(METRICS_BYTES_MAX);
    metrics_write(&metrics, NULL, &text);
    assert_non_null(strstr(buf_string(&text), "\nvault_mail_failures_in_a_row 1\n"));
    assert_non_null(strstr(buf_string(&text), "{kind=\"message\",outcome=\"sent\"} 0\n"));
    assert_int_equal(figure(FIGURE(failures_in_a_row)), figure(FIGURE(failures)));
    assert_int_equal(figure(FIGURE(messages_sent)), 0);
    mailbox_refuse(&mailbox, NULL);
    wait_for_another_try(FIGURE(messages_sent), 1);
    assert_int_equal(figure(FIGURE(failures_in_a_row)), 0);
    end();
}

static void test_a_code_that_is_refused_for_good_is_dropped_and_counted(void **state)
{
    (void)state;
    begin();
    mailbox_refuse(&mailbox, "550 nobody here");
    assert_done(send_code("fr"));
    wait_for(FIGURE(refused), 1);
    assert_int_equal(figure(FIGURE(waiting)), 0);
    assert_int_equal(figure(FIGURE(failures)), 0);
    end();
}

static void test_codes_that_wait_are_few(void **state)
{
    (void)state;
    begin();
    mailbox_refuse(&mailbox, "451 not now");
    for (int i = 0; i < MAILER_CODES_MAX; i++) {
        if (send_code("fr"))
            break;
    }
    wait_for(FIGURE(failures), MAILER_CODES_MAX);
    wait_for(FIGURE(waiting),
             MAILER_CODES_MAX); /* none is dropped: one may be tried again by now */
    assert_false(mailer_has_room(mailer));
    assert_fails(VAULT_LIMITED, send_code("fr"));
    end(); /* and none of them is waited for */
}

static void test_a_sealed_vault_tells_nobody(void **state)
{
    (void)state;
    begin();
    want_messages("fr");
    assert_done(sealing_seal(sealing, &test_error));
    make_news();
    assert_done(send_code("fr"));
    wait_for(FIGURE(codes_sent), 1);
    assert_int_equal(figure(FIGURE(messages_sent)), 0);
    assert_done(sealing_unseal(sealing, NULL, &test_error));
    wait_for(FIGURE(messages_sent), 1);
    end();
}

int main(void)
{
    return TEST_RUN(test_wrong_tries_and_a_change_make_a_letter_at_once,
                    test_a_code_goes_out_at_once_in_its_language,
                    test_a_message_says_that_something_is_new_and_nothing_of_what,
                    test_what_a_message_carries_ends_them, test_a_relay_that_is_away_is_tried_again,
                    test_a_code_that_is_refused_for_good_is_dropped_and_counted,
                    test_codes_that_wait_are_few, test_a_sealed_vault_tells_nobody);
}
