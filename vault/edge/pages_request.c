/* A request for consent: opening it by its code, reading it, answering it. */
#include "pages_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pages_account.h"
#include "pages_guardian.h"
#include "pages_parts.h"
#include "pages_preview.h"

#define CODE_TYPED_CHARS 64

/* --- Opening -------------------------------------------------------------------------------- */

static void show_code(struct visit *visit, unsigned status, const char *typed)
{
    page_text(visit, visit->data, "code", typed);
    page_send(visit, status, "code", "code.title");
}

void code_show(struct visit *visit, const char *id)
{
    (void)id;
    char typed[CODE_TYPED_CHARS] = "";
    if (!visit_query(visit, "code", typed, sizeof typed))
        typed[0] = 0;
    show_code(visit, 200, typed);
}

static void open_by_code(struct visit *visit, const char *typed, unsigned status_when_wrong)
{
    VAULT_AUTO(access_view_finish) struct access_view view = {0};
    struct vault_error err;
    const enum vault_code code = access_request_by_code(
        visit->pages->vault, &visit->session.citizen, bytes_of_text(typed), &view, &err);
    if (code == VAULT_OK) {
        char address[VISIT_ADDRESS_CHARS];
        snprintf(address, sizeof address, "/request/%s", view.request.id);
        page_redirect(visit, address);
    } else if (code == VAULT_NOT_FOUND || code == VAULT_INVALID || code == VAULT_CONFLICT) {
        page_wrong(visit, "code", "error.code_wrong");
        show_code(visit, status_when_wrong, typed);
    } else {
        page_failed(visit, code, &err);
    }
}

void code_do(struct visit *visit, const char *id)
{
    (void)id;
    char typed[CODE_TYPED_CHARS] = "";
    const struct bytes code = form_value(&visit->form, "code");
    if (code.size == 0) {
        page_wrong(visit, "code", "error.code_empty");
        show_code(visit, 422, "");
    } else if (!visit_field(visit, "code", typed, sizeof typed)) {
        page_wrong(visit, "code", "error.code_wrong");
        show_code(visit, 422, "");
    } else {
        open_by_code(visit, typed, 422);
    }
}

void link_open(struct visit *visit, const char *code)
{
    open_by_code(visit, code, 404);
}

/* --- Reading -------------------------------------------------------------------------------- */

static void show_missing(struct visit *visit)
{
    page_text(visit, visit->data, "message", "page.no_request_text");
    page_send(visit, 404, "error", "page.no_request");
}

static void show_failed(struct visit *visit, enum vault_code code, const struct vault_error *err)
{
    if (code == VAULT_NOT_FOUND)
        show_missing(visit);
    else
        page_failed(visit, code, err);
}

/* What the service would see today, beside each field: for the citizen alone, and no part of the
 * text that is written down. That it cannot be shown keeps nobody from answering. */
static void put_preview(const struct statement *statement)
{
    if (statement->offered_count)
        preview_put(statement->visit, statement->what, statement->view.request.service,
                    statement->purpose, statement->offered, statement->offered_count);
}

static void show_statement(const struct statement *statement, unsigned status, const char *chosen)
{
    struct visit *visit = statement->visit;
    statement_put_choice(statement, chosen);
    put_preview(statement);
    page_send(visit, status, "request", "request.title");
}

void request_show(struct visit *visit, const char *id)
{
    struct statement statement;
    struct vault_error err;
    char chosen[STATEMENT_PERIOD_CHARS];
    const enum vault_code code = statement_read(visit, id, &statement, &err);
    if (code) {
        show_failed(visit, code, &err);
        return;
    }
    if (!visit_query(visit, "period", chosen, sizeof chosen))
        chosen[0] = 0;
    show_statement(&statement, 200, chosen);
    statement_finish(&statement);
}

/* --- Answering ------------------------------------------------------------------------------ */

static void finish_answer(struct visit *visit, enum vault_code code, const struct vault_error *err,
                          enum notice notice)
{
    if (code)
        show_failed(visit, code, err);
    else
        page_redirect_with(visit, "/", notice);
}

struct search {
    const char *service;
    bool found;
};

static enum vault_code look_for_service(void *context, const struct consent *consent,
                                        struct vault_error *err)
{
    (void)err;
    struct search *search = context;
    search->found = search->found || (strcmp(consent->service, search->service) == 0 &&
                                      consent->state != CONSENT_REFUSED);
    return VAULT_OK;
}

/* A first consent to a service is given by somebody who has just shown who they are. If it cannot
 * be known whether it is the first, it is taken for one. */
static bool may_give(struct statement *statement, const char *period)
{
    struct visit *visit = statement->visit;
    char next[VISIT_ADDRESS_CHARS + 1];
    struct search search = {.service = statement->view.request.service};
    const enum vault_code code =
        consent_list(visit->pages->vault, &visit->session.citizen, look_for_service, &search, NULL);
    if (code == VAULT_OK && search.found)
        return true;
    snprintf(next, sizeof next, "/request/%s?period=%s", statement->view.request.id, period);
    return account_is_fresh(visit, next);
}

static void give(struct statement *statement)
{
    struct visit *visit = statement->visit;
    struct vault_error err;
    char chosen[STATEMENT_PERIOD_CHARS] = "";
    struct consent_decision decision;
    const unsigned wrong = statement_gift(statement, NULL, &decision);
    if (!visit_field(visit, "period", chosen, sizeof chosen))
        chosen[0] = 0;
    if (wrong) {
        show_statement(statement, wrong, chosen);
        return;
    }
    if (!may_give(statement, chosen))
        return;
    const enum vault_code code = access_request_give(visit->pages->vault, &visit->session.citizen,
                                                     statement->view.request.id, &decision, &err);
    finish_answer(visit, code, &err,
                  guardian_waits(visit, statement->view.request.id) ? NOTICE_GUARDIAN_TOO
                                                                    : NOTICE_GIVEN);
}

static void refuse(struct statement *statement)
{
    struct visit *visit = statement->visit;
    struct vault_error err;
    const struct consent_decision decision = statement_refusal(statement, NULL);
    const enum vault_code code = access_request_refuse(visit->pages->vault, &visit->session.citizen,
                                                       statement->view.request.id, &decision, &err);
    finish_answer(visit, code, &err, NOTICE_REFUSED);
}

static void answer(struct visit *visit, const char *id, void (*act)(struct statement *))
{
    struct statement statement;
    struct vault_error err;
    const enum vault_code code = statement_read(visit, id, &statement, &err);
    if (code) {
        show_failed(visit, code, &err);
        return;
    }
    act(&statement);
    statement_finish(&statement);
}

void request_give(struct visit *visit, const char *id)
{
    answer(visit, id, give);
}

void request_refuse(struct visit *visit, const char *id)
{
    answer(visit, id, refuse);
}
