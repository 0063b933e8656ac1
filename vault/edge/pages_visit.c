#include "pages_visit.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "pages_parts.h"
#include "vault/base/codec.h"
#include "vault/crypto/secret.h"

#define SESSION_COOKIE  "__Host-sid"
#define MEDIATOR_COOKIE "__Host-mid"
#define PRE_COOKIE      "__Host-pre"
#define LANGUAGE_COOKIE "__Host-lang"
#define MARK_COOKIE     "__Host-known"
#define LANGUAGE_AGE_S  (365 * 86400)
#define MARK_AGE_S      (365 * 86400)
#define TOKEN_BYTES     32
#define QUALITY_HIGHEST 1000
#define LOCATION_CHARS  500 /* of a header's value */
#define SIGN_IN_ADDRESS "/sign-in"

/* --- What it speaks ------------------------------------------------------------------------- */

const char *visit_language_of(struct bytes tag)
{
    for (size_t i = 0; i < ASSETS_LANGUAGES; i++) {
        const size_t size = strlen(assets_languages[i]);
        if (tag.size >= size &&
            strncasecmp((const char *)tag.data, assets_languages[i], size) == 0 &&
            (tag.size == size || tag.data[size] == '-'))
            return assets_languages[i];
    }
    return NULL;
}

/* RFC 9110 section 12.4.2: "q=0.8" as thousandths, without one the highest; malformed is 0. */
static int quality_of(struct bytes parameters)
{
    const char *text = (const char *)parameters.data;
    size_t i = 0;
    while (i < parameters.size && (text[i] == ';' || text[i] == ' ' || text[i] == '\t'))
        i++;
    if (i == parameters.size)
        return QUALITY_HIGHEST;
    if (parameters.size - i < 3 || (text[i] != 'q' && text[i] != 'Q') || text[i + 1] != '=')
        return 0;
    int value = 0;
    int unit = QUALITY_HIGHEST;
    for (i += 2; i < parameters.size && unit > 0 && text[i] != ' ' && text[i] != '\t'; i++) {
        if (text[i] == '.' && unit == QUALITY_HIGHEST / 10)
            continue;
        if (text[i] < '0' || text[i] > '9')
            return 0;
        value += (text[i] - '0') * unit;
        unit /= 10;
    }
    return value <= QUALITY_HIGHEST ? value : 0;
}

static struct bytes trimmed(struct bytes text)
{
    while (text.size && (*text.data == ' ' || *text.data == '\t')) {
        text.data++;
        text.size--;
    }
    return text;
}

/* The language of ours that the browser likes best; of two liked alike, its first. */
static const char *preferred_language(struct bytes wishes)
{
    const char *best = assets_languages[0];
    int best_quality = 0;
    while (wishes.size) {
        const uint8_t *comma = memchr(wishes.data, ',', wishes.size);
        const size_t size = comma ? (size_t)(comma - wishes.data) : wishes.size;
        const struct bytes wish = trimmed((struct bytes){wishes.data, size});
        const uint8_t *end = wish.size ? memchr(wish.data, ';', wish.size) : NULL;
        const size_t tag_size = end ? (size_t)(end - wish.data) : wish.size;
        const char *language = visit_language_of((struct bytes){wish.data, tag_size});
        const int quality = quality_of((struct bytes){wish.data + tag_size, wish.size - tag_size});
        if (language && quality > best_quality) {
            best = language;
            best_quality = quality;
        }
        wishes.data += size + (comma != NULL);
        wishes.size -= size + (comma != NULL);
    }
    return best;
}

const char *visit_language_wished(const struct http_request *request)
{
    return preferred_language(http_request_header(request, "Accept-Language"));
}

/* --- Cookies -------------------------------------------------------------------------------- */

static struct bytes cookie_of(const struct visit *visit, const char *name)
{
    return cookie_value(http_request_header(visit->request, "Cookie"), name);
}

static void set_cookie(struct visit *visit, const char *name, const char *value, const char *age)
{
    http_answer_header(visit->answer, "Set-Cookie",
                       "%s=%s; Path=/; Secure; HttpOnly; SameSite=Lax%s", name, value, age);
}

static void drop_cookie(struct visit *visit, const char *name)
{
    set_cookie(visit, name, "", "; Max-Age=0");
}

