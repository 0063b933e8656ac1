#include "vault/crypto/kdf.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

#include "fetched.h"
#include "vault/crypto/crypto.h"

static void context_free(EVP_KDF_CTX **context)
{
    EVP_KDF_CTX_free(*context);
}

/* OSSL_PARAM has no const, though these are only read. */
static OSSL_PARAM octets(const char *name, struct bytes bytes)
{
    static uint8_t nothing;
    const union {
        const uint8_t *given;
        void *taken;
    } as = {bytes.size ? bytes.data : &nothing};
    return OSSL_PARAM_construct_octet_string(name, as.taken, bytes.size);
}

enum vault_code kdf_hkdf(struct bytes key, struct bytes salt, struct bytes info, size_t size_bytes,
                         struct secret **out, struct vault_error *err)
{
    VAULT_AUTO(context_free) EVP_KDF_CTX *context = EVP_KDF_CTX_new(crypto_fetched.hkdf);
    VAULT_AUTO(secret_free) struct secret *secret = NULL;
    VAULT_TRY(secret_new(size_bytes, &secret, err));
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        octets(OSSL_KDF_PARAM_KEY, key),
        octets(OSSL_KDF_PARAM_SALT, salt),
        octets(OSSL_KDF_PARAM_INFO, info),
        OSSL_PARAM_construct_end(),
    };
    if (!context || EVP_KDF_derive(context, secret_data(secret), size_bytes, params) != 1)
        return crypto_fail(err, VAULT_NO_MEMORY, "deriving a key");
    *out = VAULT_TAKE(secret);
    return VAULT_OK;
}

enum vault_code kdf_derive(const struct secret *key, const char *label, size_t size_bytes,
                           struct secret **out, struct vault_error *err)
{
    return kdf_hkdf(secret_view(key), (struct bytes){0}, bytes_of_text(label), size_bytes, out,
                    err);
}
