/*
 * mediator_parts - what registering mediators shares with their signing in.
 */
#pragma once

#include "vault/crypto/password.h"
#include "vault/vault/mediator.h"

/* What is kept of a first password: of its letters, however they are typed. VAULT_DENIED if it
 * cannot be one. */
enum vault_code mediator_first_hash(struct bytes typed, char out[PASSWORD_HASH_CHARS],
                                    struct vault_error *err) VAULT_MUST_CHECK;
