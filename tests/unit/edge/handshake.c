#include "handshake.h"

#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "vault/base/file.h"

void handshake_begin(struct handshake *ends, const struct identity *as)
{
    const unsigned flags = GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends->fds),
                     0);
    assert_int_equal(gnutls_init(&ends->server, GNUTLS_SERVER | flags), 0);
    assert_int_equal(gnutls_init(&ends->client, GNUTLS_CLIENT | flags), 0);
    assert_int_equal(gnutls_certificate_allocate_credentials(&ends->credentials), 0);
    if (as)
        assert_int_equal(gnutls_certificate_set_x509_key_file(ends->credentials, as->certificate,
                                                              as->key, GNUTLS_X509_FMT_PEM),
                         0);
    assert_int_equal(gnutls_set_default_priority(ends->client), 0);
    gnutls_credentials_set(ends->client, GNUTLS_CRD_CERTIFICATE, ends->credentials);
    gnutls_transport_set_int(ends->server, ends->fds[0]);
    gnutls_transport_set_int(ends->client, ends->fds[1]);
}

void handshake_end(struct handshake *ends)
{
    gnutls_deinit(ends->server);
    gnutls_deinit(ends->client);
    gnutls_certificate_free_credentials(ends->credentials);
    close(ends->fds[0]);
    close(ends->fds[1]);
}

void handshake_go(struct handshake *ends, int *at_server, int *at_client)
{
    *at_server = GNUTLS_E_AGAIN;
    *at_client = GNUTLS_E_AGAIN;
    for (int i = 0; i < 100; i++) {
        if (*at_client == GNUTLS_E_AGAIN)
            *at_client = gnutls_handshake(ends->client);
        if (*at_server == GNUTLS_E_AGAIN)
            *at_server = gnutls_handshake(ends->server);
    }
}

int handshake_result(struct tls *tls, const struct identity *as, bool *known,
                     uint8_t spki[SHA256_BYTES])
{
    struct handshake ends;
    int at_server;
    int at_client;
    handshake_begin(&ends, as);
    struct tls_peer peer = {0};
    assert_done(tls_prepare(tls, ends.server, &peer, &test_error));
    handshake_go(&ends, &at_server, &at_client);
    *known = at_server == 0 && tls_peer_may_ask(tls, ends.server, &peer) && peer.is_known;
    memcpy(spki, peer.spki, sizeof peer.spki);
    tls_peer_finish(&peer);
    handshake_end(&ends);
    return at_server;
}

void handshake_keep(struct tls *tls, struct handshake *ends, const struct identity *as,
                    struct tls_peer *peer)
{
    int at_server;
    int at_client;
    handshake_begin(ends, as);
    assert_done(tls_prepare(tls, ends->server, peer, &test_error));
    handshake_go(ends, &at_server, &at_client);
    assert_int_equal(at_server, 0);
}

void handshake_drop(struct handshake *ends, struct tls_peer *peer)
{
    handshake_end(ends);
    tls_peer_finish(peer);
}

void read_again(struct tls *tls, bool expected)
{
    bool changed;
    struct tls_credentials *fresh = NULL;
    assert_done(tls_read_again(tls, &fresh, &changed, &test_error));
    assert_int_equal(changed, expected);
    tls_replace(tls, &fresh);
    assert_null(fresh);
}

const char *write_beside(const struct identities *all, const char *name, struct bytes content)
{
    static char path[PATH_MAX];
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(all->server.key, '/') - all->server.key),
             all->server.key);
    assert_done(file_join(path, sizeof path, folder, name, &test_error));
    assert_done(file_replace(path, content, 0600, &test_error));
    return path;
}

int64_t tomorrow(void)
{
    return time(NULL) + 86400;
}
