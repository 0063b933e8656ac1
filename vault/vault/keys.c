#include "vault/vault/keys.h"

#include "event.h"
#include "parts.h"

enum vault_code keys_rotate(struct vault *vault, const struct secret *secret,
                            struct vault_error *err)
{
    struct keyring_provider provider = vault->options.provider;
    if (secret)
        provider.secret = secret;
    pthread_mutex_lock(&vault->keeping);
    enum vault_code code = backup_check_none(vault, err);
    if (code == VAULT_OK)
        code = keyring_rotate(vault->keyring, vault->options.dir, &provider, err);
    pthread_mutex_unlock(&vault->keeping);
    return code ? code : event_of_operator(vault, ENTRY_ADMIN, (struct bytes){0}, err);
}

static enum vault_code rewrap(struct vault *vault, struct keys_progress *out,
                              struct vault_error *err)
{
    VAULT_TRY(backup_check_none(vault, err));
    VAULT_TRY(citizen_rewrap(vault->store, &vault->rewrap, err));
    const struct citizen_rewrap now = vault->rewrap;
    if (now.done) {
        VAULT_TRY(keyring_drop_former(vault->keyring, vault->options.dir, err));
        vault->rewrap = (struct citizen_rewrap){0};
    }
    *out = (struct keys_progress){now.seen, now.rewrapped, now.done};
    return VAULT_OK;
}

enum vault_code keys_rewrap(struct vault *vault, struct keys_progress *out, struct vault_error *err)
{
    struct keys_progress progress = {0};
    pthread_mutex_lock(&vault->keeping);
    const enum vault_code code = rewrap(vault, &progress, err);
    pthread_mutex_unlock(&vault->keeping);
    VAULT_TRY(code);
    if (progress.done)
        VAULT_TRY(event_of_operator(vault, ENTRY_ADMIN, (struct bytes){0}, err));
    *out = progress;
    return VAULT_OK;
}

enum vault_code keys_rekey(struct vault *vault, const struct citizen_id *citizen,
                           struct vault_error *err)
{
    VAULT_TRY(citizen_rekey_wait(vault->store, citizen, err));
    pthread_mutex_lock(&vault->keeping);
    enum vault_code code = backup_check_none(vault, err);
    if (code == VAULT_OK)
        code = citizen_rekey(vault->store, citizen, err);
    pthread_mutex_unlock(&vault->keeping);
    VAULT_TRY(code);
    return event_of_operator(vault, ENTRY_ADMIN, (struct bytes){0}, err);
}
