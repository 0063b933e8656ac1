/*
 * x509 - the vault's small certificate authorities (RFC 5280).
 *
 * Each kind of client has its own: one CA for services, one for auditors, and one whose only task
 * is the servers' certificate of a new vault. A CA may issue end certificates and nothing else
 * (path length 0). A client certificate is always for client authentication, never a CA, and says
 * who its holder is in the words of the vault: whatever the request (CSR, RFC 2986) asks beyond its
 * public key is not looked at. Keys are P-256. Serial numbers are random.
 *
 * Certificates, requests and keys are PEM text in buffers, which wipe what they held. A key's file
 * is the caller's to write, with mode 0600.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/hash.h"

#define X509_PEM_BYTES_MAX (64UL * 1024)
#define X509_NAME_CHARS    64 /* of a common name, RFC 5280 appendix A.1 */
#define X509_HOSTS_MAX     16
#define X509_DAYS_MAX      36525

/* How long, from when. A certificate begins a little before, for clocks that are behind. */
struct x509_period {
    int64_t now_s;
    int64_t days;
};

/* A CA's certificate and key, as PEM text. Borrowed. */
struct x509_ca {
    struct bytes certificate;
    struct bytes key;
};

/* Make a CA. VAULT_INVALID for a name that is empty or too long, or a period out of 1 to
 * X509_DAYS_MAX; so of all that is issued here. */
enum vault_code x509_make_ca(const char *name, struct x509_period period, struct buf *certificate,
                             struct buf *key, struct vault_error *err) VAULT_MUST_CHECK;

/* Make a server's certificate for host names and addresses (1 to X509_HOSTS_MAX). VAULT_INVALID if
 * the CA cannot be read. */
enum vault_code x509_make_server(const struct x509_ca *ca, const char *const hosts[], size_t count,
                                 struct x509_period period, struct buf *certificate,
                                 struct buf *key, struct vault_error *err) VAULT_MUST_CHECK;

/* Make a key and a request for it, as a service does for itself. */
enum vault_code x509_make_request(const char *name, struct buf *request, struct buf *key,
                                  struct vault_error *err) VAULT_MUST_CHECK;

/* Sign a request as a client certificate for the name. spki is the SHA-256 of its public key, by
 * which a client is known. VAULT_INVALID if the request cannot be read, is not signed by its own
 * key, or its key is too weak or of a kind that is not taken. */
enum vault_code x509_sign_client(const struct x509_ca *ca, struct bytes request, const char *name,
                                 struct x509_period period, struct buf *certificate,
                                 uint8_t spki[SHA256_BYTES], struct vault_error *err)
    VAULT_MUST_CHECK;

/* The SHA-256 of a certificate's public key (SubjectPublicKeyInfo), and when it ends. */
enum vault_code x509_read(struct bytes certificate, uint8_t spki[SHA256_BYTES], int64_t *expires_s,
                          struct vault_error *err) VAULT_MUST_CHECK;
