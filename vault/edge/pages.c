#include "vault/edge/pages.h"

#include <string.h>

#include "log_files.h"
#include "pages_parts.h"
#include "pages_typed.h"
#include "vault/edge/problem.h"

#define HTML_TYPE "text/html"

enum access {
    FILE_ONLY,   /* neither session nor language: the same for everybody */
    UNSEEN,      /* a page that asks nothing of a session, so that no session lives longer by it */
    ANYBODY,     /* a page, signed in or not */
    SIGNED_IN,   /* a page; who is not signed in is sent to sign in first */
    KEEPS_TYPED, /* the same, and what they wrote comes with them */
    MEDIATORS,   /* a mediator's; who is none is sent to their sign-in, and who has a first
                    password still to where they exchange it, or is there */
    NEW_THERE,   /* the same, also with a first password */
    THEIR_DOOR,  /* where mediators sign in */
};

typedef void page_function(struct visit *visit, const char *id);

/* Every page of the citizens' listener: method, path, who may, what makes it. */
/* clang-format off */
#define PAGES(page)                                                        \
    page(HTTP_GET,  "/",                    SIGNED_IN, home_show)          \
    page(HTTP_GET,  "/sign-in",             ANYBODY,   sign_in_show)       \
    page(HTTP_POST, "/sign-in",             ANYBODY,   sign_in_do)         \
    page(HTTP_POST, "/sign-out",            SIGNED_IN, sign_out_do)        \
    page(HTTP_GET,  "/left",                UNSEEN,    left_show)          \
    page(HTTP_POST, "/language",            ANYBODY,   language_do)        \
    page(HTTP_GET,  "/about",               ANYBODY,   about_show)         \
    page(HTTP_GET,  "/accessibility",       ANYBODY,   accessibility_show) \
    page(HTTP_GET,  "/request",             SIGNED_IN, code_show)          \
    page(HTTP_POST, "/request",             SIGNED_IN, code_do)            \
    page(HTTP_GET,  "/r/{id}",              SIGNED_IN, link_open)          \
    page(HTTP_GET,  "/request/{id}",        SIGNED_IN, request_show)       \
    page(HTTP_POST, "/request/{id}/give",   SIGNED_IN, request_give)       \
    page(HTTP_POST, "/request/{id}/refuse", SIGNED_IN, request_refuse)     \
    page(HTTP_GET,  "/services/{id}",       SIGNED_IN, service_show)       \
    page(HTTP_GET,  "/services/{id}/letter", SIGNED_IN, service_letter_show) \
    page(HTTP_GET,  "/withdraw",            SIGNED_IN, withdraw_show)      \
    page(HTTP_POST, "/withdraw",            SIGNED_IN, withdraw_do)        \
    page(HTTP_POST, "/suspend",             SIGNED_IN, suspend_do)         \
    page(HTTP_POST, "/resume",              SIGNED_IN, resume_do)          \
    page(HTTP_POST, "/pause",               SIGNED_IN, pause_do)           \
    page(HTTP_POST, "/restrict",            SIGNED_IN, restrict_do)        \
    page(HTTP_POST, "/resume-all",          SIGNED_IN, resume_all_do)      \
    page(HTTP_POST, "/object",              SIGNED_IN, object_do)          \
    page(HTTP_POST, "/object/end",          SIGNED_IN, lift_do)            \
    page(HTTP_GET,  "/accesses",            SIGNED_IN, accesses_show)      \
    page(HTTP_GET,  "/accesses/{id}/entry",   SIGNED_IN, access_entry_send)   \
    page(HTTP_GET,  "/accesses/{id}/proof",   SIGNED_IN, access_proof_send)   \
    page(HTTP_GET,  "/accesses/{id}/opening", SIGNED_IN, access_opening_send) \
    page(HTTP_GET,  "/receipts/{id}",       SIGNED_IN, receipt_send)       \
    page(HTTP_GET,  "/receipts/{id}/page",  SIGNED_IN, receipt_show)       \
    page(HTTP_GET,  "/check",               ANYBODY,   check_show)         \
    page(HTTP_POST, "/check",               ANYBODY,   check_do)           \
    page(HTTP_GET,  "/report",              SIGNED_IN, report_show_form)   \
    page(HTTP_POST, "/report",              KEEPS_TYPED, report_make_do )     \
    page(HTTP_GET,  "/reports",             SIGNED_IN, reports_show)       \
    page(HTTP_GET,  "/reports/{id}",        SIGNED_IN, report_page_show)   \
    page(HTTP_GET,  "/reports/{id}/text",   SIGNED_IN, report_text_send)   \
    page(HTTP_GET,  "/again",               SIGNED_IN, again_show)         \
    page(HTTP_POST, "/again",               SIGNED_IN, again_do)           \
    page(HTTP_GET,  "/data",                SIGNED_IN, data_show)          \
    page(HTTP_GET,  "/data/{id}",           SIGNED_IN, correction_show)    \
    page(HTTP_POST, "/data/{id}",           KEEPS_TYPED, correction_do )      \
    page(HTTP_POST, "/data/{id}/ask",       SIGNED_IN, correction_ask_do)  \
    page(HTTP_POST, "/export",              SIGNED_IN, export_send)        \
    page(HTTP_GET,  "/erase",               SIGNED_IN, erase_show)         \
    page(HTTP_POST, "/erase",               SIGNED_IN, erase_do)           \
    page(HTTP_GET,  "/security",            SIGNED_IN, security_show)      \
    page(HTTP_POST, "/security/session",    SIGNED_IN, sign_out_one_do)    \
    page(HTTP_POST, "/security/others",     SIGNED_IN, sign_out_others_do) \
    page(HTTP_POST, "/security/password",   SIGNED_IN, password_do)        \
    page(HTTP_POST, "/passkey",                  ANYBODY,   passkey_offer)      \
    page(HTTP_POST, "/sign-in/passkey",          ANYBODY,   passkey_sign_in_do) \
    page(HTTP_POST, "/again/passkey",            SIGNED_IN, passkey_again_do)   \
    page(HTTP_POST, "/security/passkeys",        SIGNED_IN, passkey_add_do)     \
    page(HTTP_POST, "/security/passkeys/rename", SIGNED_IN, passkey_rename_do)  \
    page(HTTP_POST, "/security/passkeys/remove", SIGNED_IN, passkey_remove_do)  \
    page(HTTP_POST, "/security/recovery",        SIGNED_IN, recovery_do)        \
    page(HTTP_GET,  "/messages",                 SIGNED_IN, messages_show)      \
    page(HTTP_POST, "/messages",                 KEEPS_TYPED, messages_ask_do)  \
    page(HTTP_POST, "/messages/code",            SIGNED_IN, messages_code_do)   \
    page(HTTP_POST, "/messages/stop",            SIGNED_IN, messages_stop_do)   \
    page(HTTP_GET,  "/messages/end",             ANYBODY,   messages_ended_show) \
    page(HTTP_GET,  "/messages/end/{id}",        ANYBODY,   messages_end_show)  \
    page(HTTP_POST, "/messages/end/{id}",        ANYBODY,   messages_end_do)    \
    page(HTTP_GET,  "/activate",                 ANYBODY,   activate_show)      \
    page(HTTP_POST, "/activate",                 ANYBODY,   activate_do)        \
    page(HTTP_GET,  "/.well-known/change-password", FILE_ONLY, change_password_go) \
    page(HTTP_GET,  "/passkey.js",               FILE_ONLY, script_send)        \
    page(HTTP_GET,  "/mandates",            SIGNED_IN, mandates_show)      \
    page(HTTP_POST, "/mandates",            KEEPS_TYPED, mandate_give_do )    \
    page(HTTP_POST, "/mandates/codes",      SIGNED_IN, mandate_codes_do)   \
    page(HTTP_POST, "/mandates/{id}/end",   SIGNED_IN, mandate_end_do)     \
    page(HTTP_GET,  "/minors",              SIGNED_IN, minors_show)        \
    page(HTTP_GET,  "/minors/{id}",         SIGNED_IN, minor_show)         \
    page(HTTP_GET,  "/minors/{id}/request", SIGNED_IN, minor_request_show) \
    page(HTTP_POST, "/minors/{id}/open",    SIGNED_IN, minor_open_do)      \
    page(HTTP_POST, "/minors/{id}/give",    SIGNED_IN, minor_give_do)      \
    page(HTTP_POST, "/minors/{id}/refuse",  SIGNED_IN, minor_refuse_do)    \
    page(HTTP_POST, "/minors/{id}/withdraw", SIGNED_IN, minor_withdraw_do) \
    page(HTTP_POST, "/minors/{id}/stop",    SIGNED_IN, minor_stop_do)      \
    page(HTTP_GET,  "/mediator/sign-in",    THEIR_DOOR, mediator_door_show) \
    page(HTTP_POST, "/mediator/sign-in",    THEIR_DOOR, mediator_door_do)  \
    page(HTTP_POST, "/mediator/sign-out",   NEW_THERE, mediator_leave_do)  \
    page(HTTP_POST, "/mediator/passkey",    THEIR_DOOR, mediator_passkey_offer) \
    page(HTTP_POST, "/mediator/sign-in/passkey", THEIR_DOOR, mediator_door_passkey_do) \
    page(HTTP_GET,  "/mediator/password",   MEDIATORS, mediator_password_show) \
    page(HTTP_POST, "/mediator/password",   MEDIATORS, mediator_password_do) \
    page(HTTP_GET,  "/mediator/security",   MEDIATORS, mediator_security_show) \
    page(HTTP_GET,  "/mediator/security/again", MEDIATORS, mediator_again_show) \
    page(HTTP_POST, "/mediator/security/again", MEDIATORS, mediator_again_do) \
    page(HTTP_POST, "/mediator/security/again/passkey", MEDIATORS, mediator_again_passkey_do) \
    page(HTTP_POST, "/mediator/security/others", MEDIATORS, mediator_sign_out_others_do) \
    page(HTTP_POST, "/mediator/security/passkeys", MEDIATORS, mediator_passkey_add_do) \
    page(HTTP_POST, "/mediator/security/passkeys/rename", MEDIATORS, mediator_passkey_rename_do) \
    page(HTTP_POST, "/mediator/security/passkeys/remove", MEDIATORS, mediator_passkey_remove_do) \
    page(HTTP_GET,  "/mediator",            MEDIATORS, mediator_home_show) \
    page(HTTP_POST, "/mediator",            MEDIATORS, mediator_code_do)   \
    page(HTTP_GET,  "/mediator/{id}",       MEDIATORS, mediator_mandate_show) \
    page(HTTP_GET,  "/mediator/{id}/request", MEDIATORS, mediator_request_show) \
    page(HTTP_POST, "/mediator/{id}/open",  MEDIATORS, mediator_open_do)   \
    page(HTTP_POST, "/mediator/{id}/values", MEDIATORS, mediator_values_do) \
    page(HTTP_POST, "/mediator/{id}/give",  MEDIATORS, mediator_give_do)   \
    page(HTTP_POST, "/mediator/{id}/refuse", MEDIATORS, mediator_refuse_do) \
    page(HTTP_POST, "/mediator/{id}/withdraw", MEDIATORS, mediator_withdraw_do) \
    page(HTTP_POST, "/mediator/{id}/suspend", MEDIATORS, mediator_suspend_do) \
    page(HTTP_POST, "/mediator/{id}/resume", MEDIATORS, mediator_resume_do) \
    page(HTTP_POST, "/mediator/{id}/end",   MEDIATORS, mediator_end_do)    \
    page(HTTP_POST, "/statement",           SIGNED_IN, statement_send)     \
    page(HTTP_GET,  "/policies",            ANYBODY,   policies_show)      \
    page(HTTP_GET,  "/policies.json",       FILE_ONLY, policies_send)      \
    page(HTTP_GET,  "/policies/{id}",       FILE_ONLY, policy_open)        \
    page(HTTP_GET,  "/style.css",           FILE_ONLY, style_send)         \
    page(HTTP_GET,  "/icon.svg",            FILE_ONLY, icon_send)          \
    page(HTTP_GET,  "/.well-known/security.txt", FILE_ONLY, security_text_send) \
    page(HTTP_GET,  "/robots.txt",          FILE_ONLY, robots_send)        \
    page(HTTP_GET,  "/healthz",             FILE_ONLY, health_send)        \
    page(HTTP_GET,  "/readyz",              FILE_ONLY, ready_send)
