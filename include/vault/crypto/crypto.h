/*
 * crypto - the algorithms, fetched once.
 *
 * OpenSSL looks an algorithm up by name each time it is asked for one implicitly, which costs more
 * than a short hash itself. crypto_start() fetches every algorithm the vault uses and opens the
 * secure heap; the modules of this floor take them from here. Only the EVP interface is used.
 */
#pragma once

#include <stdbool.h>

#include "vault/base/error.h"

/*
 * Once per process, before any thread and any other call of this floor; a second call does nothing.
 * The secure heap, where keys live, is locked into memory and left out of core dumps.
 *
 * VAULT_UNAVAILABLE  an algorithm is missing, or memory cannot be locked and allow_swap is false:
 *                    raise the limit on locked memory (LimitMEMLOCK, ulimit -l)
 */
enum vault_code crypto_start(bool allow_swap, struct vault_error *err) VAULT_MUST_CHECK;

/* Leave OpenSSL's error queue empty and fail with what it said of the operation, which never
 * includes data. */
enum vault_code crypto_fail(struct vault_error *err, enum vault_code code, const char *operation);
