/*
 * schemas - what an import takes and what an export is, as JSON Schema (2020-12): the files of
 * schema/ as they were when the program was built; the source behind this header is made by
 * embed.cmake.
 */
#pragma once

#include "edge/assets_data.h"

extern const struct asset schemas[];
extern const size_t schemas_count;
