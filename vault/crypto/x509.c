#include "vault/crypto/x509.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "vault/crypto/crypto.h"

#define SERIAL_BITS     128
#define CLOCK_SLACK_S   3600
#define SECONDS_PER_DAY 86400
#define RSA_BITS_MIN    3072 /* 128 bits of security (NIST SP 800-57 part 1, table 2) */
#define RSA_BITS_MAX    8192
#define GROUP_CHARS     64
#define HOST_CHARS_MAX  253
#define ALT_NAME_CHARS  (HOST_CHARS_MAX + 5UL) /* ",DNS:" */

static void bio_free(BIO **bio)
{
    BIO_free(*bio);
}

static void key_free(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void certificate_free(X509 **certificate)
{
    X509_free(*certificate);
}

static void request_free(X509_REQ **request)
{
    X509_REQ_free(*request);
}

static enum vault_code failed(struct vault_error *err, const char *operation)
{
    return crypto_fail(err, VAULT_INVALID, operation);
}

/* --- PEM ------------------------------------------------------------------------------------ */

static BIO *reader_of(struct bytes text)
{
    return text.size > X509_PEM_BYTES_MAX ? NULL : BIO_new_mem_buf(text.data, (int)text.size);
}

static enum vault_code take_text(BIO *bio, struct buf *out, struct vault_error *err)
{
    char *data = NULL;
    const long size = BIO_get_mem_data(bio, &data);
    if (size <= 0)
        return failed(err, "writing PEM");
    buf_append(out, data, (size_t)size);
    return buf_check(out, err);
}

static enum vault_code write_certificate(X509 *certificate, struct buf *out,
                                         struct vault_error *err)
{
    VAULT_AUTO(bio_free) BIO *bio = BIO_new(BIO_s_mem());
    if (!bio || PEM_write_bio_X509(bio, certificate) != 1)
        return failed(err, "writing a certificate");
    return take_text(bio, out, err);
}

static enum vault_code write_key(EVP_PKEY *key, struct buf *out, struct vault_error *err)
{
    VAULT_AUTO(bio_free) BIO *bio = BIO_new(BIO_s_secmem());
    if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
        return failed(err, "writing a key");
    return take_text(bio, out, err);
}

static enum vault_code read_certificate(struct bytes text, X509 **out, struct vault_error *err)
{
    VAULT_AUTO(bio_free) BIO *bio = reader_of(text);
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    if (!certificate)
        return failed(err, "reading a certificate");
    *out = certificate;
    return VAULT_OK;
}

/* --- Parts of a certificate ----------------------------------------------------------------- */

static bool set_serial(X509 *certificate)
{
    BIGNUM *number = BN_new();
    const bool set = number &&
                     BN_rand(number, SERIAL_BITS - 1, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
                     BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return set;
}

static bool set_period(X509 *certificate, struct x509_period period)
{
    const time_t from = (time_t)(period.now_s - CLOCK_SLACK_S);
    const time_t until = (time_t)(period.now_s + period.days * SECONDS_PER_DAY);
    return ASN1_TIME_set(X509_getm_notBefore(certificate), from) &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), until);
}

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    const bool added = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

/* What a certificate is for; NULL ends the list. */
struct use {
    int nid;
    const char *value;
};

