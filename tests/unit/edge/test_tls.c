#include "vault/edge/tls.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "vault/base/file.h"

static struct identities all;
static struct tls *tls;

static void begin(void)
{
    make_identities(&all);
    tls = NULL;
}

static enum vault_code open_with(const char *certificate, const char *key, const char *ca)
{
    return tls_open(certificate, key, ca, &tls, &test_error);
}

static const char *write_file(const char *name, struct bytes content)
{
    static char path[PATH_MAX];
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(all.server.key, '/') - all.server.key),
             all.server.key);
    assert_done(file_join(path, sizeof path, folder, name, &test_error));
    assert_done(file_replace(path, content, 0600, &test_error));
    return path;
}

static void test_a_certificate_and_its_key_open(void **state)
{
    (void)state;
    begin();
    assert_done(open_with(all.server.certificate, all.server.key, NULL));
    assert_non_null(strstr(tls_certificate_pem(tls), "-----BEGIN CERTIFICATE-----"));
    assert_non_null(strstr(tls_key_pem(tls), "-----BEGIN PRIVATE KEY-----"));
    tls_close(&tls);
    assert_null(tls);
    tls_close(&tls);
    assert_done(open_with(all.server.certificate, all.server.key, all.clients_ca.certificate));
    tls_close(&tls);
}

static void test_files_that_are_not_there_are_named(void **state)
{
    (void)state;
    begin();
    assert_fails(VAULT_NOT_FOUND, open_with("/nowhere/a.pem", all.server.key, NULL));
    assert_non_null(strstr(test_error.text, "/nowhere/a.pem"));
    assert_fails(VAULT_NOT_FOUND, open_with(all.server.certificate, "/nowhere/a.key", NULL));
    assert_non_null(strstr(test_error.text, "/nowhere/a.key"));
    assert_fails(VAULT_NOT_FOUND,
                 open_with(all.server.certificate, all.server.key, "/nowhere/ca.pem"));
    assert_non_null(strstr(test_error.text, "/nowhere/ca.pem"));
    assert_null(tls);
}

static void test_a_key_of_another_certificate_is_refused(void **state)
{
    (void)state;
    begin();
    assert_fails(VAULT_INVALID, open_with(all.server.certificate, all.known.key, NULL));
    assert_non_null(strstr(test_error.text, all.server.certificate));
    assert_non_null(strstr(test_error.text, all.known.key));
    assert_null(strstr(test_error.text, "PRIVATE KEY"));
    assert_null(tls);
}

