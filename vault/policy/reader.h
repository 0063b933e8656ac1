/*
 * reader - walks through parsed JSON and says exactly where something is wrong.
 *
 * A reader knows the text it reads and, while the walk goes down and up, the JSON Pointer of where
 * it is. Refusing then costs one line, and the place is found in the text only when it is needed:
 *
 *     const size_t here = reader_enter(reader, "rules");
 *     …
 *     return reader_refuse(reader, VAULT_INVALID, "is not in order");
 *     …
 *     reader_leave(reader, here);
 *
 * After a refusal the walk ends: nobody needs to leave what was entered.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/policy/policy.h"

struct reader {
    const char *file;           /* shown in front of a fault; NULL for a text that is no file */
    struct bytes text;          /* what the JSON was parsed from */
    struct buf pointer;         /* where the walk is */
    struct policy_fault *fault; /* may be NULL */
    struct vault_error *err;    /* may be NULL */
    size_t lines_before;        /* of the input that the text is a part of */
};

/* What a member may be: a set of these. */
enum reader_types {
    READ_STRING = 1,
    READ_OBJECT = 2,
    READ_LIST = 4,
    READ_INTEGER = 8,
    READ_BOOLEAN = 16,
    READ_NULL = 32,
    READ_REAL = 64,
    READ_ANYTHING = 127,
};

struct reader_member {
    const char *name;
    unsigned types; /* enum reader_types */
    bool required;
};

#define READER_MEMBERS(table) (table), sizeof(table) / sizeof *(table)

/* The reader borrows file, text, fault and err. */
struct reader reader_over(const char *file, struct bytes text, struct policy_fault *fault,
                          struct vault_error *err);
void reader_finish(struct reader *reader);

/* Parse the text; the tree is the caller's. A fault of the JSON itself is refused with its place.
 */
enum vault_code reader_parse(struct reader *reader, json_t **out) VAULT_MUST_CHECK;

/* Go down to a member or a list position; what comes back is for reader_leave(). */
size_t reader_enter(struct reader *reader, const char *name);
size_t reader_enter_index(struct reader *reader, size_t index);
void reader_leave(struct reader *reader, size_t mark);

/* Fail at the value where the walk is, or at the name of the member. The text reads on from
 * "rules/a.json, line 3, column 5, /rules/0: ". */
enum vault_code reader_refuse(struct reader *reader, enum vault_code code, const char *format, ...)
    VAULT_PRINTF(3, 4);
enum vault_code reader_refuse_name(struct reader *reader, enum vault_code code, const char *format,
                                   ...) VAULT_PRINTF(3, 4);

/* Whether the value is of one of the types. */
enum vault_code reader_check_type(struct reader *reader, const json_t *value, unsigned types)
    VAULT_MUST_CHECK;

/* Whether the value is an object with these members, of these types, and no other. */
enum vault_code reader_check_members(struct reader *reader, const json_t *value,
                                     const struct reader_member members[], size_t count)
    VAULT_MUST_CHECK;

/* jansson's iterators take an object that they could change, but do not. */
static inline json_t *reader_iterable(const json_t *value)
{
    const union {
        const json_t *given;
        json_t *wanted;
    } same = {.given = value};
    return same.wanted;
}

/* Whether the member "format" is this text: a file of another format is another thing. */
enum vault_code reader_check_format(struct reader *reader, const json_t *object, const char *format)
    VAULT_MUST_CHECK;
