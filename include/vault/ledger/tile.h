/*
 * tile - the published form of the log: C2SP tlog-tiles in a folder.
 *
 *     DIR/checkpoint
 *     DIR/tile/L/N         256 hashes of level L (node (8·L, i) of the tree), 8,192 bytes
 *     DIR/tile/L/N.p/W     the first W of them, while there are no more
 *     DIR/tile/entries/N   256 entries, each with its length before it in two bytes
 *     DIR/tile/entries/N.p/W
 *
 * N is written in groups of three digits, all but the last after an x: 1234067 is x001/x234/067. A
 * tree of s leaves has s / 256^L whole hashes at level L. Files never change once they are there;
 * a full one may stand where a partial one is looked for, since it begins with the same bytes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/ledger/entry.h"
#include "vault/ledger/tree.h"

#define TILE_WIDTH        256U
#define TILE_BYTES        (TILE_WIDTH * TREE_HASH_BYTES)
#define TILE_BUNDLE_BYTES (TILE_WIDTH * (2 + ENTRY_MAX_BYTES)) /* at most */
#define TILE_HEIGHT       8                                    /* levels of the tree in a tile */
#define TILE_LEVELS       8 /* sizes to 2^62 have no hashes at level 8 */
#define TILE_PATH_CHARS   64

enum { TILE_ENTRIES = -1 }; /* the level of bundles of entries */

struct tile_name {
    int level;      /* 0 to 63, or TILE_ENTRIES */
    uint64_t index; /* in the level */
    unsigned width; /* 1 to TILE_WIDTH */
};

/* How many hashes a tree of this size has at a tile level, and for TILE_ENTRIES how many entries.
 */
uint64_t tile_hash_count(uint64_t size, int level);

/* The tile of this index in a tree of this size; width 0 if there is none. */
struct tile_name tile_of(uint64_t size, int level, uint64_t index);

/* "tile/0/x001/067.p/12", NUL-ended. */
void tile_path(char out[static TILE_PATH_CHARS], struct tile_name name);

/* Whether the path, "tile/…", is a name of tlog-tiles. */
bool tile_path_parse(struct bytes path, struct tile_name *out);

/*
 * Read a tile or bundle of the log in dir. Where a partial one is asked for and gone, the beginning
 * of the full one is given. tile_load reads into memory that can be used again and again; tile_read
 * appends.
 *
 * VAULT_NOT_FOUND  it is not there
 * VAULT_CORRUPT    it has another size than its width says, or entries that are cut off
 */
struct tile_content {
    size_t size;
    uint8_t data[TILE_BUNDLE_BYTES + 1]; /* one more, to notice a file that is too large */
};

enum vault_code tile_load(const char *dir, struct tile_name name, struct tile_content *out,
                          struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code tile_read(const char *dir, struct tile_name name, struct buf *out,
                          struct vault_error *err) VAULT_MUST_CHECK;

/* A bundle's entries in turn: false when there is none left, or what is left is none. */
void tile_bundle_append(struct buf *bundle, struct bytes entry);
bool tile_bundle_next(struct cursor *bundle, struct bytes *entry);

/* Append the text of one entry of a log of this size. As tile_read(). */
enum vault_code tile_read_entry(const char *dir, uint64_t size, uint64_t index, struct buf *out,
                                struct vault_error *err) VAULT_MUST_CHECK;

/*
 * The nodes of a log that is published at this size, from its tiles, for proofs in trees of this
 * size and smaller ones. Nothing is believed of them: a proof made from damaged tiles does not
 * hold. One thread at a time.
 */
struct tile_source;

enum vault_code tile_source_new(const char *dir, uint64_t size, struct tile_source **out,
                                struct vault_error *err) VAULT_MUST_CHECK;
void tile_source_free(struct tile_source **source);
struct tree_source tile_source_nodes(struct tile_source *source);

/* From now on compute the hashes of a tile that is not there from the tiles or entries below it: an
 * auditor is told by entries as much as by hashes. */
void tile_source_compute_missing(struct tile_source *source);