static void test_what_is_no_certificate_or_key_is_refused(void **state)
{
    (void)state;
    const struct bytes wrong[] = {
        BYTES(""),
        BYTES("no PEM at all"),
        BYTES("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
        BYTES("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        BYTES("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        BYTES("-----BEGIN CERTIFICATE-----\nMIIB"),
        BYTES("\0\1\2\3"),
    };
    begin();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *path = write_file("wrong", wrong[i]);
        assert_fails(VAULT_INVALID, open_with(path, path, NULL));
        assert_fails(VAULT_INVALID, open_with(all.server.certificate, path, NULL));
        assert_fails(VAULT_INVALID, open_with(all.server.certificate, all.server.key, path));
        assert_null(tls);
    }
    /* Certificate and key in each other's place. */
    assert_fails(VAULT_INVALID, open_with(all.server.key, all.server.certificate, NULL));
    assert_fails(VAULT_INVALID, open_with(all.server.certificate, all.server.key, all.server.key));
}

static void test_a_file_that_is_far_too_large_is_not_read(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf many = buf_limited(512 * 1024);
    begin();
    for (size_t i = 0; i < 300 * 1024; i++)
        buf_byte(&many, 'a');
    const char *path = write_file("many", buf_view(&many));
    assert_fails(VAULT_TOO_LARGE, open_with(path, all.server.key, NULL));
    assert_fails(VAULT_TOO_LARGE, open_with(all.server.certificate, path, NULL));
    assert_fails(VAULT_TOO_LARGE, open_with(all.server.certificate, all.server.key, path));
}

/* A handshake over a pair of sockets, both ends in one thread: step by step until both are done or
 * one has failed. */
static void shake(gnutls_session_t server, gnutls_session_t client, int *at_server, int *at_client)
{
    *at_server = GNUTLS_E_AGAIN;
    *at_client = GNUTLS_E_AGAIN;
    for (int i = 0; i < 100; i++) {
        if (*at_client == GNUTLS_E_AGAIN)
            *at_client = gnutls_handshake(client);
        if (*at_server == GNUTLS_E_AGAIN)
            *at_server = gnutls_handshake(server);
    }
}

struct ends {
    int fds[2];
    gnutls_session_t server;
    gnutls_session_t client;
    gnutls_certificate_credentials_t credentials;
};

static void ends_open(struct ends *ends, const struct identity *as)
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

static void ends_close(struct ends *ends)
{
    gnutls_deinit(ends->server);
    gnutls_deinit(ends->client);
    gnutls_certificate_free_credentials(ends->credentials);
    close(ends->fds[0]);
    close(ends->fds[1]);
}

/* What the server's handshake comes to with this client; the key it then knows it by. */
static int server_result(const struct identity *as, bool *known, uint8_t spki[SHA256_BYTES])
{
    struct ends ends;
    int at_server;
    int at_client;
    ends_open(&ends, as);
    assert_done(tls_prepare(tls, ends.server, &test_error));
    shake(ends.server, ends.client, &at_server, &at_client);
    *known = at_server == 0 && tls_peer_spki(ends.server, spki);
    ends_close(&ends);
    return at_server;
}

static void test_only_a_client_of_our_ca_in_its_time_gets_through(void **state)
{
    (void)state;
    bool known;
    uint8_t spki[SHA256_BYTES];
    begin();
    assert_done(open_with(all.server.certificate, all.server.key, all.clients_ca.certificate));
    assert_int_equal(server_result(&all.known, &known, spki), 0);
    assert_true(known);
    assert_memory_equal(spki, all.known.spki, sizeof spki);
    assert_int_equal(server_result(NULL, &known, spki), GNUTLS_E_CERTIFICATE_REQUIRED);
    assert_int_equal(server_result(&all.expired, &known, spki), GNUTLS_E_CERTIFICATE_ERROR);
    assert_int_equal(server_result(&all.early, &known, spki), GNUTLS_E_CERTIFICATE_ERROR);
    assert_int_equal(server_result(&all.misused, &known, spki), GNUTLS_E_CERTIFICATE_ERROR);
    assert_true(server_result(&all.stranger, &known, spki) < 0);
    assert_true(server_result(&all.server, &known, spki) < 0);
    assert_false(known);
    tls_close(&tls);
}

static void test_without_a_ca_nobody_is_asked_and_nobody_known(void **state)
{
    (void)state;
    bool known;
    uint8_t spki[SHA256_BYTES];
    begin();
    assert_done(open_with(all.server.certificate, all.server.key, NULL));
    assert_int_equal(server_result(NULL, &known, spki), 0);
    assert_false(known);
    assert_int_equal(server_result(&all.known, &known, spki), 0);
    assert_false(known);
    assert_int_equal(server_result(&all.stranger, &known, spki), 0);
    assert_false(known);
    tls_close(&tls);
}

int main(void)
{
    return TEST_RUN(test_a_certificate_and_its_key_open, test_files_that_are_not_there_are_named,
                    test_a_key_of_another_certificate_is_refused,
                    test_what_is_no_certificate_or_key_is_refused,
                    test_a_file_that_is_far_too_large_is_not_read,
                    test_only_a_client_of_our_ca_in_its_time_gets_through,
                    test_without_a_ca_nobody_is_asked_and_nobody_known);
}
