/* RFC 8032, section 7.1: tests 1, 2, 3 and SHA(abc). */
#include "test.h"

#include <pthread.h>

#include "vault/crypto/crypto.h"
#include "vault/crypto/sign.h"

static const struct {
    const char *seed;
    const char *public_key;
    const char *message;
    const char *signature;
} rfc8032[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
     "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"},
};

static struct sign_key *key_of(const char *seed_hex)
{
    VAULT_AUTO(buf_finish) struct buf raw = test_hex(seed_hex);
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    struct sign_key *key = NULL;
    assert_done(secret_copy(buf_view(&raw), &seed, &test_error));
    assert_done(sign_key_of_seed(seed, &key, &test_error));
    return key;
}

static void test_the_vectors_of_rfc_8032(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rfc8032 / sizeof rfc8032[0]; i++) {
        VAULT_AUTO(sign_key_free) struct sign_key *key = key_of(rfc8032[i].seed);
        VAULT_AUTO(buf_finish) struct buf public_key = test_hex(rfc8032[i].public_key);
        VAULT_AUTO(buf_finish) struct buf message = test_hex(rfc8032[i].message);
        VAULT_AUTO(buf_finish) struct buf expected = test_hex(rfc8032[i].signature);
        uint8_t derived[SIGN_PUBLIC_BYTES];
        uint8_t signature[SIGN_SIGNATURE_BYTES];
        sign_key_public(key, derived);
        assert_memory_equal(derived, public_key.data, SIGN_PUBLIC_BYTES);
        assert_done(sign_message(key, buf_view(&message), signature, &test_error));
        assert_memory_equal(signature, expected.data, SIGN_SIGNATURE_BYTES);
        assert_done(sign_verify(derived, buf_view(&message), signature, &test_error));
    }
}

static void test_any_changed_byte_breaks_a_signature(void **state)
{
    (void)state;
    VAULT_AUTO(sign_key_free) struct sign_key *key = key_of(rfc8032[0].seed);
    uint8_t public_key[SIGN_PUBLIC_BYTES];
    uint8_t signature[SIGN_SIGNATURE_BYTES];
    uint8_t message[] = "a message of the test";
    const struct bytes text = {message, sizeof message};
    sign_key_public(key, public_key);
    assert_done(sign_message(key, text, signature, &test_error));
    for (size_t i = 0; i < sizeof signature; i++) {
        signature[i] ^= 4;
        assert_fails(VAULT_DENIED, sign_verify(public_key, text, signature, &test_error));
        signature[i] ^= 4;
    }
    for (size_t i = 0; i < sizeof message; i++) {
        message[i] ^= 4;
        assert_fails(VAULT_DENIED, sign_verify(public_key, text, signature, &test_error));
        message[i] ^= 4;
    }
    for (size_t i = 0; i < sizeof public_key; i++) {
        public_key[i] ^= 4;
        assert_fails(VAULT_DENIED, sign_verify(public_key, text, signature, &test_error));
        public_key[i] ^= 4;
    }
    assert_done(sign_verify(public_key, text, signature, &test_error));
}

static void test_another_keys_signature_is_denied(void **state)
{
    (void)state;
    VAULT_AUTO(sign_key_free) struct sign_key *key = key_of(rfc8032[0].seed);
    VAULT_AUTO(sign_key_free) struct sign_key *other = key_of(rfc8032[1].seed);
    uint8_t public_key[SIGN_PUBLIC_BYTES];
    uint8_t signature[SIGN_SIGNATURE_BYTES];
    sign_key_public(key, public_key);
    assert_done(sign_message(other, BYTES("text"), signature, &test_error));
    assert_fails(VAULT_DENIED, sign_verify(public_key, BYTES("text"), signature, &test_error));
}

