/* Letters: nothing gets into their headers, and a relay has them or says why not. */
#include "vault/edge/mail.h"

#include "mailbox.h"
#include "test.h"
#include "vault/crypto/crypto.h"

#define FROM  "coffre@ville.example"
#define NOW_S 1795305600 /* 2026-11-22, a Sunday */
#define STOP  "https://vault.example:8442/messages/end/x"

static struct mailbox mailbox;
static struct mail *mail;

static struct mail_letter letter_to(const char *address)
{
    return (struct mail_letter){.to = address,
                                .subject = "Du nouveau",
                                .body = "Bonjour,\n\nIl y a du nouveau.\n",
                                .stop_url = STOP,
                                .now_s = NOW_S};
}

static void begin(void)
{
    mailbox_open(&mailbox);
    const struct mail_options options = {mailbox.relay, FROM, ""};
    assert_done(mail_open(&options, &mail, &test_error));
}

static void end(void)
{
    mail_close(&mail);
    mailbox_close(&mailbox);
}

static const char *written(struct buf *out, const struct mail_letter *letter)
{
    *out = buf_limited(MAIL_BYTES_MAX);
    assert_done(mail_write(FROM, letter, out, &test_error));
    return buf_string(out);
}

static void test_a_letter_is_headers_and_text(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf out = {0};
    const struct mail_letter letter = letter_to("testine@exemple.example");
    const char *text = written(&out, &letter);
    const char *const parts[] = {"Date: Sun, 22 Nov 2026 00:00:00 +0000\r\nMessage-ID: <",
                                 "@ville.example>\r\nFrom: <" FROM ">\r\n"
                                 "To: <testine@exemple.example>\r\n"
                                 "Subject: =?UTF-8?B?RHUgbm91dmVhdQ==?=\r\n"
                                 "Auto-Submitted: auto-generated\r\n"
                                 "List-Unsubscribe: <" STOP ">\r\n"
                                 "MIME-Version: 1.0\r\n"
                                 "Content-Type: text/plain; charset=utf-8\r\n"
                                 "Content-Transfer-Encoding: base64\r\n\r\n"
                                 "Qm9uam91ciwNCg0KSWwgeSBhIGR1IG5vdXZlYXUuDQo=\r\n"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        assert_non_null(strstr(text, parts[i]));
}

static void test_two_letters_have_two_ids_and_a_single_one_no_end(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf one = {0};
    VAULT_AUTO(buf_finish) struct buf two = {0};
    struct mail_letter letter = letter_to("a@b.fr");
    letter.stop_url = NULL;
    assert_string_not_equal(written(&one, &letter), written(&two, &letter));
    assert_null(strstr(buf_string(&one), "List-Unsubscribe"));
}

static void test_no_line_is_long_and_none_but_ascii(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf out = {0};
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(MAIL_BODY_MAX_BYTES);
    for (int i = 0; i < 400; i++)
        buf_text(&body, i % 50 ? "é\xe2\x80\x99" : "\n.\n");
    struct mail_letter letter = letter_to("a@b.fr");
    letter.subject = "Été à l’île d’Aix, où « l’on » reçoit des nouvelles très longues à dire";
    letter.body = buf_string(&body);
    for (const char *line = written(&out, &letter); *line;) {
        const size_t size = strcspn(line, "\r");
        assert_true(size <= 78);
        assert_int_equal(line[size + 1], '\n');
        for (size_t i = 0; i < size; i++)
            assert_true(line[i] >= ' ' && line[i] < 0x7f);
        line += size + 2;
    }
}

static void test_an_address_that_would_be_more_than_one_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",         "a@b.fr\r\nBcc: c@d.fr", "a@b.fr>, <c@d.fr", "a@b.fr\n", "a b@c.fr",
        "<a@b.fr>", "a@b.fr> NOTIFY=NEVER"};
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(MAIL_BYTES_MAX);
    begin();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct mail_letter letter = letter_to(bad[i]);
        assert_fails(VAULT_INVALID, mail_write(FROM, &letter, &out, &test_error));
        assert_fails(VAULT_INVALID, mail_send(mail, &letter, &test_error));
    }
    assert_int_equal(out.size, 0);
    assert_int_equal(mailbox_count(&mailbox), 0);
    end();
}

