/*
 * walk - the rows that count for a request, in the order in which they are looked at.
 *
 * That order is fixed by the request alone, so that the places noted in an outcome can be read
 * again afterwards.
 */
#pragma once

#include "model.h"
#include "vault/policy/decide.h"

/* Each class, the service and everybody: for the purpose and for every purpose. */
#define WALK_ROWS_MAX (2 * (POLICY_SERVICE_CLASSES_MAX + 2))

struct walk {
    const struct row *rows[WALK_ROWS_MAX];
    size_t row_count;
};

struct walk walk_begin(const struct policy *policy, const struct policy_actor *actor,
                       uint16_t purpose);

/* Conditions over the atoms of a request: all definitely as written; some definitely contrary. */
bool conditions_are_met(const struct table *table, const struct core *core,
                        const struct policy_atom_word atoms[]);
bool conditions_are_contrary(const struct table *table, const struct core *core,
                             const struct policy_atom_word atoms[]);

/* Why a permit that covers the field does not apply, REASON_RELEASED if it does; and whether its
 * basis would stand against it if all else were met. */
enum policy_reason permit_reason_of(const struct policy *policy,
                                    const struct policy_request *request,
                                    const struct policy_stance *stance, uint16_t field,
                                    uint16_t permit);
enum policy_reason permit_basis_reason(const struct policy *policy,
                                       const struct policy_request *request,
                                       const struct policy_stance *stance, uint16_t field,
                                       uint16_t permit);

/* The deposit rules that let the request's actor write the field. Returns how many; one may stand
 * there several times. */
size_t deposit_rules(const struct policy *policy, const struct policy_request *request,
                     uint16_t field, uint16_t out[POLICY_FIELD_RULES_MAX]);
