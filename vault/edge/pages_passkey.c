/* Passkeys: what the script asks for and sends, answered in JSON. */
#include "pages_passkey.h"

#include <stdio.h>
#include <string.h>

#include "pages_account.h"
#include "pages_parts.h"
#include "vault/base/codec.h"
#include "vault/base/log.h"
#include "vault/edge/problem.h"

#define PART_BYTES_MAX 4096 /* of an answer's part, decoded */

_Static_assert(SIGN_IN_TOKEN_CHARS == ACTOR_TOKEN_CHARS, "a session's token is one of either kind");

static const struct passkey_places citizens = {"/security", "/again?next=%2Fsecurity", "/passkey"};
static const struct passkey_places mediators = {"/mediator/security", "/mediator/security/again",
                                                "/mediator/passkey"};

/* Pages of both sides, where there may be two sessions in one browser, are the citizen's. */
static bool is_of_mediator(const struct visit *visit)
{
    return visit->is_mediator && !visit->signed_in;
}

const struct passkey_places *passkey_places_of(const struct visit *visit)
{
    return is_of_mediator(visit) ? &mediators : &citizens;
}

struct passkey_person passkey_person_of(const struct visit *visit)
{
    return is_of_mediator(visit) ? (struct passkey_person){.mediator = &visit->mediator}
                                 : (struct passkey_person){.citizen = &visit->session};
}

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

void passkey_send_next(struct visit *visit, const char *next)
{
    VAULT_AUTO(json_free) json_t *root = json_pack("{s:s}", "next", next);
    send_json(visit, root);
}

/* What is wrong with a passkey is for nobody to learn from. */
void passkey_send_failed(struct visit *visit, enum vault_code code, const struct vault_error *err)
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

struct bytes passkey_browser_of(const struct visit *visit)
{
    if (visit->signed_in)
        return (struct bytes){visit->session.token_hash, sizeof visit->session.token_hash};
    if (visit->is_mediator)
        return (struct bytes){visit->mediator.token_hash, sizeof visit->mediator.token_hash};
    return bytes_of_text(visit->pre);
}

static bool put_text(json_t *list, struct bytes bytes)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(PASSKEY_CREDENTIAL_TEXT);
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
    char name[SIGN_IN_LOGIN_CHARS + STRUCTURE_NAME_BYTES + sizeof " – "];
    struct sign_in_passkey_owner owner;
    const struct passkey_person person = passkey_person_of(visit);
    const char *site = assets_text(visit->language, "site.name");
    VAULT_TRY(sign_in_passkey_owner(visit->pages->vault, &person, &owner, err));
    page_text(visit, visit->data, "user", owner.user);
    snprintf(name, sizeof name, "%s – %s", owner.login, visit->mediator.structure.name);
    if (!person.mediator)
        snprintf(name, sizeof name, "%s", owner.login[0] ? owner.login : site);
    page_text(visit, visit->data, "name", name);
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
    VAULT_TRY(sign_in_passkey_challenge(visit->pages->vault, use, passkey_browser_of(visit),
                                        challenge, err));
    page_text(visit, visit->data, "challenge", challenge);
    page_text(visit, visit->data, "rp", site.rp_id);
    return use == PASSKEY_TO_ADD ? put_owner(visit, err) : VAULT_OK;
}

void passkey_send_offer(struct visit *visit, bool signed_in, enum passkey_use to_sign_in)
{
    struct vault_error err;
    size_t i = 0;
    const struct bytes wanted = form_value(&visit->form, "use");
    while (i < sizeof uses / sizeof uses[0] && !bytes_equal(wanted, bytes_of_text(uses[i].name)))
        i++;
    if (i == sizeof uses / sizeof uses[0] || uses[i].signed_in != signed_in) {
        problem_write(visit->answer, 422, "there is no such use here", visit->request->path);
        return;
    }
    if (uses[i].use == PASSKEY_TO_ADD && !account_shown(visit)) {
        passkey_send_next(visit, passkey_places_of(visit)->again);
        return;
    }
    const enum vault_code code = put_challenge(visit, signed_in ? uses[i].use : to_sign_in, &err);
    if (code)
        page_failed(visit, code, &err);
    else
        send_json(visit, visit->data);
}

void passkey_offer(struct visit *visit, const char *id)
{
    (void)id;
    passkey_send_offer(visit, visit->signed_in, PASSKEY_TO_SIGN_IN);
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

enum vault_code passkey_try(struct visit *visit, passkey_use_answer *use,
                            char token[SIGN_IN_TOKEN_CHARS + 1], struct vault_error *err)
{
    struct passkey_site site;
    VAULT_AUTO(parts_finish) struct parts parts = {0};
    VAULT_TRY(read_parts(visit, &parts, err));
    VAULT_TRY(passkey_site_of(visit->pages->base, &site, err));
    return use(visit, &site, &parts.answer, token, err);
}

static enum vault_code sign_in_by(struct visit *visit, const struct passkey_site *site,
                                  const struct sign_in_passkey_answer *answer,
                                  char token[SIGN_IN_TOKEN_CHARS + 1], struct vault_error *err)
{
    return sign_in_passkey(visit->pages->vault, site, passkey_browser_of(visit), answer, token,
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
        passkey_send_next(visit, next);
        return;
    }
    const enum vault_code code = passkey_try(visit, sign_in_by, token, &err);
    if (code) {
        passkey_send_failed(visit, code, &err);
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

static enum vault_code again_by(struct visit *visit, const struct passkey_site *site,
                                const struct sign_in_passkey_answer *answer,
                                char token[SIGN_IN_TOKEN_CHARS + 1], struct vault_error *err)
{
    return sign_in_passkey_again(visit->pages->vault, site, &visit->session, answer, token, err);
}

void passkey_again_do(struct visit *visit, const char *id)
{
    (void)id;
    char next[VISIT_ADDRESS_CHARS + 1];
    char token[SIGN_IN_TOKEN_CHARS + 1];
    struct vault_error err;
    local_address(next, form_value(&visit->form, "next"));
    const enum vault_code code = passkey_try(visit, again_by, token, &err);
    if (code) {
        passkey_send_failed(visit, code, &err);
        return;
    }
    visit_set_session(visit, token);
    explicit_bzero(token, sizeof token);
    passkey_send_next(visit, next);
}

static enum vault_code add_by(struct visit *visit, const struct passkey_site *site,
                              const struct sign_in_passkey_answer *answer,
                              char token[SIGN_IN_TOKEN_CHARS + 1], struct vault_error *err)
{
    (void)token;
    const struct passkey_person person = passkey_person_of(visit);
    char label[PASSKEY_LABEL_BYTES + 1] = "";
    if (form_value(&visit->form, "label").size && !visit_field(visit, "label", label, sizeof label))
        return vault_fail(err, VAULT_INVALID, "a passkey's name is too long");
    return sign_in_passkey_add(visit->pages->vault, site, &person, label, answer, err);
}

void passkey_add_do(struct visit *visit, const char *id)
{
    (void)id;
    char none[SIGN_IN_TOKEN_CHARS + 1];
    struct vault_error err;
    const struct passkey_places *places = passkey_places_of(visit);
    if (!account_shown(visit)) {
        passkey_send_next(visit, places->again);
        return;
    }
    const enum vault_code code = passkey_try(visit, add_by, none, &err);
    if (code) {
        passkey_send_failed(visit, code, &err);
        return;
    }
    page_notice(visit, NOTICE_PASSKEY_ADDED);
    passkey_send_next(visit, places->home);
}
