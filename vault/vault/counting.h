/*
 * counting - adding to the figures (figures.h); for the modules of this floor alone.
 */
#pragma once

#include "vault/vault/figures.h"

/* It happened once more. */
void figure_count(struct vault *vault, enum figure figure);

/* It was taken, or refused; a failure of the vault's own is neither. */
void figure_count_try(struct vault *vault, enum vault_code code, enum figure taken,
                      enum figure refused);
