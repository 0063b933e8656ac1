#include "vault_test.h"

#include "vault/event.h"
#include "vault/ledger/ledger.h"
#include "vault/parts.h"

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

/* Sign in, and learn until when the password lives. */
static int64_t first_until(struct signed_in *session)
{
    char token[SIGN_IN_TOKEN_CHARS + 1];
    int64_t until_s = 0;
    assert_done(try_password("testine", "un mot de passe", token));
    assert_done(sign_in_check(test.vault, bytes_of_text(token), session, &test_error));
    assert_done(sign_in_first_until(test.vault, session, &until_s, &test_error));
    return until_s;
}

static void test_a_password_of_an_import_lives_for_days(void **state)
{
    (void)state;
    char token[SIGN_IN_TOKEN_CHARS + 1];
    struct signed_in session;
    begin();
    const int64_t until_s = first_until(&session);
    assert_true(until_s > test.now_ms / 1000 + (SIGN_IN_FIRST_DAYS - 1) * 86400);
    assert_true(until_s <= test.now_ms / 1000 + SIGN_IN_FIRST_DAYS * 86400);
    test.now_ms = (until_s - 1) * 1000;
    assert_done(try_password("testine", "un mot de passe", token));
    test.now_ms = until_s * 1000;
    assert_fails(VAULT_DENIED, try_password("testine", "un mot de passe", token));
    test.now_ms += SIGN_IN_WAIT_MAX_S * 1000LL;
    assert_fails(VAULT_DENIED, try_password("testine", "un mot de passe", token));
    vault_close(&test.vault);
}

static void test_a_password_of_ones_own_has_no_end(void **state)
{
    (void)state;
    char token[SIGN_IN_TOKEN_CHARS + 1];
    struct signed_in session;
    int64_t until_s = 0;
    begin();
    assert_true(first_until(&session) > 0);
    assert_done(sign_in_set_password(test.vault, &session, BYTES("un mot de passe"),
                                     BYTES("une phrase assez longue"), &test_error));
    assert_done(sign_in_first_until(test.vault, &session, &until_s, &test_error));
    assert_int_equal(until_s, 0);
    test.now_ms += 400 * 86400000LL;
    assert_done(try_password("testine", "une phrase assez longue", token));
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

struct named {
    char own[SIGN_IN_TOKEN_CHARS + 1];
    char other[SIGN_IN_TOKEN_CHARS + 1];
};

static enum vault_code take_name(void *context, const struct sign_in_session *session,
                                 struct vault_error *err)
{
    (void)err;
    struct named *named = context;
    memcpy(session->is_this ? named->own : named->other, session->name, sizeof session->name);
    return VAULT_OK;
}

#define OTHER_PERSON                                                                               \
    "{\"reference\":\"T-2\",\"login\":\"autrine\",\"password\":\"un autre mot de passe\","         \
    "\"values\":{\"identity.birth_date\":{\"value\":\"1980-01-02\"}}}"

static void test_one_session_ends_by_its_name_which_opens_nothing_and_is_its_owners(void **state)
{
    (void)state;
    char token[SIGN_IN_TOKEN_CHARS + 1];
    char second[SIGN_IN_TOKEN_CHARS + 1];
    char strangers[SIGN_IN_TOKEN_CHARS + 1];
    struct signed_in session;
    struct signed_in stranger;
    struct named named = {"", ""};
    begin();
    import_one(&test, OTHER_PERSON);
    assert_done(try_password("testine", "un mot de passe", token));
    assert_done(try_password("testine", "un mot de passe", second));
    assert_done(try_password("autrine", "un autre mot de passe", strangers));
    assert_done(sign_in_check(test.vault, bytes_of_text(token), &session, &test_error));
    assert_done(sign_in_check(test.vault, bytes_of_text(strangers), &stranger, &test_error));
    assert_done(sign_in_list(test.vault, &session, take_name, &named, &test_error));
    assert_string_not_equal(named.own, named.other);
    assert_string_not_equal(named.other, second);
    assert_fails(VAULT_DENIED, check_token(named.other));
    assert_fails(VAULT_NOT_FOUND,
                 sign_out_one(test.vault, &stranger, bytes_of_text(named.other), &test_error));
    assert_fails(VAULT_NOT_FOUND, sign_out_one(test.vault, &session, BYTES(""), &test_error));
    assert_done(check_token(second));
    assert_done(sign_out_one(test.vault, &session, bytes_of_text(named.other), &test_error));
    assert_fails(VAULT_DENIED, check_token(second));
    assert_done(check_token(token));
    assert_done(check_token(strangers));
    vault_close(&test.vault);
}

static void test_an_operator_ends_all_sessions_of_one_as_an_entry(void **state)
{
    (void)state;
    char token[SIGN_IN_TOKEN_CHARS + 1];
    char second[SIGN_IN_TOKEN_CHARS + 1];
    char strangers[SIGN_IN_TOKEN_CHARS + 1];
    bool found = false;
    begin();
    import_one(&test, OTHER_PERSON);
    assert_done(try_password("testine", "un mot de passe", token));
    assert_done(try_password("testine", "un mot de passe", second));
    assert_done(try_password("autrine", "un autre mot de passe", strangers));
    const uint64_t before = ledger_head(test.vault->ledger).size;
    assert_done(sign_out_citizen(test.vault, &test.citizen, &test_error));
    assert_done(
        event_was_entered(test.vault, ENTRY_LOGIN, before, 0, 0, &found, NULL, &test_error));
    assert_true(found);
    assert_fails(VAULT_DENIED, check_token(token));
    assert_fails(VAULT_DENIED, check_token(second));
    assert_done(check_token(strangers));
    assert_done(try_password("testine", "un mot de passe", token));
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
                    test_a_password_of_an_import_lives_for_days,
                    test_a_password_of_ones_own_has_no_end,
                    test_a_session_ends_when_idle_and_when_old, test_signing_out_ends_the_session,
                    test_one_session_ends_by_its_name_which_opens_nothing_and_is_its_owners,
                    test_an_operator_ends_all_sessions_of_one_as_an_entry,
                    test_tokens_that_are_none_are_denied, test_a_session_outlives_a_restart);
}
