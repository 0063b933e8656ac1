/*
 * letters - the letter that brings an activation code: the files of letter/ as they were when the
 * program was built; the source behind this header is made by embed.cmake.
 */
#pragma once

#include "edge/assets_data.h"

extern const struct asset letters[];
extern const size_t letters_count;
