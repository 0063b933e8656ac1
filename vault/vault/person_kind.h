/*
 * person_kind - the kinds of records that a citizen's file holds: what each means for what is
 * remembered of the citizen, and the entry of the access log that it is. For person.c alone.
 */
#pragma once

#include "person.h"

void person_free(void *data);

/* Put a record's entry into the log's queue. Only for records that have one (log_n). */
enum vault_code person_enter(struct vault *vault, const struct citizen *citizen,
                             struct event_chain *chain, const struct citizen_record *record,
                             struct ledger_ticket *ticket, struct vault_error *err)
    VAULT_MUST_CHECK;