void visit_set_session(struct visit *visit, const char token[SIGN_IN_TOKEN_CHARS + 1])
{
    set_cookie(visit, SESSION_COOKIE, token, "");
    drop_cookie(visit, PRE_COOKIE);
}

void visit_end_session(struct visit *visit)
{
    drop_cookie(visit, SESSION_COOKIE);
}

void visit_set_mediator(struct visit *visit, const char token[ACTOR_TOKEN_CHARS + 1])
{
    set_cookie(visit, MEDIATOR_COOKIE, token, "");
    drop_cookie(visit, PRE_COOKIE);
}

void visit_end_mediator(struct visit *visit)
{
    drop_cookie(visit, MEDIATOR_COOKIE);
}

void visit_set_language(struct visit *visit, const char *language)
{
    char age[32];
    snprintf(age, sizeof age, "; Max-Age=%d", LANGUAGE_AGE_S);
    set_cookie(visit, LANGUAGE_COOKIE, language, age);
}

static void read_language(struct visit *visit)
{
    const struct bytes chosen = cookie_of(visit, LANGUAGE_COOKIE);
    const char *language = chosen.data ? visit_language_of(chosen) : NULL;
    visit->language = language ? language : visit_language_wished(visit->request);
}

static bool is_token(struct bytes text)
{
    if (text.size != SIGN_IN_TOKEN_CHARS)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t c = text.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '-' || c == '_'))
            return false;
    }
    return true;
}

/* The token of forms before there is a session: the same in the form and in a cookie, which no
 * other site can read or set. Kept while the browser has one, so that two windows do not spoil each
 * other's forms. */
static enum vault_code read_pre(struct visit *visit, struct vault_error *err)
{
    const struct bytes there = cookie_of(visit, PRE_COOKIE);
    visit->pre_is_new = !is_token(there);
    if (visit->pre_is_new) {
        uint8_t raw[TOKEN_BYTES];
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(SIGN_IN_TOKEN_CHARS);
        random_bytes(raw, sizeof raw);
        base64url_encode(&text, (struct bytes){raw, sizeof raw});
        VAULT_TRY(buf_check(&text, err));
        memcpy(visit->pre, text.data, SIGN_IN_TOKEN_CHARS);
    } else {
        memcpy(visit->pre, there.data, SIGN_IN_TOKEN_CHARS);
    }
    if (visit->pre_is_new)
        set_cookie(visit, PRE_COOKIE, visit->pre, "");
    return VAULT_OK;
}

/* --- Who it is ------------------------------------------------------------------------------ */

static enum vault_code read_session(struct visit *visit, struct vault_error *err)
{
    const struct bytes token = cookie_of(visit, SESSION_COOKIE);
    if (!token.data)
        return VAULT_OK;
    const enum vault_code code = sign_in_check(visit->pages->vault, token, &visit->session, err);
    visit->signed_in = code == VAULT_OK;
    visit->session_ended = code == VAULT_DENIED;
    return code == VAULT_DENIED ? VAULT_OK : code;
}

static enum vault_code read_mediator(struct visit *visit, struct vault_error *err)
{
    const struct bytes token = cookie_of(visit, MEDIATOR_COOKIE);
    if (!token.data)
        return VAULT_OK;
    const enum vault_code code = mediator_check(visit->pages->vault, token, &visit->mediator, err);
    visit->is_mediator = code == VAULT_OK;
    return code == VAULT_DENIED ? VAULT_OK : code;
}

static void choose_form_token(struct visit *visit)
{
    const char *token = visit->pre;
    if (visit->signed_in)
        token = visit->session.form_token;
    else if (visit->is_mediator)
        token = visit->mediator.form_token;
    memcpy(visit->form_token, token, sizeof visit->form_token);
}

struct bytes visit_mark(const struct visit *visit)
{
    return cookie_of(visit, MARK_COOKIE);
}

/* The browser is known from here on: what strangers try elsewhere does not slow it. */
static enum vault_code set_mark(struct visit *visit, struct vault_error *err)
{
    char age[32];
    char mark[SIGN_IN_MARK_CHARS + 1];
    snprintf(age, sizeof age, "; Max-Age=%d", MARK_AGE_S);
    VAULT_TRY(sign_in_mark(visit->pages->vault, &visit->session.citizen, mark, err));
    set_cookie(visit, MARK_COOKIE, mark, age);
    return VAULT_OK;
}

