#include "pages_preview.h"

#include "pages_words.h"
#include "vault/base/log.h"
#include "vault/vault/preview.h"

#define VALUE_DEPTH_MAX   16
#define VALUE_SHOWN_BYTES (16U * 1024)

static const char *const outcome_texts[] = {
    [PREVIEW_SHOWN] = NULL,
    [PREVIEW_NO_VALUE] = "preview.no_value",
    [PREVIEW_NOT_SO] = "preview.not_so",
    [PREVIEW_NOT_ALLOWED] = "preview.not_allowed",
};

struct lines {
    struct visit *visit;
    json_t *list;
};

static enum vault_code put_line(void *context, size_t at, enum preview_outcome outcome,
                                struct bytes json, struct vault_error *err)
{
    const struct lines *lines = context;
    json_t *line = json_array_get(lines->list, at);
    VAULT_AUTO(json_free) json_t *value = NULL;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(VALUE_SHOWN_BYTES);
    if (outcome_texts[outcome]) {
        page_text(lines->visit, line, "now_text", outcome_texts[outcome]);
        return VAULT_OK;
    }
    VAULT_TRY(json_parse(json, VALUE_DEPTH_MAX, &value, NULL, err));
    words_value(lines->visit, value, &text);
    page_text(lines->visit, line, "now", buf_string(&text));
    return VAULT_OK;
}

void preview_put(struct visit *visit, json_t *list, const char *service, const char *purpose,
                 const struct consent_field fields[], size_t count)
{
    struct vault_error err;
    size_t i;
    json_t *line;
    struct lines lines = {visit, list};
    if (visit->is_mediator || !visit->signed_in)
        return;
    const struct preview_wish wish = {service, purpose, fields, count};
    const enum vault_code code =
        preview_fields(visit->pages->vault, &visit->session.citizen, &wish, put_line, &lines, &err);
    if (code == VAULT_OK)
        return;
    if (code != VAULT_NOT_FOUND && code != VAULT_UNAVAILABLE)
        log_event(LOG_ERROR, "pages", "%s: %s", vault_code_name(code), err.text);
    json_array_foreach(list, i, line) page_text(visit, line, "now_text", "preview.unknown");
}