static const struct use ca_uses[] = {
    {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
    {NID_key_usage, "critical,keyCertSign,cRLSign"},
    {NID_subject_key_identifier, "hash"},
    {0, NULL},
};

static const struct use server_uses[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature"},
    {NID_ext_key_usage, "serverAuth"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid"},
    {0, NULL},
};

static const struct use client_uses[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature"},
    {NID_ext_key_usage, "clientAuth"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid"},
    {0, NULL},
};

/* Who issues: a certificate and its key. For a CA of its own, the certificate itself. */
struct issuer {
    X509 *certificate;
    EVP_PKEY *key;
};

struct wanted {
    const char *name;
    EVP_PKEY *public_key;
    struct x509_period period;
    const struct use *uses;
    const char *alternative_names; /* NULL: none */
};

static bool fill(X509 *certificate, const struct issuer *issuer, const struct wanted *wanted)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    X509 *by = issuer->certificate ? issuer->certificate : certificate;
    bool done = X509_set_version(certificate, X509_VERSION_3) && set_serial(certificate) &&
                set_period(certificate, wanted->period) &&
                X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                           (const unsigned char *)wanted->name, -1, -1, 0) &&
                X509_set_issuer_name(certificate, X509_get_subject_name(by)) &&
                X509_set_pubkey(certificate, wanted->public_key);
    for (const struct use *use = wanted->uses; done && use->value; use++)
        done = add_extension(certificate, by, use->nid, use->value);
    if (done && wanted->alternative_names)
        done = add_extension(certificate, by, NID_subject_alt_name, wanted->alternative_names);
    return done;
}

static enum vault_code issue(const struct issuer *issuer, const struct wanted *wanted,
                             struct buf *out, struct vault_error *err)
{
    if (!wanted->name[0] || strlen(wanted->name) > X509_NAME_CHARS)
        return vault_fail(err, VAULT_INVALID, "a certificate's name has 1 to %d characters",
                          X509_NAME_CHARS);
    if (wanted->period.days < 1 || wanted->period.days > X509_DAYS_MAX)
        return vault_fail(err, VAULT_INVALID, "a certificate is valid for 1 to %d days",
                          X509_DAYS_MAX);
    VAULT_AUTO(certificate_free) X509 *certificate = X509_new();
    if (!certificate || !fill(certificate, issuer, wanted) ||
        X509_sign(certificate, issuer->key, EVP_sha256()) == 0)
        return failed(err, "issuing a certificate");
    return write_certificate(certificate, out, err);
}

static enum vault_code make_key(EVP_PKEY **out, struct vault_error *err)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    if (!key)
        return failed(err, "making a key");
    *out = key;
    return VAULT_OK;
}

static enum vault_code read_ca(const struct x509_ca *ca, struct issuer *out,
                               struct vault_error *err)
{
    VAULT_TRY(read_certificate(ca->certificate, &out->certificate, err));
    VAULT_AUTO(bio_free) BIO *bio = reader_of(ca->key);
    out->key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    if (!out->key || X509_check_private_key(out->certificate, out->key) != 1)
        return failed(err, "reading a CA's key");
    return VAULT_OK;
}

static void issuer_finish(struct issuer *issuer)
{
    X509_free(issuer->certificate);
    EVP_PKEY_free(issuer->key);
}

/* --- What is made --------------------------------------------------------------------------- */

enum vault_code x509_make_ca(const char *name, struct x509_period period, struct buf *certificate,
                             struct buf *key, struct vault_error *err)
{
    VAULT_AUTO(key_free) EVP_PKEY *pair = NULL;
    VAULT_TRY(make_key(&pair, err));
    const struct issuer itself = {.key = pair};
    const struct wanted wanted = {name, pair, period, ca_uses, NULL};
    VAULT_TRY(issue(&itself, &wanted, certificate, err));
    return write_key(pair, key, err);
}

static bool is_address(const char *host)
{
    uint8_t address[16];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* The names go through OpenSSL's configuration syntax, which a comma or more would break out of. */
static bool is_host_name(const char *host)
{
    return host[0] && strlen(host) <= HOST_CHARS_MAX &&
           strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") ==
               strlen(host);
}

/* "DNS:localhost,IP:127.0.0.1" */
static enum vault_code write_hosts(struct buf *out, const char *const hosts[], size_t count,
                                   struct vault_error *err)
{
    if (count == 0 || count > X509_HOSTS_MAX)
        return vault_fail(err, VAULT_INVALID, "a server has 1 to %d names", X509_HOSTS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!is_address(hosts[i]) && !is_host_name(hosts[i]))
            return vault_fail(err, VAULT_INVALID, "not a host name or an address");
        buf_format(out, "%s%s:%s", i ? "," : "", is_address(hosts[i]) ? "IP" : "DNS", hosts[i]);
    }
    return buf_check(out, err);
}

enum vault_code x509_make_server(const struct x509_ca *ca, const char *const hosts[], size_t count,
                                 struct x509_period period, struct buf *certificate,
                                 struct buf *key, struct vault_error *err)
{
    VAULT_AUTO(issuer_finish) struct issuer issuer = {0};
    VAULT_AUTO(key_free) EVP_PKEY *pair = NULL;
    VAULT_AUTO(buf_finish) struct buf names = buf_limited(X509_HOSTS_MAX * ALT_NAME_CHARS);
    VAULT_TRY(write_hosts(&names, hosts, count, err));
    VAULT_TRY(read_ca(ca, &issuer, err));
    VAULT_TRY(make_key(&pair, err));
    const char *alternative = buf_string(&names);
    if (!alternative)
        return buf_check(&names, err);
    const struct wanted wanted = {hosts[0], pair, period, server_uses, alternative};
    VAULT_TRY(issue(&issuer, &wanted, certificate, err));
    return write_key(pair, key, err);
}

