#include "ledger/crc32c.h"

#include "test.h"

/* RFC 3720, appendix B.4, and the check value of the catalogue of CRCs. */
static void test_the_vectors_of_rfc_3720_hold(void **state)
{
    (void)state;
    uint8_t bytes[32] = {0};
    assert_int_equal(crc32c((struct bytes){bytes, 32}), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(crc32c((struct bytes){bytes, 32}), 0x62a8ab43);
    for (uint8_t i = 0; i < 32; i++)
        bytes[i] = i;
    assert_int_equal(crc32c((struct bytes){bytes, 32}), 0x46dd794e);
    for (uint8_t i = 0; i < 32; i++)
        bytes[i] = (uint8_t)(31 - i);
    assert_int_equal(crc32c((struct bytes){bytes, 32}), 0x113fdb5c);
    assert_int_equal(crc32c(BYTES("123456789")), 0xe3069283);
    assert_int_equal(crc32c(BYTES("")), 0);
}

static uint32_t bit_by_bit(struct bytes bytes)
{
    uint32_t crc = 0xffffffffU;
    for (size_t i = 0; i < bytes.size * 8; i++) {
        const uint32_t bit = (crc ^ (uint32_t)(bytes.data[i / 8] >> (i % 8))) & 1;
        crc = crc >> 1 ^ (bit ? 0x82f63b78U : 0);
    }
    return ~crc;
}

static void test_every_length_and_place_gives_the_definition(void **state)
{
    (void)state;
    uint8_t bytes[64];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + 11);
    for (size_t from = 0; from < 9; from++) {
        for (size_t size = 0; size + from <= sizeof bytes; size++) {
            const struct bytes part = {bytes + from, size};
            assert_int_equal(crc32c(part), bit_by_bit(part));
            assert_int_equal(crc32c_by_tables(part), bit_by_bit(part));
        }
    }
}

static void test_any_flipped_bit_changes_it(void **state)
{
    (void)state;
    uint8_t bytes[40] = "a frame of the journal, more or less";
    const uint32_t good = crc32c((struct bytes){bytes, sizeof bytes});
    for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        assert_int_not_equal(crc32c((struct bytes){bytes, sizeof bytes}), good);
        bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
}

int main(void)
{
    return TEST_RUN(test_the_vectors_of_rfc_3720_hold,
                    test_every_length_and_place_gives_the_definition,
                    test_any_flipped_bit_changes_it);
}
