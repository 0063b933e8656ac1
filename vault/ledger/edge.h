/*
 * edge - the part of the tree that is not published yet, in memory.
 *
 * The writer adds the leaves it has signed; the publisher takes whole and partial tiles out, and
 * drops what the published tiles hold. Only hashes at tile levels are kept (levels 0, 8, 16, …):
 * what lies between is folded from them when a proof needs it. For each level the edge begins at
 * a full tile's border, so that whatever it does not hold is in a full, published tile.
 *
 * Not safe from several threads: the ledger has a lock for it.
 */
#pragma once

#include <stdbool.h>

#include "vault/base/error.h"
#include "vault/ledger/tile.h"
#include "vault/ledger/tree.h"

struct edge;

/* The edge of a log that is published up to a size, and to which capacity more leaves may be added
 * before the next ones are. */
enum vault_code edge_new(uint64_t published_size, uint64_t capacity, struct edge **out,
                         struct vault_error *err) VAULT_MUST_CHECK;
void edge_free(struct edge **edge);

/* A tree_node_sink for the frontier that grows: keeps what belongs here and is not here yet. */
void edge_add(void *edge, unsigned level, uint64_t index, const struct tree_hash *hash);

/* Whether a leaf came when the edge was full; it was not kept, and the edge is of no more use. */
bool edge_overflowed(const struct edge *edge);

/* The hashes of a tile that stands in the edge at least up to the name's width; NULL if not. */
const struct tree_hash *edge_tile(const struct edge *edge, struct tile_name name);

/* A node out of the edge. False if it is not wholly in it. */
bool edge_node(const struct edge *edge, unsigned level, uint64_t index, struct tree_hash *out);

/* Forget what the tiles of a log of this size hold in full. */
void edge_drop(struct edge *edge, uint64_t published_size);
