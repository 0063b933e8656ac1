/* What is issued is looked at with OpenSSL's own tool, as an auditor would. */
#include "test.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vault/base/file.h"
#include "vault/crypto/crypto.h"
#include "vault/crypto/x509.h"

#define NOW_S         1795305600 /* 2026-11-22 */
#define ARGUMENTS_MAX 40

static const struct x509_period year = {NOW_S, 365};
static char folder[PATH_MAX];

/* Text of one certificate, request or key, and the file it stands in for the tool. */
struct pem {
    struct buf text;
    char path[PATH_MAX];
};

static struct pem pem_empty(void)
{
    return (struct pem){.text = buf_limited(X509_PEM_BYTES_MAX)};
}

static void pem_finish(struct pem *pem)
{
    buf_finish(&pem->text);
}

static void pem_write(struct pem *pem, const char *name)
{
    assert_done(file_join(pem->path, sizeof pem->path, folder, name, &test_error));
    assert_done(file_replace(pem->path, buf_view(&pem->text), 0600, &test_error));
}

static void pem_read(struct pem *pem, const char *name)
{
    assert_done(file_join(pem->path, sizeof pem->path, folder, name, &test_error));
    buf_clear(&pem->text);
    assert_done(file_read(pem->path, &pem->text, &test_error));
}

/* Run openssl in the folder, its output into "said". Whether it exits 0. */
static bool openssl(const char *const arguments[], size_t count)
{
    /* execvp takes what it does not change without const. */
    char *argv[ARGUMENTS_MAX] = {NULL};
    assert_true(count < ARGUMENTS_MAX);
    memcpy(argv, arguments, count * sizeof(char *));
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (chdir(folder) != 0)
            _exit(126);
        const int said = open("said", O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(said, STDOUT_FILENO);
        dup2(said, STDERR_FILENO);
        execvp("openssl", argv);
        _exit(127);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 126);
    return WEXITSTATUS(status) == 0;
}

#define OPENSSL(...)                                                                               \
    openssl((const char *const[]){"openssl", __VA_ARGS__},                                         \
            sizeof((const char *const[]){"openssl", __VA_ARGS__}) / sizeof(char *))

/* As of the test's own time, not today's. */
#define VERIFY(purpose, ca, certificate)                                                           \
    OPENSSL("verify", "-x509_strict", "-attime", "1795306000", "-purpose", purpose, "-CAfile", ca, \
            certificate)

static bool said(const char *words)
{
    VAULT_AUTO(pem_finish) struct pem text = pem_empty();
    pem_read(&text, "said");
    return strstr(buf_string(&text.text), words) != NULL;
}

/* A CA in "ca.pem", with its key. */
static struct pem ca_certificate;
static struct pem ca_key;

static struct x509_ca ca(void)
{
    return (struct x509_ca){buf_view(&ca_certificate.text), buf_view(&ca_key.text)};
}

static void fresh_ca(void)
{
    snprintf(folder, sizeof folder, "%s", test_folder());
    pem_finish(&ca_certificate);
    pem_finish(&ca_key);
    ca_certificate = pem_empty();
    ca_key = pem_empty();
    assert_done(
        x509_make_ca("Test services CA", year, &ca_certificate.text, &ca_key.text, &test_error));
    pem_write(&ca_certificate, "ca.pem");
}

static enum vault_code sign(struct bytes request, const char *name, struct buf *certificate)
{
    uint8_t spki[SHA256_BYTES];
    const struct x509_ca by = ca();
    return x509_sign_client(&by, request, name, year, certificate, spki, &test_error);
}

static void test_a_ca_issues_end_certificates_and_nothing_else(void **state)
{
    (void)state;
    fresh_ca();
    assert_true(VERIFY("any", "ca.pem", "ca.pem"));
    assert_true(OPENSSL("x509", "-in", "ca.pem", "-noout", "-text"));
    assert_true(said("CA:TRUE, pathlen:0"));
    assert_true(said("Certificate Sign, CRL Sign"));
    assert_true(said("CN = Test services CA"));
    assert_true(said("NIST CURVE: P-256"));
    assert_true(said("ecdsa-with-SHA256"));
    assert_true(said("Not After : Nov 22 00:00:00 2027"));
}

