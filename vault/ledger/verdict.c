#include "verdict.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const check_names[VERIFY_CHECK_COUNT] = {
    [VERIFY_FORMAT] = "format",           [VERIFY_SIGNATURE] = "signature",
    [VERIFY_HASHES] = "hashes",           [VERIFY_COMPLETE] = "completeness",
    [VERIFY_ENTRIES] = "entries",         [VERIFY_TIMES] = "times",
    [VERIFY_APPEND_ONLY] = "append-only", [VERIFY_RECEIPTS] = "receipts",
    [VERIFY_WITNESSES] = "witnesses",     [VERIFY_FRESHNESS] = "freshness",
    [VERIFY_PRUNING] = "pruning",         [VERIFY_ERASURES] = "erasures",
    [VERIFY_OPENINGS] = "openings",       [VERIFY_WITHDRAWALS] = "withdrawals",
};

static const char *const state_names[] = {
    [VERIFY_NOT_CHECKED] = "NOT CHECKED", [VERIFY_PASS] = "PASS", [VERIFY_FAIL] = "FAIL"};

const char *verify_check_name(enum verify_check check)
{
    return check_names[check];
}

const char *verify_state_name(enum verify_state state)
{
    return state_names[state];
}

static void VAULT_PRINTF(2, 0)
    set_detail(struct verify_verdict *verdict, const char *format, va_list args)
{
    vsnprintf(verdict->detail, sizeof verdict->detail, format, args);
}

void verdict_fail(struct verify_report *report, enum verify_check check, int exit_code,
                  const char *format, ...)
{
    struct verify_verdict *verdict = &report->verdicts[check];
    if (verdict->state != VERIFY_FAIL) {
        va_list args;
        va_start(args, format);
        set_detail(verdict, format, args);
        va_end(args);
    }
    verdict->state = VERIFY_FAIL;
    if (exit_code > verdict->exit_code)
        verdict->exit_code = exit_code;
}

void verdict_pass(struct verify_report *report, enum verify_check check, const char *format, ...)
{
    struct verify_verdict *verdict = &report->verdicts[check];
    if (verdict->state == VERIFY_FAIL)
        return;
    va_list args;
    va_start(args, format);
    set_detail(verdict, format, args);
    va_end(args);
    verdict->state = VERIFY_PASS;
}

void verdict_skip(struct verify_report *report, enum verify_check check, const char *format, ...)
{
    struct verify_verdict *verdict = &report->verdicts[check];
    if (verdict->state == VERIFY_FAIL)
        return;
    va_list args;
    va_start(args, format);
    set_detail(verdict, format, args);
    va_end(args);
    verdict->state = VERIFY_NOT_CHECKED;
}
