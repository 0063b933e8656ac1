/* Home, one service, and the question before a withdrawal: what a citizen has decided. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pages_guardian.h"
#include "pages_parts.h"
#include "pages_preview.h"
#include "pages_unasked.h"
#include "pages_words.h"
#include "vault/base/log.h"
#include "vault/vault/access_request.h"
#include "vault/vault/active_policy.h"
#include "vault/vault/reach.h"
#include "vault/vault/service.h"
#include "vault/vault/statement.h"

/* What is looked for among the citizen's consents, and where it is put. */
struct listing {
    struct visit *visit;
    const struct policy *policy;
    const char *service; /* NULL: of every service */
    const char *purpose; /* NULL: for every purpose */
    json_t *groups;      /* live ones by service; NULL: all in live */
    json_t *live;
    json_t *over;
};

/* --- One consent ---------------------------------------------------------------------------- */

/* The text for each state but the one in force. */
static const char *const state_texts[CONSENT_STATE_COUNT] = {
    [CONSENT_REFUSED] = "state.refused",     [CONSENT_WITHDRAWN] = "state.withdrawn",
    [CONSENT_SUSPENDED] = "state.suspended", [CONSENT_EXPIRED] = "state.expired",
    [CONSENT_USED_UP] = "state.used_up",
};

/* Why something is suspended. */
static const char *const cause_texts[CONSENT_CAUSE_COUNT] = {
    [CONSENT_BY_CITIZEN] = "cause.citizen",
    [CONSENT_BY_PAUSE] = "cause.pause",
    [CONSENT_BY_RESTORE] = "cause.restore",
};

/* What comes of a consent now, where that is less than it says. */
static const char *const reach_texts[REACH_COUNT] = {
    [REACH_LESS] = "reach.less",           [REACH_NOTHING] = "reach.nothing",
    [REACH_SUSPENDED] = "reach.suspended", [REACH_NO_PURPOSE] = "reach.no_purpose",
    [REACH_REMOVED] = "reach.removed",
};

/* A field's line, where the rules let less of it through than was allowed. */
static void put_limit(const struct listing *listing, json_t *line,
                      const struct consent_field *field, const struct reach_field *limit)
{
    struct consent_field now = *field;
    snprintf(now.form, sizeof now.form, "%s", limit->form);
    if (!limit->comes)
        page_text(listing->visit, line, "limit", "reach.field_gone");
    else if (limit->form[0]) {
        page_text(listing->visit, line, "limit", "reach.field_less");
        page_text(listing->visit, line, "now_name", words_form(listing->policy, &now));
    }
}

static void put_fields(const struct listing *listing, json_t *item, const struct consent *consent,
                       const struct reach_field *limits)
{
    struct visit *visit = listing->visit;
    json_t *list = page_list(visit, item, "fields");
    for (size_t i = 0; i < consent->field_count; i++) {
        const struct consent_field *field = &consent->fields[i];
        json_t *line = page_item(visit, list);
        page_text(visit, line, "field", field->name);
        page_text(visit, line, "form", field->form);
        page_text(visit, line, "title", words_field_title(visit, listing->policy, field->name));
        page_text(visit, line, "form_name", words_form(listing->policy, field));
        if (limits)
            put_limit(listing, line, field, &limits[i]);
    }
}

/* The fields, and for what is in force or can be again, what comes of it. */
static void put_reach(const struct listing *listing, json_t *item, const struct consent *consent,
                      enum consent_state state)
{
    struct visit *visit = listing->visit;
    struct reach_field limits[CONSENT_FIELDS_MAX];
    enum reach_of reach = REACH_WHOLE;
    if (state == CONSENT_GIVEN || state == CONSENT_SUSPENDED)
        reach = reach_of_consent(visit->pages->vault, listing->policy, consent, visit_now_s(visit),
                                 limits);
    if (reach_texts[reach])
        page_text(visit, item, "reach_text", reach_texts[reach]);
    put_fields(listing, item, consent, reach == REACH_LESS ? limits : NULL);
}

static void put_date(struct visit *visit, json_t *item, const char *name, int64_t instant_s)
{
    char date[WORDS_CHARS];
    words_date(visit, instant_s, date);
    page_text(visit, item, name, date);
}

