/* What has no session and no language: the style, the script, the icon, and what programs ask. */
#include "pages_parts.h"
#include "vault/edge/problem.h"

#define FOR_EVER            "public, max-age=31536000, immutable"
#define FOR_A_DAY           "public, max-age=86400"

#define DAY_S               86400
#define SECURITY_TEXT_DAYS  30
#define SECURITY_TEXT_BYTES 1024

static void send(struct visit *visit, const char *type, const char *caching, struct bytes content)
{
    visit->answer->content_type = type;
    http_answer_header(visit->answer, "Cache-Control", "%s", caching);
    buf_bytes(&visit->answer->body, content);
}

/* Kept for ever under the address that pages give, which changes with it; not under others. */
static void send_version(struct visit *visit, const char *type, const char *version,
                         struct bytes content)
{
    const struct bytes wanted = http_request_query(visit->request, "v");
    const bool is_current = bytes_equal(wanted, bytes_of_text(version));
    send(visit, type, is_current ? FOR_EVER : "no-cache", content);
}

void style_send(struct visit *visit, const char *id)
{
    (void)id;
    send_version(visit, "text/css; charset=utf-8", assets_style_version(), assets_style());
}

void script_send(struct visit *visit, const char *id)
{
    (void)id;
    send_version(visit, "text/javascript; charset=utf-8", assets_script_version(), assets_script());
}

void icon_send(struct visit *visit, const char *id)
{
    (void)id;
    send(visit, "image/svg+xml", FOR_A_DAY, assets_icon());
}

void robots_send(struct visit *visit, const char *id)
{
    (void)id;
    send(visit, "text/plain; charset=utf-8", FOR_A_DAY,
         bytes_of_text("User-agent: *\nDisallow: /\n"));
}

/* RFC 9116. It ends within a month of being read, so that a city that no longer answers shows. */
void security_text_send(struct visit *visit, const char *id)
{
    (void)id;
    char expires[INSTANT_CHARS + 1];
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(SECURITY_TEXT_BYTES);
    if (!visit->pages->security_contact[0]) {
        problem_write(visit->answer, 404, "the city has named no contact", visit->request->path);
        return;
    }
    instant_format(expires, visit_now_s(visit) / DAY_S * DAY_S + SECURITY_TEXT_DAYS * DAY_S);
    buf_format(&text,
               "Contact: %s\nExpires: %s\nPreferred-Languages: fr, en\n"
               "Canonical: %s/.well-known/security.txt\n",
               visit->pages->security_contact, expires, visit->pages->base);
    send(visit, "text/plain; charset=utf-8", FOR_A_DAY, buf_view(&text));
}

/* Where a manager of passwords leads somebody to change theirs. */
void change_password_go(struct visit *visit, const char *id)
{
    (void)id;
    page_redirect(visit, "/security");
}

void health_send(struct visit *visit, const char *id)
{
    (void)id;
    send(visit, "text/plain; charset=utf-8", "no-store", bytes_of_text("ok\n"));
}

/* Why it is not ready is for its operator. */
void ready_send(struct visit *visit, const char *id)
{
    if (vault_ready(visit->pages->vault, NULL))
        problem_write(visit->answer, 503, "not ready", visit->request->path);
    else
        health_send(visit, id);
}
