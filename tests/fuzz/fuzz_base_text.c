/*
 * Bytes, numbers and times as text. The first byte says as what. What is read is written back the
 * same, character by character, and any bytes at all come back from what is written for them.
 */
#include "fuzz_tools.h"

#include <inttypes.h>

#include "vault/base/clock.h"
#include "vault/base/codec.h"

#define TEXT_BYTES_MAX (1024UL * 1024)

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

static const struct {
    void (*encode)(struct buf *out, struct bytes bytes);
    enum vault_code (*decode)(struct buf *out, struct bytes text, struct vault_error *err);
    enum vault_code (*decode_exact)(void *out, size_t size, struct bytes text,
                                    struct vault_error *err);
} codecs[] = {
    {hex_encode, hex_decode, hex_decode_exact},
    {base64_encode, base64_decode, base64_decode_exact},
    {base64url_encode, base64url_decode, NULL},
    {base32_encode, base32_decode, base32_decode_exact},
};

#define CODECS (sizeof codecs / sizeof codecs[0])

/* Exactly that size is read, and no other. */
static void check_exact(size_t which, struct bytes text, struct bytes read)
{
    uint8_t place[64];
    if (!codecs[which].decode_exact || read.size >= sizeof place)
        return;
    REQUIRE(codecs[which].decode_exact(place, read.size, text, NULL) == VAULT_OK);
    REQUIRE(read.size == 0 || memcmp(place, read.data, read.size) == 0);
    REQUIRE(codecs[which].decode_exact(place, read.size + 1, text, NULL) == VAULT_INVALID);
}

static void check_codec(size_t which, struct bytes input)
{
    struct vault_error err = {.text = ""};
    VAULT_AUTO(buf_finish) struct buf read = buf_limited(TEXT_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(TEXT_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf back = buf_limited(TEXT_BYTES_MAX);
    if (codecs[which].decode(&read, input, &err) == VAULT_OK) {
        codecs[which].encode(&text, buf_view(&read));
        REQUIRE(bytes_equal(buf_view(&text), input));
        check_exact(which, input, buf_view(&read));
    } else {
        require_silent(&err);
        REQUIRE(read.size == 0);
    }
    buf_clear(&text);
    codecs[which].encode(&text, input);
    REQUIRE(codecs[which].decode(&back, buf_view(&text), NULL) == VAULT_OK);
    REQUIRE(bytes_equal(buf_view(&back), input));
}

static void check_digits(struct bytes input)
{
    char text[DIGITS_CHARS_MAX + 1];
    uint64_t number = 1;
    if (!digits_read(input, &number)) {
        REQUIRE(number == 0);
        return;
    }
    REQUIRE(input.size >= 1 && input.size <= DIGITS_CHARS_MAX);
    snprintf(text, sizeof text, "%0*" PRIu64, (int)input.size, number);
    REQUIRE(bytes_equal(bytes_of_text(text), input));
}

static void check_date(struct bytes input)
{
    char text[DATE_CHARS + 1];
    struct date date;
    if (date_parse(input, &date, NULL) != VAULT_OK)
        return;
    date_format(text, date);
    REQUIRE(bytes_equal(bytes_of_text(text), input));
    REQUIRE(date_compare(date_of_instant(instant_of_date(date)), date) == 0);
    REQUIRE(date_years_between(date, date) == 0 && date_months_between(date, date) == 0);
}

static void check_instant(struct bytes input)
{
    char text[INSTANT_CHARS + 1];
    int64_t instant_s = 0;
    int64_t either_s = 0;
    const bool is_one = instant_parse(input, &instant_s, NULL) == VAULT_OK;
    const bool is_either = instant_or_date_parse(input, &either_s, NULL) == VAULT_OK;
    REQUIRE(is_either || !is_one);
    if (!is_one)
        return;
    instant_format(text, instant_s);
    REQUIRE(bytes_equal(bytes_of_text(text), input));
    REQUIRE(either_s == instant_s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > TEXT_BYTES_MAX / 4)
        return 0;
    const struct bytes input = {data + 1, size - 1};
    const size_t which = data[0] % (CODECS + 3);
    if (which < CODECS)
        check_codec(which, input);
    else if (which == CODECS)
        check_digits(input);
    else if (which == CODECS + 1)
        check_date(input);
    else
        check_instant(input);
    return 0;
}
