/*
 * torture_run - an operation again and again, and each time another thing in it fails.
 *
 * Of what is called again from the same place, by the same way, the first fails. With
 * VAULT_TESTS_LONG=1 all of these do, each call in each way it can, but where an operation says how
 * many are enough; else some of them. Where not all do, it is others each day, and how many of how
 * many is said.
 * To look at one: VAULT_TESTS_SEED says which day, VAULT_TORTURE_ONLY which operation,
 * VAULT_TORTURE_FROM="calls 17" where to begin, and VAULT_TORTURE_SHOW=1 where each failed, and
 * what was said.
 */
#pragma once

#include "torture.h"
#include "vault/base/error.h"

struct operation {
    const char *name;
    void (*prepare)(void);          /* may be NULL */
    void (*run)(void);              /* while one thing fails */
    void (*check)(void);            /* when nothing fails any more */
    unsigned sample[TORTURE_KINDS]; /* how many of each fail in a run that is not long */
    unsigned enough[TORTURE_KINDS]; /* and in a long one; 0: all */
};

/* What the operation said. */
extern enum vault_code torture_code;
extern struct vault_error torture_said;

/* Make the world; and the line that says how it went. False if an entry was lost. */
void torture_run_begin(void);
bool torture_run_end(void);

void torture(const struct operation *operation);
