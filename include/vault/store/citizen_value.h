/*
 * citizen_value - a held citizen's field values: newest first, older versions kept.
 *
 * A value is JSON text with the time it was true and its source. Putting one never overwrites: it
 * is a version of the field. The version that counts is the newest one by that time, whoever it is
 * from, and among those of one time the one put last: so a register that is late with last year's
 * value does not hide this year's, and a source that was wrong puts its value right by saying
 * another one for the same time. The newest CITIZEN_VALUE_VERSIONS of each field, in that order,
 * are kept. Fields and sources are names for this floor, not checked against any catalogue.
 *
 * With the file open a value is read in 2 to 4 microseconds.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/store/citizen.h"

#define CITIZEN_VALUE_VERSIONS 16 /* of one field; the oldest go, even the one just put */

struct citizen_value_about {
    int64_t version; /* of this field: from 1, growing by 1 with every put that is kept */
    int64_t as_of_s;
    char source[CITIZEN_SOURCE_CHARS + 1];
};

/*
 * Store a new version.
 * VAULT_NOT_FOUND  the citizen does not exist
 * VAULT_LIMITED    the citizen has CITIZEN_FIELDS_MAX other fields already
 */
enum vault_code citizen_value_put(struct citizen *citizen, const struct citizen_value *value,
                                  struct vault_error *err) VAULT_MUST_CHECK;

/* Append the JSON text of the version that counts to json; about may be NULL.
 * VAULT_NOT_FOUND  there is none */
enum vault_code citizen_value_get(struct citizen *citizen, const char *field, struct buf *json,
                                  struct citizen_value_about *about, struct vault_error *err)
    VAULT_MUST_CHECK;

/* One value in a list; everything is borrowed for the call. A code other than VAULT_OK ends the
 * list, which then returns it. */
typedef enum vault_code citizen_value_each(void *context, const char *field, struct bytes json,
                                           const struct citizen_value_about *about,
                                           struct vault_error *err);

/* The version of every field that counts, by name. */
enum vault_code citizen_value_list(struct citizen *citizen, citizen_value_each *each, void *context,
                                   struct vault_error *err) VAULT_MUST_CHECK;

/* The versions of one field that are kept, newest first. */
enum vault_code citizen_value_versions(struct citizen *citizen, const char *field,
                                       citizen_value_each *each, void *context,
                                       struct vault_error *err) VAULT_MUST_CHECK;
