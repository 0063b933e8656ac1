/* Mediators' own side: signing in, their sessions, and their own password. */
#include <stdio.h>
#include <string.h>

#include "code.h"
#include "mediator_parts.h"
#include "new_password.h"
#include "parts.h"
#include "sign_in_parts.h"
#include "vault/base/codec.h"
#include "vault/crypto/hash.h"

#define SEEN_EACH_S 60 /* as in sign_in.c */
#define TOKEN_BYTES 32

static enum vault_code denied(struct vault_error *err)
{
    return vault_fail(err, VAULT_DENIED,
                      "login or password is wrong, or there were too many wrong tries: then wait a "
                      "few minutes");
}

/* --- The password --------------------------------------------------------------------------- */

enum vault_code mediator_first_hash(struct bytes typed, char out[PASSWORD_HASH_CHARS],
                                    struct vault_error *err)
{
    uint8_t letters[CODE_LETTERS_MAX];
    const size_t count = sign_in_code_read(typed, letters);
    if (!count)
        return denied(err);
    const enum vault_code code = password_hash((struct bytes){letters, count}, out, err);
    explicit_bzero(letters, sizeof letters);
    return code;
}

/* Hold it against what is kept, or against nothing with the same work: NULL. */
static enum vault_code hold_against(struct bytes password, const char *kept, bool is_first,
                                    struct vault_error *err)
{
    uint8_t letters[CODE_LETTERS_MAX];
    if (kept && is_first) {
        const size_t count = sign_in_code_read(password, letters);
        kept = count ? kept : NULL;
        password = count ? (struct bytes){letters, count} : password;
    }
    const enum vault_code code = password_check(password, kept, err);
    explicit_bzero(letters, sizeof letters);
    return code == VAULT_DENIED ? denied(err) : code;
}

bool mediator_needs_passkey(const struct vault *vault)
{
    return vault->options.mediators_need_passkey;
}

/* The try is counted before it is made, so that many at once are no way around. One of their own
 * that is right is a wrong one like any other where it takes a passkey: nobody learns that it is
 * right. */
static enum vault_code check_password(struct vault *vault, const struct mediator *mediator,
                                      struct bytes password, struct vault_error *err)
{
    const int64_t now_s = clock_now_s(&vault->options.clock);
    const bool waits = now_s < mediator->failed_at_s + sign_in_wait_s(mediator->failed_tries);
    if (!waits)
        VAULT_TRY(mediator_failed(vault->store, mediator->login, now_s, err));
    const bool is_first = mediator->first_until_s != 0;
    const bool is_over =
        is_first ? now_s >= mediator->first_until_s : mediator_needs_passkey(vault);
    VAULT_TRY(
        hold_against(password, waits || is_over ? NULL : mediator->password_hash, is_first, err));
    return mediator_failed(vault->store, mediator->login, 0, err);
}

enum vault_code mediator_change_password(struct vault *vault, const struct mediator_seat *seat,
                                         struct bytes password, struct bytes new_password,
                                         struct vault_error *err)
{
    struct mediator mediator;
    char hash[PASSWORD_HASH_CHARS];
    if (mediator_needs_passkey(vault))
        return vault_fail(err, VAULT_NOT_FOUND, "mediators have no passwords of their own");
    VAULT_TRY(mediator_get(vault->store, seat->login, &mediator, err));
    VAULT_TRY(new_password_check(vault->new_password, new_password, mediator.login, err));
    VAULT_TRY(check_password(vault, &mediator, password, err));
    VAULT_TRY(password_hash(new_password, hash, err));
    return mediator_set_password(vault->store, mediator.login, hash,
                                 clock_now_s(&vault->options.clock), 0, seat->token_hash, err);
}

enum vault_code mediator_account(struct vault *vault, const struct mediator_seat *seat,
                                 struct mediator_account *out, struct vault_error *err)
{
    struct mediator mediator;
    VAULT_TRY(mediator_get(vault->store, seat->login, &mediator, err));
    *out = (struct mediator_account){
        .tries = {mediator.failed_tries, mediator.failed_at_s, mediator.before_tries,
                  mediator.before_s},
        .password_s = mediator.password_s,
        .passkeys = mediator.passkeys,
        .passkeys_s = mediator.passkeys_s,
    };
    return VAULT_OK;
}

