/* Mediators' passkeys: added, used, held apart from citizens', and needed where the city says so.
 */
#include "authenticator.h"
#include "vault_test.h"

#include "vault/vault/mediator.h"

#define BROWSER BYTES("browser")

static struct vault_test test;
static struct authenticator key;
static struct passkey_site site;
static char challenge[PASSKEY_CHALLENGE_CHARS + 1];

static void begin(void)
{
    make_vault_with_mediators(&test);
    assert_done(passkey_site_of("https://vault.example:8442", &site, &test_error));
    authenticator_open(&key, AUTHENTICATOR_ES256);
}

static void end(void)
{
    authenticator_close(&key);
    vault_close(&test.vault);
}

/* From here on the city wants a passkey of mediators, or no longer. */
static void need_passkeys(bool need)
{
    test.options.mediators_need_passkey = need;
    reopen_test_vault(&test);
}

static enum vault_code enter(const char *login, const char *password, struct mediator_seat *seat)
{
    char token[ACTOR_TOKEN_CHARS + 1];
    VAULT_TRY(mediator_sign_in(test.vault, bytes_of_text(login), bytes_of_text(password), token,
                               &test_error));
    return mediator_check(test.vault, bytes_of_text(token), seat, &test_error);
}

static struct bytes hash_of(const uint8_t *token_hash)
{
    return (struct bytes){token_hash, SHA256_BYTES};
}

static void ask(enum passkey_use use, struct bytes browser)
{
    test.now_ms++;
    assert_done(sign_in_passkey_challenge(test.vault, use, browser, challenge, &test_error));
}

static enum vault_code add(const struct mediator_seat *seat)
{
    ask(PASSKEY_TO_ADD, hash_of(seat->token_hash));
    authenticator_create(&key, challenge);
    return sign_in_passkey_add(test.vault, &site, MEDIATOR(*seat), "Clé", &key.answer, &test_error);
}

static enum vault_code enter_by_key(struct mediator_seat *seat)
{
    char token[ACTOR_TOKEN_CHARS + 1];
    ask(PASSKEY_TO_SIGN_IN_MEDIATOR, BROWSER);
    authenticator_sign(&key, challenge);
    VAULT_TRY(
        mediator_sign_in_passkey(test.vault, &site, BROWSER, &key.answer, token, &test_error));
    return mediator_check(test.vault, bytes_of_text(token), seat, &test_error);
}

static struct mediator_account account_of(const struct mediator_seat *seat)
{
    struct mediator_account account;
    assert_done(mediator_account(test.vault, seat, &account, &test_error));
    return account;
}

static void test_a_mediator_adds_one_and_signs_in_by_it(void **state)
{
    (void)state;
    struct mediator_seat seat;
    begin();
    assert_done(enter("ada", MEDIATOR_PASSWORD, &seat));
    assert_int_equal(account_of(&seat).passkeys, 0);
    assert_done(add(&seat));
    assert_int_equal(account_of(&seat).passkeys, 1);
    assert_int_equal(account_of(&seat).passkeys_s, test.now_ms / 1000);
    assert_done(enter_by_key(&seat));
    assert_string_equal(seat.login, "ada");
    assert_done(enter("ada", MEDIATOR_PASSWORD, &seat)); /* it is offered, and takes nothing away */
    test.now_ms += 5000;
    assert_done(
        sign_in_passkey_remove(test.vault, MEDIATOR(seat), key.answer.credential, &test_error));
    assert_int_equal(account_of(&seat).passkeys_s, test.now_ms / 1000);
    assert_fails(VAULT_DENIED, enter_by_key(&seat));
    end();
}

