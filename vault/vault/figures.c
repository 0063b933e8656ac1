#include "vault/vault/figures.h"

#include "counting.h"
#include "endings.h"
#include "parts.h"

void figure_count(struct vault *vault, enum figure figure)
{
    atomic_fetch_add_explicit(&vault->figures[figure], 1, memory_order_relaxed);
}

void figure_count_try(struct vault *vault, enum vault_code code, enum figure taken,
                      enum figure refused)
{
    if (code == VAULT_OK)
        figure_count(vault, taken);
    else if (code == VAULT_DENIED)
        figure_count(vault, refused);
}

void vault_figures(struct vault *vault, struct figures *out)
{
    for (size_t i = 0; i < FIGURE_COUNT; i++)
        out->counts[i] = atomic_load_explicit(&vault->figures[i], memory_order_relaxed);
    if (endings_count(vault, &out->clients_ending, NULL))
        out->clients_ending = 0;
    out->ready = vault_ready(vault, NULL) == VAULT_OK;
    out->store = store_stats(vault->store);
    out->log = ledger_stats(vault->ledger);
    out->keyholder = (struct keyholder_figures){0};
    if (vault->options.keyholder &&
        keyholder_figures(vault->options.keyholder, &out->keyholder, NULL))
        out->keyholder = (struct keyholder_figures){0};
}
