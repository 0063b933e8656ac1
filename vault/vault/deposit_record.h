/*
 * deposit_record - that a service brought values, as it stands among a citizen's records; for the
 * modules of this floor alone.
 *
 * The values themselves are in citizen_value. The record is stored with them in one transaction and
 * carries what the entry in the log needs, so that a crash between the two leaves the entry to be
 * made (citizen_record.h). It names fields and says nothing of what is in them.
 */
#pragma once

#include "event.h"

#define DEPOSIT_RECORD_KIND "deposit"
#define DEPOSIT_OUTCOME     "deposited" /* what the log says of each field */

/* Borrowed. */
struct deposit_record {
    const char *service;
    const char *purpose;
    const char *what; /* as the log has it: "FIELD - deposited", a line each */
    const char *answer;
    uint8_t client[ENTRY_CLIENT_BYTES];
    uint64_t policy_version;
    uint8_t policy_hash[ENTRY_POLICY_BYTES];
};

void deposit_record_write(struct buf *out, const struct deposit_record *record);

/* Enter the record's event for the held citizen. VAULT_CORRUPT if it cannot be read. */
enum vault_code deposit_record_enter(struct vault *vault, const struct citizen *citizen,
                                     struct event_chain *chain, struct bytes json,
                                     struct ledger_ticket *ticket, struct vault_error *err)
    VAULT_MUST_CHECK;
