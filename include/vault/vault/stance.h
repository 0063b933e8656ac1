/*
 * stance - what a citizen decided beyond single consents: to pause everything, and to object to
 * what needs no consent.
 *
 * Pausing suspends every consent that is given, in one change, and nothing is given until all is
 * resumed; resuming puts in force again what the pause suspended, and not what the citizen had
 * suspended by itself before.
 *
 * An objection is against one service's use for one purpose where that rests on a public task or on
 * legitimate interests (GDPR article 21): from then on nothing is released to it for that purpose
 * on these bases. It stands until it is lifted. Both are records and entries of the log like
 * consents.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/store/citizen.h"
#include "vault/vault/consent.h"
#include "vault/vault/vault.h"

#define OBJECTIONS_MAX 4096 /* (service, purpose) pairs of one citizen */

struct objection {
    char service[CONSENT_NAME_CHARS + 1];
    char purpose[CONSENT_NAME_CHARS + 1];
    bool stands; /* false: it was lifted */
    int64_t at_s;
};

/* Pause all, resume all: durable and in the log on return. Asked for twice it changes nothing.
 * *count (may be NULL) is how many consents it changed. VAULT_NOT_FOUND: no such citizen. */
enum vault_code stance_pause(struct vault *vault, const struct citizen_id *citizen, size_t *count,
                             struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code stance_resume(struct vault *vault, const struct citizen_id *citizen, size_t *count,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* Object, lift the objection: durable and in the log on return; what is so already changes nothing.
 * VAULT_NOT_FOUND  there is no such citizen
 * VAULT_INVALID    that is no service's or purpose's id
 * VAULT_LIMITED    the citizen objects to OBJECTIONS_MAX things */
enum vault_code stance_object(struct vault *vault, const struct citizen_id *citizen,
                              const char *service, const char *purpose, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code stance_lift(struct vault *vault, const struct citizen_id *citizen,
                            const char *service, const char *purpose, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Whether everything is paused, and the newest objection to each (service, purpose). */
typedef enum vault_code stance_each(void *context, const struct objection *objection,
                                    struct vault_error *err);
enum vault_code stance_read(struct vault *vault, const struct citizen_id *citizen, bool *paused,
                            stance_each *each, void *context, struct vault_error *err)
    VAULT_MUST_CHECK;
