/*
 * options - what every program of the vault does with its arguments and its end.
 *
 * Exit codes (contract: operator): 0 done, 1 not done, 64 usage, 65 bad input, 69 unreachable,
 * 74 input or output, 77 not allowed. Messages go to standard error as "program: what".
 */
#pragma once

#include <stdbool.h>

#include "vault/base/error.h"

#define EXIT_USAGE 64

/* Say what went wrong and return the exit code for it. */
int program_failed(const char *program, enum vault_code code, const struct vault_error *err);

/* Say that the arguments are wrong, and how to get help. Returns EXIT_USAGE. */
int program_usage(const char *program, const char *what);

/* No core dump, no ptrace by others, files for the owner only, what is freed goes back to the
 * system; JSON and crypto started. Before any thread. */
enum vault_code program_start(bool allow_swap, struct vault_error *err) VAULT_MUST_CHECK;
