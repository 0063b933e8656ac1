#include "reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vault/base/json.h"

#define POINTER_BYTES_MAX 2048

struct reader reader_over(const char *file, struct bytes text, struct policy_fault *fault,
                          struct vault_error *err)
{
    return (struct reader){.file = file,
                           .text = text,
                           .pointer = buf_limited(POINTER_BYTES_MAX),
                           .fault = fault,
                           .err = err};
}

void reader_finish(struct reader *reader)
{
    buf_finish(&reader->pointer);
}

static const char *pointer_text(struct reader *reader)
{
    const char *pointer = buf_string(&reader->pointer);
    return pointer ? pointer : "";
}

/* A pointer holds names from the text, which may hold anything, and a reason may quote one: keep a
 * message on one line. */
static void copy_on_one_line(char *out, size_t out_bytes, const char *text)
{
    size_t i = 0;
    for (; text[i] && i + 1 < out_bytes; i++) {
        const bool control = (unsigned char)text[i] < ' ' || text[i] == 0x7f;
        out[i] = text[i];
        if (control)
            out[i] = '?';
    }
    out[i] = 0;
}

static enum vault_code refuse_at(struct reader *reader, enum vault_code code,
                                 struct json_position at, const char *words)
{
    char pointer[sizeof reader->fault->pointer];
    char reason[sizeof reader->fault->reason];
    at.line += reader->lines_before;
    copy_on_one_line(reason, sizeof reason, words);
    copy_on_one_line(pointer, sizeof pointer, pointer_text(reader));
    if (reader->fault) {
        *reader->fault = (struct policy_fault){.line = at.line, .column = at.column};
        snprintf(reader->fault->file, sizeof reader->fault->file, "%s",
                 reader->file ? reader->file : "");
        snprintf(reader->fault->pointer, sizeof reader->fault->pointer, "%s", pointer);
        snprintf(reader->fault->reason, sizeof reader->fault->reason, "%s", reason);
    }
    return vault_fail(reader->err, code, "%s%sline %zu, column %zu%s%s: %s",
                      reader->file ? reader->file : "", reader->file ? ", " : "", at.line,
                      at.column, *pointer ? ", " : "", pointer, reason);
}

enum vault_code reader_parse(struct reader *reader, json_t **out)
{
    struct json_position at = {.line = 1, .column = 1};
    struct vault_error fault = {.code = VAULT_OK};
    const enum vault_code code = json_parse(reader->text, POLICY_DEPTH_MAX, out, &at, &fault);
    if (code == VAULT_OK)
        return VAULT_OK;
    /* The words come with their own "line 3, column 5: ". */
    const char *reason = strstr(fault.text, ": ");
    return refuse_at(reader, code, at, reason ? reason + 2 : fault.text);
}

size_t reader_enter(struct reader *reader, const char *name)
{
    const size_t mark = reader->pointer.size;
    json_pointer_name(&reader->pointer, name);
    return mark;
}

size_t reader_enter_index(struct reader *reader, size_t index)
{
    const size_t mark = reader->pointer.size;
    json_pointer_index(&reader->pointer, index);
    return mark;
}

void reader_leave(struct reader *reader, size_t mark)
{
    reader->pointer.size = mark;
    reader->pointer.problem = VAULT_OK;
}

enum vault_code reader_refuse(struct reader *reader, enum vault_code code, const char *format, ...)
{
    char reason[256];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    return refuse_at(reader, code, json_locate(reader->text, pointer_text(reader)), reason);
}

enum vault_code reader_refuse_name(struct reader *reader, enum vault_code code, const char *format,
                                   ...)
{
    char reason[256];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    return refuse_at(reader, code, json_locate_name(reader->text, pointer_text(reader)), reason);
}

static unsigned type_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return READ_OBJECT;
    case JSON_ARRAY:
        return READ_LIST;
    case JSON_STRING:
        return READ_STRING;
    case JSON_INTEGER:
        return READ_INTEGER;
    case JSON_REAL:
        return READ_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return READ_BOOLEAN;
    case JSON_NULL:
        return READ_NULL;
    }
    return 0;
}

enum vault_code reader_check_type(struct reader *reader, const json_t *value, unsigned types)
{
    static const struct {
        unsigned type;
        const char *name;
    } names[] = {
        {READ_STRING, "a string"},    {READ_OBJECT, "an object"},      {READ_LIST, "a list"},
        {READ_INTEGER, "an integer"}, {READ_BOOLEAN, "true or false"}, {READ_NULL, "null"},
    };
    if (type_of(value) & types)
        return VAULT_OK;
    char wanted[128] = "";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const size_t used = strlen(wanted);
        if (types & names[i].type)
            snprintf(wanted + used, sizeof wanted - used, "%s%s", used ? " or " : "",
                     names[i].name);
    }
    return reader_refuse(reader, VAULT_INVALID, "must be %s", wanted);
}

static enum vault_code check_member(struct reader *reader, const json_t *value,
                                    const struct reader_member *member)
{
    const json_t *found = json_object_get(value, member->name);
    if (!found && member->required)
        return reader_refuse(reader, VAULT_INVALID, "the member \"%s\" is missing", member->name);
    if (!found || type_of(found) & member->types)
        return VAULT_OK;
    reader_enter(reader, member->name);
    return reader_check_type(reader, found, member->types);
}

static bool is_among(const char *name, const struct reader_member members[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(members[i].name, name) == 0)
            return true;
    }
    return false;
}

enum vault_code reader_check_members(struct reader *reader, const json_t *value,
                                     const struct reader_member members[], size_t count)
{
    VAULT_TRY(reader_check_type(reader, value, READ_OBJECT));
    json_t *object = reader_iterable(value);
    for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
        const char *name = json_object_iter_key(it);
        if (is_among(name, members, count))
            continue;
        reader_enter(reader, name);
        return reader_refuse_name(reader, VAULT_INVALID, "no such member is known here");
    }
    for (size_t i = 0; i < count; i++)
        VAULT_TRY(check_member(reader, value, &members[i]));
    return VAULT_OK;
}

enum vault_code reader_check_format(struct reader *reader, const json_t *object, const char *format)
{
    if (bytes_equal(json_text(json_object_get(object, "format")), bytes_of_text(format)))
        return VAULT_OK;
    if (!json_object_get(object, "format"))
        return reader_refuse(reader, VAULT_INVALID,
                             "the member \"format\" is missing; it must be \"%s\"", format);
    reader_enter(reader, "format");
    return reader_refuse(reader, VAULT_INVALID, "must be \"%s\"", format);
}
