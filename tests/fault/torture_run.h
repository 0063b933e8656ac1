/*
 * torture_run - an operation again and again, and each time another thing in it fails.
 *
 * Where something is called by the same way more than twice, the others are left out. All others
 * fail with VAULT_TESTS_LONG=1, each call in each way it can; else some of them, others each day.
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
};

/* What the operation said. */
extern enum vault_code torture_code;
extern struct vault_error torture_said;

/* Make the world; and the line that says how it went. False if an entry was lost. */
void torture_run_begin(void);
bool torture_run_end(void);

void torture(const struct operation *operation);
