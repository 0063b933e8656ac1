/*
 * values - JSON values on their way from the store to a service.
 *
 * A value is a jansson tree that has been found to be of its field's type, so that the code behind
 * need not look again. jansson's memory is wiped when it is freed.
 */
#pragma once

#include <jansson.h>

#include "model.h"
#include "vault/base/clock.h"
#include "vault/policy/value.h"

/* One call of policy_value_write(). */
struct evaluation {
    const struct policy *policy;
    const struct policy_source *source;
    struct date today;
    uint16_t field; /* what is to be released in the end */
};

/* Whether a tree is a value of the type. */
bool value_is_of_type(const json_t *value, enum policy_type type);

/* The value of a field, stored or derived; on REASON_RELEASED *out is the caller's. */
enum policy_reason value_of_field(const struct evaluation *evaluation, uint16_t field,
                                  json_t **out);

/* The value of a derived field. */
enum policy_reason value_derive(const struct evaluation *evaluation,
                                const struct derivation *derivation, json_t **out);

/* Append what a step of a ladder lets through of a value: false if the form fails on it. */
bool form_write(const struct evaluation *evaluation, const struct step *step, const json_t *value,
                struct buf *out);

/* Whole years from a date to today; negative for a date in the future. */
int age_on(struct date today, const json_t *date);

/* The name of the band that a number lies in, "18-25" or "65+"; false under the first. */
#define BAND_NAME_CHARS 48
bool band_name(const struct bands *bands, int64_t number, char out[BAND_NAME_CHARS]);

/* Append a pseudonym as JSON; the value it stands for may be NULL. */
bool pseudonym_write(const struct evaluation *evaluation, const char *epoch, const json_t *value,
                     struct buf *out);
