/*
 * provider - where the key comes from that unwraps the root when the vault starts.
 *
 * Each kind is a row in a table; the keyring knows none of them by name.
 */
#pragma once

#include "vault/base/error.h"
#include "vault/crypto/secret.h"
#include "vault/store/keyring.h"

/* Make a fresh key at the provider's place, durable on return. VAULT_CONFLICT if there is one;
 * VAULT_INVALID if there is no such provider. */
enum vault_code provider_create(const struct keyring_provider *provider, struct secret **key,
                                struct vault_error *err) VAULT_MUST_CHECK;

/* Take back what provider_create() just made. */
void provider_undo(const struct keyring_provider *provider);

/* VAULT_NOT_FOUND if there is no key; VAULT_DENIED if it is none, or others may read it. */
enum vault_code provider_fetch(const struct keyring_provider *provider, struct secret **key,
                               struct vault_error *err) VAULT_MUST_CHECK;
