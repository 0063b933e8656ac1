/* The codes of access requests: how they are drawn, kept, and not guessed. */
#include <string.h>

#include "access_parts.h"
#include "code.h"
#include "pace.h"
#include "parts.h"
#include "vault/crypto/hash.h"

#define CODE_LETTERS 8

void access_code_draw(char out[ACCESS_REQUEST_CODE_CHARS + 1])
{
    code_draw(CODE_LETTERS, out);
}

bool access_code_hash(const struct vault *vault, struct bytes typed, uint8_t out[SHA256_BYTES])
{
    return code_hash(vault, CODE_LETTERS, typed, out);
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
