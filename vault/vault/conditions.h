/*
 * conditions - what holds when a service asks for fields or brings some: the atoms of a policy. For
 * the modules of this floor alone.
 *
 * A service says what its registration lets it say; what the vault itself knows of the citizen it
 * alone says, whatever a registration lists. The rest stays unknown, which a policy takes for the
 * answer that lets through less.
 */
#pragma once

#include "vault/base/json.h"
#include "vault/policy/policy.h"
#include "vault/store/citizen.h"
#include "vault/vault/consent.h"
#include "vault/vault/service.h"

/* Whether the service may say this. */
bool condition_may_be_asserted(const struct service *service, const char *name);

/* Take what a service says, an object or NULL, into the atoms. What it may not say, and what the
 * policy does not know, is left out. */
void conditions_assert(const struct policy *policy, const struct service *service,
                       const json_t *context, struct policy_atom_word atoms[]);

/* Whether what the vault itself says of a citizen comes from that field. */
bool condition_rests_on(const char *field);

/* Take what the vault knows of the held citizen into the atoms. consent is what they gave for what
 * is asked, NULL for nothing: one in force that a guardian agreed to is what the policy calls a
 * guardian agreeing, for as long as the citizen is a minor. */
enum vault_code conditions_know(const struct policy *policy, struct citizen *citizen,
                                const struct consent *consent, int64_t now_s,
                                struct policy_atom_word atoms[], struct vault_error *err)
    VAULT_MUST_CHECK;
