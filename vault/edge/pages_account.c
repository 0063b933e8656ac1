/* The citizen's own: taking all data away, being forgotten, and who is signed in. */
#include <string.h>

#include "pages_account.h"
#include "pages_parts.h"
#include "pages_passkey.h"
#include "pages_words.h"
#include "vault/base/json.h"
#include "vault/base/log.h"
#include "vault/vault/erase.h"
#include "vault/vault/people.h"

#define AGAIN_CHARS (VISIT_ADDRESS_CHARS * 3 + 16)

/* --- The password again --------------------------------------------------------------------- */

bool account_shown(const struct visit *visit)
{
    const struct passkey_person person = passkey_person_of(visit);
    return person.mediator ? mediator_is_fresh(visit->pages->vault, person.mediator)
                           : sign_in_is_fresh(visit->pages->vault, person.citizen);
}

bool account_is_fresh(struct visit *visit, const char *next)
{
    if (account_shown(visit))
        return true;
    if (passkey_person_of(visit).mediator) {
        page_redirect(visit, passkey_places_of(visit)->again);
        return false;
    }
    VAULT_AUTO(buf_finish) struct buf address = buf_limited(AGAIN_CHARS);
    char sign = '?';
    buf_text(&address, "/again");
    address_add(&address, &sign, bytes_of_text("next"), bytes_of_text(next));
    const char *text = buf_string(&address);
    page_redirect(visit, text ? text : "/again");
    return false;
}

static void show_again(struct visit *visit, unsigned status, const char *next)
{
    struct vault_error err;
    const enum vault_code code = passkeys_put(visit, &err);
    if (code) {
        page_failed(visit, code, &err);
        return;
    }
    page_with_script(visit);
    page_text(visit, visit->data, "next", next);
    page_text(visit, visit->data, "again", "/again");
    page_text(visit, visit->data, "back", "/");
    page_flag(visit, visit->data, "password_taken");
    page_send(visit, status, "again", "again.title");
}

void again_show(struct visit *visit, const char *id)
{
    (void)id;
    char next[VISIT_ADDRESS_CHARS + 1];
    local_address(next, http_request_query(visit->request, "next"));
    show_again(visit, 200, next);
}

void again_do(struct visit *visit, const char *id)
{
    (void)id;
    char next[VISIT_ADDRESS_CHARS + 1];
    char token[SIGN_IN_TOKEN_CHARS + 1];
    struct vault_error err;
    const struct bytes password = form_value(&visit->form, "password");
    local_address(next, form_value(&visit->form, "next"));
    const enum vault_code code =
        password.size ? sign_in_again(visit->pages->vault, &visit->session, password, token, &err)
                      : VAULT_DENIED;
    if (code == VAULT_OK) {
        visit_set_session(visit, token);
        explicit_bzero(token, sizeof token);
        page_redirect(visit, next);
    } else if (code == VAULT_DENIED) {
        log_event(LOG_WARNING, "sign-in", "refused again, by password");
        page_wrong(visit, "password",
                   password.size ? "error.password_wrong" : "error.password_empty");
        show_again(visit, 422, next);
    } else if (code == VAULT_LIMITED) {
        page_wrong(visit, "password", "error.sign_in_wait");
        show_again(visit, 429, next);
    } else {
        page_failed(visit, code, &err);
    }
}

/* --- Taking all away, and being forgotten --------------------------------------------------- */

void export_send(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    if (!account_is_fresh(visit, "/data"))
        return;
    const enum vault_code code =
        people_export_own(visit->pages->vault, &visit->session.citizen, &visit->answer->body, &err);
    page_send_file(visit, code, &err, "application/json", "citizen-vault.json");
}

void erase_show(struct visit *visit, const char *id)
{
    (void)id;
    page_send(visit, 200, "erase", "erase.title");
}

