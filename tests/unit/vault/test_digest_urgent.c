/* What people hear at once about how they sign in: by a letter, if they want any. */
#include "authenticator.h"
#include "vault_test.h"

#include "vault/parts.h"
#include "vault/vault/digest.h"
#include "vault/vault/sign_in_code.h"

#define ADDRESS "testine@exemple.example"
#define RIGHT   "un mot de passe"
#define OWN     "une phrase assez longue"

static struct vault_test test;
static struct signed_in session;
static struct digest_letter letters[DIGEST_TAKE_MAX];

static enum vault_code enter(const char *password)
{
    char token[SIGN_IN_TOKEN_CHARS + 1];
    VAULT_TRY(sign_in(test.vault, BYTES("testine"), bytes_of_text(password), token, &test_error));
    return sign_in_check(test.vault, bytes_of_text(token), &session, &test_error);
}

static void want_messages(void)
{
    char code[DIGEST_CODE_CHARS + 1];
    const struct digest_wish wish = {
        .address = ADDRESS, .language = "fr", .every_s = DIGEST_WEEK_S};
    assert_done(digest_ask(test.vault, &test.citizen, &wish, code, &test_error));
    assert_done(digest_confirm(test.vault, &test.citizen, bytes_of_text(code), &test_error));
}

static void begin(void)
{
    make_filled_vault(&test);
    own_password(&test, "testine");
    want_messages();
}

static void end(void)
{
    vault_close(&test.vault);
}

static void later(int64_t seconds)
{
    test.now_ms += seconds * 1000;
}

static size_t take(void)
{
    size_t count = 9;
    bool more = true;
    assert_done(
        digest_take_urgent(test.vault, letters, DIGEST_TAKE_MAX, &count, &more, &test_error));
    assert_false(more);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(letters[i].to.address, ADDRESS);
        assert_int_equal(strlen(letters[i].stop), DIGEST_STOP_CHARS);
    }
    return count;
}

static void try_wrong_ones(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        assert_fails(VAULT_DENIED, enter("autre chose"));
}

static uint64_t log_size(void)
{
    return ledger_head(test.vault->ledger).size;
}

/* An entry would tell everybody who reads the log that there is an account of that name. */
static void test_several_wrong_tries_are_told_once_a_day_and_not_to_the_log(void **state)
{
    (void)state;
    begin();
    const uint64_t before = log_size();
    try_wrong_ones(SIGN_IN_TOLD_TRIES - 1);
    assert_int_equal(take(), 0);
    try_wrong_ones(1);
    assert_int_equal(take(), 1);
    assert_int_equal(take(), 0);
    later(SIGN_IN_WAIT_MAX_S);
    try_wrong_ones(1);
    later(DIGEST_DAY_S - SIGN_IN_WAIT_MAX_S - 1);
    assert_int_equal(take(), 0);
    later(1);
    assert_int_equal(take(), 1);
    later(DIGEST_DAY_S);
    assert_int_equal(take(), 0); /* nobody has tried since */
    assert_int_equal(log_size(), before);
    end();
}

static void test_wrong_tries_of_a_known_browser_and_of_a_session_count_too(void **state)
{
    (void)state;
    char mark[SIGN_IN_MARK_CHARS + 1];
    char token[SIGN_IN_TOKEN_CHARS + 1];
    begin();
    assert_done(enter(RIGHT));
    assert_done(sign_in_mark(test.vault, &test.citizen, mark, &test_error));
    assert_fails(VAULT_DENIED, sign_in_from(test.vault, bytes_of_text(mark), BYTES("testine"),
                                            BYTES("autre"), token, &test_error));
    for (unsigned i = 1; i < SIGN_IN_TOLD_TRIES; i++)
        assert_fails(VAULT_DENIED,
                     sign_in_again(test.vault, &session, BYTES("autre"), token, &test_error));
    assert_int_equal(take(), 1);
    end();
}

static void test_signing_in_after_wrong_tries_is_told_and_every_days_is_not(void **state)
{
    (void)state;
    struct sign_in_tries tries;
    begin();
    try_wrong_ones(1);
    assert_done(enter(RIGHT));
    assert_int_equal(take(), 0);
    try_wrong_ones(SIGN_IN_TOLD_TRIES);
    later(SIGN_IN_WAIT_MAX_S);
    assert_done(enter(RIGHT));
    assert_int_equal(take(), 1);
    assert_done(sign_in_tries(test.vault, &session, &tries, &test_error));
    assert_int_equal(tries.since, 0);
    assert_int_equal(tries.before, SIGN_IN_TOLD_TRIES);
    assert_int_equal(tries.before_s, test.now_ms / 1000);
    assert_done(enter(RIGHT));
    assert_int_equal(take(), 0);
    end();
}

