/* Recovery codes, shown once; and the first password, by the code in the city's letter. */
#include <string.h>

#include "pages_account.h"
#include "pages_parts.h"
#include "vault/base/log.h"
#include "vault/vault/sign_in_code.h"

#define CODES_TITLE    "recovery.title"
#define ACTIVATE_TITLE "activate.title"

enum vault_code codes_put(struct visit *visit, struct vault_error *err)
{
    uint64_t left = 0;
    VAULT_TRY(sign_in_recovery_left(visit->pages->vault, &visit->session, &left, err));
    if (left)
        page_number(visit, visit->data, "recovery_left", (int64_t)left);
    return VAULT_OK;
}

void recovery_do(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    char codes[SIGN_IN_RECOVERY_CODES][SIGN_IN_CODE_CHARS + 1];
    if (!account_is_fresh(visit, "/security"))
        return;
    const enum vault_code code =
        sign_in_recovery_make(visit->pages->vault, &visit->session, codes, &err);
    if (code) {
        page_failed(visit, code, &err);
        return;
    }
    json_t *list = page_list(visit, visit->data, "codes");
    for (size_t i = 0; i < SIGN_IN_RECOVERY_CODES; i++)
        page_text(visit, page_item(visit, list), "recovery_code", codes[i]);
    explicit_bzero(codes, sizeof codes);
    page_send(visit, 200, "recovery", CODES_TITLE);
}

void activate_show(struct visit *visit, const char *id)
{
    (void)id;
    page_send(visit, 200, "activate", ACTIVATE_TITLE);
}

/* What is wrong, told at its field. */
static void show_wrong(struct visit *visit, enum vault_code code)
{
    char typed[SIGN_IN_CODE_CHARS * 2];
    if (visit_field(visit, "activation", typed, sizeof typed))
        page_text(visit, visit->data, "activation", typed);
    if (code == VAULT_DENIED) {
        log_event(LOG_WARNING, "sign-in", "refused, by activation code");
        page_wrong(visit, "activation", "error.activation_wrong");
    } else if (code == VAULT_LIMITED) {
        page_wrong(visit, "activation", "error.activation_wait");
    } else {
        page_wrong(visit, "new_password",
                   code == VAULT_CONFLICT ? "error.password_guessed" : "error.password_short");
    }
    page_send(visit, code == VAULT_LIMITED ? 429 : 422, "activate", ACTIVATE_TITLE);
}

void activate_do(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    char token[SIGN_IN_TOKEN_CHARS + 1];
    const enum vault_code code =
        sign_in_activate(visit->pages->vault, form_value(&visit->form, "activation"),
                         form_value(&visit->form, "new_password"), token, &err);
    if (code == VAULT_OK) {
        visit_set_session(visit, token);
        explicit_bzero(token, sizeof token);
        page_redirect_with(visit, "/security", NOTICE_ACTIVATED);
    } else if (code == VAULT_DENIED || code == VAULT_LIMITED || code == VAULT_INVALID ||
               code == VAULT_TOO_LARGE || code == VAULT_CONFLICT) {
        show_wrong(visit, code);
    } else {
        page_failed(visit, code, &err);
    }
}
