#include "crc32c.h"

#include <pthread.h>
#include <string.h>
#if defined __x86_64__
#include <nmmintrin.h>
#endif

#define POLYNOMIAL 0x82f63b78U /* reflected */
#define SLICES     8U

/* slices[0] takes a byte; slices[n] takes one that n more bytes follow. */
static uint32_t slices[SLICES][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill_slices(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
        slices[0][byte] = crc;
    }
    for (unsigned slice = 1; slice < SLICES; slice++) {
        for (uint32_t byte = 0; byte < 256; byte++) {
            const uint32_t before = slices[slice - 1][byte];
            slices[slice][byte] = before >> 8 ^ slices[0][before & 0xff];
        }
    }
}

static uint32_t four(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

uint32_t crc32c_by_tables(struct bytes bytes)
{
    pthread_once(&once, fill_slices);
    uint32_t crc = 0xffffffffU;
    const uint8_t *at = bytes.data;
    size_t left = bytes.size;
    for (; left >= SLICES; left -= SLICES, at += SLICES) {
        const uint32_t low = crc ^ four(at);
        const uint32_t high = four(at + 4);
        crc = slices[7][low & 0xff] ^ slices[6][low >> 8 & 0xff] ^ slices[5][low >> 16 & 0xff] ^
              slices[4][low >> 24] ^ slices[3][high & 0xff] ^ slices[2][high >> 8 & 0xff] ^
              slices[1][high >> 16 & 0xff] ^ slices[0][high >> 24];
    }
    for (; left; left--, at++)
        crc = crc >> 8 ^ slices[0][(crc ^ *at) & 0xff];
    return crc ^ 0xffffffffU;
}

#if defined __x86_64__
/* SSE 4.2 has an instruction for this very polynomial. */
__attribute__((target("sse4.2"))) static uint32_t by_instruction(struct bytes bytes)
{
    uint64_t crc = 0xffffffffU;
    const uint8_t *at = bytes.data;
    size_t left = bytes.size;
    for (; left >= sizeof crc; left -= sizeof crc, at += sizeof crc) {
        uint64_t eight;
        memcpy(&eight, at, sizeof eight);
        crc = _mm_crc32_u64(crc, eight);
    }
    for (; left; left--, at++)
        crc = _mm_crc32_u8((uint32_t)crc, *at);
    return (uint32_t)crc ^ 0xffffffffU;
}
#endif

uint32_t crc32c(struct bytes bytes)
{
#if defined __x86_64__
    if (__builtin_cpu_supports("sse4.2"))
        return by_instruction(bytes);
#endif
    return crc32c_by_tables(bytes);
}
