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

/* The member "fields", for a record that has them too (half.h): read into a list that is the
 * caller's to free, even after false; append with a comma in front. And the member "text". */
bool consent_json_read_fields(json_t *fields, struct consent_field **out, size_t *out_count);
void consent_json_write_fields(struct buf *out, const struct consent_field fields[], size_t count);
void consent_json_write_text(struct buf *out, const struct consent_decision *decision);

/* Append a record. decision may be NULL, when a consent only ends. */
void consent_json_write(struct buf *out, const struct consent *consent,
                        const struct consent_decision *decision);
