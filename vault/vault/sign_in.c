#include "vault/vault/sign_in.h"

#include <string.h>

#include "counting.h"
#include "new_password.h"
#include "parts.h"
#include "person.h"
#include "sign_in_parts.h"
#include "vault/base/codec.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/password.h"
#include "vault/store/account.h"
#include "vault/store/session.h"
#include "vault/vault/digest.h"

#define SEEN_EACH_S 60 /* writing down each request would cost more than the request */

static enum vault_code denied(struct vault_error *err)
{
    return vault_fail(err, VAULT_DENIED,
                      "login or password is wrong, or there were too many wrong tries: then wait a "
                      "few minutes");
}

enum vault_code sign_in_login(struct bytes typed, char out[SIGN_IN_LOGIN_CHARS + 1],
                              struct vault_error *err)
{
    while (typed.size && typed.data[0] == ' ') {
        typed.data++;
        typed.size--;
    }
    while (typed.size && typed.data[typed.size - 1] == ' ')
        typed.size--;
    if (typed.size == 0 || typed.size > SIGN_IN_LOGIN_CHARS)
        return vault_fail(err, VAULT_INVALID, "a login has 1 to %d characters",
                          SIGN_IN_LOGIN_CHARS);
    for (size_t i = 0; i < typed.size; i++) {
        const uint8_t c = typed.data[i];
        if (c < 0x20 || c == 0x7f)
            return vault_fail(err, VAULT_INVALID, "a login has no control characters");
        out[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    out[typed.size] = 0;
    return VAULT_OK;
}

int64_t sign_in_wait_s(uint32_t failed_tries)
{
    if (failed_tries < SIGN_IN_FREE_TRIES)
        return 0;
    const uint32_t doublings = failed_tries - SIGN_IN_FREE_TRIES;
    const int64_t wait = doublings > 16 ? SIGN_IN_WAIT_MAX_S : (int64_t)1 << doublings;
    return wait < SIGN_IN_WAIT_MAX_S ? wait : SIGN_IN_WAIT_MAX_S;
}

/* Whether the account must wait; the try that is about to be made is counted first, so that many
 * made at once are no way around. A browser that it knows is counted by itself. */
static enum vault_code count_try(struct vault *vault, const struct account *account,
                                 const struct sign_in_marked *known, bool *waits,
                                 struct vault_error *err)
{
    const int64_t now_s = clock_now_s(&vault->options.clock);
    struct account counted;
    if (known) {
        *waits = sign_in_mark_waits(vault, known);
        return *waits ? VAULT_OK : account_tried(vault->store, &account->citizen, now_s, err);
    }
    *waits = now_s < account->failed_at_s + sign_in_wait_s(account->failed_tries);
    if (*waits)
        return VAULT_OK;
    VAULT_TRY(account_failed(vault->store, &account->citizen, now_s, err));
    VAULT_TRY(account_of_citizen(vault->store, &account->citizen, &counted, err));
    *waits = counted.failed_tries > account->failed_tries + SIGN_IN_FREE_TRIES;
    return VAULT_OK;
}

/* The same work and the same words whether the login is unknown, the password wrong, or the account
 * has to wait: none of them is told apart. */
static enum vault_code deny_after_the_same_work(struct bytes password, struct vault_error *err)
{
    const enum vault_code code = password_check(password, NULL, err);
    return code == VAULT_DENIED ? denied(err) : code;
}

/* A password that an import brought is not for ever. */
static bool is_over(const struct vault *vault, const struct account *account)
{
    return account->first_until_s && clock_now_s(&vault->options.clock) >= account->first_until_s;
}

/* The password, or a recovery code in its place, of which the log is told already: then *by_code.
 */
static enum vault_code check_password(struct vault *vault, const struct account *account,
                                      const struct sign_in_marked *known, struct bytes password,
                                      bool *by_code, struct vault_error *err)
{
    bool waits = false;
    VAULT_TRY(count_try(vault, account, known, &waits, err));
    const enum vault_code recovered =
        waits ? VAULT_NOT_FOUND : sign_in_recovery_use(vault, &account->citizen, password, err);
    *by_code = recovered == VAULT_OK;
    if (*by_code)
        return account_succeeded(vault->store, &account->citizen, err);
    if (recovered != VAULT_NOT_FOUND)
        return recovered;
    if (waits || !account->password_hash[0] || is_over(vault, account))
        return deny_after_the_same_work(password, err);
    const enum vault_code code = password_check(password, account->password_hash, err);
    if (code)
        return code == VAULT_DENIED ? denied(err) : code;
    return account_succeeded(vault->store, &account->citizen, err);
}

static void hash_token(const struct vault *vault, struct bytes token, uint8_t out[SHA256_BYTES])
{
    hmac_sha256(out, secret_view(vault->session_key), &token, 1);
}

static enum vault_code draw_token(struct vault *vault, char token[SIGN_IN_TOKEN_CHARS + 1],
                                  uint8_t hash[SHA256_BYTES], struct vault_error *err)
{
    uint8_t raw[32];
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(SIGN_IN_TOKEN_CHARS);
    random_bytes(raw, sizeof raw);
    base64url_encode(&text, (struct bytes){raw, sizeof raw});
    explicit_bzero(raw, sizeof raw);
    VAULT_TRY(buf_check(&text, err));
    hash_token(vault, buf_view(&text), hash);
    memcpy(token, text.data, text.size);
    token[text.size] = 0;
    return VAULT_OK;
}

enum vault_code sign_in_begin(struct vault *vault, const struct citizen_id *citizen,
                              char token[SIGN_IN_TOKEN_CHARS + 1], struct vault_error *err)
{
    char drawn[SIGN_IN_TOKEN_CHARS + 1];
    struct session session = {.citizen = *citizen, .created_s = clock_now_s(&vault->options.clock)};
    VAULT_TRY(draw_token(vault, drawn, session.token_hash, err));
    session.seen_s = session.created_s;
    session.reauthenticated_s = session.created_s;
    random_bytes(session.csrf_secret, sizeof session.csrf_secret);
    VAULT_TRY(session_add(vault->store, &session, err));
    memcpy(token, drawn, sizeof drawn);
    explicit_bzero(drawn, sizeof drawn);
    return VAULT_OK;
}

enum vault_code sign_in_enter(struct vault *vault, const struct citizen_id *id, const char *how,
                              const char *actor, struct vault_error *err)
{
    const struct event event = {.kind = ENTRY_LOGIN,
                                .basis = bytes_of_text("own session"),
                                .what = bytes_of_text(how),
                                .actor = actor ? bytes_of_text(actor) : (struct bytes){0}};
    struct ledger_ticket ticket;
    {
        VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
        struct person *person = NULL;
        VAULT_TRY(person_hold(vault, id, &citizen, &person, err));
        VAULT_TRY(event_of_citizen(vault, citizen, &event, &person->chain, &ticket, err));
    }
    return ledger_wait(vault->ledger, &ticket, err);
}

enum vault_code sign_in_enter_told(struct vault *vault, const struct citizen_id *id,
                                   const char *how, const char *actor, struct vault_error *err)
{
    VAULT_TRY(sign_in_enter(vault, id, how, actor, err));
    return digest_urge(vault->store, id, clock_now_s(&vault->options.clock), DIGEST_URGENT_S, err);
}

/* By the password; after many wrong ones that is told. */
static enum vault_code enter_by_password(struct vault *vault, const struct account *before,
                                         struct vault_error *err)
{
    return before->wrong_tries < SIGN_IN_TOLD_TRIES
               ? sign_in_enter(vault, &before->citizen, "password", NULL, err)
               : sign_in_enter_told(vault, &before->citizen, "password after wrong tries", NULL,
                                    err);
}

static enum vault_code by_password(struct vault *vault, struct bytes mark, struct bytes login,
                                   struct bytes password, char token[SIGN_IN_TOKEN_CHARS + 1],
                                   struct vault_error *err)
{
    char name[SIGN_IN_LOGIN_CHARS + 1];
    struct account account;
    struct sign_in_marked marked;
    bool by_code = false;
    if (sign_in_login(login, name, NULL))
        return denied(err);
    const enum vault_code code = account_by_login(vault->store, name, &account, err);
    if (code == VAULT_NOT_FOUND)
        return deny_after_the_same_work(password, err);
    if (code)
        return code;
    const bool is_known = sign_in_mark_fits(vault, &account.citizen, mark, &marked);
    VAULT_TRY(check_password(vault, &account, is_known ? &marked : NULL, password, &by_code, err));
    if (by_code) /* whoever has the password may be signed in */
        VAULT_TRY(session_remove_all(vault->store, &account.citizen, NULL, err));
    else
        VAULT_TRY(enter_by_password(vault, &account, err));
    return sign_in_begin(vault, &account.citizen, token, err);
}

enum vault_code sign_in_from(struct vault *vault, struct bytes mark, struct bytes login,
                             struct bytes password, char token[SIGN_IN_TOKEN_CHARS + 1],
                             struct vault_error *err)
{
    const enum vault_code code = by_password(vault, mark, login, password, token, err);
    figure_count_try(vault, code, FIGURE_PASSWORD_TAKEN, FIGURE_PASSWORD_REFUSED);
    return code;
}

enum vault_code sign_in(struct vault *vault, struct bytes login, struct bytes password,
                        char token[SIGN_IN_TOKEN_CHARS + 1], struct vault_error *err)
{
    return sign_in_from(vault, (struct bytes){0}, login, password, token, err);
}

/* Of the session, and not of the token that it goes by now. */
static void write_form_token(const struct session *session, char out[SIGN_IN_TOKEN_CHARS + 1])
{
    uint8_t mac[SHA256_BYTES];
    const struct bytes part = {session->citizen.bytes, sizeof session->citizen.bytes};
    hmac_sha256(mac, (struct bytes){session->csrf_secret, sizeof session->csrf_secret}, &part, 1);
    struct buf text = buf_limited(SIGN_IN_TOKEN_CHARS);
    base64url_encode(&text, (struct bytes){mac, sizeof mac});
    const char *string = buf_string(&text);
    memcpy(out, string ? string : "", string ? SIGN_IN_TOKEN_CHARS + 1 : 1);
    buf_finish(&text);
}

enum vault_code sign_in_check(struct vault *vault, struct bytes token, struct signed_in *out,
                              struct vault_error *err)
{
    const int64_t now_s = clock_now_s(&vault->options.clock);
    uint8_t hash[SHA256_BYTES];
    struct session session;
    if (token.size != SIGN_IN_TOKEN_CHARS)
        return vault_fail(err, VAULT_DENIED, "not signed in");
    hash_token(vault, token, hash);
    const enum vault_code code = session_find(vault->store, hash, &session, err);
    if (code == VAULT_NOT_FOUND)
        return vault_fail(err, VAULT_DENIED, "not signed in");
    if (code)
        return code;
    if (now_s >= session.seen_s + SIGN_IN_IDLE_S ||
        now_s >= session.created_s + SIGN_IN_LONGEST_S) {
        VAULT_TRY(session_remove(vault->store, hash, err));
        return vault_fail(err, VAULT_DENIED, "the session has ended");
    }
    if (now_s >= session.seen_s + SEEN_EACH_S)
        VAULT_TRY(session_seen(vault->store, hash, now_s, err));
    out->citizen = session.citizen;
    out->authenticated_s = session.reauthenticated_s;
    memcpy(out->token_hash, hash, sizeof hash);
    write_form_token(&session, out->form_token);
    return VAULT_OK;
}

enum vault_code sign_in_whose(struct vault *vault, const struct citizen_id *citizen,
                              char out[SIGN_IN_TOKEN_CHARS + 1], struct vault_error *err)
{
    static const char label[] = "vault/whose-form/1";
    uint8_t mac[SHA256_BYTES];
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(SIGN_IN_TOKEN_CHARS);
    const struct bytes parts[] = {{(const uint8_t *)label, sizeof label},
                                  {citizen->bytes, sizeof citizen->bytes}};
    hmac_sha256(mac, secret_view(vault->session_key), parts, 2);
    base64url_encode(&text, (struct bytes){mac, sizeof mac});
    VAULT_TRY(buf_check(&text, err));
    snprintf(out, SIGN_IN_TOKEN_CHARS + 1, "%s", buf_string(&text));
    return VAULT_OK;
}

bool sign_in_form_token_fits(const struct signed_in *session, struct bytes token)
{
    return session->form_token[0] && secret_equal(bytes_of_text(session->form_token), token);
}

enum vault_code sign_out(struct vault *vault, const struct signed_in *session,
                         struct vault_error *err)
{
    return session_remove(vault->store, session->token_hash, err);
}

/* --- Again ---------------------------------------------------------------------------------- */

/* Within a session, tries are counted by themselves, as in a browser that is known. */
static struct sign_in_marked known_session(const struct signed_in *session)
{
    struct sign_in_marked known;
    memcpy(known.number, session->token_hash, sizeof known.number);
    return known;
}

bool sign_in_is_fresh(const struct vault *vault, const struct signed_in *session)
{
    const int64_t age_s = clock_now_s(&vault->options.clock) - session->authenticated_s;
    return age_s >= 0 && age_s < SIGN_IN_FRESH_S;
}

enum vault_code sign_in_again(struct vault *vault, struct signed_in *session, struct bytes password,
                              char token[SIGN_IN_TOKEN_CHARS + 1], struct vault_error *err)
{
    struct account account;
    const struct sign_in_marked known = known_session(session);
    bool by_code = false;
    VAULT_TRY(account_of_citizen(vault->store, &session->citizen, &account, err));
    VAULT_TRY(check_password(vault, &account, &known, password, &by_code, err));
    if (!by_code && account.wrong_tries >= SIGN_IN_TOLD_TRIES)
        VAULT_TRY(enter_by_password(vault, &account, err));
    return sign_in_refresh(vault, session, token, err);
}

enum vault_code sign_in_refresh(struct vault *vault, struct signed_in *session,
                                char token[SIGN_IN_TOKEN_CHARS + 1], struct vault_error *err)
{
    char drawn[SIGN_IN_TOKEN_CHARS + 1];
    uint8_t hash[SHA256_BYTES];
    const int64_t now_s = clock_now_s(&vault->options.clock);
    VAULT_TRY(draw_token(vault, drawn, hash, err));
    VAULT_TRY(session_reauthenticated(vault->store, session->token_hash, hash, now_s, err));
    memcpy(session->token_hash, hash, sizeof hash);
    session->authenticated_s = now_s;
    memcpy(token, drawn, sizeof drawn);
    explicit_bzero(drawn, sizeof drawn);
    return VAULT_OK;
}

/* --- All sessions --------------------------------------------------------------------------- */

struct listing {
    struct vault *vault;
    const struct signed_in *session;
    sign_in_each *each;
    void *context;
};

/* A session's name stands in a page; its token cannot be learned from it, nor can what is kept. */
static void name_session(const struct vault *vault, const struct session *session,
                         char out[SIGN_IN_TOKEN_CHARS + 1])
{
    static const char label[] = "vault/session-name/1";
    uint8_t mac[SHA256_BYTES];
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(SIGN_IN_TOKEN_CHARS);
    const struct bytes parts[] = {{(const uint8_t *)label, sizeof label},
                                  {session->token_hash, sizeof session->token_hash}};
    hmac_sha256(mac, secret_view(vault->session_key), parts, 2);
    base64url_encode(&text, (struct bytes){mac, sizeof mac});
    const char *string = buf_string(&text);
    snprintf(out, SIGN_IN_TOKEN_CHARS + 1, "%s", string ? string : "");
}

static enum vault_code list_one(void *context, const struct session *session,
                                struct vault_error *err)
{
    const struct listing *listing = context;
    struct sign_in_session shown = {.created_s = session->created_s,
                                    .seen_s = session->seen_s,
                                    .is_this =
                                        memcmp(session->token_hash, listing->session->token_hash,
                                               sizeof session->token_hash) == 0};
    name_session(listing->vault, session, shown.name);
    return listing->each(listing->context, &shown, err);
}

enum vault_code sign_in_list(struct vault *vault, const struct signed_in *session,
                             sign_in_each *each, void *context, struct vault_error *err)
{
    struct listing listing = {vault, session, each, context};
    return session_list(vault->store, &session->citizen, list_one, &listing, err);
}

struct search {
    const struct vault *vault;
    struct bytes name;
    bool found;
    uint8_t token_hash[SHA256_BYTES];
};

static enum vault_code seek(void *context, const struct session *session, struct vault_error *err)
{
    (void)err;
    struct search *search = context;
    char name[SIGN_IN_TOKEN_CHARS + 1];
    name_session(search->vault, session, name);
    if (name[0] && bytes_equal(bytes_of_text(name), search->name)) {
        search->found = true;
        memcpy(search->token_hash, session->token_hash, sizeof search->token_hash);
    }
    return VAULT_OK;
}

enum vault_code sign_out_one(struct vault *vault, const struct signed_in *session,
                             struct bytes name, struct vault_error *err)
{
    struct search search = {.vault = vault, .name = name};
    VAULT_TRY(session_list(vault->store, &session->citizen, seek, &search, err));
    if (!search.found)
        return vault_fail(err, VAULT_NOT_FOUND, "there is no such session");
    return session_remove(vault->store, search.token_hash, err);
}

enum vault_code sign_out_citizen(struct vault *vault, const struct citizen_id *citizen,
                                 struct vault_error *err)
{
    VAULT_TRY(session_remove_all(vault->store, citizen, NULL, err));
    return sign_in_enter_told(vault, citizen, "sessions ended", "operator", err);
}

enum vault_code sign_out_others(struct vault *vault, const struct signed_in *session,
                                struct vault_error *err)
{
    return session_remove_all(vault->store, &session->citizen, session->token_hash, err);
}

/* --- Another password ----------------------------------------------------------------------- */

enum vault_code sign_in_set_password(struct vault *vault, const struct signed_in *session,
                                     struct bytes password, struct bytes new_password,
                                     struct vault_error *err)
{
    struct account account;
    char hash[PASSWORD_HASH_CHARS];
    const struct sign_in_marked known = known_session(session);
    bool by_code = false;
    VAULT_TRY(account_of_citizen(vault->store, &session->citizen, &account, err));
    VAULT_TRY(new_password_check(vault->new_password, new_password, account.login, err));
    VAULT_TRY(check_password(vault, &account, &known, password, &by_code, err));
    VAULT_TRY(password_hash(new_password, hash, err));
    VAULT_TRY(account_set_password(vault->store, &session->citizen, hash, err));
    VAULT_TRY(sign_out_others(vault, session, err));
    return sign_in_enter_told(vault, &session->citizen, "password set", NULL, err);
}

enum vault_code sign_in_tries(struct vault *vault, const struct signed_in *session,
                              struct sign_in_tries *out, struct vault_error *err)
{
    struct account account;
    VAULT_TRY(account_of_citizen(vault->store, &session->citizen, &account, err));
    *out = (struct sign_in_tries){account.wrong_tries, account.wrong_at_s, account.before_tries,
                                  account.before_s};
    return VAULT_OK;
}

enum vault_code sign_in_first_until(struct vault *vault, const struct signed_in *session,
                                    int64_t *until_s, struct vault_error *err)
{
    struct account account;
    VAULT_TRY(account_of_citizen(vault->store, &session->citizen, &account, err));
    *until_s = account.first_until_s;
    return VAULT_OK;
}
