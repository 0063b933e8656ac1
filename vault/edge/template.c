#include "vault/edge/template.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NAME_CHARS_MAX 96

struct render {
    const struct template_source *source;
    const char *language;
    const char *template_name;
    const json_t *scopes[TEMPLATE_DEPTH_MAX];
    unsigned scope_count;
    unsigned depth;
    struct buf *out;
    struct vault_error *err;
};

/* One mark: {{kind name}}. */
struct mark {
    char kind; /* '=' value, 't' text, '#', '^', '/', '>'; '!' one that does not close; 0 none */
    char name[NAME_CHARS_MAX];
    const char *begin;
    const char *end; /* behind the mark */
};

void template_escape(struct buf *out, struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        switch (text.data[i]) {
        case '&':
            buf_text(out, "&amp;");
            break;
        case '<':
            buf_text(out, "&lt;");
            break;
        case '>':
            buf_text(out, "&gt;");
            break;
        case '"':
            buf_text(out, "&quot;");
            break;
        case '\'':
            buf_text(out, "&#39;");
            break;
        default:
            buf_byte(out, text.data[i]);
        }
    }
}

static enum vault_code broken(const struct render *render, const char *what, const char *name)
{
    return vault_fail(render->err, VAULT_INVALID, "template %s: %s: %s", render->template_name,
                      what, name);
}

/* The value of a name: its first part is looked up in the scopes from the innermost outwards. */
static const json_t *value_of(const struct render *render, const char *name)
{
    char part[NAME_CHARS_MAX];
    const json_t *value = NULL;
    const char *rest = name;
    for (bool first = true; *rest; first = false) {
        const size_t size = strcspn(rest, ".");
        snprintf(part, sizeof part, "%.*s", (int)size, rest);
        rest += size + (rest[size] == '.');
        for (unsigned i = render->scope_count; first && i > 0 && !value; i--)
            value = json_object_get(render->scopes[i - 1], part);
        if (!first)
            value = json_object_get(value, part);
        if (!value)
            return NULL;
    }
    return value;
}

static bool counts_as_true(const json_t *value)
{
    if (json_is_string(value))
        return json_string_length(value) > 0;
    if (json_is_array(value))
        return json_array_size(value) > 0;
    return value && !json_is_false(value) && !json_is_null(value);
}

static void put_value(const struct render *render, const json_t *value)
{
    if (json_is_string(value))
        template_escape(render->out, json_text(value));
    else if (json_is_integer(value))
        buf_format(render->out, "%lld", (long long)json_integer_value(value));
}

/* A text of the catalogue is ours, but it is escaped like everything else: it holds no markup. */
static enum vault_code put_text(const struct render *render, const char *name)
{
    char looked_up[NAME_CHARS_MAX];
    if (name[0] == '.') {
        const json_t *value = value_of(render, name + 1);
        snprintf(looked_up, sizeof looked_up, "%s",
                 json_is_string(value) ? json_string_value(value) : "");
        name = looked_up;
    }
    const char *text = render->source->text_of(render->source->context, render->language, name);
    if (!text)
        return broken(render, "no such text", name);
    while (*text) {
        const size_t plain = strcspn(text, "{");
        template_escape(render->out, (struct bytes){(const uint8_t *)text, plain});
        text += plain;
        if (!*text)
            break;
        const size_t size = strcspn(text + 1, "}");
        char inner[NAME_CHARS_MAX];
        snprintf(inner, sizeof inner, "%.*s", (int)size, text + 1);
        put_value(render, value_of(render, inner));
        text += 1 + size + (text[1 + size] == '}');
    }
    return VAULT_OK;
}

