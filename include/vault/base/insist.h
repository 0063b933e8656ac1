/*
 * insist - memory for what cannot be refused.
 *
 * Some work has no way to say that it got no memory: a hash by which everything is named, or a
 * library that goes on as if it had. Such work is tried again, since the next moment may have what
 * this one has not; after INSIST_MS without it the process ends, which loses nothing that was
 * acknowledged, and is better than going on with something wrong.
 */
#pragma once

#include <stddef.h>

#define INSIST_MS 1000

/* Wait a millisecond, and count it; the process ends, saying what it was that had no memory, when
 * there were INSIST_MS of them. *tries begins as 0. */
void insist_again(unsigned *tries, const char *what);

/* malloc() and calloc(), but never NULL. */
void *insist_malloc(size_t size_bytes, const char *what);
void *insist_calloc(size_t count, size_t size_bytes, const char *what);
