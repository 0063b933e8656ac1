/* AES-256-GCM: vectors of the GCM specification (McGrew, Viega), test cases 13 to 16, and refusals.
 */
#include "test.h"

#include "vault/crypto/crypto.h"
#include "vault/crypto/seal.h"

static const struct {
    const char *key;
    const char *associated;
    const char *plain;
    const char *sealed; /* nonce, ciphertext, tag */
} gcm[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000", "", "",
     "000000000000000000000000"
     "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "",
     "00000000000000000000000000000000",
     "000000000000000000000000"
     "cea7403d4d606b6e074ec5d3baf39d18"
     "d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
     "cafebabefacedbaddecaf888"
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad"
     "b094dac5d93471bdec1a502270e3cc6c"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "cafebabefacedbaddecaf888"
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

static struct secret *key_of(const char *hex)
{
    VAULT_AUTO(buf_finish) struct buf raw = test_hex(hex);
    struct secret *key = NULL;
    assert_done(secret_copy(buf_view(&raw), &key, &test_error));
    return key;
}

static void test_the_vectors_of_the_specification_open(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof gcm / sizeof gcm[0]; i++) {
        VAULT_AUTO(secret_free) struct secret *key = key_of(gcm[i].key);
        VAULT_AUTO(buf_finish) struct buf associated = test_hex(gcm[i].associated);
        VAULT_AUTO(buf_finish) struct buf plain = test_hex(gcm[i].plain);
        VAULT_AUTO(buf_finish) struct buf sealed = test_hex(gcm[i].sealed);
        VAULT_AUTO(buf_finish) struct buf out = buf_limited(100);
        assert_done(seal_open(key, buf_view(&associated), buf_view(&sealed), &out, &test_error));
        assert_true(bytes_equal(buf_view(&out), buf_view(&plain)));
    }
}

static struct secret *fresh_key(void)
{
    struct secret *key = NULL;
    assert_done(secret_random(SECRET_KEY_BYTES, &key, &test_error));
    return key;
}

static void test_what_is_sealed_opens_behind_what_is_there(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *key = fresh_key();
    static uint8_t large[50000];
    const size_t sizes[] = {0, 1, 15, 16, 17, sizeof large};
    memset(large, 0x5a, sizeof large);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const struct bytes plain = {large, sizes[i]};
        VAULT_AUTO(buf_finish) struct buf sealed = buf_limited(60000);
        VAULT_AUTO(buf_finish) struct buf out = buf_limited(60000);
        buf_text(&sealed, "before");
        buf_text(&out, "before");
        assert_done(seal(key, BYTES("whose"), plain, &sealed, &test_error));
        assert_int_equal(sealed.size, 6 + sizes[i] + SEAL_OVERHEAD_BYTES);
        assert_done(seal_open(key, BYTES("whose"), (struct bytes){sealed.data + 6, sealed.size - 6},
                              &out, &test_error));
        assert_int_equal(out.size, 6 + sizes[i]);
        assert_memory_equal(out.data, "before", 6);
        if (sizes[i])
            assert_memory_equal(out.data + 6, large, sizes[i]);
    }
}

static void test_the_same_text_is_never_sealed_the_same_way_twice(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *key = fresh_key();
    VAULT_AUTO(buf_finish) struct buf a = buf_limited(100);
    VAULT_AUTO(buf_finish) struct buf b = buf_limited(100);
    assert_done(seal(key, BYTES(""), BYTES("text"), &a, &test_error));
    assert_done(seal(key, BYTES(""), BYTES("text"), &b, &test_error));
    assert_memory_not_equal(a.data, b.data, 12);
    assert_memory_not_equal(a.data + 12, b.data + 12, 4);
}

static enum vault_code open_it(const struct secret *key, struct bytes associated,
                               struct bytes sealed)
{
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(1000);
    buf_text(&out, "before");
    const enum vault_code code = seal_open(key, associated, sealed, &out, &test_error);
    if (code)
        assert_string_equal(buf_string(&out), "before");
    return code;
}

static void test_every_changed_bit_is_found(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *key = fresh_key();
    VAULT_AUTO(buf_finish) struct buf sealed = buf_limited(100);
    assert_done(seal(key, BYTES("whose"), BYTES("text"), &sealed, &test_error));
    for (size_t i = 0; i < sealed.size * 8; i++) {
        sealed.data[i / 8] ^= (uint8_t)(1U << i % 8);
        assert_fails(VAULT_CORRUPT, open_it(key, BYTES("whose"), buf_view(&sealed)));
        sealed.data[i / 8] ^= (uint8_t)(1U << i % 8);
    }
    assert_done(open_it(key, BYTES("whose"), buf_view(&sealed)));
}

