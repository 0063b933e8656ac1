/*
 * tls - who may open a connection, decided in the handshake.
 *
 * TLS 1.3 only. A listener for services or auditors requires a certificate: issued by that
 * listener's CA, in its period, with the purpose clientAuth; anything else ends the handshake, so
 * nothing is ever served without one. The citizens' listener asks for none, so that no browser
 * prompts. There are no session tickets: every connection is a full handshake, in which a
 * certificate is verified anew.
 */
#pragma once

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdint.h>

#include "vault/base/error.h"

#define TLS_PRIORITIES                                                                             \
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:"                  \
    "%SERVER_PRECEDENCE"

struct tls;

/*
 * Read the server's certificate chain and key, and the CA whose clients are let in (NULL: no
 * certificate is asked for). All PEM files. VAULT_INVALID names the file that does not fit.
 */
enum vault_code tls_open(const char *certificate_path, const char *key_path,
                         const char *client_ca_path, struct tls **out, struct vault_error *err)
    VAULT_MUST_CHECK;
void tls_close(struct tls **tls);

/* Make a fresh server session ask for what this listener asks for. Before its handshake; tls must
 * outlive the session. */
enum vault_code tls_prepare(const struct tls *tls, gnutls_session_t session,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* The SHA-256 of the public key (SubjectPublicKeyInfo) that the client proved to hold. False if it
 * showed none. */
bool tls_peer_spki(gnutls_session_t session, uint8_t out[32]);

/* The PEM texts, for the HTTP library, which wants them too. */
const char *tls_certificate_pem(const struct tls *tls);
const char *tls_key_pem(const struct tls *tls);
