/*
 * stance_json - the records of a pause and of an objection as JSON, both ways; for the modules of
 * this floor alone.
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/vault/stance.h"

struct pause_record {
    bool paused;
    int64_t at_s;
    bool restricted; /* paused, and what needs no consent with it */
};

/* VAULT_CORRUPT if it is not one of ours. */
enum vault_code pause_json_read(struct bytes json, struct pause_record *out,
                                struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code objection_json_read(struct bytes json, struct objection *out,
                                    struct vault_error *err) VAULT_MUST_CHECK;

void pause_json_write(struct buf *out, const struct pause_record *record);
void objection_json_write(struct buf *out, const struct objection *objection);
