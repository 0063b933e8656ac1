/* The mark of a browser where a citizen has signed in: a number, and a MAC of it and of them. */
#include <string.h>

#include "pace.h"
#include "parts.h"
#include "sign_in_parts.h"
#include "vault/base/codec.h"
#include "vault/crypto/hash.h"

#define NUMBER_BYTES SIGN_IN_MARK_NUMBER_BYTES

struct mark {
    uint8_t number[NUMBER_BYTES];
    uint8_t mac[SHA256_BYTES];
};

_Static_assert(sizeof(struct mark) == 48, "as many bytes as SIGN_IN_MARK_CHARS stand for");

static void make_mac(const struct vault *vault, const struct citizen_id *citizen,
                     const uint8_t number[NUMBER_BYTES], uint8_t out[SHA256_BYTES])
{
    static const char label[] = "vault/known-browser/1";
    const struct bytes parts[] = {{(const uint8_t *)label, sizeof label},
                                  {number, NUMBER_BYTES},
                                  {citizen->bytes, sizeof citizen->bytes}};
    hmac_sha256(out, secret_view(vault->session_key), parts, 3);
}

enum vault_code sign_in_mark(struct vault *vault, const struct citizen_id *citizen,
                             char out[SIGN_IN_MARK_CHARS + 1], struct vault_error *err)
{
    struct mark mark;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(SIGN_IN_MARK_CHARS);
    random_bytes(mark.number, sizeof mark.number);
    make_mac(vault, citizen, mark.number, mark.mac);
    base64url_encode(&text, (struct bytes){(const uint8_t *)&mark, sizeof mark});
    VAULT_TRY(buf_check(&text, err));
    memcpy(out, text.data, SIGN_IN_MARK_CHARS);
    out[SIGN_IN_MARK_CHARS] = 0;
    return VAULT_OK;
}

bool sign_in_mark_fits(struct vault *vault, const struct citizen_id *citizen, struct bytes text,
                       struct sign_in_marked *out)
{
    uint8_t mac[SHA256_BYTES];
    struct mark mark;
    VAULT_AUTO(buf_finish) struct buf raw = buf_limited(sizeof mark);
    if (text.size != SIGN_IN_MARK_CHARS || base64url_decode(&raw, text, NULL) ||
        raw.size != sizeof mark)
        return false;
    memcpy(&mark, raw.data, sizeof mark);
    make_mac(vault, citizen, mark.number, mac);
    memcpy(out->number, mark.number, sizeof out->number);
    return secret_equal((struct bytes){mac, sizeof mac}, (struct bytes){mark.mac, sizeof mark.mac});
}

bool sign_in_mark_waits(struct vault *vault, const struct sign_in_marked *marked)
{
    static const char label[] = "known browser";
    int64_t wait_ms;
    uint8_t key[sizeof label + NUMBER_BYTES];
    memcpy(key, label, sizeof label);
    memcpy(key + sizeof label, marked->number, NUMBER_BYTES);
    return !pace_take(vault->codes, (struct bytes){key, sizeof key}, SIGN_IN_MARK_TRIES, 1,
                      clock_monotonic_ms(), &wait_ms);
}
