#include "vault/crypto/timestamp.h"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <openssl/x509_vfy.h>
#include <time.h>

#include "vault/crypto/crypto.h"
#include "vault/crypto/hash.h"

#define NONCE_BITS 64

static void request_free(TS_REQ **request)
{
    TS_REQ_free(*request);
}

static void response_free(TS_RESP **response)
{
    TS_RESP_free(*response);
}

static void context_free(TS_VERIFY_CTX **context)
{
    TS_VERIFY_CTX_free(*context);
}

static void imprint_free(TS_MSG_IMPRINT **imprint)
{
    TS_MSG_IMPRINT_free(*imprint);
}

static void algorithm_free(X509_ALGOR **algorithm)
{
    X509_ALGOR_free(*algorithm);
}

static void number_free(BIGNUM **number)
{
    BN_free(*number);
}

static void integer_free(ASN1_INTEGER **integer)
{
    ASN1_INTEGER_free(*integer);
}

static enum vault_code failed(struct vault_error *err, const char *operation)
{
    return crypto_fail(err, VAULT_NO_MEMORY, operation);
}

static enum vault_code set_imprint(TS_REQ *request, struct bytes text, struct vault_error *err)
{
    uint8_t hash[SHA256_BYTES];
    VAULT_AUTO(imprint_free) TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
    VAULT_AUTO(algorithm_free) X509_ALGOR *algorithm = X509_ALGOR_new();
    sha256_of(hash, text);
    if (!imprint || !algorithm ||
        !X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) ||
        !TS_MSG_IMPRINT_set_algo(imprint, algorithm) ||
        !TS_MSG_IMPRINT_set_msg(imprint, hash, sizeof hash) ||
        !TS_REQ_set_msg_imprint(request, imprint))
        return failed(err, "making a time stamp request");
    return VAULT_OK;
}

static enum vault_code set_nonce(TS_REQ *request, struct vault_error *err)
{
    VAULT_AUTO(number_free) BIGNUM *number = BN_new();
    if (!number || !BN_rand(number, NONCE_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY))
        return failed(err, "making a nonce");
    VAULT_AUTO(integer_free) ASN1_INTEGER *nonce = BN_to_ASN1_INTEGER(number, NULL);
    if (!nonce || !TS_REQ_set_nonce(request, nonce))
        return failed(err, "making a nonce");
    return VAULT_OK;
}

enum vault_code timestamp_request(struct bytes text, struct buf *out, struct vault_error *err)
{
    VAULT_AUTO(request_free) TS_REQ *request = TS_REQ_new();
    if (!request || !TS_REQ_set_version(request, 1) || !TS_REQ_set_cert_req(request, 1))
        return failed(err, "making a time stamp request");
    VAULT_TRY(set_imprint(request, text, err));
    VAULT_TRY(set_nonce(request, err));
    const int size = i2d_TS_REQ(request, NULL);
    uint8_t *place = size > 0 ? buf_extend(out, (size_t)size) : NULL;
    if (size > 0)
        VAULT_TRY(buf_check(out, err));
    if (!place || i2d_TS_REQ(request, &place) != size)
        return failed(err, "writing a time stamp request");
    return VAULT_OK;
}

/* The time in the token. */
static bool read_time(TS_RESP *response, int64_t *out)
{
    struct tm parts = {0};
    TS_TST_INFO *info = TS_RESP_get_tst_info(response);
    if (!info || !ASN1_TIME_to_tm(TS_TST_INFO_get_time(info), &parts))
        return false;
    *out = timegm(&parts);
    return true;
}

static enum vault_code make_context(TS_REQ *request, const char *ca_path, TS_VERIFY_CTX **out,
                                    struct vault_error *err)
{
    VAULT_AUTO(context_free) TS_VERIFY_CTX *context = TS_REQ_to_TS_VERIFY_CTX(request, NULL);
    X509_STORE *store = X509_STORE_new();
    if (!context || !store) {
        X509_STORE_free(store);
        return failed(err, "checking a time stamp");
    }
    TS_VERIFY_CTX_set_store(context, store); /* which now has it */
    if (!X509_STORE_load_file(store, ca_path))
        return crypto_fail(err, VAULT_NOT_FOUND, "reading the time stamp authority's certificates");
    TS_VERIFY_CTX_add_flags(context, TS_VFY_SIGNATURE);
    *out = VAULT_TAKE(context);
    return VAULT_OK;
}

enum vault_code timestamp_check(struct bytes answer, struct bytes request, const char *ca_path,
                                int64_t *time_s, struct vault_error *err)
{
    const uint8_t *at = request.data;
    const uint8_t *answer_at = answer.data;
    int64_t stamped_s = 0;
    VAULT_AUTO(request_free) TS_REQ *asked = d2i_TS_REQ(NULL, &at, (long)request.size);
    VAULT_AUTO(response_free) TS_RESP *response = d2i_TS_RESP(NULL, &answer_at, (long)answer.size);
    VAULT_AUTO(context_free) TS_VERIFY_CTX *context = NULL;
    if (!asked || !response || answer_at != answer.data + answer.size)
        return crypto_fail(err, VAULT_DENIED, "reading a time stamp");
    VAULT_TRY(make_context(asked, ca_path, &context, err));
    if (!TS_RESP_verify_response(context, response) || !read_time(response, &stamped_s))
        return crypto_fail(err, VAULT_DENIED, "verifying a time stamp");
    *time_s = stamped_s;
    return VAULT_OK;
}
