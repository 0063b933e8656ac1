/* inject_calls - what the wrappers that inject.py makes are made of. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "inject.h"

enum inject_kind { INJECT_CHANGE, INJECT_READ, INJECT_HOLD, INJECT_PLAIN };

/* A function of the interface, and what happened to it so far. */
struct inject_call {
    const char *name;
    enum inject_kind kind;
    struct inject_call *next; /* of all that were called */
    _Atomic uint64_t failed[2];
};

/* Begin a call. Another code than VAULT_OK: it fails now. */
enum vault_code inject_enter(struct inject_call *call);

/* It was made: its code, or another in its place. */
enum vault_code inject_after(struct inject_call *call, enum vault_code code);

/* End it. Whether it was made to fail. */
bool inject_leave(void);
