/*
 * everything - every request there is about a small bundle, one after the other.
 *
 * For properties that say "in some circumstances" or "in none": with few atoms, rules and instants
 * all requests can be gone through. Goes through every class (with and without each service that
 * rules name), purpose and field, every value of every atom and "unknown", no consent and consents
 * that allow all or the least, with and without an objection, and each time at which the rules in
 * force change.
 */
#pragma once

#include "vault/policy/decide.h"

struct everything {
    const struct policy *policy;
    const struct policy *other; /* NULL if there is one bundle */
    struct policy_atom_word atoms[POLICY_ATOM_WORDS_MAX];
    struct policy_ask ask;
    struct policy_request request;
    struct policy_consent_field covered;
    struct policy_consent consent;
    struct policy_stance stance;
    int64_t objection_s;
};

/* Called with each request and stance; false stops. */
typedef bool each_request(void *context, const struct policy_request *request,
                          const struct policy_stance *stance);

/* false if a call stopped it. */
bool everything_visit(const struct policy *policy, each_request *call, void *context);

/*
 * The same for two bundles, in the numbers of the first: at the times of both, and with every two
 * classes too. The catalogues may differ in their ladders and in the types of their fields, so a
 * form, asked for or consented to, is an enum form here. Where the two ladders of a field are not
 * the same, every form of either is asked for, together with a consent to each.
 */
bool everything_visit_both(const struct policy *policy, const struct policy *other,
                           each_request *call, void *context);
