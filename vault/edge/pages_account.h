/*
 * pages_account - what other pages need of the account's: that the person has just shown that it is
 * still them.
 */
#pragma once

#include "pages_visit.h"

/* Whether the password was given a moment ago. False: the visit is sent to give it, and comes back
 * to next, an address of ours. */
bool account_is_fresh(struct visit *visit, const char *next);

/* pages_codes.c: put how many recovery codes are left. */
enum vault_code codes_put(struct visit *visit, struct vault_error *err) VAULT_MUST_CHECK;
