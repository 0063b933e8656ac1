#include <gnutls/abstract.h>
#include <gnutls/ocsp.h>
#include <gnutls/x509.h>
#include <limits.h>
#include <stdlib.h>

#include "tls_parts.h"
#include "vault/base/file.h"

#define PEM_BYTES_MAX  (256U * 1024)
#define CRL_BYTES_MAX  (4U * 1024 * 1024)
#define OCSP_BYTES_MAX (64U * 1024)
#define CHAIN_MAX      8 /* certificates that a client may show */

enum vault_code tls_failed(struct vault_error *err, int result, const char *what)
{
    return vault_fail(err, result == GNUTLS_E_MEMORY_ERROR ? VAULT_NO_MEMORY : VAULT_INVALID,
                      "%s: %s", what, gnutls_strerror(result));
}

gnutls_typed_vdata_st tls_client_purpose(void)
{
    static char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT; /* which the library does not change */
    return (gnutls_typed_vdata_st){.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                   .data = (unsigned char *)purpose};
}

static gnutls_datum_t datum_of(struct buf *pem)
{
    /* GnuTLS has no const here, and changes nothing. */
    return (gnutls_datum_t){.data = pem->data, .size = (unsigned)pem->size};
}

/* --- Reading -------------------------------------------------------------------------------- */

