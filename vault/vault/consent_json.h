/*
 * consent_json - a consent's record as JSON, both ways; for the modules of this floor alone.
 */
#pragma once

#include "vault/base/json.h"
#include "vault/vault/consent.h"

/* Read a record. out owns its fields: consent_finish(). VAULT_CORRUPT if it is not one of ours. */
enum vault_code consent_json_read(struct bytes json, struct consent *out, struct vault_error *err)
    VAULT_MUST_CHECK;
void consent_finish(struct consent *consent);

/* Append a record. decision may be NULL, when a consent only ends. */
void consent_json_write(struct buf *out, const struct consent *consent,
                        const struct consent_decision *decision);