/* clang-format on */

static enum visit_side side_of(enum access access)
{
    if (access == MEDIATORS || access == NEW_THERE || access == THEIR_DOOR)
        return VISIT_MEDIATOR;
    if (access == UNSEEN)
        return VISIT_NO_SIDE;
    return access == SIGNED_IN || access == KEEPS_TYPED ? VISIT_CITIZEN : VISIT_ANY_SIDE;
}

/* Where a mediator exchanges their first password: for one of their own, or for a passkey. */
static const char *exchange_of(const struct visit *visit)
{
    return mediator_needs_passkey(visit->pages->vault) ? "/mediator/security"
                                                       : "/mediator/password";
}

/* That page, or a form of it. */
static bool is_of_page(const struct visit *visit, const char *page)
{
    const char *path = visit->request->path;
    const size_t size = strlen(page);
    return strncmp(path, page, size) == 0 && (path[size] == 0 || path[size] == '/');
}

/* The one way to a page: nothing is reached without what its row of the table asks. */
static void enter(const struct route_call *call, enum access access, page_function *page)
{
    struct visit *visit = call->context;
    struct vault_error err;
    const bool sends = visit->request->method == HTTP_POST;
    const enum vault_code code =
        access == FILE_ONLY ? VAULT_OK : visit_begin(visit, side_of(access), &err);
    if (code)
        page_failed(visit, code, &err);
    else if (sends && !visit_accept(visit))
        return;
    else if (access == SIGNED_IN && !visit->signed_in)
        visit_sign_in_first(visit);
    else if (access == KEEPS_TYPED && !visit->signed_in)
        typed_ask(visit);
    else if ((access == MEDIATORS || access == NEW_THERE) && !visit->is_mediator)
        page_redirect(visit, "/mediator/sign-in");
    else if (access == MEDIATORS && visit->mediator.has_first_password &&
             !is_of_page(visit, exchange_of(visit)))
        page_redirect(visit, exchange_of(visit));
    else if (!sends || visit_token_fits(visit))
        page(visit, call->id);
}

