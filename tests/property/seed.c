#include "seed.h"

#include <stdlib.h>
#include <string.h>

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

uint64_t seed_first(uint64_t otherwise)
{
    return number_from("PROPERTY_SEED", otherwise);
}

uint64_t seed_runs(uint64_t otherwise)
{
    return number_from("PROPERTY_RUNS", otherwise);
}

bool seed_is_long(void)
{
    const char *text = getenv("VAULT_TESTS_LONG");
    return text && strcmp(text, "1") == 0;
}

bool seed_is_meant(const char *law)
{
    const char *text = getenv("PROPERTY_LAW");
    return !text || strncmp(law, text, strlen(text)) == 0;
}
