#include "vault/base/json.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "vault/base/insist.h"

/*
 * jansson's allocator: the size stands before the bytes, so that free can wipe them.
 *
 * It never refuses. Where jansson 2.14 reads a text it does not look whether the place that it
 * collects a token in grew: with one refusal a name or a value is short of a byte, and if that was
 * the closing quote, it is copied past its end (src/load.c, lex_save and lex_scan_string).
 */
union block {
    size_t size;
    max_align_t align;
};

static void *wiping_malloc(size_t size)
{
    union block *block = size > SIZE_MAX - sizeof *block
                             ? NULL
                             : insist_malloc(sizeof *block + size, "reading JSON");
    if (!block)
        return NULL;
    block->size = size;
    return block + 1;
}

static void wiping_free(void *pointer)
{
    if (!pointer)
        return;
    union block *block = (union block *)pointer - 1;
    explicit_bzero(pointer, block->size);
    free(block);
}

static void start_once(void)
{
    json_set_alloc_funcs(wiping_malloc, wiping_free);
    json_object_seed(0);
}

void json_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_once);
}

void json_free(json_t **json)
{
    json_decref(*json);
    *json = NULL;
}

static struct json_position position_at(struct bytes text, size_t offset)
{
    struct json_position position = {.line = 1, .column = 1, .offset = offset};
    for (size_t i = 0; i < offset && i < text.size; i++) {
        if (text.data[i] == '\n') {
            position.line++;
            position.column = 1;
        } else {
            position.column++;
        }
    }
    return position;
}

/* The offset just behind a string whose opening quote stands at offset. */
static size_t skip_string(struct bytes text, size_t offset)
{
    for (size_t i = offset + 1; i < text.size; i++) {
        if (text.data[i] == '\\')
            i++;
        else if (text.data[i] == '"')
            return i + 1;
    }
    return text.size;
}

/* Where nesting first passes the limit; the text's size if it never does. */
static size_t find_too_deep(struct bytes text, unsigned depth_limit)
{
    unsigned depth = 0;
    size_t i = 0;
    while (i < text.size) {
        switch (text.data[i]) {
        case '"':
            i = skip_string(text, i);
            continue;
        case '[':
        case '{':
            if (++depth > depth_limit)
                return i;
            break;
        case ']':
        case '}':
            depth -= depth > 0;
            break;
        default:
            break;
        }
        i++;
    }
    return text.size;
}

/* jansson's words quote the input; its codes do not. */
static const char *fault_of(enum json_error_code code)
{
    switch (code) {
    case json_error_duplicate_key:
        return "an object names a member twice";
    case json_error_premature_end_of_input:
        return "the text ends too early";
    case json_error_end_of_input_expected:
        return "something stands behind the end of the JSON text";
    case json_error_invalid_utf8:
        return "not UTF-8";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "a NUL character";
    case json_error_numeric_overflow:
        return "a number out of range";
    case json_error_out_of_memory:
        return "out of memory";
    default:
        return "not JSON";
    }
}

enum vault_code json_parse(struct bytes text, unsigned depth_limit, json_t **out,
                           struct json_position *position, struct vault_error *err)
{
    struct json_position at = {0};
    struct json_position *where = position ? position : &at;
    const size_t too_deep = find_too_deep(text, depth_limit);
    if (too_deep < text.size) {
        *where = position_at(text, too_deep);
        return vault_fail(err, VAULT_TOO_LARGE,
                          "line %zu, column %zu: nested more than %u levels deep", where->line,
                          where->column, depth_limit);
    }
    json_error_t fault;
    json_t *root = json_loadb((const char *)text.data, text.size,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);
    if (!root) {
        *where = position_at(text, fault.position > 0 ? (size_t)fault.position - 1 : 0);
        const enum json_error_code code = json_error_code(&fault);
        return vault_fail(err, code == json_error_out_of_memory ? VAULT_NO_MEMORY : VAULT_INVALID,
                          "line %zu, column %zu: %s", where->line, where->column, fault_of(code));
    }
    *out = root;
    return VAULT_OK;
}

static size_t skip_space(struct bytes text, size_t i)
{
    while (i < text.size && strchr(" \t\r\n", text.data[i]) && text.data[i])
        i++;
    return i;
}

/* The offset just behind the value that begins at i. */
static size_t skip_value(struct bytes text, size_t i)
{
    unsigned depth = 0;
    while (i < text.size) {
        const uint8_t c = text.data[i];
        if (c == '"') {
            i = skip_string(text, i);
            if (!depth)
                return i;
            continue;
        }
        if (c == '[' || c == '{')
            depth++;
        if (c == ']' || c == '}') {
            if (depth == 0)
                return i;
            if (--depth == 0)
                return i + 1;
        }
        if (!depth && strchr(", \t\r\n", c) && c)
            return i;
        i++;
    }
    return text.size;
}

/* Take the next step of a pointer, unescaped, into name. Returns what is left of the pointer. */
static const char *next_step(const char *pointer, struct buf *name)
{
    buf_clear(name);
    const char *p = pointer + 1;
    for (; *p && *p != '/'; p++) {
        if (*p == '~' && (p[1] == '0' || p[1] == '1'))
            buf_byte(name, *++p == '0' ? '~' : '/');
        else
            buf_byte(name, (uint8_t)*p);
    }
    return p;
}

