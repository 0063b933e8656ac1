/*
 * handshake - a listener's TLS and a client's over a pair of sockets, both ends in one thread.
 */
#pragma once

#include "client.h"
#include "vault/edge/tls.h"

struct handshake {
    int fds[2];
    gnutls_session_t server;
    gnutls_session_t client;
    gnutls_certificate_credentials_t credentials; /* the client's */
};

/* Both ends, before a word is said; a client of that identity (NULL: none). */
void handshake_begin(struct handshake *ends, const struct identity *as);
void handshake_end(struct handshake *ends);

/* Step by step until both are done or one has failed: GnuTLS's word for each. */
void handshake_go(struct handshake *ends, int *at_server, int *at_client);

/* What the server's handshake comes to with this client; whether it may ask then, and the key it is
 * known by. */
int handshake_result(struct tls *tls, const struct identity *as, bool *known,
                     uint8_t spki[SHA256_BYTES]);

/* One connection that stays open until handshake_drop(). */
void handshake_keep(struct tls *tls, struct handshake *ends, const struct identity *as,
                    struct tls_peer *peer);
void handshake_drop(struct handshake *ends, struct tls_peer *peer);

/* Read the files again, which works, and put them in force; whether they say anything new. */
void read_again(struct tls *tls, bool expected);

/* A file of that content beside the certificates; where it is, until the next. */
const char *write_beside(const struct identities *all, const char *name, struct bytes content);

int64_t tomorrow(void);
