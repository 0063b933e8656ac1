#include "vault/base/codec.h"

#include <string.h>

/* Each character's value plus one, so that 0 is a character of no value. */
#define RUN_OF_6(first, value)                                                                     \
    [first] = (value), [(first) + 1] = (value) + 1, [(first) + 2] = (value) + 2,                   \
    [(first) + 3] = (value) + 3, [(first) + 4] = (value) + 4, [(first) + 5] = (value) + 5
#define RUN_OF_10(first, value)                                                                    \
    RUN_OF_6(first, value), [(first) + 6] = (value) + 6, [(first) + 7] = (value) + 7,              \
                                       [(first) + 8] = (value) + 8, [(first) + 9] = (value) + 9
#define RUN_OF_26(first, value)                                                                    \
    RUN_OF_10(first, value), RUN_OF_10((first) + 10, (value) + 10),                                \
        RUN_OF_6((first) + 20, (value) + 20)

static const uint8_t hex_values[256] = {RUN_OF_10('0', 1), RUN_OF_6('a', 11)};
static const uint8_t base64_values[256] = {RUN_OF_26('A', 1), RUN_OF_26('a', 27),
                                           RUN_OF_10('0', 53), ['+'] = 63, ['/'] = 64};
static const uint8_t base64url_values[256] = {RUN_OF_26('A', 1), RUN_OF_26('a', 27),
                                              RUN_OF_10('0', 53), ['-'] = 63, ['_'] = 64};
static const uint8_t base32_values[256] = {RUN_OF_26('a', 1), RUN_OF_6('2', 27)};

/* A code of one alphabet: each character stands for bits bits, padded to a whole group or not. */
struct alphabet {
    const char *name;
    const char *digits;
    const uint8_t *values; /* the digits the other way round */
    unsigned bits;
    unsigned group_chars; /* 0: no padding */
};

static const struct alphabet hex = {"hex", "0123456789abcdef", hex_values, 4, 0};
static const struct alphabet base64 = {
    "base64", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", base64_values, 6,
    4};
static const struct alphabet base64url = {
    "base64url", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
    base64url_values, 6, 0};
static const struct alphabet base32 = {"base32", "abcdefghijklmnopqrstuvwxyz234567", base32_values,
                                       5, 0};

static size_t chars_of(const struct alphabet *alphabet, size_t size)
{
    const size_t chars = (size * 8 + alphabet->bits - 1) / alphabet->bits;
    const size_t group = alphabet->group_chars;
    return group ? (chars + group - 1) / group * group : chars;
}

static void encode_to(const struct alphabet *alphabet, char *out, const uint8_t *data, size_t size)
{
    const size_t total = chars_of(alphabet, size);
    uint32_t pending = 0;
    unsigned pending_bits = 0;
    size_t written = 0;
    for (size_t i = 0; i < size; i++) {
        pending = pending << 8 | data[i];
        pending_bits += 8;
        while (pending_bits >= alphabet->bits) {
            pending_bits -= alphabet->bits;
            out[written++] =
                alphabet->digits[pending >> pending_bits & ((1U << alphabet->bits) - 1)];
        }
        pending &= (1U << pending_bits) - 1;
    }
    if (pending_bits)
        out[written++] = alphabet->digits[pending << (alphabet->bits - pending_bits)];
    memset(out + written, '=', total - written);
}

static void encode(const struct alphabet *alphabet, struct buf *out, struct bytes bytes)
{
    const size_t chars = chars_of(alphabet, bytes.size);
    uint8_t *place = chars ? buf_extend(out, chars) : NULL;
    if (place)
        encode_to(alphabet, (char *)place, bytes.data, bytes.size);
}

static struct bytes without_padding(const struct alphabet *alphabet, struct bytes text)
{
    for (unsigned i = 0; alphabet->group_chars && i < 2 && text.size; i++) {
        if (text.data[text.size - 1] == '=')
            text.size--;
    }
    return text;
}

/* Decode whole groups of four characters of six bits, as many as there are. Returns how many, or
 * SIZE_MAX if one of them has no value. */
static size_t decode_groups(const struct alphabet *alphabet, uint8_t *out, struct bytes digits)
{
    const uint8_t *values = alphabet->values;
    const size_t groups = digits.size / 4;
    for (size_t i = 0; i < groups; i++) {
        const uint8_t *group = digits.data + i * 4;
        const uint32_t a = values[group[0]];
        const uint32_t b = values[group[1]];
        const uint32_t c = values[group[2]];
        const uint32_t d = values[group[3]];
        if (a == 0 || b == 0 || c == 0 || d == 0)
            return SIZE_MAX;
        const uint32_t bits = (a - 1) << 18 | (b - 1) << 12 | (c - 1) << 6 | (d - 1);
        out[i * 3] = (uint8_t)(bits >> 16);
        out[i * 3 + 1] = (uint8_t)(bits >> 8);
        out[i * 3 + 2] = (uint8_t)bits;
    }
    return groups;
}

