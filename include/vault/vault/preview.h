/*
 * preview - what a service would see today if its citizen agreed.
 *
 * Each value goes through the same code as in a release (release.h): the same ladder of forms, the
 * same computing of derived fields, the same pseudonyms. The form is the strictest of the one that
 * is named and the one that the rules give on consent. Nothing is decided and nothing is entered
 * into the log, since nothing leaves: it is the citizen's own data, for their own eyes, and nobody
 * else may be shown it.
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/store/citizen.h"
#include "vault/vault/consent.h"
#include "vault/vault/vault.h"

enum preview_outcome {
    PREVIEW_SHOWN,
    PREVIEW_NO_VALUE,   /* the citizen has no such value: nothing would go */
    PREVIEW_NOT_SO,     /* the value has no such form, or none can be computed: nothing would go */
    PREVIEW_NOT_ALLOWED /* by no rule of today's could it go on consent */
};

/* One field's, in the order in which they were named. Borrowed for the call. */
typedef enum vault_code preview_each(void *context, size_t at, enum preview_outcome outcome,
                                     struct bytes json, struct vault_error *err);

/* What is looked at: of one service's purpose, 1 to CONSENT_FIELDS_MAX fields. Borrowed. */
struct preview_wish {
    const char *service;
    const char *purpose;
    const struct consent_field *fields;
    size_t count;
};

/* Call each for every field.
 * VAULT_NOT_FOUND    there is no such citizen, or no such service
 * VAULT_UNAVAILABLE  no policy is active */
enum vault_code preview_fields(struct vault *vault, const struct citizen_id *citizen,
                               const struct preview_wish *wish, preview_each *each, void *context,
                               struct vault_error *err) VAULT_MUST_CHECK;
