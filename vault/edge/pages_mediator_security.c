/* The mediators' passkeys: signing in by one, having them, and showing again who one is. */
#include <string.h>

#include "pages_account.h"
#include "pages_parts.h"
#include "pages_passkey.h"
#include "vault/base/log.h"

#define HOME     "/mediator"
#define SECURITY "/mediator/security"
#define AGAIN    "/mediator/security/again"

/* --- Signing in ----------------------------------------------------------------------------- */

void mediator_passkey_offer(struct visit *visit, const char *id)
{
    (void)id;
    passkey_send_offer(visit, visit->is_mediator, PASSKEY_TO_SIGN_IN_MEDIATOR);
}

static enum vault_code sign_in_by(struct visit *visit, const struct passkey_site *site,
                                  const struct sign_in_passkey_answer *answer,
                                  char token[ACTOR_TOKEN_CHARS + 1], struct vault_error *err)
{
    return mediator_sign_in_passkey(visit->pages->vault, site, passkey_browser_of(visit), answer,
                                    token, err);
}

static enum vault_code again_by(struct visit *visit, const struct passkey_site *site,
                                const struct sign_in_passkey_answer *answer,
                                char token[ACTOR_TOKEN_CHARS + 1], struct vault_error *err)
{
    return mediator_again_passkey(visit->pages->vault, site, &visit->mediator, answer, token, err);
}

/* Go on under the token that an answer gives. */
static void enter_by(struct visit *visit, passkey_use_answer *use, const char *next)
{
    char token[ACTOR_TOKEN_CHARS + 1];
    struct vault_error err;
    const enum vault_code code = passkey_try(visit, use, token, &err);
    if (code) {
        passkey_send_failed(visit, code, &err);
        return;
    }
    visit_set_mediator(visit, token);
    explicit_bzero(token, sizeof token);
    passkey_send_next(visit, next);
}

void mediator_door_passkey_do(struct visit *visit, const char *id)
{
    (void)id;
    if (visit->is_mediator)
        passkey_send_next(visit, HOME);
    else
        enter_by(visit, sign_in_by, HOME);
}

/* --- Having them ---------------------------------------------------------------------------- */

void mediator_security_show(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    enum vault_code code = passkeys_put(visit, &err);
    if (code == VAULT_OK)
        code = tries_put(visit, &err);
    if (code) {
        page_failed(visit, code, &err);
        return;
    }
    page_with_script(visit);
    page_flag(visit, visit->data, "is_security");
    if (visit->mediator.has_first_password)
        page_flag(visit, visit->data, "is_first");
    page_send(visit, 200, "mediator_security", "security.title");
}

void mediator_passkey_add_do(struct visit *visit, const char *id)
{
    passkey_add_do(visit, id);
}

void mediator_passkey_rename_do(struct visit *visit, const char *id)
{
    passkey_rename_do(visit, id);
}

void mediator_passkey_remove_do(struct visit *visit, const char *id)
{
    passkey_remove_do(visit, id);
}

void mediator_sign_out_others_do(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    if (!account_is_fresh(visit, SECURITY))
        return;
    const enum vault_code code =
        mediator_sign_out_others(visit->pages->vault, &visit->mediator, &err);
    if (code)
        page_failed(visit, code, &err);
    else
        page_redirect_with(visit, SECURITY, NOTICE_OTHERS_SIGNED_OUT);
}

/* --- Again ---------------------------------------------------------------------------------- */

static void show_again(struct visit *visit, unsigned status)
{
    struct vault_error err;
    const enum vault_code code = passkeys_put(visit, &err);
    if (code) {
        page_failed(visit, code, &err);
        return;
    }
    page_with_script(visit);
    page_text(visit, visit->data, "again", AGAIN);
    page_text(visit, visit->data, "back", SECURITY);
    const bool needs = mediator_needs_passkey(visit->pages->vault);
    if (needs)
        page_flag(visit, visit->data, "needs_passkey");
    if (!needs || visit->mediator.has_first_password)
        page_flag(visit, visit->data, "password_taken");
    page_send(visit, status, "again", "again.title");
}

void mediator_again_show(struct visit *visit, const char *id)
{
    (void)id;
    show_again(visit, 200);
}

void mediator_again_do(struct visit *visit, const char *id)
{
    (void)id;
    char token[ACTOR_TOKEN_CHARS + 1];
    struct vault_error err;
    const enum vault_code code = mediator_again(visit->pages->vault, &visit->mediator,
                                                form_value(&visit->form, "password"), token, &err);
    if (code == VAULT_OK) {
        visit_set_mediator(visit, token);
        explicit_bzero(token, sizeof token);
        page_redirect(visit, SECURITY);
        return;
    }
    if (code == VAULT_DENIED)
        log_event(LOG_WARNING, "sign-in", "refused again, by a mediator's password");
    if (account_password_wrong(visit, code))
        show_again(visit, code == VAULT_LIMITED ? 429 : 422);
    else
        page_failed(visit, code, &err);
}

void mediator_again_passkey_do(struct visit *visit, const char *id)
{
    (void)id;
    enter_by(visit, again_by, SECURITY);
}