static enum vault_code take_pair(struct tls_credentials *credentials, struct vault_error *err)
{
    const gnutls_datum_t certificate = datum_of(&credentials->texts[TLS_CERTIFICATE]);
    const gnutls_datum_t key = datum_of(&credentials->texts[TLS_KEY]);
    const int result = gnutls_certificate_set_x509_key_mem2(credentials->credentials, &certificate,
                                                            &key, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (result < 0)
        return tls_failed(err, result, "the server's certificate and key");
    /* The library takes them as C strings. */
    if (!buf_string(&credentials->texts[TLS_CERTIFICATE]) ||
        !buf_string(&credentials->texts[TLS_KEY]))
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    return VAULT_OK;
}

static enum vault_code take_ca(struct tls_credentials *credentials, struct vault_error *err)
{
    const gnutls_datum_t ca = datum_of(&credentials->texts[TLS_CLIENTS_CA]);
    const int result =
        gnutls_certificate_set_x509_trust_mem(credentials->credentials, &ca, GNUTLS_X509_FMT_PEM);
    if (result < 1)
        return vault_fail(err, VAULT_INVALID, "there is no CA certificate in it");
    credentials->asks_for_certificate = true;
    return VAULT_OK;
}

/* Several lists, or several CA certificates, as the library hands them out. */
struct crls {
    gnutls_x509_crl_t *all;
    unsigned count;
};

static void crls_finish(struct crls *crls)
{
    for (unsigned i = 0; i < crls->count; i++)
        gnutls_x509_crl_deinit(crls->all[i]);
    gnutls_free(crls->all);
    *crls = (struct crls){0};
}

static enum vault_code read_crls(struct buf *text, struct crls *out, struct vault_error *err)
{
    const gnutls_datum_t pem = datum_of(text);
    const int result =
        gnutls_x509_crl_list_import2(&out->all, &out->count, &pem, GNUTLS_X509_FMT_PEM, 0);
    if (result < 0 || out->count == 0)
        return vault_fail(err, VAULT_INVALID, "there is no list of revoked certificates in it");
    return VAULT_OK;
}

static int64_t first_end(const struct crls *crls)
{
    int64_t first = INT64_MAX;
    for (unsigned i = 0; i < crls->count; i++) {
        const int64_t end = gnutls_x509_crl_get_next_update(crls->all[i]);
        if (end != -1 && end < first)
            first = end;
    }
    return first;
}

/* Whether each list is signed by the CA: anybody else's would revoke nothing, and nobody would
 * know. */
static bool crls_are_of(const struct crls *crls, struct buf *ca_text)
{
    const gnutls_datum_t pem = datum_of(ca_text);
    gnutls_x509_crt_t *cas = NULL;
    unsigned ca_count = 0;
    if (gnutls_x509_crt_list_import2(&cas, &ca_count, &pem, GNUTLS_X509_FMT_PEM, 0) < 0)
        return false;
    bool all = true;
    for (unsigned i = 0; i < crls->count; i++) {
        unsigned status = ~0U;
        const int result = gnutls_x509_crl_verify(crls->all[i], cas, ca_count, 0, &status);
        if (status & GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED) /* which is another matter: its end */
            status &= ~(unsigned)(GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED | GNUTLS_CERT_INVALID);
        all = all && result >= 0 && status == 0;
    }
    for (unsigned i = 0; i < ca_count; i++)
        gnutls_x509_crt_deinit(cas[i]);
    gnutls_free(cas);
    return all;
}

static enum vault_code take_crl(struct tls_credentials *credentials, struct vault_error *err)
{
    struct buf *text = &credentials->texts[TLS_CRL];
    const gnutls_datum_t pem = datum_of(text);
    VAULT_AUTO(crls_finish) struct crls crls = {0};
    VAULT_TRY(read_crls(text, &crls, err));
    if (!credentials->asks_for_certificate)
        return vault_fail(err, VAULT_INVALID, "no certificates are asked for that it could revoke");
    if (!crls_are_of(&crls, &credentials->texts[TLS_CLIENTS_CA]))
        return vault_fail(err, VAULT_INVALID, "it is not signed by the CA of the clients");
    credentials->crl_end_s = first_end(&crls);
    const int result =
        gnutls_certificate_set_x509_crl_mem(credentials->credentials, &pem, GNUTLS_X509_FMT_PEM);
    return result < 1 ? tls_failed(err, result, "the list cannot be used") : VAULT_OK;
}

static void response_finish(gnutls_ocsp_resp_t *response)
{
    if (*response)
        gnutls_ocsp_resp_deinit(*response);
}

/* What the authority says: that the certificate is good, and until when. Whether it is about this
 * one, the library looks. */
static enum vault_code read_response(const gnutls_datum_t *der, int64_t *end_s,
                                     struct vault_error *err)
{
    VAULT_AUTO(response_finish) gnutls_ocsp_resp_t response = NULL;
    unsigned status = GNUTLS_OCSP_CERT_UNKNOWN;
    time_t end = -1;
    int result = gnutls_ocsp_resp_init(&response);
    if (result >= 0)
        result = gnutls_ocsp_resp_import(response, der);
    if (result >= 0)
        result = gnutls_ocsp_resp_get_single(response, 0, NULL, NULL, NULL, NULL, &status, NULL,
                                             &end, NULL, NULL);
    if (result < 0)
        return tls_failed(err, result, "there is no answer of an authority (OCSP, DER) in it");
    if (status != GNUTLS_OCSP_CERT_GOOD)
        return vault_fail(err, VAULT_INVALID,
                          "the authority does not say that the server's certificate is good");
    *end_s = end == -1 ? INT64_MAX : end;
    return VAULT_OK;
}

/* One that is over is none: it keeps nobody out, and is not shown (which the library sees to also
 * when the end comes later). */
static enum vault_code take_ocsp(struct tls_credentials *credentials, struct vault_error *err)
{
    const gnutls_datum_t der = datum_of(&credentials->texts[TLS_OCSP]);
    VAULT_TRY(read_response(&der, &credentials->ocsp_end_s, err));
    const int result = gnutls_certificate_set_ocsp_status_request_mem(credentials->credentials,
                                                                      &der, 0, GNUTLS_X509_FMT_DER);
    if (result == GNUTLS_E_EXPIRED)
        credentials->ocsp_end_s = 0;
    else if (result < 0)
        return tls_failed(err, result, "the answer is not about the server's certificate");
    return VAULT_OK;
}

static const struct {
    size_t bytes_max;
    enum vault_code (*take)(struct tls_credentials *credentials, struct vault_error *err);
} kinds[TLS_FILE_COUNT] = {
    [TLS_CERTIFICATE] = {PEM_BYTES_MAX, NULL}, /* taken with its key */
    [TLS_KEY] = {PEM_BYTES_MAX, take_pair},    [TLS_CLIENTS_CA] = {PEM_BYTES_MAX, take_ca},
    [TLS_CRL] = {CRL_BYTES_MAX, take_crl},     [TLS_OCSP] = {OCSP_BYTES_MAX, take_ocsp},
};

static enum vault_code read_files(struct tls_credentials *credentials,
                                  char paths[TLS_FILE_COUNT][PATH_MAX], struct vault_error *err)
{
    uint8_t digests[TLS_FILE_COUNT][SHA256_BYTES];
    for (size_t i = 0; i < TLS_FILE_COUNT; i++) {
        struct buf *text = &credentials->texts[i];
        *text = buf_limited(kinds[i].bytes_max);
        if (paths[i][0])
            VAULT_TRY(file_read(paths[i], text, err));
        sha256_of(digests[i], buf_view(text));
        if (!paths[i][0] || !kinds[i].take)
            continue;
        const enum vault_code code = kinds[i].take(credentials, err);
        if (code) {
            vault_error_context(err, "%s%s%s", i == TLS_KEY ? paths[TLS_CERTIFICATE] : "",
                                i == TLS_KEY ? ", " : "", paths[i]);
            return code;
        }
    }
    sha256_of(credentials->digest, (struct bytes){digests[0], sizeof digests});
    return VAULT_OK;
}

enum vault_code tls_credentials_read(char paths[TLS_FILE_COUNT][PATH_MAX],
                                     struct tls_credentials **out, struct vault_error *err)
{
    VAULT_AUTO(tls_credentials_free)
    struct tls_credentials *credentials = calloc(1, sizeof *credentials);
    if (!credentials)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    atomic_init(&credentials->holders, 1);
    credentials->crl_end_s = INT64_MAX;
    credentials->ocsp_end_s = INT64_MAX;
    int result = gnutls_certificate_allocate_credentials(&credentials->credentials);
    if (result >= 0)
        result = gnutls_priority_init2(&credentials->priorities, TLS_PRIORITIES, NULL, 0);
    if (result < 0)
        return tls_failed(err, result, "TLS credentials");
    VAULT_TRY(read_files(credentials, paths, err));
    *out = VAULT_TAKE(credentials);
    return VAULT_OK;
}

void tls_credentials_free(struct tls_credentials **credentials)
{
    struct tls_credentials *gone = VAULT_TAKE(*credentials);
    if (!gone)
        return;
    if (gone->credentials)
        gnutls_certificate_free_credentials(gone->credentials);
    if (gone->priorities)
        gnutls_priority_deinit(gone->priorities);
    for (size_t i = 0; i < TLS_FILE_COUNT; i++)
        buf_finish(&gone->texts[i]);
    free(gone);
}

enum vault_code tls_crl_end(const char *path, int64_t *end_s, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CRL_BYTES_MAX);
    VAULT_AUTO(crls_finish) struct crls crls = {0};
    VAULT_TRY(file_read(path, &text, err));
    VAULT_TRY(read_crls(&text, &crls, err));
    *end_s = first_end(&crls);
    return VAULT_OK;
}