/* RFC 8032 section 5.1.7: S must be below the group's order, or one signature has two forms. */
static void test_a_signature_has_one_form(void **state)
{
    (void)state;
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                      0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                      0,    0,    0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0x10};
    VAULT_AUTO(sign_key_free) struct sign_key *key = key_of(rfc8032[0].seed);
    uint8_t public_key[SIGN_PUBLIC_BYTES];
    uint8_t signature[SIGN_SIGNATURE_BYTES];
    unsigned carry = 0;
    sign_key_public(key, public_key);
    assert_done(sign_message(key, BYTES("text"), signature, &test_error));
    for (size_t i = 0; i < 32; i++) {
        carry += signature[32 + i] + (unsigned)order[i];
        signature[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_fails(VAULT_DENIED, sign_verify(public_key, BYTES("text"), signature, &test_error));
}

static void test_what_is_no_point_is_denied(void **state)
{
    (void)state;
    uint8_t not_a_point[SIGN_PUBLIC_BYTES];
    const uint8_t signature[SIGN_SIGNATURE_BYTES] = {0};
    memset(not_a_point, 0xff, sizeof not_a_point);
    assert_fails(VAULT_DENIED, sign_verify(not_a_point, BYTES("text"), signature, &test_error));
}

struct signer {
    const struct sign_key *key;
    _Atomic int wrong;
};

static void *sign_often(void *context)
{
    struct signer *signer = context;
    uint8_t public_key[SIGN_PUBLIC_BYTES];
    uint8_t signature[SIGN_SIGNATURE_BYTES];
    sign_key_public(signer->key, public_key);
    for (int i = 0; i < 50; i++) {
        if (sign_message(signer->key, BYTES("text"), signature, NULL) ||
            sign_verify(public_key, BYTES("text"), signature, NULL))
            signer->wrong++;
    }
    return NULL;
}

static void test_threads_share_a_key(void **state)
{
    (void)state;
    VAULT_AUTO(sign_key_free) struct sign_key *key = key_of(rfc8032[0].seed);
    struct signer signer = {.key = key};
    pthread_t threads[8];
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_often, &signer), 0);
    for (size_t i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(signer.wrong, 0);
}

/* Whoever has the private half: counts, and refuses an empty message. */
struct afar {
    const struct sign_key *key;
    int asked;
};

static enum vault_code sign_afar(void *context, struct bytes message,
                                 uint8_t out[SIGN_SIGNATURE_BYTES], struct vault_error *err)
{
    struct afar *afar = context;
    afar->asked++;
    if (!message.size)
        return vault_fail(err, VAULT_UNAVAILABLE, "nobody is there");
    return sign_message(afar->key, message, out, err);
}

static void test_a_key_that_is_elsewhere_is_asked_for_each_signature(void **state)
{
    (void)state;
    VAULT_AUTO(sign_key_free) struct sign_key *key = key_of(rfc8032[1].seed);
    VAULT_AUTO(sign_key_free) struct sign_key *away = NULL;
    struct afar afar = {.key = key};
    uint8_t public_key[SIGN_PUBLIC_BYTES];
    uint8_t shown[SIGN_PUBLIC_BYTES];
    uint8_t signature[SIGN_SIGNATURE_BYTES];
    sign_key_public(key, public_key);
    assert_done(sign_key_elsewhere(public_key, (struct sign_elsewhere){sign_afar, &afar}, &away,
                                   &test_error));
    sign_key_public(away, shown);
    assert_memory_equal(shown, public_key, sizeof shown);
    assert_done(sign_message(away, BYTES("text"), signature, &test_error));
    assert_done(sign_verify(public_key, BYTES("text"), signature, &test_error));
    assert_fails(VAULT_UNAVAILABLE, sign_message(away, BYTES(""), signature, &test_error));
    assert_int_equal(afar.asked, 2);
}

int main(void)
{
    if (crypto_start(true, &test_error))
        return 1;
    return TEST_RUN(test_the_vectors_of_rfc_8032, test_any_changed_byte_breaks_a_signature,
                    test_another_keys_signature_is_denied, test_a_signature_has_one_form,
                    test_what_is_no_point_is_denied, test_threads_share_a_key,
                    test_a_key_that_is_elsewhere_is_asked_for_each_signature);
}