void erase_do(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    if (!account_is_fresh(visit, "/erase"))
        return;
    if (!bytes_equal(form_value(&visit->form, "sure"), bytes_of_text("yes"))) {
        page_wrong(visit, "sure", "error.erase_not_sure");
        page_send(visit, 422, "erase", "erase.title");
        return;
    }
    const enum vault_code code = erase_citizen(visit->pages->vault, &visit->session.citizen, &err);
    if (code) {
        page_failed(visit, code, &err);
        return;
    }
    visit_end_session(visit);
    page_redirect_with(visit, "/sign-in", NOTICE_ERASED);
}

/* --- My security ---------------------------------------------------------------------------- */

struct listing {
    struct visit *visit;
    json_t *list;
};

static enum vault_code put_session(void *context, const struct sign_in_session *session,
                                   struct vault_error *err)
{
    (void)err;
    const struct listing *listing = context;
    char began[WORDS_CHARS];
    char seen[WORDS_CHARS];
    words_moment(listing->visit, session->created_s, began);
    words_moment(listing->visit, session->seen_s, seen);
    json_t *item = page_item(listing->visit, listing->list);
    page_text(listing->visit, item, "session", session->name);
    page_text(listing->visit, item, "began", began);
    page_text(listing->visit, item, "seen", seen);
    page_flag(listing->visit, item, session->is_this ? "is_this" : "is_other");
    return VAULT_OK;
}

static void show_security(struct visit *visit, unsigned status)
{
    struct vault_error err;
    struct listing listing = {visit, page_list(visit, visit->data, "sessions")};
    enum vault_code code =
        sign_in_list(visit->pages->vault, &visit->session, put_session, &listing, &err);
    if (code == VAULT_OK)
        code = passkeys_put(visit, &err);
    if (code == VAULT_OK)
        code = codes_put(visit, &err);
    if (code == VAULT_OK)
        code = tries_put(visit, &err);
    if (code) {
        page_failed(visit, code, &err);
        return;
    }
    page_with_script(visit);
    if (json_array_size(listing.list) > 1)
        page_flag(visit, visit->data, "others_shown");
    page_flag(visit, visit->data, "is_security");
    page_send(visit, status, "security", "security.title");
}

void security_show(struct visit *visit, const char *id)
{
    (void)id;
    show_security(visit, 200);
}

void sign_out_others_do(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    if (!account_is_fresh(visit, "/security"))
        return;
    const enum vault_code code = sign_out_others(visit->pages->vault, &visit->session, &err);
    if (code)
        page_failed(visit, code, &err);
    else
        page_redirect_with(visit, "/security", NOTICE_OTHERS_SIGNED_OUT);
}

void sign_out_one_do(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    if (!account_is_fresh(visit, "/security"))
        return;
    const enum vault_code code = sign_out_one(visit->pages->vault, &visit->session,
                                              form_value(&visit->form, "session"), &err);
    if (code && code != VAULT_NOT_FOUND) /* one that ended meanwhile is what was wanted */
        page_failed(visit, code, &err);
    else
        page_redirect_with(visit, "/security", NOTICE_ONE_SIGNED_OUT);
}

bool account_password_wrong(struct visit *visit, enum vault_code code)
{
    static const struct {
        enum vault_code code;
        const char *field;
        const char *text;
    } faults[] = {
        {VAULT_DENIED, "password", "error.password_wrong"},
        {VAULT_LIMITED, "password", "error.sign_in_wait"},
        {VAULT_INVALID, "new_password", "error.password_short"},
        {VAULT_TOO_LARGE, "new_password", "error.password_short"},
        {VAULT_CONFLICT, "new_password", "error.password_guessed"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (faults[i].code == code) {
            page_wrong(visit, faults[i].field, faults[i].text);
            return true;
        }
    }
    return false;
}

void password_do(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    const struct bytes password = form_value(&visit->form, "password");
    const struct bytes new_password = form_value(&visit->form, "new_password");
    const enum vault_code code =
        sign_in_set_password(visit->pages->vault, &visit->session, password, new_password, &err);
    if (code == VAULT_OK) {
        page_redirect_with(visit, "/security", NOTICE_PASSWORD_SET);
        return;
    }
    if (account_password_wrong(visit, code))
        show_security(visit, 422);
    else
        page_failed(visit, code, &err);
}
