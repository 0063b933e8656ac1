/*
 * seed - where a property starts, and for how long it runs.
 *
 * PROPERTY_SEED repeats a run, PROPERTY_RUNS asks for another number of tries, and
 * VAULT_TESTS_LONG=1 for many more of them than a build's ordinary tests take time for.
 * PROPERTY_LAW tries only the laws whose names begin with it (laws.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

uint64_t seed_first(uint64_t otherwise);
uint64_t seed_runs(uint64_t otherwise);
bool seed_is_long(void);
bool seed_is_meant(const char *law);
