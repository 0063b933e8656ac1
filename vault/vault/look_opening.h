/*
 * look_opening - of one entry's opening, what an auditor may be shown; for look.c alone.
 */
#pragma once

#include "vault/vault/look.h"

struct look_found {
    enum look_result result;
    struct buf what;
    struct buf line;
};

void look_found_finish(struct look_found *found);

/* Read what one published entry may show. What cannot be shown is a result; an error is about the
 * vault's means alone. */
enum vault_code look_opening_read(struct vault *vault, uint64_t index, struct look_found *out,
                                  struct vault_error *err) VAULT_MUST_CHECK;