static void set_password(void)
{
    assert_done(sign_in_set_password(test.vault, &session, BYTES(RIGHT), BYTES(OWN), &test_error));
}

static void make_codes(void)
{
    char codes[SIGN_IN_RECOVERY_CODES][SIGN_IN_CODE_CHARS + 1];
    assert_done(sign_in_recovery_make(test.vault, &session, codes, &test_error));
}

static void use_code(void)
{
    char codes[SIGN_IN_RECOVERY_CODES][SIGN_IN_CODE_CHARS + 1];
    assert_done(sign_in_recovery_make(test.vault, &session, codes, &test_error));
    assert_int_equal(take(), 1);
    later(DIGEST_URGENT_S);
    assert_done(enter(codes[0]));
}

static void activate(void)
{
    struct sign_in_activation sent;
    char token[SIGN_IN_TOKEN_CHARS + 1];
    assert_done(sign_in_activation_make(test.vault, "T-1", &sent, &test_error));
    assert_int_equal(take(), 1); /* an operator who makes one is told of, too */
    later(DIGEST_URGENT_S);
    assert_done(
        sign_in_activate(test.vault, bytes_of_text(sent.code), BYTES(OWN), token, &test_error));
}

static void change_passkeys(void)
{
    struct passkey_site site;
    struct authenticator key;
    char challenge[PASSKEY_CHALLENGE_CHARS + 1];
    const struct bytes browser = {session.token_hash, sizeof session.token_hash};
    authenticator_open(&key, AUTHENTICATOR_ES256);
    assert_done(passkey_site_of("https://vault.example:8442", &site, &test_error));
    assert_done(
        sign_in_passkey_challenge(test.vault, PASSKEY_TO_ADD, browser, challenge, &test_error));
    authenticator_create(&key, challenge);
    assert_done(
        sign_in_passkey_add(test.vault, &site, CITIZEN(session), "Clé", &key.answer, &test_error));
    assert_int_equal(take(), 1);
    later(DIGEST_URGENT_S);
    assert_done(
        sign_in_passkey_remove(test.vault, CITIZEN(session), key.answer.credential, &test_error));
    authenticator_close(&key);
}

static void test_each_change_of_how_one_signs_in_is_told(void **state)
{
    (void)state;
    static void (*const changes[])(void) = {set_password, make_codes, use_code, activate,
                                            change_passkeys};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        begin();
        assert_done(enter(RIGHT));
        assert_int_equal(take(), 0);
        changes[i]();
        assert_int_equal(take(), 1);
        assert_int_equal(take(), 0);
        end();
    }
}

static void test_many_changes_make_one_letter_an_hour_and_none_is_lost(void **state)
{
    (void)state;
    begin();
    assert_done(enter(RIGHT));
    for (unsigned i = 0; i < 3; i++)
        make_codes();
    assert_int_equal(take(), 1);
    make_codes();
    later(DIGEST_URGENT_S - 1);
    assert_int_equal(take(), 0);
    later(1);
    assert_int_equal(take(), 1);
    assert_done(digest_urgent_failed(test.vault, &letters[0], &test_error));
    assert_int_equal(take(), 0);
    later(DIGEST_AGAIN_S);
    assert_int_equal(take(), 1);
    end();
}

static void test_who_wants_no_messages_gets_none_and_is_shown_it(void **state)
{
    (void)state;
    struct sign_in_tries tries;
    begin();
    assert_done(digest_stop(test.vault, &test.citizen, &test_error));
    assert_done(enter(RIGHT));
    try_wrong_ones(SIGN_IN_TOLD_TRIES);
    make_codes();
    assert_int_equal(take(), 0);
    assert_done(sign_in_tries(test.vault, &session, &tries, &test_error));
    assert_int_equal(tries.since, SIGN_IN_TOLD_TRIES);
    assert_int_equal(tries.since_s, test.now_ms / 1000);
    end();
}

int main(void)
{
    return TEST_RUN(test_several_wrong_tries_are_told_once_a_day_and_not_to_the_log,
                    test_wrong_tries_of_a_known_browser_and_of_a_session_count_too,
                    test_signing_in_after_wrong_tries_is_told_and_every_days_is_not,
                    test_each_change_of_how_one_signs_in_is_told,
                    test_many_changes_make_one_letter_an_hour_and_none_is_lost,
                    test_who_wants_no_messages_gets_none_and_is_shown_it);
}
