/* Auditors: whom a key belongs to, and taking all of one's keys away. */
#include <string.h>

#include "parts.h"
#include "vault/vault/service.h"

#define KEYS_MAX CONTROL_CERTIFICATES_MAX

enum vault_code service_auditor_by_key(struct vault *vault, const uint8_t spki[SHA256_BYTES],
                                       char name[CONTROL_SERVICE_ID_CHARS + 1],
                                       struct vault_error *err)
{
    struct control_certificate certificate;
    const enum vault_code code = control_certificate_find(vault->store, CONTROL_CERTIFICATE_AUDITOR,
                                                          spki, &certificate, err);
    if (code == VAULT_NOT_FOUND ||
        (code == VAULT_OK && certificate.state != CONTROL_CERTIFICATE_ACTIVE))
        return vault_fail(err, VAULT_DENIED, "this certificate belongs to no auditor");
    if (code == VAULT_OK && name)
        memcpy(name, certificate.owner, sizeof certificate.owner);
    return code;
}

/* The keys of one auditor that count. */
struct keys {
    uint8_t spki[KEYS_MAX][SHA256_BYTES];
    size_t count;
};

static enum vault_code take_active(void *context, const struct control_certificate *certificate,
                                   struct vault_error *err)
{
    struct keys *keys = context;
    if (certificate->state != CONTROL_CERTIFICATE_ACTIVE)
        return VAULT_OK;
    if (keys->count == KEYS_MAX)
        return vault_fail(err, VAULT_LIMITED, "this auditor has more than %d keys", KEYS_MAX);
    memcpy(keys->spki[keys->count++], certificate->spki, SHA256_BYTES);
    return VAULT_OK;
}

enum vault_code service_remove_auditor(struct vault *vault, const char *name,
                                       struct vault_error *err)
{
    struct keys keys = {0};
    VAULT_TRY(control_certificate_list(vault->store, CONTROL_CERTIFICATE_AUDITOR, name, take_active,
                                       &keys, err));
    if (!keys.count)
        return vault_fail(err, VAULT_NOT_FOUND, "there is no such auditor");
    for (size_t i = 0; i < keys.count; i++)
        VAULT_TRY(service_revoke_key(vault, CONTROL_CERTIFICATE_AUDITOR, keys.spki[i], err));
    return VAULT_OK;
}
