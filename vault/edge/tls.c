#include "vault/edge/tls.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdlib.h>

#include "vault/base/buf.h"
#include "vault/base/file.h"
#include "vault/crypto/hash.h"

#define PEM_BYTES_MAX (256U * 1024)

struct tls {
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priorities; /* parsed once: it costs more than a session's set-up */
    struct buf certificate_pem;
    struct buf key_pem;
    bool asks_for_certificate;
};

static enum vault_code gnutls_failed(struct vault_error *err, int result, const char *what)
{
    return vault_fail(err, result == GNUTLS_E_MEMORY_ERROR ? VAULT_NO_MEMORY : VAULT_INVALID,
                      "%s: %s", what, gnutls_strerror(result));
}

static gnutls_datum_t datum_of(struct buf *pem)
{
    /* GnuTLS has no const here, and changes nothing. */
    return (gnutls_datum_t){.data = pem->data, .size = (unsigned)pem->size};
}

static enum vault_code read_pair(struct tls *tls, const char *certificate_path,
                                 const char *key_path, struct vault_error *err)
{
    VAULT_TRY(file_read(certificate_path, &tls->certificate_pem, err));
    VAULT_TRY(file_read(key_path, &tls->key_pem, err));
    const gnutls_datum_t certificate = datum_of(&tls->certificate_pem);
    const gnutls_datum_t key = datum_of(&tls->key_pem);
    const int result = gnutls_certificate_set_x509_key_mem2(tls->credentials, &certificate, &key,
                                                            GNUTLS_X509_FMT_PEM, NULL, 0);
    if (result < 0) {
        gnutls_failed(err, result, "the server's certificate and key");
        vault_error_context(err, "%s, %s", certificate_path, key_path);
        return VAULT_INVALID;
    }
    /* The library takes them as C strings. */
    if (!buf_string(&tls->certificate_pem) || !buf_string(&tls->key_pem))
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    return VAULT_OK;
}

static enum vault_code read_ca(struct tls *tls, const char *path, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf pem = buf_limited(PEM_BYTES_MAX);
    VAULT_TRY(file_read(path, &pem, err));
    const gnutls_datum_t ca = datum_of(&pem);
    const int result =
        gnutls_certificate_set_x509_trust_mem(tls->credentials, &ca, GNUTLS_X509_FMT_PEM);
    if (result < 1)
        return vault_fail(err, VAULT_INVALID, "%s holds no CA certificate", path);
    tls->asks_for_certificate = true;
    return VAULT_OK;
}

enum vault_code tls_open(const char *certificate_path, const char *key_path,
                         const char *client_ca_path, struct tls **out, struct vault_error *err)
{
    VAULT_AUTO(tls_close) struct tls *tls = calloc(1, sizeof *tls);
    if (!tls)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    tls->certificate_pem = buf_limited(PEM_BYTES_MAX);
    tls->key_pem = buf_limited(PEM_BYTES_MAX);
    int result = gnutls_certificate_allocate_credentials(&tls->credentials);
    if (result >= 0)
        result = gnutls_priority_init2(&tls->priorities, TLS_PRIORITIES, NULL, 0);
    if (result < 0)
        return gnutls_failed(err, result, "TLS credentials");
    VAULT_TRY(read_pair(tls, certificate_path, key_path, err));
    if (client_ca_path)
        VAULT_TRY(read_ca(tls, client_ca_path, err));
    *out = VAULT_TAKE(tls);
    return VAULT_OK;
}

void tls_close(struct tls **tls)
{
    if (*tls) {
        if ((*tls)->credentials)
            gnutls_certificate_free_credentials((*tls)->credentials);
        if ((*tls)->priorities)
            gnutls_priority_deinit((*tls)->priorities);
        buf_finish(&(*tls)->certificate_pem);
        buf_finish(&(*tls)->key_pem);
        free(*tls);
    }
    *tls = NULL;
}

/*
 * Both the return code and the status count, and the purpose must be asked for: a certificate of
 * our own CA for a server passes otherwise. Any number but 0 ends the handshake.
 */
static int verify_client(gnutls_session_t session)
{
    char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
    gnutls_typed_vdata_st wanted = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                    .data = (unsigned char *)purpose};
    unsigned status = ~0U;
    const int result = gnutls_certificate_verify_peers(session, &wanted, 1, &status);
    return result == GNUTLS_E_SUCCESS && status == 0 ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

enum vault_code tls_prepare(const struct tls *tls, gnutls_session_t session,
                            struct vault_error *err)
{
    int result = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, tls->credentials);
    if (result == GNUTLS_E_SUCCESS)
        result = gnutls_priority_set(session, tls->priorities);
    if (result != GNUTLS_E_SUCCESS)
        return gnutls_failed(err, result, "preparing a TLS session");
    if (tls->asks_for_certificate) {
        gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
        gnutls_session_set_verify_function(session, verify_client);
    } else {
        gnutls_certificate_server_set_request(session, GNUTLS_CERT_IGNORE);
    }
    return VAULT_OK;
}

static bool spki_of(gnutls_x509_crt_t certificate, uint8_t out[32])
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

bool tls_peer_spki(gnutls_session_t session, uint8_t out[32])
{
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
    gnutls_x509_crt_t certificate;
    if (!chain || count == 0 || gnutls_x509_crt_init(&certificate) < 0)
        return false;
    const bool found = gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER) >= 0 &&
                       spki_of(certificate, out);
    gnutls_x509_crt_deinit(certificate);
    return found;
}

const char *tls_certificate_pem(const struct tls *tls)
{
    return (const char *)tls->certificate_pem.data;
}

const char *tls_key_pem(const struct tls *tls)
{
    return (const char *)tls->key_pem.data;
}
