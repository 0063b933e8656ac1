/*
 * auditor_visit - one request of an auditor: who it is, what it speaks, and how it is answered.
 *
 * Programs and people use the same listener. What a program asks for lies under /v1/ and answers
 * JSON, or a problem; everything else is a page, made with the citizens' templates and style from
 * the visit in it, which has neither a session nor a cookie: the client certificate says who it is,
 * and the page's language is the browser's wish or the parameter "lang", which every link carries
 * on.
 */
#pragma once

#include "pages_visit.h"
#include "vault/edge/auditor_api.h"
#include "vault/vault/service.h"

#define AUDITOR_ORIGIN_CHARS 300

struct auditor_visit {
    struct visit visit;
    struct pages pages; /* where the visit finds the vault and this listener's own address */
    struct vault *vault;
    char name[CONTROL_SERVICE_ID_CHARS + 1]; /* the auditor's */
    char origin[AUDITOR_ORIGIN_CHARS];
    bool speaks_by_wish; /* the language is the browser's wish: links need not name it */
};

/* Everything of a visit but what only pages need. Data may be put from now on. */
void auditor_visit_begin(struct auditor_visit *visitor, const struct auditor_api *api,
                         const struct http_request *request, struct http_answer *answer);
void auditor_visit_finish(struct auditor_visit *visitor);

/*
 * Whether a POST is this auditor's own doing; if not, it is answered.
 *
 * A certificate goes with every request of a browser, whoever caused it, just as a cookie without
 * SameSite would, so that another site's page could make an auditor look. What shows that the form
 * is ours: the browser says where it comes from (Fetch Metadata, else Origin, which must be this
 * very address), and the form carries a token that only a page of ours could have had: a keyed hash
 * of the auditor's key and the hour, good for one to two hours, so that nothing need be kept. The
 * same two for a program but for the token: what is application/json no other site's form can send,
 * and no answer here allows one to ask first (CORS).
 */
bool auditor_accept_form(struct auditor_visit *visitor);
bool auditor_accept_json(struct auditor_visit *visitor);

/* Whether a program asks: its errors are problems, not pages. */
bool auditor_asks_program(const struct http_request *request);

/* An error by its status, as a page. */
void auditor_error(struct auditor_visit *visitor, unsigned status);

/* The code of a call that failed, as a problem or as a page. */
void auditor_failed(struct auditor_visit *visitor, enum vault_code code,
                    const struct vault_error *err);

/* End the visit with a page. here names the part of the navigation that it is: "is_entries". */
void auditor_page(struct auditor_visit *visitor, unsigned status, const char *template_name,
                  const char *title, const char *here);

/* Append the path and a query of its parameters as given, but those named in without (NULL ends
 * them), and with lang where the reader chose it; then more, such as "after=12", NULL for nothing.
 */
void auditor_address(const struct auditor_visit *visitor, const char *path,
                     const char *const without[], const char *more, struct buf *out);

/* Put the moment as "date", "clock" (with milliseconds) and "instant". */
void auditor_put_time(struct auditor_visit *visitor, json_t *item, int64_t time_ms);

/* "2027-03-08T10:00:00.123Z" */
#define AUDITOR_INSTANT_CHARS (INSTANT_CHARS + 4)
void auditor_instant(char out[AUDITOR_INSTANT_CHARS + 1], int64_t time_ms);
