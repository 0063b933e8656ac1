/* An access request that may be made again under a key. What was answered holds its code, which is
 * nowhere else in clear: it is sealed. */
#include <string.h>

#include "kept.h"
#include "parts.h"
#include "vault/crypto/seal.h"
#include "vault/vault/access_request.h"

static enum vault_code answer_again(struct vault *vault, const struct kept *kept,
                                    struct access_receipt *out, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf plain = buf_limited(sizeof *out);
    VAULT_TRY(
        seal_open(vault->reply_key, kept_associated(kept), buf_view(&kept->sealed), &plain, err));
    if (plain.size != sizeof *out)
        return vault_fail(err, VAULT_CORRUPT, "an answer that was kept cannot be read");
    memcpy(out, plain.data, sizeof *out);
    return VAULT_OK;
}

enum vault_code access_request_open_once(struct vault *vault, const struct service *service,
                                         const struct access_ask *ask, const struct repeat_key *key,
                                         struct access_receipt *out, enum access_fault *fault,
                                         struct vault_error *err)
{
    VAULT_AUTO(kept_end) struct kept kept = {0};
    VAULT_AUTO(buf_finish) struct buf sealed = buf_limited(sizeof *out + SEAL_OVERHEAD_BYTES);
    struct access_receipt receipt;
    *fault = ACCESS_NO_FAULT;
    VAULT_TRY(kept_begin(vault, service, key, &kept, err));
    if (kept.found)
        return answer_again(vault, &kept, out, err);
    VAULT_TRY(access_request_open(vault, service, ask, &receipt, fault, err));
    const struct bytes plain = {(const uint8_t *)&receipt, sizeof receipt};
    VAULT_TRY(seal(vault->reply_key, kept_associated(&kept), plain, &sealed, err));
    VAULT_TRY(kept_put(&kept, buf_view(&sealed), NULL, err));
    *out = receipt;
    return VAULT_OK;
}
