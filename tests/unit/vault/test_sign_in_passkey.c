/* Passkeys in a vault: whose they are, for what a challenge is good, and how often. */
#include "authenticator.h"
#include "vault/base/codec.h"
#include "vault_test.h"

#define OTHER_PERSON                                                                               \
    "{\"reference\":\"T-2\",\"login\":\"autrine\",\"password\":\"un autre mot de passe\","         \
    "\"values\":{\"identity.birth_date\":{\"value\":\"1980-01-02\"}}}"

static struct vault_test test;
static struct passkey_site site;
static struct authenticator key;
static struct signed_in session;
static char challenge[PASSKEY_CHALLENGE_CHARS + 1];

static struct signed_in enter(const char *login, const char *password)
{
    char token[SIGN_IN_TOKEN_CHARS + 1];
    struct signed_in entered;
    assert_done(
        sign_in(test.vault, bytes_of_text(login), bytes_of_text(password), token, &test_error));
    assert_done(sign_in_check(test.vault, bytes_of_text(token), &entered, &test_error));
    return entered;
}

static struct bytes hash_of(const struct signed_in *of)
{
    return (struct bytes){of->token_hash, sizeof of->token_hash};
}

static void ask(enum passkey_use use, struct bytes browser)
{
    test.now_ms++;
    assert_done(sign_in_passkey_challenge(test.vault, use, browser, challenge, &test_error));
}

static enum vault_code add(void)
{
    return sign_in_passkey_add(test.vault, &site, CITIZEN(session), "Téléphone", &key.answer,
                               &test_error);
}

static enum vault_code enter_by_key(void)
{
    char token[SIGN_IN_TOKEN_CHARS + 1];
    struct signed_in entered;
    VAULT_TRY(
        sign_in_passkey(test.vault, &site, BYTES("browser"), &key.answer, token, &test_error));
    assert_done(sign_in_check(test.vault, bytes_of_text(token), &entered, &test_error));
    assert_true(citizen_id_equal(&entered.citizen, &test.citizen));
    return VAULT_OK;
}

static void begin(void)
{
    make_filled_vault(&test);
    assert_done(passkey_site_of("https://vault.example:8442", &site, &test_error));
    session = enter("testine", "un mot de passe");
    authenticator_open(&key, AUTHENTICATOR_ES256);
    ask(PASSKEY_TO_ADD, hash_of(&session));
    authenticator_create(&key, challenge);
    assert_done(add());
    ask(PASSKEY_TO_SIGN_IN, BYTES("browser"));
    authenticator_sign(&key, challenge);
}

static void end(void)
{
    authenticator_close(&key);
    vault_close(&test.vault);
}

static void test_a_passkey_signs_in_without_a_name(void **state)
{
    (void)state;
    begin();
    assert_done(enter_by_key());
    ask(PASSKEY_TO_SIGN_IN, BYTES("browser"));
    authenticator_sign(&key, challenge);
    assert_done(enter_by_key());
    end();
}

static void test_an_answer_counts_once_also_after_a_restart(void **state)
{
    (void)state;
    begin();
    assert_done(enter_by_key());
    assert_fails(VAULT_DENIED, enter_by_key());
    authenticator_sign(&key, challenge); /* the same challenge, the counter gone on */
    assert_fails(VAULT_DENIED, enter_by_key());
    reopen_test_vault(&test);
    assert_fails(VAULT_DENIED, enter_by_key());
    end();
}

static void test_a_challenge_is_good_for_its_time_and_browser_and_use(void **state)
{
    (void)state;
    begin();
    test.now_ms += PASSKEY_CHALLENGE_S * 1000LL;
    assert_fails(VAULT_DENIED, enter_by_key());
    test.now_ms -= PASSKEY_CHALLENGE_S * 1000LL + 1; /* from the future */
    assert_fails(VAULT_DENIED, enter_by_key());
    test.now_ms += PASSKEY_CHALLENGE_S * 1000LL;
    assert_done(enter_by_key());
    ask(PASSKEY_TO_SIGN_IN, BYTES("browses"));
    authenticator_sign(&key, challenge);
    assert_fails(VAULT_DENIED, enter_by_key());
    ask(PASSKEY_TO_ADD, BYTES("browser"));
    authenticator_sign(&key, challenge);
    assert_fails(VAULT_DENIED, enter_by_key());
    ask(PASSKEY_TO_SIGN_IN, BYTES("browser"));
    challenge[3] = challenge[3] == 'A' ? 'B' : 'A';
    authenticator_sign(&key, challenge);
    assert_fails(VAULT_DENIED, enter_by_key());
    challenge[3] = '=';
    authenticator_sign(&key, challenge);
    assert_fails(VAULT_DENIED, enter_by_key());
    end();
}

static void test_a_counter_that_goes_back_is_denied(void **state)
{
    (void)state;
    begin();
    assert_done(enter_by_key());
    ask(PASSKEY_TO_SIGN_IN, BYTES("browser"));
    key.count--;
    authenticator_sign(&key, challenge);
    assert_fails(VAULT_DENIED, enter_by_key());
    ask(PASSKEY_TO_SIGN_IN, BYTES("browser"));
    authenticator_sign(&key, challenge);
    assert_done(enter_by_key());
    end();
}

