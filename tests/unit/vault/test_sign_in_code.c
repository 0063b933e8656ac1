/* Codes in the place of a password: once each, the owner's alone, and told. */
#include "vault/crypto/hash.h"
#include "vault/parts.h"
#include "vault/store/sign_in_code.h"
#include "vault/vault/sign_in_code.h"
#include "vault_test.h"

#define OTHER_PERSON                                                                               \
    "{\"reference\":\"T-2\",\"login\":\"autrine\",\"password\":\"un autre mot de passe\","         \
    "\"values\":{\"identity.birth_date\":{\"value\":\"1980-01-02\"}}}"
#define NO_LOGIN                                                                                   \
    "{\"reference\":\"T-3\",\"values\":{\"identity.birth_date\":{\"value\":\"1980-01-02\"}}}"
#define NEW_PASSWORD BYTES("une phrase assez longue")

static struct vault_test test;
static struct signed_in session;
static char first_token[SIGN_IN_TOKEN_CHARS + 1];
static char codes[SIGN_IN_RECOVERY_CODES][SIGN_IN_CODE_CHARS + 1];

static enum vault_code enter(const char *login, const char *password, struct signed_in *out)
{
    char token[SIGN_IN_TOKEN_CHARS + 1];
    VAULT_TRY(
        sign_in(test.vault, bytes_of_text(login), bytes_of_text(password), token, &test_error));
    return sign_in_check(test.vault, bytes_of_text(token), out, &test_error);
}

static void begin(void)
{
    make_filled_vault(&test);
    assert_done(
        sign_in(test.vault, BYTES("testine"), BYTES("un mot de passe"), first_token, &test_error));
    assert_done(sign_in_check(test.vault, bytes_of_text(first_token), &session, &test_error));
    assert_done(sign_in_recovery_make(test.vault, &session, codes, &test_error));
}

/* Whether the session is still there that was there before any code. */
static bool is_signed_in(void)
{
    struct signed_in first;
    return sign_in_check(test.vault, bytes_of_text(first_token), &first, &test_error) == VAULT_OK;
}

static uint64_t left(void)
{
    uint64_t count = 0;
    assert_done(sign_in_recovery_left(test.vault, &session, &count, &test_error));
    return count;
}

static void test_a_recovery_code_signs_in_once_and_ends_all_other_sessions(void **state)
{
    (void)state;
    struct signed_in second;
    begin();
    assert_int_equal(left(), SIGN_IN_RECOVERY_CODES);
    assert_done(enter("testine", codes[4], &second));
    assert_int_equal(left(), SIGN_IN_RECOVERY_CODES - 1);
    assert_false(is_signed_in());
    assert_fails(VAULT_DENIED, enter("testine", codes[4], &second));
    vault_close(&test.vault);
}

