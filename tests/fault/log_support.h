/*
 * log_support - a log for the fault tests, and what must always hold of it.
 */
#pragma once

#include "test.h"

#include <limits.h>

#include "vault/crypto/note.h"
#include "vault/ledger/ledger.h"

extern struct note_signer log_signer;
extern char log_dir[PATH_MAX];
extern struct ledger *log_ledger;

/* Once, before anything else. */
void log_prepare(void);

/* Make an empty log in a fresh folder; open the one that is there. */
void log_make(void);
void log_open(void);

/* An entry with an opening of some size; the code of entering it. */
enum vault_code log_append(size_t opening_size, struct ledger_ticket *out, struct vault_error *err);

/* Stop cleanly and close. */
void log_stop(void);

/* Reads the published log from the entries up; it must hold by itself, with nothing missing. */
void log_assert_verifies(void);

/* The event of a published entry. */
enum entry_event log_event_at(uint64_t index, uint64_t *count);
