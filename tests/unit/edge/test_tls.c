/* Which files open a listener's TLS, and whom its handshake lets through. */
#include "handshake.h"

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
        const char *path = write_beside(&all, "wrong", wrong[i]);
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
    const char *path = write_beside(&all, "many", buf_view(&many));
    assert_fails(VAULT_TOO_LARGE, open_with(path, all.server.key, NULL));
    assert_fails(VAULT_TOO_LARGE, open_with(all.server.certificate, path, NULL));
    assert_fails(VAULT_TOO_LARGE, open_with(all.server.certificate, all.server.key, path));
}

static void test_only_a_client_of_our_ca_in_its_time_gets_through(void **state)
{
    (void)state;
    bool known;
    uint8_t spki[SHA256_BYTES];
    begin();
    assert_done(open_with(all.server.certificate, all.server.key, all.clients_ca.certificate));
    assert_int_equal(handshake_result(tls, &all.known, &known, spki), 0);
    assert_true(known);
    assert_memory_equal(spki, all.known.spki, sizeof spki);
    assert_int_equal(handshake_result(tls, NULL, &known, spki), GNUTLS_E_CERTIFICATE_REQUIRED);
    assert_int_equal(handshake_result(tls, &all.expired, &known, spki), GNUTLS_E_CERTIFICATE_ERROR);
    assert_int_equal(handshake_result(tls, &all.early, &known, spki), GNUTLS_E_CERTIFICATE_ERROR);
    assert_int_equal(handshake_result(tls, &all.misused, &known, spki), GNUTLS_E_CERTIFICATE_ERROR);
    assert_true(handshake_result(tls, &all.stranger, &known, spki) < 0);
    assert_true(handshake_result(tls, &all.server, &known, spki) < 0);
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
    assert_int_equal(handshake_result(tls, NULL, &known, spki), 0);
    assert_false(known);
    assert_int_equal(handshake_result(tls, &all.known, &known, spki), 0);
    assert_false(known);
    assert_int_equal(handshake_result(tls, &all.stranger, &known, spki), 0);
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
