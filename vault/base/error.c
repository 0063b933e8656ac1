#include "vault/base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What the analyzer is given in their place. */
#undef vault_fail
#undef vault_fail_errno

static const struct {
    const char *name;
    int exit_code;
} codes[VAULT_CODE_COUNT] = {
    [VAULT_OK] = {"ok", 0},
    [VAULT_INVALID] = {"invalid", 65},
    [VAULT_DENIED] = {"denied", 77},
    [VAULT_NOT_FOUND] = {"not_found", 1},
    [VAULT_CONFLICT] = {"conflict", 1},
    [VAULT_TOO_LARGE] = {"too_large", 65},
    [VAULT_LIMITED] = {"limited", 1},
    [VAULT_UNAVAILABLE] = {"unavailable", 69},
    [VAULT_CORRUPT] = {"corrupt", 1},
    [VAULT_NO_MEMORY] = {"no_memory", 74},
    [VAULT_IO] = {"io", 74},
};

enum vault_code vault_fail(struct vault_error *err, enum vault_code code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        err->code = code;
    }
    return code;
}

static enum vault_code code_of_errno(int number)
{
    switch (number) {
    case ENOMEM:
        return VAULT_NO_MEMORY;
    case ENOENT:
        return VAULT_NOT_FOUND;
    default:
        return VAULT_IO;
    }
}

enum vault_code vault_fail_errno(struct vault_error *err, const char *format, ...)
{
    const int number = errno;
    const enum vault_code code = code_of_errno(number);
    if (err) {
        va_list args;
        va_start(args, format);
        const int length = vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        if (length >= 0 && (size_t)length < sizeof err->text)
            snprintf(err->text + length, sizeof err->text - (size_t)length, ": %s",
                     strerrordesc_np(number) ? strerrordesc_np(number) : "unknown error");
        err->code = code;
    }
    return code;
}

void vault_error_context(struct vault_error *err, const char *format, ...)
{
    if (!err)
        return;
    char inner[VAULT_ERROR_TEXT_BYTES];
    memcpy(inner, err->text, sizeof inner);
    va_list args;
    va_start(args, format);
    const int length = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (length >= 0 && (size_t)length < sizeof err->text)
        snprintf(err->text + length, sizeof err->text - (size_t)length, ": %s", inner);
}

size_t vault_error_command(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    const bool is_c1 = at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f; /* in UTF-8 */
    if (is_c1)
        return 2;
    return (*at && *at < 0x20) || *at == 0x7f;
}

bool vault_error_may_say(const char *words)
{
    for (const char *at = words; *at; at++) {
        if (vault_error_command(at))
            return false;
    }
    return *words;
}

const char *vault_code_name(enum vault_code code)
{
    return (unsigned)code < VAULT_CODE_COUNT ? codes[code].name : "unknown";
}

int vault_code_exit(enum vault_code code)
{
    return (unsigned)code < VAULT_CODE_COUNT ? codes[code].exit_code : 1;
}