static void test_an_answer_counts_once_for_its_use_and_browser(void **state)
{
    (void)state;
    char token[ACTOR_TOKEN_CHARS + 1];
    struct mediator_seat seat;
    begin();
    assert_done(enter("ada", MEDIATOR_PASSWORD, &seat));
    assert_done(add(&seat));
    assert_fails(VAULT_DENIED, sign_in_passkey_add(test.vault, &site, MEDIATOR(seat), "Clé",
                                                   &key.answer, &test_error));
    assert_done(enter_by_key(&seat));
    assert_fails(VAULT_DENIED, mediator_sign_in_passkey(test.vault, &site, BROWSER, &key.answer,
                                                        token, &test_error));
    ask(PASSKEY_TO_SIGN_IN_MEDIATOR, BYTES("another"));
    authenticator_sign(&key, challenge);
    assert_fails(VAULT_DENIED, mediator_sign_in_passkey(test.vault, &site, BROWSER, &key.answer,
                                                        token, &test_error));
    ask(PASSKEY_TO_SIGN_IN, BROWSER);
    authenticator_sign(&key, challenge);
    assert_fails(VAULT_DENIED, mediator_sign_in_passkey(test.vault, &site, BROWSER, &key.answer,
                                                        token, &test_error));
    ask(PASSKEY_TO_SIGN_IN_MEDIATOR, BROWSER);
    key.flags = AUTHENTICATOR_PRESENT; /* and not verified */
    authenticator_sign(&key, challenge);
    assert_fails(VAULT_DENIED, mediator_sign_in_passkey(test.vault, &site, BROWSER, &key.answer,
                                                        token, &test_error));
    end();
}

static struct signed_in enter_citizen(void)
{
    char token[SIGN_IN_TOKEN_CHARS + 1];
    struct signed_in session;
    assert_done(
        sign_in(test.vault, BYTES("testine"), BYTES("un mot de passe"), token, &test_error));
    assert_done(sign_in_check(test.vault, bytes_of_text(token), &session, &test_error));
    return session;
}

static void test_a_mediators_opens_nothing_of_a_citizen(void **state)
{
    (void)state;
    char token[SIGN_IN_TOKEN_CHARS + 1];
    struct mediator_seat seat;
    begin();
    struct signed_in citizen = enter_citizen();
    assert_done(enter("ada", MEDIATOR_PASSWORD, &seat));
    assert_done(add(&seat));
    ask(PASSKEY_TO_SIGN_IN, BROWSER);
    authenticator_sign(&key, challenge);
    assert_fails(VAULT_DENIED,
                 sign_in_passkey(test.vault, &site, BROWSER, &key.answer, token, &test_error));
    ask(PASSKEY_TO_REAUTHENTICATE, hash_of(citizen.token_hash));
    authenticator_sign(&key, challenge);
    assert_fails(VAULT_DENIED, sign_in_passkey_again(test.vault, &site, &citizen, &key.answer,
                                                     token, &test_error));
    assert_fails(VAULT_NOT_FOUND, sign_in_passkey_remove(test.vault, CITIZEN(citizen),
                                                         key.answer.credential, &test_error));
    assert_done(enter_by_key(&seat)); /* all else was right */
    end();
}

static void test_a_citizens_opens_nothing_of_a_mediator(void **state)
{
    (void)state;
    char token[ACTOR_TOKEN_CHARS + 1];
    struct mediator_seat seat;
    begin();
    const struct signed_in citizen = enter_citizen();
    assert_done(enter("ada", MEDIATOR_PASSWORD, &seat));
    ask(PASSKEY_TO_ADD, hash_of(citizen.token_hash));
    authenticator_create(&key, challenge);
    assert_done(
        sign_in_passkey_add(test.vault, &site, CITIZEN(citizen), "Clé", &key.answer, &test_error));
    assert_fails(VAULT_DENIED, enter_by_key(&seat));
    ask(PASSKEY_TO_REAUTHENTICATE, hash_of(seat.token_hash));
    authenticator_sign(&key, challenge);
    assert_fails(VAULT_DENIED,
                 mediator_again_passkey(test.vault, &site, &seat, &key.answer, token, &test_error));
    assert_fails(VAULT_NOT_FOUND, sign_in_passkey_remove(test.vault, MEDIATOR(seat),
                                                         key.answer.credential, &test_error));
    ask(PASSKEY_TO_SIGN_IN, BROWSER);
    authenticator_sign(&key, challenge);
    assert_done(sign_in_passkey(test.vault, &site, BROWSER, &key.answer, token, &test_error));
    end();
}

