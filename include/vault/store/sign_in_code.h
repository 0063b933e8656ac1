/*
 * sign_in_code - codes that stand for a password once: those a citizen keeps for when it is lost,
 * and the one that the city sends to begin with. Only their hashes are here; a code that is used is
 * gone.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/error.h"
#include "vault/crypto/hash.h"
#include "vault/store/citizen.h"
#include "vault/store/slice.h"

#define SIGN_IN_CODES_MAX 10

enum sign_in_code_kind { /* stored: never renumber */
                         SIGN_IN_CODE_RECOVERY = 1,
                         SIGN_IN_CODE_ACTIVATION = 2,
};

/* Up to SIGN_IN_CODES_MAX codes in the place of those of that kind that the citizen has.
 * VAULT_NOT_FOUND if there is no such citizen. */
enum vault_code sign_in_codes_set(struct store *store, const struct citizen_id *citizen,
                                  enum sign_in_code_kind kind,
                                  const uint8_t (*hashes)[SHA256_BYTES], size_t count,
                                  int64_t expires_s, struct vault_error *err) VAULT_MUST_CHECK;

/* Use one that has not expired: whose it is, and how many of that kind they have left. owner (may
 * be NULL) is whose it must be. VAULT_NOT_FOUND. */
enum vault_code sign_in_code_use(struct store *store, enum sign_in_code_kind kind,
                                 const uint8_t hash[SHA256_BYTES], const struct citizen_id *owner,
                                 int64_t now_s, struct citizen_id *citizen, uint64_t *left,
                                 struct vault_error *err) VAULT_MUST_CHECK;

enum vault_code sign_in_codes_count(struct store *store, const struct citizen_id *citizen,
                                    enum sign_in_code_kind kind, uint64_t *count,
                                    struct vault_error *err) VAULT_MUST_CHECK;

/* Remove those codes whose time is over, of the next piece of all (slice.h). */
enum vault_code sign_in_codes_prune(struct store *store, int64_t now_s, struct slice *slice,
                                    struct vault_error *err) VAULT_MUST_CHECK;
