#include "vault/vault/subject.h"

#include <string.h>

#include "vault/base/codec.h"
#include "vault/crypto/permute.h"

_Static_assert(CITIZEN_ID_BYTES == PERMUTE_BLOCK_BYTES, "an id is one block");
_Static_assert(SUBJECT_CHARS == BASE32_CHARS(CITIZEN_ID_BYTES), "a subject is one id");

enum vault_code subject_write(const struct service *service, const struct citizen_id *citizen,
                              char out[SUBJECT_CHARS + 1], struct vault_error *err)
{
    uint8_t block[PERMUTE_BLOCK_BYTES];
    VAULT_TRY(permute(service->subject_key, citizen->bytes, block, err));
    base32_string(out, block, sizeof block);
    return VAULT_OK;
}

static bool has_shape(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t c = text.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '2' && c <= '7')))
            return false;
    }
    return text.size == SUBJECT_CHARS;
}

enum vault_code subject_read(const struct service *service, struct bytes text,
                             struct citizen_id *out, struct vault_error *err)
{
    uint8_t block[PERMUTE_BLOCK_BYTES];
    if (!has_shape(text))
        return vault_fail(err, VAULT_INVALID, "a subject is 26 characters a-z and 2-7");
    /* One in four texts of that shape is a block. The others are nobody's, and go the same way. */
    if (base32_decode_exact(block, sizeof block, text, NULL)) {
        uint8_t digest[SHA256_BYTES];
        sha256_of(digest, text);
        memcpy(block, digest, sizeof block);
    }
    return permute_back(service->subject_key, block, out->bytes, err);
}
