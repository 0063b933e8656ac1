/*
 * What TLS is made of: certificates that a client shows, as DER; and the files of a listener, as
 * PEM but for the last. The first byte says which: a client's certificate, the CA of the clients,
 * its list of revoked certificates, the server's own certificate, or an authority's answer about
 * that.
 *
 * Nobody gets in with a certificate that was invented: the CA's key is made anew each time. What is
 * read of one is the hash of its public key; a list of revoked certificates that this CA did not
 * sign is refused, and so is an answer about another certificate.
 */
/* GnuTLS leaks a certificate when a server's file cannot be read; such a file is read at a start or
 * a reload, and is the operator's own. */
#define FUZZ_LEAKS_ELSEWHERE "leak:gnutls_x509_crt_init\nleak:libtasn1\n"
#include "fuzz_tools.h"

#include <gnutls/gnutls.h>

#include "edge/tls_parts.h"
#include "vault/crypto/crypto.h"
#include "vault/crypto/x509.h"

#define NOW_S 1804500000

const gnutls_datum_t *__wrap_gnutls_certificate_get_peers(gnutls_session_t session,
                                                          unsigned *count);

static const char *const names[TLS_FILE_COUNT] = {"server.pem", "server.key", "ca.pem", "ca.crl",
                                                  "server.ocsp"};
static struct tls_credentials *credentials;
static struct buf texts[TLS_FILE_COUNT];
static gnutls_datum_t shown;

const gnutls_datum_t *__wrap_gnutls_certificate_get_peers(gnutls_session_t session, unsigned *count)
{
    (void)session;
    *count = 1;
    return &shown;
}

static void put_paths(char paths[TLS_FILE_COUNT][PATH_MAX])
{
    for (size_t i = 0; i < TLS_FILE_COUNT; i++) {
        paths[i][0] = 0;
        if (i < TLS_CRL)
            scratch_path(paths[i], names[i]);
    }
}

static void put_files(void)
{
    for (size_t i = 0; i < TLS_CRL; i++)
        scratch_put(names[i], buf_view(&texts[i]));
}

static void stop(void)
{
    tls_credentials_free(&credentials);
    for (size_t i = 0; i < TLS_FILE_COUNT; i++)
        buf_finish(&texts[i]);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static char paths[TLS_FILE_COUNT][PATH_MAX];
    static const char *const hosts[] = {"vault.example"};
    const struct x509_period period = {NOW_S, 397};
    VAULT_AUTO(buf_finish) struct buf ca_key = buf_limited(X509_PEM_BYTES_MAX);
    (void)argc;
    (void)argv;
    REQUIRE(crypto_start(true, NULL) == VAULT_OK);
    scratch_start();
    for (size_t i = 0; i < TLS_FILE_COUNT; i++)
        texts[i] = buf_limited(X509_PEM_BYTES_MAX);
    REQUIRE(x509_make_ca("clients", period, &texts[TLS_CLIENTS_CA], &ca_key, NULL) == VAULT_OK);
    const struct x509_ca ca = {buf_view(&texts[TLS_CLIENTS_CA]), buf_view(&ca_key)};
    REQUIRE(x509_make_server(&ca, hosts, 1, period, &texts[TLS_CERTIFICATE], &texts[TLS_KEY],
                             NULL) == VAULT_OK);
    put_files();
    put_paths(paths);
    REQUIRE(tls_credentials_read(paths, &credentials, NULL) == VAULT_OK);
    atexit(stop);
    return 0;
}

static void check_shown(struct bytes der)
{
    uint8_t spki[TLS_SPKI_BYTES];
    uint8_t again[TLS_SPKI_BYTES];
    int64_t expires_s = 0;
    shown = (gnutls_datum_t){(unsigned char *)(uintptr_t)der.data, (unsigned)der.size};
    const bool read = tls_read_peer(NULL, spki, &expires_s);
    bool unread = false;
    REQUIRE(!tls_credentials_accept(credentials, NULL, &unread));
    if (!read)
        return;
    REQUIRE(expires_s != -1);
    REQUIRE(tls_read_peer(NULL, again, &expires_s) && memcmp(spki, again, sizeof spki) == 0);
}

static void check_file(size_t which, struct bytes text)
{
    static char paths[TLS_FILE_COUNT][PATH_MAX];
    struct vault_error err = {.text = ""};
    VAULT_AUTO(tls_credentials_free) struct tls_credentials *read = NULL;
    put_paths(paths);
    scratch_path(paths[which], names[which]);
    scratch_put(names[which], text);
    const enum vault_code code = tls_credentials_read(paths, &read, &err);
    if (code)
        require_silent(&err);
    REQUIRE(code || which == TLS_CLIENTS_CA); /* the key's pair, and the CA's signature, are ours */
    if (which < TLS_CRL)
        scratch_put(names[which], buf_view(&texts[which]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum tls_file files[] = {TLS_CLIENTS_CA, TLS_CRL, TLS_CERTIFICATE, TLS_OCSP};
    static const size_t kinds = 1 + sizeof files / sizeof files[0];
    if (size < 2 || size > X509_PEM_BYTES_MAX)
        return 0;
    const struct bytes input = {data + 1, size - 1};
    if (data[0] % kinds == 0)
        check_shown(input);
    else
        check_file(files[data[0] % kinds - 1], input);
    return 0;
}
