/* A guardian's side: the minors, what is asked of one and what they gave, agreeing, refusing and
 * withdrawing. No values are shown. The vault holds each act to the law; what is not shown here is
 * a courtesy. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pages_account.h"
#include "pages_guardian.h"
#include "pages_parts.h"
#include "pages_request.h"
#include "pages_words.h"
#include "vault/vault/history.h"

#define EVENTS_LOOKED   200
#define ACCESSES_SHOWN  10
#define GUARDIAN_FOLDER "/minors"

/* A minor who was opened: from here on the visit is about them. */
struct guarding {
    struct visit *visit;
    struct citizen_id guardian; /* whose session it is */
    struct guardian_seat seat;
    struct guardian_minor minor;
    struct actor actor;
    const struct policy *policy;
    json_t *list;
    size_t shown;
};

/* False: it is answered. */
static bool open_minor(struct visit *visit, const char *id, struct guarding *guarding)
{
    struct vault_error err;
    *guarding = (struct guarding){.visit = visit, .guardian = visit->session.citizen};
    const enum vault_code code = guardian_open(visit->pages->vault, &guarding->guardian, id,
                                               &guarding->seat, &guarding->minor, &err);
    if (code) {
        page_failed(visit, code, &err);
        return false;
    }
    guarding->actor = (struct actor){.guardian = &guarding->seat};
    visit->session.citizen = guarding->minor.citizen;
    visit->minor_name = guarding->minor.name;
    page_text(visit, visit->data, "minor", guarding->minor.id);
    page_text(visit, visit->data, "minor_name", guarding->minor.name);
    return true;
}

/* The same, for what only a guardian who decides sees. */
static bool open_to_decide(struct visit *visit, const char *id, struct guarding *guarding)
{
    if (!open_minor(visit, id, guarding))
        return false;
    if (guarding->minor.decides && !guarding->minor.damaged)
        return true;
    page_error(visit, 404);
    return false;
}

static void answered(const struct guarding *guarding, enum vault_code code,
                     const struct vault_error *err, enum notice notice)
{
    char address[VISIT_ADDRESS_CHARS];
    snprintf(address, sizeof address, GUARDIAN_FOLDER "/%s", guarding->minor.id);
    if (code == VAULT_DENIED) /* a birthday, or the operator, came between */
        page_error(guarding->visit, 404);
    else if (code)
        page_failed(guarding->visit, code, err);
    else
        page_redirect_with(guarding->visit, address, notice);
}

/* --- The minors ------------------------------------------------------------------------------- */

static enum vault_code put_minor(void *context, const struct guardian_minor *minor,
                                 struct vault_error *err)
{
    (void)err;
    struct guarding *guarding = context;
    json_t *item = page_item(guarding->visit, guarding->list);
    page_text(guarding->visit, item, "minor", minor->id);
    page_text(guarding->visit, item, "minor_name", minor->name);
    if (minor->decides)
        page_flag(guarding->visit, item, "decides");
    if (minor->damaged)
        page_flag(guarding->visit, item, "is_damaged");
    return VAULT_OK;
}

enum vault_code guardian_put_minors(struct visit *visit, struct vault_error *err)
{
    struct guarding guarding = {.visit = visit, .list = page_list(visit, visit->data, "minors")};
    VAULT_TRY(guardian_list_minors(visit->pages->vault, &visit->session.citizen, put_minor,
                                   &guarding, err));
    if (json_array_size(guarding.list))
        page_flag(visit, visit->data, "minors_shown");
    return VAULT_OK;
}

static enum vault_code put_guardian(void *context, const struct guardian *guardian,
                                    struct vault_error *err)
{
    (void)err;
    struct guarding *guarding = context;
    char date[WORDS_CHARS];
    json_t *item = page_item(guarding->visit, guarding->list);
    words_date(guarding->visit, guardian->since_s, date);
    page_text(guarding->visit, item, "guardian_name", guardian->name);
    page_text(guarding->visit, item, "since", date);
    return VAULT_OK;
}

