#include "vault/base/insist.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void insist_again(unsigned *tries, const char *what)
{
    const struct timespec pause = {.tv_nsec = 1000 * 1000};
    if (++*tries > INSIST_MS) {
        fprintf(stderr, "%s: no memory, or no randomness, for a second\n", what);
        abort();
    }
    nanosleep(&pause, NULL);
}

void *insist_malloc(size_t size_bytes, const char *what)
{
    unsigned tries = 0;
    void *memory = malloc(size_bytes);
    while (!memory) {
        insist_again(&tries, what);
        memory = malloc(size_bytes);
    }
    return memory;
}

void *insist_calloc(size_t count, size_t size_bytes, const char *what)
{
    unsigned tries = 0;
    void *memory = calloc(count, size_bytes);
    while (!memory) {
        insist_again(&tries, what);
        memory = calloc(count, size_bytes);
    }
    return memory;
}