static void test_authenticators_call_everybody_another(void **state)
{
    (void)state;
    struct sign_in_passkey_owner owners[3];
    struct mediator_seat ada;
    struct mediator_seat bob;
    begin();
    const struct signed_in citizen = enter_citizen();
    assert_done(enter("ada", MEDIATOR_PASSWORD, &ada));
    assert_done(enter("bob", MEDIATOR_PASSWORD, &bob));
    assert_done(sign_in_passkey_owner(test.vault, CITIZEN(citizen), &owners[0], &test_error));
    assert_done(sign_in_passkey_owner(test.vault, MEDIATOR(ada), &owners[1], &test_error));
    assert_done(sign_in_passkey_owner(test.vault, MEDIATOR(bob), &owners[2], &test_error));
    assert_string_equal(owners[1].login, "ada");
    assert_string_not_equal(owners[0].user, owners[1].user);
    assert_string_not_equal(owners[1].user, owners[2].user);
    end();
}

static void test_a_mediator_shows_again_who_they_are(void **state)
{
    (void)state;
    char token[ACTOR_TOKEN_CHARS + 1];
    struct mediator_seat seat;
    struct mediator_seat before;
    struct mediator_seat bob;
    begin();
    assert_done(enter("bob", MEDIATOR_PASSWORD, &bob));
    assert_done(enter("ada", MEDIATOR_PASSWORD, &seat));
    assert_done(add(&seat));
    test.now_ms += SIGN_IN_FRESH_S * 1000LL;
    assert_false(mediator_is_fresh(test.vault, &seat));
    assert_fails(VAULT_DENIED,
                 mediator_again(test.vault, &seat, BYTES("wrong"), token, &test_error));
    assert_false(mediator_is_fresh(test.vault, &seat));
    before = seat;
    assert_done(mediator_again(test.vault, &seat, BYTES(MEDIATOR_PASSWORD), token, &test_error));
    assert_true(mediator_is_fresh(test.vault, &seat));
    assert_memory_not_equal(before.token_hash, seat.token_hash, sizeof seat.token_hash);
    assert_done(mediator_check(test.vault, bytes_of_text(token), &before, &test_error));
    assert_string_equal(before.form_token, seat.form_token);
    test.now_ms += SIGN_IN_FRESH_S * 1000LL;
    ask(PASSKEY_TO_REAUTHENTICATE, hash_of(bob.token_hash));
    authenticator_sign(&key, challenge);
    assert_fails(VAULT_DENIED,
                 mediator_again_passkey(test.vault, &site, &bob, &key.answer, token, &test_error));
    ask(PASSKEY_TO_REAUTHENTICATE, hash_of(seat.token_hash));
    authenticator_sign(&key, challenge);
    assert_done(mediator_again_passkey(test.vault, &site, &seat, &key.answer, token, &test_error));
    assert_true(mediator_is_fresh(test.vault, &seat));
    end();
}

/* --- Where it takes one --------------------------------------------------------------------- */

/* What is said of a right password and of a wrong one. */
static void assert_wrong_like_any(const char *login, const char *password)
{
    struct mediator_seat seat;
    struct vault_error wrong;
    assert_fails(VAULT_DENIED, enter(login, "not that one", &seat));
    wrong = test_error;
    test.now_ms += SIGN_IN_WAIT_MAX_S * 1000LL;
    assert_fails(VAULT_DENIED, enter(login, password, &seat));
    assert_string_equal(wrong.text, test_error.text);
    test.now_ms += SIGN_IN_WAIT_MAX_S * 1000LL;
}

