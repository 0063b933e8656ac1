/*
 * pages_unasked - what services may see without asking: the uses that rest on another basis than
 * consent, by the city's policy, with what the citizen can do about each.
 */
#pragma once

#include "pages_visit.h"
#include "vault/policy/policy.h"

/* Put the uses by one service, or by every active one (NULL), into the list "unasked": service,
 * service_name, purpose, purpose_title, fields, basis_text, objectable_shown, objected_shown with
 * objected_at. The flag "unasked_shown" says that there are some, and
 * "paused_shown" that the citizen paused everything. policy may be NULL: there is nothing then. */
enum vault_code stance_put(struct visit *visit, const struct policy *policy, const char *service,
                           struct vault_error *err) VAULT_MUST_CHECK;
