#include "vault/vault/signing.h"

#include "vault/base/file.h"
#include "vault/crypto/x509.h"

void signing_finish(struct signing_made *made)
{
    buf_finish(&made->certificate);
}

enum vault_code signing_sign(const struct vault_signing *signing, const char *name, int64_t now_s,
                             struct bytes request, struct signing_made *out,
                             struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf ca_certificate = buf_limited(X509_PEM_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf ca_key = buf_limited(X509_PEM_BYTES_MAX);
    *out = (struct signing_made){.certificate = buf_limited(X509_PEM_BYTES_MAX)};
    VAULT_TRY(file_read(signing->ca, &ca_certificate, err));
    VAULT_TRY(file_read(signing->ca_key, &ca_key, err));
    const struct x509_ca ca = {buf_view(&ca_certificate), buf_view(&ca_key)};
    const struct x509_period period = {now_s, signing->days};
    VAULT_TRY(x509_sign_client(&ca, request, name, period, &out->certificate, out->spki, err));
    return x509_read(buf_view(&out->certificate), out->spki, &out->expires_s, err);
}