static void test_no_password_of_ones_own_lets_in(void **state)
{
    (void)state;
    struct mediator_seat before;
    struct mediator_seat seat;
    char token[ACTOR_TOKEN_CHARS + 1];
    begin();
    assert_done(enter("ada", MEDIATOR_PASSWORD, &before));
    assert_done(add(&before));
    need_passkeys(true);
    assert_wrong_like_any("ada", MEDIATOR_PASSWORD); /* who has a passkey */
    assert_wrong_like_any("bob", MEDIATOR_PASSWORD); /* who has none */
    assert_done(enter_by_key(&seat));
    assert_int_equal(account_of(&seat).tries.since, 2); /* the right one was a wrong try too */
    assert_fails(VAULT_DENIED,
                 mediator_again(test.vault, &seat, BYTES(MEDIATOR_PASSWORD), token, &test_error));
    assert_fails(VAULT_NOT_FOUND,
                 mediator_change_password(test.vault, &seat, BYTES(MEDIATOR_PASSWORD),
                                          BYTES("une autre longue phrase"), &test_error));
    need_passkeys(false);
    assert_done(enter("bob", MEDIATOR_PASSWORD, &seat));
    end();
}

static void test_a_session_that_a_password_began_is_over(void **state)
{
    (void)state;
    char by_password[ACTOR_TOKEN_CHARS + 1];
    char by_both[ACTOR_TOKEN_CHARS + 1];
    struct mediator_seat seat;
    begin();
    assert_done(mediator_sign_in(test.vault, BYTES("ada"), BYTES(MEDIATOR_PASSWORD), by_password,
                                 &test_error));
    assert_done(enter("ada", MEDIATOR_PASSWORD, &seat));
    assert_done(add(&seat));
    ask(PASSKEY_TO_REAUTHENTICATE, hash_of(seat.token_hash));
    authenticator_sign(&key, challenge);
    assert_done(
        mediator_again_passkey(test.vault, &site, &seat, &key.answer, by_both, &test_error));
    need_passkeys(true);
    assert_fails(VAULT_DENIED,
                 mediator_check(test.vault, bytes_of_text(by_password), &seat, &test_error));
    assert_done(mediator_check(test.vault, bytes_of_text(by_both), &seat, &test_error));
    end();
}

static void test_a_first_password_is_exchanged_for_a_passkey(void **state)
{
    (void)state;
    struct mediator_first first;
    struct mediator_seat seat = {0};
    struct mediator_seat other;
    begin();
    need_passkeys(true);
    assert_done(mediator_register(test.vault, "hub", "eve", "Eve", &first, &test_error));
    assert_done(enter("eve", first.password, &other));
    assert_done(enter("eve", first.password, &seat));
    assert_true(seat.has_first_password);
    assert_fails(VAULT_NOT_FOUND,
                 mediator_change_password(test.vault, &seat, bytes_of_text(first.password),
                                          BYTES("une autre longue phrase"), &test_error));
    assert_done(add(&seat));
    assert_fails(VAULT_DENIED, add(&other)); /* who came with it too is out */
    assert_wrong_like_any("eve", first.password);
    assert_done(enter_by_key(&seat));
    assert_false(seat.has_first_password);
    assert_int_equal(account_of(&seat).passkeys, 1);
    need_passkeys(false);
    assert_fails(VAULT_DENIED, enter("eve", first.password, &seat));
    end();
}

static void test_a_first_password_that_is_over_lets_nobody_in(void **state)
{
    (void)state;
    struct mediator_first first;
    struct mediator_seat seat;
    begin();
    need_passkeys(true);
    assert_done(mediator_register(test.vault, "hub", "eve", "Eve", &first, &test_error));
    assert_done(enter("eve", first.password, &seat));
    test.now_ms += (MEDIATOR_FIRST_DAYS * 86400LL - 60) * 1000;
    assert_done(enter("eve", first.password, &seat));
    test.now_ms += 60000;
    assert_fails(VAULT_CONFLICT, add(&seat));
    assert_fails(VAULT_DENIED, enter("eve", first.password, &seat));
    end();
}