enum vault_code visit_enter_session(struct visit *visit, const char token[SIGN_IN_TOKEN_CHARS + 1],
                                    struct vault_error *err)
{
    visit_set_session(visit, token);
    VAULT_TRY(sign_in_check(visit->pages->vault, bytes_of_text(token), &visit->session, err));
    visit->signed_in = true;
    choose_form_token(visit);
    return set_mark(visit, err);
}

static void choose_side(struct visit *visit, enum visit_side side)
{
    if (side == VISIT_CITIZEN)
        visit->is_mediator = false;
    if (side == VISIT_MEDIATOR) {
        visit->signed_in = false;
        explicit_bzero(&visit->session, sizeof visit->session);
    }
}

enum vault_code visit_begin(struct visit *visit, enum visit_side side, struct vault_error *err)
{
    visit->data = json_object();
    visit->data_lost = !visit->data;
    read_language(visit);
    if (side == VISIT_NO_SIDE)
        return VAULT_OK;
    enum vault_code code = read_session(visit, err);
    if (code == VAULT_OK)
        code = read_mediator(visit, err);
    choose_side(visit, side);
    if (!visit->signed_in && !visit->is_mediator)
        VAULT_TRY(read_pre(visit, err));
    choose_form_token(visit);
    return code;
}

void visit_finish(struct visit *visit)
{
    form_finish(&visit->form);
    json_free(&visit->data);
    explicit_bzero(&visit->session, sizeof visit->session);
    explicit_bzero(&visit->mediator, sizeof visit->mediator);
}

int64_t visit_now_s(const struct visit *visit)
{
    return clock_now_s(vault_clock(visit->pages->vault));
}

/* --- What it sent --------------------------------------------------------------------------- */

/*
 * Browsers of the last years say from where a form comes; no page can change that header. Older
 * ones give the origin of the page. A browser that says neither is not trusted with a change.
 */
static bool comes_from_here(const struct visit *visit)
{
    const struct bytes site = http_request_header(visit->request, "Sec-Fetch-Site");
    if (site.data)
        return bytes_equal(site, bytes_of_text("same-origin")) ||
               bytes_equal(site, bytes_of_text("none"));
    const struct bytes origin = http_request_header(visit->request, "Origin");
    return origin.data && bytes_equal(origin, bytes_of_text(visit->pages->base));
}

static bool is_type(struct bytes type, const char *name)
{
    const size_t size = strlen(name);
    return type.size >= size && strncasecmp((const char *)type.data, name, size) == 0 &&
           (type.size == size || type.data[size] == ';' || type.data[size] == ' ');
}

bool visit_accept(struct visit *visit)
{
    unsigned status = 0;
    const struct bytes type = http_request_header(visit->request, "Content-Type");
    const struct bytes body = visit->request->body;
    if (!comes_from_here(visit))
        status = 403;
    else if (is_type(type, FORM_TYPE))
        status = form_parse(body, &visit->form, NULL) ? 400 : 0;
    else if (is_type(type, FORM_PARTS_TYPE))
        status = form_parse_parts(body, type, &visit->form, NULL) ? 400 : 0;
    else
        status = 415;
    if (status)
        page_error(visit, status);
    return !status;
}

bool visit_token_fits(struct visit *visit)
{
    const struct bytes token = form_value(&visit->form, "form_token");
    const bool knows_none = !visit->signed_in && !visit->is_mediator;
    const bool fits = (visit->signed_in && sign_in_form_token_fits(&visit->session, token)) ||
                      (visit->is_mediator && visit->mediator.form_token[0] &&
                       secret_equal(bytes_of_text(visit->mediator.form_token), token)) ||
                      (knows_none && visit->pre[0] && !visit->pre_is_new &&
                       secret_equal(bytes_of_text(visit->pre), token));
    if (!fits)
        page_error(visit, 403);
    return fits;
}

static bool copy_out(struct bytes value, char *out, size_t out_bytes)
{
    if (!value.data || value.size >= out_bytes || memchr(value.data, 0, value.size))
        return false;
    memcpy(out, value.data, value.size);
    out[value.size] = 0;
    return true;
}

bool visit_field(const struct visit *visit, const char *name, char *out, size_t out_bytes)
{
    return copy_out(form_value(&visit->form, name), out, out_bytes);
}

