/*
 * Certificates and requests for them. The first byte says what the rest is, and whether as PEM or
 * as DER to be put into PEM.
 *
 * Whatever a request asks for, what is signed is a client's certificate of the CA's name for it,
 * with the request's key and no more; and it is read back as such.
 */
#include "fuzz_tools.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "vault/base/codec.h"
#include "vault/crypto/crypto.h"
#include "vault/crypto/x509.h"

#define NOW_S      1804500000
#define DAYS       397
#define NAME       "employment-plan"
#define EXTENSIONS 5

static const struct x509_period period = {NOW_S, DAYS};
static struct buf ca_certificate;
static struct buf ca_key;

static void forget_ca(void)
{
    buf_finish(&ca_certificate);
    buf_finish(&ca_key);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    ca_certificate = buf_limited(X509_PEM_BYTES_MAX);
    ca_key = buf_limited(X509_PEM_BYTES_MAX);
    REQUIRE(crypto_start(true, NULL) == VAULT_OK);
    REQUIRE(x509_make_ca("services", period, &ca_certificate, &ca_key, NULL) == VAULT_OK);
    atexit(forget_ca);
    return 0;
}

static void write_pem(struct buf *out, const char *what, struct bytes der)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(4 * X509_PEM_BYTES_MAX);
    base64_encode(&text, der);
    buf_format(out, "-----BEGIN %s-----\n", what);
    for (size_t at = 0; at < text.size; at += 64) {
        const size_t left = text.size - at;
        buf_append(out, text.data + at, left < 64 ? left : 64);
        buf_byte(out, '\n');
    }
    buf_format(out, "-----END %s-----\n", what);
}

static void read_one(struct bytes pem)
{
    struct vault_error err = {.text = ""};
    uint8_t spki[SHA256_BYTES];
    int64_t expires_s = 0;
    if (x509_read(pem, spki, &expires_s, &err) != VAULT_OK)
        require_silent(&err);
}

static void require_ours(struct bytes pem)
{
    char name[128] = "";
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.size);
    BIO *ca_bio = BIO_new_mem_buf(ca_certificate.data, (int)ca_certificate.size);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    X509 *ca = PEM_read_bio_X509(ca_bio, NULL, NULL, NULL);
    REQUIRE(certificate && ca);
    REQUIRE(X509_verify(certificate, X509_get0_pubkey(ca)) == 1);
    REQUIRE(X509_check_ca(certificate) == 0);
    REQUIRE(X509_get_ext_count(certificate) == EXTENSIONS);
    REQUIRE(X509_get_extended_key_usage(certificate) == XKU_SSL_CLIENT);
    REQUIRE(X509_NAME_entry_count(X509_get_subject_name(certificate)) == 1);
    REQUIRE(X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                                      sizeof name) > 0);
    REQUIRE(strcmp(name, NAME) == 0);
    X509_free(certificate);
    X509_free(ca);
    BIO_free(bio);
    BIO_free(ca_bio);
}

static void sign_one(struct bytes pem)
{
    const struct x509_ca ca = {buf_view(&ca_certificate), buf_view(&ca_key)};
    struct vault_error err = {.text = ""};
    uint8_t spki[SHA256_BYTES];
    uint8_t same[SHA256_BYTES];
    int64_t expires_s = 0;
    VAULT_AUTO(buf_finish) struct buf certificate = buf_limited(X509_PEM_BYTES_MAX);
    if (x509_sign_client(&ca, pem, NAME, period, &certificate, spki, &err) != VAULT_OK) {
        require_silent(&err);
        return;
    }
    REQUIRE(x509_read(buf_view(&certificate), same, &expires_s, NULL) == VAULT_OK);
    REQUIRE(memcmp(same, spki, sizeof spki) == 0);
    REQUIRE(expires_s == NOW_S + DAYS * INT64_C(86400));
    require_ours(buf_view(&certificate));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > X509_PEM_BYTES_MAX)
        return 0;
    const struct bytes input = {data + 1, size - 1};
    const bool is_request = data[0] & 1;
    VAULT_AUTO(buf_finish) struct buf pem = buf_limited(4 * X509_PEM_BYTES_MAX);
    if (data[0] & 2)
        buf_bytes(&pem, input);
    else
        write_pem(&pem, is_request ? "CERTIFICATE REQUEST" : "CERTIFICATE", input);
    if (is_request)
        sign_one(buf_view(&pem));
    else
        read_one(buf_view(&pem));
    return 0;
}
