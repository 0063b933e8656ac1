/*
 * torture_run - an operation again and again, and each time another thing in it fails.
 *
 * What can fail is a place (torture.h): of what is called again from the same place, by the same
 * way, one fails. With VAULT_TESTS_LONG=1 every place does, each call in each way it can, until the
 * operation was done again and again with each call looked at and came by no place that has not
 * failed; else some of them, others each day. How many of how many is said.
 * To look at one: VAULT_TESTS_SEED says which day, VAULT_TORTURE_ONLY which operation, and
 * VAULT_TORTURE_SHOW=1 where each failed, and what was said.
 */
#pragma once

#include "torture.h"
#include "vault/base/error.h"

struct operation {
    const char *name;
    void (*prepare)(void);          /* may be NULL */
    void (*run)(void);              /* while one thing fails */
    void (*check)(void);            /* when nothing fails any more */
    unsigned sample[TORTURE_KINDS]; /* how many places of each fail in a run that is not long */
};

/* What the operation said. */
extern enum vault_code torture_code;
extern struct vault_error torture_said;

/* It was done, or the disk, the memory or the log were at fault, and it was said. */
void torture_assert_said(void);

/* Make the world; and the line that says how it went. False if an entry was lost. */
void torture_run_begin(void);
bool torture_run_end(void);

void torture(const struct operation *operation);
