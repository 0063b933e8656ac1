#include "pages_typed.h"

#include <stdio.h>
#include <string.h>

#include "pages_parts.h"
#include "vault/crypto/secret.h"

#define KEPT_PREFIX     "kept."
#define KEPT_ACTION     "kept_action"
#define KEPT_NAME_CHARS 64
#define KEPT_BYTES_MAX  HTTP_BODY_BYTES_MAX

/* The fields that somebody writes into by hand, of all forms that keep. */
static const char *const typed_names[] = {"words",    "value", "number", "street",
                                          "postcode", "city",  "label",  "address"};

static bool is_by_hand(const char *name)
{
    for (size_t i = 0; i < sizeof typed_names / sizeof typed_names[0]; i++) {
        if (strcmp(name, typed_names[i]) == 0)
            return true;
    }
    return false;
}

static void put_field(struct visit *visit, const char *name, struct bytes value)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(KEPT_BYTES_MAX);
    buf_bytes(&text, value);
    json_t *item = page_item(visit, json_object_get(visit->data, "kept"));
    page_text(visit, item, "name", name);
    page_text(visit, item, "value", buf_string(&text));
    if (is_by_hand(name) && value.size)
        page_flag(visit, item, "typed");
}

/* The fields of the form whose names begin so, without that. */
static void put_fields(struct visit *visit, const char *prefix)
{
    const size_t skipped = strlen(prefix);
    page_list(visit, visit->data, "kept");
    for (size_t i = 0; i < visit->form.count; i++) {
        const struct bytes name = visit->form.fields[i].name;
        char text[KEPT_NAME_CHARS + 1];
        if (name.size <= skipped || name.size - skipped > KEPT_NAME_CHARS ||
            memcmp(name.data, prefix, skipped) != 0)
            continue;
        snprintf(text, sizeof text, "%.*s", (int)(name.size - skipped),
                 (const char *)name.data + skipped);
        if (strcmp(text, "form_token") != 0)
            put_field(visit, text, visit->form.fields[i].value);
    }
    page_flag(visit, visit->data, "kept_shown");
}

void typed_ask(struct visit *visit)
{
    char next[VISIT_ADDRESS_CHARS + 1];
    visit_address(visit, next);
    put_fields(visit, "");
    page_text(visit, visit->data, KEPT_ACTION, visit->request->path);
    page_text(visit, visit->data, "next", next);
    page_with_script(visit);
    if (visit->session_ended)
        visit_end_session(visit);
    page_send(visit, 403, "sign_in", "sign_in.title");
}

bool typed_is_there(const struct visit *visit)
{
    return form_value(&visit->form, KEPT_ACTION).size > 0;
}

void typed_put(struct visit *visit)
{
    char action[VISIT_ADDRESS_CHARS + 1];
    local_address(action, form_value(&visit->form, KEPT_ACTION));
    put_fields(visit, KEPT_PREFIX);
    page_text(visit, visit->data, KEPT_ACTION, action);
}

/* Only to whom it was written by: on a machine that many use, the next to sign in may be another.
 */
static bool is_theirs(struct visit *visit)
{
    struct vault_error err;
    char whose[SIGN_IN_TOKEN_CHARS + 1];
    return sign_in_whose(visit->pages->vault, &visit->session.citizen, whose, &err) == VAULT_OK &&
           secret_equal(bytes_of_text(whose), form_value(&visit->form, KEPT_PREFIX "whose"));
}

void typed_show(struct visit *visit)
{
    char action[VISIT_ADDRESS_CHARS + 1];
    local_address(action, form_value(&visit->form, KEPT_ACTION));
    if (!is_theirs(visit) || !page_keeps_typed(action)) {
        page_redirect(visit, "/");
        return;
    }
    typed_put(visit);
    page_send(visit, 200, "kept", "kept.title");
}
