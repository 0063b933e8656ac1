/*
 * tls_parts - what a listener's files said at one time, for tls.c alone; tls_credentials.c reads
 * them.
 */
#pragma once

#include <stdatomic.h>

#include "vault/base/buf.h"
#include "vault/crypto/hash.h"
#include "vault/edge/tls.h"

enum tls_file { TLS_CERTIFICATE, TLS_KEY, TLS_CLIENTS_CA, TLS_CRL, TLS_OCSP, TLS_FILE_COUNT };

/* Never changed once it is in force. */
struct tls_credentials {
    atomic_uint holders;
    uint64_t generation;
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priorities; /* parsed once: it costs more than a session's set-up */
    struct buf texts[TLS_FILE_COUNT];
    uint8_t digest[SHA256_BYTES]; /* of all of them */
    int64_t crl_end_s;            /* INT64_MAX: there is none, or it does not say */
    int64_t ocsp_end_s;           /* the same; 0: it was over when it was read */
    bool asks_for_certificate;
};

/* Read and check the files; an empty path is no file. Held once. */
enum vault_code tls_credentials_read(char paths[TLS_FILE_COUNT][PATH_MAX],
                                     struct tls_credentials **out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Whether the certificates that a session's client showed are let in by these. *unread: they could
 * not be looked at. */
bool tls_credentials_accept(const struct tls_credentials *credentials, gnutls_session_t session,
                            bool *unread);

/* The public key and the end of the certificate that a session's client showed. False if none. */
bool tls_read_peer(gnutls_session_t session, uint8_t spki[TLS_SPKI_BYTES], int64_t *expires_s);

/* That a certificate has to be for clients. */
gnutls_typed_vdata_st tls_client_purpose(void);

enum vault_code tls_failed(struct vault_error *err, int result, const char *what);