#define DEFINE_ENTRY(method, pattern, access, page)                                                \
    static void enter_##page(const struct route_call *call, struct http_answer *answer)            \
    {                                                                                              \
        (void)answer;                                                                              \
        enter(call, access, page);                                                                 \
    }
PAGES(DEFINE_ENTRY)

#define ROUTE_OF(method, pattern, access, page) {method, pattern, enter_##page},
const struct route page_routes[] = {PAGES(ROUTE_OF)};
const size_t page_route_count = sizeof page_routes / sizeof page_routes[0];

#define TYPED_ROUTE_OF(method, pattern, access, page)                                              \
    {(access) == KEEPS_TYPED ? (method) : HTTP_OTHER_METHOD, pattern, enter_##page},
static const struct route typed_routes[] = {PAGES(TYPED_ROUTE_OF)};

bool page_keeps_typed(const char *path)
{
    return route_exists(typed_routes, page_route_count, HTTP_POST, path);
}

/* The router's own answer, 404 or 405 with Allow, made into a page. */
static void send_no_page(struct visit *visit)
{
    struct vault_error err;
    const unsigned status = visit->answer->status;
    const enum vault_code code = visit_begin(visit, VISIT_ANY_SIDE, &err);
    if (code)
        page_failed(visit, code, &err);
    else
        page_error(visit, status);
}

void pages_handle(void *context, const struct http_request *request, struct http_answer *answer)
{
    const struct pages *pages = context;
    if (strncmp(request->path, LOG_FILES_PREFIX, strlen(LOG_FILES_PREFIX)) == 0) {
        log_files_send(vault_log_folder(pages->vault), request, answer);
        return;
    }
    VAULT_AUTO(visit_finish)
    struct visit visit = {.pages = pages, .request = request, .answer = answer};
    if (!route_dispatch(page_routes, page_route_count, &visit, request, answer))
        send_no_page(&visit);
}

static bool has_header(const struct http_answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->header_count; i++) {
        if (strcmp(answer->headers[i].name, name) == 0)
            return true;
    }
    return false;
}

static const struct {
    const char *name;
    const char *value;
    bool pages_only;
} headers[] = {
    {"Content-Security-Policy", PAGE_SECURITY_POLICY, false},
    {"X-Content-Type-Options", "nosniff", false},
    {"Referrer-Policy", "no-referrer", false},
    {"Strict-Transport-Security", "max-age=63072000; includeSubDomains", false},
    {"Cache-Control", "no-store", false}, /* where the answer does not say otherwise */
    {"Cross-Origin-Opener-Policy", "same-origin", true},
    {"Permissions-Policy",
     PAGE_DENIED_FEATURES ", publickey-credentials-create=(), publickey-credentials-get=()", true},
};

void pages_decorate(struct http_answer *answer)
{
    const bool is_page =
        answer->content_type && strncmp(answer->content_type, HTML_TYPE, strlen(HTML_TYPE)) == 0;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        if ((is_page || !headers[i].pages_only) && !has_header(answer, headers[i].name))
            http_answer_header(answer, headers[i].name, "%s", headers[i].value);
    }
}
