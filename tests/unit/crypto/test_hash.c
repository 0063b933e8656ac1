/* FIPS 180-4 examples (NIST), RFC 4231. */
#include "test.h"

#include <pthread.h>
#include <stdlib.h>

#include "vault/crypto/crypto.h"
#include "vault/crypto/hash.h"

static void assert_is(const uint8_t hash[SHA256_BYTES], const char *hex)
{
    VAULT_AUTO(buf_finish) struct buf expected = test_hex(hex);
    assert_int_equal(expected.size, SHA256_BYTES);
    assert_memory_equal(hash, expected.data, SHA256_BYTES);
}

static void test_the_examples_of_fips_180_4(void **state)
{
    (void)state;
    uint8_t hash[SHA256_BYTES];
    sha256_of(hash, BYTES(""));
    assert_is(hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256_of(hash, BYTES("abc"));
    assert_is(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_of(hash, BYTES("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"));
    assert_is(hash, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    static uint8_t million[1000000];
    memset(million, 'a', sizeof million);
    sha256_of(hash, (struct bytes){million, sizeof million});
    assert_is(hash, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void test_parts_are_one_text(void **state)
{
    (void)state;
    uint8_t hash[SHA256_BYTES];
    const struct bytes parts[] = {BYTES("a"), {NULL, 0}, BYTES("b"), BYTES(""), BYTES("c")};
    sha256(hash, parts, 5);
    assert_is(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256(hash, parts, 0);
    assert_is(hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void test_a_hasher_gives_the_same_again_and_again(void **state)
{
    (void)state;
    static uint8_t text[300];
    VAULT_AUTO(hasher_free) struct hasher *hasher = hasher_new();
    for (size_t size = 0; size < sizeof text; size++) {
        uint8_t once[SHA256_BYTES];
        uint8_t again[SHA256_BYTES];
        const struct bytes parts[] = {{text, size / 2}, {text + size / 2, size - size / 2}};
        text[size] = (uint8_t)size;
        sha256(once, parts, 2);
        hasher_begin(hasher);
        hasher_add(hasher, (struct bytes){text, size});
        hasher_end(hasher, again);
        assert_memory_equal(once, again, SHA256_BYTES);
    }
    hasher_free(&hasher);
    assert_null(hasher);
}

/* RFC 4231 sections 4.2 to 4.8; 4.6 is cut to 128 bits there. */
static const struct {
    const char *key;
    const char *data;
    const char *mac;
} rfc4231[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "dddddddddddddddddddddddddddddddddddddddddddddddddd"
     "dddddddddddddddddddddddddddddddddddddddddddddddddd",
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {"0102030405060708090a0b0c0d0e0f10111213141516171819",
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
};

static void test_what_comes_in_pieces_is_one_text(void **state)
{
    (void)state;
    uint8_t hash[SHA256_BYTES];
    VAULT_AUTO(hasher_free) struct hasher *hasher = hasher_new();
    for (int round = 0; round < 2; round++) {
        hasher_begin(hasher);
        hasher_add(hasher, BYTES("ab"));
        hasher_add(hasher, (struct bytes){NULL, 0});
        hasher_add(hasher, BYTES("c"));
        hasher_end(hasher, hash);
        assert_is(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}

static void test_the_vectors_of_rfc_4231(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rfc4231 / sizeof rfc4231[0]; i++) {
        VAULT_AUTO(buf_finish) struct buf key = test_hex(rfc4231[i].key);
        VAULT_AUTO(buf_finish) struct buf data = test_hex(rfc4231[i].data);
        const struct bytes parts[] = {{data.data, 3}, {data.data + 3, data.size - 3}};
        uint8_t mac[SHA256_BYTES];
        hmac_sha256(mac, buf_view(&key), parts, 2);
        assert_is(mac, rfc4231[i].mac);
    }
}

static void test_rfc_4231_with_a_key_longer_than_a_block(void **state)
{
    (void)state;
    uint8_t key[131];
    uint8_t mac[SHA256_BYTES];
    memset(key, 0xaa, sizeof key);
    const struct bytes first = BYTES("Test Using Larger Than Block-Size Key - Hash Key First");
    const struct bytes second = BYTES(
        "This is a test using a larger than block-size key and a larger than block-size data. "
        "The key needs to be hashed before being used by the HMAC algorithm.");
    hmac_sha256(mac, (struct bytes){key, sizeof key}, &first, 1);
    assert_is(mac, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    hmac_sha256(mac, (struct bytes){key, sizeof key}, &second, 1);
    assert_is(mac, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

static void test_rfc_4231_cut_to_128_bits(void **state)
{
    (void)state;
    uint8_t key[20];
    uint8_t mac[SHA256_BYTES];
    memset(key, 0x0c, sizeof key);
    const struct bytes data = BYTES("Test With Truncation");
    VAULT_AUTO(buf_finish) struct buf expected = test_hex("a3b6167473100ee06e0c796c2955552b");
    hmac_sha256(mac, (struct bytes){key, sizeof key}, &data, 1);
    assert_memory_equal(mac, expected.data, 16);
}

static void test_under_a_salt_it_is_the_same(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < 20; i++) {
        const uint8_t salt[16] = {i, 7};
        const struct bytes key = {salt, sizeof salt};
        const struct bytes value = {salt, i % sizeof salt};
        uint8_t once[SHA256_BYTES];
        uint8_t salted[SHA256_BYTES];
        hmac_sha256(once, key, &value, 1);
        hmac_sha256_salted(salted, key, value);
        assert_memory_equal(once, salted, SHA256_BYTES);
    }
}

static void test_another_key_gives_another_mac(void **state)
{
    (void)state;
    uint8_t a[SHA256_BYTES];
    uint8_t b[SHA256_BYTES];
    const struct bytes data = BYTES("data");
    hmac_sha256(a, BYTES("key"), &data, 1);
    hmac_sha256(b, BYTES("kez"), &data, 1);
    assert_memory_not_equal(a, b, SHA256_BYTES);
    hmac_sha256(b, BYTES("key"), &data, 0);
    assert_memory_not_equal(a, b, SHA256_BYTES);
}

/* Ends while others go on: what it kept goes with it. */
static void *hash_many(void *context)
{
    const size_t of = *(const size_t *)context;
    for (size_t i = 0; i < 200; i++) {
        uint8_t text[64] = {(uint8_t)of, (uint8_t)i};
        uint8_t once[SHA256_BYTES];
        uint8_t twice[SHA256_BYTES];
        sha256_of(once, (struct bytes){text, sizeof text});
        hmac_sha256_salted(twice, (struct bytes){text, sizeof text}, (struct bytes){text, 8});
        sha256_of(twice, (struct bytes){text, sizeof text});
        if (memcmp(once, twice, sizeof once) != 0)
            return context;
    }
    return NULL;
}

static void test_threads_do_not_mix_what_they_hash(void **state)
{
    (void)state;
    pthread_t threads[8];
    size_t numbers[8];
    for (size_t i = 0; i < 8; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, hash_many, &numbers[i]), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        void *wrong = NULL;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
}

int main(void)
{
    if (crypto_start(true, &test_error))
        return 1;
    return TEST_RUN(test_the_examples_of_fips_180_4, test_parts_are_one_text,
                    test_a_hasher_gives_the_same_again_and_again,
                    test_what_comes_in_pieces_is_one_text, test_the_vectors_of_rfc_4231,
                    test_rfc_4231_with_a_key_longer_than_a_block, test_rfc_4231_cut_to_128_bits,
                    test_another_key_gives_another_mac, test_under_a_salt_it_is_the_same,
                    test_threads_do_not_mix_what_they_hash);
}
