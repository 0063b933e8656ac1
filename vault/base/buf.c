#include "vault/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY_BYTES 1024

struct buf buf_limited(size_t limit_bytes)
{
    return (struct buf){.limit = limit_bytes};
}

void buf_finish(struct buf *buf)
{
    if (buf->data) {
        explicit_bzero(buf->data, buf->capacity);
        free(buf->data);
    }
    *buf = buf_limited(buf->limit);
}

void buf_clear(struct buf *buf)
{
    if (buf->data)
        explicit_bzero(buf->data, buf->size);
    buf->size = 0;
    buf->problem = VAULT_OK;
}

/* Move to a larger place and wipe the old one: realloc would leave a copy behind. */
static bool grow_to(struct buf *buf, size_t needed)
{
    size_t capacity = buf->capacity ? buf->capacity : FIRST_CAPACITY_BYTES;
    while (capacity < needed)
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    /* One byte more than the ceiling, so that buf_string can always end a full buffer. */
    if (capacity > buf->limit + 1)
        capacity = buf->limit + 1;
    uint8_t *data = malloc(capacity);
    if (!data)
        return false;
    if (buf->data) {
        memcpy(data, buf->data, buf->size);
        explicit_bzero(buf->data, buf->capacity);
        free(buf->data);
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

static bool make_room(struct buf *buf, size_t extra)
{
    if (buf->problem)
        return false;
    if (extra > buf->limit - buf->size) {
        buf->problem = VAULT_TOO_LARGE;
        return false;
    }
    if (buf->size + extra > buf->capacity && !grow_to(buf, buf->size + extra)) {
        buf->problem = VAULT_NO_MEMORY;
        return false;
    }
    return true;
}

uint8_t *buf_extend(struct buf *buf, size_t size_bytes)
{
    static uint8_t nothing;
    if (!make_room(buf, size_bytes))
        return NULL;
    if (size_bytes == 0)
        return &nothing;
    uint8_t *place = buf->data + buf->size;
    buf->size += size_bytes;
    return place;
}

void buf_append(struct buf *buf, const void *data, size_t size_bytes)
{
    if (size_bytes == 0)
        return;
    uint8_t *place = buf_extend(buf, size_bytes);
    if (place)
        memcpy(place, data, size_bytes);
}

void buf_bytes(struct buf *buf, struct bytes bytes)
{
    buf_append(buf, bytes.data, bytes.size);
}

void buf_join(struct buf *buf, const struct buf *part)
{
    if (part->problem && !buf->problem)
        buf->problem = part->problem;
    buf_append(buf, part->data, part->size);
}

void buf_text(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_byte(struct buf *buf, uint8_t byte)
{
    buf_append(buf, &byte, 1);
}

void buf_texts_until_null(struct buf *buf, const char *const texts[])
{
    for (size_t i = 0; texts[i]; i++)
        buf_text(buf, texts[i]);
}

size_t decimal_digits(char out[DECIMAL_CHARS_MAX], uint64_t number)
{
    size_t first = DECIMAL_CHARS_MAX;
    do {
        out[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    return first;
}

void buf_decimal(struct buf *buf, uint64_t number)
{
    char digits[DECIMAL_CHARS_MAX];
    const size_t first = decimal_digits(digits, number);
    buf_append(buf, digits + first, sizeof digits - first);
}

void buf_format(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_list again;
    /* Most often it fits where there is room already. What did not fit is not counted. */
    const size_t room = buf->problem ? 0 : buf->capacity - buf->size;
    char *place = room ? (char *)buf->data + buf->size : NULL;
    va_start(args, format);
    va_copy(again, args);
    const int length = vsnprintf(place, room, format, args);
    va_end(args);
    const size_t size = length > 0 ? (size_t)length : 0;
    if (size > buf->limit - buf->size && !buf->problem)
        buf->problem = VAULT_TOO_LARGE;
    if (place && size >= room)
        explicit_bzero(place, room); /* a part of it */
    if (size && !buf->problem) {
        /* vsnprintf ends with a NUL: ask for room for it, then do not count it. */
        if (size < room) {
            buf->size += size;
        } else if (grow_to(buf, buf->size + size + 1)) {
            vsnprintf((char *)buf->data + buf->size, size + 1, format, again);
            buf->size += size;
        } else {
            buf->problem = VAULT_NO_MEMORY;
        }
    }
    va_end(again);
}

void buf_u16(struct buf *buf, uint16_t value)
{
    const uint8_t raw[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    buf_append(buf, raw, sizeof raw);
}

void buf_u32(struct buf *buf, uint32_t value)
{
    buf_u16(buf, (uint16_t)(value >> 16));
    buf_u16(buf, (uint16_t)value);
}

void buf_u64(struct buf *buf, uint64_t value)
{
    buf_u32(buf, (uint32_t)(value >> 32));
    buf_u32(buf, (uint32_t)value);
}

const char *buf_string(struct buf *buf)
{
    if (buf->problem || (buf->size + 1 > buf->capacity && !grow_to(buf, buf->size + 1)))
        return NULL;
    buf->data[buf->size] = 0;
    return (const char *)buf->data;
}

enum vault_code buf_check(const struct buf *buf, struct vault_error *err)
{
    if (!buf->problem)
        return VAULT_OK;
    if (buf->problem == VAULT_TOO_LARGE)
        return vault_fail(err, VAULT_TOO_LARGE, "more than the %zu bytes allowed here", buf->limit);
    return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
}

struct bytes buf_view(const struct buf *buf)
{
    return (struct bytes){.data = buf->data, .size = buf->size};
}

struct bytes bytes_of_text(const char *text)
{
    return (struct bytes){.data = (const uint8_t *)text, .size = strlen(text)};
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool bytes_begin_with(struct bytes bytes, const char *text)
{
    const size_t size = strlen(text);
    return bytes.size >= size && (size == 0 || memcmp(bytes.data, text, size) == 0);
}

struct cursor cursor_over(struct bytes bytes)
{
    return (struct cursor){.next = bytes.data, .left = bytes.size};
}

struct bytes cursor_take(struct cursor *cursor, size_t size_bytes)
{
    if (cursor->truncated || size_bytes > cursor->left) {
        cursor->truncated = true;
        return (struct bytes){0};
    }
    const struct bytes taken = {.data = cursor->next, .size = size_bytes};
    if (size_bytes) {
        cursor->next += size_bytes;
        cursor->left -= size_bytes;
    }
    return taken;
}

void cursor_copy(struct cursor *cursor, void *out, size_t size_bytes)
{
    const struct bytes taken = cursor_take(cursor, size_bytes);
    if (taken.size)
        memcpy(out, taken.data, taken.size);
    else
        memset(out, 0, size_bytes);
}

static uint64_t cursor_integer(struct cursor *cursor, size_t width)
{
    const struct bytes taken = cursor_take(cursor, width);
    uint64_t value = 0;
    for (size_t i = 0; i < taken.size; i++)
        value = value << 8 | taken.data[i];
    return value;
}

uint8_t cursor_u8(struct cursor *cursor)
{
    return (uint8_t)cursor_integer(cursor, 1);
}

uint16_t cursor_u16(struct cursor *cursor)
{
    return (uint16_t)cursor_integer(cursor, 2);
}

uint32_t cursor_u32(struct cursor *cursor)
{
    return (uint32_t)cursor_integer(cursor, 4);
}

uint64_t cursor_u64(struct cursor *cursor)
{
    return cursor_integer(cursor, 8);
}
