/*
 * assets_data - the files of the pages as they were when the program was built; the source behind
 * this header is made by embed.cmake.
 */
#pragma once

#include <stddef.h>

struct asset {
    const char *name; /* such as "templates/home.html" */
    const char *text; /* with a NUL behind it */
    size_t size;      /* without the NUL */
};

extern const struct asset assets_data[]; /* in the order of the names' bytes */
extern const size_t assets_data_count;
