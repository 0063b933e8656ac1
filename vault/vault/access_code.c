/* The codes of access requests: how they are drawn, kept, and not guessed. */
#include <string.h>

#include "access_parts.h"
#include "pace.h"
#include "parts.h"
#include "vault/crypto/hash.h"

#define CODE_LETTERS 8

/* No letter that is easily taken for another, and none that make words. */
static const char code_alphabet[] = "23456789BCDFGHJKMNPQRSTVWXZ";

void access_code_draw(char out[ACCESS_REQUEST_CODE_CHARS + 1])
{
    const size_t letters = sizeof code_alphabet - 1;
    const uint8_t fair = (uint8_t)(256 - 256 % letters);
    size_t written = 0;
    while (written < ACCESS_REQUEST_CODE_CHARS) {
        uint8_t byte;
        if (written == CODE_LETTERS / 2)
            out[written++] = '-';
        random_bytes(&byte, 1);
        if (byte < fair)
            out[written++] = code_alphabet[byte % letters];
    }
    out[written] = 0;
}

/* The letters of a code as somebody typed it. False if it cannot be one. */
static bool code_letters(struct bytes typed, uint8_t out[CODE_LETTERS])
{
    size_t count = 0;
    for (size_t i = 0; i < typed.size; i++) {
        uint8_t c = typed.data[i];
        if (c == '-' || c == ' ')
            continue;
        if (c >= 'a' && c <= 'z')
            c = (uint8_t)(c - 'a' + 'A');
        if (!c || !strchr(code_alphabet, c) || count == CODE_LETTERS)
            return false;
        out[count++] = c;
    }
    return count == CODE_LETTERS;
}

/* Eight letters are few enough to try all: what is kept is under a key. */
bool access_code_hash(const struct vault *vault, struct bytes typed, uint8_t out[SHA256_BYTES])
{
    uint8_t letters[CODE_LETTERS];
    if (!code_letters(typed, letters))
        return false;
    const struct bytes part = {letters, sizeof letters};
    hmac_sha256(out, secret_view(vault->code_key), &part, 1);
    return true;
}

/* What all tries together are counted under; no citizen's id has this size. */
static const struct bytes all_triers = {(const uint8_t *)"all", 3};

/*
 * A code is guessed by trying, and of 27^8 codes as many are right as requests are pending. Each
 * citizen has so many wrong tries a minute, and all together so many: with 10,000 requests pending
 * all of them meet one in two months, and one citizen alone in five years. A try is counted before
 * it is looked up, so that many at once are no way around, and given back when it was right.
 */
enum vault_code access_code_try(struct vault *vault, const struct citizen_id *citizen,
                                struct vault_error *err)
{
    const int64_t now_ms = clock_monotonic_ms();
    const struct bytes one = {citizen->bytes, sizeof citizen->bytes};
    int64_t wait_ms;
    if (pace_take(vault->codes, one, ACCESS_REQUEST_TRIES_EACH, 1, now_ms, &wait_ms)) {
        if (pace_take(vault->codes, all_triers, ACCESS_REQUEST_TRIES_ALL, 1, now_ms, &wait_ms))
            return VAULT_OK;
        pace_return(vault->codes, one, 1);
    }
    return vault_fail(err, VAULT_LIMITED, "too many codes were tried: wait a minute");
}

void access_code_forgive(struct vault *vault, const struct citizen_id *citizen)
{
    pace_return(vault->codes, (struct bytes){citizen->bytes, sizeof citizen->bytes}, 1);
    pace_return(vault->codes, all_triers, 1);
}
