/* One service: what it may see, what it would see now, when it looked; and the question before a
 * withdrawal. */
#include <stdio.h>
#include <string.h>

#include "pages_decided.h"
#include "pages_event.h"
#include "pages_parts.h"
#include "pages_preview.h"
#include "pages_words.h"
#include "vault/base/log.h"
#include "vault/vault/active_policy.h"

#define LOOKS_SHOWN 5
#define LOOKS_AMONG 200 /* newest events of all kinds */

/* What the service would see today on each consent that is in force. */
static void put_previews(const struct decided *decided)
{
    size_t i;
    json_t *item;
    json_array_foreach(decided->live, i, item)
    {
        struct consent_field fields[CONSENT_FIELDS_MAX] = {0};
        json_t *lines = json_object_get(item, "fields");
        const size_t count = json_array_size(lines);
        const char *purpose = json_string_value(json_object_get(item, "purpose"));
        if (json_object_get(item, "suspended_shown") || !purpose || count > CONSENT_FIELDS_MAX)
            continue;
        for (size_t j = 0; j < count; j++) {
            const json_t *line = json_array_get(lines, j);
            const char *name = json_string_value(json_object_get(line, "field"));
            const char *form = json_string_value(json_object_get(line, "form"));
            snprintf(fields[j].name, sizeof fields[j].name, "%s", name ? name : "");
            snprintf(fields[j].form, sizeof fields[j].form, "%s", form ? form : "");
        }
        preview_put(decided->visit, lines, decided->service, purpose, fields, count);
    }
}

/* --- When it looked --------------------------------------------------------------------------- */

struct looks {
    struct visit *visit;
    const struct policy *policy;
    const char *service;
    json_t *list;
};

static bool is_look(void *context, const struct history_event *event)
{
    const struct looks *looks = context;
    return json_array_size(looks->list) < LOOKS_SHOWN &&
           event_kind_of(event->event) == EVENT_ACCESS &&
           bytes_equal(event->service, bytes_of_text(looks->service));
}

static enum vault_code put_look(void *context, const struct history_event *event,
                                struct vault_error *err)
{
    (void)err;
    const struct looks *looks = context;
    event_put(looks->visit, looks->policy, looks->list, event);
    return VAULT_OK;
}

/* The newest ones; all of them are among the accesses, where a gap is told too. */
static void put_looks(struct visit *visit, const char *service)
{
    struct vault_error err;
    VAULT_AUTO(active_policy_release)
    struct policy_hold held = active_policy_hold(visit->pages->vault);
    struct looks looks = {visit, held.policy, service, page_list(visit, visit->data, "events")};
    const enum vault_code code = history_find(visit->pages->vault, &visit->session.citizen, 0,
                                              LOOKS_AMONG, is_look, put_look, &looks, &err);
    if (code)
        log_event(LOG_ERROR, "pages", "%s: %s", vault_code_name(code), err.text);
    if (json_array_size(looks.list))
        page_flag(visit, visit->data, "events_shown");
}

/* --- The pages -------------------------------------------------------------------------------- */

/* Find what this citizen has to do with a service. A service with which they have nothing to do has
 * no page. False: it is answered. */
static bool open_service(struct decided *decided)
{
    struct vault_error err;
    struct visit *visit = decided->visit;
    const enum vault_code code = decided_put(decided, &err);
    if (code) {
        page_failed(visit, code, &err);
        return false;
    }
    decided_put_over_count(visit);
    if (json_array_size(decided->live) + json_array_size(decided->over) == 0 &&
        !json_object_get(visit->data, "requests") &&
        !json_object_get(visit->data, "unasked_shown")) {
        page_error(visit, 404);
        return false;
    }
    page_text(visit, visit->data, "service", decided->service);
    decided_put_service(visit, visit->data);
    return true;
}

void service_show(struct visit *visit, const char *id)
{
    struct decided decided = {.visit = visit, .service = id};
    if (!open_service(&decided))
        return;
    put_previews(&decided);
    put_looks(visit, id);
    page_send(visit, 200, "service", "service.title");
}

/* A withdrawal does not erase what a service has: a letter that asks for it, ready to be sent. */
void service_letter_show(struct visit *visit, const char *id)
{
    char date[WORDS_CHARS];
    struct decided decided = {.visit = visit, .service = id};
    if (!open_service(&decided))
        return;
    words_date(visit, visit_now_s(visit), date);
    page_text(visit, visit->data, "today", date);
    page_send(visit, 200, "service_letter", "letter.title");
}

void withdraw_show(struct visit *visit, const char *id)
{
    (void)id;
    char service[CONSENT_NAME_CHARS + 1];
    char purpose[CONSENT_NAME_CHARS + 1];
    struct vault_error err;
    if (!visit_query(visit, "service", service, sizeof service) ||
        !visit_query(visit, "purpose", purpose, sizeof purpose)) {
        page_error(visit, 404);
        return;
    }
    struct decided decided = {.visit = visit, .service = service, .purpose = purpose};
    const enum vault_code code = decided_put(&decided, &err);
    const json_t *consent = json_array_get(decided.live, 0);
    if (code)
        decided_failed(visit, code, &err);
    else if (!consent)
        page_error(visit, 404);
    else if (json_object_update(visit->data, (json_t *)(uintptr_t)consent))
        page_error(visit, 503);
    else {
        decided_put_service(visit, visit->data);
        page_send(visit, 200, "withdraw", "withdraw.title");
    }
}
