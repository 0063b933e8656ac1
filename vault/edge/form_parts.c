/* multipart/form-data, RFC 7578, as browsers write it. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "vault/edge/form.h"

#define BOUNDARY_CHARS    70 /* RFC 2046 section 5.1.1 */
#define HEADERS_BYTES_MAX 1024

struct parts {
    struct bytes rest;
    char mark[4 + BOUNDARY_CHARS + 1]; /* what stands between parts: a line's end, "--", boundary */
};

static enum vault_code wrong(struct vault_error *err)
{
    return vault_fail(err, VAULT_INVALID, "the form's parts are not as forms have them");
}

static void skip(struct bytes *text, size_t size)
{
    text->data += size;
    text->size -= size;
}

/* Take what stands before a mark, and the mark. False if it is not there. */
static bool take_until(struct bytes *text, const char *mark, struct bytes *out)
{
    const uint8_t *found = memmem(text->data, text->size, mark, strlen(mark));
    if (!found)
        return false;
    *out = (struct bytes){text->data, (size_t)(found - text->data)};
    skip(text, out->size + strlen(mark));
    return true;
}

static bool take_word(struct bytes *text, const char *word)
{
    const size_t size = strlen(word);
    if (text->size < size || strncasecmp((const char *)text->data, word, size) != 0)
        return false;
    skip(text, size);
    return true;
}

static bool read_boundary(struct bytes type, struct parts *parts)
{
    static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "'()+_,-./:=?";
    if (!take_word(&type, FORM_PARTS_TYPE) || !take_word(&type, ";"))
        return false;
    while (take_word(&type, " "))
        ;
    if (!take_word(&type, "boundary="))
        return false;
    if (type.size >= 2 && type.data[0] == '"' && type.data[type.size - 1] == '"')
        type = (struct bytes){type.data + 1, type.size - 2};
    for (size_t i = 0; i < type.size; i++) {
        if (!type.data[i] || !strchr(allowed, type.data[i]))
            return false;
    }
    if (type.size == 0 || type.size > BOUNDARY_CHARS)
        return false;
    snprintf(parts->mark, sizeof parts->mark, "\r\n--%.*s", (int)type.size,
             (const char *)type.data);
    return true;
}

/* The name out of: form-data; name="…"; filename="…". Browsers write a quote in it as %22. */
static bool read_disposition(struct bytes line, struct bytes *name)
{
    if (!take_word(&line, "form-data"))
        return false;
    while (line.size) {
        struct bytes key;
        struct bytes value;
        if (!take_word(&line, "; ") || !take_until(&line, "=\"", &key) ||
            !take_until(&line, "\"", &value))
            return false;
        if (bytes_equal(key, bytes_of_text("name")))
            *name = value;
    }
    return name->size > 0;
}

static bool read_headers(struct bytes *rest, struct bytes *name)
{
    struct bytes line = {0};
    size_t before = rest->size;
    while (take_until(rest, "\r\n", &line) && line.size) {
        if (before - rest->size > HEADERS_BYTES_MAX)
            return false;
        if (take_word(&line, "Content-Disposition: ") &&
            (name->size || !read_disposition(line, name)))
            return false;
    }
    return line.size == 0 && name->size > 0;
}

static enum vault_code add_part(struct form *form, struct bytes name, struct bytes value,
                                struct vault_error *err)
{
    if (form->count == FORM_FIELDS_MAX)
        return vault_fail(err, VAULT_TOO_LARGE, "the form has too many fields");
    if (memchr(name.data, 0, name.size) || (value.size && memchr(value.data, 0, value.size)))
        return wrong(err);
    for (size_t i = 0; i < form->count; i++) {
        if (bytes_equal(form->fields[i].name, name))
            return vault_fail(err, VAULT_INVALID, "the form names a field twice");
    }
    form->fields[form->count].name = name;
    form->fields[form->count++].value = value;
    return VAULT_OK;
}

static enum vault_code parse(struct parts *parts, struct form *form, struct vault_error *err)
{
    if (!bytes_begin_with(parts->rest, parts->mark + 2)) /* the first has no line's end before it */
        return wrong(err);
    skip(&parts->rest, strlen(parts->mark) - 2);
    while (!bytes_begin_with(parts->rest, "--")) {
        struct bytes name = {0};
        struct bytes value;
        if (!take_word(&parts->rest, "\r\n") || !read_headers(&parts->rest, &name) ||
            !take_until(&parts->rest, parts->mark, &value))
            return wrong(err);
        VAULT_TRY(add_part(form, name, value, err));
    }
    skip(&parts->rest, 2);
    return parts->rest.size == 0 || bytes_equal(parts->rest, bytes_of_text("\r\n")) ? VAULT_OK
                                                                                    : wrong(err);
}

enum vault_code form_parse_parts(struct bytes body, struct bytes type, struct form *out,
                                 struct vault_error *err)
{
    struct parts parts = {0};
    *out = (struct form){.text = buf_limited(body.size)};
    if (!read_boundary(type, &parts))
        return vault_fail(err, VAULT_INVALID, "the form's type names no boundary");
    buf_bytes(&out->text, body);
    enum vault_code code = buf_check(&out->text, err);
    parts.rest = buf_view(&out->text);
    if (code == VAULT_OK)
        code = parse(&parts, out, err);
    if (code)
        form_finish(out);
    return code;
}