static void put_consent(const struct listing *listing, json_t *item, const struct consent *consent)
{
    struct visit *visit = listing->visit;
    page_text(visit, item, "service", consent->service);
    page_text(visit, item, "purpose", consent->purpose);
    page_number(visit, item, "record", consent->seq);
    page_text(visit, item, "purpose_title",
              words_purpose_title(visit, listing->policy, consent->purpose));
    page_text(visit, item, "purpose_text",
              words_purpose_text(visit, listing->policy, consent->purpose));
    const enum consent_state state = consent_state_now(consent, visit_now_s(visit));
    put_reach(listing, item, consent, state);
    put_date(visit, item, "given", consent->at_s);
    put_date(visit, item, "at", consent->at_s);
    put_date(visit, item, "until", consent->expires_s);
    if (state_texts[state])
        page_text(visit, item, "state",
                  consent->event == CONSENT_END ? "state.removed" : state_texts[state]);
    if (state == CONSENT_SUSPENDED) {
        page_flag(visit, item, "suspended_shown");
        page_text(visit, item, "cause_text", cause_texts[consent->cause]);
    }
    if (consent->uses != CONSENT_UNLIMITED) {
        page_flag(visit, item, "uses_left_shown");
        page_number(visit, item, "uses_left", consent->uses - consent->used);
    }
}

/* --- All of them ---------------------------------------------------------------------------- */

/* The list of live consents of one service. */
static json_t *group_of(const struct listing *listing, const char *service)
{
    size_t i;
    json_t *group;
    json_array_foreach(listing->groups, i, group)
    {
        if (strcmp(json_string_value(json_object_get(group, "service")), service) == 0)
            return json_object_get(group, "live");
    }
    group = page_item(listing->visit, listing->groups);
    page_text(listing->visit, group, "service", service);
    return page_list(listing->visit, group, "live");
}

static enum vault_code list_consent(void *context, const struct consent *consent,
                                    struct vault_error *err)
{
    (void)err;
    const struct listing *listing = context;
    if ((listing->service && strcmp(listing->service, consent->service) != 0) ||
        (listing->purpose && strcmp(listing->purpose, consent->purpose) != 0))
        return VAULT_OK;
    json_t *list = listing->over;
    const enum consent_state state = consent_state_now(consent, visit_now_s(listing->visit));
    if (state == CONSENT_GIVEN || state == CONSENT_SUSPENDED)
        list = listing->groups ? group_of(listing, consent->service) : listing->live;
    put_consent(listing, page_item(listing->visit, list), consent);
    return VAULT_OK;
}

static enum vault_code list_request(void *context, const struct access_view *view,
                                    struct vault_error *err)
{
    const struct listing *listing = context;
    struct visit *visit = listing->visit;
    const char *purpose = json_string_value(json_object_get(view->ask, "purpose"));
    if (!purpose || (listing->service && strcmp(listing->service, view->request.service) != 0))
        return VAULT_OK;
    json_t *list = json_object_get(visit->data, "requests");
    json_t *item = page_item(visit, list ? list : page_list(visit, visit->data, "requests"));
    page_text(visit, item, "request", view->request.id);
    page_text(visit, item, "service", view->request.service);
    page_text(visit, item, "purpose_title", words_purpose_title(visit, listing->policy, purpose));
    put_date(visit, item, "answer_before", view->request.expires_s);
    page_flag(visit, visit->data, "requests_shown");
    return guardian_put_half(visit, item, view->request.id, err);
}

/* A service's name and address, beside its id in the object, also of one that was removed. One that
 * was never there keeps its id for a name. */
static void put_service(struct visit *visit, json_t *object)
{
    VAULT_AUTO(service_release) struct service_hold held = {0};
    const char *id = json_string_value(json_object_get(object, "service"));
    if (!id || service_by_id_ever(visit->pages->vault, bytes_of_text(id), &held, NULL)) {
        page_text(visit, object, "service_name", id);
        return;
    }
    page_text(visit, object, "service_name", held.service->name);
    page_text(visit, object, "contact", held.service->contact);
    if (held.service->removed_s)
        page_flag(visit, object, "removed_service");
    else if (!held.service->active)
        page_flag(visit, object, "suspended_service");
}

static void put_services(struct visit *visit, const char *list_name)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(visit->data, list_name), i, item) put_service(visit, item);
}

