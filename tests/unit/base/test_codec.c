/* RFC 4648, section 10, and that every text has one spelling. */
#include "test.h"

#include "vault/base/codec.h"

typedef void encoder(struct buf *out, struct bytes bytes);
typedef enum vault_code decoder(struct buf *out, struct bytes text, struct vault_error *err);

static const struct code {
    encoder *encode;
    decoder *decode;
    const char *digits;
    const char *texts[7]; /* of "", "f", "fo", "foo", "foob", "fooba", "foobar" */
} codes[] = {
    {hex_encode,
     hex_decode,
     "0123456789abcdef",
     {"", "66", "666f", "666f6f", "666f6f62", "666f6f6261", "666f6f626172"}},
    {base64_encode,
     base64_decode,
     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
     {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"}},
    {base64url_encode,
     base64url_decode,
     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
     {"", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"}},
    {base32_encode,
     base32_decode,
     "abcdefghijklmnopqrstuvwxyz234567",
     {"", "my", "mzxq", "mzxw6", "mzxw6yq", "mzxw6ytb", "mzxw6ytboi"}},
};
#define CODE_COUNT (sizeof codes / sizeof codes[0])

static void test_the_vectors_of_rfc_4648_hold_both_ways(void **state)
{
    (void)state;
    for (size_t c = 0; c < CODE_COUNT; c++) {
        for (size_t length = 0; length <= 6; length++) {
            VAULT_AUTO(buf_finish) struct buf text = buf_limited(64);
            VAULT_AUTO(buf_finish) struct buf back = buf_limited(64);
            codes[c].encode(&text, (struct bytes){(const uint8_t *)"foobar", length});
            assert_true(bytes_equal(buf_view(&text), bytes_of_text(codes[c].texts[length])));
            assert_done(codes[c].decode(&back, buf_view(&text), &test_error));
            assert_true(
                bytes_equal(buf_view(&back), (struct bytes){(const uint8_t *)"foobar", length}));
        }
    }
}

static void test_every_byte_comes_back(void **state)
{
    (void)state;
    uint8_t all[256];
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)i;
    for (size_t c = 0; c < CODE_COUNT; c++) {
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(1024);
        VAULT_AUTO(buf_finish) struct buf back = buf_limited(1024);
        codes[c].encode(&text, (struct bytes){all, sizeof all});
        assert_done(codes[c].decode(&back, buf_view(&text), &test_error));
        assert_true(bytes_equal(buf_view(&back), (struct bytes){all, sizeof all}));
    }
}

/* The first character of an encoded text replaced by each of the 256 bytes. */
static void test_only_the_characters_of_the_alphabet_are_read(void **state)
{
    (void)state;
    for (size_t c = 0; c < CODE_COUNT; c++) {
        size_t accepted = 0;
        for (unsigned byte = 0; byte < 256; byte++) {
            VAULT_AUTO(buf_finish) struct buf text = buf_limited(64);
            VAULT_AUTO(buf_finish) struct buf back = buf_limited(64);
            codes[c].encode(&text, BYTES("fooba"));
            text.data[0] = (uint8_t)byte;
            const bool decoded = codes[c].decode(&back, buf_view(&text), NULL) == VAULT_OK;
            assert_int_equal(decoded, byte != 0 && strchr(codes[c].digits, (int)byte) != NULL);
            accepted += decoded;
        }
        assert_int_equal(accepted, strlen(codes[c].digits));
    }
}

static void test_a_second_spelling_is_refused(void **state)
{
    (void)state;
    static const struct {
        decoder *decode;
        const char *text;
    } wrong[] = {
        {hex_decode, "6"},          {hex_decode, "6F"},          {hex_decode, "66 "},
        {base64_decode, "Zg"},      {base64_decode, "Zg="},      {base64_decode, "Zh=="},
        {base64_decode, "Zm9="},    {base64_decode, "Zg==="},    {base64_decode, "Zm9v\n"},
        {base64_decode, "=m9v"},    {base64_decode, "Zm9v===="}, {base64_decode, "Zm-v"},
        {base64url_decode, "Zg=="}, {base64url_decode, "Zh"},    {base64url_decode, "Zm+v"},
        {base64url_decode, "Z"},    {base32_decode, "MY"},       {base32_decode, "my======"},
        {base32_decode, "mz"},      {base32_decode, "m"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        VAULT_AUTO(buf_finish) struct buf back = buf_limited(64);
        assert_fails(VAULT_INVALID, wrong[i].decode(&back, bytes_of_text(wrong[i].text), NULL));
        assert_int_equal(back.size, 0);
    }
}

static void test_exact_decoding_writes_all_or_nothing(void **state)
{
    (void)state;
    uint8_t out[100];
    char text[HEX_CHARS(sizeof out) + 1];
    for (size_t size = 0; size <= sizeof out; size += 20) {
        memset(out, 0xa5, sizeof out);
        hex_string(text, out, size);
        memset(out, 0, sizeof out);
        assert_fails(VAULT_INVALID,
                     hex_decode_exact(out, size + 1, bytes_of_text(text), &test_error));
        assert_int_equal(out[0], 0);
        assert_done(hex_decode_exact(out, size, bytes_of_text(text), &test_error));
        assert_true(size == 0 || (out[0] == 0xa5 && out[size - 1] == 0xa5));
        assert_true(size == sizeof out || out[size] == 0);
    }
}

static void test_a_buffer_that_is_too_small_stays_as_it_was(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf back = buf_limited(3);
    buf_text(&back, "ab");
    assert_fails(VAULT_TOO_LARGE, base64_decode(&back, bytes_of_text("Zm8="), &test_error));
    assert_int_equal(back.size, 2);
}

static void test_digits_are_numbers_and_nothing_else_is(void **state)
{
    (void)state;
    uint64_t number = 7;
    assert_true(digits_read(BYTES("0"), &number));
    assert_int_equal(number, 0);
    assert_true(digits_read(BYTES("0042"), &number));
    assert_int_equal(number, 42);
    assert_true(digits_read(BYTES("999999999999999999"), &number));
    assert_true(number == 999999999999999999U);
    static const char *const none[] = {"",   "-1",  "+1",   " 1",
                                       "1 ", "0x1", "1e3",  "1000000000000000000",
                                       "a",  "1.0", "1\n2", "18446744073709551616"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        number = 7;
        assert_false(digits_read(bytes_of_text(none[i]), &number));
        assert_int_equal(number, 0);
    }
}

int main(void)
{
    return TEST_RUN(test_digits_are_numbers_and_nothing_else_is,
                    test_the_vectors_of_rfc_4648_hold_both_ways, test_every_byte_comes_back,
                    test_only_the_characters_of_the_alphabet_are_read,
                    test_a_second_spelling_is_refused, test_exact_decoding_writes_all_or_nothing,
                    test_a_buffer_that_is_too_small_stays_as_it_was);
}