static void test_a_client_certificate_is_for_clients_only(void **state)
{
    (void)state;
    fresh_ca();
    VAULT_AUTO(pem_finish) struct pem request = pem_empty();
    VAULT_AUTO(pem_finish) struct pem key = pem_empty();
    VAULT_AUTO(pem_finish) struct pem certificate = pem_empty();
    assert_done(x509_make_request("whatever", &request.text, &key.text, &test_error));
    assert_done(sign(buf_view(&request.text), "plie-rennes", &certificate.text));
    pem_write(&certificate, "client.pem");
    assert_true(VERIFY("sslclient", "ca.pem", "client.pem"));
    assert_false(VERIFY("sslserver", "ca.pem", "client.pem"));
    assert_false(VERIFY("crlsign", "ca.pem", "client.pem"));
    assert_true(OPENSSL("x509", "-in", "client.pem", "-noout", "-text"));
    assert_true(said("CN = plie-rennes"));
    assert_false(said("whatever"));
    assert_true(said("CA:FALSE"));
    assert_true(said("TLS Web Client Authentication"));
    assert_false(said("TLS Web Server Authentication"));
}

static void test_what_a_request_asks_beyond_its_key_is_not_looked_at(void **state)
{
    (void)state;
    fresh_ca();
    assert_true(OPENSSL(
        "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
        "key.pem", "-out", "request.pem", "-subj", "/O=City of Rennes/CN=greedy", "-addext",
        "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign", "-addext",
        "extendedKeyUsage=serverAuth,codeSigning", "-addext", "subjectAltName=DNS:vault.example"));
    VAULT_AUTO(pem_finish) struct pem request = pem_empty();
    VAULT_AUTO(pem_finish) struct pem certificate = pem_empty();
    pem_read(&request, "request.pem");
    assert_done(sign(buf_view(&request.text), "library", &certificate.text));
    pem_write(&certificate, "client.pem");
    assert_true(VERIFY("sslclient", "ca.pem", "client.pem"));
    assert_false(VERIFY("sslserver", "ca.pem", "client.pem"));
    assert_true(OPENSSL("x509", "-in", "client.pem", "-noout", "-text"));
    assert_false(said("greedy"));
    assert_false(said("City of Rennes"));
    assert_false(said("CA:TRUE"));
    assert_false(said("Certificate Sign"));
    assert_false(said("Code Signing"));
    assert_false(said("vault.example"));
    assert_true(said("CN = library"));
}

static void test_a_client_certificate_issues_nothing(void **state)
{
    (void)state;
    fresh_ca();
    VAULT_AUTO(pem_finish) struct pem request = pem_empty();
    VAULT_AUTO(pem_finish) struct pem key = pem_empty();
    VAULT_AUTO(pem_finish) struct pem certificate = pem_empty();
    VAULT_AUTO(pem_finish) struct pem second = pem_empty();
    assert_done(x509_make_request("a", &request.text, &key.text, &test_error));
    assert_done(sign(buf_view(&request.text), "library", &certificate.text));
    const struct x509_ca pretender = {buf_view(&certificate.text), buf_view(&key.text)};
    uint8_t spki[SHA256_BYTES];
    assert_done(x509_sign_client(&pretender, buf_view(&request.text), "forged", year, &second.text,
                                 spki, &test_error));
    pem_write(&certificate, "between.pem");
    pem_write(&second, "second.pem");
    assert_false(OPENSSL("verify", "-attime", "1795306000", "-CAfile", "ca.pem", "-untrusted",
                         "between.pem", "second.pem"));
}

