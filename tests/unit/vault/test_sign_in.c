#include "vault_test.h"

static struct vault_test test;

static void begin(void)
{
    make_filled_vault(&test);
}

static enum vault_code try_password(const char *login, const char *password,
                                    char token[SIGN_IN_TOKEN_CHARS + 1])
{
    return sign_in(test.vault, bytes_of_text(login), bytes_of_text(password), token, &test_error);
}

static enum vault_code check_token(const char *token)
{
    struct signed_in session;
    return sign_in_check(test.vault, bytes_of_text(token), &session, &test_error);
}

static void test_the_right_password_begins_a_session(void **state)
{
    (void)state;
    char token[SIGN_IN_TOKEN_CHARS + 1];
    struct signed_in session;
    begin();
    assert_done(try_password(" TESTINE ", "un mot de passe", token));
    assert_done(sign_in_check(test.vault, bytes_of_text(token), &session, &test_error));
    assert_true(citizen_id_equal(&session.citizen, &test.citizen));
    assert_true(sign_in_form_token_fits(&session, bytes_of_text(session.form_token)));
    assert_false(sign_in_form_token_fits(&session, bytes_of_text(token)));
    assert_false(sign_in_form_token_fits(&session, BYTES("")));
    vault_close(&test.vault);
}

static void test_wrong_passwords_and_unknown_logins_are_not_told_apart(void **state)
{
    (void)state;
    char token[SIGN_IN_TOKEN_CHARS + 1];
    begin();
    assert_fails(VAULT_DENIED, try_password("testine", "autre chose", token));
    const struct vault_error wrong = test_error;
    assert_fails(VAULT_DENIED, try_password("nobody", "un mot de passe", token));
    assert_string_equal(test_error.text, wrong.text);
    assert_fails(VAULT_DENIED, try_password("", "un mot de passe", token));
    assert_fails(VAULT_DENIED, try_password("testine", "", token));
    vault_close(&test.vault);
}

static void test_many_wrong_tries_make_the_next_one_wait_but_lock_nobody_out(void **state)
{
    (void)state;
    char token[SIGN_IN_TOKEN_CHARS + 1];
    begin();
    for (int i = 0; i < SIGN_IN_FREE_TRIES; i++)
        assert_fails(VAULT_DENIED, try_password("testine", "autre chose", token));
    assert_fails(VAULT_DENIED, try_password("testine", "un mot de passe", token));
    test.now_ms += SIGN_IN_WAIT_MAX_S * 1000LL;
    assert_done(try_password("testine", "un mot de passe", token));
    assert_fails(VAULT_DENIED, try_password("testine", "autre chose", token));
    assert_done(try_password("testine", "un mot de passe", token));
    vault_close(&test.vault);
}

/* --- A browser that is known ------------------------------------------------------------------ */

static enum vault_code try_from(const char *mark, const char *password)
{
    char token[SIGN_IN_TOKEN_CHARS + 1];
    return sign_in_from(test.vault, bytes_of_text(mark), BYTES("testine"), bytes_of_text(password),
                        token, &test_error);
}

static void strangers_try(void)
{
    for (int i = 0; i < 2 * SIGN_IN_FREE_TRIES; i++)
        assert_fails(VAULT_DENIED, try_from("", "autre chose"));
    assert_fails(VAULT_DENIED, try_from("", "un mot de passe"));
}

static void test_a_browser_that_is_known_does_not_wait_for_strangers(void **state)
{
    (void)state;
    char mark[SIGN_IN_MARK_CHARS + 1];
    begin();
    assert_done(sign_in_mark(test.vault, &test.citizen, mark, &test_error));
    assert_int_equal(strlen(mark), SIGN_IN_MARK_CHARS);
    strangers_try();
    assert_fails(VAULT_DENIED, try_from(mark, "autre chose"));
    assert_done(try_from(mark, "un mot de passe"));
    vault_close(&test.vault);
}

