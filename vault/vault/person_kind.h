/*
 * person_kind - the kinds of records that a citizen's file holds: what each means for what is
 * remembered of the citizen, and the entry of the access log that it is. For person.c alone.
 */
#pragma once

#include "person.h"
#include "place.h"

void person_free(void *data);

/* Put a record's entry into the log's queue; place says where it stands there, with its opening if
 * that is to be kept. Only for records that have an entry (log_n). */
enum vault_code person_enter(struct vault *vault, const struct citizen *citizen,
                             struct event_chain *chain, const struct citizen_record *record,
                             struct place *place, struct vault_error *err) VAULT_MUST_CHECK;
