/*
 * citizen_path - where a citizen's file is, for the tests that look behind the interface.
 */
#pragma once

#include "store_test.h"

/* The path of a citizen's file. */
static inline void citizen_file_path(char out[PATH_MAX], const struct citizen_id *id)
{
    int length = snprintf(out, PATH_MAX, "%s/citizens/%02x/", store_dir, id->bytes[0]);
    for (size_t i = 0; i < CITIZEN_ID_BYTES; i++)
        length += snprintf(out + length, PATH_MAX - (size_t)length, "%02x", id->bytes[i]);
    snprintf(out + length, PATH_MAX - (size_t)length, ".db");
}
