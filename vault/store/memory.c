#include "memory.h"

#include <assert.h>
#include <limits.h>
#include <sqlcipher/sqlite3.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "vault/base/insist.h"

/* The size stands before the bytes. */
union block {
    size_t size;
    max_align_t align;
};

static union block *block_of(void *bytes)
{
    return (union block *)bytes - 1;
}

static void *wiping_malloc(int size)
{
    if (size <= 0)
        return NULL;
    union block *block = insist_malloc(sizeof *block + (size_t)size, "the store");
    block->size = (size_t)size;
    return block + 1;
}

static void wiping_free(void *bytes)
{
    if (!bytes)
        return;
    explicit_bzero(bytes, block_of(bytes)->size);
    free(block_of(bytes));
}

static int size_of(void *bytes)
{
    return bytes ? (int)block_of(bytes)->size : 0;
}

/* Never in place of realloc, which leaves a copy behind where it moves. */
static void *wiping_realloc(void *bytes, int size)
{
    void *moved = wiping_malloc(size);
    if (!moved)
        return NULL; /* nothing was asked for */
    memcpy(moved, bytes, (size_t)(size < size_of(bytes) ? size : size_of(bytes)));
    wiping_free(bytes);
    return moved;
}

static int round_up(int size)
{
    return size > INT_MAX - 7 ? size : (size + 7) & ~7;
}

static int start(void *context)
{
    (void)context;
    return SQLITE_OK;
}

static void stop(void *context)
{
    (void)context;
}

void memory_start(void)
{
    static const sqlite3_mem_methods methods = {.xMalloc = wiping_malloc,
                                                .xFree = wiping_free,
                                                .xRealloc = wiping_realloc,
                                                .xSize = size_of,
                                                .xRoundup = round_up,
                                                .xInit = start,
                                                .xShutdown = stop};
    const int result = sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    assert(result == SQLITE_OK);
    (void)result;
}