static bool fill_request(X509_REQ *request, const char *name, EVP_PKEY *pair)
{
    return X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(request), NID_commonName,
                                      MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0) &&
           X509_REQ_set_pubkey(request, pair) && X509_REQ_sign(request, pair, EVP_sha256()) > 0;
}

enum vault_code x509_make_request(const char *name, struct buf *request, struct buf *key,
                                  struct vault_error *err)
{
    VAULT_AUTO(key_free) EVP_PKEY *pair = NULL;
    VAULT_AUTO(request_free) X509_REQ *made = X509_REQ_new();
    VAULT_AUTO(bio_free) BIO *bio = BIO_new(BIO_s_mem());
    VAULT_TRY(make_key(&pair, err));
    if (!made || !bio || !fill_request(made, name, pair) || PEM_write_bio_X509_REQ(bio, made) != 1)
        return failed(err, "making a certificate request");
    VAULT_TRY(take_text(bio, request, err));
    return write_key(pair, key, err);
}

/* One of the curves that everybody has; a curve made up for the request is none. */
static bool curve_is_known(const EVP_PKEY *key)
{
    static const char *const known[] = {"prime256v1", "secp384r1", "secp521r1"};
    char group[GROUP_CHARS];
    size_t size = 0;
    if (EVP_PKEY_get_group_name(key, group, sizeof group, &size) != 1)
        return false;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(group, known[i]) == 0)
            return true;
    }
    return false;
}

static bool key_is_strong(const EVP_PKEY *key)
{
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_ED25519:
        return true;
    case EVP_PKEY_EC:
        return curve_is_known(key);
    case EVP_PKEY_RSA:
        return EVP_PKEY_get_bits(key) >= RSA_BITS_MIN && EVP_PKEY_get_bits(key) <= RSA_BITS_MAX;
    default:
        return false;
    }
}

static enum vault_code spki_of(const X509 *certificate, uint8_t out[SHA256_BYTES],
                               struct vault_error *err)
{
    unsigned char *der = NULL;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (size <= 0)
        return failed(err, "reading a public key");
    sha256_of(out, (struct bytes){der, (size_t)size});
    OPENSSL_free(der);
    return VAULT_OK;
}

enum vault_code x509_sign_client(const struct x509_ca *ca, struct bytes request, const char *name,
                                 struct x509_period period, struct buf *certificate,
                                 uint8_t spki[SHA256_BYTES], struct vault_error *err)
{
    VAULT_AUTO(issuer_finish) struct issuer issuer = {0};
    VAULT_AUTO(bio_free) BIO *bio = reader_of(request);
    VAULT_AUTO(request_free)
    X509_REQ *asked = bio ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;
    EVP_PKEY *key = asked ? X509_REQ_get0_pubkey(asked) : NULL;
    int64_t expires_s;
    if (!key || X509_REQ_verify(asked, key) != 1)
        return failed(err, "reading the certificate request");
    if (!key_is_strong(key))
        return vault_fail(err, VAULT_INVALID,
                          "the request's key is of no kind that is taken: P-256, P-384, P-521, "
                          "Ed25519, or RSA of %d to %d bits",
                          RSA_BITS_MIN, RSA_BITS_MAX);
    VAULT_TRY(read_ca(ca, &issuer, err));
    const struct wanted wanted = {name, key, period, client_uses, NULL};
    const size_t before = certificate->size;
    VAULT_TRY(issue(&issuer, &wanted, certificate, err));
    return x509_read((struct bytes){certificate->data + before, certificate->size - before}, spki,
                     &expires_s, err);
}

enum vault_code x509_read(struct bytes certificate, uint8_t spki[SHA256_BYTES], int64_t *expires_s,
                          struct vault_error *err)
{
    VAULT_AUTO(certificate_free) X509 *read = NULL;
    struct tm until;
    VAULT_TRY(read_certificate(certificate, &read, err));
    if (ASN1_TIME_to_tm(X509_get0_notAfter(read), &until) != 1)
        return failed(err, "reading a certificate's period");
    VAULT_TRY(spki_of(read, spki, err));
    *expires_s = timegm(&until);
    return VAULT_OK;
}
