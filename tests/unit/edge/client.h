/*
 * client - a TLS client over loopback, for what only a real connection shows: handshakes, framing,
 * what is left open. And the certificates that servers and clients need.
 */
#pragma once

#include <gnutls/gnutls.h>
#include <limits.h>
#include <stdbool.h>

#include "test.h"
#include "vault/crypto/hash.h"

#define CLIENT_WAIT_S       10 /* for anything to come */
#define CLIENT_ANSWER_BYTES (256 * 1024)

/* Where a certificate and its key are. */
struct identity {
    char certificate[PATH_MAX];
    char key[PATH_MAX];
    uint8_t spki[SHA256_BYTES];
};

/* What make_identities() makes in the test's folder. */
struct identities {
    struct identity server_ca;
    struct identity server; /* for localhost, 127.0.0.1 and ::1 */
    struct identity clients_ca;
    struct identity known;    /* a client of clients_ca */
    struct identity other;    /* another of them */
    struct identity expired;  /* its time is over */
    struct identity early;    /* its time has not come */
    struct identity stranger; /* a client of another CA of the same name */
    struct identity misused;  /* a server's certificate, but issued by clients_ca */
};

void make_identities(struct identities *out);

/* A list of revoked certificates of a CA, with this one on it (NULL: with none), until then; where
 * it is goes to out. */
void make_crl(const struct identity *ca, const struct identity *revoked, int64_t until_s,
              char out[PATH_MAX]);

/* Put a copy of a file in the place of another. */
void put_file(const char *from, const char *to);

struct client {
    int fd; /* -1: not connected */
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
    char pending[CLIENT_ANSWER_BYTES]; /* read, and not yet taken */
    size_t pending_size;
};

/* One answer. */
struct reply {
    unsigned status;
    char head[8192];
    char body[CLIENT_ANSWER_BYTES];
    size_t body_size;
};

/* A TCP connection, without TLS. */
void client_dial(struct client *client, const char *address, uint16_t port);

/* Begin TLS on it, as this identity (NULL: none); priorities NULL: what GnuTLS finds normal. The
 * server's certificate is verified. False if there was no handshake. In TLS 1.3 a server looks at
 * a client's certificate after the client is done: whether it was taken, the first answer shows. */
bool client_handshake(struct client *client, const struct identities *all,
                      const struct identity *as, const char *priorities);

/* Both, and it must work. */
void client_open(struct client *client, const struct identities *all, const struct identity *as,
                 uint16_t port);
void client_close(struct client *client);

/* False if the other end is gone. */
bool client_send(struct client *client, const char *data, size_t size);
void client_say(struct client *client, const char *text);

/* The next answer; without_body: it was asked for by HEAD. False if there is none that is whole:
 * the other end closed the connection. Fails the test if nothing happens for CLIENT_WAIT_S. */
bool client_read(struct client *client, struct reply *out, bool without_body);

/* Whether the other end closed the connection, waiting for it. */
bool client_is_closed(struct client *client);

/* The value of a header of an answer, its name as it stands there; NULL if there is none. */
const char *reply_header(const struct reply *reply, const char *name, char out[512]);
