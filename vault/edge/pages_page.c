/* How a visit ends: a page, a redirect, an error. */
#include <stdio.h>
#include <string.h>

#include "pages_visit.h"
#include "vault/base/log.h"
#include "vault/edge/problem.h"

#define PAGE_TYPE     "text/html; charset=utf-8"
#define NOTICE_COOKIE "__Host-done"
#define RETRY_AFTER_S 30

static const struct {
    const char *cookie; /* its value */
    const char *text;
} notices[NOTICE_COUNT] = {
    [NOTICE_GIVEN] = {"given", "notice.given"},
    [NOTICE_REFUSED] = {"refused", "notice.refused"},
    [NOTICE_WITHDRAWN] = {"withdrawn", "notice.withdrawn"},
    [NOTICE_SUSPENDED] = {"suspended", "notice.suspended"},
    [NOTICE_RESUMED] = {"resumed", "notice.resumed"},
    [NOTICE_PAUSED] = {"paused", "notice.paused"},
    [NOTICE_RESTRICTED] = {"restricted", "notice.restricted"},
    [NOTICE_OBJECTED] = {"objected", "notice.objected"},
    [NOTICE_LIFTED] = {"lifted", "notice.lifted"},
    [NOTICE_ERASED] = {"erased", "notice.erased"},
    [NOTICE_OTHERS_SIGNED_OUT] = {"others_signed_out", "notice.others_signed_out"},
    [NOTICE_ONE_SIGNED_OUT] = {"one_signed_out", "notice.one_signed_out"},
    [NOTICE_PASSWORD_SET] = {"password_set", "notice.password_set"},
    [NOTICE_ACTIVATED] = {"activated", "notice.activated"},
    [NOTICE_PASSKEY_ADDED] = {"passkey_added", "notice.passkey_added"},
    [NOTICE_PASSKEY_RENAMED] = {"passkey_renamed", "notice.passkey_renamed"},
    [NOTICE_PASSKEY_REMOVED] = {"passkey_removed", "notice.passkey_removed"},
    [NOTICE_REPORTED] = {"reported", "notice.reported"},
    [NOTICE_CORRECTED] = {"corrected", "notice.corrected"},
    [NOTICE_CORRECTION_ASKED] = {"correction_asked", "notice.correction_asked"},
    [NOTICE_SIGNED_OUT] = {"signed_out", "notice.signed_out"},
    [NOTICE_MANDATE_GIVEN] = {"mandate_given", "notice.mandate_given"},
    [NOTICE_MANDATE_ENDED] = {"mandate_ended", "notice.mandate_ended"},
    [NOTICE_GUARDIAN_TOO] = {"guardian_too", "notice.guardian_too"},
    [NOTICE_MINOR_TOO] = {"minor_too", "notice.minor_too"},
    [NOTICE_MINOR_GIVEN] = {"minor_given", "notice.minor_given"},
    [NOTICE_MINOR_REFUSED] = {"minor_refused", "notice.minor_refused"},
    [NOTICE_MINOR_WITHDRAWN] = {"minor_withdrawn", "notice.minor_withdrawn"},
    [NOTICE_CODE_SENT] = {"code_sent", "notice.code_sent"},
    [NOTICE_MESSAGES_ON] = {"messages_on", "notice.messages_on"},
    [NOTICE_MESSAGES_CHANGED] = {"messages_changed", "notice.messages_changed"},
    [NOTICE_MESSAGES_OFF] = {"messages_off", "notice.messages_off"},
    [NOTICE_THEIRS] = {"theirs", "notice.theirs"},
    [NOTICE_SESSION_ENDED] = {"session_ended", "notice.session_ended"},
};

static const struct {
    unsigned status;
    const char *title;
    const char *text;
} errors[] = {
    {400, "page.bad", "page.bad_text"},
    {403, "page.forbidden", "page.forbidden_text"},
    {404, "page.not_found", "page.not_found_text"},
    {405, "page.method", "page.method_text"},
    {409, "page.conflict", "page.conflict_text"},
    {413, "page.bad", "page.bad_text"},
    {415, "page.bad", "page.bad_text"},
    {429, "page.wait", "page.wait_text"},
    {503, "page.away", "page.away_text"},
    {500, "page.broken", "page.broken_text"}, /* the last stands for all others */
};

/* --- Data ----------------------------------------------------------------------------------- */

static void put(struct visit *visit, json_t *object, const char *name, json_t *value)
{
    if (json_object_set_new(object, name, value))
        visit->data_lost = true;
}

/* Text that is no UTF-8 can only have been typed, and is shown as if it had not been. */
void page_text(struct visit *visit, json_t *object, const char *name, const char *text)
{
    if (!text)
        return;
    json_t *value = json_string(text);
    put(visit, object, name, value ? value : json_string(""));
}

void page_number(struct visit *visit, json_t *object, const char *name, int64_t number)
{
    put(visit, object, name, json_integer(number));
}

void page_flag(struct visit *visit, json_t *object, const char *name)
{
    put(visit, object, name, json_true());
}

json_t *page_list(struct visit *visit, json_t *object, const char *name)
{
    put(visit, object, name, json_array());
    return json_object_get(object, name);
}

json_t *page_item(struct visit *visit, json_t *list)
{
    if (json_array_append_new(list, json_object()))
        visit->data_lost = true;
    return json_array_get(list, json_array_size(list) - 1);
}

void page_wrong(struct visit *visit, const char *field, const char *text)
{
    char member[64];
    json_t *list = json_object_get(visit->data, "errors");
    if (!list)
        list = page_list(visit, visit->data, "errors");
    json_t *item = page_item(visit, list);
    page_text(visit, item, "field", field);
    page_text(visit, item, "error", text);
    snprintf(member, sizeof member, "%s_error", field);
    page_text(visit, visit->data, member, text);
    page_flag(visit, visit->data, "errors_shown");
}