/* The next mark at or after text. */
static struct mark next_mark(const char *text)
{
    struct mark mark = {.begin = strstr(text, "{{")};
    const char *close = mark.begin ? strstr(mark.begin, "}}") : NULL;
    if (!close) {
        mark.kind = mark.begin ? '!' : 0;
        mark.end = text + strlen(text);
        mark.begin = mark.begin ? mark.begin : mark.end;
        return mark;
    }
    const char *inside = mark.begin + 2;
    mark.end = close + 2;
    mark.kind = '=';
    if (strchr("#^/>", *inside) || strncmp(inside, "t ", 2) == 0)
        mark.kind = *inside++;
    while (*inside == ' ')
        inside++;
    snprintf(mark.name, sizeof mark.name, "%.*s", (int)(close - inside), inside);
    return mark;
}

/* The end mark of a section that begins behind its opening mark; kind '/', or there is none. */
static struct mark section_end(const char *text, const char *name)
{
    unsigned open = 1;
    for (;;) {
        const struct mark mark = next_mark(text);
        if (!mark.kind || mark.kind == '!')
            return mark;
        if ((mark.kind == '#' || mark.kind == '^') && strcmp(mark.name, name) == 0)
            open++;
        if (mark.kind == '/' && strcmp(mark.name, name) == 0 && --open == 0)
            return mark;
        text = mark.end;
    }
}

static enum vault_code render_text(struct render *render, const char *text, const char *end);

static enum vault_code render_scoped(struct render *render, const json_t *scope, const char *text,
                                     const char *end)
{
    if (render->scope_count == TEMPLATE_DEPTH_MAX)
        return broken(render, "nested too deep", "");
    render->scopes[render->scope_count++] = scope;
    const enum vault_code code = render_text(render, text, end);
    render->scope_count--;
    return code;
}

static enum vault_code render_section(struct render *render, const struct mark *open,
                                      const struct mark *close)
{
    const json_t *value = value_of(render, open->name);
    if ((open->kind == '#') != counts_as_true(value))
        return VAULT_OK;
    if (open->kind == '#' && json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++)
            VAULT_TRY(render_scoped(render, json_array_get(value, i), open->end, close->begin));
        return VAULT_OK;
    }
    return render_scoped(render, value, open->end, close->begin);
}

static enum vault_code render_named(struct render *render, const char *name)
{
    const char *text = render->source->template_of(render->source->context, name);
    if (!text)
        return broken(render, "no such template", name);
    if (++render->depth > TEMPLATE_DEPTH_MAX)
        return broken(render, "nested too deep", name);
    const char *outer = render->template_name;
    render->template_name = name;
    const enum vault_code code = render_text(render, text, text + strlen(text));
    render->template_name = outer;
    render->depth--;
    return code;
}

/* One mark; *text is where to go on. */
static enum vault_code render_mark(struct render *render, const struct mark *mark,
                                   const char **text)
{
    *text = mark->end;
    switch (mark->kind) {
    case '=':
        put_value(render, value_of(render, mark->name));
        return VAULT_OK;
    case 't':
        return put_text(render, mark->name);
    case '>':
        return render_named(render, mark->name);
    case '/':
        return broken(render, "a section ends that did not begin", mark->name);
    case '!':
        return broken(render, "a mark does not close", "");
    default:
        break;
    }
    const struct mark close = section_end(mark->end, mark->name);
    if (close.kind != '/')
        return broken(render, "a section does not end", mark->name);
    *text = close.end;
    return render_section(render, mark, &close);
}

static enum vault_code render_text(struct render *render, const char *text, const char *end)
{
    while (text < end) {
        const struct mark mark = next_mark(text);
        const char *stop = mark.begin < end ? mark.begin : end;
        buf_append(render->out, text, (size_t)(stop - text));
        if (!mark.kind || mark.begin >= end)
            return VAULT_OK;
        VAULT_TRY(render_mark(render, &mark, &text));
    }
    return VAULT_OK;
}

enum vault_code template_render(const struct template_source *source, const char *name,
                                const char *language, const json_t *data, struct buf *out,
                                struct vault_error *err)
{
    struct render render = {.source = source,
                            .language = language,
                            .template_name = name,
                            .scopes = {data},
                            .scope_count = 1,
                            .out = out,
                            .err = err};
    VAULT_TRY(render_named(&render, name));
    return buf_check(out, err);
}
