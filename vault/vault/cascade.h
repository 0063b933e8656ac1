/*
 * cascade - what ends with a service; for the modules of this floor alone.
 *
 * When the city removes a service, nothing is released to it from the next request on (service.h).
 * What citizens gave it ends too, and what one of two agreed to, but nobody walks through half a
 * million files for it: each citizen's ends when they are next held, whoever holds them, before
 * anything is decided. The record says that the operator ended it, and when the service was
 * removed; the entry is made then. So the cost is that of the citizens who gave it something, each
 * at their own time, and for everybody else a comparison of two numbers.
 *
 * A suspended service, and rules that changed, end nothing: see reach.h for what a consent still
 * gives under them.
 */
#pragma once

#include "person.h"

#define CASCADE_BY "operator" /* who acted, in the record and in the log */

/* Whether services changed since this was last looked at for the person. */
bool cascade_is_due(struct vault *vault, const struct person *person);

/* The citizen is held: end what was given to services that are gone, in the log before it returns.
 * After a failure the person is gone, and read again at the next hold. */
enum vault_code cascade_settle(struct vault *vault, struct citizen *citizen, struct person *person,
                               struct vault_error *err) VAULT_MUST_CHECK;

/* That the city ended it, on the record of a CONSENT_END. */
void cascade_stamp(struct consent *next);
