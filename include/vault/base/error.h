/*
 * error - what went wrong, said once.
 *
 * Every function that can fail returns an enum vault_code, which the compiler makes the caller
 * look at, and takes the caller's struct vault_error as its last parameter for the words. The
 * code is for programs: it decides the HTTP status and the exit code. The text is for people: it
 * says what failed, where and what to do, and never holds a value, a key, a subject, a password
 * or bytes of a request.
 *
 * Three rules hold everywhere:
 *   - outputs are written only on success;
 *   - the error may be NULL, when only the code matters;
 *   - "does not exist" and "is not yours" are the same code, so that ids cannot be probed.
 *
 * What a function owns it frees by attribute, so that failing is one line:
 *
 *     VAULT_AUTO(thing_free) struct thing *thing = NULL;
 *     VAULT_TRY(thing_new(&thing, err));
 *     if (!thing_fits(thing))
 *         return vault_fail(err, VAULT_INVALID, "the thing does not fit");
 *     *out = VAULT_TAKE(thing);
 *     return VAULT_OK;
 *
 * Programming errors are asserted, not coded.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Stable: the numbers appear in tests and in exit codes by the table in error.c. */
enum vault_code {
    VAULT_OK = 0,
    VAULT_INVALID,     /* the input is not what it should be */
    VAULT_DENIED,      /* the caller may not do this */
    VAULT_NOT_FOUND,   /* there is no such thing, or it is not the caller's */
    VAULT_CONFLICT,    /* it clashes with what is there */
    VAULT_TOO_LARGE,   /* over a stated limit */
    VAULT_LIMITED,     /* too many for now: try later */
    VAULT_UNAVAILABLE, /* a part that is needed does not answer, is stopped or sealed */
    VAULT_CORRUPT,     /* stored bytes are damaged or forged: stop and tell a person */
    VAULT_NO_MEMORY,
    VAULT_IO, /* the operating system refused */
    VAULT_CODE_COUNT
};

#define VAULT_ERROR_TEXT_BYTES 512

struct vault_error {
    enum vault_code code;
    char text[VAULT_ERROR_TEXT_BYTES]; /* one line, without a final full stop */
};

#define VAULT_MUST_CHECK          __attribute__((warn_unused_result))
#define VAULT_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define VAULT_AUTO(destroy)       __attribute__((cleanup(destroy), unused))

/* Hand an owned pointer on: the value, with the variable cleared so that its cleanup is a no-op. */
#define VAULT_TAKE(pointer)                                                                        \
    __extension__({                                                                                \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    })

/* Leave the function with the code of a call that failed; owned things go by their attribute. */
#define VAULT_TRY(call)                                                                            \
    do {                                                                                           \
        const enum vault_code tried_ = (call);                                                     \
        if (tried_ != VAULT_OK)                                                                    \
            return tried_;                                                                         \
    } while (0)

/* Fill the error, if there is one, and return the code: "return vault_fail(err, CODE, …);" */
enum vault_code vault_fail(struct vault_error *err, enum vault_code code, const char *format, ...)
    VAULT_PRINTF(3, 4);

/* The same for a failed system call: VAULT_IO (VAULT_NO_MEMORY for ENOMEM, VAULT_NOT_FOUND for
 * ENOENT), and the text ends with what errno says. */
enum vault_code vault_fail_errno(struct vault_error *err, const char *format, ...)
    VAULT_PRINTF(2, 3);

/* Say where: "text" becomes "where: text". */
void vault_error_context(struct vault_error *err, const char *format, ...) VAULT_PRINTF(2, 3);

/* How many bytes of the letter that a text begins with, if a terminal would obey it instead of
 * showing it; else 0. */
size_t vault_error_command(const char *text);

/* Whether another process's words may stand in an error: they are one line, and nothing in it is
 * a command for a terminal. */
bool vault_error_may_say(const char *words);

/* The code's name in lower case, such as "not_found": for logs and JSON. */
const char *vault_code_name(enum vault_code code);

/* The exit code of a program that ends with this error (contracts: 0, 1, 65, 69, 74, 77). */
int vault_code_exit(enum vault_code code);

#if defined(__clang_analyzer__) || defined(VAULT_ANALYZE)
/* Analyzers do not look into error.c, and would follow paths on which failing is VAULT_OK. */
#define vault_fail(err, code, ...) ((void)vault_fail(err, code, __VA_ARGS__), (code))
#define vault_fail_errno(err, ...) ((void)vault_fail_errno(err, __VA_ARGS__), VAULT_IO)
#endif
