/*
 * active_policy - the policy that decides now.
 *
 * A bundle is activated from a folder: verified against the configured signers, loaded, compared
 * with the active one (its version must be higher), let through the gate (its tests, the analysis,
 * the compiled form against a naive evaluator, what it widens; vault/policy/gate.h), copied into
 * the vault's own folder, and swapped in. One that gives somebody more than the active one does
 * needs as many signatures as the options say for that. Whoever decides holds the bundle while it
 * does, so that a request sees one bundle, whole. Anything wrong leaves the old one active.
 *
 * A trusted key that has ended (vault/policy/trust.h) activates nothing. What it signed in its time
 * goes on deciding until the bundle itself expires, and is loaded again at every start: when a
 * bundle may decide is for the bundle to say. A key taken out of the list is another matter: what
 * was signed by it alone is not loaded again, and nothing is released until a newer bundle is
 * activated. What is loaded again is the very bundle that was activated: the store knows the hash
 * of its manifest.
 *
 * What a bundle changes is recorded before it decides: VERSION-HASH.diff.json beside the vault's
 * copy VERSION-HASH of it is the document of "vaultctl policy diff --json" between the bundle that
 * was active and the new one. Where there was none to compare with, it has no changes and says so:
 * "compared" is false, and "why" is "first" or "damaged".
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/policy/gate.h"
#include "vault/policy/policy.h"
#include "vault/vault/vault.h"

/* A bundle held. policy is NULL while none is active. */
struct policy_hold {
    const struct policy *policy;
    struct active_policy *active;
};

struct policy_hold active_policy_hold(struct vault *vault);
void active_policy_release(struct policy_hold *hold);

/* What an activation changed, for the operator: counts, and where it is told in full. */
struct policy_activation {
    uint64_t version;
    struct policy_passed passed; /* as the gate found it, but wider if it could not be compared */
    bool was_damaged; /* not compared, since the one that was active could not be loaded */
    char diff_path[PATH_MAX];
};

/* Activate the bundle in a folder. VAULT_INVALID, VAULT_DENIED (signatures), VAULT_CONFLICT
 * (version, time): the text says what is wrong and where. Logged. */
enum vault_code active_policy_replace(struct vault *vault, const char *folder,
                                      struct policy_activation *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The same, for who does not ask what changed. */
enum vault_code active_policy_set(struct vault *vault, const char *folder, struct vault_error *err)
    VAULT_MUST_CHECK;
