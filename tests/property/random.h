/*
 * random - numbers from a seed, the same on every machine (SplitMix64).
 *
 * Every run of a property starts from one seed (seed.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

uint64_t random_next(struct random *random);

/* 0 to below - 1; 0 for below 0. */
size_t random_below(struct random *random, size_t below);

/* true in so many cases of a hundred. */
bool random_chance(struct random *random, unsigned percent);
