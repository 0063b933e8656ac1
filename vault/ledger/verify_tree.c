#include "verify_tree.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "inventory.h"
#include "piece.h"
#include "vault/ledger/tile.h"
#include "verdict.h"

#define PROGRESS_EVERY 65536U

/* The hashes of a level's current tile, as computed from what is below it. */
struct level {
    struct tree_hash hashes[TILE_WIDTH];
};

struct walk {
    const struct verify_options *options;
    struct verify_report *report;
    struct vault_error *err;
    uint64_t size;
    struct tree_frontier frontier;
    struct level levels[TILE_LEVELS];
    struct pieces *pieces; /* owned */
    struct tile_content tile;
    struct tile_content other;
    enum vault_code failed; /* something could not be read, for another reason than being absent */
    bool is_lost;           /* there is a gap that nothing leads over */

    uint64_t missing_end; /* the largest end of a tile that is missing; 0: none is */
    char missing[TILE_PATH_CHARS];
    uint64_t missing_entries;

    int64_t last_time_ms;
    uint64_t of_citizens; /* entries that concern one, and so had an opening */
    uint64_t gone;        /* openings that erase and prune entries count */
    uint64_t erased;      /* those of erase entries */
    uint64_t erasures;
};

/* Behind which entry a tile ends (tlog-tiles: "end index"). */
static uint64_t end_of(struct tile_name name)
{
    const unsigned shift =
        TILE_HEIGHT * (name.level == TILE_ENTRIES ? 1 : (unsigned)name.level + 1);
    return shift < 64 && name.index < UINT64_MAX >> shift ? (name.index + 1) << shift : UINT64_MAX;
}

static void note_missing(struct walk *walk, struct tile_name name)
{
    const uint64_t end = end_of(name);
    if (end <= walk->missing_end)
        return;
    walk->missing_end = end;
    tile_path(walk->missing, name);
}

/* Note what came of loading a tile: whether it is there and whole. */
static bool note_code(struct walk *walk, struct tile_name name, enum vault_code code,
                      const struct vault_error *why)
{
    if (code == VAULT_NOT_FOUND)
        note_missing(walk, name);
    else if (code == VAULT_CORRUPT)
        verdict_fail(walk->report, VERIFY_FORMAT, VERIFY_EXIT_INVALID, "%.200s", why->text);
    else if (code)
        walk->failed = vault_fail(walk->err, code, "%s", why->text);
    return code == VAULT_OK;
}

static bool load(struct walk *walk, struct tile_name name, struct tile_content *out)
{
    struct vault_error why;
    return note_code(walk, name, tile_load(walk->options->dir, name, out, &why), &why);
}

static const struct tree_hash *hash_in(const struct tile_content *tile, unsigned number,
                                       struct tree_hash *copy)
{
    memcpy(copy->bytes, tile->data + (size_t)number * TREE_HASH_BYTES, TREE_HASH_BYTES);
    return copy;
}

/* Compare a level's tile, as far as it is computed, with the published one. */
static void check_tile(struct walk *walk, struct tile_name name)
{
    if (!load(walk, name, &walk->tile))
        return;
    for (unsigned i = 0; i < name.width; i++) {
        struct tree_hash published;
        if (tree_hash_equal(hash_in(&walk->tile, i, &published),
                            &walk->levels[name.level].hashes[i]))
            continue;
        char path[TILE_PATH_CHARS];
        tile_path(path, name);
        verdict_fail(walk->report, VERIFY_HASHES, VERIFY_EXIT_INVALID,
                     "hash %u of %s is not that of the entries below it", i, path);
        return;
    }
}

/* Told of every node of the tree; those that stand in tiles above level 0 are kept and compared. */
static void note_node(void *context, unsigned level, uint64_t index, const struct tree_hash *hash)
{
    struct walk *walk = context;
    const unsigned tile_level = level / TILE_HEIGHT;
    if (level % TILE_HEIGHT != 0 || tile_level == 0 || tile_level >= TILE_LEVELS)
        return;
    walk->levels[tile_level].hashes[index % TILE_WIDTH] = *hash;
    if (index % TILE_WIDTH == TILE_WIDTH - 1)
        check_tile(walk, (struct tile_name){(int)tile_level, index / TILE_WIDTH, TILE_WIDTH});
}

/* What erase and prune entries count together can never have been more openings than there were
 * entries before them that had one. */
static void note_gone(struct walk *walk, enum verify_check check, uint64_t index,
                      const struct piece_entry *entry)
{
    const uint64_t possible = walk->of_citizens + walk->missing_entries;
    const uint64_t left = possible - walk->gone;
    walk->gone += entry->count < left ? entry->count : left;
    if (entry->count > left)
        verdict_fail(walk->report, check, VERIFY_EXIT_INVALID,
                     "the %s entry %" PRIu64 " counts %" PRIu64 " openings where at most %" PRIu64
                     " were left",
                     entry_event_name((enum entry_event)entry->event), index, entry->count, left);
}

