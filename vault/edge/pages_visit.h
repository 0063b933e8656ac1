/*
 * pages_visit - one request of a browser: who it is, what it speaks, what it sent, and how it is
 * answered.
 *
 * A page is a function of a visit. It puts what it has to say into visit->data with the page_…
 * functions and ends with page_send(), page_redirect() or page_error(). Putting does not return a
 * code: what does not fit into memory is remembered, and page_send() then answers that the vault
 * is not available, since half a page may not be shown.
 */
#pragma once

#include <stdbool.h>

#include "assets.h"
#include "vault/base/json.h"
#include "vault/edge/form.h"
#include "vault/edge/pages.h"
#include "vault/edge/route.h"
#include "vault/vault/mediator.h"
#include "vault/vault/sign_in.h"

#define VISIT_ADDRESS_CHARS 400 /* of a local address with its query */

/* What every page says of itself to the browser; the pages with the passkeys' script allow more. */
#define PAGE_SECURITY_POLICY                                                                       \
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "                   \
    "frame-ancestors 'none'; base-uri 'none'"
#define PAGE_DENIED_FEATURES                                                                       \
    "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"

struct visit {
    const struct pages *pages;
    const struct http_request *request;
    struct http_answer *answer;
    const char *language; /* one of assets_languages */
    bool signed_in;
    bool session_ended; /* the browser thinks it is signed in, and no longer is */
    struct signed_in session;
    bool is_mediator;              /* the browser of a mediator: no citizen's page opens for it */
    struct mediator_seat mediator; /* who they are */
    const char
        *minor_name; /* whose guardian reads, session.citizen being the minor; NULL: nobody's */
    char form_token[SIGN_IN_TOKEN_CHARS + 1]; /* for every form of the page */
    char pre[SIGN_IN_TOKEN_CHARS + 1];        /* the token from before a session; empty: none */
    bool pre_is_new;
    struct form form; /* of a POST */
    json_t *data;
    bool data_lost;
};

/* Something that a page tells its reader once, on the next page. */
enum notice {
    NOTICE_GIVEN,
    NOTICE_REFUSED,
    NOTICE_WITHDRAWN,
    NOTICE_SUSPENDED,
    NOTICE_RESUMED,
    NOTICE_PAUSED,
    NOTICE_RESTRICTED,
    NOTICE_OBJECTED,
    NOTICE_LIFTED,
    NOTICE_ERASED,
    NOTICE_OTHERS_SIGNED_OUT,
    NOTICE_ONE_SIGNED_OUT,
    NOTICE_PASSWORD_SET,
    NOTICE_ACTIVATED,
    NOTICE_PASSKEY_ADDED,
    NOTICE_PASSKEY_RENAMED,
    NOTICE_PASSKEY_REMOVED,
    NOTICE_SIGNED_OUT,
    NOTICE_SESSION_ENDED,
    NOTICE_REPORTED,
    NOTICE_CORRECTED,
    NOTICE_CORRECTION_ASKED,
    NOTICE_MANDATE_GIVEN,
    NOTICE_MANDATE_ENDED,
    NOTICE_GUARDIAN_TOO, /* a minor agreed, and a guardian must too */
    NOTICE_MINOR_TOO,    /* the other way round; and what a guardian did */
    NOTICE_MINOR_GIVEN,
    NOTICE_MINOR_REFUSED,
    NOTICE_MINOR_WITHDRAWN,
    NOTICE_CODE_SENT,
    NOTICE_MESSAGES_ON,
    NOTICE_MESSAGES_CHANGED,
    NOTICE_MESSAGES_OFF,
    NOTICE_THEIRS, /* what a mediator did for somebody */
    NOTICE_COUNT
};

/* What a visit comes for: of two sessions in one browser, only that side's counts on its pages, and
 * with no side neither is looked at. */
enum visit_side { VISIT_ANY_SIDE, VISIT_NO_SIDE, VISIT_CITIZEN, VISIT_MEDIATOR };

/* A page that shows what is somebody's leaves the screen by itself once the session must have ended
 * without a request: the browser goes to VISIT_LEFT_ADDRESS, so long after the end. Some time
 * before that the page says so (style.css has the same times), and offers to stay. */
#define VISIT_LEFT_ADDRESS "/left"
#define VISIT_LEAVES_S     5
#define VISIT_WARNING_S    120

