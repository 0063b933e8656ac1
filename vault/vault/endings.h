/*
 * endings - which services and auditors will soon be without a certificate that counts.
 *
 * Of each the one that ends last is looked at: a former one may end unheard. Who was removed, or
 * whose last one ended more than ENDINGS_SOON_S ago, is nobody to remind of it.
 */
#pragma once

#include "vault/store/control_service.h"
#include "vault/vault/vault.h"

#define ENDINGS_SOON_S (30 * (int64_t)86400)
#define ENDINGS_MAX    256 /* that are told; more are not looked for */

struct ending {
    enum control_certificate_kind kind;
    char owner[CONTROL_SERVICE_ID_CHARS + 1];
    int64_t expires_s;
};

enum vault_code endings_find(struct vault *vault, struct ending out[ENDINGS_MAX], size_t *count,
                             struct vault_error *err) VAULT_MUST_CHECK;

/* How many there are. */
enum vault_code endings_count(struct vault *vault, size_t *count, struct vault_error *err)
    VAULT_MUST_CHECK;
