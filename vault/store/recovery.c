#include "recovery.h"

#include <ctype.h>
#include <string.h>

#define GROUPS      8U
#define GROUP_CHARS 6UL /* without the check */

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* Multiply by x in GF(32) with x^5 = x^2 + 1. */
static unsigned times_x(unsigned value)
{
    return ((value << 1) ^ (value & 16 ? 0x25U : 0U)) & 31U;
}

static unsigned check_of(unsigned group, const uint8_t values[GROUP_CHARS])
{
    unsigned check = group + 1;
    for (size_t i = 0; i < GROUP_CHARS; i++)
        check = times_x(check) ^ values[i];
    return times_x(check);
}

/* The i-th value of 5 bits of the bytes. */
static uint8_t value_at(const uint8_t *bytes, size_t i)
{
    const size_t bit = i * 5;
    const unsigned pair =
        (unsigned)bytes[bit / 8] << 8 | (bit / 8 + 1 < RECOVERY_BYTES ? bytes[bit / 8 + 1] : 0U);
    return (uint8_t)(pair >> (11 - bit % 8) & 31U);
}

void recovery_write(char out[RECOVERY_CHARS + 1], const uint8_t bytes[RECOVERY_BYTES])
{
    size_t at = 0;
    for (unsigned group = 0; group < GROUPS; group++) {
        uint8_t values[GROUP_CHARS];
        if (group)
            out[at++] = '-';
        for (size_t i = 0; i < GROUP_CHARS; i++) {
            values[i] = value_at(bytes, group * GROUP_CHARS + i);
            out[at++] = digits[values[i]];
        }
        out[at++] = digits[check_of(group, values)];
        explicit_bzero(values, sizeof values);
    }
    out[at] = 0;
}

/* The value of a character as people write it, or -1. */
static int value_of(uint8_t character)
{
    int upper = toupper(character);
    if (upper == 'I' || upper == 'L')
        upper = '1';
    if (upper == 'O')
        upper = '0';
    const char *found = upper ? strchr(digits, upper) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* The next character that counts; 0 at the end. */
static uint8_t next_character(struct cursor *cursor)
{
    while (cursor->left) {
        const uint8_t character = cursor_u8(cursor);
        if (character != '-' && !isspace(character))
            return character;
    }
    return 0;
}

static bool group_read(struct cursor *cursor, unsigned group, uint8_t values[GROUP_CHARS])
{
    for (size_t i = 0; i <= GROUP_CHARS; i++) {
        const int value = value_of(next_character(cursor));
        if (value < 0 || (i == GROUP_CHARS && (unsigned)value != check_of(group, values)))
            return false;
        if (i < GROUP_CHARS)
            values[i] = (uint8_t)value;
    }
    return true;
}

/* Put the i-th value of 5 bits into bytes that were zero there. */
static void value_put(uint8_t *bytes, size_t i, uint8_t value)
{
    const size_t bit = i * 5;
    const unsigned pair = (unsigned)value << (11 - bit % 8);
    bytes[bit / 8] |= (uint8_t)(pair >> 8);
    if (pair & 255U)
        bytes[bit / 8 + 1] |= (uint8_t)pair;
}

enum vault_code recovery_read(struct bytes text, struct secret **out, struct vault_error *err)
{
    VAULT_AUTO(secret_free) struct secret *secret = NULL;
    VAULT_TRY(secret_new(RECOVERY_BYTES, &secret, err));
    struct cursor cursor = cursor_over(text);
    for (unsigned group = 0; group < GROUPS; group++) {
        uint8_t values[GROUP_CHARS] = {0};
        if (!group_read(&cursor, group, values))
            return vault_fail(err, VAULT_INVALID,
                              "the recovery secret is mistyped in group %u of %u", group + 1,
                              GROUPS);
        for (size_t i = 0; i < GROUP_CHARS; i++)
            value_put(secret_data(secret), group * GROUP_CHARS + i, values[i]);
        explicit_bzero(values, sizeof values);
    }
    if (next_character(&cursor))
        return vault_fail(err, VAULT_INVALID, "the recovery secret has more than %u groups",
                          GROUPS);
    *out = VAULT_TAKE(secret);
    return VAULT_OK;
}
