#include "code.h"

#include <assert.h>
#include <string.h>

#include "parts.h"

/* No letter that is easily taken for another, and none that make words. */
static const char alphabet[] = "23456789BCDFGHJKMNPQRSTVWXZ";

void code_draw(size_t letters, char *out)
{
    const size_t choices = sizeof alphabet - 1;
    const uint8_t fair = (uint8_t)(256 - 256 % choices);
    const size_t size = CODE_CHARS(letters);
    size_t written = 0;
    assert(letters && letters <= CODE_LETTERS_MAX && letters % CODE_GROUP == 0);
    while (written < size) {
        uint8_t byte;
        if (written % (CODE_GROUP + 1) == CODE_GROUP)
            out[written++] = '-';
        random_bytes(&byte, 1);
        if (byte < fair)
            out[written++] = alphabet[byte % choices];
    }
    out[written] = 0;
}

bool code_read(struct bytes typed, size_t letters, uint8_t out[CODE_LETTERS_MAX])
{
    size_t count = 0;
    assert(letters <= CODE_LETTERS_MAX);
    for (size_t i = 0; i < typed.size; i++) {
        uint8_t c = typed.data[i];
        if (c == '-' || c == ' ')
            continue;
        if (c >= 'a' && c <= 'z')
            c = (uint8_t)(c - 'a' + 'A');
        if (!c || !strchr(alphabet, c) || count == letters)
            return false;
        out[count++] = c;
    }
    return count == letters;
}

bool code_hash(const struct vault *vault, size_t letters, struct bytes typed,
               uint8_t out[SHA256_BYTES])
{
    uint8_t read[CODE_LETTERS_MAX];
    if (!code_read(typed, letters, read))
        return false;
    const struct bytes part = {read, letters};
    hmac_sha256(out, secret_view(vault->code_key), &part, 1);
    return true;
}