static void test_the_spki_is_what_openssl_computes(void **state)
{
    (void)state;
    fresh_ca();
    VAULT_AUTO(pem_finish) struct pem request = pem_empty();
    VAULT_AUTO(pem_finish) struct pem key = pem_empty();
    VAULT_AUTO(pem_finish) struct pem certificate = pem_empty();
    VAULT_AUTO(pem_finish) struct pem der = pem_empty();
    uint8_t signed_spki[SHA256_BYTES];
    uint8_t read_spki[SHA256_BYTES];
    uint8_t expected[SHA256_BYTES];
    int64_t expires_s = 0;
    const struct x509_ca by = ca();
    assert_done(x509_make_request("a", &request.text, &key.text, &test_error));
    assert_done(x509_sign_client(&by, buf_view(&request.text), "a", year, &certificate.text,
                                 signed_spki, &test_error));
    assert_done(x509_read(buf_view(&certificate.text), read_spki, &expires_s, &test_error));
    pem_write(&request, "request.pem");
    assert_true(OPENSSL("req", "-in", "request.pem", "-noout", "-pubkey", "-out", "public.pem"));
    assert_true(
        OPENSSL("pkey", "-pubin", "-in", "public.pem", "-outform", "DER", "-out", "public.der"));
    pem_read(&der, "public.der");
    sha256_of(expected, buf_view(&der.text));
    assert_memory_equal(signed_spki, expected, SHA256_BYTES);
    assert_memory_equal(read_spki, expected, SHA256_BYTES);
    assert_int_equal(expires_s, NOW_S + 365 * 86400LL);
}

static void test_a_server_certificate_names_its_hosts(void **state)
{
    (void)state;
    fresh_ca();
    VAULT_AUTO(pem_finish) struct pem certificate = pem_empty();
    VAULT_AUTO(pem_finish) struct pem key = pem_empty();
    const char *const hosts[] = {"vault.example", "127.0.0.1", "::1"};
    const struct x509_ca by = ca();
    assert_done(x509_make_server(&by, hosts, 3, year, &certificate.text, &key.text, &test_error));
    pem_write(&certificate, "server.pem");
    assert_true(VERIFY("sslserver", "ca.pem", "server.pem"));
    assert_false(VERIFY("sslclient", "ca.pem", "server.pem"));
    assert_true(OPENSSL("verify", "-attime", "1795306000", "-CAfile", "ca.pem", "-verify_hostname",
                        "vault.example", "server.pem"));
    assert_true(OPENSSL("verify", "-attime", "1795306000", "-CAfile", "ca.pem", "-verify_ip",
                        "127.0.0.1", "server.pem"));
    assert_true(OPENSSL("verify", "-attime", "1795306000", "-CAfile", "ca.pem", "-verify_ip", "::1",
                        "server.pem"));
    assert_false(OPENSSL("verify", "-attime", "1795306000", "-CAfile", "ca.pem", "-verify_hostname",
                         "other.example", "server.pem"));
}

static void test_odd_hosts_are_refused(void **state)
{
    (void)state;
    fresh_ca();
    VAULT_AUTO(pem_finish) struct pem certificate = pem_empty();
    VAULT_AUTO(pem_finish) struct pem key = pem_empty();
    const struct x509_ca by = ca();
    char long_host[256];
    memset(long_host, 'a', sizeof long_host - 1);
    long_host[sizeof long_host - 1] = 0;
    const char *const odd[] = {"", "a,DNS:b", "a b", "a\nb", "a:b", "*.example", "a=b", long_host};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        assert_fails(VAULT_INVALID, x509_make_server(&by, &odd[i], 1, year, &certificate.text,
                                                     &key.text, &test_error));
    }
    const char *const many[X509_HOSTS_MAX + 1] = {"a"};
    assert_fails(VAULT_INVALID,
                 x509_make_server(&by, many, 0, year, &certificate.text, &key.text, &test_error));
    assert_fails(VAULT_INVALID, x509_make_server(&by, many, X509_HOSTS_MAX + 1, year,
                                                 &certificate.text, &key.text, &test_error));
    assert_int_equal(certificate.text.size + key.text.size, 0);
}

