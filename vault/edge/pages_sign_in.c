/* Signing in and out, and the language. */
#include <string.h>

#include "pages_parts.h"
#include "pages_typed.h"
#include "vault/base/log.h"

#define DEFENDER_PAGE     "https://www.defenseurdesdroits.fr"
#define LOGIN_SHOWN_CHARS 256
#define SIGN_IN_PAGE      "sign_in"

static void show(struct visit *visit, unsigned status, const char *next)
{
    page_text(visit, visit->data, "next", next);
    if (typed_is_there(visit))
        typed_put(visit);
    page_with_script(visit);
    page_send(visit, status, SIGN_IN_PAGE, "sign_in.title");
}

void sign_in_show(struct visit *visit, const char *id)
{
    (void)id;
    char next[VISIT_ADDRESS_CHARS + 1];
    local_address(next, http_request_query(visit->request, "next"));
    if (visit->signed_in)
        page_redirect(visit, next);
    else
        show(visit, 200, next);
}

static bool is_complete(struct visit *visit, struct bytes login, struct bytes password)
{
    if (login.size == 0)
        page_wrong(visit, "login", "error.login_empty");
    if (password.size == 0)
        page_wrong(visit, "password", "error.password_empty");
    return login.size && password.size;
}

/* A new session always has a new token, so that nobody can be given one that somebody else knows;
 * the one before it ends. */
static void enter_session(struct visit *visit, const char *token, const char *next)
{
    struct vault_error err;
    if (visit->signed_in) {
        const enum vault_code code = sign_out(visit->pages->vault, &visit->session, &err);
        if (code) {
            page_failed(visit, code, &err);
            return;
        }
    }
    const enum vault_code code = visit_enter_session(visit, token, &err);
    if (code)
        page_failed(visit, code, &err);
    else if (typed_is_there(visit))
        typed_show(visit);
    else
        page_redirect(visit, next);
}

void sign_in_do(struct visit *visit, const char *id)
{
    (void)id;
    char next[VISIT_ADDRESS_CHARS + 1];
    char shown[LOGIN_SHOWN_CHARS];
    char token[SIGN_IN_TOKEN_CHARS + 1];
    struct vault_error err;
    const struct bytes login = form_value(&visit->form, "login");
    const struct bytes password = form_value(&visit->form, "password");
    local_address(next, form_value(&visit->form, "next"));
    if (visit->signed_in && login.size == 0 && typed_is_there(visit)) {
        typed_show(visit); /* a passkey has just signed in, on that very page */
        return;
    }
    if (visit_field(visit, "login", shown, sizeof shown))
        page_text(visit, visit->data, "login", shown);
    if (!is_complete(visit, login, password)) {
        show(visit, 422, next);
        return;
    }
    const enum vault_code code =
        sign_in_from(visit->pages->vault, visit_mark(visit), login, password, token, &err);
    if (code == VAULT_OK) {
        enter_session(visit, token, next);
    } else if (code == VAULT_DENIED || code == VAULT_INVALID) {
        log_event(LOG_WARNING, "sign-in", "refused, by password");
        page_wrong(visit, "login", "error.sign_in_wrong");
        show(visit, 422, next);
    } else if (code == VAULT_LIMITED) {
        page_wrong(visit, "login", "error.sign_in_wait");
        show(visit, 429, next);
    } else {
        page_failed(visit, code, &err);
    }
    explicit_bzero(token, sizeof token);
}

void sign_out_do(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    const enum vault_code code = sign_out(visit->pages->vault, &visit->session, &err);
    if (code) {
        page_failed(visit, code, &err);
        return;
    }
    visit_end_session(visit);
    page_redirect_with(visit, "/sign-in", NOTICE_SIGNED_OUT);
}

/* Where a page goes that stood open until its session must have ended. It may not have, by another
 * page of that browser: this one neither asks nor says. What a browser keeps of pages to go back to
 * goes with it. */
void left_show(struct visit *visit, const char *id)
{
    (void)id;
    page_number(visit, visit->data, "minutes", SIGN_IN_IDLE_S / 60);
    page_flag(visit, visit->data, "left");
    http_answer_header(visit->answer, "Clear-Site-Data", "\"cache\"");
    page_send(visit, 200, "left", "left.title");
}

/* What the vault is, for whoever wants to know before they sign in. */
void about_show(struct visit *visit, const char *id)
{
    (void)id;
    page_send(visit, 200, "about", "explain.title");
}

/* How far everybody can use these pages, and whom to tell where they cannot. */
void accessibility_show(struct visit *visit, const char *id)
{
    (void)id;
    static const char mail[] = "mailto:";
    const char *contact = visit->pages->accessibility_contact;
    const bool is_mail = contact && strncmp(contact, mail, strlen(mail)) == 0;
    page_text(visit, visit->data, "defender_page", DEFENDER_PAGE);
    page_text(visit, visit->data, "contact", contact);
    page_text(visit, visit->data, "contact_shown", is_mail ? contact + strlen(mail) : contact);
    page_send(visit, 200, "accessibility", "accessibility.title");
}

void language_do(struct visit *visit, const char *id)
{
    (void)id;
    char next[VISIT_ADDRESS_CHARS + 1];
    const struct bytes wanted = form_value(&visit->form, "language");
    local_address(next, form_value(&visit->form, "next"));
    for (size_t i = 0; i < ASSETS_LANGUAGES; i++) {
        if (bytes_equal(wanted, bytes_of_text(assets_languages[i]))) {
            visit_set_language(visit, assets_languages[i]);
            page_redirect(visit, next);
            return;
        }
    }
    page_error(visit, 400);
}
