/*
 * template - pages from files, in which data can only ever be text.
 *
 * A template is HTML with marks. Whatever a mark brings in is escaped for HTML text and quoted
 * attributes; there is no mark that does not escape, so data can never become markup. A mark cannot
 * stand where escaping would not be enough (an unquoted attribute, a script, a style): the pages'
 * content security policy forbids inline ones, and a test reads every template for it.
 *
 *   {{name}}            the value of a name; a.b is the member b of a
 *   {{t name}}          the text of that name in the page's language; {x} in it is the value of x
 *   {{t .name}}         the text whose name is the value of name
 *   {{#name}}…{{/name}} once for each element of a list, or once if it is an object, true or a text
 *                       that is not empty; names are looked up in the element first
 *   {{^name}}…{{/name}} once if it is missing, false, or empty
 *   {{> name}}          another template
 *
 * The data are a JSON object. A name that is not there is empty. Nesting is bounded.
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/base/json.h"

#define TEMPLATE_DEPTH_MAX 12

/* Where templates and texts come from: both give NULL for a name they do not have. */
struct template_source {
    const char *(*template_of)(void *context, const char *name);
    const char *(*text_of)(void *context, const char *language, const char *name);
    void *context;
};

/* Append the page. VAULT_INVALID names the template and what is wrong in it: an unknown text or
 * template, a section that is not closed. */
enum vault_code template_render(const struct template_source *source, const char *name,
                                const char *language, const json_t *data, struct buf *out,
                                struct vault_error *err) VAULT_MUST_CHECK;

/* Append text with &, <, >, " and ' escaped. */
void template_escape(struct buf *out, struct bytes text);
