#include "auditor_visit.h"

#include <stdio.h>
#include <string.h>

#include <pthread.h>

#include "pages_words.h"
#include "vault/base/codec.h"
#include "vault/base/log.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/secret.h"
#include "vault/edge/problem.h"

#define PROGRAMS      "/v1/"
#define LANGUAGE      "lang"
#define LANGUAGE_MORE 16
#define FORMS_PAGE    "/looks"
#define TOKEN_FOR     "vault/auditor-form/1"
#define TOKEN_EACH_S  3600

static const char *const language_alone[] = {LANGUAGE, NULL};

static void put_frame(struct auditor_visit *visitor, const char *here);

/* --- Forms ---------------------------------------------------------------------------------- */

/* Made when the first form is: a token does not outlive the program. */
static uint8_t token_key[SHA256_BYTES];
static pthread_once_t token_made = PTHREAD_ONCE_INIT;

static void make_token_key(void)
{
    random_bytes(token_key, sizeof token_key);
}

/* The token of this auditor's key in an hour. */
static void write_token(const struct auditor_visit *visitor, int64_t hour,
                        char out[SIGN_IN_TOKEN_CHARS + 1])
{
    uint8_t mac[SHA256_BYTES];
    char number[32];
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(SIGN_IN_TOKEN_CHARS);
    pthread_once(&token_made, make_token_key);
    snprintf(number, sizeof number, "%lld", (long long)hour);
    const struct bytes parts[] = {bytes_of_text(TOKEN_FOR),
                                  {visitor->visit.request->peer_spki, HTTP_PEER_HASH_BYTES},
                                  bytes_of_text(number)};
    hmac_sha256(mac, (struct bytes){token_key, sizeof token_key}, parts,
                sizeof parts / sizeof parts[0]);
    base64url_encode(&text, (struct bytes){mac, sizeof mac});
    memcpy(out, text.data ? (const void *)text.data : "", text.size);
    out[text.size] = 0;
}

static int64_t hour_of(const struct auditor_visit *visitor)
{
    return visit_now_s(&visitor->visit) / TOKEN_EACH_S;
}

static bool token_fits(const struct auditor_visit *visitor)
{
    const struct bytes given = form_value(&visitor->visit.form, "form_token");
    for (int64_t age = 0; age < 2; age++) {
        char token[SIGN_IN_TOKEN_CHARS + 1];
        write_token(visitor, hour_of(visitor) - age, token);
        if (token[0] && secret_equal(bytes_of_text(token), given))
            return true;
    }
    return false;
}

bool auditor_accept_form(struct auditor_visit *visitor)
{
    put_frame(visitor, NULL);
    if (!visit_accept(&visitor->visit))
        return false;
    if (token_fits(visitor))
        return true;
    page_error(&visitor->visit, 403);
    return false;
}

bool auditor_accept_json(struct auditor_visit *visitor)
{
    const struct http_request *request = visitor->visit.request;
    const struct bytes site = http_request_header(request, "Sec-Fetch-Site");
    const struct bytes origin = http_request_header(request, "Origin");
    if ((!site.data || bytes_equal(site, bytes_of_text("same-origin"))) &&
        (!origin.data || bytes_equal(origin, bytes_of_text(visitor->origin))))
        return true;
    problem_write(visitor->visit.answer, 403, "another site may not ask for this", request->path);
    return false;
}

/* --- A visit -------------------------------------------------------------------------------- */

/* Where this listener is, as the client says it: who speaks to it has verified its certificate
 * under that name. */
static void write_origin(struct auditor_visit *visitor)
{
    const struct bytes host = http_request_header(visitor->visit.request, "Host");
    snprintf(visitor->origin, sizeof visitor->origin, "https://%.*s", (int)host.size,
             host.size ? (const char *)host.data : "");
}

void auditor_visit_begin(struct auditor_visit *visitor, const struct auditor_api *api,
                         const struct http_request *request, struct http_answer *answer)
{
    visitor->vault = api->vault;
    visitor->pages =
        (struct pages){.vault = api->vault, .base = visitor->origin, .security_contact = ""};
    visitor->visit = (struct visit){
        .pages = &visitor->pages, .request = request, .answer = answer, .data = json_object()};
    visitor->visit.data_lost = !visitor->visit.data;
    write_origin(visitor);
    const char *chosen = visit_language_of(http_request_query(request, LANGUAGE));
    visitor->speaks_by_wish = !chosen;
    visitor->visit.language = chosen ? chosen : visit_language_wished(request);
}

void auditor_visit_finish(struct auditor_visit *visitor)
{
    visit_finish(&visitor->visit);
}

bool auditor_asks_program(const struct http_request *request)
{
    return strncmp(request->path, PROGRAMS, strlen(PROGRAMS)) == 0;
}

/* --- Addresses ------------------------------------------------------------------------------ */

