#include "vault/vault/ulid.h"

#include <string.h>

#include "vault/crypto/secret.h"

void ulid_new(char out[ULID_CHARS + 1], int64_t now_ms)
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    uint8_t raw[16];
    for (size_t i = 0; i < 6; i++)
        raw[i] = (uint8_t)((uint64_t)now_ms >> (40 - 8 * i));
    random_bytes(raw + 6, 10);
    /* 128 bits are 26 digits with two zero bits in front. */
    uint32_t pending = 0;
    unsigned pending_bits = 2;
    size_t written = 0;
    for (size_t i = 0; i < sizeof raw; i++) {
        pending = pending << 8 | raw[i];
        pending_bits += 8;
        while (pending_bits >= 5) {
            pending_bits -= 5;
            out[written++] = digits[pending >> pending_bits & 31];
        }
        pending &= (1U << pending_bits) - 1;
    }
    out[ULID_CHARS] = 0;
}
