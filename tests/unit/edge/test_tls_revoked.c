/* What is said of certificates: a CA's list of revoked ones, and an authority's answer about the
 * server's own. */
#include <time.h>
#include <unistd.h>

#include "handshake.h"
#include "staple.h"

static struct identities all;
static struct tls *tls;

static void begin(void)
{
    make_identities(&all);
    tls = NULL;
}

/* --- Revoked certificates -------------------------------------------------------------------- */

static enum vault_code open_with_crl(const char *crl)
{
    const struct tls_files files = {all.server.certificate, all.server.key,
                                    all.clients_ca.certificate, crl, NULL};
    return tls_open(&files, &tls, &test_error);
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
    assert_int_equal(handshake_result(tls, &all.known, &known, spki), GNUTLS_E_CERTIFICATE_ERROR);
    assert_int_equal(handshake_result(tls, &all.other, &known, spki), 0);
    assert_true(known);
    tls_close(&tls);
    make_crl(&all.clients_ca, NULL, tomorrow(), crl);
    assert_done(open_with_crl(crl));
    assert_int_equal(handshake_result(tls, &all.known, &known, spki), 0);
    tls_close(&tls);
    assert_done(open_with_crl(""));
    assert_int_equal(handshake_result(tls, &all.known, &known, spki), 0);
    tls_close(&tls);
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
    handshake_result(tls, &all.known, &known, spki);
    assert_false(known);
    make_crl(&all.clients_ca, NULL, tomorrow(), next);
    put_file(next, crl);
    read_again(tls, true);
    assert_int_equal(handshake_result(tls, &all.known, &known, spki), 0);
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
    const char *path = write_beside(&all, "wrong.crl", BYTES("-----BEGIN X509 CRL-----\nAAAA\n"));
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
    struct handshake ends;
    struct tls_peer peer = {0};
    int at_server;
    int at_client;
    unsigned status = ~0U;
    gnutls_datum_t answer = {0};
    handshake_begin(&ends, NULL);
    assert_int_equal(gnutls_certificate_set_x509_trust_file(
                         ends.credentials, all.server_ca.certificate, GNUTLS_X509_FMT_PEM),
                     1);
    assert_done(tls_prepare(tls, ends.server, &peer, &test_error));
    handshake_go(&ends, &at_server, &at_client);
    assert_int_equal(at_server, 0);
    const bool shown = gnutls_ocsp_status_request_get(ends.client, &answer) == 0 && answer.size;
    assert_int_equal(gnutls_certificate_verify_peers3(ends.client, "localhost", &status), 0);
    assert_int_equal(status, 0);
    assert_int_equal(gnutls_ocsp_status_request_is_checked(ends.client, 0) != 0, shown);
    handshake_end(&ends);
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
    read_again(tls, true);
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

int main(void)
{
    return TEST_RUN(test_who_is_on_the_list_does_not_get_through,
                    test_while_a_list_is_over_nobody_may_ask, test_a_list_of_another_ca_is_refused,
                    test_what_is_no_list_is_refused,
                    test_an_authoritys_answer_is_shown_while_it_lasts,
                    test_an_answer_that_is_over_keeps_nobody_out,
                    test_an_answer_of_another_kind_or_about_another_is_refused);
}
