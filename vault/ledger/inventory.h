/*
 * inventory - what lies under tile/, name by name.
 *
 * Names that a log of some size must have are not listed: whoever reads the log finds out whether
 * they are there. Listed are the others that tlog-tiles knows (partial tiles of earlier
 * checkpoints, tiles published ahead of the checkpoint), and noted is the first thing that it does
 * not know.
 */
#pragma once

#include "vault/base/error.h"
#include "vault/ledger/tile.h"

#define INVENTORY_OTHERS_MAX 1000000U

struct inventory {
    struct tile_name *others; /* owned */
    size_t count;
    size_t capacity;
    char unknown[TILE_PATH_CHARS * 2]; /* "" if every name is known; cut to what fits */
};

enum vault_code inventory_take(const char *dir, uint64_t size, struct inventory *out,
                               struct vault_error *err) VAULT_MUST_CHECK;
void inventory_finish(struct inventory *inventory);
