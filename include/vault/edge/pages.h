/*
 * pages - what citizens see: signing in, what is asked of them, who has what, giving and
 * withdrawing, in French and English; and the public files of the access log.
 *
 * Pages are made on the server from templates (template.h) and work without any script; only adding
 * and using a passkey takes one, a file of ours that no other page may run. A page
 * never changes anything when it is looked at, but for one case that the contract wants: the link
 * that a service shows opens its request, for whoever is signed in. Everything else changes by a
 * form that is sent with POST, and is answered by a redirect, so that reloading repeats nothing.
 *
 * A form counts only if it comes from a page of ours. Three things show that: the browser says so
 * (Fetch Metadata, else Origin), the form carries the session's token, and the session's cookie
 * does not travel with other sites' forms. Errors are pages too; only what the gate refuses stays
 * application/problem+json.
 *
 * Cookies, all __Host-, Secure, HttpOnly, SameSite=Lax: sid the session, pre the token of forms
 * before there is one, lang the language, known that somebody has signed in here before, done a
 * notice for the next page.
 */
#pragma once

#include "vault/edge/config.h"
#include "vault/edge/http.h"
#include "vault/vault/vault.h"

struct mailer;

struct pages {
    struct vault *vault;
    const char *base; /* where browsers find these pages: "https://host:port", no final slash */
    const char *security_contact; /* whom to tell of a fault (RFC 9116), or empty: no such file */
    const char *accessibility_contact; /* whom to tell that a page cannot be used; or empty */
    const struct config_dpo *dpo;      /* whom reports are addressed to; NULL: nobody is named */
    struct mailer *mailer;             /* NULL: no messages are offered */
};

/* The http_handler of the citizens' listener; context is a struct pages. */
void pages_handle(void *context, const struct http_request *request, struct http_answer *answer);

/* Headers for every answer of that listener, the gate's refusals too. */
void pages_decorate(struct http_answer *answer);