static void note_prune(struct walk *walk, uint64_t index, const struct piece_entry *entry)
{
    note_gone(walk, VERIFY_PRUNING, index, entry);
    if (entry->below % LEDGER_PRUNE_MULTIPLE != 0 || entry->below > index)
        verdict_fail(walk->report, VERIFY_PRUNING, VERIFY_EXIT_INVALID,
                     "the prune entry %" PRIu64 " is for entries below %" PRIu64
                     ", which is no multiple of %u before it",
                     index, entry->below, LEDGER_PRUNE_MULTIPLE);
    else if (entry->below > walk->report->pruned_below)
        walk->report->pruned_below = entry->below;
}

static void note_erasure(struct walk *walk, uint64_t index, const struct piece_entry *entry)
{
    note_gone(walk, VERIFY_ERASURES, index, entry);
    walk->erasures++;
    walk->erased += entry->count;
}

static void judge_entry(struct walk *walk, uint64_t index, const struct piece_entry *entry)
{
    struct verify_report *report = walk->report;
    report->entries_read++;
    if (!entry->is_entry)
        return;
    if (entry->time_ms < walk->last_time_ms)
        verdict_fail(report, VERIFY_TIMES, VERIFY_EXIT_INVALID,
                     "entry %" PRIu64 " is earlier than one before it", index);
    else
        walk->last_time_ms = entry->time_ms;
    if (report->first_time_ms < 0)
        report->first_time_ms = entry->time_ms;
    report->events[entry->event]++;
    if (entry->event == ENTRY_PRUNE)
        note_prune(walk, index, entry);
    if (entry->event == ENTRY_ERASE)
        note_erasure(walk, index, entry);
    walk->of_citizens += entry_event_has_subject((enum entry_event)entry->event);
}

static void judge_piece(struct walk *walk, const struct piece *piece)
{
    const uint64_t first = walk->frontier.size;
    const bool has_entries = piece->entries_code == VAULT_OK;
    if (piece->differs)
        verdict_fail(walk->report, VERIFY_HASHES, VERIFY_EXIT_INVALID,
                     "entry %" PRIu64 " does not have the hash that its tile has",
                     first + piece->differs_at);
    if (has_entries && piece->wrong_at < TILE_WIDTH)
        verdict_fail(walk->report, VERIFY_ENTRIES, VERIFY_EXIT_INVALID, "entry %" PRIu64 ": %.180s",
                     first + piece->wrong_at, piece->wrong.text);
    for (unsigned i = 0; has_entries && i < piece->tile.width; i++)
        judge_entry(walk, first + i, &piece->entries[i]);
    if (!has_entries)
        walk->missing_entries += piece->tile.width;
}

static void add_leaves(struct walk *walk, const struct piece *piece)
{
    const unsigned width = piece->tile.width;
    if (width == TILE_WIDTH)
        tree_frontier_add_node(&walk->frontier, TILE_HEIGHT, &piece->root, note_node, walk);
    for (unsigned i = 0; width < TILE_WIDTH && i < width; i++)
        tree_frontier_add(&walk->frontier, &piece->leaves[i], note_node, walk);
    if (walk->options->progress && walk->frontier.size % PROGRESS_EVERY == 0)
        walk->options->progress(walk->options->context, walk->frontier.size, walk->size);
}

/* The entries of a bundle, or else the hashes of its tile. False if neither is there. */
static bool walk_leaves(struct walk *walk)
{
    const struct piece *piece = pieces_get(walk->pieces, walk->frontier.size / TILE_WIDTH);
    struct tile_name bundle = piece->tile;
    bundle.level = TILE_ENTRIES;
    const bool has_entries = note_code(walk, bundle, piece->entries_code, &piece->entries_error);
    const bool has_hashes = note_code(walk, piece->tile, piece->hashes_code, &piece->hashes_error);
    if (!has_entries && !has_hashes)
        return false;
    judge_piece(walk, piece);
    add_leaves(walk, piece);
    return true;
}

/* Go over a gap by the lowest published hash that covers it. False if there is none. */
static bool step_over(struct walk *walk)
{
    const uint64_t at = walk->frontier.size;
    for (int level = 1; level < TILE_LEVELS; level++) {
        const uint64_t leaves = UINT64_C(1) << (TILE_HEIGHT * level);
        const uint64_t index = at / leaves;
        if (at % leaves != 0 || walk->size - at < leaves)
            return false;
        if (!load(walk, tile_of(walk->size, level, index / TILE_WIDTH), &walk->tile))
            continue;
        struct tree_hash hash;
        hash_in(&walk->tile, (unsigned)(index % TILE_WIDTH), &hash);
        walk->missing_entries += leaves;
        tree_frontier_add_node(&walk->frontier, (unsigned)level * TILE_HEIGHT, &hash, note_node,
                               walk);
        return true;
    }
    return false;
}

static void walk_all(struct walk *walk)
{
    while (walk->frontier.size < walk->size && !walk->is_lost && !walk->failed) {
        walk->is_lost = !walk_leaves(walk) && !step_over(walk);
    }
    for (int level = 1; !walk->is_lost && tile_hash_count(walk->size, level); level++) {
        const struct tile_name last =
            tile_of(walk->size, level, tile_hash_count(walk->size, level) / TILE_WIDTH);
        if (last.width)
            check_tile(walk, last);
    }
}

