/*
 * torture_parts - what the functions in the C library's place share: whether it is they who fail.
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

/* Count this one. Whether it fails; errno is set then, or *half (NULL: it cannot). */
bool torture_strikes(enum torture_kind kind, const struct call *call, bool *half);

/* Memory that is never refused, for what is made here. */
void *torture_malloc(size_t size);

/* Find the functions behind those in their place; say that this thread is one of the program's. */
void torture_calls_begin(void);
void torture_thread_begin(void);
