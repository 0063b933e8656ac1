/*
 * figures - how often what happened, and how the parts do, for those who watch over the vault.
 *
 * Counted since the vault was opened, in memory, without a lock. Of what happens to people there
 * are only sums: nothing here tells who, which service or which field.
 */
#pragma once

#include "vault/ledger/ledger.h"
#include "vault/store/keyholder.h"
#include "vault/store/store.h"
#include "vault/vault/vault.h"

enum figure {
    FIGURE_RELEASED,  /* a release with a value in it */
    FIGURE_WITHHELD,  /* one without */
    FIGURE_EVALUATED, /* decided, and not read (evaluation.h) */
    FIGURE_DEPOSITED,
    FIGURE_DEPOSIT_REFUSED,
    FIGURE_PASSWORD_TAKEN, /* a citizen is signed in by it, or by a recovery code in its place */
    FIGURE_PASSWORD_REFUSED,
    FIGURE_PASSKEY_TAKEN,
    FIGURE_PASSKEY_REFUSED,
    FIGURE_ACTIVATION_TAKEN,
    FIGURE_ACTIVATION_REFUSED,
    FIGURE_COUNT
};

struct figures {
    uint64_t counts[FIGURE_COUNT];
    bool ready;            /* as vault_ready() has it */
    size_t clients_ending; /* services and auditors whose last certificate ends within 30 days */
    struct store_stats store;
    struct ledger_stats log;
    struct keyholder_figures keyholder; /* zeros where there is none, or it is gone */
};

void vault_figures(struct vault *vault, struct figures *out);
