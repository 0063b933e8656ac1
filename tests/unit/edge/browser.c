#include "browser.h"

#include <stdio.h>

#include "vault/edge/form.h"

#define FORM_TYPE    "application/x-www-form-urlencoded"
#define COOKIE_CHARS 2048

void browser_open(struct browser *browser, struct vault *vault)
{
    *browser = (struct browser){
        .pages = {.vault = vault, .base = BROWSER_BASE, .security_contact = ""},
        .accept_language = "fr",
        .site = "same-origin",
        .content_type = FORM_TYPE,
        .answer = http_answer_new(),
    };
}

void browser_close(struct browser *browser)
{
    http_answer_finish(&browser->answer);
}

void browser_set_cookie(struct browser *browser, const char *name, const char *value)
{
    size_t i = 0;
    while (i < browser->cookie_count && strcmp(browser->cookies[i].name, name) != 0)
        i++;
    assert_true(i < BROWSER_COOKIES_MAX);
    snprintf(browser->cookies[i].name, BROWSER_VALUE_CHARS, "%s", name);
    snprintf(browser->cookies[i].value, BROWSER_VALUE_CHARS, "%s", value);
    if (i == browser->cookie_count)
        browser->cookie_count++;
}

const char *browser_cookie(const struct browser *browser, const char *name)
{
    for (size_t i = 0; i < browser->cookie_count; i++) {
        if (strcmp(browser->cookies[i].name, name) == 0)
            return browser->cookies[i].value;
    }
    return "";
}

static void drop_cookie(struct browser *browser, const char *name)
{
    for (size_t i = 0; i < browser->cookie_count; i++) {
        if (strcmp(browser->cookies[i].name, name) == 0)
            browser->cookies[i] = browser->cookies[--browser->cookie_count];
    }
}

/* Every cookie that the pages set has the same attributes. */
static void take_cookie(struct browser *browser, const char *header)
{
    char name[BROWSER_VALUE_CHARS];
    char value[BROWSER_VALUE_CHARS];
    const size_t name_size = strcspn(header, "=");
    const size_t value_size = strcspn(header + name_size + 1, ";");
    snprintf(name, sizeof name, "%.*s", (int)name_size, header);
    snprintf(value, sizeof value, "%.*s", (int)value_size, header + name_size + 1);
    assert_memory_equal(name, "__Host-", 7);
    assert_non_null(strstr(header, "; Path=/; Secure; HttpOnly; SameSite=Lax"));
    assert_null(strstr(header, "Domain"));
    if (strstr(header, "Max-Age=0"))
        drop_cookie(browser, name);
    else
        browser_set_cookie(browser, name, value);
}

static void add_header(struct http_request *request, const char *name, const char *value)
{
    if (value)
        request->headers[request->header_count++] =
            (struct http_pair){bytes_of_text(name), bytes_of_text(value)};
}

static void write_cookies(const struct browser *browser, char out[COOKIE_CHARS])
{
    size_t size = 0;
    out[0] = 0;
    for (size_t i = 0; i < browser->cookie_count; i++)
        size += (size_t)snprintf(out + size, COOKIE_CHARS - size, "%s%s=%s", i ? "; " : "",
                                 browser->cookies[i].name, browser->cookies[i].value);
}

/* As the listener decodes it. */
static void read_target(struct browser *browser, const char *target, struct http_request *request,
                        struct form *query)
{
    const size_t size = strcspn(target, "?");
    snprintf(browser->path, sizeof browser->path, "%.*s", (int)size, target);
    assert_done(
        form_parse(bytes_of_text(target[size] ? target + size + 1 : ""), query, &test_error));
    for (size_t i = 0; i < query->count; i++)
        request->query[i] = (struct http_pair){query->fields[i].name, query->fields[i].value};
    request->query_count = query->count;
    request->path = browser->path;
}

