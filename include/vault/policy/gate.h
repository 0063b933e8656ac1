/*
 * gate - what a bundle must pass before it is activated (contract, section 7).
 *
 * A bundle that is signed and loads may still be wrong. It is not let through if
 *
 *     - policy_check() finds anything of level error, a test that fails among them;
 *     - the compiled form answers one of 10,000 random requests otherwise than a second text of the
 *       contract does, which is written to be read and shares nothing with it
 * (vault/policy/naive.h).
 *
 * Then it is compared with the active one: whether it widens anything is for the caller to weigh.
 *
 * The random requests come from a seed and are about the bundle's own rules: what they name, at the
 * times at which they change, with atoms that meet them and such that do not.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/policy/bundle.h"
#include "vault/policy/diff.h"
#include "vault/policy/policy.h"

#define POLICY_GATE_REQUESTS 10000

/* What is let through: a bundle, the policy compiled from it, and the one that decides until now,
 * NULL if none does. */
struct policy_candidate {
    const struct bundle *bundle;
    const struct policy *policy;
    const struct policy *active;
    int64_t now_s;
    uint64_t seed;
    struct buf *diff; /* what is different is appended here, as policy_diff_write_json() does; may
                         be NULL */
};

/* What the gate found of a bundle that may pass. */
struct policy_passed {
    bool compared;                       /* there is an active one */
    size_t changes[POLICY_CHANGE_KINDS]; /* against the active one; 0 if there is none */
    size_t besides;                      /* other differences, see diff.h */
    bool widens;                         /* it gives somebody more than the active one */
};

/* VAULT_INVALID or VAULT_CORRUPT if the bundle may not pass, and the text says why;
 * VAULT_NO_MEMORY. */
enum vault_code policy_gate_pass(const struct policy_candidate *candidate,
                                 struct policy_passed *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The second of the two by itself: compare on so many random requests. VAULT_CORRUPT where they
 * differ. */
enum vault_code policy_compare_naive(const struct bundle *bundle, const struct policy *policy,
                                     uint64_t seed, size_t requests, struct vault_error *err)
    VAULT_MUST_CHECK;