enum vault_code guardian_put_own(struct visit *visit, struct vault_error *err)
{
    struct vault *vault = visit->pages->vault;
    struct guardian_rule rule;
    struct guardian_half half;
    bool waits = false;
    struct guarding guarding = {.visit = visit, .list = page_list(visit, visit->data, "guardians")};
    VAULT_TRY(guardian_ask(vault, &visit->session.citizen, "", &rule, &waits, &half, err));
    VAULT_TRY(guardian_list(vault, &visit->session.citizen, put_guardian, &guarding, err));
    if (rule.both || json_array_size(guarding.list))
        page_flag(visit, visit->data, "guardians_shown");
    if (rule.both)
        page_flag(visit, visit->data, "both_shown");
    return VAULT_OK;
}

void minors_show(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    const enum vault_code code = guardian_put_minors(visit, &err);
    if (code) {
        page_failed(visit, code, &err);
        return;
    }
    page_flag(visit, visit->data, "is_minors");
    page_send(visit, 200, "minors", "minors.title");
}

/* --- One minor -------------------------------------------------------------------------------- */

static void put_names(const struct guarding *guarding, json_t *item, const char *service,
                      const char *purpose)
{
    VAULT_AUTO(service_release) struct service_hold held = {0};
    struct visit *visit = guarding->visit;
    const bool known =
        service_by_id(visit->pages->vault, bytes_of_text(service), &held, NULL) == VAULT_OK;
    page_text(visit, item, "service", service);
    page_text(visit, item, "service_name", known ? held.service->name : service);
    page_text(visit, item, "purpose", purpose);
    page_text(visit, item, "purpose_title", words_purpose_title(visit, guarding->policy, purpose));
}

static enum vault_code put_request(void *context, const struct access_view *view,
                                   struct vault_error *err)
{
    struct guarding *guarding = context;
    struct visit *visit = guarding->visit;
    char date[WORDS_CHARS];
    const char *purpose = json_string_value(json_object_get(view->ask, "purpose"));
    if (!purpose)
        return VAULT_OK;
    json_t *item = page_item(visit, guarding->list);
    put_names(guarding, item, view->request.service, purpose);
    page_text(visit, item, "request", view->request.id);
    words_date(visit, view->request.expires_s, date);
    page_text(visit, item, "answer_before", date);
    page_flag(visit, visit->data, "requests_shown");
    return guardian_put_half(visit, item, view->request.id, err);
}

enum vault_code guardian_put_half(struct visit *visit, json_t *item, const char *request,
                                  struct vault_error *err)
{
    struct guardian_rule rule;
    struct guardian_half half;
    bool waits = false;
    VAULT_TRY(guardian_ask(visit->pages->vault, &visit->session.citizen, request, &rule, &waits,
                           &half, err));
    if (!waits || !rule.both)
        return VAULT_OK;
    page_text(visit, item, "half_text",
              half.by_guardian ? "both.guardian_agreed" : "both.minor_agreed");
    page_text(visit, item, "guardian_name", half.name);
    return VAULT_OK;
}

/* The store is not asked while the minor is held: names come from what is in memory. */
static enum vault_code put_consent(void *context, const struct consent *consent,
                                   struct vault_error *err)
{
    (void)err;
    struct guarding *guarding = context;
    struct visit *visit = guarding->visit;
    char date[WORDS_CHARS];
    const enum consent_state state = consent_state_now(consent, visit_now_s(visit));
    if (state != CONSENT_GIVEN && state != CONSENT_SUSPENDED)
        return VAULT_OK;
    json_t *item = page_item(visit, guarding->list);
    put_names(guarding, item, consent->service, consent->purpose);
    json_t *fields = page_list(visit, item, "fields");
    for (size_t i = 0; i < consent->field_count; i++) {
        json_t *line = page_item(visit, fields);
        page_text(visit, line, "title",
                  words_field_title(visit, guarding->policy, consent->fields[i].name));
        page_text(visit, line, "form_name", words_form(guarding->policy, &consent->fields[i]));
    }
    words_date(visit, consent->expires_s, date);
    page_text(visit, item, "until", date);
    if (state == CONSENT_SUSPENDED)
        page_flag(visit, item, "suspended_shown");
    page_flag(visit, visit->data, "consents_shown");
    return VAULT_OK;
}

