/* Argon2id as RFC 9106 has it, in the encoded form of its reference implementation. */
#include "test.h"

#include <pthread.h>
#include <stdio.h>

#include "vault/base/clock.h"
#include "vault/base/codec.h"
#include "vault/crypto/crypto.h"
#include "vault/crypto/password.h"

/* Made by the reference implementation's program: argon2 somesalt -id -t 2 -k 256 -p 1 -e. */
static const char reference[] =
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

static void hash_of(const char *password, char out[PASSWORD_HASH_CHARS])
{
    assert_done(password_hash(bytes_of_text(password), out, &test_error));
}

static void test_the_right_password_is_let_in_and_others_are_not(void **state)
{
    (void)state;
    char hash[PASSWORD_HASH_CHARS];
    hash_of("correct horse", hash);
    assert_done(password_check(BYTES("correct horse"), hash, &test_error));
    const struct bytes wrong[] = {BYTES("correct hors"), BYTES("correct horse "),
                                  BYTES("Correct horse"), BYTES("correct horse\0"), BYTES("x")};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_fails(VAULT_DENIED, password_check(wrong[i], hash, &test_error));
}

static void test_a_hash_says_its_cost_and_not_its_password(void **state)
{
    (void)state;
    char hash[PASSWORD_HASH_CHARS];
    hash_of("MARKER", hash);
    assert_memory_equal(hash, "$argon2id$v=19$m=47104,t=1,p=1$", 31);
    assert_null(strstr(hash, "MARKER"));
    assert_true(strlen(hash) < PASSWORD_HASH_CHARS);
}

static void test_each_hash_has_its_own_salt(void **state)
{
    (void)state;
    char a[PASSWORD_HASH_CHARS];
    char b[PASSWORD_HASH_CHARS];
    hash_of("same", a);
    hash_of("same", b);
    assert_string_not_equal(a, b);
    assert_done(password_check(BYTES("same"), a, &test_error));
    assert_done(password_check(BYTES("same"), b, &test_error));
}

static void test_the_reference_implementations_hash_is_understood(void **state)
{
    (void)state;
    assert_done(password_check(BYTES("password"), reference, &test_error));
    assert_fails(VAULT_DENIED, password_check(BYTES("passwore"), reference, &test_error));
}

static void test_what_is_no_hash_lets_nobody_in(void **state)
{
    (void)state;
    const char *const odd[] = {
        "",
        "password",
        "$argon2id$",
        "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/5",
        "$argon2id$v=19$m=256,t=3,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
    };
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        assert_fails(VAULT_DENIED, password_check(BYTES("password"), odd[i], &test_error));
}

static void test_empty_and_oversized_passwords_are_refused(void **state)
{
    (void)state;
    static uint8_t large[PASSWORD_MAX_BYTES + 1];
    char hash[PASSWORD_HASH_CHARS] = "kept";
    memset(large, 'x', sizeof large);
    const struct bytes too_large = {large, sizeof large};
    assert_fails(VAULT_INVALID, password_hash(BYTES(""), hash, &test_error));
    assert_fails(VAULT_INVALID, password_hash(too_large, hash, &test_error));
    assert_string_equal(hash, "kept");
    assert_done(password_hash((struct bytes){large, PASSWORD_MAX_BYTES}, hash, &test_error));
    assert_fails(VAULT_DENIED, password_check(BYTES(""), hash, &test_error));
    assert_fails(VAULT_DENIED, password_check(too_large, hash, &test_error));
    assert_done(password_check((struct bytes){large, PASSWORD_MAX_BYTES}, hash, &test_error));
}

static int64_t took_ms(const char *hash)
{
    int64_t least = INT64_MAX;
    for (int i = 0; i < 3; i++) {
        const int64_t start = clock_monotonic_ms();
        assert_fails(VAULT_DENIED, password_check(BYTES("wrong"), hash, &test_error));
        const int64_t took = clock_monotonic_ms() - start;
        least = took < least ? took : least;
    }
    return least;
}

static void test_an_unknown_login_takes_the_work_of_a_wrong_password(void **state)
{
    (void)state;
    char hash[PASSWORD_HASH_CHARS];
    hash_of("right", hash);
    const int64_t wrong = took_ms(hash);
    const int64_t unknown = took_ms(NULL);
    /* Both are tens of milliseconds; a way out without the work would take none. */
    assert_true(unknown >= wrong / 3);
    assert_true(wrong >= unknown / 3);
    assert_true(unknown >= 5);
}