static void test_cut_and_lengthened_texts_are_refused(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *key = fresh_key();
    VAULT_AUTO(buf_finish) struct buf sealed = buf_limited(100);
    assert_done(seal(key, BYTES("whose"), BYTES("text"), &sealed, &test_error));
    for (size_t size = 0; size < sealed.size; size++)
        assert_fails(VAULT_CORRUPT,
                     open_it(key, BYTES("whose"), (struct bytes){sealed.data, size}));
    buf_byte(&sealed, 0);
    assert_fails(VAULT_CORRUPT, open_it(key, BYTES("whose"), buf_view(&sealed)));
}

static void test_another_key_or_other_associated_data_do_not_open(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *key = fresh_key();
    VAULT_AUTO(secret_free) struct secret *other = fresh_key();
    VAULT_AUTO(buf_finish) struct buf sealed = buf_limited(100);
    assert_done(seal(key, BYTES("whose"), BYTES("text"), &sealed, &test_error));
    assert_fails(VAULT_CORRUPT, open_it(other, BYTES("whose"), buf_view(&sealed)));
    assert_fails(VAULT_CORRUPT, open_it(key, BYTES("whosf"), buf_view(&sealed)));
    assert_fails(VAULT_CORRUPT, open_it(key, BYTES("whose\0"), buf_view(&sealed)));
    assert_fails(VAULT_CORRUPT, open_it(key, BYTES(""), buf_view(&sealed)));
}

static void test_without_room_nothing_is_written(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *key = fresh_key();
    VAULT_AUTO(buf_finish) struct buf small = buf_limited(31);
    VAULT_AUTO(buf_finish) struct buf sealed = buf_limited(32);
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(3);
    assert_fails(VAULT_TOO_LARGE, seal(key, BYTES(""), BYTES("text"), &small, &test_error));
    assert_int_equal(small.size, 0);
    assert_done(seal(key, BYTES(""), BYTES("text"), &sealed, &test_error));
    assert_fails(VAULT_TOO_LARGE, seal_open(key, BYTES(""), buf_view(&sealed), &out, &test_error));
    assert_int_equal(out.size, 0);
}

static void test_a_wrapped_key_opens_into_a_secret(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *key = fresh_key();
    VAULT_AUTO(secret_free) struct secret *inner = fresh_key();
    VAULT_AUTO(secret_free) struct secret *back = NULL;
    VAULT_AUTO(buf_finish) struct buf wrapped = buf_limited(100);
    assert_done(seal(key, BYTES("use"), secret_view(inner), &wrapped, &test_error));
    assert_done(seal_open_secret(key, BYTES("use"), buf_view(&wrapped), &back, &test_error));
    assert_true(secret_equal(secret_view(inner), secret_view(back)));
    struct secret *none = NULL;
    assert_fails(VAULT_CORRUPT,
                 seal_open_secret(key, BYTES("usf"), buf_view(&wrapped), &none, &test_error));
    assert_null(none);
}

static void test_a_wrapped_key_of_no_size_or_too_large_is_refused(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *key = fresh_key();
    struct secret *none = NULL;
    static uint8_t large[SECRET_MAX_BYTES + SEAL_OVERHEAD_BYTES + 1];
    const size_t sizes[] = {0, SEAL_OVERHEAD_BYTES - 1, SEAL_OVERHEAD_BYTES, sizeof large};
    for (size_t i = 0; i < 4; i++) {
        assert_fails(
            VAULT_CORRUPT,
            seal_open_secret(key, BYTES(""), (struct bytes){large, sizes[i]}, &none, &test_error));
        assert_null(none);
    }
}

int main(void)
{
    if (crypto_start(true, &test_error))
        return 1;
    return TEST_RUN(test_the_vectors_of_the_specification_open,
                    test_what_is_sealed_opens_behind_what_is_there,
                    test_the_same_text_is_never_sealed_the_same_way_twice,
                    test_every_changed_bit_is_found, test_cut_and_lengthened_texts_are_refused,
                    test_another_key_or_other_associated_data_do_not_open,
                    test_without_room_nothing_is_written, test_a_wrapped_key_opens_into_a_secret,
                    test_a_wrapped_key_of_no_size_or_too_large_is_refused);
}
