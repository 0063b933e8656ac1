/*
 * cases - the tests that a bundle carries, which must pass before it is activated.
 *
 * A file under tests/ is
 *
 *     {"format": "vault-tests/1", "suite": TEXT,
 *      "given": {…},                       members that every request of the file has
 *      "cases": [
 *        {"name": "a sentence that is true",
 *         "request": {…},                  as for vaultctl policy decide; "id" may be left out
 *         "expect": {"identity.birth_date": {"outcome": "released", "form": "year", "value":
 * "1990", "by": […], "must": {…}}, "address.home": "no_consent"}, "deposit": {"mobility.tariff":
 * true}}]}
 *
 * A member of a request replaces the one in "given" as a whole. What is expected of a field is its
 * outcome, or an object of which every member must be as the answer has it. A field that is asked
 * but not expected must not be released. "deposit" says which fields the service may write.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "vault/base/error.h"
#include "vault/policy/bundle.h"
#include "vault/policy/policy.h"

struct policy_cases {
    size_t passed;
    size_t failed;
};

/* What is told of a failure: the file, the case's name, and what came instead. One line of text. */
typedef void policy_case_failed(void *context, const char *file, const char *name,
                                const char *what);

/*
 * Run all tests of a bundle on the policy made from it. failed may be NULL. exercised, which may be
 * NULL, has a place for each rule and is set for those that decided some field, or allowed some
 * deposit, in a case that passed.
 */
enum vault_code policy_cases_run(const struct policy *policy, const struct bundle *bundle,
                                 policy_case_failed *failed, void *context, bool exercised[],
                                 struct policy_cases *out, struct vault_error *err)
    VAULT_MUST_CHECK;