static void test_a_reset_is_the_way_back_and_takes_all_passkeys(void **state)
{
    (void)state;
    char token[ACTOR_TOKEN_CHARS + 1];
    struct mediator_first first;
    struct mediator_seat seat;
    begin();
    assert_done(
        mediator_sign_in(test.vault, BYTES("ada"), BYTES(MEDIATOR_PASSWORD), token, &test_error));
    assert_done(mediator_check(test.vault, bytes_of_text(token), &seat, &test_error));
    assert_done(add(&seat));
    need_passkeys(true);
    assert_done(enter_by_key(&seat));
    assert_done(mediator_reset(test.vault, "ada", &first, &test_error));
    assert_fails(VAULT_DENIED, enter_by_key(&seat));
    assert_fails(VAULT_DENIED,
                 mediator_check(test.vault, bytes_of_text(token), &seat, &test_error));
    assert_done(enter("ada", first.password, &seat));
    assert_int_equal(account_of(&seat).passkeys, 0);
    authenticator_close(&key); /* another device */
    authenticator_open(&key, AUTHENTICATOR_EDDSA);
    assert_done(add(&seat));
    assert_done(enter_by_key(&seat));
    end();
}

static void test_the_last_one_stays(void **state)
{
    (void)state;
    uint8_t one[sizeof key.credential];
    struct mediator_seat seat;
    begin();
    assert_done(enter("ada", MEDIATOR_PASSWORD, &seat));
    assert_done(add(&seat));
    memcpy(one, key.credential, sizeof one);
    authenticator_close(&key);
    authenticator_open(&key, AUTHENTICATOR_ES256);
    assert_done(add(&seat));
    need_passkeys(true);
    const struct bytes first = {one, sizeof one};
    assert_done(sign_in_passkey_remove(test.vault, MEDIATOR(seat), first, &test_error));
    assert_fails(VAULT_CONFLICT, sign_in_passkey_remove(test.vault, MEDIATOR(seat),
                                                        key.answer.credential, &test_error));
    assert_done(enter_by_key(&seat));
    need_passkeys(false);
    assert_done(
        sign_in_passkey_remove(test.vault, MEDIATOR(seat), key.answer.credential, &test_error));
    end();
}

static void test_the_operator_reads_how_many_each_has(void **state)
{
    (void)state;
    struct mediator_seat seat;
    VAULT_AUTO(buf_finish) struct buf list = buf_limited(4096);
    begin();
    assert_done(enter("ada", MEDIATOR_PASSWORD, &seat));
    assert_done(add(&seat));
    assert_done(mediator_write_list(test.vault, &list, &test_error));
    assert_non_null(strstr(buf_string(&list), "\"login\":\"ada\",\"name\":\"Ada Inventée\","
                                              "\"passkeys\":1}"));
    assert_non_null(strstr(buf_string(&list), "\"passkeys\":0}"));
    end();
}

int main(void)
{
    json_start();
    if (crypto_start(true, NULL))
        return 1;
    return TEST_RUN(
        test_a_mediator_adds_one_and_signs_in_by_it,
        test_an_answer_counts_once_for_its_use_and_browser,
        test_a_mediators_opens_nothing_of_a_citizen, test_a_citizens_opens_nothing_of_a_mediator,
        test_authenticators_call_everybody_another, test_a_mediator_shows_again_who_they_are,
        test_no_password_of_ones_own_lets_in, test_a_session_that_a_password_began_is_over,
        test_a_first_password_is_exchanged_for_a_passkey,
        test_a_first_password_that_is_over_lets_nobody_in,
        test_a_reset_is_the_way_back_and_takes_all_passkeys, test_the_last_one_stays,
        test_the_operator_reads_how_many_each_has);
}
