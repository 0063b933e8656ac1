/* Certificates can be read, go with their keys, and do not end soon. */
#include <string.h>
#include <unistd.h>

#include "doctor_parts.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"
#include "vault/crypto/x509.h"
#include "vault/edge/tls.h"

#define SOON_S      (30 * (int64_t)86400)
#define CRL_SOON_S  (2 * (int64_t)86400)
#define OCSP_SOON_S ((int64_t)86400)

/* Whether it can be read at all. */
static bool check_end(const char *path, const char *what, const struct doctor *doctor,
                      const struct checkup *out)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(X509_PEM_BYTES_MAX);
    uint8_t spki[SHA256_BYTES];
    int64_t expires_s = 0;
    struct vault_error err;
    char when[INSTANT_CHARS + 1];
    enum vault_code code = file_read(path, &text, &err);
    if (code == VAULT_OK)
        code = x509_read(buf_view(&text), spki, &expires_s, &err);
    if (code) {
        checkup_tell(out, CHECKUP_ERROR, "%s, %s: %s", path, what, err.text);
        return false;
    }
    instant_format(when, expires_s);
    if (expires_s <= doctor->now_s)
        checkup_tell(out, CHECKUP_ERROR,
                     "%s, %s, has ended on %s: put a new one in its place: vaultctl reload", path,
                     what, when);
    else if (expires_s <= doctor->now_s + SOON_S)
        checkup_tell(out, CHECKUP_WARNING,
                     "%s, %s, ends on %s: put a new one in its place: vaultctl reload", path, what,
                     when);
    return true;
}

/* The certificate goes with its key, as the listener will find. */
static void check_pair(const struct config_listener *listener, const struct checkup *out)
{
    struct tls *tls = NULL;
    struct vault_error err;
    if (access(listener->key, F_OK) != 0) /* told with the other keys */
        return;
    const struct tls_files files = {.certificate = listener->certificate, .key = listener->key};
    if (tls_open(&files, &tls, &err))
        checkup_tell(out, CHECKUP_ERROR, "a listener will not start: %s", err.text);
    tls_close(&tls);
}

/* While it is over nobody is let in; it is for days, not for years. */
static void check_crl(const char *path, const struct doctor *doctor, const struct checkup *out)
{
    struct vault_error err;
    char when[INSTANT_CHARS + 1];
    int64_t end_s = 0;
    if (tls_crl_end(path, &end_s, &err)) {
        checkup_tell(out, CHECKUP_ERROR, "%s: %s", path, err.text);
        return;
    }
    if (end_s > doctor->now_s + CRL_SOON_S)
        return;
    instant_format(when, end_s);
    checkup_tell(out, end_s <= doctor->now_s ? CHECKUP_ERROR : CHECKUP_WARNING,
                 "%s, revoked certificates, is %s %s and then lets nobody in: put the next one in "
                 "its place: vaultctl reload",
                 path, end_s <= doctor->now_s ? "over since" : "over on", when);
}

/* While it is over, handshakes go without it. */
static void check_ocsp(const struct config_listener *listener, const struct doctor *doctor,
                       const struct checkup *out)
{
    struct vault_error err;
    char when[INSTANT_CHARS + 1];
    VAULT_AUTO(tls_close) struct tls *tls = NULL;
    const struct tls_files files = {
        .certificate = listener->certificate, .key = listener->key, .ocsp = listener->ocsp};
    if (access(listener->key, F_OK) != 0)
        return;
    if (tls_open(&files, &tls, &err)) {
        checkup_tell(out, CHECKUP_ERROR, "a listener will not start: %s", err.text);
        return;
    }
    const int64_t end_s = tls_ocsp_end(tls);
    if (end_s > doctor->now_s + OCSP_SOON_S)
        return;
    instant_format(when, end_s);
    checkup_tell(
        out, CHECKUP_WARNING,
        "%s, the answer that the server's certificate is not revoked, %s%s and is then not "
        "shown: put the next one in its place: vaultctl reload",
        listener->ocsp, end_s ? "ends on " : "is over", end_s ? when : "");
}

static bool same_pair(const struct config_listener *a, const struct config_listener *b)
{
    return strcmp(a->certificate, b->certificate) == 0 && strcmp(a->key, b->key) == 0;
}

void doctor_check_certificates(const struct doctor *doctor, const struct checkup *out)
{
    const struct config *config = doctor->config;
    const struct config_listener *listeners[] = {&config->services, &config->citizens,
                                                 &config->auditors};
    static const char *const cas[] = {"the CA of the services", "", "the CA of the auditors"};
    for (size_t i = 0; i < sizeof listeners / sizeof listeners[0]; i++) {
        bool seen = false;
        for (size_t j = 0; j < i; j++)
            seen = seen || same_pair(listeners[j], listeners[i]);
        if (!seen && check_end(listeners[i]->certificate, "a listener's certificate", doctor, out))
            check_pair(listeners[i], out);
        if (listeners[i]->clients_ca[0])
            check_end(listeners[i]->clients_ca, cas[i], doctor, out);
        if (listeners[i]->crl[0])
            check_crl(listeners[i]->crl, doctor, out);
        if (listeners[i]->ocsp[0])
            check_ocsp(listeners[i], doctor, out);
    }
}
