#include "cbor.h"

enum { CBOR_BYTES = 2, CBOR_TEXT = 3, CBOR_ARRAY = 4, CBOR_MAP = 5, CBOR_TAG = 6 };

/* An item's type and what follows it there: a number, a size or a count (RFC 8949 section 3). False
 * if it is cut, or leaves that open. */
static bool take_head(struct cursor *at, unsigned *type, uint64_t *argument)
{
    const uint8_t first = cursor_u8(at);
    const unsigned small = first & 31U;
    *type = first >> 5;
    *argument = small;
    if (small == 24)
        *argument = cursor_u8(at);
    else if (small == 25)
        *argument = cursor_u16(at);
    else if (small == 26)
        *argument = cursor_u32(at);
    else if (small == 27)
        *argument = cursor_u64(at);
    return small < 28 && !at->truncated;
}

/* How many items an item consists of; UINT64_MAX if they cannot be there. */
static uint64_t parts_of(struct cursor *at, unsigned type, uint64_t argument)
{
    switch (type) {
    case CBOR_BYTES:
    case CBOR_TEXT:
        if (argument > at->left)
            return UINT64_MAX;
        cursor_take(at, (size_t)argument);
        return 0;
    case CBOR_ARRAY:
        return argument > at->left ? UINT64_MAX : argument;
    case CBOR_MAP:
        return argument > at->left / 2 ? UINT64_MAX : 2 * argument;
    case CBOR_TAG:
        return UINT64_MAX;
    default: /* a number, or a simple value */
        return 0;
    }
}

bool cbor_is_bounded(struct bytes items)
{
    struct cursor at = cursor_over(items);
    uint64_t to_come[CBOR_DEPTH_MAX + 1] = {0}; /* of each that is open; of the whole not counted */
    size_t depth = 0;
    while (at.left || depth) {
        unsigned type;
        uint64_t argument;
        if (!take_head(&at, &type, &argument))
            return false;
        to_come[depth] -= depth > 0;
        const uint64_t parts = parts_of(&at, type, argument);
        if (parts == UINT64_MAX || (parts && depth == CBOR_DEPTH_MAX))
            return false;
        if (parts)
            to_come[++depth] = parts;
        while (depth && to_come[depth] == 0)
            depth--;
    }
    return true;
}
