#include "vault/vault/renewal.h"

#include <string.h>

#include "pace.h"
#include "parts.h"
#include "vault/base/clock.h"
#include "vault/store/control_service.h"
#include "vault/vault/signing.h"

/* The service's keys that count. */
struct live {
    int64_t now_s;
    const uint8_t *spki; /* the one that is asked for */
    size_t others;
};

static enum vault_code count_live(void *context, const struct control_certificate *certificate,
                                  struct vault_error *err)
{
    struct live *live = context;
    (void)err;
    live->others += certificate->state == CONTROL_CERTIFICATE_ACTIVE &&
                    certificate->expires_s > live->now_s &&
                    memcmp(certificate->spki, live->spki, SHA256_BYTES) != 0;
    return VAULT_OK;
}

static enum vault_code check_count(struct vault *vault, const struct service *service,
                                   const uint8_t spki[SHA256_BYTES], struct vault_error *err)
{
    struct live live = {.now_s = clock_now_s(&vault->options.clock), .spki = spki};
    VAULT_TRY(control_certificate_list(vault->store, CONTROL_CERTIFICATE_SERVICE, service->id,
                                       count_live, &live, err));
    if (live.others >= RENEWAL_LIVE_KEYS_MAX)
        return vault_fail(
            err, VAULT_CONFLICT,
            "this service has %d keys that count: use one of them, or have one revoked",
            RENEWAL_LIVE_KEYS_MAX);
    return VAULT_OK;
}

static enum vault_code check_pace(struct vault *vault, const struct service *service,
                                  int64_t *wait_s, struct vault_error *err)
{
    int64_t wait_ms = 0;
    if (pace_take(vault->renewals, bytes_of_text(service->id), RENEWAL_PER_MINUTE, 1,
                  clock_monotonic_ms(), &wait_ms))
        return VAULT_OK;
    *wait_s = (wait_ms + 999) / 1000;
    return vault_fail(err, VAULT_LIMITED, "too many certificates in a minute");
}

/* What is missing is missing here, not to the service. */
static enum vault_code sign(struct vault *vault, const struct service *service,
                            struct bytes request, struct signing_made *out, struct vault_error *err)
{
    const struct vault_signing *signing = &vault->options.signing;
    if (!signing->ca || !signing->ca_key)
        return vault_fail(err, VAULT_UNAVAILABLE, "this vault signs no certificates");
    const enum vault_code code =
        signing_sign(signing, service->id, clock_now_s(&vault->options.clock), request, out, err);
    return code == VAULT_NOT_FOUND || code == VAULT_DENIED ? VAULT_IO : code;
}

enum vault_code renewal_sign(struct vault *vault, const struct service *service,
                             struct bytes request, struct buf *certificate, int64_t *expires_s,
                             int64_t *wait_s, struct vault_error *err)
{
    VAULT_AUTO(signing_finish) struct signing_made made = {0};
    VAULT_TRY(check_pace(vault, service, wait_s, err));
    VAULT_TRY(sign(vault, service, request, &made, err));
    pthread_mutex_lock(&vault->renewing);
    enum vault_code code = check_count(vault, service, made.spki, err);
    if (code == VAULT_OK)
        code = service_add_key(vault, CONTROL_CERTIFICATE_SERVICE, service->id, made.spki,
                               made.expires_s, err);
    pthread_mutex_unlock(&vault->renewing);
    if (code)
        return code;
    buf_bytes(certificate, buf_view(&made.certificate));
    *expires_s = made.expires_s;
    return buf_check(certificate, err);
}