static void test_names_and_periods_have_limits(void **state)
{
    (void)state;
    fresh_ca();
    VAULT_AUTO(pem_finish) struct pem certificate = pem_empty();
    VAULT_AUTO(pem_finish) struct pem key = pem_empty();
    char long_name[X509_NAME_CHARS + 2];
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = 0;
    const char *const names[] = {"", long_name};
    for (size_t i = 0; i < 2; i++) {
        assert_fails(VAULT_INVALID,
                     x509_make_ca(names[i], year, &certificate.text, &key.text, &test_error));
    }
    const int64_t days[] = {0, -1, X509_DAYS_MAX + 1, INT64_MAX};
    for (size_t i = 0; i < 4; i++) {
        assert_fails(VAULT_INVALID, x509_make_ca("CA", (struct x509_period){NOW_S, days[i]},
                                                 &certificate.text, &key.text, &test_error));
    }
    assert_int_equal(certificate.text.size + key.text.size, 0);
}

/* Make a request for a key of a kind with OpenSSL's tool, and have it signed. */
static enum vault_code sign_key_of(const char *algorithm, const char *option, const char *value)
{
    assert_true(OPENSSL("genpkey", "-algorithm", algorithm, option, value, "-out", "key.pem"));
    assert_true(OPENSSL("req", "-new", "-key", "key.pem", "-subj", "/CN=a", "-out", "request.pem"));
    VAULT_AUTO(pem_finish) struct pem request = pem_empty();
    VAULT_AUTO(pem_finish) struct pem certificate = pem_empty();
    pem_read(&request, "request.pem");
    return sign(buf_view(&request.text), "a", &certificate.text);
}

static void test_strong_keys_are_taken_and_others_are_not(void **state)
{
    (void)state;
    fresh_ca();
    const char *const pkeyopt = "-pkeyopt";
    assert_done(sign_key_of("RSA", pkeyopt, "rsa_keygen_bits:3072"));
    assert_done(sign_key_of("EC", pkeyopt, "ec_paramgen_curve:P-384"));
    assert_done(sign_key_of("ED25519", "-outform", "PEM"));
    assert_fails(VAULT_INVALID, sign_key_of("RSA", pkeyopt, "rsa_keygen_bits:2048"));
    assert_fails(VAULT_INVALID, sign_key_of("EC", pkeyopt, "ec_paramgen_curve:P-224"));
    assert_fails(VAULT_INVALID, sign_key_of("EC", pkeyopt, "ec_paramgen_curve:secp256k1"));
    assert_fails(VAULT_INVALID, sign_key_of("ED448", "-outform", "PEM"));
}

static void test_a_request_not_signed_by_its_own_key_is_refused(void **state)
{
    (void)state;
    fresh_ca();
    VAULT_AUTO(pem_finish) struct pem request = pem_empty();
    VAULT_AUTO(pem_finish) struct pem key = pem_empty();
    VAULT_AUTO(pem_finish) struct pem der = pem_empty();
    VAULT_AUTO(pem_finish) struct pem certificate = pem_empty();
    assert_done(x509_make_request("a", &request.text, &key.text, &test_error));
    pem_write(&request, "request.pem");
    assert_true(OPENSSL("req", "-in", "request.pem", "-outform", "DER", "-out", "request.der"));
    pem_read(&der, "request.der");
    der.text.data[der.text.size - 5] ^= 1; /* in the signature */
    pem_write(&der, "request.der");
    assert_true(OPENSSL("req", "-inform", "DER", "-in", "request.der", "-out", "request.pem"));
    pem_read(&request, "request.pem");
    assert_fails(VAULT_INVALID, sign(buf_view(&request.text), "a", &certificate.text));
    assert_int_equal(certificate.text.size, 0);
}

