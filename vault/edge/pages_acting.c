/* Inside a mandate: what a mediator sees of it, and what they do for the citizen. The vault holds
 * each act to the mandate; what is not shown here is a courtesy. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pages_parts.h"
#include "pages_request.h"
#include "pages_terms.h"
#include "pages_words.h"

#define VALUE_DEPTH_MAX 16

/* A mandate that was opened: from here on the visit is about that citizen. */
struct acting {
    struct visit *visit;
    struct mandate mandate;
    struct actor actor;
    const struct policy *policy;
    const struct consent_field *fields; /* whose values are seen */
    json_t *list;
};

static void refuse_to(struct visit *visit, enum vault_code code, const struct vault_error *err)
{
    if (code != VAULT_DENIED) {
        page_failed(visit, code, err);
        return;
    }
    page_text(visit, visit->data, "message", "mandate.not_allowed_text");
    page_send(visit, 403, "error", "mandate.not_allowed");
}

/* False: it is answered. */
static bool open_mandate(struct visit *visit, const char *id, struct acting *acting)
{
    struct vault_error err;
    *acting = (struct acting){.visit = visit};
    const enum vault_code code = mandate_open(visit->pages->vault, &visit->mediator, id,
                                              &visit->session.citizen, &acting->mandate, &err);
    acting->actor = (struct actor){.mediator = &visit->mediator, .mandate = acting->mandate.id};
    if (code)
        page_failed(visit, code, &err);
    return code == VAULT_OK;
}

/* --- What it covers ------------------------------------------------------------------------- */

static void put_names(struct acting *acting, json_t *item, const char *service, const char *purpose)
{
    VAULT_AUTO(service_release) struct service_hold held = {0};
    struct visit *visit = acting->visit;
    const bool known =
        service_by_id(visit->pages->vault, bytes_of_text(service), &held, NULL) == VAULT_OK;
    page_text(visit, item, "mandate", acting->mandate.id);
    page_text(visit, item, "service", service);
    page_text(visit, item, "service_name", known ? held.service->name : service);
    page_text(visit, item, "purpose", purpose);
    page_text(visit, item, "purpose_title", words_purpose_title(visit, acting->policy, purpose));
}

static enum vault_code put_request(void *context, const struct access_view *view,
                                   struct vault_error *err)
{
    (void)err;
    struct acting *acting = context;
    char date[WORDS_CHARS];
    const char *purpose = json_string_value(json_object_get(view->ask, "purpose"));
    if (!purpose || !mandate_covers(&acting->mandate, purpose))
        return VAULT_OK;
    json_t *item = page_item(acting->visit, acting->list);
    put_names(acting, item, view->request.service, purpose);
    page_text(acting->visit, item, "request", view->request.id);
    words_date(acting->visit, view->request.expires_s, date);
    page_text(acting->visit, item, "answer_before", date);
    page_flag(acting->visit, acting->visit->data, "requests_shown");
    return VAULT_OK;
}

/* The store is not asked while the citizen is held: names come from what is in memory. */
static enum vault_code put_consent(void *context, const struct consent *consent,
                                   struct vault_error *err)
{
    (void)err;
    struct acting *acting = context;
    char date[WORDS_CHARS];
    struct visit *visit = acting->visit;
    const enum consent_state state = consent_state_now(consent, visit_now_s(visit));
    if (!mandate_covers(&acting->mandate, consent->purpose) ||
        (state != CONSENT_GIVEN && state != CONSENT_SUSPENDED))
        return VAULT_OK;
    json_t *item = page_item(visit, acting->list);
    put_names(acting, item, consent->service, consent->purpose);
    json_t *fields = page_list(visit, item, "fields");
    for (size_t i = 0; i < consent->field_count; i++) {
        json_t *line = page_item(visit, fields);
        page_text(visit, line, "title",
                  words_field_title(visit, acting->policy, consent->fields[i].name));
        page_text(visit, line, "form_name", words_form(acting->policy, &consent->fields[i]));
    }
    words_date(visit, consent->expires_s, date);
    page_text(visit, item, "until", date);
    page_flag(visit, item, state == CONSENT_SUSPENDED ? "suspended_shown" : "given_shown");
    page_flag(visit, visit->data, "consents_shown");
    return VAULT_OK;
}

