#include "vault/crypto/jws.h"

#include <string.h>

#include "vault/base/codec.h"
#include "vault/base/json.h"

#define HEADER_MAX_BYTES 1024
#define HEADER_DEPTH_MAX 1
#define PARTS            3

enum vault_code jws_begin(const char *kid, const char *typ, struct buf *out,
                          struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf header = buf_limited(HEADER_MAX_BYTES);
    buf_text(&header, "{\"alg\":\"EdDSA\",\"kid\":");
    json_write_string(&header, bytes_of_text(kid));
    buf_text(&header, ",\"typ\":");
    json_write_string(&header, bytes_of_text(typ));
    buf_byte(&header, '}');
    VAULT_TRY(buf_check(&header, err));
    base64url_encode(out, buf_view(&header));
    buf_byte(out, '.');
    return buf_check(out, err);
}

enum vault_code jws_sign(const struct sign_key *key, const char *kid, const char *typ,
                         struct bytes payload, struct buf *out, struct vault_error *err)
{
    uint8_t signature[SIGN_SIGNATURE_BYTES];
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(JWS_MAX_BYTES);
    if (payload.size > JWS_PAYLOAD_MAX_BYTES)
        return vault_fail(err, VAULT_TOO_LARGE, "there is too much to sign");
    VAULT_TRY(jws_begin(kid, typ, &text, err));
    base64url_encode(&text, payload);
    VAULT_TRY(buf_check(&text, err));
    VAULT_TRY(sign_message(key, buf_view(&text), signature, err));
    buf_byte(&text, '.');
    base64url_encode(&text, (struct bytes){signature, sizeof signature});
    VAULT_TRY(buf_check(&text, err));
    buf_bytes(out, buf_view(&text));
    return buf_check(out, err);
}

/* Cut at the dots: exactly two of them. */
static bool split(struct bytes compact, struct bytes parts[PARTS])
{
    for (size_t i = 0; i < PARTS; i++) {
        const uint8_t *dot = compact.size ? memchr(compact.data, '.', compact.size) : NULL;
        const bool is_last = i == PARTS - 1;
        if (is_last == (dot != NULL))
            return false;
        parts[i] = (struct bytes){compact.data, dot ? (size_t)(dot - compact.data) : compact.size};
        if (dot) {
            compact.data += parts[i].size + 1;
            compact.size -= parts[i].size + 1;
        }
    }
    return true;
}

static bool header_fits(const json_t *header, const char *typ)
{
    static const char *const members[] = {"alg", "kid", "typ", NULL};
    const json_t *kid = json_object_get(header, "kid");
    const json_t *type = json_object_get(header, "typ");
    return json_is_object(header) && !json_unknown_member(header, members) &&
           bytes_equal(json_text(json_object_get(header, "alg")), bytes_of_text("EdDSA")) &&
           (!kid || json_is_string(kid)) && (!type || json_is_string(type)) &&
           (!typ || bytes_equal(json_text(type), bytes_of_text(typ)));
}

static enum vault_code check_header(struct bytes part, const char *typ, struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *header = NULL;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(HEADER_MAX_BYTES);
    enum vault_code code = base64url_decode(&text, part, err);
    if (code == VAULT_OK)
        code = json_parse(buf_view(&text), HEADER_DEPTH_MAX, &header, NULL, err);
    if (code == VAULT_NO_MEMORY)
        return code;
    if (code || !header_fits(header, typ))
        return vault_fail(err, VAULT_INVALID, "the header is not that of a signature of this kind");
    return VAULT_OK;
}

enum vault_code jws_verify(const uint8_t public_key[SIGN_PUBLIC_BYTES], const char *typ,
                           struct bytes compact, struct buf *payload, struct vault_error *err)
{
    struct bytes parts[PARTS];
    VAULT_AUTO(buf_finish) struct buf signature = buf_limited(SIGN_SIGNATURE_BYTES);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(JWS_PAYLOAD_MAX_BYTES);
    if (compact.size > JWS_MAX_BYTES || !split(compact, parts))
        return vault_fail(err, VAULT_INVALID, "this is no signed JSON");
    VAULT_TRY(check_header(parts[0], typ, err));
    VAULT_TRY(base64url_decode(&text, parts[1], err));
    if (base64url_decode(&signature, parts[2], NULL) || signature.size != SIGN_SIGNATURE_BYTES)
        return vault_fail(err, VAULT_INVALID, "the signature is not one of Ed25519");
    const struct bytes signed_text = {compact.data, parts[0].size + 1 + parts[1].size};
    VAULT_TRY(sign_verify(public_key, signed_text, signature.data, err));
    buf_bytes(payload, buf_view(&text));
    return buf_check(payload, err);
}
