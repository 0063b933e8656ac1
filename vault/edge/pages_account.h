/*
 * pages_account - what other pages need of the account's: that the person has just shown that it is
 * still them.
 */
#pragma once

#include "pages_visit.h"

/* Whether whoever is signed in has shown a moment ago that it is still them. */
bool account_shown(const struct visit *visit);

/* The same. False: the visit is sent to show it, and comes back to next, an address of ours; a
 * mediator to where their passkeys are. */
bool account_is_fresh(struct visit *visit, const char *next);

/* Put what is wrong with a password that was typed, or with the new one, at its field. False: it is
 * something else. */
bool account_password_wrong(struct visit *visit, enum vault_code code);

/* pages_tries.c: put how often a wrong password was tried for whoever is signed in, if that is to
 * be told; of a mediator also since when there is their password, and when their passkeys changed.
 */
enum vault_code tries_put(struct visit *visit, struct vault_error *err) VAULT_MUST_CHECK;

/* pages_codes.c: put how many recovery codes are left. */
enum vault_code codes_put(struct visit *visit, struct vault_error *err) VAULT_MUST_CHECK;
