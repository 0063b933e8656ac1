/*
 * arena - memory that is taken piece by piece and given back all at once.
 *
 * A bundle is many small things that live exactly as long as it does; so is a request. Pieces are
 * zero and aligned for anything. All of it is wiped when it is given back, since requests and
 * values lie here too.
 */
#pragma once

#include <stddef.h>

#include "vault/base/buf.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* newest first */
};

/* A piece of count elements, or NULL when memory is out or the product is too large. A count of 0
 * gives a piece that may not be looked into. */
void *arena_take(struct arena *arena, size_t count, size_t element_bytes);

/* A copy of text, NUL-ended; NULL when memory is out. */
const char *arena_text(struct arena *arena, struct bytes text);

/* Wipe everything, and keep one chunk for what comes next. */
void arena_reset(struct arena *arena);

/* Wipe everything and give it back. The arena can be used again. */
void arena_finish(struct arena *arena);