/* Read cookies and language and look up the session. visit->pages, request and answer are set.
 * VAULT_OK also for a browser that is not signed in. */
enum vault_code visit_begin(struct visit *visit, enum visit_side side, struct vault_error *err)
    VAULT_MUST_CHECK;
void visit_finish(struct visit *visit);

/* The language of ours that a tag such as "en-GB" means; NULL if none. And the one that a browser
 * wishes for (RFC 9110 section 12.5.4), of which there always is one. */
const char *visit_language_of(struct bytes tag);
const char *visit_language_wished(const struct http_request *request);

/* Read a POST into visit->form, if it comes from here. False: it is answered. */
bool visit_accept(struct visit *visit);

/* Whether the form carries this visit's token. False: it is answered. */
bool visit_token_fits(struct visit *visit);

/* Send a browser that is not signed in to sign in, and then back here. */
void visit_sign_in_first(struct visit *visit);

/* A field of the form or of the query as text. False if it is not there, is longer or has a NUL. */
bool visit_field(const struct visit *visit, const char *name, char *out, size_t out_bytes);
bool visit_query(const struct visit *visit, const char *name, char *out, size_t out_bytes);

/* Whether a form was sent only to stay on its page, with what was typed so far. */
bool visit_stays(const struct visit *visit);

int64_t visit_now_s(const struct visit *visit);

/* The address of the page that this visit looks at, or whose form it sent. */
void visit_address(const struct visit *visit, char out[VISIT_ADDRESS_CHARS + 1]);

/* An address of ours, fit for a redirect: a single slash, then plain characters. What is not one
 * becomes "/". */
void local_address(char out[VISIT_ADDRESS_CHARS + 1], struct bytes address);

/* Append a pair to an address's query, percent-encoded (RFC 3986 section 2.1); sign is '?' before
 * the first, and '&' from then on. */
void address_add(struct buf *out, char *sign, struct bytes name, struct bytes value);

/* --- Cookies -------------------------------------------------------------------------------- */

void visit_set_session(struct visit *visit, const char token[SIGN_IN_TOKEN_CHARS + 1]);

/* What this browser keeps of a sign-in before (sign_in_mark()); empty: nothing. */
struct bytes visit_mark(const struct visit *visit);

/* The same, and this visit is in that session from here on, its forms too; the browser gets a mark.
 */
enum vault_code visit_enter_session(struct visit *visit, const char token[SIGN_IN_TOKEN_CHARS + 1],
                                    struct vault_error *err) VAULT_MUST_CHECK;

void visit_end_session(struct visit *visit);
void visit_set_mediator(struct visit *visit, const char token[ACTOR_TOKEN_CHARS + 1]);
void visit_end_mediator(struct visit *visit);
void visit_set_language(struct visit *visit, const char *language);

/* --- Pages ---------------------------------------------------------------------------------- */

/* Put into an object; NULL text is left out. */
void page_text(struct visit *visit, json_t *object, const char *name, const char *text);
void page_number(struct visit *visit, json_t *object, const char *name, int64_t number);
void page_flag(struct visit *visit, json_t *object, const char *name);

/* A new list in an object, and a new object at a list's end. Borrowed; NULL when memory is out,
 * which every function here takes. */
json_t *page_list(struct visit *visit, json_t *object, const char *name);
json_t *page_item(struct visit *visit, json_t *list);

/* The page has forms for passkeys: it brings their script, and may run that and nothing else. */
void page_with_script(struct visit *visit);

/* Tell the reader something on the next page. */
void page_notice(struct visit *visit, enum notice notice);

/* A field of a form is wrong: text is of the catalogue. */
void page_wrong(struct visit *visit, const char *field, const char *text);

/* End the visit. title is a text of the catalogue. */
void page_send(struct visit *visit, unsigned status, const char *template_name, const char *title);
void page_redirect(struct visit *visit, const char *address);
void page_redirect_with(struct visit *visit, const char *address, enum notice notice);

/* An error as a page: by its status, or by the code of a call that failed, which is logged when it
 * is the vault's fault. */
void page_error(struct visit *visit, unsigned status);
void page_failed(struct visit *visit, enum vault_code code, const struct vault_error *err);

/* What a call has written into the answer's body, as a file of that name to keep; if it failed, the
 * error. */
void page_send_file(struct visit *visit, enum vault_code code, const struct vault_error *err,
                    const char *content_type, const char *name);
