/*
 * value - what of a value a form lets through, and the values of derived fields.
 *
 * A value is JSON text of the field's type:
 *
 *     date              "YYYY-MM-DD"
 *     text, identifier, code   a string that is not empty
 *     boolean           true or false
 *     number            an integer (64 bits)
 *     address           {"number"?, "street", "postcode", "city"}, strings that are not empty
 *     series            [{"date": "YYYY-MM-DD", "value": integer}…]
 *
 * A derived field has no stored value: it is computed here from its sources, and then put into its
 * form like any other. What fails, fails for the whole field: there is no falling back to a form
 * that shows more. Ages and months are counted at the time the caller gives, on its UTC day.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/policy/decide.h"
#include "vault/policy/policy.h"

#define POLICY_PSEUDONYM_BYTES 16 /* written as 26 characters of base32 */
#define POLICY_VALUE_BYTES_MAX (64UL * 1024)

/* What a pseudonym is made for. The service and the citizen are the caller's to add: a pseudonym is
 * never the same for two services. */
struct policy_pseudonym {
    const char *field;   /* the id of the field that is released */
    struct bytes epoch;  /* from the catalogue: another epoch, another pseudonym; empty if none */
    struct bytes source; /* the value it stands for, as JSON text; empty: the citizen as such */
};

/* Where values come from. */
struct policy_source {
    void *context;
    /* The stored value of a field, borrowed until policy_value_write() returns. REASON_RELEASED
     * with *json set; REASON_NO_VALUE if there is none; REASON_ERROR if it cannot be read. Never
     * asked for a derived field. */
    enum policy_reason (*value)(void *context, uint16_t field, struct bytes *json);
    /* The bytes of a pseudonym, from the vault's key. false, or NULL here: REASON_ERROR. */
    bool (*pseudonym)(void *context, const struct policy_pseudonym *what,
                      uint8_t out[POLICY_PSEUDONYM_BYTES]);
};

/*
 * Append to out the JSON of the field's value in the form (a step of its ladder). Returns
 * REASON_RELEASED, or REASON_NO_VALUE or REASON_ERROR with nothing appended.
 */
enum policy_reason policy_value_write(const struct policy *policy, uint16_t field, uint8_t form,
                                      int64_t now_s, const struct policy_source *source,
                                      struct buf *out);

/* Whether JSON text is a value of the field's type, before it is stored: VAULT_INVALID if not, and
 * for every value of a derived field. The error's text does not quote it. */
enum vault_code policy_value_check(const struct policy *policy, uint16_t field, struct bytes json,
                                   struct vault_error *err) VAULT_MUST_CHECK;
