/* The mediators' side: signing in, the mandates of their structure, and a new one by a code. */
#include <stdio.h>
#include <string.h>

#include "pages_account.h"
#include "pages_parts.h"
#include "pages_terms.h"
#include "vault/base/log.h"

#define LOGIN_SHOWN_CHARS 256
#define HOME              "/mediator"
#define DOOR              "/mediator/sign-in"

/* --- The door ------------------------------------------------------------------------------- */

static void show_door(struct visit *visit, unsigned status)
{
    if (mediator_needs_passkey(visit->pages->vault))
        page_flag(visit, visit->data, "needs_passkey");
    page_with_script(visit);
    page_send(visit, status, "mediator_door", "mediator.door");
}

void mediator_door_show(struct visit *visit, const char *id)
{
    (void)id;
    if (visit->is_mediator)
        page_redirect(visit, HOME);
    else
        show_door(visit, 200);
}

void mediator_door_do(struct visit *visit, const char *id)
{
    (void)id;
    char shown[LOGIN_SHOWN_CHARS];
    char token[ACTOR_TOKEN_CHARS + 1];
    struct vault_error err;
    const struct bytes login = form_value(&visit->form, "login");
    const struct bytes password = form_value(&visit->form, "password");
    if (visit_field(visit, "login", shown, sizeof shown))
        page_text(visit, visit->data, "login", shown);
    const enum vault_code code =
        mediator_sign_in(visit->pages->vault, login, password, token, &err);
    if (code == VAULT_OK) {
        visit_set_mediator(visit, token);
        page_redirect(visit, HOME);
    } else if (code == VAULT_DENIED || code == VAULT_INVALID) {
        log_event(LOG_WARNING, "sign-in", "refused, by a mediator's password");
        page_wrong(visit, "login", "error.sign_in_wrong");
        show_door(visit, 422);
    } else if (code == VAULT_LIMITED) {
        page_wrong(visit, "login", "error.sign_in_wait");
        show_door(visit, 429);
    } else {
        page_failed(visit, code, &err);
    }
    explicit_bzero(token, sizeof token);
}

void mediator_leave_do(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    const enum vault_code code = mediator_sign_out(visit->pages->vault, &visit->mediator, &err);
    if (code) {
        page_failed(visit, code, &err);
        return;
    }
    visit_end_mediator(visit);
    page_redirect_with(visit, DOOR, NOTICE_SIGNED_OUT);
}

/* --- Their password ------------------------------------------------------------------------- */

static void show_password(struct visit *visit, unsigned status)
{
    if (mediator_needs_passkey(visit->pages->vault)) {
        page_redirect(visit, "/mediator/security");
        return;
    }
    page_text(visit, visit->data, "login", visit->mediator.login);
    if (visit->mediator.has_first_password)
        page_flag(visit, visit->data, "is_first");
    page_send(visit, status, "mediator_password", "mediator.password");
}

void mediator_password_show(struct visit *visit, const char *id)
{
    (void)id;
    show_password(visit, 200);
}

void mediator_password_do(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    const enum vault_code code = mediator_change_password(
        visit->pages->vault, &visit->mediator, form_value(&visit->form, "password"),
        form_value(&visit->form, "new_password"), &err);
    if (code == VAULT_OK) {
        page_redirect_with(visit, HOME, NOTICE_PASSWORD_SET);
        return;
    }
    if (code == VAULT_DENIED)
        log_event(LOG_WARNING, "sign-in", "refused again, by a mediator's password");
    if (account_password_wrong(visit, code))
        show_password(visit, code == VAULT_LIMITED ? 429 : 422);
    else
        page_failed(visit, code, &err);
}

/* --- The structure's mandates --------------------------------------------------------------- */

struct listing {
    struct visit *visit;
    json_t *list;
};

static enum vault_code put_mandate(void *context, const struct mandate *mandate,
                                   struct vault_error *err)
{
    (void)err;
    const struct listing *listing = context;
    terms_put_mandate(listing->visit, page_item(listing->visit, listing->list), mandate);
    return VAULT_OK;
}

static void show_home(struct visit *visit, unsigned status)
{
    struct vault_error err;
    struct listing listing = {visit, page_list(visit, visit->data, "mandates")};
    enum vault_code code = mandate_list_of_structure(visit->pages->vault, &visit->mediator,
                                                     put_mandate, &listing, &err);
    if (code == VAULT_OK)
        code = tries_put(visit, &err);
    if (code) {
        page_failed(visit, code, &err);
        return;
    }
    terms_put(visit);
    page_flag(visit, visit->data, "values_offered");
    page_text(visit, visit->data, "mediator_name", visit->mediator.name);
    page_text(visit, visit->data, "structure_name", visit->mediator.structure.name);
    if (json_array_size(listing.list))
        page_flag(visit, visit->data, "mandates_shown");
    page_flag(visit, visit->data, "is_their_home");
    page_send(visit, status, "mediator", "mediator.home");
}

void mediator_home_show(struct visit *visit, const char *id)
{
    (void)id;
    show_home(visit, 200);
}

void mediator_code_do(struct visit *visit, const char *id)
{
    (void)id;
    char given[MANDATE_ID_CHARS + 1];
    struct mandate_terms terms;
    struct vault_error err;
    if (!terms_read(visit, &terms)) {
        show_home(visit, 422);
        return;
    }
    const enum vault_code code =
        mandate_give_by_code(visit->pages->vault, &visit->mediator,
                             form_value(&visit->form, "code"), &terms, given, &err);
    if (code == VAULT_OK)
        page_redirect_with(visit, HOME, NOTICE_MANDATE_GIVEN);
    else if (terms_refused(visit, code))
        show_home(visit, 422);
    else
        page_failed(visit, code, &err);
}

void mediator_end_do(struct visit *visit, const char *id)
{
    struct vault_error err;
    const enum vault_code code =
        mandate_end_by_mediator(visit->pages->vault, &visit->mediator, id, &err);
    if (code)
        page_failed(visit, code, &err);
    else
        page_redirect_with(visit, HOME, NOTICE_MANDATE_ENDED);
}
