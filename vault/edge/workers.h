/*
 * workers - threads that do what has to wait, each job on one of them.
 *
 * A thread is made when a job comes and none is idle, up to so many; an idle one ends after a
 * while. Jobs beyond wait in their order. Whoever gives a job keeps its memory until it has run,
 * and has a limit of its own on how many there can be: the queue has none.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "vault/base/error.h"

struct job {
    void (*run)(struct job *job);
    struct job *next; /* of the queue */
};

struct workers;

enum vault_code workers_new(unsigned threads_max, size_t stack_bytes, struct workers **out,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* False if there is no thread and none can be made, or the end has come. */
bool workers_give(struct workers *workers, struct job *job);

/* Take no more, and wait until all that were given have run. */
void workers_end(struct workers *workers);

/* The same if it was not done, and free. Nobody gives any more. */
void workers_free(struct workers **workers);
