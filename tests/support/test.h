/*
 * test - cmocka with the headers it needs, and what every test of this project uses.
 *
 * A test file ends with
 *
 *     int main(void) { return TEST_RUN(test_one, test_two); }
 *
 * and a test's name is a sentence that is true.
 */
#pragma once

/* cmocka.h needs these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"

/* The call succeeds; if not, its words are shown. */
#define assert_done(call)                                                                          \
    do {                                                                                           \
        struct vault_error *const shown_ = &test_error;                                            \
        if ((call) != VAULT_OK)                                                                    \
            fail_msg("%s: %s: %s", #call, vault_code_name(shown_->code), shown_->text);            \
    } while (0)

/* The call fails with this code. */
#define assert_fails(expected, call)                                                               \
    do {                                                                                           \
        const enum vault_code got_ = (call);                                                       \
        if (got_ != (expected))                                                                    \
            fail_msg("%s: %s, not %s", #call, vault_code_name(got_), vault_code_name(expected));   \
    } while (0)

/* Give this to the calls under test. */
static struct vault_error test_error __attribute__((unused));

#define TEST_RUN(...)                                                                              \
    test_run((const CMUnitTestFunction[]){__VA_ARGS__},                                            \
             sizeof((const CMUnitTestFunction[]){__VA_ARGS__}) / sizeof(CMUnitTestFunction),       \
             #__VA_ARGS__)

int test_run(const CMUnitTestFunction tests[], size_t count, const char *names);

/* The bytes of a string literal, NULs inside it included. */
#define BYTES(literal) ((struct bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

/* The bytes that hex text stands for; the buffer is the caller's to finish. */
struct buf test_hex(const char *hex);

/* A fresh folder, removed with all that is in it when the program ends. */
const char *test_folder(void);

/* Change one bit of the byte there: whatever it was, it is another one then. */
void test_flip(const char *path, int64_t at);

/* Let the present folder stay until the program ends, whatever folders follow. Once in a program.
 */
const char *test_folder_keep(void);
