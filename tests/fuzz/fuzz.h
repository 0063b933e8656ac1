/*
 * fuzz - what a fuzz target is: libFuzzer's two functions. replay.c calls them too.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
