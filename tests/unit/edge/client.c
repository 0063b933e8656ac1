#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "vault/base/file.h"
#include "vault/crypto/crypto.h"
#include "vault/crypto/x509.h"

#define DAY_S 86400

/* --- Certificates --------------------------------------------------------------------------- */

static void keep(const char *name, struct buf *certificate, struct buf *key, struct identity *out)
{
    const char *folder = out->certificate; /* set by the caller; replaced here */
    char place[PATH_MAX];
    snprintf(place, sizeof place, "%s", folder);
    snprintf(out->certificate, sizeof out->certificate, "%s/%s.pem", place, name);
    snprintf(out->key, sizeof out->key, "%s/%s.key", place, name);
    assert_done(file_create(out->certificate, buf_view(certificate), 0600, &test_error));
    assert_done(file_create(out->key, buf_view(key), 0600, &test_error));
}

static struct buf read_whole(const char *path)
{
    struct buf text = buf_limited(X509_PEM_BYTES_MAX);
    assert_done(file_read(path, &text, &test_error));
    return text;
}

static void make_ca(const char *folder, const char *file, struct identity *out)
{
    VAULT_AUTO(buf_finish) struct buf certificate = buf_limited(X509_PEM_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf key = buf_limited(X509_PEM_BYTES_MAX);
    const struct x509_period period = {time(NULL), 30};
    snprintf(out->certificate, sizeof out->certificate, "%s", folder);
    assert_done(x509_make_ca("A CA of the tests", period, &certificate, &key, &test_error));
    keep(file, &certificate, &key, out);
}

static void make_server(const char *folder, const char *file, const struct identity *by,
                        struct identity *out)
{
    static const char *const hosts[] = {"localhost", "127.0.0.1", "::1"};
    VAULT_AUTO(buf_finish) struct buf ca_certificate = read_whole(by->certificate);
    VAULT_AUTO(buf_finish) struct buf ca_key = read_whole(by->key);
    VAULT_AUTO(buf_finish) struct buf certificate = buf_limited(X509_PEM_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf key = buf_limited(X509_PEM_BYTES_MAX);
    const struct x509_ca ca = {buf_view(&ca_certificate), buf_view(&ca_key)};
    const struct x509_period period = {time(NULL), 30};
    snprintf(out->certificate, sizeof out->certificate, "%s", folder);
    assert_done(x509_make_server(&ca, hosts, 3, period, &certificate, &key, &test_error));
    keep(file, &certificate, &key, out);
}

static void make_client(const char *folder, const char *file, const struct identity *by,
                        int64_t from_s, struct identity *out)
{
    VAULT_AUTO(buf_finish) struct buf ca_certificate = read_whole(by->certificate);
    VAULT_AUTO(buf_finish) struct buf ca_key = read_whole(by->key);
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(X509_PEM_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf certificate = buf_limited(X509_PEM_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf key = buf_limited(X509_PEM_BYTES_MAX);
    const struct x509_ca ca = {buf_view(&ca_certificate), buf_view(&ca_key)};
    const struct x509_period period = {from_s, 30};
    snprintf(out->certificate, sizeof out->certificate, "%s", folder);
    assert_done(x509_make_request(file, &request, &key, &test_error));
    assert_done(x509_sign_client(&ca, buf_view(&request), file, period, &certificate, out->spki,
                                 &test_error));
    keep(file, &certificate, &key, out);
}

void make_identities(struct identities *out)
{
    const char *folder = test_folder();
    const int64_t now_s = time(NULL);
    struct identity other_ca;
    assert_done(crypto_start(true, &test_error));
    make_ca(folder, "server-ca", &out->server_ca);
    make_ca(folder, "clients-ca", &out->clients_ca);
    make_ca(folder, "other-ca", &other_ca);
    make_server(folder, "server", &out->server_ca, &out->server);
    make_server(folder, "misused", &out->clients_ca, &out->misused);
    make_client(folder, "known", &out->clients_ca, now_s, &out->known);
    make_client(folder, "other", &out->clients_ca, now_s, &out->other);
    make_client(folder, "expired", &out->clients_ca, now_s - 40 * DAY_S, &out->expired);
    make_client(folder, "early", &out->clients_ca, now_s + 10 * DAY_S, &out->early);
    make_client(folder, "stranger", &other_ca, now_s, &out->stranger);
}

static gnutls_datum_t datum_of(struct buf *text)
{
    return (gnutls_datum_t){.data = text->data, .size = (unsigned)text->size};
}

static void add_to_crl(gnutls_x509_crl_t crl, const struct identity *revoked)
{
    gnutls_x509_crt_t certificate;
    VAULT_AUTO(buf_finish) struct buf text = read_whole(revoked->certificate);
    const gnutls_datum_t pem = datum_of(&text);
    assert_int_equal(gnutls_x509_crt_init(&certificate), 0);
    assert_int_equal(gnutls_x509_crt_import(certificate, &pem, GNUTLS_X509_FMT_PEM), 0);
    assert_int_equal(gnutls_x509_crl_set_crt(crl, certificate, time(NULL)), 0);
    gnutls_x509_crt_deinit(certificate);
}

static void sign_crl(gnutls_x509_crl_t crl, const struct identity *ca)
{
    gnutls_x509_crt_t issuer;
    gnutls_x509_privkey_t key;
    VAULT_AUTO(buf_finish) struct buf ca_text = read_whole(ca->certificate);
    VAULT_AUTO(buf_finish) struct buf key_text = read_whole(ca->key);
    const gnutls_datum_t ca_pem = datum_of(&ca_text);
    const gnutls_datum_t key_pem = datum_of(&key_text);
    assert_int_equal(gnutls_x509_crt_init(&issuer), 0);
    assert_int_equal(gnutls_x509_privkey_init(&key), 0);
    assert_int_equal(gnutls_x509_crt_import(issuer, &ca_pem, GNUTLS_X509_FMT_PEM), 0);
    assert_int_equal(gnutls_x509_privkey_import2(key, &key_pem, GNUTLS_X509_FMT_PEM, NULL, 0), 0);
    assert_int_equal(gnutls_x509_crl_sign2(crl, issuer, key, GNUTLS_DIG_SHA256, 0), 0);
    gnutls_x509_crt_deinit(issuer);
    gnutls_x509_privkey_deinit(key);
}

void make_crl(const struct identity *ca, const struct identity *revoked, int64_t until_s,
              char out[PATH_MAX])
{
    static int count;
    gnutls_x509_crl_t crl;
    gnutls_datum_t pem = {0};
    assert_int_equal(gnutls_x509_crl_init(&crl), 0);
    assert_int_equal(gnutls_x509_crl_set_version(crl, 2), 0);
    assert_int_equal(gnutls_x509_crl_set_this_update(crl, time(NULL) - DAY_S), 0);
    assert_int_equal(gnutls_x509_crl_set_next_update(crl, until_s), 0);
    if (revoked)
        add_to_crl(crl, revoked);
    sign_crl(crl, ca);
    assert_int_equal(gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &pem), 0);
    snprintf(out, PATH_MAX, "%.*s.%d.crl", PATH_MAX - 32, ca->certificate, count++);
    assert_done(file_replace(out, (struct bytes){pem.data, pem.size}, 0600, &test_error));
    gnutls_free(pem.data);
    gnutls_x509_crl_deinit(crl);
}

void put_file(const char *from, const char *to)
{
    VAULT_AUTO(buf_finish) struct buf text = read_whole(from);
    assert_done(file_replace(to, buf_view(&text), 0600, &test_error));
}

/* --- Connecting ----------------------------------------------------------------------------- */

void client_dial(struct client *client, const char *address, uint16_t port)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } to = {0};
    const struct timeval wait = {.tv_sec = CLIENT_WAIT_S};
    socklen_t size = sizeof to.v4;
    client->session = NULL;
    client->credentials = NULL;
    client->pending_size = 0;
    if (inet_pton(AF_INET, address, &to.v4.sin_addr) == 1) {
        to.v4.sin_family = AF_INET;
        to.v4.sin_port = htons(port);
    } else {
        assert_int_equal(inet_pton(AF_INET6, address, &to.v6.sin6_addr), 1);
        to.v6.sin6_family = AF_INET6;
        to.v6.sin6_port = htons(port);
        size = sizeof to.v6;
    }
    client->fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(client->fd >= 0);
    setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    if (connect(client->fd, &to.any, size) != 0)
        fail_msg("connecting to port %u: %s", port, strerror(errno));
}

bool client_handshake(struct client *client, const struct identities *all,
                      const struct identity *as, const char *priorities)
{
    int result;
    assert_int_equal(gnutls_init(&client->session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL), 0);
    assert_int_equal(gnutls_certificate_allocate_credentials(&client->credentials), 0);
    assert_true(gnutls_certificate_set_x509_trust_file(
                    client->credentials, all->server_ca.certificate, GNUTLS_X509_FMT_PEM) > 0);
    if (as)
        assert_int_equal(gnutls_certificate_set_x509_key_file(client->credentials, as->certificate,
                                                              as->key, GNUTLS_X509_FMT_PEM),
                         0);
    assert_int_equal(
        gnutls_priority_set_direct(client->session, priorities ? priorities : "NORMAL", NULL), 0);
    assert_int_equal(
        gnutls_credentials_set(client->session, GNUTLS_CRD_CERTIFICATE, client->credentials), 0);
    gnutls_session_set_verify_cert(client->session, "localhost", 0);
    gnutls_transport_set_int(client->session, client->fd);
    do
        result = gnutls_handshake(client->session);
    while (result < 0 && !gnutls_error_is_fatal(result));
    return result == 0;
}

void client_open(struct client *client, const struct identities *all, const struct identity *as,
                 uint16_t port)
{
    client_dial(client, "127.0.0.1", port);
    if (!client_handshake(client, all, as, NULL))
        fail_msg("there was no handshake");
}

void client_close(struct client *client)
{
    if (client->session)
        gnutls_deinit(client->session);
    if (client->credentials)
        gnutls_certificate_free_credentials(client->credentials);
    client->session = NULL;
    client->credentials = NULL;
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
}

/* --- Speaking ------------------------------------------------------------------------------- */

bool client_send(struct client *client, const char *data, size_t size)
{
    while (size) {
        const ssize_t put = client->session ? gnutls_record_send(client->session, data, size)
                                            : send(client->fd, data, size, MSG_NOSIGNAL);
        if (put < 0)
            return false;
        data += put;
        size -= (size_t)put;
    }
    return true;
}

void client_say(struct client *client, const char *text)
{
    if (!client_send(client, text, strlen(text)))
        fail_msg("the other end is gone");
}

/* Read more; false at the end, however it came. */
static bool read_more(struct client *client)
{
    char *to = client->pending + client->pending_size;
    const size_t room = sizeof client->pending - 1 - client->pending_size;
    ssize_t got;
    assert_true(room > 0);
    if (client->session) {
        do
            got = gnutls_record_recv(client->session, to, room);
        while (got == GNUTLS_E_INTERRUPTED);
        if (got == GNUTLS_E_AGAIN || got == GNUTLS_E_TIMEDOUT)
            fail_msg("nothing happened for %d s", CLIENT_WAIT_S);
    } else {
        got = recv(client->fd, to, room, 0);
        if (got < 0 && errno == EAGAIN)
            fail_msg("nothing happened for %d s", CLIENT_WAIT_S);
    }
    if (got <= 0)
        return false;
    client->pending_size += (size_t)got;
    client->pending[client->pending_size] = 0;
    return true;
}

static void take(struct client *client, char *out, size_t size)
{
    memcpy(out, client->pending, size);
    client->pending_size -= size;
    memmove(client->pending, client->pending + size, client->pending_size);
    client->pending[client->pending_size] = 0;
}

const char *reply_header(const struct reply *reply, const char *name, char out[512])
{
    const size_t size = strlen(name);
    for (const char *line = strstr(reply->head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, size) == 0 && line[size] == ':') {
            const char *value = line + size + 1 + strspn(line + size + 1, " ");
            snprintf(out, 512, "%.*s", (int)strcspn(value, "\r"), value);
            return out;
        }
    }
    return NULL;
}

bool client_read(struct client *client, struct reply *out, bool without_body)
{
    char *end;
    char value[512];
    client->pending[client->pending_size] = 0;
    while (!(end = strstr(client->pending, "\r\n\r\n"))) {
        if (!read_more(client))
            return false;
    }
    const size_t head_size = (size_t)(end - client->pending) + 4;
    assert_true(head_size < sizeof out->head);
    take(client, out->head, head_size);
    out->head[head_size] = 0;
    assert_memory_equal(out->head, "HTTP/1.1 ", 9);
    out->status = (unsigned)strtoul(out->head + 9, NULL, 10);
    out->body_size = 0;
    out->body[0] = 0;
    if (without_body || !reply_header(out, "Content-Length", value))
        return true;
    out->body_size = strtoul(value, NULL, 10);
    assert_true(out->body_size < sizeof out->body);
    while (client->pending_size < out->body_size) {
        if (!read_more(client))
            return false;
    }
    take(client, out->body, out->body_size);
    out->body[out->body_size] = 0;
    return true;
}

bool client_is_closed(struct client *client)
{
    return client->pending_size == 0 && !read_more(client);
}
