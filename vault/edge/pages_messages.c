/* Being told by e-mail that something is new: asking for it, the code, and the end. */
#include <stdio.h>
#include <string.h>

#include "pages_parts.h"
#include "vault/edge/mailer.h"
#include "vault/vault/digest.h"

#define MESSAGES_ADDRESS "/messages"
#define TYPED_CHARS      400 /* of what may be typed where an address goes */

/* --- Showing -------------------------------------------------------------------------------- */

static void put_every(struct visit *visit, int64_t every_s)
{
    if (every_s)
        page_flag(visit, visit->data, every_s == DIGEST_DAY_S ? "is_day" : "is_week");
}

static void put_wish(struct visit *visit, const struct digest_wish *wish)
{
    page_flag(visit, visit->data, wish->confirmed ? "confirmed" : "waiting");
    page_text(visit, visit->data, "kept_address", wish->address);
    page_text(visit, visit->data, "ask_title",
              wish->confirmed ? "messages.change" : "messages.other");
    page_text(visit, visit->data, "every_text",
              wish->every_s == DIGEST_DAY_S ? "messages.every_day" : "messages.every_week");
}

/* What somebody typed, or else what they have, stands in the form. */
static void show(struct visit *visit, unsigned status, const struct digest_wish *typed)
{
    struct vault_error err;
    struct digest_wish wish = {.every_s = DIGEST_WEEK_S};
    const enum vault_code code =
        digest_of(visit->pages->vault, &visit->session.citizen, &wish, &err);
    if (code != VAULT_OK && code != VAULT_NOT_FOUND) {
        page_failed(visit, code, &err);
        return;
    }
    if (code == VAULT_OK) {
        put_wish(visit, &wish);
    } else {
        page_flag(visit, visit->data, "none");
        page_text(visit, visit->data, "ask_title", "messages.begin");
    }
    put_every(visit, typed ? typed->every_s : wish.every_s);
    if (!typed && wish.confirmed)
        page_text(visit, visit->data, "address", wish.address);
    page_flag(visit, visit->data, "is_security");
    page_send(visit, status, "messages", "messages.title");
}

/* Without a relay there is no such page. */
static bool is_offered(struct visit *visit)
{
    if (!visit->pages->mailer)
        page_error(visit, 404);
    return visit->pages->mailer != NULL;
}

void messages_show(struct visit *visit, const char *id)
{
    (void)id;
    if (is_offered(visit))
        show(visit, 200, NULL);
}

/* --- Asking --------------------------------------------------------------------------------- */

static int64_t every_of(struct bytes every)
{
    if (bytes_equal(every, bytes_of_text("day")))
        return DIGEST_DAY_S;
    return bytes_equal(every, bytes_of_text("week")) ? DIGEST_WEEK_S : 0;
}

/* An address as it was typed, without the spaces around it that a keyboard puts there. */
static struct bytes trimmed(struct bytes text)
{
    while (text.size && *text.data == ' ') {
        text.data++;
        text.size--;
    }
    while (text.size && text.data[text.size - 1] == ' ')
        text.size--;
    return text;
}

/* False, and what is wrong is put, if it cannot be asked for. */
static bool read_wish(struct visit *visit, struct digest_wish *wish)
{
    char typed[TYPED_CHARS + 1];
    const struct bytes address = trimmed(form_value(&visit->form, "address"));
    const bool is_valid = digest_address_is_valid(address);
    *wish = (struct digest_wish){.every_s = every_of(form_value(&visit->form, "every"))};
    snprintf(wish->language, sizeof wish->language, "%s", visit->language);
    if (is_valid)
        memcpy(wish->address, address.data, address.size);
    else
        page_wrong(visit, "address", address.size ? "error.address_wrong" : "error.address_empty");
    if (!wish->every_s)
        page_wrong(visit, "every", "error.every_empty");
    if (visit_field(visit, "address", typed, sizeof typed))
        page_text(visit, visit->data, "address", typed);
    return is_valid && wish->every_s;
}

static enum vault_code ask(struct visit *visit, const struct digest_wish *wish, bool *is_sent,
                           struct vault_error *err)
{
    char code[DIGEST_CODE_CHARS + 1];
    if (!mailer_has_room(visit->pages->mailer))
        return vault_fail(err, VAULT_LIMITED, "too many codes wait to be sent already");
    VAULT_TRY(digest_ask(visit->pages->vault, &visit->session.citizen, wish, code, err));
    *is_sent = code[0] != 0;
    const enum vault_code result =
        *is_sent ? mailer_send_code(visit->pages->mailer, wish->address, wish->language, code, err)
                 : VAULT_OK;
    explicit_bzero(code, sizeof code);
    return result;
}

void messages_ask_do(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    struct digest_wish wish;
    bool is_sent = false;
    if (!is_offered(visit))
        return;
    if (!read_wish(visit, &wish)) {
        show(visit, 422, &wish);
        return;
    }
    const enum vault_code code = ask(visit, &wish, &is_sent, &err);
    if (code == VAULT_OK) {
        page_redirect_with(visit, MESSAGES_ADDRESS,
                           is_sent ? NOTICE_CODE_SENT : NOTICE_MESSAGES_CHANGED);
    } else if (code == VAULT_LIMITED) {
        page_wrong(visit, "address", "error.address_wait");
        show(visit, 429, &wish);
    } else {
        page_failed(visit, code, &err);
    }
}

void messages_code_do(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    if (!is_offered(visit))
        return;
    const enum vault_code code = digest_confirm(visit->pages->vault, &visit->session.citizen,
                                                form_value(&visit->form, "code"), &err);
    if (code == VAULT_OK) {
        page_redirect_with(visit, MESSAGES_ADDRESS, NOTICE_MESSAGES_ON);
    } else if (code == VAULT_DENIED) {
        page_wrong(visit, "code", "error.messages_code");
        show(visit, 422, NULL);
    } else {
        page_failed(visit, code, &err);
    }
}

/* --- The end -------------------------------------------------------------------------------- */

void messages_stop_do(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    if (!is_offered(visit))
        return;
    const enum vault_code code = digest_stop(visit->pages->vault, &visit->session.citizen, &err);
    if (code)
        page_failed(visit, code, &err);
    else
        page_redirect_with(visit, MESSAGES_ADDRESS, NOTICE_MESSAGES_OFF);
}

/* Where a message's link leads, for who has it, signed in or not. Looking changes nothing: mail is
 * looked through by machines. */
void messages_end_show(struct visit *visit, const char *id)
{
    page_text(visit, visit->data, "stop", id);
    page_send(visit, 200, "messages_end", "messages.end_title");
}

void messages_end_do(struct visit *visit, const char *id)
{
    struct vault_error err;
    const enum vault_code code = digest_stop_named(visit->pages->vault, bytes_of_text(id), &err);
    if (code)
        page_failed(visit, code, &err);
    else
        page_redirect(visit, "/messages/end");
}

void messages_ended_show(struct visit *visit, const char *id)
{
    (void)id;
    page_send(visit, 200, "messages_end", "messages.ended_title");
}
