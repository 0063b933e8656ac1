/*
 * digest_row - a row of who wants messages, read in clear; for the modules of this floor alone.
 */
#pragma once

#include "vault/vault/digest.h"

/* The held citizen's own row. VAULT_CORRUPT if it is not theirs. */
enum vault_code digest_read_row(const struct citizen *citizen, const struct digest *row,
                                struct digest_wish *out, struct vault_error *err) VAULT_MUST_CHECK;

/* What ends a row's messages, as a letter carries it. */
enum vault_code digest_write_stop(const struct digest *row, char out[DIGEST_STOP_CHARS + 1],
                                  struct vault_error *err) VAULT_MUST_CHECK;
