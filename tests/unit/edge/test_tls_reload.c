/* What holds for connections that are open, when files are read again and as time passes. */
#include <time.h>
#include <unistd.h>

#include "handshake.h"

static struct identities all;
static struct tls *tls;

static void begin(void)
{
    make_identities(&all);
    tls = NULL;
}

static enum vault_code open_with(const char *ca, const char *crl)
{
    const struct tls_files files = {all.server.certificate, all.server.key, ca, crl, NULL};
    return tls_open(&files, &tls, &test_error);
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
    struct handshake kept;
    struct handshake other;
    struct tls_peer peer;
    struct tls_peer other_peer;
    char crl[PATH_MAX];
    char revoked[PATH_MAX];
    begin();
    make_crl(&all.clients_ca, NULL, tomorrow(), crl);
    make_crl(&all.clients_ca, &all.known, tomorrow(), revoked);
    assert_done(open_with(all.clients_ca.certificate, crl));
    handshake_keep(tls, &kept, &all.known, &peer);
    handshake_keep(tls, &other, &all.other, &other_peer);
    assert_true(tls_peer_may_ask(tls, kept.server, &peer));
    put_file(revoked, crl);
    assert_true(tls_peer_may_ask(tls, kept.server, &peer)); /* it was not read yet */
    read_again(tls, true);
    assert_false(tls_peer_may_ask(tls, kept.server, &peer));
    assert_false(tls_peer_may_ask(tls, kept.server, &peer));
    assert_true(tls_peer_may_ask(tls, other.server, &other_peer));
    read_again(tls, false);
    assert_true(tls_peer_may_ask(tls, other.server, &other_peer));
    handshake_drop(&kept, &peer);
    handshake_drop(&other, &other_peer);
    tls_close(&tls);
}

static void test_another_ca_ends_what_the_former_let_in(void **state)
{
    (void)state;
    struct handshake kept;
    struct tls_peer peer;
    bool known;
    uint8_t spki[SHA256_BYTES];
    begin();
    const char *ca = write_beside(&all, "ca-in-force", BYTES(""));
    put_file(all.clients_ca.certificate, ca);
    assert_done(open_with(ca, NULL));
    handshake_keep(tls, &kept, &all.known, &peer);
    assert_true(tls_peer_may_ask(tls, kept.server, &peer));
    put_file(all.server_ca.certificate, ca);
    read_again(tls, true);
    assert_false(tls_peer_may_ask(tls, kept.server, &peer));
    assert_true(handshake_result(tls, &all.known, &known, spki) < 0);
    assert_int_equal(handshake_result(tls, &all.server, &known, spki), GNUTLS_E_CERTIFICATE_ERROR);
    put_file(all.clients_ca.certificate, ca);
    read_again(tls, true);
    assert_int_equal(handshake_result(tls, &all.known, &known, spki), 0);
    handshake_drop(&kept, &peer);
    tls_close(&tls);
}

/* With a server that is open, up to before its first word. */
static void begin_handshake(struct handshake *ends, struct tls_peer *peer)
{
    begin();
    assert_done(open_with(all.clients_ca.certificate, NULL));
    handshake_begin(ends, &all.known);
    assert_done(tls_prepare(tls, ends->server, peer, &test_error));
}

/* The session goes on under the credentials of its handshake, which are not in force any more. */
static void test_a_handshake_that_has_begun_ends_under_what_it_began_with(void **state)
{
    (void)state;
    struct handshake ends;
    struct tls_peer peer;
    int at_server;
    int at_client;
    begin_handshake(&ends, &peer);
    read_again(tls, false);
    read_again(tls, false);
    handshake_go(&ends, &at_server, &at_client);
    assert_int_equal(at_server, 0);
    assert_true(tls_peer_may_ask(tls, ends.server, &peer));
    handshake_drop(&ends, &peer);
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
    assert_done(open_with(all.clients_ca.certificate, crl));
    put_file(over, crl);
    assert_not_read_again(VAULT_INVALID);
    assert_non_null(strstr(test_error.text, "over"));
    put_file(all.known.certificate, crl);
    assert_not_read_again(VAULT_INVALID);
    assert_int_equal(unlink(crl), 0);
    assert_not_read_again(VAULT_NOT_FOUND);
    assert_int_equal(handshake_result(tls, &all.known, &known, spki), 0);
    assert_int_equal(handshake_result(tls, &all.other, &known, spki), GNUTLS_E_CERTIFICATE_ERROR);
    tls_close(&tls);
}

/* Nobody is let in whose certificate could not be looked at, and nobody is told that theirs is bad.
 */
static void test_what_could_not_be_looked_at_is_told_from_a_refusal(void **state)
{
    (void)state;
    struct handshake ends;
    struct tls_peer peer;
    int at_server;
    int at_client;
    begin_handshake(&ends, &peer);
    assert_false(tls_peer_may_ask(tls, ends.server, &peer)); /* nothing was shown yet */
    assert_true(peer.unread);
    handshake_go(&ends, &at_server, &at_client);
    assert_true(tls_peer_may_ask(tls, ends.server, &peer));
    assert_false(peer.unread);
    peer.expires_s = time(NULL) - 1;
    assert_false(tls_peer_may_ask(tls, ends.server, &peer));
    assert_false(peer.unread);
    handshake_drop(&ends, &peer);
    tls_close(&tls);
}

/* How long a connection may be kept alive is no business of its certificate's end. */
static void test_a_certificate_that_ends_meanwhile_is_not_let_ask(void **state)
{
    (void)state;
    struct handshake kept;
    struct tls_peer peer;
    begin();
    assert_done(open_with(all.clients_ca.certificate, NULL));
    handshake_keep(tls, &kept, &all.known, &peer);
    assert_true(tls_peer_may_ask(tls, kept.server, &peer));
    assert_true(peer.expires_s > time(NULL));
    peer.expires_s = time(NULL) - 1;
    assert_false(tls_peer_may_ask(tls, kept.server, &peer));
    handshake_drop(&kept, &peer);
    tls_close(&tls);
}

int main(void)
{
    return TEST_RUN(test_an_open_connection_is_held_against_what_was_read_since,
                    test_another_ca_ends_what_the_former_let_in,
                    test_a_handshake_that_has_begun_ends_under_what_it_began_with,
                    test_what_cannot_be_read_leaves_the_former_in_force,
                    test_what_could_not_be_looked_at_is_told_from_a_refusal,
                    test_a_certificate_that_ends_meanwhile_is_not_let_ask);
}