bool visit_stays(const struct visit *visit)
{
    return form_value(&visit->form, "stay").size > 0;
}

bool visit_query(const struct visit *visit, const char *name, char *out, size_t out_bytes)
{
    return copy_out(http_request_query(visit->request, name), out, out_bytes);
}

/* --- Addresses ------------------------------------------------------------------------------ */

static bool is_unreserved(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("-._~", c));
}

/* "//host" and "/\host" lead to other sites, and so may what a browser cleans away: only what needs
 * no cleaning is let through. */
static bool is_local_address(struct bytes address)
{
    if (address.size == 0 || address.size > VISIT_ADDRESS_CHARS || address.data[0] != '/' ||
        (address.size > 1 && address.data[1] == '/'))
        return false;
    for (size_t i = 0; i < address.size; i++) {
        if (!is_unreserved(address.data[i]) && !strchr("/?=&%", address.data[i]))
            return false;
    }
    return true;
}

/* Percent-encode all but plain characters (RFC 3986 section 2.1), and slashes where wanted. */
static void encode(struct buf *out, struct bytes text, bool keeps_slashes)
{
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t c = text.data[i];
        if (is_unreserved(c) || (keeps_slashes && c == '/'))
            buf_byte(out, c);
        else
            buf_format(out, "%%%02X", c);
    }
}

void address_add(struct buf *out, char *sign, struct bytes name, struct bytes value)
{
    buf_byte(out, (uint8_t)*sign);
    encode(out, name, false);
    buf_byte(out, '=');
    encode(out, value, false);
    *sign = '&';
}

void local_address(char out[VISIT_ADDRESS_CHARS + 1], struct bytes address)
{
    const bool fits = address.data && is_local_address(address);
    memcpy(out, fits ? (const void *)address.data : "/", fits ? address.size : 1);
    out[fits ? address.size : 1] = 0;
}

/* Where a browser can go back to: a form belongs to the page that showed it, which is the nearest
 * above its own address that can be looked at. */
static void page_path(const struct visit *visit, char out[VISIT_ADDRESS_CHARS + 1])
{
    snprintf(out, VISIT_ADDRESS_CHARS + 1, "%s", visit->request->path);
    while (visit->request->method == HTTP_POST &&
           !route_exists(page_routes, page_route_count, HTTP_GET, out)) {
        char *step = strrchr(out, '/');
        if (!step || step == out)
            out[1] = 0;
        else
            *step = 0;
    }
}

/* Of an address all its parts; of a form those that say which page it was, and no words. */
static void add_parts(const struct visit *visit, struct buf *address)
{
    static const char *const kept[] = {"service", "purpose", "code", "period", "next", "request"};
    char sign = '?';
    for (size_t i = 0; visit->request->method != HTTP_POST && i < visit->request->query_count; i++)
        address_add(address, &sign, visit->request->query[i].name, visit->request->query[i].value);
    for (size_t i = 0; visit->request->method == HTTP_POST && i < sizeof kept / sizeof kept[0];
         i++) {
        const struct bytes value = form_value(&visit->form, kept[i]);
        if (value.data)
            address_add(address, &sign, bytes_of_text(kept[i]), value);
    }
}

void visit_address(const struct visit *visit, char out[VISIT_ADDRESS_CHARS + 1])
{
    VAULT_AUTO(buf_finish) struct buf address = buf_limited(VISIT_ADDRESS_CHARS);
    page_path(visit, out);
    encode(&address, bytes_of_text(out), true);
    add_parts(visit, &address);
    local_address(out, address.problem ? (struct bytes){0} : buf_view(&address));
}

void visit_sign_in_first(struct visit *visit)
{
    char next[VISIT_ADDRESS_CHARS + 1];
    char sign = '?';
    VAULT_AUTO(buf_finish) struct buf address = buf_limited(LOCATION_CHARS);
    visit_address(visit, next);
    buf_text(&address, SIGN_IN_ADDRESS);
    if (strcmp(next, "/") != 0)
        address_add(&address, &sign, bytes_of_text("next"), bytes_of_text(next));
    const char *text = buf_string(&address);
    if (!text)
        text = SIGN_IN_ADDRESS; /* too long to come back to */
    if (visit->session_ended) {
        visit_end_session(visit);
        page_redirect_with(visit, text, NOTICE_SESSION_ENDED);
    } else {
        page_redirect(visit, text);
    }
}