static void test_a_relay_gets_what_was_written_for_whom_it_is(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf letter = buf_limited(MAIL_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf to = buf_limited(1024);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(1024);
    const struct mail_letter first = letter_to("testine@exemple.example");
    const struct mail_letter second = letter_to("o'neil&co@exemple.example");
    begin();
    assert_done(mail_send(mail, &first, &test_error));
    assert_done(mail_send(mail, &second, &test_error));
    mailbox_read(&mailbox, 2, &letter, &to);
    assert_string_equal(buf_string(&to), "FROM:<" FROM ">\nTO:<o'neil&co@exemple.example>\n");
    assert_non_null(strstr(buf_string(&letter), "\r\nTo: <o'neil&co@exemple.example>\r\n"));
    mailbox_text(&mailbox, 1, &text);
    assert_string_equal(buf_string(&text), "Bonjour,\r\n\r\nIl y a du nouveau.\r\n");
    end();
}

static void test_what_a_relay_refuses_for_good_is_told_from_what_it_may_take(void **state)
{
    (void)state;
    const struct mail_letter letter = letter_to("testine@exemple.example");
    begin();
    mailbox_refuse(&mailbox, "451 testine is not here now");
    assert_fails(VAULT_UNAVAILABLE, mail_send(mail, &letter, &test_error));
    assert_null(strstr(test_error.text, "testine"));
    mailbox_refuse(&mailbox, "550 nobody called testine");
    assert_fails(VAULT_DENIED, mail_send(mail, &letter, &test_error));
    assert_null(strstr(test_error.text, "testine"));
    mailbox_refuse(&mailbox, NULL);
    assert_done(mail_send(mail, &letter, &test_error));
    end();
}

static void test_a_relay_that_is_gone_is_no_end(void **state)
{
    (void)state;
    const struct mail_letter letter = letter_to("testine@exemple.example");
    begin();
    assert_done(mail_send(mail, &letter, &test_error));
    mailbox_close(&mailbox);
    assert_fails(VAULT_UNAVAILABLE, mail_send(mail, &letter, &test_error));
    mail_stop(mail);
    assert_fails(VAULT_UNAVAILABLE, mail_send(mail, &letter, &test_error));
    mail_close(&mail);
}

static void test_what_is_no_relay_is_refused(void **state)
{
    (void)state;
    static const char *const good[] = {"smtp://127.0.0.1:25", "smtps://relay.example",
                                       "smtp://relay.example:587"};
    static const char *const bad[] = {"",
                                      "relay.example",
                                      "https://relay.example",
                                      "smtp://",
                                      "smtp://me:secret@relay.example",
                                      "file:///etc/passwd"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(mail_relay_is_valid(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct mail_options options = {bad[i], FROM, ""};
        assert_false(mail_relay_is_valid(bad[i]));
        assert_fails(VAULT_INVALID, mail_open(&options, &mail, &test_error));
    }
    const struct mail_options nobody = {good[0], "the city <a@b.fr>", ""};
    assert_fails(VAULT_INVALID, mail_open(&nobody, &mail, &test_error));
}

int main(void)
{
    assert_done(crypto_start(true, &test_error));
    return TEST_RUN(test_a_letter_is_headers_and_text,
                    test_two_letters_have_two_ids_and_a_single_one_no_end,
                    test_no_line_is_long_and_none_but_ascii,
                    test_an_address_that_would_be_more_than_one_is_refused,
                    test_a_relay_gets_what_was_written_for_whom_it_is,
                    test_what_a_relay_refuses_for_good_is_told_from_what_it_may_take,
                    test_a_relay_that_is_gone_is_no_end, test_what_is_no_relay_is_refused);
}
