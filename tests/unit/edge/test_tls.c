#include "vault/edge/tls.h"

#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "staple.h"
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
    const struct tls_files files = {.certificate = certificate, .key = key, .clients_ca = ca};
    return tls_open(&files, &tls, &test_error);
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
    assert_non_null(strstr(tls_key_pem(tls), "-----BEGIN PRIV"
                                             "ATE KEY-----"));
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
        BYTES("-----BEGIN PRIV"
              "ATE KEY-----\nAAAA\n-----END PRIV"
              "ATE KEY-----\n"),
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

/* What the server's handshake comes to with this client; whether it may ask then, and the key it is
 * known by. */
static int server_result(const struct identity *as, bool *known, uint8_t spki[SHA256_BYTES])
{
    struct ends ends;
    int at_server;
    int at_client;
    ends_open(&ends, as);
    struct tls_peer peer = {0};
    assert_done(tls_prepare(tls, ends.server, &peer, &test_error));
    shake(ends.server, ends.client, &at_server, &at_client);
    *known = at_server == 0 && tls_peer_may_ask(tls, ends.server, &peer) && peer.is_known;
    memcpy(spki, peer.spki, sizeof peer.spki);
    tls_peer_finish(&peer);
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

/* --- Revoked certificates -------------------------------------------------------------------- */

static enum vault_code open_with_crl(const char *crl)
{
    const struct tls_files files = {all.server.certificate, all.server.key,
                                    all.clients_ca.certificate, crl, NULL};
    return tls_open(&files, &tls, &test_error);
}

static int64_t tomorrow(void)
{
    return time(NULL) + 86400;
}

static void test_who_is_on_the_list_does_not_get_through(void **state)
{
    (void)state;
    bool known;
    uint8_t spki[SHA256_BYTES];
    char crl[PATH_MAX];
    begin();
    make_crl(&all.clients_ca, &all.known, tomorrow(), crl);
    assert_done(open_with_crl(crl));
    assert_int_equal(server_result(&all.known, &known, spki), GNUTLS_E_CERTIFICATE_ERROR);
    assert_int_equal(server_result(&all.other, &known, spki), 0);
    assert_true(known);
    tls_close(&tls);
    make_crl(&all.clients_ca, NULL, tomorrow(), crl);
    assert_done(open_with_crl(crl));
    assert_int_equal(server_result(&all.known, &known, spki), 0);
    tls_close(&tls);
    assert_done(open_with_crl(""));
    assert_int_equal(server_result(&all.known, &known, spki), 0);
    tls_close(&tls);
}

static void read_again(bool expected)
{
    bool changed;
    struct tls_credentials *fresh = NULL;
    assert_done(tls_read_again(tls, &fresh, &changed, &test_error));
    assert_int_equal(changed, expected);
    tls_replace(tls, &fresh);
    assert_null(fresh);
}

/* GnuTLS does not look at its end: the handshake passes, and then nothing may be asked. */
static void test_while_a_list_is_over_nobody_may_ask(void **state)
{
    (void)state;
    bool known;
    uint8_t spki[SHA256_BYTES];
    char crl[PATH_MAX];
    char next[PATH_MAX];
    int64_t end_s;
    begin();
    make_crl(&all.clients_ca, NULL, time(NULL) - 60, crl);
    assert_done(open_with_crl(crl));
    server_result(&all.known, &known, spki);
    assert_false(known);
    make_crl(&all.clients_ca, NULL, tomorrow(), next);
    put_file(next, crl);
    read_again(true);
    assert_int_equal(server_result(&all.known, &known, spki), 0);
    assert_true(known);
    tls_close(&tls);
    make_crl(&all.clients_ca, NULL, time(NULL) - 60, crl);
    assert_done(tls_crl_end(crl, &end_s, &test_error));
    assert_true(end_s < time(NULL) && end_s > time(NULL) - 120);
}

static void test_a_list_of_another_ca_is_refused(void **state)
{
    (void)state;
    char crl[PATH_MAX];
    begin();
    make_crl(&all.server_ca, &all.known, tomorrow(), crl);
    assert_fails(VAULT_INVALID, open_with_crl(crl));
    assert_non_null(strstr(test_error.text, crl));
    make_crl(&all.clients_ca, NULL, tomorrow(), crl);
    const struct tls_files no_ca = {all.server.certificate, all.server.key, NULL, crl, NULL};
    assert_fails(VAULT_INVALID, tls_open(&no_ca, &tls, &test_error));
    assert_null(tls);
}

static void test_what_is_no_list_is_refused(void **state)
{
    (void)state;
    int64_t end_s;
    begin();
    assert_fails(VAULT_NOT_FOUND, open_with_crl("/nowhere/a.crl"));
    assert_fails(VAULT_INVALID, open_with_crl(all.known.certificate));
    const char *path = write_file("wrong.crl", BYTES("-----BEGIN X509 CRL-----\nAAAA\n"));
    assert_fails(VAULT_INVALID, open_with_crl(path));
    assert_non_null(strstr(test_error.text, path));
    assert_fails(VAULT_INVALID, tls_crl_end(path, &end_s, &test_error));
    assert_null(tls);
}

/* --- What an authority says of the server's own certificate ---------------------------------- */

static enum vault_code open_with_ocsp(const char *ocsp)
{
    const struct tls_files files = {
        .certificate = all.server.certificate, .key = all.server.key, .ocsp = ocsp};
    return tls_open(&files, &tls, &test_error);
}

/* Whether a client that connects now is shown an answer; then it believes it. */
static bool is_shown(void)
{
    struct ends ends;
    struct tls_peer peer = {0};
    int at_server;
    int at_client;
    unsigned status = ~0U;
    gnutls_datum_t answer = {0};
    ends_open(&ends, NULL);
    assert_int_equal(gnutls_certificate_set_x509_trust_file(
                         ends.credentials, all.server_ca.certificate, GNUTLS_X509_FMT_PEM),
                     1);
    assert_done(tls_prepare(tls, ends.server, &peer, &test_error));
    shake(ends.server, ends.client, &at_server, &at_client);
    assert_int_equal(at_server, 0);
    const bool shown = gnutls_ocsp_status_request_get(ends.client, &answer) == 0 && answer.size;
    assert_int_equal(gnutls_certificate_verify_peers3(ends.client, "localhost", &status), 0);
    assert_int_equal(status, 0);
    assert_int_equal(gnutls_ocsp_status_request_is_checked(ends.client, 0) != 0, shown);
    ends_close(&ends);
    tls_peer_finish(&peer);
    return shown;
}

static void test_an_authoritys_answer_is_shown_while_it_lasts(void **state)
{
    (void)state;
    char ocsp[PATH_MAX];
    char next[PATH_MAX];
    begin();
    assert_done(open_with_ocsp(NULL));
    assert_false(is_shown());
    assert_true(tls_ocsp_end(tls) == INT64_MAX);
    tls_close(&tls);
    const int64_t until_s = time(NULL) + 3;
    make_staple(&all.server_ca, &all.server, true, until_s, ocsp);
    assert_done(open_with_ocsp(ocsp));
    assert_int_equal(tls_ocsp_end(tls), until_s);
    assert_true(is_shown());
    while (time(NULL) <= until_s)
        usleep(100000);
    assert_false(is_shown());
    make_staple(&all.server_ca, &all.server, true, tomorrow(), next);
    put_file(next, ocsp);
    read_again(true);
    assert_true(is_shown());
    tls_close(&tls);
}

static void test_an_answer_that_is_over_keeps_nobody_out(void **state)
{
    (void)state;
    char ocsp[PATH_MAX];
    begin();
    make_staple(&all.server_ca, &all.server, true, time(NULL) - 60, ocsp);
    assert_done(open_with_ocsp(ocsp));
    assert_int_equal(tls_ocsp_end(tls), 0);
    assert_false(is_shown());
    tls_close(&tls);
}

static void test_an_answer_of_another_kind_or_about_another_is_refused(void **state)
{
    (void)state;
    char ocsp[PATH_MAX];
    begin();
    make_staple(&all.server_ca, &all.server, false, tomorrow(), ocsp);
    assert_fails(VAULT_INVALID, open_with_ocsp(ocsp));
    assert_non_null(strstr(test_error.text, "does not say"));
    make_staple(&all.clients_ca, &all.known, true, tomorrow(), ocsp);
    assert_fails(VAULT_INVALID, open_with_ocsp(ocsp));
    assert_non_null(strstr(test_error.text, ocsp));
    assert_fails(VAULT_INVALID, open_with_ocsp(all.server.certificate));
    assert_fails(VAULT_NOT_FOUND, open_with_ocsp("/nowhere/an.ocsp"));
    assert_null(tls);
}

/* --- Reading the files again ------------------------------------------------------------------ */

/* One connection that stays open. */
static void shake_hands(struct ends *ends, const struct identity *as, struct tls_peer *peer)
{
    int at_server;
    int at_client;
    ends_open(ends, as);
    assert_done(tls_prepare(tls, ends->server, peer, &test_error));
    shake(ends->server, ends->client, &at_server, &at_client);
    assert_int_equal(at_server, 0);
}

static void hang_up(struct ends *ends, struct tls_peer *peer)
{
    ends_close(ends);
    tls_peer_finish(peer);
}

static void assert_not_read_again(enum vault_code code)
{
    bool changed;
    struct tls_credentials *fresh = NULL;
    assert_fails(code, tls_read_again(tls, &fresh, &changed, &test_error));
    assert_null(fresh);
}

static void test_an_open_connection_is_held_against_what_was_read_since(void **state)
{
    (void)state;
    struct ends kept;
    struct ends other;
    struct tls_peer peer;
    struct tls_peer other_peer;
    char crl[PATH_MAX];
    char revoked[PATH_MAX];
    begin();
    make_crl(&all.clients_ca, NULL, tomorrow(), crl);
    make_crl(&all.clients_ca, &all.known, tomorrow(), revoked);
    assert_done(open_with_crl(crl));
    shake_hands(&kept, &all.known, &peer);
    shake_hands(&other, &all.other, &other_peer);
    assert_true(tls_peer_may_ask(tls, kept.server, &peer));
    put_file(revoked, crl);
    assert_true(tls_peer_may_ask(tls, kept.server, &peer)); /* it was not read yet */
    read_again(true);
    assert_false(tls_peer_may_ask(tls, kept.server, &peer));
    assert_false(tls_peer_may_ask(tls, kept.server, &peer));
    assert_true(tls_peer_may_ask(tls, other.server, &other_peer));
    read_again(false);
    assert_true(tls_peer_may_ask(tls, other.server, &other_peer));
    hang_up(&kept, &peer);
    hang_up(&other, &other_peer);
    tls_close(&tls);
}

static void test_another_ca_ends_what_the_former_let_in(void **state)
{
    (void)state;
    struct ends kept;
    struct tls_peer peer;
    bool known;
    uint8_t spki[SHA256_BYTES];
    begin();
    const char *ca = write_file("ca-in-force", BYTES(""));
    put_file(all.clients_ca.certificate, ca);
    assert_done(open_with(all.server.certificate, all.server.key, ca));
    shake_hands(&kept, &all.known, &peer);
    assert_true(tls_peer_may_ask(tls, kept.server, &peer));
    put_file(all.server_ca.certificate, ca);
    read_again(true);
    assert_false(tls_peer_may_ask(tls, kept.server, &peer));
    assert_true(server_result(&all.known, &known, spki) < 0);
    assert_int_equal(server_result(&all.server, &known, spki), GNUTLS_E_CERTIFICATE_ERROR);
    put_file(all.clients_ca.certificate, ca);
    read_again(true);
    assert_int_equal(server_result(&all.known, &known, spki), 0);
    hang_up(&kept, &peer);
    tls_close(&tls);
}

/* The session goes on under the credentials of its handshake, which are not in force any more. */
static void test_a_handshake_that_has_begun_ends_under_what_it_began_with(void **state)
{
    (void)state;
    struct ends ends;
    struct tls_peer peer;
    int at_server;
    int at_client;
    begin();
    assert_done(open_with(all.server.certificate, all.server.key, all.clients_ca.certificate));
    ends_open(&ends, &all.known);
    assert_done(tls_prepare(tls, ends.server, &peer, &test_error));
    read_again(false);
    read_again(false);
    shake(ends.server, ends.client, &at_server, &at_client);
    assert_int_equal(at_server, 0);
    assert_true(tls_peer_may_ask(tls, ends.server, &peer));
    hang_up(&ends, &peer);
    tls_close(&tls);
}

static void test_what_cannot_be_read_leaves_the_former_in_force(void **state)
{
    (void)state;
    bool known;
    uint8_t spki[SHA256_BYTES];
    char crl[PATH_MAX];
    char over[PATH_MAX];
    begin();
    make_crl(&all.clients_ca, &all.other, tomorrow(), crl);
    make_crl(&all.clients_ca, NULL, time(NULL) - 60, over);
    assert_done(open_with_crl(crl));
    put_file(over, crl);
    assert_not_read_again(VAULT_INVALID);
    assert_non_null(strstr(test_error.text, "over"));
    put_file(all.known.certificate, crl);
    assert_not_read_again(VAULT_INVALID);
    assert_int_equal(unlink(crl), 0);
    assert_not_read_again(VAULT_NOT_FOUND);
    assert_int_equal(server_result(&all.known, &known, spki), 0);
    assert_int_equal(server_result(&all.other, &known, spki), GNUTLS_E_CERTIFICATE_ERROR);
    tls_close(&tls);
}

/* Nobody is let in whose certificate could not be looked at, and nobody is told that theirs is bad.
 */
static void test_what_could_not_be_looked_at_is_told_from_a_refusal(void **state)
{
    (void)state;
    struct ends ends;
    struct tls_peer peer;
    int at_server;
    int at_client;
    begin();
    assert_done(open_with(all.server.certificate, all.server.key, all.clients_ca.certificate));
    ends_open(&ends, &all.known);
    assert_done(tls_prepare(tls, ends.server, &peer, &test_error));
    assert_false(tls_peer_may_ask(tls, ends.server, &peer)); /* nothing was shown yet */
    assert_true(peer.unread);
    shake(ends.server, ends.client, &at_server, &at_client);
    assert_true(tls_peer_may_ask(tls, ends.server, &peer));
    assert_false(peer.unread);
    peer.expires_s = time(NULL) - 1;
    assert_false(tls_peer_may_ask(tls, ends.server, &peer));
    assert_false(peer.unread);
    hang_up(&ends, &peer);
    tls_close(&tls);
}

/* How long a connection may be kept alive is no business of its certificate's end. */
static void test_a_certificate_that_ends_meanwhile_is_not_let_ask(void **state)
{
    (void)state;
    struct ends kept;
    struct tls_peer peer;
    begin();
    assert_done(open_with(all.server.certificate, all.server.key, all.clients_ca.certificate));
    shake_hands(&kept, &all.known, &peer);
    assert_true(tls_peer_may_ask(tls, kept.server, &peer));
    assert_true(peer.expires_s > time(NULL));
    peer.expires_s = time(NULL) - 1;
    assert_false(tls_peer_may_ask(tls, kept.server, &peer));
    hang_up(&kept, &peer);
    tls_close(&tls);
}

int main(void)
{
    return TEST_RUN(
        test_an_authoritys_answer_is_shown_while_it_lasts,
        test_an_answer_that_is_over_keeps_nobody_out,
        test_an_answer_of_another_kind_or_about_another_is_refused,
        test_a_certificate_and_its_key_open, test_files_that_are_not_there_are_named,
        test_a_key_of_another_certificate_is_refused, test_what_is_no_certificate_or_key_is_refused,
        test_a_file_that_is_far_too_large_is_not_read,
        test_only_a_client_of_our_ca_in_its_time_gets_through,
        test_without_a_ca_nobody_is_asked_and_nobody_known,
        test_who_is_on_the_list_does_not_get_through, test_while_a_list_is_over_nobody_may_ask,
        test_a_list_of_another_ca_is_refused, test_what_is_no_list_is_refused,
        test_an_open_connection_is_held_against_what_was_read_since,
        test_another_ca_ends_what_the_former_let_in,
        test_a_handshake_that_has_begun_ends_under_what_it_began_with,
        test_what_cannot_be_read_leaves_the_former_in_force,
        test_a_certificate_that_ends_meanwhile_is_not_let_ask,
        test_what_could_not_be_looked_at_is_told_from_a_refusal);
}
