/*
 * A fault, planted: a record of a length that is believed. A fuzzing command that does not find it
 * within seconds would not find others either, and a replay that takes corpus/planted in silence
 * replays nothing. tests/fuzz/planted runs both; nothing of the vault is in here.
 */
#include <string.h>

#include "fuzz.h"

#define ROOM 16

static volatile uint8_t last; /* somebody reads it, so that no compiler leaves the copy out */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

/* "PT", a version, a length, and so many bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4 || data[0] != 'P' || data[1] != 'T' || data[2] != 7 || data[3] > size - 4)
        return 0;
    uint8_t *copy = calloc(1, ROOM);
    if (copy && data[3]) {
        memcpy(copy, data + 4, data[3]);
        last = copy[ROOM - 1];
    }
    free(copy);
    return 0;
}
