/*
 * json - JSON in and out, strictly.
 *
 * Reading is jansson's, with what it leaves open closed: duplicate members are refused, nesting and
 * size have limits, and everything jansson allocates is wiped when it is freed, since values pass
 * through it. An error never quotes the input. It says where: line and column (from 1), the offset
 * in bytes (from 0) and, for a fault that a reader finds later in a well-formed text, the JSON
 * Pointer (RFC 6901) that json_locate() turns into a position.
 *
 * Writing goes straight into a buffer with the json_write_… functions; no tree is built.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"

/* Free a tree by attribute: VAULT_AUTO(json_free) json_t *root = NULL; */
void json_free(json_t **json);

struct json_position {
    size_t line;   /* from 1 */
    size_t column; /* from 1, in bytes */
    size_t offset; /* from 0, in bytes */
};

/* Give jansson its wiping allocator and its hash seed. Once, before any thread and any other call
 * here; later calls do nothing. */
void json_start(void);

/*
 * Parse one JSON text: any value, UTF-8, with white space around it and nothing else.
 * depth_limit counts open arrays and objects. The tree is the caller's.
 *
 * VAULT_INVALID  with *position (may be NULL) at the fault; VAULT_TOO_LARGE for nesting.
 */
enum vault_code json_parse(struct bytes text, unsigned depth_limit, json_t **out,
                           struct json_position *position, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Where the value that a JSON Pointer names stands in a well-formed text ("" is the whole). For a
 * pointer to nothing, where its nearest parent stands. */
struct json_position json_locate(struct bytes text, const char *pointer);

/* Where the name of the member, rather than its value, stands; as json_locate() for the rest. */
struct json_position json_locate_name(struct bytes text, const char *pointer);

/* Append a member name or list position to a pointer, escaped after RFC 6901 section 3. */
void json_pointer_name(struct buf *pointer, const char *name);
void json_pointer_index(struct buf *pointer, size_t index);

/* Whether every member of the object is in names (NULL ends the list). The first that is not, else
 * NULL; it borrows from the object. */
const char *json_unknown_member(const json_t *object, const char *const names[]);

/* A string member as bytes (it may hold no NUL: jansson refuses them). Empty with data NULL if the
 * value is no string. */
struct bytes json_text(const json_t *value);

/* A string into its place, with a NUL behind it; an integer that is not less than that. False, and
 * nothing is written, for any other value and for what there is no room for. */
bool json_copy_text(const json_t *value, char *out, size_t room);
bool json_copy_integer(const json_t *value, int64_t least, int64_t *out);

/* Writing. json_write_string adds the quotes and escapes what must be. */
void json_write_string(struct buf *out, struct bytes text);
void json_write_value(struct buf *out, const json_t *value); /* compact, members sorted */
