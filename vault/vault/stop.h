/*
 * stop - what a citizen took back while their file could not be written; for the modules of this
 * floor alone.
 *
 * Withdrawing, suspending and pausing must work whatever is wrong with what was stored before. If
 * the citizen's file is damaged, the vault's own memory keeps the stop instead, durable before it
 * is acknowledged, and the one door (release.c) looks here before anything else: under a stop
 * nothing is released on a consent. The log has it as a withdrawal whose opening nobody has, since
 * the citizen's chain goes on in the file that is damaged. When the file is whole again, out of a
 * backup, the stops become the withdrawals that they were meant as, when the citizen is next held.
 *
 * There are none on a healthy day: looking for one costs a load.
 */
#pragma once

#include <stdbool.h>

#include "person.h"
#include "vault/base/error.h"
#include "vault/store/citizen.h"
#include "vault/vault/vault.h"

#define STOPS_MAX 300 /* then VAULT_LIMITED: the disk wants changing */

struct stops;

/* Read what is kept, when the vault opens; let go. */
enum vault_code stop_open(struct vault *vault, struct vault_error *err) VAULT_MUST_CHECK;
void stop_close(struct vault *vault);

/* Whether a failure is of the kind that a stop is for. */
bool stop_is_for(enum vault_code code);

/* Stop a service's purpose, or everything (both NULL). Durable, and in the log, on return. */
enum vault_code stop_add(struct vault *vault, const struct citizen_id *citizen, const char *service,
                         const char *purpose, struct vault_error *err) VAULT_MUST_CHECK;

/* Whether something is stopped for the citizen. */
bool stop_covers(struct vault *vault, const struct citizen_id *citizen, const char *service,
                 struct bytes purpose);

/* The citizen is gone, and what they stopped with them: its places are others' again. */
enum vault_code stop_forget(struct vault *vault, const struct citizen_id *citizen,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* The citizen is held and their file is whole: withdraw what is stopped, take back the halves that
 * wait for it, and forget the stops. */
enum vault_code stop_settle(struct vault *vault, struct citizen *citizen, struct person *person,
                            struct vault_error *err) VAULT_MUST_CHECK;