static void test_an_unknown_key_or_another_user_is_denied(void **state)
{
    (void)state;
    struct sign_in_passkey_owner owner;
    VAULT_AUTO(buf_finish) struct buf user = buf_limited(16);
    begin();
    key.answer.user = BYTES("0123456789abcdef");
    assert_fails(VAULT_DENIED, enter_by_key());
    assert_done(sign_in_passkey_owner(test.vault, CITIZEN(session), &owner, &test_error));
    assert_string_equal(owner.login, "testine");
    assert_done(base64url_decode(&user, bytes_of_text(owner.user), &test_error));
    key.answer.user = buf_view(&user);
    assert_done(enter_by_key());
    ask(PASSKEY_TO_SIGN_IN, BYTES("browser"));
    authenticator_sign(&key, challenge);
    key.answer.credential = BYTES("unknown");
    assert_fails(VAULT_DENIED, enter_by_key());
    key.answer.credential = (struct bytes){0};
    assert_fails(VAULT_DENIED, enter_by_key());
    end();
}

static void test_a_removed_key_opens_nothing(void **state)
{
    (void)state;
    begin();
    assert_done(
        sign_in_passkey_remove(test.vault, CITIZEN(session), key.answer.credential, &test_error));
    assert_fails(VAULT_DENIED, enter_by_key());
    assert_fails(VAULT_NOT_FOUND, sign_in_passkey_remove(test.vault, CITIZEN(session),
                                                         key.answer.credential, &test_error));
    end();
}

static void test_an_answer_adds_one_key_once(void **state)
{
    (void)state;
    begin();
    ask(PASSKEY_TO_ADD, hash_of(&session));
    authenticator_create(&key, challenge);
    assert_fails(VAULT_CONFLICT, add()); /* it is there */
    assert_done(
        sign_in_passkey_remove(test.vault, CITIZEN(session), key.answer.credential, &test_error));
    assert_fails(VAULT_DENIED, add()); /* and the answer was given */
    ask(PASSKEY_TO_ADD, hash_of(&session));
    authenticator_create(&key, challenge);
    assert_done(add());
    end();
}

static void test_adding_wants_a_right_answer_of_this_session(void **state)
{
    (void)state;
    begin();
    authenticator_close(&key);
    authenticator_open(&key, AUTHENTICATOR_EDDSA);
    ask(PASSKEY_TO_ADD, BYTES("another session"));
    authenticator_create(&key, challenge);
    assert_fails(VAULT_DENIED, add());
    ask(PASSKEY_TO_REAUTHENTICATE, hash_of(&session));
    authenticator_create(&key, challenge);
    assert_fails(VAULT_DENIED, add());
    ask(PASSKEY_TO_ADD, hash_of(&session));
    key.flags = AUTHENTICATOR_PRESENT;
    authenticator_create(&key, challenge);
    assert_fails(VAULT_DENIED, add());
    key.flags |= AUTHENTICATOR_VERIFIED;
    key.origin = "https://elsewhere.example";
    authenticator_create(&key, challenge);
    assert_fails(VAULT_DENIED, add());
    key.origin = "https://vault.example:8442";
    authenticator_create(&key, challenge);
    assert_done(add());
    end();
}

static void test_only_ones_own_key_shows_that_it_is_still_oneself(void **state)
{
    (void)state;
    begin();
    import_one(&test, OTHER_PERSON);
    struct signed_in other = enter("autrine", "un autre mot de passe");
    test.now_ms += (SIGN_IN_FRESH_S + 1) * 1000LL;
    assert_false(sign_in_is_fresh(test.vault, &session));
    ask(PASSKEY_TO_REAUTHENTICATE, hash_of(&other));
    authenticator_sign(&key, challenge);
    char token[SIGN_IN_TOKEN_CHARS + 1];
    assert_fails(VAULT_DENIED,
                 sign_in_passkey_again(test.vault, &site, &other, &key.answer, token, &test_error));
    assert_false(sign_in_is_fresh(test.vault, &other));
    assert_fails(VAULT_NOT_FOUND, sign_in_passkey_remove(test.vault, CITIZEN(other),
                                                         key.answer.credential, &test_error));
    ask(PASSKEY_TO_REAUTHENTICATE, hash_of(&session));
    authenticator_sign(&key, challenge);
    assert_done(
        sign_in_passkey_again(test.vault, &site, &session, &key.answer, token, &test_error));
    assert_true(sign_in_is_fresh(test.vault, &session));
    assert_done(sign_in_check(test.vault, bytes_of_text(token), &other, &test_error));
    assert_memory_equal(other.token_hash, session.token_hash, sizeof session.token_hash);
    end();
}

static enum vault_code see_one(void *context, const struct sign_in_passkey_shown *shown,
                               struct vault_error *err)
{
    (void)err;
    assert_true(bytes_equal(shown->credential, key.answer.credential));
    assert_string_equal(shown->name, "Clé");
    assert_true(shown->used_s >= shown->created_s);
    ++*(int *)context;
    return VAULT_OK;
}

static void test_the_list_tells_name_and_last_use(void **state)
{
    (void)state;
    int count = 0;
    begin();
    assert_done(enter_by_key());
    assert_done(sign_in_passkey_rename(test.vault, CITIZEN(session), key.answer.credential, "Clé",
                                       &test_error));
    assert_done(sign_in_passkey_list(test.vault, CITIZEN(session), see_one, &count, &test_error));
    assert_int_equal(count, 1);
    end();
}

int main(void)
{
    json_start();
    if (crypto_start(true, NULL))
        return 1;
    return TEST_RUN(
        test_a_passkey_signs_in_without_a_name, test_an_answer_counts_once_also_after_a_restart,
        test_a_challenge_is_good_for_its_time_and_browser_and_use,
        test_a_counter_that_goes_back_is_denied, test_an_unknown_key_or_another_user_is_denied,
        test_a_removed_key_opens_nothing, test_an_answer_adds_one_key_once,
        test_adding_wants_a_right_answer_of_this_session,
        test_only_ones_own_key_shows_that_it_is_still_oneself,
        test_the_list_tells_name_and_last_use);
}
