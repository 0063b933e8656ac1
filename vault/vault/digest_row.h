/*
 * digest_row - a row of who wants messages, read in clear; for the modules of this floor alone.
 */
#pragma once

#include "vault/vault/digest.h"

/* The held citizen's own row. VAULT_CORRUPT if it is not theirs. */
enum vault_code digest_read_row(const struct citizen *citizen, const struct digest *row,
                                struct digest_wish *out, struct vault_error *err) VAULT_MUST_CHECK;

/* The letter to the held citizen, whose row it is: to whom, and what ends it. */
enum vault_code digest_address(const struct citizen *citizen, const struct digest *row,
                               struct digest_letter *out, struct vault_error *err) VAULT_MUST_CHECK;

/* Of rows that are due, at most as many as there was room for, those that are to be told, each by
 * take_row(): *taken is whether out is to be sent. */
typedef enum vault_code digest_taker(struct vault *vault, const struct digest *row,
                                     struct digest_letter *out, bool *taken,
                                     struct vault_error *err);
enum vault_code digest_take_each(struct vault *vault, const struct digest rows[], size_t due,
                                 digest_taker *take_row, struct digest_letter out[], size_t *count,
                                 struct vault_error *err) VAULT_MUST_CHECK;
