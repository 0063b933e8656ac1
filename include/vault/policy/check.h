/*
 * check - what is wrong, or strange, in a bundle that loads: "vaultctl policy check".
 *
 * The analysis is exact. For every (class, purpose, field) it asks whether there are circumstances
 * (values of the atoms, a consent, an objection, a time) in which a rule makes a difference; and
 * since circumstances are finite, "none" means none. A service that rules name by its id is looked
 * at with each class it could have.
 *
 * Errors (the bundle should not be activated):
 *     article9_missing  a special-category field is permitted without "article9"
 *     never_applies     a rule covers nothing, or its period is empty, or its conditions contradict
 *     no_title          basis consent for a field that no consent screen can show
 *     test_fails        one of the bundle's own tests fails
 * Warnings:
 *     shadowed          a permit without which nothing would change
 *     overridden        a permit that some forbid always takes back
 *     forbids_nothing   a forbid of what no rule permits
 *     mixed_forms       permits that apply together and give different forms: the strictest counts
 *     no_permit         a purpose or a class that nothing is permitted for
 *     wildcard_permit   a permit that will cover fields added later
 *     ends_soon         a rule that ends within 30 days, or has ended
 *     not_exercised     a rule that decides nothing in any test that passes
 *     empty_wildcard    a wildcard that no field of the catalogue matches
 *     stray_release     a form for a field that the rule does not cover
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/policy/bundle.h"
#include "vault/policy/cases.h"
#include "vault/policy/policy.h"

#define POLICY_ENDS_SOON_DAYS  30

/* Of "mixed_forms", at most so many are listed. */
#define POLICY_MIXED_FORMS_MAX 1000

struct policy_finding {
    bool is_error;
    const char *kind;
    const uint16_t *rules; /* the rules in question, in ascending order */
    size_t rule_count;
    const char *text; /* one sentence */
};

struct policy_report;

/* Analyse a policy and run the tests of the bundle it was made from. now_s is for "ends_soon". */
enum vault_code policy_check(const struct policy *policy, const struct bundle *bundle,
                             int64_t now_s, struct policy_report **out, struct vault_error *err)
    VAULT_MUST_CHECK;

void policy_report_free(struct policy_report **report);

/* Errors first; then by kind and by rule. Borrowed. */
const struct policy_finding *policy_report_findings(const struct policy_report *report,
                                                    size_t *count);
size_t policy_report_errors(const struct policy_report *report);
struct policy_cases policy_report_cases(const struct policy_report *report);

/* Append the report, as lines for people or as one JSON object and a newline. */
void policy_report_write(const struct policy_report *report, bool json, struct buf *out);