static enum vault_code list_all(struct listing *listing, struct vault_error *err)
{
    struct visit *visit = listing->visit;
    struct vault *vault = visit->pages->vault;
    VAULT_AUTO(active_policy_release) struct policy_hold held = active_policy_hold(vault);
    listing->policy = held.policy;
    listing->live = page_list(visit, visit->data, "live");
    listing->over = page_list(visit, visit->data, "over");
    VAULT_TRY(consent_list(vault, &visit->session.citizen, list_consent, listing, err));
    VAULT_TRY(stance_put(visit, held.policy, listing->service, err));
    return access_request_list(vault, &visit->session.citizen, list_request, listing, err);
}

static void put_over_count(struct visit *visit)
{
    const size_t count = json_array_size(json_object_get(visit->data, "over"));
    if (count)
        page_flag(visit, visit->data, "over_shown");
    page_number(visit, visit->data, "over_count", (int64_t)count);
}

/* --- The pages ------------------------------------------------------------------------------ */

/* What is decided cannot be read: it can still be stopped, all of it. */
static void show_damaged(struct visit *visit, enum vault_code code, const struct vault_error *err)
{
    if (code != VAULT_CORRUPT) {
        page_failed(visit, code, err);
        return;
    }
    log_event(LOG_ERROR, "pages", "%s: %s", vault_code_name(code), err->text);
    page_send(visit, 500, "damaged", "damaged.title");
}

void home_show(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    struct listing listing = {.visit = visit, .groups = page_list(visit, visit->data, "services")};
    enum vault_code code = list_all(&listing, &err);
    if (code == VAULT_OK)
        code = guardian_put_own(visit, &err);
    if (code == VAULT_OK)
        code = guardian_put_minors(visit, &err);
    if (code) {
        show_damaged(visit, code, &err);
        return;
    }
    put_services(visit, "requests");
    put_services(visit, "services");
    put_services(visit, "over");
    put_over_count(visit);
    if (json_array_size(listing.groups))
        page_flag(visit, visit->data, "services_shown");
    page_flag(visit, visit->data, "is_home");
    page_send(visit, 200, "home", "home.title");
}

/* What the service would see today on each consent that is in force. */
static void put_previews(const struct listing *listing)
{
    size_t i;
    json_t *item;
    json_array_foreach(listing->live, i, item)
    {
        struct consent_field fields[CONSENT_FIELDS_MAX];
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
        preview_put(listing->visit, lines, listing->service, purpose, fields, count);
    }
}

/* A service with which this citizen has nothing to do has no page. */
void service_show(struct visit *visit, const char *id)
{
    struct vault_error err;
    struct listing listing = {.visit = visit, .service = id};
    const enum vault_code code = list_all(&listing, &err);
    if (code) {
        page_failed(visit, code, &err);
        return;
    }
    put_over_count(visit);
    if (json_array_size(listing.live) + json_array_size(listing.over) == 0 &&
        !json_object_get(visit->data, "requests") &&
        !json_object_get(visit->data, "unasked_shown")) {
        page_error(visit, 404);
        return;
    }
    page_text(visit, visit->data, "service", id);
    put_service(visit, visit->data);
    put_previews(&listing);
    page_send(visit, 200, "service", "service.title");
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
    struct listing listing = {.visit = visit, .service = service, .purpose = purpose};
    const enum vault_code code = list_all(&listing, &err);
    const json_t *consent = json_array_get(listing.live, 0);
    if (code)
        show_damaged(visit, code, &err);
    else if (!consent)
        page_error(visit, 404);
    else if (json_object_update(visit->data, (json_t *)(uintptr_t)consent))
        page_error(visit, 503);
    else {
        put_service(visit, visit->data);
        page_send(visit, 200, "withdraw", "withdraw.title");
    }
}

/* A file to keep. It is made by a POST, since that it was taken is an entry of the log. */
void statement_send(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    const enum vault_code code =
        statement_write(visit->pages->vault, &visit->session.citizen, &visit->answer->body, &err);
    if (code) {
        buf_clear(&visit->answer->body);
        page_failed(visit, code, &err);
        return;
    }
    visit->answer->content_type = "application/json";
    http_answer_header(visit->answer, "Content-Disposition",
                       "attachment; filename=\"statement.json\"");
}
