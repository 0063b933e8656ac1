/*
 * piece - the leaves of a log, 256 at a time, read and hashed ahead by as many threads as there are
 * processors.
 *
 * What can be said of a bundle and its tile by themselves is said here; what needs the order of the
 * log is for whoever takes the pieces, one after the other.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/base/error.h"
#include "vault/ledger/entry.h"
#include "vault/ledger/tile.h"
#include "vault/ledger/tree.h"

/* What the auditor's checks need of an entry. */
struct piece_entry {
    bool is_entry; /* it keeps the grammar */
    uint8_t event; /* enum entry_event */
    int64_t time_ms;
    uint64_t count;
    uint64_t below;
};

struct piece {
    struct tile_name tile;        /* of level 0; the bundle has the same index and width */
    enum vault_code entries_code; /* of reading the bundle; entries[] only if VAULT_OK */
    enum vault_code hashes_code;  /* of reading the tile */
    struct vault_error entries_error;
    struct vault_error hashes_error;
    struct tree_hash leaves[TILE_WIDTH]; /* of the entries, or else of the tile */
    struct tree_hash root;               /* over a full piece's leaves */
    struct piece_entry entries[TILE_WIDTH];
    bool differs; /* the tile has another hash than an entry */
    unsigned differs_at;
    unsigned wrong_at; /* the first entry that is none; TILE_WIDTH: all are */
    struct vault_error wrong;
};

struct pieces;

enum vault_code pieces_open(const char *dir, uint64_t size, struct pieces **out,
                            struct vault_error *err) VAULT_MUST_CHECK;
void pieces_close(struct pieces **pieces);

/* The piece of an index, which is larger than that of the call before; borrowed until the next
 * call. */
const struct piece *pieces_get(struct pieces *pieces, uint64_t index);
