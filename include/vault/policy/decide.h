/*
 * decide - what a service gets, and why: the meaning of the bundle (contract, section 3).
 *
 * policy_decide() answers for every field asked, each by itself: released in a form, or the first
 * reason that stands against it. It is a function of its arguments and nothing else. It allocates
 * nothing, takes no lock and asks no clock; the work for a field is one look-up for each class of
 * the service and one test for each rule that covers the field there, whatever else is in the
 * bundle.
 *
 *     permit applies   it covers, is in force, its basis is satisfied, its conditions are all
 *                      definitely as written
 *     forbid applies   it covers, is in force, no condition of it is definitely contrary
 *     released         at least one permit applies and no forbid does
 *     form             the strictest of what the applying permits, the consent and the service say
 *
 * Deciding does not look at values. Afterwards policy_value_write() (value.h) may still turn
 * "released" into "no_value" or "error".
 *
 * Requests are made of numbers from policy_find() and of arrays that the caller owns:
 *
 *     struct policy_ask asks[] = {{birth_date, POLICY_FORM_ANY}, {city, POLICY_FORM_ANY}};
 *     struct policy_request request = {.actor = …, .purpose = …, .asks = asks, .ask_count = 2, …};
 *     struct policy_outcome outcomes[2];
 *     policy_decide(policy, &request, &stance, outcomes);
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/policy/policy.h"

/* In the order of the contract: the first that fits is given. Where several permits stop at
 * different ones, the one furthest in this list. */
enum policy_reason {
    REASON_RELEASED,
    REASON_UNKNOWN_FIELD,
    REASON_BAD_FORM,
    REASON_PURPOSE_NOT_REGISTERED,
    REASON_FORBIDDEN,
    REASON_FORBIDDEN_UNKNOWN, /* only because an atom was unknown */
    REASON_NO_RULE,
    REASON_NOT_IN_FORCE,
    REASON_CONDITIONS,
    REASON_OBJECTION,
    REASON_NO_CONSENT,
    REASON_REFUSED,
    REASON_WITHDRAWN,
    REASON_EXPIRED,
    REASON_SUSPENDED,
    REASON_USED_UP,
    REASON_OUT_OF_SCOPE, /* a live consent that does not cover the field */
    REASON_OBLIGATION,
    REASON_NO_VALUE,
    REASON_ERROR,
    REASON_POLICY_UNAVAILABLE,
    REASON_COUNT
};

const char *policy_reason_name(enum policy_reason reason); /* "released", "no_consent" */

/* One field asked for, and the form wished: a step of its ladder, POLICY_FORM_ANY, or
 * POLICY_FORM_NONE for a form that the ladder does not have. */
struct policy_ask {
    uint16_t field; /* POLICY_NONE if the bundle does not know it */
    uint8_t form;
};

struct policy_request {
    struct policy_actor actor;
    uint16_t purpose;        /* POLICY_NONE if the bundle does not know it */
    bool purpose_registered; /* whether the service's registration has the purpose asked */
    int64_t now_s;
    const struct policy_atom_word *atoms; /* policy_atom_words() of them */
    const struct policy_ask *asks;
    size_t ask_count;
    uint64_t unmet; /* the set of obligations that cannot be met now, bit 1 << obligation */
};

enum policy_consent_state {
    POLICY_CONSENT_GIVEN,
    POLICY_CONSENT_REFUSED,
    POLICY_CONSENT_WITHDRAWN,
    POLICY_CONSENT_SUSPENDED,
};

#define POLICY_USES_UNLIMITED INT64_MAX

/* A field that a consent covers, up to this form; POLICY_FORM_ANY is any form. POLICY_FORM_NONE, or
 * a field that is not in the list, is not covered. */
struct policy_consent_field {
    uint16_t field;
    uint8_t form;
};

struct policy_consent {
    int64_t at_s;
    int64_t expires_s; /* exclusive: at this second it has expired. INT64_MAX if it has no end */
    int64_t uses_left; /* POLICY_USES_UNLIMITED, or how often it may still be used */
    const struct policy_consent_field *fields; /* in ascending order of field, each once */
    uint16_t field_count;
    uint8_t state; /* enum policy_consent_state */
};

/* Bring a consent's fields into the order that policy_decide() needs. Of a field that stands there
 * twice the stricter form stays. Returns the new count. POLICY_NONE fields are dropped. */
size_t policy_consent_sort(struct policy_consent_field fields[], size_t count);

/*
 * What the citizen has decided for this service and this purpose, and no other: all records, or
 * at least the newest. Which one counts is decided here: the newest not after now; of several with
 * the same time, the one that allows less, field by field.
 */
struct policy_stance {
    const struct policy_consent *consents;
    size_t consent_count;
    const int64_t *objections_s; /* the times of the objections */
    size_t objection_count;
};

/* A field has at most POLICY_CELL_RULES_MAX rules for each class of the actor and for the service.
 */
#define POLICY_FIELD_RULES_MAX (POLICY_CELL_RULES_MAX * (POLICY_SERVICE_CLASSES_MAX + 1))

/* The outcome for one field, with the record that explains it. */
struct policy_outcome {
    uint8_t reason; /* enum policy_reason */
    uint8_t form;   /* when released: the step on the field's ladder; else POLICY_FORM_NONE */
    uint8_t bases;  /* when released: the set of bases of the permits that apply */
    uint64_t must;  /* when released: the set of obligations that come with the value */
    /* Which of the rules that cover the field decided, in the order in which they are looked at;
     * for policy_outcome_rules(). Only the words that are needed are written. */
    uint64_t decided[POLICY_FIELD_RULES_MAX / 64];
};

/* Decide every field asked; outcomes has request->ask_count elements. No policy (NULL) is no
 * release: REASON_POLICY_UNAVAILABLE. */
void policy_decide(const struct policy *policy, const struct policy_request *request,
                   const struct policy_stance *stance, struct policy_outcome outcomes[]);

/*
 * The rules that decided the outcome of request->asks[ask]: all applying permits on a release, all
 * applying forbids on REASON_FORBIDDEN and REASON_FORBIDDEN_UNKNOWN, else none. Their numbers in
 * ascending order, which is that of their ids; each once. Returns how many.
 */
size_t policy_outcome_rules(const struct policy *policy, const struct policy_request *request,
                            size_t ask, const struct policy_outcome *outcome,
                            uint16_t out[POLICY_FIELD_RULES_MAX]);

/* The number that comes with an obligation of outcome->must merged by "min": the smallest among the
 * applying permits. Only for policy_obligation_is_number(). */
int64_t policy_outcome_must(const struct policy *policy, const struct policy_request *request,
                            size_t ask, const struct policy_outcome *outcome, uint16_t obligation);

/*
 * Whether a "deposit" rule lets this actor write the field: one covers (actor, purpose, field), is
 * in force and has every condition definitely as written. Forbids speak of releases only.
 * request->asks is not looked at.
 */
bool policy_may_deposit(const struct policy *policy, const struct policy_request *request,
                        uint16_t field);
