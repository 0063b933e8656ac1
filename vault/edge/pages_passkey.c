/* Passkeys: what the script asks for and sends, answered in JSON, and the list on /security. */
#include "pages_passkey.h"

#include <string.h>

#include "pages_account.h"
#include "pages_parts.h"
#include "pages_words.h"
#include "vault/base/codec.h"
#include "vault/base/log.h"
#include "vault/edge/problem.h"
#include "vault/store/passkey.h"
#include "vault/vault/sign_in_passkey.h"

#define PART_BYTES_MAX  4096 /* of an answer's part, decoded */
#define CREDENTIAL_TEXT (PASSKEY_CREDENTIAL_BYTES * 4 / 3 + 3)
#define JSON_BYTES_MAX  (64U * 1024)
#define AGAIN_ADDRESS   "/again?next=%2Fsecurity"

/* --- Answers to the script ------------------------------------------------------------------ */

static void send_json(struct visit *visit, const json_t *root)
{
    struct http_answer *answer = visit->answer;
    buf_clear(&answer->body);
    answer->status = 200;
    answer->content_type = "application/json";
    json_write_value(&answer->body, root);
    if (!root || visit->data_lost || answer->body.problem)
        problem_write(answer, 503, "the answer could not be made", visit->request->path);
}

static void send_next(struct visit *visit, const char *next)
{
    VAULT_AUTO(json_free) json_t *root = json_pack("{s:s}", "next", next);
    send_json(visit, root);
}

/* What is wrong with a passkey is for nobody to learn from. */
static void send_failed(struct visit *visit, enum vault_code code, const struct vault_error *err)
{
    if (code == VAULT_DENIED || code == VAULT_INVALID) {
        log_event(LOG_WARNING, "sign-in", "refused, by passkey");
        problem_write(visit->answer, 422, "the passkey is not accepted", visit->request->path);
    } else {
        page_failed(visit, code, err);
    }
}

/* --- A challenge ---------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum passkey_use use;
    bool signed_in;
} uses[] = {
    {"login", PASSKEY_TO_SIGN_IN, false},
    {"again", PASSKEY_TO_REAUTHENTICATE, true},
    {"add", PASSKEY_TO_ADD, true},
};

/* Whom a challenge is bound to: the session, or before there is one the token of its forms. */
static struct bytes browser_of(const struct visit *visit)
{
    return visit->signed_in
               ? (struct bytes){visit->session.token_hash, sizeof visit->session.token_hash}
               : bytes_of_text(visit->pre);
}

static struct passkey_person person_of(const struct visit *visit)
{
    return (struct passkey_person){.citizen = &visit->session};
}

static bool put_text(json_t *list, struct bytes bytes)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CREDENTIAL_TEXT);
    base64url_encode(&text, bytes);
    return !text.problem &&
           json_array_append_new(list, json_stringn((const char *)text.data, text.size)) == 0;
}

static enum vault_code put_known(void *context, const struct sign_in_passkey_shown *passkey,
                                 struct vault_error *err)
{
    return put_text(context, passkey->credential)
               ? VAULT_OK
               : vault_fail(err, VAULT_NO_MEMORY, "out of memory");
}

/* What an authenticator needs beyond the challenge to make one. */
static enum vault_code put_owner(struct visit *visit, struct vault_error *err)
{
    struct sign_in_passkey_owner owner;
    const struct passkey_person person = person_of(visit);
    const char *site = assets_text(visit->language, "site.name");
    VAULT_TRY(sign_in_passkey_owner(visit->pages->vault, &person, &owner, err));
    page_text(visit, visit->data, "user", owner.user);
    page_text(visit, visit->data, "name", owner.login[0] ? owner.login : site);
    page_text(visit, visit->data, "site", site);
    return sign_in_passkey_list(visit->pages->vault, &person, put_known,
                                page_list(visit, visit->data, "known"), err);
}

static enum vault_code put_challenge(struct visit *visit, enum passkey_use use,
                                     struct vault_error *err)
{
    struct passkey_site site;
    char challenge[PASSKEY_CHALLENGE_CHARS + 1];
    VAULT_TRY(passkey_site_of(visit->pages->base, &site, err));
    VAULT_TRY(
        sign_in_passkey_challenge(visit->pages->vault, use, browser_of(visit), challenge, err));
    page_text(visit, visit->data, "challenge", challenge);
    page_text(visit, visit->data, "rp", site.rp_id);
    return use == PASSKEY_TO_ADD ? put_owner(visit, err) : VAULT_OK;
}