void page_with_script(struct visit *visit)
{
    char address[VISIT_ADDRESS_CHARS];
    snprintf(address, sizeof address, "/passkey.js?v=%s", assets_script_version());
    page_text(visit, visit->data, "script", address);
    http_answer_header(visit->answer, "Content-Security-Policy", "%s",
                       PAGE_SECURITY_POLICY "; script-src 'self'; connect-src 'self'; "
                                            "require-trusted-types-for 'script'; "
                                            "trusted-types 'none'");
    http_answer_header(visit->answer, "Permissions-Policy", "%s", PAGE_DENIED_FEATURES);
}

/* --- The notice for the next page ----------------------------------------------------------- */

static void take_notice(struct visit *visit)
{
    const struct bytes cookie =
        cookie_value(http_request_header(visit->request, "Cookie"), NOTICE_COOKIE);
    if (!cookie.data)
        return;
    for (size_t i = 0; i < NOTICE_COUNT; i++) {
        if (bytes_equal(cookie, bytes_of_text(notices[i].cookie)))
            page_text(visit, visit->data, "notice", notices[i].text);
    }
    http_answer_header(visit->answer, "Set-Cookie",
                       NOTICE_COOKIE "=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
}

/* --- Ends ----------------------------------------------------------------------------------- */

/* Whose page it is, for forms that may come too late (pages_typed.h). */
static void put_whose(struct visit *visit)
{
    struct vault_error err;
    char whose[SIGN_IN_TOKEN_CHARS + 1];
    if (sign_in_whose(visit->pages->vault, &visit->session.citizen, whose, &err))
        visit->data_lost = true;
    else
        page_text(visit, visit->data, "whose", whose);
}

static void put_frame(struct visit *visit, const char *title)
{
    char text[VISIT_ADDRESS_CHARS + 1];
    page_text(visit, visit->data, "language", visit->language);
    snprintf(text, sizeof text, "is_%s", visit->language);
    page_flag(visit, visit->data, text);
    snprintf(text, sizeof text, "/style.css?v=%s", assets_style_version());
    page_text(visit, visit->data, "style", text);
    visit_address(visit, text);
    page_text(visit, visit->data, "here", text);
    page_text(visit, visit->data, "form_token", visit->form_token);
    page_text(visit, visit->data, "title", title);
    if (visit->signed_in) {
        page_flag(visit, visit->data, "signed_in");
        if (visit->pages->mailer)
            page_flag(visit, visit->data, "messages_offered");
        put_whose(visit);
    } else if (visit->is_mediator)
        page_flag(visit, visit->data, "mediator_in");
}

/* Without script: the browser itself goes away from the page, whatever becomes of the server. */
static void put_end(struct visit *visit)
{
    if (!visit->signed_in && !visit->is_mediator)
        return;
    page_flag(visit, visit->data, "leaves");
    http_answer_header(visit->answer, "Refresh", "%d; url=%s", SIGN_IN_IDLE_S + VISIT_LEAVES_S,
                       VISIT_LEFT_ADDRESS);
}

void page_send(struct visit *visit, unsigned status, const char *template_name, const char *title)
{
    struct http_answer *answer = visit->answer;
    struct vault_error err = {.code = VAULT_NO_MEMORY, .text = "out of memory"};
    put_frame(visit, title);
    put_end(visit);
    if (status == 200)
        take_notice(visit);
    buf_clear(&answer->body);
    answer->status = status;
    answer->content_type = PAGE_TYPE;
    if (status == 429 || status == 503)
        http_answer_header(answer, "Retry-After", "%d", RETRY_AFTER_S);
    if (!visit->data_lost && template_render(&assets_source, template_name, visit->language,
                                             visit->data, &answer->body, &err) == VAULT_OK)
        return;
    log_event(LOG_ERROR, "pages", "the page %s was not built: %s", template_name, err.text);
    problem_write(answer, problem_status(err.code), "the page could not be built", "");
}

void page_redirect(struct visit *visit, const char *address)
{
    visit->answer->status = 303;
    http_answer_header(visit->answer, "Location", "%s", address);
}

void page_notice(struct visit *visit, enum notice notice)
{
    http_answer_header(visit->answer, "Set-Cookie",
                       NOTICE_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Lax",
                       notices[notice].cookie);
}

void page_redirect_with(struct visit *visit, const char *address, enum notice notice)
{
    page_notice(visit, notice);
    page_redirect(visit, address);
}

void page_error(struct visit *visit, unsigned status)
{
    size_t i = 0;
    while (i + 1 < sizeof errors / sizeof errors[0] && errors[i].status != status)
        i++;
    page_text(visit, visit->data, "message", errors[i].text);
    page_send(visit, status, "error", errors[i].title);
}

void page_failed(struct visit *visit, enum vault_code code, const struct vault_error *err)
{
    const unsigned status = problem_status(code);
    if (status >= 500)
        log_event(LOG_ERROR, "pages", "%s: %s", vault_code_name(code), err->text);
    page_error(visit, status);
}

void page_send_file(struct visit *visit, enum vault_code code, const struct vault_error *err,
                    const char *content_type, const char *name)
{
    if (code) {
        buf_clear(&visit->answer->body);
        page_failed(visit, code, err);
        return;
    }
    visit->answer->content_type = content_type;
    http_answer_header(visit->answer, "Content-Disposition", "attachment; filename=\"%s\"", name);
}
