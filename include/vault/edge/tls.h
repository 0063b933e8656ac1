/*
 * tls - who may open a connection, decided in the handshake, and whether they still may.
 *
 * TLS 1.3 only. A listener for services or auditors requires a certificate: issued by that
 * listener's CA, in its period, with the purpose clientAuth, and not on the CA's list of revoked
 * ones (CRL, RFC 5280 section 5) where there is one; anything else ends the handshake, so nothing
 * is ever served without one. The citizens' listener asks for none, so that no browser prompts.
 * There are no session tickets, and so no ticket keys to change: every connection is a full
 * handshake, in which a certificate is verified anew.
 *
 * Where there is an answer of the authority that the server's own certificate is not revoked (OCSP,
 * RFC 6960), every handshake shows it to whoever asks (stapling), for as long as the answer says;
 * one that is over is not shown, and nobody is kept out for it.
 *
 * The files can be read again while connections are open. Those go on under what their handshake
 * went by, which lives as long as they do; but before each request their client is held against
 * what is in force now. That is the comparison of three numbers while nothing was read since. While
 * a list of revoked certificates is over nobody may ask: put the next one there in time.
 */
#pragma once

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdint.h>

#include "vault/base/error.h"

#define TLS_PRIORITIES                                                                             \
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:"                  \
    "%SERVER_PRECEDENCE"

#define TLS_SPKI_BYTES 32

/* PEM files: the server's certificate chain and key; the CA whose clients are let in (NULL or
 * empty: no certificate is asked for), and its revocation lists (NULL or empty: there are none).
 * And in DER the answer about the server's certificate (NULL or empty: there is none). */
struct tls_files {
    const char *certificate;
    const char *key;
    const char *clients_ca;
    const char *crl;
    const char *ocsp;
};

struct tls;
struct tls_credentials; /* what the files said at one time */

/* VAULT_INVALID names the file that does not fit, with the others' codes of file.h. */
enum vault_code tls_open(const struct tls_files *files, struct tls **out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* No connection that was prepared by it is left. */
void tls_close(struct tls **tls);

/* --- Reading the files again ---------------------------------------------------------------- */

/* Read them, and change nothing yet; *changed: they say something else than what is in force. Also
 * VAULT_INVALID for a list of revoked certificates that is over. */
enum vault_code tls_read_again(struct tls *tls, struct tls_credentials **out, bool *changed,
                               struct vault_error *err) VAULT_MUST_CHECK;

/* What was read is in force from the next handshake, and from each open connection's next request
 * on. Takes it. */
void tls_replace(struct tls *tls, struct tls_credentials **fresh);
void tls_credentials_free(struct tls_credentials **credentials);

/* When the first of a file's revocation lists is over; INT64_MAX if none says. */
enum vault_code tls_crl_end(const char *path, int64_t *end_s, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Until when the answer is shown that the server's certificate is not revoked: 0 if it was over
 * when it was read, INT64_MAX if there is none, or it does not say. */
int64_t tls_ocsp_end(struct tls *tls);

/* --- A connection --------------------------------------------------------------------------- */

/* Who is at its other end; begins as zeros. */
struct tls_peer {
    struct tls_credentials *held; /* what the handshake goes by */
    uint64_t generation;          /* of what the client was last held against */
    bool is_known;
    uint8_t spki[TLS_SPKI_BYTES]; /* SHA-256 of the public key that it proved to hold */
    int64_t expires_s;
    bool unread; /* the last no was no refusal: its certificate could not be looked at */
};

/* Make a fresh server session ask for what this listener asks for. Before its handshake. */
enum vault_code tls_prepare(struct tls *tls, gnutls_session_t session, struct tls_peer *peer,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* Whether the other end may ask, now: after the handshake, before each request. Always where no
 * certificate is asked for; then nobody is known. Without memory for it the answer is no, and
 * peer->unread. */
bool tls_peer_may_ask(struct tls *tls, gnutls_session_t session, struct tls_peer *peer);

/* The session is over. */
void tls_peer_finish(struct tls_peer *peer);

/* The PEM texts that are in force, for the HTTP library, which wants them when it starts. */
const char *tls_certificate_pem(const struct tls *tls);
const char *tls_key_pem(const struct tls *tls);