void passkey_offer(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    size_t i = 0;
    const struct bytes wanted = form_value(&visit->form, "use");
    while (i < sizeof uses / sizeof uses[0] && !bytes_equal(wanted, bytes_of_text(uses[i].name)))
        i++;
    if (i == sizeof uses / sizeof uses[0] || uses[i].signed_in != visit->signed_in) {
        problem_write(visit->answer, 422, "there is no such use here", visit->request->path);
        return;
    }
    if (uses[i].use == PASSKEY_TO_ADD && !sign_in_is_fresh(visit->pages->vault, &visit->session)) {
        send_next(visit, AGAIN_ADDRESS);
        return;
    }
    const enum vault_code code = put_challenge(visit, uses[i].use, &err);
    if (code)
        page_failed(visit, code, &err);
    else
        send_json(visit, visit->data);
}

/* --- What the authenticator says ------------------------------------------------------------ */

struct parts {
    struct buf texts[5];
    struct sign_in_passkey_answer answer; /* borrows from them */
};

static void parts_finish(struct parts *parts)
{
    for (size_t i = 0; i < sizeof parts->texts / sizeof parts->texts[0]; i++)
        buf_finish(&parts->texts[i]);
}

static enum vault_code read_parts(const struct visit *visit, struct parts *parts,
                                  struct vault_error *err)
{
    static const char *const names[] = {"credential", "client_data", "authenticator_data",
                                        "signature", "user"};
    struct bytes *const places[] = {&parts->answer.credential, &parts->answer.client_data,
                                    &parts->answer.authenticator_data, &parts->answer.signature,
                                    &parts->answer.user};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        parts->texts[i] = buf_limited(PART_BYTES_MAX);
        const struct bytes text = form_value(&visit->form, names[i]);
        if (text.size && base64url_decode(&parts->texts[i], text, NULL))
            return vault_fail(err, VAULT_INVALID, "the passkey's %s is not base64url", names[i]);
        *places[i] = buf_view(&parts->texts[i]);
    }
    return VAULT_OK;
}

static enum vault_code try_sign_in(struct visit *visit, char token[SIGN_IN_TOKEN_CHARS + 1],
                                   struct vault_error *err)
{
    struct passkey_site site;
    VAULT_AUTO(parts_finish) struct parts parts = {0};
    VAULT_TRY(read_parts(visit, &parts, err));
    VAULT_TRY(passkey_site_of(visit->pages->base, &site, err));
    return sign_in_passkey(visit->pages->vault, &site, browser_of(visit), &parts.answer, token,
                           err);
}

void passkey_sign_in_do(struct visit *visit, const char *id)
{
    (void)id;
    char next[VISIT_ADDRESS_CHARS + 1];
    char token[SIGN_IN_TOKEN_CHARS + 1];
    struct vault_error err;
    local_address(next, form_value(&visit->form, "next"));
    if (visit->signed_in) {
        send_next(visit, next);
        return;
    }
    const enum vault_code code = try_sign_in(visit, token, &err);
    if (code) {
        send_failed(visit, code, &err);
        return;
    }
    const enum vault_code entered = visit_enter_session(visit, token, &err);
    explicit_bzero(token, sizeof token);
    if (entered) {
        page_failed(visit, entered, &err);
        return;
    }
    VAULT_AUTO(json_free)
    json_t *root = json_pack("{s:s, s:s}", "next", next, "form_token", visit->form_token);
    send_json(visit, root);
}

static enum vault_code try_again(struct visit *visit, char token[SIGN_IN_TOKEN_CHARS + 1],
                                 struct vault_error *err)
{
    struct passkey_site site;
    VAULT_AUTO(parts_finish) struct parts parts = {0};
    VAULT_TRY(read_parts(visit, &parts, err));
    VAULT_TRY(passkey_site_of(visit->pages->base, &site, err));
    return sign_in_passkey_again(visit->pages->vault, &site, &visit->session, &parts.answer, token,
                                 err);
}

void passkey_again_do(struct visit *visit, const char *id)
{
    (void)id;
    char next[VISIT_ADDRESS_CHARS + 1];
    char token[SIGN_IN_TOKEN_CHARS + 1];
    struct vault_error err;
    local_address(next, form_value(&visit->form, "next"));
    const enum vault_code code = try_again(visit, token, &err);
    if (code) {
        send_failed(visit, code, &err);
        return;
    }
    visit_set_session(visit, token);
    explicit_bzero(token, sizeof token);
    send_next(visit, next);
}

