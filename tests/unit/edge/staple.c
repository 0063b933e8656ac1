#include "staple.h"

#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <time.h>

#include "vault/base/file.h"

/* A certificate (X509), or a key (EVP_PKEY). */
static void *read_pem(const char *path, bool is_key)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    void *read = is_key ? (void *)PEM_read_PrivateKey(file, NULL, NULL, NULL)
                        : (void *)PEM_read_X509(file, NULL, NULL, NULL);
    assert_non_null(read);
    assert_int_equal(fclose(file), 0);
    return read;
}

static void add_status(OCSP_BASICRESP *answers, OCSP_CERTID *whose, bool is_good, int64_t until_s)
{
    const time_t now = time(NULL);
    ASN1_TIME *from = ASN1_GENERALIZEDTIME_adj(NULL, now, -2, 0);
    ASN1_TIME *until = ASN1_GENERALIZEDTIME_set(NULL, (time_t)until_s);
    ASN1_TIME *revoked = ASN1_GENERALIZEDTIME_adj(NULL, now, -2, 0);
    assert_non_null(OCSP_basic_add1_status(
        answers, whose, is_good ? V_OCSP_CERTSTATUS_GOOD : V_OCSP_CERTSTATUS_REVOKED,
        OCSP_REVOKED_STATUS_KEYCOMPROMISE, is_good ? NULL : revoked, from, until));
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    ASN1_TIME_free(revoked);
}

static void write_answer(OCSP_BASICRESP *answers, const char *path)
{
    unsigned char *der = NULL;
    OCSP_RESPONSE *answer = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, answers);
    assert_non_null(answer);
    const int size = i2d_OCSP_RESPONSE(answer, &der);
    assert_true(size > 0);
    assert_done(file_replace(path, (struct bytes){der, (size_t)size}, 0600, &test_error));
    OPENSSL_free(der);
    OCSP_RESPONSE_free(answer);
}

void make_staple(const struct identity *ca, const struct identity *server, bool is_good,
                 int64_t until_s, char out[PATH_MAX])
{
    static int count;
    X509 *issuer = read_pem(ca->certificate, false);
    X509 *subject = read_pem(server->certificate, false);
    EVP_PKEY *key = read_pem(ca->key, true);
    OCSP_BASICRESP *answers = OCSP_BASICRESP_new();
    OCSP_CERTID *whose = OCSP_cert_to_id(EVP_sha1(), subject, issuer);
    add_status(answers, whose, is_good, until_s);
    assert_int_equal(OCSP_basic_sign(answers, issuer, key, EVP_sha256(), NULL, 0), 1);
    snprintf(out, PATH_MAX, "%.*s.%d.ocsp", PATH_MAX - 32, ca->certificate, count++);
    write_answer(answers, out);
    OCSP_CERTID_free(whose);
    OCSP_BASICRESP_free(answers);
    EVP_PKEY_free(key);
    X509_free(subject);
    X509_free(issuer);
}
