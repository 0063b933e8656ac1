/*
 * verdict - writing a report's verdicts. The first failure of a check gives its words, the worst
 * gives its exit code.
 */
#pragma once

#include "vault/ledger/verify.h"

void verdict_fail(struct verify_report *report, enum verify_check check, int exit_code,
                  const char *format, ...) VAULT_PRINTF(4, 5);

/* Say that a check passed, or was not made, unless it has failed. */
void verdict_pass(struct verify_report *report, enum verify_check check, const char *format, ...)
    VAULT_PRINTF(3, 4);
void verdict_skip(struct verify_report *report, enum verify_check check, const char *format, ...)
    VAULT_PRINTF(3, 4);
