/*
 * stance - what a citizen decided beyond single consents: to pause or restrict everything, and to
 * object to what needs no consent.
 *
 * Pausing suspends every consent that is given, in one change, and nothing is given until all is
 * resumed; resuming puts in force again what the pause suspended, and not what the citizen had
 * suspended by itself before.
 *
 * Restricting (GDPR article 18) is pausing, and stops with it what needs no consent: from then on
 * nothing is released at all but on a legal obligation, or for somebody's vital interests. What is
 * stored stays stored, and sources can bring what is right. Resuming ends it with the pause. While
 * a file cannot be written nothing is released from it, and restricting fails: pausing does not.
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

/* Restrict: likewise; paused before or not. VAULT_CORRUPT and VAULT_IO leave all as it was. */
enum vault_code stance_restrict(struct vault *vault, const struct citizen_id *citizen,
                                size_t *count, struct vault_error *err) VAULT_MUST_CHECK;

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

/* Whether everything is paused, and even restricted, and the newest objection to each (service,
 * purpose). */
typedef enum vault_code stance_each(void *context, const struct objection *objection,
                                    struct vault_error *err);
enum vault_code stance_read(struct vault *vault, const struct citizen_id *citizen, bool *paused,
                            bool *restricted, stance_each *each, void *context,
                            struct vault_error *err) VAULT_MUST_CHECK;
