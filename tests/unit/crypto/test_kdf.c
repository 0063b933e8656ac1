/* RFC 5869, appendix A.1 to A.3: those with SHA-256. */
#include "test.h"

#include "vault/crypto/crypto.h"
#include "vault/crypto/kdf.h"

static const struct {
    const char *key;
    const char *salt;
    const char *info;
    const char *okm;
} rfc5869[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
     "f0f1f2f3f4f5f6f7f8f9",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
     "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
     "404142434445464748494a4b4c4d4e4f",
     "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
     "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
     "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
     "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
     "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
     "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
     "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
     "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
     "cc30c58179ec3e87c14c01d5c1f3434f1d87"},
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
};

static void test_the_vectors_of_rfc_5869(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rfc5869 / sizeof rfc5869[0]; i++) {
        VAULT_AUTO(buf_finish) struct buf key = test_hex(rfc5869[i].key);
        VAULT_AUTO(buf_finish) struct buf salt = test_hex(rfc5869[i].salt);
        VAULT_AUTO(buf_finish) struct buf info = test_hex(rfc5869[i].info);
        VAULT_AUTO(buf_finish) struct buf okm = test_hex(rfc5869[i].okm);
        VAULT_AUTO(secret_free) struct secret *out = NULL;
        assert_done(kdf_hkdf(buf_view(&key), buf_view(&salt), buf_view(&info), okm.size, &out,
                             &test_error));
        assert_true(bytes_equal(secret_view(out), buf_view(&okm)));
    }
}

static struct secret *derive(const struct secret *key, const char *label, size_t size)
{
    struct secret *out = NULL;
    assert_done(kdf_derive(key, label, size, &out, &test_error));
    return out;
}

static void test_each_label_and_each_key_gives_its_own(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    VAULT_AUTO(secret_free) struct secret *other_key = NULL;
    assert_done(secret_random(SECRET_KEY_BYTES, &key, &test_error));
    assert_done(secret_random(SECRET_KEY_BYTES, &other_key, &test_error));
    VAULT_AUTO(secret_free) struct secret *one = derive(key, "vault/one/1", 32);
    VAULT_AUTO(secret_free) struct secret *again = derive(key, "vault/one/1", 32);
    VAULT_AUTO(secret_free) struct secret *two = derive(key, "vault/one/2", 32);
    VAULT_AUTO(secret_free) struct secret *other = derive(other_key, "vault/one/1", 32);
    assert_true(secret_equal(secret_view(one), secret_view(again)));
    assert_false(secret_equal(secret_view(one), secret_view(two)));
    assert_false(secret_equal(secret_view(one), secret_view(other)));
}

static void test_a_shorter_key_is_the_beginning_of_a_longer(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    assert_done(secret_random(SECRET_KEY_BYTES, &key, &test_error));
    VAULT_AUTO(secret_free) struct secret *part = derive(key, "vault/one/1", 16);
    VAULT_AUTO(secret_free) struct secret *whole = derive(key, "vault/one/1", 64);
    assert_int_equal(secret_view(part).size, 16);
    assert_memory_equal(secret_view(part).data, secret_view(whole).data, 16);
}

static void test_deriving_is_hkdf_with_the_label_and_no_salt(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    VAULT_AUTO(secret_free) struct secret *plain = NULL;
    assert_done(secret_random(SECRET_KEY_BYTES, &key, &test_error));
    VAULT_AUTO(secret_free) struct secret *derived = derive(key, "vault/one/1", 32);
    assert_done(
        kdf_hkdf(secret_view(key), BYTES(""), BYTES("vault/one/1"), 32, &plain, &test_error));
    assert_true(secret_equal(secret_view(derived), secret_view(plain)));
}

static void test_the_longest_output_is_255_blocks(void **state)
{
    (void)state;
    /* More than a secret may hold is refused before it gets here; the largest of those works. */
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    assert_done(secret_random(SECRET_KEY_BYTES, &key, &test_error));
    VAULT_AUTO(secret_free) struct secret *large = derive(key, "vault/large/1", SECRET_MAX_BYTES);
    assert_int_equal(secret_view(large).size, SECRET_MAX_BYTES);
}

static void test_without_room_nothing_is_given(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    static struct secret *many[SECRET_HEAP_BYTES / 64];
    struct secret *out = NULL;
    size_t count = 0;
    assert_done(secret_random(SECRET_KEY_BYTES, &key, &test_error));
    while (secret_new(SECRET_KEY_BYTES, &many[count], NULL) == VAULT_OK)
        count++;
    assert_fails(VAULT_NO_MEMORY, kdf_derive(key, "vault/one/1", 32, &out, &test_error));
    assert_null(out);
    for (size_t i = 0; i < count; i++)
        secret_free(&many[i]);
}

int main(void)
{
    if (crypto_start(true, &test_error))
        return 1;
    return TEST_RUN(test_the_vectors_of_rfc_5869, test_each_label_and_each_key_gives_its_own,
                    test_a_shorter_key_is_the_beginning_of_a_longer,
                    test_deriving_is_hkdf_with_the_label_and_no_salt,
                    test_the_longest_output_is_255_blocks, test_without_room_nothing_is_given);
}