static void test_a_known_browser_has_a_pace_of_its_own(void **state)
{
    (void)state;
    char mark[SIGN_IN_MARK_CHARS + 1];
    begin();
    assert_done(sign_in_mark(test.vault, &test.citizen, mark, &test_error));
    for (int i = 0; i < SIGN_IN_MARK_TRIES; i++)
        assert_fails(VAULT_DENIED, try_from(mark, "autre chose"));
    assert_fails(VAULT_DENIED, try_from(mark, "un mot de passe"));
    assert_done(try_from("", "un mot de passe")); /* the others are not slowed by it */
    vault_close(&test.vault);
}

static void test_a_mark_of_somebody_else_or_made_up_counts_for_nothing(void **state)
{
    (void)state;
    char mark[SIGN_IN_MARK_CHARS + 1];
    begin();
    const struct citizen_id other = citizen_id_new();
    assert_done(sign_in_mark(test.vault, &other, mark, &test_error));
    strangers_try();
    assert_fails(VAULT_DENIED, try_from(mark, "un mot de passe"));
    memset(mark, 'A', SIGN_IN_MARK_CHARS);
    assert_fails(VAULT_DENIED, try_from(mark, "un mot de passe"));
    vault_close(&test.vault);
}

static void test_a_session_ends_when_idle_and_when_old(void **state)
{
    (void)state;
    char token[SIGN_IN_TOKEN_CHARS + 1];
    begin();
    assert_done(try_password("testine", "un mot de passe", token));
    test.now_ms += (SIGN_IN_IDLE_S - 1) * 1000LL;
    assert_done(check_token(token));
    test.now_ms += SIGN_IN_IDLE_S * 1000LL;
    assert_fails(VAULT_DENIED, check_token(token));
    assert_done(try_password("testine", "un mot de passe", token));
    for (int64_t spent = 0; spent + 600 < SIGN_IN_LONGEST_S; spent += 600) {
        test.now_ms += 600 * 1000LL;
        assert_done(check_token(token));
    }
    test.now_ms += 600 * 1000LL;
    assert_fails(VAULT_DENIED, check_token(token));
    vault_close(&test.vault);
}

static void test_signing_out_ends_the_session(void **state)
{
    (void)state;
    char token[SIGN_IN_TOKEN_CHARS + 1];
    struct signed_in session;
    begin();
    assert_done(try_password("testine", "un mot de passe", token));
    assert_done(sign_in_check(test.vault, bytes_of_text(token), &session, &test_error));
    assert_done(sign_out(test.vault, &session, &test_error));
    assert_fails(VAULT_DENIED, check_token(token));
    vault_close(&test.vault);
}

static void test_tokens_that_are_none_are_denied(void **state)
{
    (void)state;
    begin();
    assert_fails(VAULT_DENIED, check_token(""));
    assert_fails(VAULT_DENIED, check_token("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    assert_fails(VAULT_DENIED, check_token("short"));
    vault_close(&test.vault);
}

static void test_a_session_outlives_a_restart(void **state)
{
    (void)state;
    char token[SIGN_IN_TOKEN_CHARS + 1];
    begin();
    assert_done(try_password("testine", "un mot de passe", token));
    reopen_test_vault(&test);
    assert_done(check_token(token));
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(test_a_browser_that_is_known_does_not_wait_for_strangers,
                    test_a_known_browser_has_a_pace_of_its_own,
                    test_a_mark_of_somebody_else_or_made_up_counts_for_nothing,
                    test_the_right_password_begins_a_session,
                    test_wrong_passwords_and_unknown_logins_are_not_told_apart,
                    test_many_wrong_tries_make_the_next_one_wait_but_lock_nobody_out,
                    test_a_session_ends_when_idle_and_when_old, test_signing_out_ends_the_session,
                    test_tokens_that_are_none_are_denied, test_a_session_outlives_a_restart);
}
