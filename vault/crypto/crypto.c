#include "vault/crypto/crypto.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>

#include "fetched.h"
#include "vault/crypto/secret.h"

#define SECURE_HEAP_MIN_BYTES 32

struct crypto_fetched crypto_fetched;

static enum vault_code open_secure_heap(bool allow_swap, struct vault_error *err)
{
    if (CRYPTO_secure_malloc_initialized())
        return VAULT_OK;
    /* 1: locked; 2: there, but it may be swapped out; 0: not there. */
    const int state = CRYPTO_secure_malloc_init(SECRET_HEAP_BYTES, SECURE_HEAP_MIN_BYTES);
    if (state == 1 || (state == 2 && allow_swap))
        return VAULT_OK;
    return vault_fail(err, VAULT_UNAVAILABLE,
                      "%lu bytes of memory for keys cannot be locked; raise the limit on locked "
                      "memory (LimitMEMLOCK= in the unit, ulimit -l in a shell)",
                      SECRET_HEAP_BYTES);
}

enum vault_code crypto_start(bool allow_swap, struct vault_error *err)
{
    if (crypto_fetched.hkdf)
        return VAULT_OK;
    if (!random_start())
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    VAULT_TRY(open_secure_heap(allow_swap, err));
    crypto_fetched.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    crypto_fetched.aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    crypto_fetched.aes_256_ecb = EVP_CIPHER_fetch(NULL, "AES-256-ECB", NULL);
    crypto_fetched.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    crypto_fetched.hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    if (!crypto_fetched.sha256 || !crypto_fetched.aes_256_gcm || !crypto_fetched.aes_256_ecb ||
        !crypto_fetched.hmac || !crypto_fetched.hkdf)
        return crypto_fail(err, VAULT_UNAVAILABLE, "fetching the algorithms");
    return VAULT_OK;
}

enum vault_code crypto_fail(struct vault_error *err, enum vault_code code, const char *operation)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return vault_fail(err, code, "%s: %s", operation, reason ? reason : "OpenSSL failed");
}
