/*
 * buf - bytes that grow up to a ceiling, and are wiped when they go.
 *
 * A buffer is a value. It is made with the largest size it may ever have, so no input can make it
 * grow without end, and growing never leaves an old copy behind: the bytes are moved and the old
 * place is wiped. Appending does not return a code. Once an append would pass the ceiling, or
 * memory is short, the buffer holds nothing more and remembers why; the caller asks once, at the
 * end:
 *
 *     VAULT_AUTO(buf_finish) struct buf text = buf_limited(4096);
 *     buf_text(&text, "hello ");
 *     buf_format(&text, "%d", 42);
 *     VAULT_TRY(buf_check(&text, err));
 *
 * A struct bytes is a view: it borrows what somebody else owns.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/error.h"

struct bytes {
    const uint8_t *data; /* may be NULL when size is 0 */
    size_t size;
};

struct buf {
    uint8_t *data; /* owned; NULL until the first append */
    size_t size;
    size_t capacity;
    size_t limit;            /* the ceiling in bytes */
    enum vault_code problem; /* sticky: VAULT_TOO_LARGE or VAULT_NO_MEMORY */
};

/* An empty buffer that may hold limit bytes at the most. Allocates nothing yet. */
struct buf buf_limited(size_t limit_bytes);

/* Wipe and free. The buffer can be used again with the same ceiling. */
void buf_finish(struct buf *buf);

/* Wipe and forget the content, keep the memory, clear the problem. */
void buf_clear(struct buf *buf);

void buf_append(struct buf *buf, const void *data, size_t size_bytes);
void buf_bytes(struct buf *buf, struct bytes bytes);
void buf_text(struct buf *buf, const char *text);

/* Append what was written apart. If that has a problem, so has this: a text that is made of parts
 * has all of them, or says that it has not. */
void buf_join(struct buf *buf, const struct buf *part);
void buf_byte(struct buf *buf, uint8_t byte);

/* Each of these texts; and a number in decimal. What is written for every release is written with
 * these: buf_format() reads its format anew each time. */
#define buf_texts(buf, ...) buf_texts_until_null(buf, (const char *const[]){__VA_ARGS__, NULL})
void buf_texts_until_null(struct buf *buf, const char *const texts[]);
void buf_decimal(struct buf *buf, uint64_t number);

/* A number's decimal digits, without a final NUL, at the end of the place; where they begin. */
#define DECIMAL_CHARS_MAX 20 /* of 2^64 - 1 */
size_t decimal_digits(char out[DECIMAL_CHARS_MAX], uint64_t number);
void buf_format(struct buf *buf, const char *format, ...) VAULT_PRINTF(2, 3);

/* Big-endian integers. */
void buf_u16(struct buf *buf, uint16_t value);
void buf_u32(struct buf *buf, uint32_t value);
void buf_u64(struct buf *buf, uint64_t value);

/* Make room for size_bytes more and return where to write them, or NULL (and the problem is set).
 * They count as appended. */
uint8_t *buf_extend(struct buf *buf, size_t size_bytes);

/* The content as text: a NUL is put behind it that does not count. NULL if that did not fit. */
const char *buf_string(struct buf *buf);

/* VAULT_OK, or what went wrong since the buffer was made or cleared. */
enum vault_code buf_check(const struct buf *buf, struct vault_error *err) VAULT_MUST_CHECK;

struct bytes buf_view(const struct buf *buf);
struct bytes bytes_of_text(const char *text);
bool bytes_equal(struct bytes a, struct bytes b); /* not constant in time: for public bytes */

bool bytes_begin_with(struct bytes bytes, const char *text);

/*
 * A cursor reads what a buffer wrote. A read past the end gives zeros and sets truncated; the
 * caller asks once, at the end.
 */
struct cursor {
    const uint8_t *next;
    size_t left;
    bool truncated;
};

struct cursor cursor_over(struct bytes bytes);
uint8_t cursor_u8(struct cursor *cursor);
uint16_t cursor_u16(struct cursor *cursor);
uint32_t cursor_u32(struct cursor *cursor);
uint64_t cursor_u64(struct cursor *cursor);
struct bytes cursor_take(struct cursor *cursor, size_t size_bytes); /* borrows; empty if too few */
void cursor_copy(struct cursor *cursor, void *out, size_t size_bytes); /* zeros if too few */
