/*
 * browser - enough of a browser to test pages without a connection: it keeps cookies, says where a
 * form comes from, and finds things in a page.
 */
#pragma once

#include <stdbool.h>

#include "vault/edge/pages.h"
#include "vault_test.h"

#define BROWSER_BASE        "https://vault.example:8442"
#define BROWSER_COOKIES_MAX 8
#define BROWSER_VALUE_CHARS 200

struct browser {
    struct pages pages;
    const char *accept_language; /* NULL: none is said */
    const char *site;            /* Sec-Fetch-Site of forms; NULL: an old browser */
    const char *origin;          /* NULL: none is said */
    const char *content_type;    /* of forms */
    struct {
        char name[BROWSER_VALUE_CHARS];
        char value[BROWSER_VALUE_CHARS];
    } cookies[BROWSER_COOKIES_MAX];
    size_t cookie_count;
    char path[1024]; /* of the last request */
    struct http_answer answer;
};

/* A new browser, with nothing in it but "fr". The one before is gone. */
void browser_open(struct browser *browser, struct vault *vault);
void browser_close(struct browser *browser);

void browser_go(struct browser *browser, enum http_method method, const char *target,
                const char *body);
void browser_get(struct browser *browser, const char *target);

/* Send fields ("a=b&c=d", encoded) as the page shown would, with its token. */
void browser_submit(struct browser *browser, const char *target, const char *fields);

/* Go where a redirect leads; it must be one. */
void browser_follow(struct browser *browser);

/* Sign in as the test's citizen, and be at home. */
void browser_sign_in(struct browser *browser);
void browser_sign_in_as(struct browser *browser, const char *login, const char *password);

/* The same as one of the test's mediators, whose page it then is. */
void browser_sign_in_mediator(struct browser *browser, const char *login);

const char *browser_page(struct browser *browser);
const char *browser_header(const struct browser *browser, const char *name);
const char *browser_cookie(const struct browser *browser, const char *name);
void browser_set_cookie(struct browser *browser, const char *name, const char *value);

/* The value of the hidden field of that name that comes first in the page. */
void browser_hidden(struct browser *browser, const char *name, char out[BROWSER_VALUE_CHARS]);

void assert_status(struct browser *browser, unsigned status);
void assert_location(struct browser *browser, const char *location);
void assert_shows(struct browser *browser, const char *text);
void assert_hides(struct browser *browser, const char *text);