static void show_mandate(struct acting *opened, unsigned status)
{
    struct acting acting = *opened;
    struct vault_error err;
    struct visit *visit = acting.visit;
    VAULT_AUTO(active_policy_release)
    struct policy_hold held = active_policy_hold(visit->pages->vault);
    acting.policy = held.policy;
    terms_put_mandate(visit, visit->data, &acting.mandate);
    acting.list = page_list(visit, visit->data, "requests");
    enum vault_code code = access_request_list(visit->pages->vault, &visit->session.citizen,
                                               put_request, &acting, &err);
    acting.list = page_list(visit, visit->data, "consents");
    if (code == VAULT_OK)
        code =
            consent_list(visit->pages->vault, &visit->session.citizen, put_consent, &acting, &err);
    if (code)
        page_failed(visit, code, &err);
    else
        page_send(visit, status, "mediator_mandate", "mediator.mandate");
}

void mediator_mandate_show(struct visit *visit, const char *id)
{
    struct acting acting;
    if (open_mandate(visit, id, &acting))
        show_mandate(&acting, 200);
}

/* A request that a service handed to the citizen, opened for them by its code. */
void mediator_open_do(struct visit *visit, const char *id)
{
    struct acting acting;
    struct vault_error err;
    char address[VISIT_ADDRESS_CHARS];
    VAULT_AUTO(access_view_finish) struct access_view view = {0};
    if (!open_mandate(visit, id, &acting))
        return;
    const enum vault_code code =
        access_request_open_by(visit->pages->vault, &visit->session.citizen, &acting.actor,
                               form_value(&visit->form, "code"), &view, &err);
    if (code == VAULT_OK) {
        snprintf(address, sizeof address, "/mediator/%s/request?request=%s", acting.mandate.id,
                 view.request.id);
        page_redirect(visit, address);
    } else if (code == VAULT_NOT_FOUND) {
        page_wrong(visit, "code", "error.code_covered");
        show_mandate(&acting, 422);
    } else {
        page_failed(visit, code, &err);
    }
}

/* --- A request ------------------------------------------------------------------------------ */

/* A request that the mandate covers, in words. False: it is answered. */
static bool read_request(struct acting *acting, const char *request, struct statement *statement)
{
    struct vault_error err;
    struct visit *visit = acting->visit;
    const enum vault_code code = statement_read(visit, request, statement, &err);
    if (code) {
        page_failed(visit, code, &err);
        return false;
    }
    if (mandate_covers(&acting->mandate, statement->purpose))
        return true;
    statement_finish(statement);
    page_error(visit, 404);
    return false;
}

static void show_request(struct acting *acting, struct statement *statement, unsigned status)
{
    struct visit *visit = acting->visit;
    statement_put_choice(statement, "");
    page_text(visit, visit->data, "mandate", acting->mandate.id);
    if (acting->mandate.terms.values && !json_object_get(visit->data, "seen"))
        page_flag(visit, visit->data, "values_offered");
    page_send(visit, status, "mediator_request", "request.title");
}

void mediator_request_show(struct visit *visit, const char *id)
{
    struct acting acting;
    struct statement statement;
    char request[REQUEST_ID_CHARS + 1];
    if (!open_mandate(visit, id, &acting))
        return;
    if (!visit_query(visit, "request", request, sizeof request))
        page_error(visit, 404);
    else if (read_request(&acting, request, &statement)) {
        show_request(&acting, &statement, 200);
        statement_finish(&statement);
    }
}

static enum vault_code put_value(void *context, size_t at, enum preview_outcome outcome,
                                 struct bytes json, struct vault_error *err)
{
    const struct acting *acting = context;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CITIZEN_VALUE_MAX_BYTES);
    VAULT_AUTO(json_free) json_t *value = NULL;
    if (outcome != PREVIEW_SHOWN)
        return VAULT_OK;
    VAULT_TRY(json_parse(json, VALUE_DEPTH_MAX, &value, NULL, err));
    words_value(acting->visit, value, &text);
    json_t *item = page_item(acting->visit, acting->list);
    page_text(acting->visit, item, "title",
              words_field_title(acting->visit, acting->policy, acting->fields[at].name));
    page_text(acting->visit, item, "value", buf_string(&text));
    return VAULT_OK;
}

