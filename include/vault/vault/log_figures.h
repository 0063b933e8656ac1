/*
 * log_figures - how much happened, day by day, as the published log has it.
 *
 * The entries are counted once and in their order (store/figures.h): a chore of the vault's does it
 * every minute, and whoever asks does the rest first, as far as one request may. How far it has
 * come is said with the figures, so that they are never taken for more than they are.
 */
#pragma once

#include "vault/store/figures.h"
#include "vault/vault/vault.h"

#define LOG_FIGURES_AT_ONCE (16U * FIGURES_BATCH_MAX) /* entries counted for one request */

/* How far the counting has come. */
struct log_figures_state {
    uint64_t counted;   /* entries below this index */
    uint64_t tree_size; /* of so many that are published */
};

/* Count at most so many entries (0: none). VAULT_CORRUPT if published entries cannot be read. */
enum vault_code log_figures_count(struct vault *vault, size_t most, struct log_figures_state *out,
                                  struct vault_error *err) VAULT_MUST_CHECK;

/* The day that a time falls on, as figures count them. */
int32_t log_figures_day(int64_t time_ms);

/* What was counted, as figures_list(). */
enum vault_code log_figures_list(struct vault *vault, int32_t from_day, int32_t to_day,
                                 figures_each *each, void *context, struct vault_error *err)
    VAULT_MUST_CHECK;
