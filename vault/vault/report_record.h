/*
 * report_record - a report as it stands among a citizen's records: one when it is made, with all of
 * it, and one when it is closed; for the modules of this floor alone.
 */
#pragma once

#include "event.h"
#include "vault/vault/report.h"

#define REPORT_RECORD_KIND "report"
#define REPORT_BASIS       "report"

/* Enter the record's event for the held citizen. VAULT_CORRUPT if it cannot be read. */
enum vault_code report_record_enter(struct vault *vault, const struct citizen *citizen,
                                    struct event_chain *chain, struct bytes json,
                                    struct ledger_ticket *ticket, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Call each with every report of a held citizen's, or the one of that id (NULL: all). */
enum vault_code report_record_list(struct citizen *citizen, const char *id, report_each *each,
                                   void *context, struct vault_error *err) VAULT_MUST_CHECK;