/* Who got something, or tried, as far as it is needed for deciding: all of it stands in clear. */
static bool put_access(void *context, const struct history_event *event)
{
    struct guarding *guarding = context;
    struct visit *visit = guarding->visit;
    char service[CONSENT_NAME_CHARS + 1];
    char purpose[CONSENT_NAME_CHARS + 1];
    char date[WORDS_CHARS];
    if ((event->event != ENTRY_RELEASE && event->event != ENTRY_DENY) ||
        guarding->shown == ACCESSES_SHOWN)
        return false;
    snprintf(service, sizeof service, "%.*s", (int)event->service.size,
             (const char *)event->service.data);
    snprintf(purpose, sizeof purpose, "%.*s", (int)event->purpose.size,
             (const char *)event->purpose.data);
    json_t *item = page_item(visit, guarding->list);
    put_names(guarding, item, service, purpose);
    words_date(visit, event->time_ms / 1000, date);
    page_text(visit, item, "date", date);
    page_text(visit, item, "event_text",
              event->event == ENTRY_RELEASE ? "minors.released" : "minors.denied");
    page_flag(visit, visit->data, "accesses_shown");
    guarding->shown++;
    return false;
}

/* A gap in the log is told to the minor, on their own page. */
static enum vault_code put_accesses(struct guarding *guarding, struct vault_error *err)
{
    guarding->list = page_list(guarding->visit, guarding->visit->data, "accesses");
    const enum vault_code code =
        history_find(guarding->visit->pages->vault, &guarding->minor.citizen, 0, EVENTS_LOOKED,
                     put_access, NULL, guarding, err);
    return code == VAULT_CORRUPT ? VAULT_OK : code;
}

static enum vault_code put_all(struct guarding *guarding, struct vault_error *err)
{
    struct visit *visit = guarding->visit;
    struct vault *vault = visit->pages->vault;
    VAULT_AUTO(active_policy_release) struct policy_hold held = active_policy_hold(vault);
    guarding->policy = held.policy;
    guarding->list = page_list(visit, visit->data, "consents");
    VAULT_TRY(consent_list(vault, &guarding->minor.citizen, put_consent, guarding, err));
    if (!guarding->minor.decides)
        return VAULT_OK;
    page_flag(visit, visit->data, "decides");
    guarding->list = page_list(visit, visit->data, "requests");
    VAULT_TRY(access_request_list(vault, &guarding->minor.citizen, put_request, guarding, err));
    return put_accesses(guarding, err);
}

static void show_minor(struct guarding *guarding, unsigned status)
{
    struct vault_error err;
    const enum vault_code code = put_all(guarding, &err);
    if (code)
        page_failed(guarding->visit, code, &err);
    else
        page_send(guarding->visit, status, "minor", "minors.one");
}

void minor_show(struct visit *visit, const char *id)
{
    struct guarding guarding;
    if (!open_minor(visit, id, &guarding))
        return;
    if (guarding.minor.damaged)
        page_send(visit, 500, "minor_damaged", "minors.damaged");
    else
        show_minor(&guarding, 200);
}

/* A request that a service handed to the minor, opened for them by its code. */
void minor_open_do(struct visit *visit, const char *id)
{
    struct guarding guarding;
    struct vault_error err;
    char address[VISIT_ADDRESS_CHARS];
    VAULT_AUTO(access_view_finish) struct access_view view = {0};
    if (!open_to_decide(visit, id, &guarding))
        return;
    const enum vault_code code =
        access_request_open_by(visit->pages->vault, &guarding.minor.citizen, &guarding.actor,
                               form_value(&visit->form, "code"), &view, &err);
    if (code == VAULT_OK) {
        snprintf(address, sizeof address, GUARDIAN_FOLDER "/%s/request?request=%s",
                 guarding.minor.id, view.request.id);
        page_redirect(visit, address);
    } else if (code == VAULT_NOT_FOUND) {
        page_wrong(visit, "code", "error.code_wrong");
        show_minor(&guarding, 422);
    } else {
        page_failed(visit, code, &err);
    }
}

/* --- A request -------------------------------------------------------------------------------- */

static void show_request(const struct guarding *guarding, struct statement *statement,
                         unsigned status)
{
    struct visit *visit = guarding->visit;
    statement_put_choice(statement, "");
    page_send(visit, status, "minor_request", "request.title");
}

static void show_only(struct guarding *guarding, struct statement *statement)
{
    show_request(guarding, statement, 200);
}

/* Agreeing for somebody else is done by who has just shown who they are. */
static bool is_fresh(const struct guarding *guarding, const struct statement *statement)
{
    char next[VISIT_ADDRESS_CHARS + 1];
    snprintf(next, sizeof next, GUARDIAN_FOLDER "/%s/request?request=%s", guarding->minor.id,
             statement->view.request.id);
    return account_is_fresh(guarding->visit, next);
}

