/*
 * The provider "credential": a key that systemd decrypts for the service and for nobody else
 * (LoadCredentialEncrypted=, systemd.exec(5)), bound to the machine or its TPM. It is made with
 * systemd-creds before the keyring is; the vault only reads it.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "provider_kinds.h"
#include "vault/base/file.h"

#define DIRECTORY_VARIABLE "CREDENTIALS_DIRECTORY"
#define MODE_OF_OTHERS     07 /* an access list for the service's user shows as the group's mode */

static enum vault_code fetch(const struct keyring_provider *options, struct provider *provider,
                             struct vault_error *err)
{
    char path[PATH_MAX];
    const char *folder = getenv(DIRECTORY_VARIABLE);
    VAULT_TRY(provider_given(options->place, "the name of a credential", err));
    if (strchr(options->place, '/') || options->place[0] == '.')
        return vault_fail(err, VAULT_INVALID, "a credential has a name, not a path");
    if (!folder || folder[0] != '/')
        return vault_fail(err, VAULT_NOT_FOUND,
                          "there are no credentials: " DIRECTORY_VARIABLE
                          " is not set; start this by systemd with LoadCredentialEncrypted=");
    VAULT_TRY(file_join(path, sizeof path, folder, options->place, err));
    return provider_key_file(path, "credential", MODE_OF_OTHERS, &provider->key, err);
}

static enum vault_code create(const struct keyring_provider *options, struct buf *note,
                              struct provider *provider, struct vault_error *err)
{
    (void)note;
    return fetch(options, provider, err);
}

static enum vault_code open_key(const struct keyring_provider *options, struct bytes note,
                                struct provider *provider, struct vault_error *err)
{
    (void)note;
    return fetch(options, provider, err);
}

const struct provider_kind provider_credential = {
    .name = "credential",
    .whose = "the provider's key, the credential,",
    .create = create,
    .open = open_key,
};
