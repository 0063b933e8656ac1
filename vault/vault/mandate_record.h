/*
 * mandate_record - a mandate's records as JSON, both ways, what they mean for what is remembered of
 * a citizen, and their entries in the log; for the modules of this floor alone.
 */
#pragma once

#include "person.h"

#define MANDATE_RECORD_BYTES (32U * 1024)

/* The newest record of that id, NULL if there is none. */
struct mandate *mandate_of(struct person *person, const char *id);

/* A mediator did something under it, at that time; an empty or unknown id is nothing. */
void mandate_used(struct person *person, const char *id, int64_t at_s);

/* what is said of a use, in lines; may be NULL. how is how it was given, may be NULL too. */
void mandate_record_write(struct buf *out, const struct mandate *mandate, const char *how,
                          const char *what);

/* VAULT_CORRUPT if it is not one of ours. */
enum vault_code mandate_record_read(struct bytes json, struct mandate *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Store a record and put its entry into the queue; and whether there is room for one that is
 * neither an end nor a withdrawal. VAULT_LIMITED. */
enum vault_code mandate_store(struct vault *vault, struct citizen *citizen, struct person *person,
                              const struct mandate *mandate, const char *how, const char *what,
                              struct ledger_ticket *ticket, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code mandate_check_records(struct citizen *citizen, struct vault_error *err)
    VAULT_MUST_CHECK;

/* For person_kind.c. */
enum vault_code mandate_apply(struct person *person, const struct citizen_record *record,
                              struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code mandate_record_enter(struct vault *vault, const struct citizen *citizen,
                                     struct event_chain *chain, struct bytes json,
                                     struct ledger_ticket *ticket, struct vault_error *err)
    VAULT_MUST_CHECK;