static void give(struct guarding *guarding, struct statement *statement)
{
    struct vault_error err;
    struct visit *visit = guarding->visit;
    struct consent_decision decision;
    const unsigned wrong = statement_gift(statement, &guarding->actor, &decision);
    if (wrong) {
        show_request(guarding, statement, wrong);
        return;
    }
    if (!is_fresh(guarding, statement))
        return;
    const enum vault_code code = access_request_give(visit->pages->vault, &guarding->minor.citizen,
                                                     statement->view.request.id, &decision, &err);
    answered(guarding, code, &err,
             guardian_waits(visit, statement->view.request.id) ? NOTICE_MINOR_TOO
                                                               : NOTICE_MINOR_GIVEN);
}

static void refuse(struct guarding *guarding, struct statement *statement)
{
    struct vault_error err;
    const struct consent_decision decision = statement_refusal(statement, &guarding->actor);
    const enum vault_code code =
        access_request_refuse(guarding->visit->pages->vault, &guarding->minor.citizen,
                              statement->view.request.id, &decision, &err);
    answered(guarding, code, &err, NOTICE_MINOR_REFUSED);
}

static void on_request(struct visit *visit, const char *id, const char *request,
                       void (*act)(struct guarding *guarding, struct statement *statement))
{
    struct guarding guarding;
    struct statement statement;
    struct vault_error err;
    if (!open_to_decide(visit, id, &guarding))
        return;
    const enum vault_code code = statement_read(visit, request, &statement, &err);
    if (code) {
        page_failed(visit, code, &err);
        return;
    }
    act(&guarding, &statement);
    statement_finish(&statement);
}

void minor_request_show(struct visit *visit, const char *id)
{
    char request[REQUEST_ID_CHARS + 1];
    if (visit_query(visit, "request", request, sizeof request))
        on_request(visit, id, request, show_only);
    else
        page_error(visit, 404);
}

static void on_form(struct visit *visit, const char *id,
                    void (*act)(struct guarding *guarding, struct statement *statement))
{
    char request[REQUEST_ID_CHARS + 1];
    if (visit_field(visit, "request", request, sizeof request))
        on_request(visit, id, request, act);
    else
        page_error(visit, 404);
}

void minor_give_do(struct visit *visit, const char *id)
{
    on_form(visit, id, give);
}

void minor_refuse_do(struct visit *visit, const char *id)
{
    on_form(visit, id, refuse);
}

bool guardian_waits(struct visit *visit, const char *request)
{
    struct guardian_rule rule;
    struct guardian_half half;
    bool waits = false;
    const enum vault_code code = guardian_ask(visit->pages->vault, &visit->session.citizen, request,
                                              &rule, &waits, &half, NULL);
    return code == VAULT_OK && waits && rule.both;
}

/* --- Taking back ------------------------------------------------------------------------------ */

/* Nothing is looked up first: it works even where reading the minor's file does not. */
void minor_withdraw_do(struct visit *visit, const char *id)
{
    char service[CONSENT_NAME_CHARS + 1];
    char purpose[CONSENT_NAME_CHARS + 1];
    char address[VISIT_ADDRESS_CHARS];
    struct vault_error err;
    if (!visit_field(visit, "service", service, sizeof service) ||
        !visit_field(visit, "purpose", purpose, sizeof purpose) ||
        !entry_id_is_valid(bytes_of_text(service)) || !entry_id_is_valid(bytes_of_text(purpose))) {
        page_error(visit, 400);
        return;
    }
    const enum vault_code code =
        guardian_withdraw(visit->pages->vault, &visit->session.citizen, id, service, purpose, &err);
    snprintf(address, sizeof address, GUARDIAN_FOLDER "/%s", id);
    if (code)
        page_failed(visit, code, &err);
    else
        page_redirect_with(visit, address, NOTICE_MINOR_WITHDRAWN);
}

/* While the minor's file is damaged: all at once. */
void minor_stop_do(struct visit *visit, const char *id)
{
    struct vault_error err;
    const enum vault_code code =
        guardian_withdraw(visit->pages->vault, &visit->session.citizen, id, NULL, NULL, &err);
    if (code)
        page_failed(visit, code, &err);
    else
        page_redirect_with(visit, GUARDIAN_FOLDER, NOTICE_MINOR_WITHDRAWN);
}