static bool name_matches(struct bytes text, size_t from, size_t end, const struct buf *name)
{
    json_t *value = json_loadb((const char *)text.data + from, end - from, JSON_DECODE_ANY, NULL);
    const bool same = bytes_equal(json_text(value), buf_view(name));
    json_decref(value);
    return same;
}

/* The list position that a pointer's step names, or SIZE_MAX. */
static size_t list_position(struct bytes step)
{
    size_t position = step.size && step.size < 10 ? 0 : SIZE_MAX;
    for (size_t i = 0; i < step.size && position != SIZE_MAX; i++) {
        const uint8_t c = step.data[i];
        position = c >= '0' && c <= '9' ? position * 10 + (c - '0') : SIZE_MAX;
    }
    return position;
}

/* Of the object or array at i: the offset of the member's value, or 0 if there is none. */
static size_t find_member(struct bytes text, size_t i, const struct buf *name, size_t *name_at)
{
    const bool object = text.data[i] == '{';
    const size_t wanted = object ? SIZE_MAX : list_position(buf_view(name));
    i++;
    for (size_t index = 0;; index++) {
        i = skip_space(text, i);
        if (i >= text.size || text.data[i] == ']' || text.data[i] == '}')
            return 0;
        bool found = index == wanted;
        const size_t start = i;
        if (object) {
            const size_t end = skip_string(text, i);
            found = name_matches(text, i, end, name);
            i = skip_space(text, skip_space(text, end) + 1);
        }
        if (found) {
            *name_at = object ? start : i;
            return i;
        }
        i = skip_space(text, skip_value(text, i));
        if (i < text.size && text.data[i] == ',')
            i++;
    }
}

static struct json_position locate(struct bytes text, const char *pointer, bool want_name)
{
    VAULT_AUTO(buf_finish) struct buf name = buf_limited(strlen(pointer) + 1);
    size_t i = skip_space(text, 0);
    size_t at = i;
    while (*pointer == '/' && i < text.size && (text.data[i] == '{' || text.data[i] == '[')) {
        pointer = next_step(pointer, &name);
        size_t name_at = 0;
        const size_t value_at = find_member(text, i, &name, &name_at);
        if (!value_at)
            break;
        i = value_at;
        at = want_name && !*pointer ? name_at : value_at;
    }
    return position_at(text, at);
}

struct json_position json_locate(struct bytes text, const char *pointer)
{
    return locate(text, pointer, false);
}

struct json_position json_locate_name(struct bytes text, const char *pointer)
{
    return locate(text, pointer, true);
}

void json_pointer_name(struct buf *pointer, const char *name)
{
    buf_byte(pointer, '/');
    for (size_t plain; *name; name += plain) {
        plain = strcspn(name, "~/");
        buf_append(pointer, name, plain);
        if (name[plain])
            buf_text(pointer, name[plain++] == '~' ? "~0" : "~1");
    }
}

void json_pointer_index(struct buf *pointer, size_t index)
{
    buf_format(pointer, "/%zu", index);
}

const char *json_unknown_member(const json_t *object, const char *const names[])
{
    /* jansson's iterators take a non-const object but do not change it. */
    const union {
        const json_t *given;
        json_t *taken;
    } as = {object};
    json_t *members = as.taken;
    for (void *it = json_object_iter(members); it; it = json_object_iter_next(members, it)) {
        const char *member = json_object_iter_key(it);
        size_t i = 0;
        while (names[i] && strcmp(names[i], member) != 0)
            i++;
        if (!names[i])
            return member;
    }
    return NULL;
}

struct bytes json_text(const json_t *value)
{
    if (!json_is_string(value))
        return (struct bytes){0};
    return (struct bytes){.data = (const uint8_t *)json_string_value(value),
                          .size = json_string_length(value)};
}

bool json_copy_text(const json_t *value, char *out, size_t room)
{
    const struct bytes text = json_text(value);
    if (!text.data || text.size >= room)
        return false;
    memcpy(out, text.data, text.size);
    out[text.size] = 0;
    return true;
}

bool json_copy_integer(const json_t *value, int64_t least, int64_t *out)
{
    if (!json_is_integer(value) || json_integer_value(value) < least)
        return false;
    *out = json_integer_value(value);
    return true;
}

void json_write_string(struct buf *out, struct bytes text)
{
    buf_byte(out, '"');
    size_t plain_from = 0;
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t c = text.data[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        buf_append(out, text.data + plain_from, i - plain_from);
        plain_from = i + 1;
        if (c == '"' || c == '\\')
            buf_format(out, "\\%c", c);
        else if (c == '\n')
            buf_text(out, "\\n");
        else
            buf_format(out, "\\u%04x", c);
    }
    if (text.size > plain_from)
        buf_append(out, text.data + plain_from, text.size - plain_from);
    buf_byte(out, '"');
}

static int append_dumped(const char *data, size_t size, void *context)
{
    buf_append(context, data, size);
    return 0;
}

void json_write_value(struct buf *out, const json_t *value)
{
    if (json_dump_callback(value, append_dumped, out,
                           JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) != 0 &&
        !out->problem)
        out->problem = VAULT_NO_MEMORY;
}