/* A tile that the checkpoint does not need: whole by itself, and the same as far as it overlaps. */
static void check_other(struct walk *walk, struct tile_name name)
{
    char path[TILE_PATH_CHARS];
    const struct tile_name now =
        name.level < TILE_LEVELS ? tile_of(walk->size, name.level, name.index) : name;
    tile_path(path, name);
    if (!load(walk, name, &walk->other) || name.level >= TILE_LEVELS || now.width == 0)
        return;
    struct tile_content *needed = &walk->tile;
    if (tile_load(walk->options->dir, now, needed, NULL) != VAULT_OK)
        return; /* that it is missing has been noted */
    const size_t size = walk->other.size < needed->size ? walk->other.size : needed->size;
    if (memcmp(walk->other.data, needed->data, size) != 0)
        verdict_fail(walk->report, VERIFY_HASHES, VERIFY_EXIT_INVALID,
                     "%s differs from the tile that took its place", path);
}

static enum vault_code check_names(struct walk *walk)
{
    VAULT_AUTO(inventory_finish) struct inventory inventory = {0};
    VAULT_TRY(inventory_take(walk->options->dir, walk->size, &inventory, walk->err));
    if (inventory.unknown[0])
        verdict_fail(walk->report, VERIFY_FORMAT, VERIFY_EXIT_INVALID,
                     "%s is no name of tlog-tiles", inventory.unknown);
    const uint64_t missing_end = walk->missing_end;
    for (size_t i = 0; i < inventory.count && !walk->failed; i++)
        check_other(walk, inventory.others[i]);
    walk->missing_end = missing_end; /* one that has gone since is not missed */
    return walk->failed;
}

static void judge_hashes(struct walk *walk)
{
    struct verify_report *report = walk->report;
    if (walk->is_lost) {
        verdict_skip(report, VERIFY_HASHES, "too much is missing to compute the root");
        return;
    }
    const struct tree_hash root = tree_frontier_root(&walk->frontier);
    if (!tree_hash_equal(&root, &report->head.root))
        verdict_fail(report, VERIFY_HASHES, VERIFY_EXIT_INVALID,
                     "the entries do not give the root of the checkpoint");
    verdict_pass(report, VERIFY_HASHES, "%" PRIu64 " entries give the root of the checkpoint",
                 walk->size);
}

static void judge_completeness(struct walk *walk)
{
    struct verify_report *report = walk->report;
    if (walk->missing_end > report->pruned_below || walk->is_lost)
        verdict_fail(report, VERIFY_COMPLETE, VERIFY_EXIT_MISSING,
                     "%s is missing, and no prune entry allows it", walk->missing);
    else if (walk->missing_end)
        verdict_pass(report, VERIFY_COMPLETE,
                     "only what prune entries allow is missing, below %" PRIu64,
                     report->pruned_below);
    else
        verdict_pass(report, VERIFY_COMPLETE, "every tile and every bundle of entries is there");
}

static void judge_entries(struct walk *walk)
{
    struct verify_report *report = walk->report;
    const uint64_t read = report->entries_read;
    if (read == 0 && walk->size > 0) {
        verdict_skip(report, VERIFY_ENTRIES, "there is no entry to read");
        verdict_skip(report, VERIFY_TIMES, "there is no entry to read");
        return;
    }
    verdict_pass(report, VERIFY_ENTRIES, "%" PRIu64 " entries are as entries must be", read);
    verdict_pass(report, VERIFY_TIMES, "no entry is earlier than one before it");
    if (read > 0)
        report->last_time_ms = walk->last_time_ms;
    if (report->events[ENTRY_PRUNE])
        verdict_pass(report, VERIFY_PRUNING,
                     "%" PRIu64 " prune entries; what is below %" PRIu64 " may be missing",
                     report->events[ENTRY_PRUNE], report->pruned_below);
    else
        verdict_pass(report, VERIFY_PRUNING, "nothing was pruned");
    verdict_pass(report, VERIFY_ERASURES,
                 "%" PRIu64 " erasures of %" PRIu64 " openings, among %" PRIu64
                 " entries that concern citizens",
                 walk->erasures, walk->erased, walk->of_citizens);
}

static void walk_free(struct walk **walk)
{
    if (*walk)
        pieces_close(&(*walk)->pieces);
    free(*walk);
    *walk = NULL;
}

enum vault_code verify_tree(const struct verify_options *options, struct verify_report *report,
                            struct vault_error *err)
{
    VAULT_AUTO(walk_free) struct walk *walk = calloc(1, sizeof *walk);
    if (!walk)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    walk->options = options;
    walk->report = report;
    walk->err = err;
    walk->size = report->head.size;
    VAULT_TRY(pieces_open(options->dir, walk->size, &walk->pieces, err));
    walk_all(walk);
    VAULT_TRY(walk->failed);
    VAULT_TRY(check_names(walk));
    verdict_pass(report, VERIFY_FORMAT,
                 "the checkpoint and every file under tile/ is as it must be");
    judge_hashes(walk);
    judge_entries(walk);
    judge_completeness(walk);
    return VAULT_OK;
}
