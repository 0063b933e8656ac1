/*
 * policy_copy - the vault's own copy of a bundle's folder.
 */
#pragma once

#include "vault/base/error.h"

/* Copy the files of a bundle, and those in its rules/ and tests/, into another folder, which is
 * made. Each file is durable on return; one that is there already is replaced. */
enum vault_code policy_copy(const char *from, const char *to, struct vault_error *err)
    VAULT_MUST_CHECK;
