/*
 * opened - what the log has of one answer: its entry, and what the citizen's own key opens of it.
 */
#pragma once

#include "vault/ledger/entry.h"
#include "vault_test.h"

#define OPENED_CHARS 4096

struct opened {
    enum entry_event event;
    bool has_policy;
    uint64_t policy_version;
    uint8_t policy_hash[ENTRY_POLICY_BYTES];
    char what[OPENED_CHARS]; /* "FIELD FORM OUTCOME" on a line each */
    char basis[OPENED_CHARS];
    char answer[OPENED_CHARS]; /* SHA-256 of the answer's body, in base64 */
};

/* The entry at that place, which is one of the citizen's. */
void open_entry(struct vault_test *test, uint64_t index, const struct citizen_id *citizen,
                struct opened *out);
