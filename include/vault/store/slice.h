/*
 * slice - a table of codes gone through piece by piece, so that nobody waits long for what is
 * removed from it, however large it is.
 *
 *     struct slice slice = {.limit = 1000};
 *     do
 *         VAULT_TRY(mandate_codes_prune(store, now_s, &slice, err));
 *     while (slice.more);
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/crypto/hash.h"

struct slice {
    size_t limit;                /* rows to look at in a piece, 1 and more */
    bool more;                   /* the next piece begins behind after; false: at the start */
    uint8_t after[SHA256_BYTES]; /* the last row looked at */
    uint64_t gone;               /* how many were removed so far */
};