/* --- Who is at the other end ---------------------------------------------------------------- */

static bool spki_of(gnutls_x509_crt_t certificate, uint8_t out[TLS_SPKI_BYTES])
{
    gnutls_pubkey_t key;
    if (gnutls_pubkey_init(&key) < 0)
        return false;
    gnutls_datum_t der = {0};
    const bool exported = gnutls_pubkey_import_x509(key, certificate, 0) >= 0 &&
                          gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &der) >= 0;
    if (exported) {
        sha256_of(out, (struct bytes){der.data, der.size});
        gnutls_free(der.data);
    }
    gnutls_pubkey_deinit(key);
    return exported;
}

struct chain {
    gnutls_x509_crt_t certificates[CHAIN_MAX];
    unsigned count;
};

static void chain_finish(struct chain *chain)
{
    while (chain->count)
        gnutls_x509_crt_deinit(chain->certificates[--chain->count]);
}

/* False if there is none, or it cannot be read. */
static bool read_chain(gnutls_session_t session, struct chain *out)
{
    unsigned count = 0;
    const gnutls_datum_t *shown = gnutls_certificate_get_peers(session, &count);
    if (!shown || count == 0 || count > CHAIN_MAX)
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (gnutls_x509_crt_init(&out->certificates[i]) < 0)
            return false;
        out->count = i + 1;
        if (gnutls_x509_crt_import(out->certificates[i], &shown[i], GNUTLS_X509_FMT_DER) < 0)
            return false;
    }
    return true;
}

bool tls_read_peer(gnutls_session_t session, uint8_t spki[TLS_SPKI_BYTES], int64_t *expires_s)
{
    VAULT_AUTO(chain_finish) struct chain chain = {.count = 0};
    if (!read_chain(session, &chain) || !spki_of(chain.certificates[0], spki))
        return false;
    *expires_s = gnutls_x509_crt_get_expiration_time(chain.certificates[0]);
    return *expires_s != -1;
}

bool tls_credentials_accept(const struct tls_credentials *credentials, gnutls_session_t session,
                            bool *unread)
{
    gnutls_typed_vdata_st wanted = tls_client_purpose();
    gnutls_x509_trust_list_t trusted;
    unsigned status = ~0U;
    VAULT_AUTO(chain_finish) struct chain chain = {.count = 0};
    *unread = !read_chain(session, &chain);
    if (*unread)
        return false;
    gnutls_certificate_get_trust_list(credentials->credentials, &trusted);
    const int result = gnutls_x509_trust_list_verify_crt2(trusted, chain.certificates, chain.count,
                                                          &wanted, 1, 0, &status, NULL);
    *unread = result != GNUTLS_E_SUCCESS;
    return !*unread && status == 0;
}
