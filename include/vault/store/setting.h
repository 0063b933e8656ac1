/*
 * setting - what the vault itself has to remember: small, few, by name. Which policy is active, how
 * far the access log was, a counter.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/store/store.h"

#define SETTING_NAME_CHARS      64
#define SETTING_VALUE_MAX_BYTES (64UL * 1024)
#define SETTINGS_MAX            256

struct setting {
    const char *name;
    struct bytes value;
};

/* Store them all, in one transaction, over what is there. Durable on return.
 * VAULT_LIMITED  there are SETTINGS_MAX others */
enum vault_code setting_put(struct store *store, const struct setting settings[], size_t count,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* Append the value to out. VAULT_NOT_FOUND. */
enum vault_code setting_get(struct store *store, const char *name, struct buf *out,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* Removing what is not there is fine. */
enum vault_code setting_remove(struct store *store, const char *name, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Add to a counter, which begins at 0; *value is what it is now. A counter is no setting: the two
 * have names of their own. */
enum vault_code setting_count(struct store *store, const char *name, int64_t add, int64_t *value,
                              struct vault_error *err) VAULT_MUST_CHECK;
