/*
 * digest_row - a row of who wants messages, read in clear; for the modules of this floor alone.
 */
#pragma once

#include "vault/vault/digest.h"

/* The held citizen's own row. VAULT_CORRUPT if it is not theirs. */
enum vault_code digest_read_row(const struct citizen *citizen, const struct digest *row,
                                struct digest_wish *out, struct vault_error *err) VAULT_MUST_CHECK;
