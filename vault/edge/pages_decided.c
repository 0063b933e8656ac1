/* What a citizen has decided, put into the data of a page. */
#include "pages_decided.h"

#include <string.h>

#include "pages_guardian.h"
#include "pages_unasked.h"
#include "pages_words.h"
#include "vault/base/log.h"
#include "vault/vault/access_request.h"
#include "vault/vault/active_policy.h"
#include "vault/vault/reach.h"
#include "vault/vault/service.h"

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
static void put_limit(const struct decided *decided, json_t *line,
                      const struct consent_field *field, const struct reach_field *limit)
{
    struct consent_field now = *field;
    snprintf(now.form, sizeof now.form, "%s", limit->form);
    if (!limit->comes)
        page_text(decided->visit, line, "limit", "reach.field_gone");
    else if (limit->form[0]) {
        page_text(decided->visit, line, "limit", "reach.field_less");
        page_text(decided->visit, line, "now_name", words_form(decided->policy, &now));
    }
}

static void put_fields(const struct decided *decided, json_t *item, const struct consent *consent,
                       const struct reach_field *limits)
{
    struct visit *visit = decided->visit;
    json_t *list = page_list(visit, item, "fields");
    for (size_t i = 0; i < consent->field_count; i++) {
        const struct consent_field *field = &consent->fields[i];
        json_t *line = page_item(visit, list);
        page_text(visit, line, "field", field->name);
        page_text(visit, line, "form", field->form);
        page_text(visit, line, "title", words_field_title(visit, decided->policy, field->name));
        page_text(visit, line, "form_name", words_form(decided->policy, field));
        if (limits)
            put_limit(decided, line, field, &limits[i]);
    }
}

/* The fields, and for what is in force or can be again, what comes of it. */
static void put_reach(const struct decided *decided, json_t *item, const struct consent *consent,
                      enum consent_state state)
{
    struct visit *visit = decided->visit;
    struct reach_field limits[CONSENT_FIELDS_MAX];
    enum reach_of reach = REACH_WHOLE;
    if (state == CONSENT_GIVEN || state == CONSENT_SUSPENDED)
        reach = reach_of_consent(visit->pages->vault, decided->policy, consent, visit_now_s(visit),
                                 limits);
    if (reach_texts[reach])
        page_text(visit, item, "reach_text", reach_texts[reach]);
    put_fields(decided, item, consent, reach == REACH_LESS ? limits : NULL);
}

static void put_date(struct visit *visit, json_t *item, const char *name, int64_t instant_s)
{
    char date[WORDS_CHARS];
    words_date(visit, instant_s, date);
    page_text(visit, item, name, date);
}

static void put_consent(const struct decided *decided, json_t *item, const struct consent *consent)
{
    struct visit *visit = decided->visit;
    page_text(visit, item, "service", consent->service);
    page_text(visit, item, "purpose", consent->purpose);
    page_number(visit, item, "record", consent->seq);
    page_text(visit, item, "purpose_title",
              words_purpose_title(visit, decided->policy, consent->purpose));
    page_text(visit, item, "purpose_text",
              words_purpose_text(visit, decided->policy, consent->purpose));
    const enum consent_state state = consent_state_now(consent, visit_now_s(visit));
    put_reach(decided, item, consent, state);
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
static json_t *group_of(const struct decided *decided, const char *service)
{
    size_t i;
    json_t *group;
    json_array_foreach(decided->groups, i, group)
    {
        if (strcmp(json_string_value(json_object_get(group, "service")), service) == 0)
            return json_object_get(group, "live");
    }
    group = page_item(decided->visit, decided->groups);
    page_text(decided->visit, group, "service", service);
    return page_list(decided->visit, group, "live");
}

static enum vault_code list_consent(void *context, const struct consent *consent,
                                    struct vault_error *err)
{
    (void)err;
    const struct decided *decided = context;
    if ((decided->service && strcmp(decided->service, consent->service) != 0) ||
        (decided->purpose && strcmp(decided->purpose, consent->purpose) != 0))
        return VAULT_OK;
    json_t *list = decided->over;
    const enum consent_state state = consent_state_now(consent, visit_now_s(decided->visit));
    if (state == CONSENT_GIVEN || state == CONSENT_SUSPENDED)
        list = decided->groups ? group_of(decided, consent->service) : decided->live;
    put_consent(decided, page_item(decided->visit, list), consent);
    return VAULT_OK;
}

static enum vault_code list_request(void *context, const struct access_view *view,
                                    struct vault_error *err)
{
    const struct decided *decided = context;
    struct visit *visit = decided->visit;
    const char *purpose = json_string_value(json_object_get(view->ask, "purpose"));
    if (!purpose || (decided->service && strcmp(decided->service, view->request.service) != 0))
        return VAULT_OK;
    json_t *list = json_object_get(visit->data, "requests");
    json_t *item = page_item(visit, list ? list : page_list(visit, visit->data, "requests"));
    page_text(visit, item, "request", view->request.id);
    page_text(visit, item, "service", view->request.service);
    page_text(visit, item, "purpose_title", words_purpose_title(visit, decided->policy, purpose));
    put_date(visit, item, "answer_before", view->request.expires_s);
    page_flag(visit, visit->data, "requests_shown");
    return guardian_put_half(visit, item, view->request.id, err);
}

void decided_put_service(struct visit *visit, json_t *object)
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

enum vault_code decided_put(struct decided *decided, struct vault_error *err)
{
    struct visit *visit = decided->visit;
    struct vault *vault = visit->pages->vault;
    VAULT_AUTO(active_policy_release) struct policy_hold held = active_policy_hold(vault);
    decided->policy = held.policy;
    decided->live = page_list(visit, visit->data, "live");
    decided->over = page_list(visit, visit->data, "over");
    VAULT_TRY(consent_list(vault, &visit->session.citizen, list_consent, decided, err));
    VAULT_TRY(stance_put(visit, held.policy, decided->service, err));
    return access_request_list(vault, &visit->session.citizen, list_request, decided, err);
}

void decided_put_over_count(struct visit *visit)
{
    const size_t count = json_array_size(json_object_get(visit->data, "over"));
    if (count)
        page_flag(visit, visit->data, "over_shown");
    page_number(visit, visit->data, "over_count", (int64_t)count);
}

void decided_failed(struct visit *visit, enum vault_code code, const struct vault_error *err)
{
    if (code != VAULT_CORRUPT) {
        page_failed(visit, code, err);
        return;
    }
    log_event(LOG_ERROR, "pages", "%s: %s", vault_code_name(code), err->text);
    page_send(visit, 500, "damaged", "damaged.title");
}