void browser_go(struct browser *browser, enum http_method method, const char *target,
                const char *body)
{
    struct http_request request = {.method = method, .body = bytes_of_text(body)};
    VAULT_AUTO(form_finish) struct form query = {0};
    char cookies[COOKIE_CHARS];
    write_cookies(browser, cookies);
    read_target(browser, target, &request, &query);
    add_header(&request, "Host", "vault.example:8442");
    add_header(&request, "Accept-Language", browser->accept_language);
    add_header(&request, "Cookie", cookies[0] ? cookies : NULL);
    if (method == HTTP_POST) {
        add_header(&request, "Sec-Fetch-Site", browser->site);
        add_header(&request, "Origin", browser->origin);
        add_header(&request, "Content-Type", browser->content_type);
    }
    http_answer_finish(&browser->answer);
    browser->answer = http_answer_new();
    pages_handle(&browser->pages, &request, &browser->answer);
    pages_decorate(&browser->answer);
    for (size_t i = 0; i < browser->answer.header_count; i++) {
        if (strcmp(browser->answer.headers[i].name, "Set-Cookie") == 0)
            take_cookie(browser, browser->answer.headers[i].value);
    }
}

void browser_get(struct browser *browser, const char *target)
{
    browser_go(browser, HTTP_GET, target, "");
}

const char *browser_page(struct browser *browser)
{
    const char *page = buf_string(&browser->answer.body);
    assert_non_null(page);
    return page;
}

void browser_hidden(struct browser *browser, const char *name, char out[BROWSER_VALUE_CHARS])
{
    char field[BROWSER_VALUE_CHARS];
    snprintf(field, sizeof field, "type=\"hidden\" name=\"%s\" value=\"", name);
    const char *at = strstr(browser_page(browser), field);
    if (!at)
        fail_msg("the page has no hidden field %s", name);
    at += strlen(field);
    snprintf(out, BROWSER_VALUE_CHARS, "%.*s", (int)strcspn(at, "\""), at);
}

void browser_submit(struct browser *browser, const char *target, const char *fields)
{
    char token[BROWSER_VALUE_CHARS];
    char body[4096];
    browser_hidden(browser, "form_token", token);
    snprintf(body, sizeof body, "form_token=%s%s%s", token, fields[0] ? "&" : "", fields);
    browser_go(browser, HTTP_POST, target, body);
}

void browser_follow(struct browser *browser)
{
    char location[1024];
    assert_status(browser, 303);
    snprintf(location, sizeof location, "%s", browser_header(browser, "Location"));
    assert_int_equal(location[0], '/');
    browser_get(browser, location);
}

void browser_sign_in_as(struct browser *browser, const char *login, const char *password)
{
    char fields[512];
    browser_get(browser, "/sign-in");
    snprintf(fields, sizeof fields, "next=%%2F&login=%s&password=%s", login, password);
    browser_submit(browser, "/sign-in", fields);
    browser_follow(browser);
    assert_status(browser, 200);
}

void browser_sign_in(struct browser *browser)
{
    browser_sign_in_as(browser, "testine", "un+mot+de+passe");
}

void browser_sign_in_mediator(struct browser *browser, const char *login)
{
    char fields[200];
    browser_get(browser, "/mediator/sign-in");
    snprintf(fields, sizeof fields, "login=%s&password=une%%20longue%%20phrase", login);
    browser_submit(browser, "/mediator/sign-in", fields);
    assert_location(browser, "/mediator");
    browser_follow(browser);
    assert_status(browser, 200);
}

const char *browser_header(const struct browser *browser, const char *name)
{
    for (size_t i = 0; i < browser->answer.header_count; i++) {
        if (strcmp(browser->answer.headers[i].name, name) == 0)
            return browser->answer.headers[i].value;
    }
    return "";
}

void assert_status(struct browser *browser, unsigned status)
{
    if (browser->answer.status != status)
        fail_msg("%s answered %u, not %u", browser->path, browser->answer.status, status);
}

void assert_location(struct browser *browser, const char *location)
{
    assert_status(browser, 303);
    assert_string_equal(browser_header(browser, "Location"), location);
}

void assert_shows(struct browser *browser, const char *text)
{
    if (!strstr(browser_page(browser), text))
        fail_msg("%s does not show \"%s\"", browser->path, text);
}

void assert_hides(struct browser *browser, const char *text)
{
    if (strstr(browser_page(browser), text))
        fail_msg("%s shows \"%s\"", browser->path, text);
}
