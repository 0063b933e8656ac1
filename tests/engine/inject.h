/*
 * inject - what goes wrong at the store's interface, when a test says so.
 *
 * A program linked with it has a wrapper around each function of the interface (inject.py), which
 * delays calls or makes them fail: before anything is done, or, for a change, after it was done, as
 * when the answer of an engine far away is lost. Calls that an engine makes to its own functions
 * pass; so do all until a test asks for something.
 *
 * With VAULT_INJECT_DELAY=1 in the environment about every second call waits a little, at random,
 * before or after it is made, which brings out races and a trust in an order that nobody promised.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/base/error.h"

enum inject_when { INJECT_BEFORE, INJECT_AFTER };

/* The n-th call of this thread, from 1, that can fail so (after: the n-th change) fails so, once.
 */
void inject_fail(unsigned nth, enum inject_when when, enum vault_code code);

/* Of a thousand calls of this thread about so many fail, in one of all the ways. */
void inject_fail_some(unsigned permille, uint64_t seed);

/* The next calls of one function, of whatever thread, fail so. */
void inject_fail_next(const char *function, unsigned times, enum inject_when when,
                      enum vault_code code);

/* Nothing fails any more. */
void inject_stop(void);

/* The last call of this thread that was made to fail since the above, NULL if none was, and how. */
const char *inject_struck(void);
enum inject_when inject_struck_when(void);

/* How many calls of all threads were made to fail; how many calls were made. */
uint64_t inject_failures(void);
uint64_t inject_calls(void);

/* Whether the function was called by this program; whether it was made to fail in that way. */
bool inject_was_called(const char *function);
bool inject_has_failed(const char *function, enum inject_when when);