static void test_what_is_no_request_or_certificate_is_refused(void **state)
{
    (void)state;
    fresh_ca();
    VAULT_AUTO(pem_finish) struct pem certificate = pem_empty();
    static uint8_t large[X509_PEM_BYTES_MAX + 1];
    uint8_t spki[SHA256_BYTES];
    int64_t expires_s = 0;
    const struct bytes odd[] = {BYTES(""),
                                BYTES("MARKER"),
                                buf_view(&ca_certificate.text),
                                buf_view(&ca_key.text),
                                {large, sizeof large}};
    for (size_t i = 0; i < 5; i++) {
        assert_fails(VAULT_INVALID, sign(odd[i], "a", &certificate.text));
        assert_null(strstr(test_error.text, "MARKER"));
        if (i != 2)
            assert_fails(VAULT_INVALID, x509_read(odd[i], spki, &expires_s, &test_error));
    }
    assert_int_equal(certificate.text.size, 0);
}

static void test_a_ca_without_its_own_key_issues_nothing(void **state)
{
    (void)state;
    fresh_ca();
    VAULT_AUTO(pem_finish) struct pem request = pem_empty();
    VAULT_AUTO(pem_finish) struct pem key = pem_empty();
    VAULT_AUTO(pem_finish) struct pem certificate = pem_empty();
    uint8_t spki[SHA256_BYTES];
    assert_done(x509_make_request("a", &request.text, &key.text, &test_error));
    const struct x509_ca mixed[] = {{buf_view(&ca_certificate.text), buf_view(&key.text)},
                                    {buf_view(&ca_certificate.text), BYTES("")},
                                    {BYTES(""), buf_view(&ca_key.text)}};
    for (size_t i = 0; i < 3; i++) {
        assert_fails(VAULT_INVALID, x509_sign_client(&mixed[i], buf_view(&request.text), "a", year,
                                                     &certificate.text, spki, &test_error));
    }
}

static void test_two_certificates_have_two_serial_numbers(void **state)
{
    (void)state;
    fresh_ca();
    VAULT_AUTO(pem_finish) struct pem request = pem_empty();
    VAULT_AUTO(pem_finish) struct pem key = pem_empty();
    assert_done(x509_make_request("a", &request.text, &key.text, &test_error));
    char texts[2][256];
    for (size_t i = 0; i < 2; i++) {
        VAULT_AUTO(pem_finish) struct pem certificate = pem_empty();
        VAULT_AUTO(pem_finish) struct pem text = pem_empty();
        assert_done(sign(buf_view(&request.text), "a", &certificate.text));
        pem_write(&certificate, "client.pem");
        assert_true(OPENSSL("x509", "-in", "client.pem", "-noout", "-serial"));
        pem_read(&text, "said");
        snprintf(texts[i], sizeof texts[i], "%s", buf_string(&text.text));
        assert_int_equal(strlen(texts[i]), strlen("serial=\n") + 32);
    }
    assert_string_not_equal(texts[0], texts[1]);
}

int main(void)
{
    if (crypto_start(true, &test_error))
        return 1;
    const int failed =
        TEST_RUN(test_a_ca_issues_end_certificates_and_nothing_else,
                 test_a_client_certificate_is_for_clients_only,
                 test_what_a_request_asks_beyond_its_key_is_not_looked_at,
                 test_a_client_certificate_issues_nothing, test_the_spki_is_what_openssl_computes,
                 test_a_server_certificate_names_its_hosts, test_odd_hosts_are_refused,
                 test_names_and_periods_have_limits, test_strong_keys_are_taken_and_others_are_not,
                 test_a_request_not_signed_by_its_own_key_is_refused,
                 test_what_is_no_request_or_certificate_is_refused,
                 test_a_ca_without_its_own_key_issues_nothing,
                 test_two_certificates_have_two_serial_numbers);
    pem_finish(&ca_certificate);
    pem_finish(&ca_key);
    return failed;
}
