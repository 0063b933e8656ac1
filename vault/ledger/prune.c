/* Removing what a log may forget: C2SP tlog-tiles, "Pruning". */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "state.h"
#include "vault/base/file.h"

/* Remove a full tile, and its folders where it was the last in them. */
static enum vault_code remove_tile(const char *dir, struct tile_name name, struct vault_error *err)
{
    char relative[TILE_PATH_CHARS];
    char path[PATH_MAX];
    tile_path(relative, name);
    VAULT_TRY(file_join(path, sizeof path, dir, relative, err));
    if (unlink(path) != 0 && errno != ENOENT)
        return vault_fail_errno(err, "removing %s", path);
    for (char *slash = strrchr(path, '/'); slash && slash > path + strlen(dir) + 1;
         slash = strrchr(path, '/')) {
        *slash = 0;
        if (rmdir(path) != 0)
            break;
    }
    return VAULT_OK;
}

/* The tiles of one level that end at or before the index: tile n holds what is below
 * (n + 1) * 256^(level + 1), a bundle of entries as much as a tile of level 0. */
static enum vault_code prune_level(const char *dir, int level, uint64_t from, uint64_t below,
                                   struct vault_error *err)
{
    const unsigned shift = TILE_HEIGHT * ((level < 0 ? 0U : (unsigned)level) + 1);
    for (uint64_t i = from >> shift; i < below >> shift; i++) {
        const struct tile_name name = {.level = level, .index = i, .width = TILE_WIDTH};
        VAULT_TRY(remove_tile(dir, name, err));
    }
    return VAULT_OK;
}

enum vault_code ledger_prune(struct ledger *ledger, uint64_t from, uint64_t below,
                             struct vault_error *err)
{
    if (below % LEDGER_PRUNE_MULTIPLE != 0 || below > ledger_published_size(ledger))
        return vault_fail(err, VAULT_INVALID,
                          "a log is pruned below a multiple of %u that is published",
                          LEDGER_PRUNE_MULTIPLE);
    for (int level = TILE_ENTRIES; level < TILE_LEVELS - 1; level++)
        VAULT_TRY(prune_level(ledger->dir, level, from, below, err));
    return VAULT_OK;
}
