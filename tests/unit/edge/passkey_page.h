/*
 * passkey_page - what the passkeys' script does on a page, for the tests of pages with passkeys.
 */
#pragma once

#include "authenticator.h"
#include "browser.h"

#include "vault/base/codec.h"

#define BODY_CHARS 8192

static struct vault_test test;
static struct browser browser;
static struct authenticator key;
static char form_token[BROWSER_VALUE_CHARS];
static const char *offer_at = "/passkey"; /* what the page says, where challenges are */

/* What the script does first: the token of the page's forms stays for what it sends. */
static inline void look_at(const char *page)
{
    browser_get(&browser, page);
    assert_status(&browser, 200);
    browser_hidden(&browser, "form_token", form_token);
}

static inline void send(const char *target, const char *fields)
{
    char body[BODY_CHARS];
    test.now_ms++;
    snprintf(body, sizeof body, "form_token=%s&%s", form_token, fields);
    browser_go(&browser, HTTP_POST, target, body);
}

static inline void member_of_answer(const char *name, char out[BROWSER_VALUE_CHARS])
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    assert_status(&browser, 200);
    assert_string_equal(browser.answer.content_type, "application/json");
    assert_done(json_parse(buf_view(&browser.answer.body), 3, &root, NULL, &test_error));
    const char *text = json_string_value(json_object_get(root, name));
    assert_non_null(text);
    snprintf(out, BROWSER_VALUE_CHARS, "%s", text);
}

static inline void ask_challenge(const char *use, char out[BROWSER_VALUE_CHARS])
{
    char fields[64];
    snprintf(fields, sizeof fields, "use=%s", use);
    send(offer_at, fields);
    member_of_answer("challenge", out);
}

static inline void add_part(struct buf *out, const char *name, struct bytes bytes)
{
    buf_format(out, "&%s=", name);
    base64url_encode(out, bytes);
}

static inline void send_answer(const char *target, const char *more)
{
    VAULT_AUTO(buf_finish) struct buf fields = buf_limited(BODY_CHARS);
    buf_text(&fields, more);
    add_part(&fields, "credential", key.answer.credential);
    add_part(&fields, "client_data", key.answer.client_data);
    add_part(&fields, "authenticator_data", key.answer.authenticator_data);
    add_part(&fields, "signature", key.answer.signature);
    send(target, buf_string(&fields));
}