/* As the service would get them: in the form that could be given. */
static void show_values(struct acting *acting, struct statement *statement)
{
    struct vault_error err;
    struct visit *visit = acting->visit;
    const struct preview_wish wish = {statement->view.request.service, statement->purpose,
                                      statement->offered, statement->offered_count};
    acting->policy = statement->policy.policy;
    acting->fields = statement->offered;
    acting->list = page_list(visit, visit->data, "seen");
    const enum vault_code code = mandate_values(visit->pages->vault, &visit->session.citizen,
                                                &acting->actor, &wish, put_value, acting, &err);
    if (code)
        refuse_to(visit, code, &err);
    else
        show_request(acting, statement, 200);
}

static void answered(struct acting *acting, enum vault_code code, const struct vault_error *err)
{
    char address[VISIT_ADDRESS_CHARS];
    snprintf(address, sizeof address, "/mediator/%s", acting->mandate.id);
    if (code)
        refuse_to(acting->visit, code, err);
    else
        page_redirect_with(acting->visit, address, NOTICE_THEIRS);
}

static void give(struct acting *acting, struct statement *statement)
{
    struct vault_error err;
    struct visit *visit = acting->visit;
    struct consent_decision decision;
    const unsigned wrong = statement_gift(statement, &acting->actor, &decision);
    if (wrong) {
        show_request(acting, statement, wrong);
        return;
    }
    const enum vault_code code = access_request_give(visit->pages->vault, &visit->session.citizen,
                                                     statement->view.request.id, &decision, &err);
    answered(acting, code, &err);
}

static void refuse(struct acting *acting, struct statement *statement)
{
    struct vault_error err;
    struct visit *visit = acting->visit;
    const struct consent_decision decision = statement_refusal(statement, &acting->actor);
    const enum vault_code code = access_request_refuse(visit->pages->vault, &visit->session.citizen,
                                                       statement->view.request.id, &decision, &err);
    answered(acting, code, &err);
}

static void on_request(struct visit *visit, const char *id,
                       void (*act)(struct acting *acting, struct statement *statement))
{
    struct acting acting;
    struct statement statement;
    char request[REQUEST_ID_CHARS + 1];
    if (!open_mandate(visit, id, &acting))
        return;
    if (!visit_field(visit, "request", request, sizeof request))
        page_error(visit, 404);
    else if (read_request(&acting, request, &statement)) {
        act(&acting, &statement);
        statement_finish(&statement);
    }
}

void mediator_values_do(struct visit *visit, const char *id)
{
    on_request(visit, id, show_values);
}

void mediator_give_do(struct visit *visit, const char *id)
{
    on_request(visit, id, give);
}

void mediator_refuse_do(struct visit *visit, const char *id)
{
    on_request(visit, id, refuse);
}

/* --- A consent ------------------------------------------------------------------------------ */

static void change(struct visit *visit, const char *id, enum consent_event event)
{
    struct acting acting;
    char service[CONSENT_NAME_CHARS + 1];
    char purpose[CONSENT_NAME_CHARS + 1];
    struct vault_error err;
    if (!open_mandate(visit, id, &acting))
        return;
    if (!visit_field(visit, "service", service, sizeof service) ||
        !visit_field(visit, "purpose", purpose, sizeof purpose)) {
        page_error(visit, 400);
        return;
    }
    const enum vault_code code = consent_change_by(visit->pages->vault, &visit->session.citizen,
                                                   &acting.actor, event, service, purpose, &err);
    answered(&acting, code, &err);
}

void mediator_withdraw_do(struct visit *visit, const char *id)
{
    change(visit, id, CONSENT_WITHDRAW);
}

void mediator_suspend_do(struct visit *visit, const char *id)
{
    change(visit, id, CONSENT_SUSPEND);
}

void mediator_resume_do(struct visit *visit, const char *id)
{
    change(visit, id, CONSENT_RESUME);
}