static enum vault_code try_add(struct visit *visit, struct vault_error *err)
{
    struct passkey_site site;
    const struct passkey_person person = person_of(visit);
    char label[PASSKEY_LABEL_BYTES + 1] = "";
    VAULT_AUTO(parts_finish) struct parts parts = {0};
    if (form_value(&visit->form, "label").size && !visit_field(visit, "label", label, sizeof label))
        return vault_fail(err, VAULT_INVALID, "a passkey's name is too long");
    VAULT_TRY(read_parts(visit, &parts, err));
    VAULT_TRY(passkey_site_of(visit->pages->base, &site, err));
    return sign_in_passkey_add(visit->pages->vault, &site, &person, label, &parts.answer, err);
}

void passkey_add_do(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    if (!sign_in_is_fresh(visit->pages->vault, &visit->session)) {
        send_next(visit, AGAIN_ADDRESS);
        return;
    }
    const enum vault_code code = try_add(visit, &err);
    if (code) {
        send_failed(visit, code, &err);
        return;
    }
    page_notice(visit, NOTICE_PASSKEY_ADDED);
    send_next(visit, "/security");
}

/* --- The list ------------------------------------------------------------------------------- */

struct listing {
    struct visit *visit;
    json_t *list;
};

static enum vault_code put_passkey(void *context, const struct sign_in_passkey_shown *passkey,
                                   struct vault_error *err)
{
    const struct listing *listing = context;
    struct visit *visit = listing->visit;
    char date[WORDS_CHARS];
    VAULT_AUTO(buf_finish) struct buf credential = buf_limited(CREDENTIAL_TEXT);
    json_t *item = page_item(visit, listing->list);
    base64url_encode(&credential, passkey->credential);
    VAULT_TRY(buf_check(&credential, err));
    page_text(visit, item, "credential", buf_string(&credential));
    page_number(visit, item, "number", (int64_t)json_array_size(listing->list));
    page_text(visit, item, "name",
              passkey->name[0] ? passkey->name : assets_text(visit->language, "passkey.unnamed"));
    words_date(visit, passkey->created_s, date);
    page_text(visit, item, "created", date);
    if (!passkey->used_s)
        return VAULT_OK;
    words_date(visit, passkey->used_s, date);
    page_text(visit, item, "used", date);
    return VAULT_OK;
}

enum vault_code passkeys_put(struct visit *visit, struct vault_error *err)
{
    struct listing listing = {visit, page_list(visit, visit->data, "passkeys")};
    struct sign_in_passkey_owner owner;
    const struct passkey_person person = person_of(visit);
    VAULT_TRY(sign_in_passkey_owner(visit->pages->vault, &person, &owner, err));
    page_text(visit, visit->data, "username", owner.login);
    VAULT_TRY(sign_in_passkey_list(visit->pages->vault, &person, put_passkey, &listing, err));
    if (json_array_size(listing.list))
        page_flag(visit, visit->data, "passkeys_shown");
    return VAULT_OK;
}

/* The credential that a form of the list names; empty if it names none. */
static void read_credential(const struct visit *visit, struct buf *out)
{
    if (base64url_decode(out, form_value(&visit->form, "credential"), NULL))
        buf_clear(out);
}

void passkey_rename_do(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    char label[PASSKEY_LABEL_BYTES + 1];
    VAULT_AUTO(buf_finish) struct buf credential = buf_limited(PASSKEY_CREDENTIAL_BYTES);
    read_credential(visit, &credential);
    if (!visit_field(visit, "label", label, sizeof label)) {
        page_error(visit, 400);
        return;
    }
    const struct passkey_person person = person_of(visit);
    const enum vault_code code =
        sign_in_passkey_rename(visit->pages->vault, &person, buf_view(&credential), label, &err);
    if (code)
        page_failed(visit, code, &err);
    else
        page_redirect_with(visit, "/security", NOTICE_PASSKEY_RENAMED);
}

void passkey_remove_do(struct visit *visit, const char *id)
{
    (void)id;
    struct vault_error err;
    VAULT_AUTO(buf_finish) struct buf credential = buf_limited(PASSKEY_CREDENTIAL_BYTES);
    if (!account_is_fresh(visit, "/security"))
        return;
    read_credential(visit, &credential);
    const struct passkey_person person = person_of(visit);
    const enum vault_code code =
        sign_in_passkey_remove(visit->pages->vault, &person, buf_view(&credential), &err);
    if (code)
        page_failed(visit, code, &err);
    else
        page_redirect_with(visit, "/security", NOTICE_PASSKEY_REMOVED);
}
