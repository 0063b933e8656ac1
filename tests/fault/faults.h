/*
 * faults - a disk that fails when it is told to.
 *
 * fdatasync, fsync, pwrite and posix_fallocate stand in this program in place of the C library's
 * and go to the kernel, unless a fault is armed. Only calls by threads other than the one that
 * armed it are counted and fail.
 */
#pragma once

#include <stdbool.h>

enum fault_call { FAULT_FDATASYNC, FAULT_FSYNC, FAULT_PWRITE, FAULT_FALLOCATE, FAULT_CALL_COUNT };

enum fault_kind {
    FAULT_NONE,
    FAULT_ERROR, /* fails with the error number */
    FAULT_HANG,  /* does not come back until the fault is lifted; then it works */
    FAULT_SHORT, /* pwrite: writes half of it */
};

struct fault {
    enum fault_kind kind;
    int error;
    unsigned after; /* so many calls work first */
    unsigned times; /* so many fail; 0: all */
};

void fault_arm(enum fault_call call, struct fault fault);
void fault_lift(enum fault_call call);

/* How often the fault has struck since it was armed. */
unsigned fault_struck(enum fault_call call);
