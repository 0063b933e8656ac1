/*
 * retention - what the log knows in clear goes after its time.
 *
 * Openings live for some months; then they are removed, and a prune entry says how many. Where the
 * configuration says so, published entries go too after a longer time, in steps of
 * LEDGER_PRUNE_MULTIPLE: the same entry says below which index. Hashes that proofs of later entries
 * need stay for ever.
 *
 * What a pass is going to do is remembered before it begins: a crash leaves a pass that the next
 * one finishes, and its entry is made once.
 */
#pragma once

#include "vault/vault/vault.h"

/* A setting: below which index nothing is published any more. */
#define RETENTION_PRUNED_SETTING "retention.pruned"

/* One pass. The openings' months are VAULT_OPENINGS_MONTHS unless the options say otherwise. */
enum vault_code retention_run(struct vault *vault, struct vault_error *err) VAULT_MUST_CHECK;

/* Below which index the log was pruned; 0: nothing was. */
enum vault_code retention_pruned(struct vault *vault, uint64_t *below, struct vault_error *err)
    VAULT_MUST_CHECK;
