#include "vault/edge/tls.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tls_parts.h"
#include "vault/base/file.h"

struct tls {
    char paths[TLS_FILE_COUNT][PATH_MAX]; /* empty: no such file */
    atomic_uint_fast64_t generation;      /* of what is in force */
    atomic_int_fast64_t crl_end_s;        /* of that, too */
    pthread_mutex_t mutex;                /* guards current */
    struct tls_credentials *current;
};

/* --- What is in force ----------------------------------------------------------------------- */

static struct tls_credentials *acquire(struct tls *tls)
{
    pthread_mutex_lock(&tls->mutex);
    struct tls_credentials *current = tls->current;
    atomic_fetch_add(&current->holders, 1);
    pthread_mutex_unlock(&tls->mutex);
    return current;
}

static void let_go(struct tls_credentials **credentials)
{
    struct tls_credentials *gone = VAULT_TAKE(*credentials);
    if (gone && atomic_fetch_sub(&gone->holders, 1) == 1)
        tls_credentials_free(&gone);
}

enum vault_code tls_open(const struct tls_files *files, struct tls **out, struct vault_error *err)
{
    const char *const paths[TLS_FILE_COUNT] = {files->certificate, files->key, files->clients_ca,
                                               files->crl, files->ocsp};
    VAULT_AUTO(tls_close) struct tls *tls = calloc(1, sizeof *tls);
    if (!tls)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    pthread_mutex_init(&tls->mutex, NULL);
    for (size_t i = 0; i < TLS_FILE_COUNT; i++) {
        const size_t size = paths[i] ? strlen(paths[i]) : 0;
        if (size >= sizeof tls->paths[i])
            return vault_fail(err, VAULT_INVALID, "the path of a certificate is too long");
        memcpy(tls->paths[i], paths[i] ? paths[i] : "", size + 1);
    }
    VAULT_TRY(tls_credentials_read(tls->paths, &tls->current, err));
    atomic_init(&tls->generation, 1);
    atomic_init(&tls->crl_end_s, tls->current->crl_end_s);
    tls->current->generation = 1;
    *out = VAULT_TAKE(tls);
    return VAULT_OK;
}

void tls_close(struct tls **tls)
{
    struct tls *gone = VAULT_TAKE(*tls);
    if (!gone)
        return;
    let_go(&gone->current);
    pthread_mutex_destroy(&gone->mutex);
    free(gone);
}

enum vault_code tls_read_again(struct tls *tls, struct tls_credentials **out, bool *changed,
                               struct vault_error *err)
{
    VAULT_AUTO(tls_credentials_free) struct tls_credentials *fresh = NULL;
    VAULT_TRY(tls_credentials_read(tls->paths, &fresh, err));
    if (fresh->crl_end_s <= time(NULL))
        return vault_fail(err, VAULT_INVALID, "%s: this list of revoked certificates is over",
                          tls->paths[TLS_CRL]);
    struct tls_credentials *current = acquire(tls);
    *changed = memcmp(fresh->digest, current->digest, sizeof fresh->digest) != 0;
    let_go(&current);
    *out = VAULT_TAKE(fresh);
    return VAULT_OK;
}

void tls_replace(struct tls *tls, struct tls_credentials **fresh)
{
    struct tls_credentials *taken = VAULT_TAKE(*fresh);
    pthread_mutex_lock(&tls->mutex);
    struct tls_credentials *former = tls->current;
    taken->generation = former->generation + 1;
    tls->current = taken;
    atomic_store(&tls->crl_end_s, taken->crl_end_s);
    atomic_store(&tls->generation, taken->generation);
    pthread_mutex_unlock(&tls->mutex);
    let_go(&former);
}

int64_t tls_ocsp_end(struct tls *tls)
{
    struct tls_credentials *current = acquire(tls);
    const int64_t end_s = current->ocsp_end_s;
    let_go(&current);
    return end_s;
}

/* --- A connection --------------------------------------------------------------------------- */

/*
 * Both the return code and the status count, and the purpose must be asked for: a certificate of
 * our own CA for a server passes otherwise. Any number but 0 ends the handshake.
 */
static int verify_client(gnutls_session_t session)
{
    gnutls_typed_vdata_st wanted = tls_client_purpose();
    unsigned status = ~0U;
    const int result = gnutls_certificate_verify_peers(session, &wanted, 1, &status);
    return result == GNUTLS_E_SUCCESS && status == 0 ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

enum vault_code tls_prepare(struct tls *tls, gnutls_session_t session, struct tls_peer *peer,
                            struct vault_error *err)
{
    struct tls_credentials *held = acquire(tls);
    int result = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, held->credentials);
    if (result == GNUTLS_E_SUCCESS)
        result = gnutls_priority_set(session, held->priorities);
    if (result != GNUTLS_E_SUCCESS) {
        let_go(&held);
        return tls_failed(err, result, "preparing a TLS session");
    }
    if (held->asks_for_certificate) {
        gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
        gnutls_session_set_verify_function(session, verify_client);
    } else {
        gnutls_certificate_server_set_request(session, GNUTLS_CERT_IGNORE);
    }
    *peer = (struct tls_peer){.held = held, .generation = held->generation};
    return VAULT_OK;
}

/* Hold the client's certificates against what is in force now. */
static bool is_in_force(struct tls *tls, gnutls_session_t session, struct tls_peer *peer)
{
    struct tls_credentials *now = acquire(tls);
    const bool may = tls_credentials_accept(now, session, &peer->unread);
    if (may)
        peer->generation = now->generation;
    let_go(&now);
    return may;
}

bool tls_peer_may_ask(struct tls *tls, gnutls_session_t session, struct tls_peer *peer)
{
    if (!peer->held->asks_for_certificate)
        return true;
    if (!peer->is_known)
        peer->is_known = tls_read_peer(session, peer->spki, &peer->expires_s);
    peer->unread = !peer->is_known; /* the handshake read it */
    const int64_t now_s = time(NULL);
    if (peer->unread || peer->expires_s < now_s || atomic_load(&tls->crl_end_s) <= now_s)
        return false;
    return peer->generation == atomic_load(&tls->generation) || is_in_force(tls, session, peer);
}

void tls_peer_finish(struct tls_peer *peer)
{
    let_go(&peer->held);
}

const char *tls_certificate_pem(const struct tls *tls)
{
    return (const char *)tls->current->texts[TLS_CERTIFICATE].data;
}

const char *tls_key_pem(const struct tls *tls)
{
    return (const char *)tls->current->texts[TLS_KEY].data;
}