static bool is_named(struct bytes name, const char *const names[])
{
    for (size_t i = 0; names && names[i]; i++) {
        if (bytes_equal(name, bytes_of_text(names[i])))
            return true;
    }
    return false;
}

void auditor_address(const struct auditor_visit *visitor, const char *path,
                     const char *const without[], const char *more, struct buf *out)
{
    const struct http_request *request = visitor->visit.request;
    char sign = '?';
    buf_text(out, path);
    for (size_t i = 0; i < request->query_count; i++) {
        const struct http_pair *pair = &request->query[i];
        if (pair->value.size && !is_named(pair->name, without) &&
            !is_named(pair->name, language_alone))
            address_add(out, &sign, pair->name, pair->value);
    }
    if (!visitor->speaks_by_wish && !is_named(bytes_of_text(LANGUAGE), without))
        address_add(out, &sign, bytes_of_text(LANGUAGE), bytes_of_text(visitor->visit.language));
    if (more)
        buf_format(out, "%c%s", sign, more);
}

/* This page in each language, or the one that a form's answer belongs to: an address that is too
 * long to carry on loses its parameters. */
static void put_languages(struct auditor_visit *visitor)
{
    const struct visit *visit = &visitor->visit;
    const bool is_form = visit->request->method == HTTP_POST;
    const char *path = is_form ? FORMS_PAGE : visit->request->path;
    for (size_t i = 0; i < ASSETS_LANGUAGES; i++) {
        char name[LANGUAGE_MORE];
        char more[LANGUAGE_MORE];
        char local[VISIT_ADDRESS_CHARS + 1];
        VAULT_AUTO(buf_finish) struct buf address = buf_limited(VISIT_ADDRESS_CHARS);
        snprintf(more, sizeof more, LANGUAGE "=%s", assets_languages[i]);
        snprintf(name, sizeof name, "here_%s", assets_languages[i]);
        auditor_address(visitor, path, language_alone, more, &address);
        local_address(local, address.problem ? (struct bytes){0} : buf_view(&address));
        page_text(&visitor->visit, visit->data, name, local);
    }
}

/* --- Ends ----------------------------------------------------------------------------------- */

/* Links of a page that have no parameter yet, and those that have. */
static void put_frame(struct auditor_visit *visitor, const char *here)
{
    struct visit *visit = &visitor->visit;
    char text[LANGUAGE_MORE];
    page_flag(visit, visit->data, "auditor");
    page_text(visit, visit->data, "auditor_name", visitor->name);
    if (here)
        page_flag(visit, visit->data, here);
    write_token(visitor, hour_of(visitor), visit->form_token);
    put_languages(visitor);
    if (visitor->speaks_by_wish)
        return;
    page_text(visit, visit->data, "chosen_language", visit->language);
    snprintf(text, sizeof text, "?" LANGUAGE "=%s", visit->language);
    page_text(visit, visit->data, "only_lang", text);
    text[0] = '&';
    page_text(visit, visit->data, "and_lang", text);
}

void auditor_page(struct auditor_visit *visitor, unsigned status, const char *template_name,
                  const char *title, const char *here)
{
    put_frame(visitor, here);
    page_send(&visitor->visit, status, template_name, title);
}

void auditor_error(struct auditor_visit *visitor, unsigned status)
{
    put_frame(visitor, NULL);
    page_error(&visitor->visit, status);
}

void auditor_failed(struct auditor_visit *visitor, enum vault_code code,
                    const struct vault_error *err)
{
    const struct visit *visit = &visitor->visit;
    if (!auditor_asks_program(visit->request)) {
        put_frame(visitor, NULL);
        page_failed(&visitor->visit, code, err);
        return;
    }
    const unsigned status = problem_status(code);
    if (status >= 500)
        log_event(LOG_ERROR, "auditors", "%s: %s", vault_code_name(code), err->text);
    problem_write(visit->answer, status, status >= 500 ? "the log cannot be read now" : err->text,
                  visit->request->path);
}

/* --- Words ---------------------------------------------------------------------------------- */

void auditor_instant(char out[AUDITOR_INSTANT_CHARS + 1], int64_t time_ms)
{
    char second[INSTANT_CHARS + 1];
    instant_format(second, time_ms / 1000);
    snprintf(out, AUDITOR_INSTANT_CHARS + 1, "%.*s.%03dZ", INSTANT_CHARS - 1, second,
             (int)(time_ms % 1000));
}

void auditor_put_time(struct auditor_visit *visitor, json_t *item, int64_t time_ms)
{
    struct visit *visit = &visitor->visit;
    char date[WORDS_CHARS];
    char clock[16];
    char instant[AUDITOR_INSTANT_CHARS + 1];
    words_date_utc(visit, time_ms / 1000, date);
    auditor_instant(instant, time_ms);
    snprintf(clock, sizeof clock, "%.12s", instant + DATE_CHARS + 1);
    page_text(visit, item, "date", date);
    page_text(visit, item, "clock", clock);
    page_text(visit, item, "instant", instant);
}
