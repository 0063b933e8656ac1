#include "arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES (64UL * 1024)

struct arena_chunk {
    struct arena_chunk *older;
    size_t used;
    size_t size;
    max_align_t start[];
};

static struct arena_chunk *chunk_for(struct arena *arena, size_t size_bytes)
{
    struct arena_chunk *newest = arena->chunks;
    if (newest && size_bytes <= newest->size - newest->used)
        return newest;
    const size_t size = size_bytes > CHUNK_BYTES ? size_bytes : CHUNK_BYTES;
    struct arena_chunk *chunk = calloc(1, sizeof *chunk + size);
    if (!chunk)
        return NULL;
    chunk->size = size;
    chunk->older = newest;
    arena->chunks = chunk;
    return chunk;
}

void *arena_take(struct arena *arena, size_t count, size_t element_bytes)
{
    const size_t align = sizeof(max_align_t);
    if (element_bytes && count > (SIZE_MAX / 4) / element_bytes)
        return NULL;
    const size_t size = (count * element_bytes + align) / align * align;
    struct arena_chunk *chunk = chunk_for(arena, size);
    if (!chunk)
        return NULL;
    void *piece = (uint8_t *)chunk->start + chunk->used;
    chunk->used += size;
    return piece;
}

const char *arena_text(struct arena *arena, struct bytes text)
{
    char *copy = arena_take(arena, text.size + 1, 1);
    if (copy && text.size)
        memcpy(copy, text.data, text.size);
    return copy;
}

/* Give back all chunks, or all but the oldest. */
static void give_back(struct arena *arena, bool keep_oldest)
{
    while (arena->chunks && (arena->chunks->older || !keep_oldest)) {
        struct arena_chunk *chunk = arena->chunks;
        arena->chunks = chunk->older;
        explicit_bzero(chunk->start, chunk->used);
        free(chunk);
    }
}

void arena_reset(struct arena *arena)
{
    give_back(arena, true);
    if (arena->chunks) {
        explicit_bzero(arena->chunks->start, arena->chunks->used);
        arena->chunks->used = 0;
    }
}

void arena_finish(struct arena *arena)
{
    give_back(arena, false);
}