/* --- Signing in ----------------------------------------------------------------------------- */

/* Apart from citizens' tokens, which the same key hashes. */
static void hash_token(const struct vault *vault, const char *what, struct bytes token,
                       uint8_t out[SHA256_BYTES])
{
    const struct bytes parts[] = {bytes_of_text(what), token};
    hmac_sha256(out, secret_view(vault->session_key), parts, 2);
}

static void write_base64url(const uint8_t *raw, char out[ACTOR_TOKEN_CHARS + 1])
{
    struct buf text = buf_limited(ACTOR_TOKEN_CHARS);
    base64url_encode(&text, (struct bytes){raw, TOKEN_BYTES});
    const char *string = buf_string(&text);
    memcpy(out, string ? string : "", string ? ACTOR_TOKEN_CHARS + 1 : 1);
    buf_finish(&text);
}

static void draw_token(const struct vault *vault, char token[ACTOR_TOKEN_CHARS + 1],
                       uint8_t hash[SHA256_BYTES])
{
    uint8_t raw[TOKEN_BYTES];
    random_bytes(raw, sizeof raw);
    write_base64url(raw, token);
    explicit_bzero(raw, sizeof raw);
    hash_token(vault, "mediator", bytes_of_text(token), hash);
}

static enum vault_code begin_session(struct vault *vault, const char *login, bool by_passkey,
                                     char token[ACTOR_TOKEN_CHARS + 1], struct vault_error *err)
{
    char text[ACTOR_TOKEN_CHARS + 1];
    const int64_t now_s = clock_now_s(&vault->options.clock);
    struct mediator_session session = {
        .created_s = now_s, .seen_s = now_s, .proved_s = now_s, .by_passkey = by_passkey};
    draw_token(vault, text, session.token_hash);
    snprintf(session.login, sizeof session.login, "%s", login);
    VAULT_TRY(mediator_session_add(vault->store, &session, err));
    memcpy(token, text, sizeof text);
    return VAULT_OK;
}

enum vault_code mediator_sign_in(struct vault *vault, struct bytes login, struct bytes password,
                                 char token[ACTOR_TOKEN_CHARS + 1], struct vault_error *err)
{
    char name[SIGN_IN_LOGIN_CHARS + 1];
    struct mediator mediator = {0};
    if (sign_in_login(login, name, NULL))
        return denied(err);
    enum vault_code code = mediator_get(vault->store, name, &mediator, err);
    if (code == VAULT_NOT_FOUND) {
        code = password_check(password, NULL, err);
        return code == VAULT_DENIED ? denied(err) : code;
    }
    if (code)
        return code;
    VAULT_TRY(check_password(vault, &mediator, password, err));
    return begin_session(vault, mediator.login, false, token, err);
}

enum vault_code mediator_sign_in_passkey(struct vault *vault, const struct passkey_site *site,
                                         struct bytes browser,
                                         const struct sign_in_passkey_answer *answer,
                                         char token[ACTOR_TOKEN_CHARS + 1], struct vault_error *err)
{
    struct passkey passkey;
    VAULT_TRY(sign_in_passkey_check(vault, site, PASSKEY_TO_SIGN_IN_MEDIATOR, browser, true, answer,
                                    &passkey, err));
    const enum vault_code code = begin_session(vault, passkey.mediator, true, token, err);
    return code == VAULT_NOT_FOUND ? denied(err) : code;
}

static enum vault_code not_signed_in(struct vault_error *err)
{
    return vault_fail(err, VAULT_DENIED, "not signed in");
}

/* The session and whose it is; one that is over goes. */
static enum vault_code find_session(struct vault *vault, const uint8_t hash[SHA256_BYTES],
                                    struct mediator_session *session, struct mediator *mediator,
                                    struct vault_error *err)
{
    const int64_t now_s = clock_now_s(&vault->options.clock);
    enum vault_code code = mediator_session_find(vault->store, hash, session, err);
    if (code)
        return code == VAULT_NOT_FOUND ? not_signed_in(err) : code;
    if (now_s >= session->seen_s + MEDIATOR_IDLE_S ||
        now_s >= session->created_s + MEDIATOR_LONGEST_S) {
        VAULT_TRY(mediator_session_remove(vault->store, hash, err));
        return not_signed_in(err);
    }
    if (now_s >= session->seen_s + SEEN_EACH_S)
        VAULT_TRY(mediator_session_seen(vault->store, hash, now_s, err));
    code = mediator_get(vault->store, session->login, mediator, err);
    return code == VAULT_NOT_FOUND ? not_signed_in(err) : code;
}