/* Decode into exactly size bytes. False if the text is not what the encoder writes for them. */
static bool decode_to(const struct alphabet *alphabet, uint8_t *out, size_t size, struct bytes text)
{
    if (text.size != chars_of(alphabet, size))
        return false;
    const struct bytes digits = without_padding(alphabet, text);
    if (digits.size != (size * 8 + alphabet->bits - 1) / alphabet->bits)
        return false;
    const size_t groups = alphabet->bits == 6 ? decode_groups(alphabet, out, digits) : 0;
    if (groups == SIZE_MAX)
        return false;
    uint32_t pending = 0;
    unsigned pending_bits = 0;
    size_t written = groups * 3;
    for (size_t i = groups * 4; i < digits.size; i++) {
        const uint32_t value_plus_one = alphabet->values[digits.data[i]];
        if (value_plus_one == 0)
            return false;
        pending = pending << alphabet->bits | (value_plus_one - 1);
        pending_bits += alphabet->bits;
        if (pending_bits >= 8) {
            pending_bits -= 8;
            out[written++] = (uint8_t)(pending >> pending_bits);
        }
        pending &= (1U << pending_bits) - 1;
    }
    return pending == 0; /* low bits that stand for nothing must be zero */
}

static enum vault_code not_decodable(const struct alphabet *alphabet, struct vault_error *err)
{
    return vault_fail(err, VAULT_INVALID, "not %s", alphabet->name);
}

static enum vault_code decode(const struct alphabet *alphabet, struct buf *out, struct bytes text,
                              struct vault_error *err)
{
    const size_t size = without_padding(alphabet, text).size * alphabet->bits / 8;
    const size_t before = out->size;
    uint8_t *place = buf_extend(out, size);
    if (!place)
        return buf_check(out, err);
    if (decode_to(alphabet, place, size, text))
        return VAULT_OK;
    out->size = before;
    return not_decodable(alphabet, err);
}

static enum vault_code decode_exact(const struct alphabet *alphabet, void *out, size_t size,
                                    struct bytes text, struct vault_error *err)
{
    /* Somewhere else first: out is written only on success. Hashes and keys need no memory. */
    uint8_t small[64];
    if (size <= sizeof small) {
        const bool decoded = decode_to(alphabet, small, size, text);
        if (decoded)
            memcpy(out, small, size);
        explicit_bzero(small, size);
        return decoded ? VAULT_OK : not_decodable(alphabet, err);
    }
    VAULT_AUTO(buf_finish) struct buf decoded = buf_limited(size);
    uint8_t *place = buf_extend(&decoded, size);
    if (!place)
        return buf_check(&decoded, err);
    if (!decode_to(alphabet, place, size, text))
        return not_decodable(alphabet, err);
    memcpy(out, place, size);
    return VAULT_OK;
}

static void string(const struct alphabet *alphabet, char *out, const void *data, size_t size)
{
    encode_to(alphabet, out, data, size);
    out[chars_of(alphabet, size)] = 0;
}

void hex_encode(struct buf *out, struct bytes bytes)
{
    encode(&hex, out, bytes);
}

void base64_encode(struct buf *out, struct bytes bytes)
{
    encode(&base64, out, bytes);
}

void base64url_encode(struct buf *out, struct bytes bytes)
{
    encode(&base64url, out, bytes);
}

void base32_encode(struct buf *out, struct bytes bytes)
{
    encode(&base32, out, bytes);
}

enum vault_code hex_decode(struct buf *out, struct bytes text, struct vault_error *err)
{
    return decode(&hex, out, text, err);
}

enum vault_code base64_decode(struct buf *out, struct bytes text, struct vault_error *err)
{
    return decode(&base64, out, text, err);
}

enum vault_code base64url_decode(struct buf *out, struct bytes text, struct vault_error *err)
{
    return decode(&base64url, out, text, err);
}

enum vault_code base32_decode(struct buf *out, struct bytes text, struct vault_error *err)
{
    return decode(&base32, out, text, err);
}

enum vault_code hex_decode_exact(void *out, size_t size_bytes, struct bytes text,
                                 struct vault_error *err)
{
    return decode_exact(&hex, out, size_bytes, text, err);
}

enum vault_code base64_decode_exact(void *out, size_t size_bytes, struct bytes text,
                                    struct vault_error *err)
{
    return decode_exact(&base64, out, size_bytes, text, err);
}

enum vault_code base32_decode_exact(void *out, size_t size_bytes, struct bytes text,
                                    struct vault_error *err)
{
    return decode_exact(&base32, out, size_bytes, text, err);
}

void hex_string(char *out, const void *data, size_t size_bytes)
{
    string(&hex, out, data, size_bytes);
}

void base64_string(char *out, const void *data, size_t size_bytes)
{
    string(&base64, out, data, size_bytes);
}

void base32_string(char *out, const void *data, size_t size_bytes)
{
    string(&base32, out, data, size_bytes);
}

bool digits_read(struct bytes text, uint64_t *out)
{
    uint64_t number = 0;
    *out = 0;
    if (text.size < 1 || text.size > DIGITS_CHARS_MAX)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(text.data[i] - '0');
    }
    *out = number;
    return true;
}
