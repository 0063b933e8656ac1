/* FIPS 197, appendix C.3: AES-256, one block. */
#include "test.h"

#include "vault/crypto/crypto.h"
#include "vault/crypto/permute.h"

static struct secret *key_of(const char *hex)
{
    VAULT_AUTO(buf_finish) struct buf raw = test_hex(hex);
    struct secret *key = NULL;
    assert_done(secret_copy(buf_view(&raw), &key, &test_error));
    return key;
}

static void test_the_example_of_fips_197_holds_both_ways(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free)
    struct secret *key = key_of("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    VAULT_AUTO(buf_finish) struct buf plain = test_hex("00112233445566778899aabbccddeeff");
    VAULT_AUTO(buf_finish) struct buf cipher = test_hex("8ea2b7ca516745bfeafc49904b496089");
    uint8_t out[PERMUTE_BLOCK_BYTES];
    assert_done(permute(key, plain.data, out, &test_error));
    assert_memory_equal(out, cipher.data, sizeof out);
    assert_done(permute_back(key, cipher.data, out, &test_error));
    assert_memory_equal(out, plain.data, sizeof out);
}

static void test_it_is_a_permutation(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    assert_done(secret_random(SECRET_KEY_BYTES, &key, &test_error));
    uint8_t images[256][PERMUTE_BLOCK_BYTES];
    for (int i = 0; i < 256; i++) {
        const uint8_t block[PERMUTE_BLOCK_BYTES] = {(uint8_t)i};
        uint8_t back[PERMUTE_BLOCK_BYTES];
        assert_done(permute(key, block, images[i], &test_error));
        assert_done(permute_back(key, images[i], back, &test_error));
        assert_memory_equal(back, block, sizeof block);
        for (int k = 0; k < i; k++)
            assert_memory_not_equal(images[i], images[k], PERMUTE_BLOCK_BYTES);
    }
}

static void test_another_key_permutes_otherwise(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *a = NULL;
    VAULT_AUTO(secret_free) struct secret *b = NULL;
    assert_done(secret_random(SECRET_KEY_BYTES, &a, &test_error));
    assert_done(secret_random(SECRET_KEY_BYTES, &b, &test_error));
    const uint8_t block[PERMUTE_BLOCK_BYTES] = {1};
    uint8_t by_a[PERMUTE_BLOCK_BYTES];
    uint8_t by_b[PERMUTE_BLOCK_BYTES];
    assert_done(permute(a, block, by_a, &test_error));
    assert_done(permute(b, block, by_b, &test_error));
    assert_memory_not_equal(by_a, by_b, sizeof by_a);
    assert_done(permute_back(b, by_a, by_b, &test_error));
    assert_memory_not_equal(by_b, block, sizeof block);
}

static void test_in_place_is_fine(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    assert_done(secret_random(SECRET_KEY_BYTES, &key, &test_error));
    const uint8_t block[PERMUTE_BLOCK_BYTES] = {1, 2, 3};
    uint8_t place[PERMUTE_BLOCK_BYTES] = {1, 2, 3};
    assert_done(permute(key, place, place, &test_error));
    assert_memory_not_equal(place, block, sizeof block);
    assert_done(permute_back(key, place, place, &test_error));
    assert_memory_equal(place, block, sizeof block);
}

int main(void)
{
    if (crypto_start(true, &test_error))
        return 1;
    return TEST_RUN(test_the_example_of_fips_197_holds_both_ways, test_it_is_a_permutation,
                    test_another_key_permutes_otherwise, test_in_place_is_fine);
}
