/*
 * signing - a certificate for a client's own key, by the CA of its kind.
 *
 * Whoever lets a client in, the operator or a service that renews its own, comes by here. Of the
 * request only its key counts: the vault never holds a client's private key.
 */
#pragma once

#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/crypto/hash.h"
#include "vault/vault/vault.h"

struct signing_made {
    struct buf certificate; /* PEM */
    uint8_t spki[SHA256_BYTES];
    int64_t expires_s;
};

/* Sign a request (PKCS #10, PEM) for the client of that name, from now_s on. Finish what is made,
 * also after a failure. The codes of file_read() for the CA's files, and of x509_sign_client(). */
enum vault_code signing_sign(const struct vault_signing *signing, const char *name, int64_t now_s,
                             struct bytes request, struct signing_made *out,
                             struct vault_error *err) VAULT_MUST_CHECK;
void signing_finish(struct signing_made *made);
