/*
 * policy_register_write - the files of the register, for active_policy.c alone.
 */
#pragma once

#include "vault/ledger/ledger.h"
#include "vault/policy/bundle.h"
#include "vault/policy/gate.h"
#include "vault/policy/trust.h"
#include "vault/vault/vault.h"

#define POLICY_REGISTER_SUFFIX ".register.json"
#define POLICY_RECORD_SUFFIX   ".active.json"

/* Write what a bundle allows, beside its copy of that name in the vault's policy folder. */
enum vault_code policy_register_write(const struct vault *vault, const char *name,
                                      const struct policy *policy, struct vault_error *err)
    VAULT_MUST_CHECK;

/* That it was activated. ticket NULL: it is not known when; passed NULL: nor what it changed. */
struct policy_activated {
    const struct bundle *bundle;
    const struct policy *policy;
    const struct policy_trust *trust;
    const struct ledger_ticket *ticket;
    const struct policy_passed *passed;
};

enum vault_code policy_record_write(const struct vault *vault, const char *name,
                                    const struct policy_activated *activated,
                                    struct vault_error *err) VAULT_MUST_CHECK;

/* Whether there is such a record. */
bool policy_record_exists(const struct vault *vault, const char *name);