static void *check_in_thread(void *context)
{
    char hash[PASSWORD_HASH_CHARS];
    _Atomic int *wrong = context;
    if (password_hash(BYTES("right"), hash, NULL) || password_check(BYTES("right"), hash, NULL) ||
        password_check(BYTES("left"), hash, NULL) != VAULT_DENIED)
        ++*wrong;
    return NULL;
}

static void test_many_at_once_wait_for_each_other(void **state)
{
    (void)state;
    _Atomic int wrong = 0;
    pthread_t threads[6];
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, check_in_thread, &wrong), 0);
    for (size_t i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(wrong, 0);
}

static const struct password_cost cheap = {64, 2, 2};

/* Base64 without padding, as Argon2 writes hashes. */
static void encode(char *out, size_t room, struct bytes bytes)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(200);
    base64_encode(&text, bytes);
    snprintf(out, room, "%s", buf_string(&text));
    out[strcspn(out, "=")] = 0;
}

static void test_a_key_is_argon2id_of_the_passphrase_at_that_cost(void **state)
{
    (void)state;
    char salt[64];
    char key[64];
    char hash[256];
    VAULT_AUTO(secret_free) struct secret *made = NULL;
    assert_done(password_key(BYTES("a long passphrase"), BYTES("sixteen bytes ok"), &cheap, &made,
                             &test_error));
    assert_int_equal(secret_view(made).size, SECRET_KEY_BYTES);
    encode(salt, sizeof salt, BYTES("sixteen bytes ok"));
    encode(key, sizeof key, secret_view(made));
    snprintf(hash, sizeof hash, "$argon2id$v=19$m=64,t=2,p=2$%s$%s", salt, key);
    assert_done(password_check(BYTES("a long passphrase"), hash, &test_error));
}

static void test_a_key_changes_with_passphrase_salt_and_cost(void **state)
{
    (void)state;
    static const struct password_cost dearer = {64, 3, 2};
    const struct {
        struct bytes passphrase;
        struct bytes salt;
        const struct password_cost *cost;
    } all[] = {{BYTES("one"), BYTES("sixteen bytes ok"), &cheap},
               {BYTES("One"), BYTES("sixteen bytes ok"), &cheap},
               {BYTES("one"), BYTES("sixteen bytes oK"), &cheap},
               {BYTES("one"), BYTES("sixteen bytes ok"), &dearer}};
    struct secret *keys[4] = {NULL};
    for (size_t i = 0; i < 4; i++) {
        assert_done(
            password_key(all[i].passphrase, all[i].salt, all[i].cost, &keys[i], &test_error));
        for (size_t j = 0; j < i; j++)
            assert_false(secret_equal(secret_view(keys[i]), secret_view(keys[j])));
    }
    for (size_t i = 0; i < 4; i++)
        secret_free(&keys[i]);
}

static void test_a_cost_out_of_bounds_or_an_empty_passphrase_makes_no_key(void **state)
{
    (void)state;
    static const struct password_cost bad[] = {{64, 0, 1},  {64, 65, 1}, {64, 1, 0},
                                               {64, 1, 17}, {15, 1, 2},  {1024 * 1024 + 1, 1, 1}};
    struct secret *made = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_fails(VAULT_INVALID, password_key(BYTES("one"), BYTES("sixteen bytes ok"), &bad[i],
                                                 &made, &test_error));
    assert_fails(VAULT_INVALID,
                 password_key(BYTES(""), BYTES("sixteen bytes ok"), &cheap, &made, &test_error));
    assert_null(made);
}

int main(void)
{
    if (crypto_start(true, &test_error))
        return 1;
    return TEST_RUN(test_the_right_password_is_let_in_and_others_are_not,
                    test_a_hash_says_its_cost_and_not_its_password, test_each_hash_has_its_own_salt,
                    test_the_reference_implementations_hash_is_understood,
                    test_what_is_no_hash_lets_nobody_in,
                    test_empty_and_oversized_passwords_are_refused,
                    test_an_unknown_login_takes_the_work_of_a_wrong_password,
                    test_many_at_once_wait_for_each_other,
                    test_a_key_is_argon2id_of_the_passphrase_at_that_cost,
                    test_a_key_changes_with_passphrase_salt_and_cost,
                    test_a_cost_out_of_bounds_or_an_empty_passphrase_makes_no_key);
}
