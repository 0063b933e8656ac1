#include "edge.h"

#include <assert.h>
#include <stdlib.h>

/* A ring of whole tiles: hash i of the level stands at i % capacity, and a tile is in one piece. */
struct edge_level {
    uint64_t first; /* index of the first hash held; a multiple of TILE_WIDTH */
    uint64_t end;   /* behind the last */
    uint64_t capacity;
    struct tree_hash *ring;
};

struct edge {
    struct edge_level levels[TILE_LEVELS];
    bool overflowed;
};

static uint64_t first_of(uint64_t published_size, unsigned level)
{
    return tile_hash_count(published_size, (int)level) / TILE_WIDTH * TILE_WIDTH;
}

enum vault_code edge_new(uint64_t published_size, uint64_t capacity, struct edge **out,
                         struct vault_error *err)
{
    VAULT_AUTO(edge_free) struct edge *edge = calloc(1, sizeof *edge);
    if (!edge)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    for (unsigned i = 0; i < TILE_LEVELS; i++) {
        struct edge_level *level = &edge->levels[i];
        /* The tile that was begun before, those of the new leaves, and the one they begin. */
        level->capacity =
            (capacity >> (TILE_HEIGHT * i)) / TILE_WIDTH * TILE_WIDTH + (uint64_t)2 * TILE_WIDTH;
        level->first = level->end = first_of(published_size, i);
        level->ring = calloc(level->capacity, sizeof *level->ring);
        if (!level->ring)
            return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    }
    *out = VAULT_TAKE(edge);
    return VAULT_OK;
}

void edge_free(struct edge **edge)
{
    for (unsigned i = 0; *edge && i < TILE_LEVELS; i++)
        free((*edge)->levels[i].ring);
    free(*edge);
    *edge = NULL;
}

void edge_add(void *context, unsigned level, uint64_t index, const struct tree_hash *hash)
{
    struct edge *edge = context;
    if (level % TILE_HEIGHT != 0 || level / TILE_HEIGHT >= TILE_LEVELS)
        return;
    struct edge_level *here = &edge->levels[level / TILE_HEIGHT];
    if (index < here->end)
        return;
    assert(edge->overflowed || index == here->end);
    if (edge->overflowed || here->end - here->first == here->capacity) {
        edge->overflowed = true;
        return;
    }
    here->ring[index % here->capacity] = *hash;
    here->end++;
}

bool edge_overflowed(const struct edge *edge)
{
    return edge->overflowed;
}

const struct tree_hash *edge_tile(const struct edge *edge, struct tile_name name)
{
    assert(name.level >= 0 && name.level < TILE_LEVELS);
    const struct edge_level *level = &edge->levels[name.level];
    const uint64_t from = name.index * TILE_WIDTH;
    if (from < level->first || from + name.width > level->end)
        return NULL;
    return &level->ring[from % level->capacity];
}

bool edge_node(const struct edge *edge, unsigned level, uint64_t index, struct tree_hash *out)
{
    const unsigned height = level % TILE_HEIGHT;
    const uint64_t from = index << height;
    const struct tile_name name = {.level = (int)(level / TILE_HEIGHT),
                                   .index = from / TILE_WIDTH,
                                   .width = (unsigned)(from % TILE_WIDTH) + (1U << height)};
    const struct tree_hash *hashes =
        level / TILE_HEIGHT < TILE_LEVELS ? edge_tile(edge, name) : NULL;
    if (!hashes)
        return false;
    *out = tree_fold(hashes + from % TILE_WIDTH, height);
    return true;
}

void edge_drop(struct edge *edge, uint64_t published_size)
{
    for (unsigned i = 0; i < TILE_LEVELS; i++) {
        const uint64_t first = first_of(published_size, i);
        assert(first <= edge->levels[i].end);
        if (first > edge->levels[i].first)
            edge->levels[i].first = first;
    }
}