static void put_form_token(const struct vault *vault, struct mediator_seat *seat)
{
    uint8_t mac[SHA256_BYTES];
    hash_token(vault, "mediator form", (struct bytes){seat->token_hash, sizeof seat->token_hash},
               mac);
    write_base64url(mac, seat->form_token);
}

enum vault_code mediator_check(struct vault *vault, struct bytes token, struct mediator_seat *out,
                               struct vault_error *err)
{
    struct mediator mediator;
    struct mediator_session session;
    struct mediator_seat seat = {0};
    if (token.size != ACTOR_TOKEN_CHARS)
        return not_signed_in(err);
    hash_token(vault, "mediator", token, seat.token_hash);
    VAULT_TRY(find_session(vault, seat.token_hash, &session, &mediator, err));
    seat.has_first_password = mediator.first_until_s != 0;
    if (mediator_needs_passkey(vault) && !session.by_passkey && !seat.has_first_password)
        return not_signed_in(err); /* begun before it was so */
    seat.proved_s = session.proved_s;
    memcpy(seat.login, mediator.login, sizeof seat.login);
    memcpy(seat.name, mediator.name, sizeof seat.name);
    seat.structure = mediator.structure;
    put_form_token(vault, &seat);
    *out = seat;
    return VAULT_OK;
}

enum vault_code mediator_sign_out(struct vault *vault, const struct mediator_seat *mediator,
                                  struct vault_error *err)
{
    return mediator_session_remove(vault->store, mediator->token_hash, err);
}

enum vault_code mediator_sign_out_others(struct vault *vault, const struct mediator_seat *mediator,
                                         struct vault_error *err)
{
    return mediator_session_remove_others(vault->store, mediator->token_hash, err);
}

/* --- Again ---------------------------------------------------------------------------------- */

bool mediator_is_fresh(const struct vault *vault, const struct mediator_seat *seat)
{
    return clock_now_s(&vault->options.clock) < seat->proved_s + SIGN_IN_FRESH_S;
}

static enum vault_code refresh(struct vault *vault, struct mediator_seat *seat, bool by_passkey,
                               char token[ACTOR_TOKEN_CHARS + 1], struct vault_error *err)
{
    char drawn[ACTOR_TOKEN_CHARS + 1];
    uint8_t hash[SHA256_BYTES];
    const int64_t now_s = clock_now_s(&vault->options.clock);
    draw_token(vault, drawn, hash);
    VAULT_TRY(
        mediator_session_proved(vault->store, seat->token_hash, hash, now_s, by_passkey, err));
    memcpy(seat->token_hash, hash, sizeof hash);
    seat->proved_s = now_s;
    put_form_token(vault, seat);
    memcpy(token, drawn, sizeof drawn);
    explicit_bzero(drawn, sizeof drawn);
    return VAULT_OK;
}

enum vault_code mediator_again(struct vault *vault, struct mediator_seat *seat,
                               struct bytes password, char token[ACTOR_TOKEN_CHARS + 1],
                               struct vault_error *err)
{
    struct mediator mediator;
    VAULT_TRY(mediator_get(vault->store, seat->login, &mediator, err));
    VAULT_TRY(check_password(vault, &mediator, password, err));
    return refresh(vault, seat, false, token, err);
}

enum vault_code mediator_again_passkey(struct vault *vault, const struct passkey_site *site,
                                       struct mediator_seat *seat,
                                       const struct sign_in_passkey_answer *answer,
                                       char token[ACTOR_TOKEN_CHARS + 1], struct vault_error *err)
{
    struct passkey passkey;
    const struct bytes browser = {seat->token_hash, sizeof seat->token_hash};
    VAULT_TRY(sign_in_passkey_check(vault, site, PASSKEY_TO_REAUTHENTICATE, browser, true, answer,
                                    &passkey, err));
    if (strcmp(passkey.mediator, seat->login) != 0)
        return vault_fail(err, VAULT_DENIED, "the passkey is not accepted");
    return refresh(vault, seat, true, token, err);
}
