/*
 * explain - the answer to one request, as prose for people: "vaultctl policy explain".
 *
 * For a data-protection officer who asks "why?". For each field it says whether it is released and
 * in which form; which rules decided, and why they exist, in the bundle's own words; for a denial
 * what was missing for each permit that came furthest, all of it, and what would have to change.
 * No value is shown.
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/policy/policy.h"

/* The language of two letters, "fr" or "en"; POLICY_LANGUAGE_COUNT for any other. */
enum policy_language policy_language_find(struct bytes name);

/* Append the prose for one request, JSON as for "decide" and at most POLICY_LINE_BYTES_MAX long.
 * VAULT_INVALID for what is no valid request, VAULT_TOO_LARGE, VAULT_NO_MEMORY. */
enum vault_code policy_explain(const struct policy *policy, struct bytes request,
                               enum policy_language language, struct buf *out,
                               struct vault_error *err) VAULT_MUST_CHECK;
