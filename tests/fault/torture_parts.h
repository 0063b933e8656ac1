/*
 * torture_parts - what the functions in the C library's place share: whether it is they who fail.
 *
 *     torture.c         who is armed; memory
 *     torture_places.c  which places there are, and which are to fail
 *     torture_calls.c   the calls of the system
 *     torture_sockets.c those on sockets, and what waits for them
 */
#pragma once

#include "torture.h"

#define WAYS_MAX 3
#define HALF     0 /* in place of an error number: a write of half */

/* The ways of each call that can be met on a disk or a machine in trouble. */
struct call {
    const char *name;
    int ways[WAYS_MAX];
    unsigned way_count;
};

#define FAILS(name, ...)                                                                           \
    static const struct call name##_call = {                                                       \
        #name, {__VA_ARGS__}, sizeof((int[]){__VA_ARGS__}) / sizeof(int)}

/* Count this one, which this caller wants. Whether it fails; errno is set then, or *half (NULL: it
 * cannot). */
bool torture_strikes(enum torture_kind kind, const struct call *call, const void *caller,
                     bool *half);

#define STRIKES(name, half)                                                                        \
    torture_strikes(TORTURE_CALL, &name##_call, __builtin_return_address(0), half)
#define CALL_STRIKES(name) STRIKES(name, NULL)

/* With the lock held: whether the place where the program is now fails, and for how many a time. */
#define TORTURE_FRAMES_MAX 128
bool torture_place_fails(const struct call *call, const void *caller, enum torture_look look,
                         unsigned *turn);
void torture_places_lock(void);
void torture_places_unlock(void);

/* Whoever calls who calls this has the work done. The stack of this thread begins here. */
void torture_places_begin(void);
void torture_places_thread(void);

/* Memory that is never refused, for what is made here. */
void *torture_malloc(size_t size);

/* Find the functions behind those in their place; say that this thread is one of the program's. */
void torture_calls_begin(void);
void torture_thread_begin(void);
