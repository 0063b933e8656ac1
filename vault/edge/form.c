#include "vault/edge/form.h"

#include <stdbool.h>
#include <string.h>

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decode into the room at *next, which is never shorter than the input. */
static bool decode(struct bytes raw, uint8_t **next, struct bytes *out)
{
    uint8_t *place = *next;
    size_t size = 0;
    for (size_t i = 0; i < raw.size; i++) {
        uint8_t c = raw.data[i];
        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            const int high = i + 2 < raw.size ? hex_digit(raw.data[i + 1]) : -1;
            const int low = i + 2 < raw.size ? hex_digit(raw.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (uint8_t)(high << 4 | low);
            i += 2;
        }
        if (c == 0)
            return false;
        place[size++] = c;
    }
    *out = (struct bytes){place, size};
    *next = place + size;
    return true;
}

static enum vault_code add_field(struct form *form, struct bytes raw, uint8_t **next,
                                 struct vault_error *err)
{
    if (form->count == FORM_FIELDS_MAX)
        return vault_fail(err, VAULT_TOO_LARGE, "the form has too many fields");
    const uint8_t *equals = memchr(raw.data, '=', raw.size);
    const size_t name_size = equals ? (size_t)(equals - raw.data) : raw.size;
    const struct bytes name = {raw.data, name_size};
    const struct bytes value = {equals ? equals + 1 : raw.data,
                                equals ? raw.size - name_size - 1 : 0};
    struct bytes *const out_name = &form->fields[form->count].name;
    if (!decode(name, next, out_name) || !decode(value, next, &form->fields[form->count].value))
        return vault_fail(err, VAULT_INVALID, "the form is not encoded as forms are");
    for (size_t i = 0; i < form->count; i++) {
        if (bytes_equal(form->fields[i].name, *out_name))
            return vault_fail(err, VAULT_INVALID, "the form names a field twice");
    }
    form->count++;
    return VAULT_OK;
}

static enum vault_code parse(struct bytes body, struct form *form, struct vault_error *err)
{
    uint8_t *next = buf_extend(&form->text, body.size);
    if (!next)
        return buf_check(&form->text, err);
    while (body.size > 0) {
        const uint8_t *end = memchr(body.data, '&', body.size);
        const size_t size = end ? (size_t)(end - body.data) : body.size;
        if (size > 0)
            VAULT_TRY(add_field(form, (struct bytes){body.data, size}, &next, err));
        body.data += size + (end != NULL);
        body.size -= size + (end != NULL);
    }
    return VAULT_OK;
}

enum vault_code form_parse(struct bytes body, struct form *out, struct vault_error *err)
{
    *out = (struct form){.text = buf_limited(body.size)};
    const enum vault_code code = parse(body, out, err);
    if (code)
        form_finish(out);
    return code;
}

void form_finish(struct form *form)
{
    buf_finish(&form->text);
    form->count = 0;
}

struct bytes form_value(const struct form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++) {
        if (bytes_equal(form->fields[i].name, bytes_of_text(name)))
            return form->fields[i].value;
    }
    return (struct bytes){0};
}

struct bytes cookie_value(struct bytes header, const char *name)
{
    struct bytes found = {0};
    const size_t name_size = strlen(name);
    while (header.size > 0) {
        const uint8_t *end = memchr(header.data, ';', header.size);
        const size_t size = end ? (size_t)(end - header.data) : header.size;
        if (size > name_size && header.data[name_size] == '=' &&
            memcmp(header.data, name, name_size) == 0) {
            if (found.data)
                return (struct bytes){0};
            found = (struct bytes){header.data + name_size + 1, size - name_size - 1};
        }
        header.data += size + (end != NULL);
        header.size -= size + (end != NULL);
        while (header.size > 0 && *header.data == ' ') {
            header.data++;
            header.size--;
        }
    }
    return found;
}