static void test_codes_are_read_as_people_type_them(void **state)
{
    (void)state;
    struct signed_in second;
    char typed[SIGN_IN_CODE_CHARS + 3];
    begin();
    for (size_t i = 0; i <= SIGN_IN_CODE_CHARS; i++) {
        const char c = codes[0][i];
        typed[i] = (char)(c == '-' ? ' ' : c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    assert_done(enter("testine", typed, &second));
    assert_fails(VAULT_DENIED, enter("testine", typed, &second));
    snprintf(typed, sizeof typed, "%sB", codes[1]);
    assert_fails(VAULT_DENIED, enter("testine", typed, &second));
    codes[1][SIGN_IN_CODE_CHARS - 1] = 0;
    assert_fails(VAULT_DENIED, enter("testine", codes[1], &second));
    vault_close(&test.vault);
}

/* Recovery codes have no end, and those that were printed before had fewer letters. */
static void test_a_code_of_fewer_letters_that_was_given_out_before_works(void **state)
{
    (void)state;
    static const char old[] = "7KQM-2XWR-BBCD-9TTH-M4PZ";
    static const char label[] = "vault/sign-in-code/1";
    static const char letters[] = "7KQM2XWRBBCD9TTHM4PZ";
    struct signed_in second;
    uint8_t hashes[1][SHA256_BYTES];
    begin();
    assert_int_equal(strlen(letters), SIGN_IN_CODE_LETTERS_ONCE);
    assert_fails(VAULT_DENIED, enter("testine", old, &second));
    const struct bytes parts[] = {{(const uint8_t *)label, sizeof label},
                                  {(const uint8_t *)letters, strlen(letters)}};
    hmac_sha256(hashes[0], secret_view(test.vault->session_key), parts, 2);
    assert_done(sign_in_codes_set(test.vault->store, &test.citizen, SIGN_IN_CODE_RECOVERY,
                                  (const uint8_t(*)[SHA256_BYTES])hashes, 1, INT64_MAX,
                                  &test_error));
    assert_done(enter("testine", old, &second));
    assert_fails(VAULT_DENIED, enter("testine", old, &second));
    vault_close(&test.vault);
}

/* log2(27) is 4.7549: so many letters are more than 112 bits, from where no slow hash is needed. */
static void test_a_code_is_more_than_can_be_tried_even_with_its_hash(void **state)
{
    (void)state;
    assert_true(SIGN_IN_CODE_LETTERS * 47549L > 112L * 10000);
    begin();
    for (size_t i = 0; i < SIGN_IN_RECOVERY_CODES; i++) {
        size_t letters = 0;
        for (const char *c = codes[i]; *c; c++)
            letters += *c != '-';
        assert_int_equal(letters, SIGN_IN_CODE_LETTERS);
    }
    vault_close(&test.vault);
}

static void test_a_recovery_code_is_its_owners_and_new_ones_end_it(void **state)
{
    (void)state;
    struct signed_in second;
    char old[SIGN_IN_CODE_CHARS + 1];
    begin();
    import_one(&test, OTHER_PERSON);
    assert_fails(VAULT_DENIED, enter("autrine", codes[0], &second));
    memcpy(old, codes[0], sizeof old);
    assert_done(sign_in_recovery_make(test.vault, &session, codes, &test_error));
    assert_fails(VAULT_DENIED, enter("testine", old, &second));
    assert_done(enter("testine", codes[0], &second));
    vault_close(&test.vault);
}

static void test_a_recovery_code_lets_a_lost_password_be_changed(void **state)
{
    (void)state;
    struct signed_in second;
    begin();
    assert_done(enter("testine", codes[0], &second));
    assert_fails(VAULT_DENIED, sign_in_set_password(test.vault, &second, bytes_of_text(codes[0]),
                                                    NEW_PASSWORD, &test_error));
    assert_done(sign_in_set_password(test.vault, &second, bytes_of_text(codes[1]), NEW_PASSWORD,
                                     &test_error));
    assert_fails(VAULT_DENIED, enter("testine", "un mot de passe", &second));
    assert_done(enter("testine", "une phrase assez longue", &second));
    vault_close(&test.vault);
}

static enum vault_code activate(const char *code, struct bytes password)
{
    char token[SIGN_IN_TOKEN_CHARS + 1];
    struct signed_in entered;
    VAULT_TRY(sign_in_activate(test.vault, bytes_of_text(code), password, token, &test_error));
    return sign_in_check(test.vault, bytes_of_text(token), &entered, &test_error);
}

static void test_an_activation_code_sets_a_password_once(void **state)
{
    (void)state;
    struct sign_in_activation sent;
    struct signed_in second;
    begin();
    assert_done(sign_in_activation_make(test.vault, "T-1", &sent, &test_error));
    assert_string_equal(sent.login, "testine");
    assert_int_equal(sent.expires_s, test.now_ms / 1000 + 30 * 86400);
    assert_fails(VAULT_INVALID, activate(sent.code, BYTES("court")));
    assert_fails(VAULT_DENIED, activate(codes[0], NEW_PASSWORD));
    assert_fails(VAULT_DENIED, activate("", NEW_PASSWORD));
    assert_done(activate(sent.code, NEW_PASSWORD));
    assert_fails(VAULT_DENIED, activate(sent.code, NEW_PASSWORD));
    assert_false(is_signed_in());
    assert_fails(VAULT_DENIED, enter("testine", "un mot de passe", &second));
    assert_done(enter("testine", "une phrase assez longue", &second));
    assert_fails(VAULT_DENIED, enter("testine", sent.code, &second));
    vault_close(&test.vault);
}

static void test_an_activation_code_ends_with_its_time_or_the_next_one(void **state)
{
    (void)state;
    struct sign_in_activation sent;
    struct sign_in_activation next;
    begin();
    assert_done(sign_in_activation_make(test.vault, "T-1", &sent, &test_error));
    assert_done(sign_in_activation_make(test.vault, "T-1", &next, &test_error));
    assert_fails(VAULT_DENIED, activate(sent.code, NEW_PASSWORD));
    test.now_ms = next.expires_s * 1000;
    assert_fails(VAULT_DENIED, activate(next.code, NEW_PASSWORD));
    test.now_ms -= 1000;
    assert_done(activate(next.code, NEW_PASSWORD));
    vault_close(&test.vault);
}

static void test_who_has_no_login_is_sent_no_code(void **state)
{
    (void)state;
    struct sign_in_activation sent;
    begin();
    import_one(&test, NO_LOGIN);
    assert_fails(VAULT_NOT_FOUND, sign_in_activation_make(test.vault, "T-3", &sent, &test_error));
    assert_fails(VAULT_NOT_FOUND, sign_in_activation_make(test.vault, "T-9", &sent, &test_error));
    vault_close(&test.vault);
}

int main(void)
{
    json_start();
    if (crypto_start(true, NULL))
        return 1;
    return TEST_RUN(test_a_code_of_fewer_letters_that_was_given_out_before_works,
                    test_a_code_is_more_than_can_be_tried_even_with_its_hash,
                    test_a_recovery_code_signs_in_once_and_ends_all_other_sessions,
                    test_codes_are_read_as_people_type_them,
                    test_a_recovery_code_is_its_owners_and_new_ones_end_it,
                    test_a_recovery_code_lets_a_lost_password_be_changed,
                    test_an_activation_code_sets_a_password_once,
                    test_an_activation_code_ends_with_its_time_or_the_next_one,
                    test_who_has_no_login_is_sent_no_code);
}
