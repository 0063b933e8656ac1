#include "vault/vault/mediator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "parts.h"
#include "vault/base/codec.h"
#include "vault/base/json.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/password.h"
#include "vault/ledger/entry.h"
#include "vault/vault/sign_in.h"

#define SEEN_EACH_S 60 /* as in sign_in.c */
#define TOKEN_BYTES 32

static enum vault_code denied(struct vault_error *err)
{
    return vault_fail(err, VAULT_DENIED,
                      "login or password is wrong, or there were too many wrong tries: then wait a "
                      "few minutes");
}

static enum vault_code enter(struct vault *vault, struct vault_error *err)
{
    return event_of_operator(vault, ENTRY_ADMIN, (struct bytes){0}, err);
}

/* --- The operator --------------------------------------------------------------------------- */

/* A name stands in lines of the log: it is one line. */
static enum vault_code check_name(const char *name, size_t max, struct vault_error *err)
{
    const size_t size = strlen(name);
    bool good = size >= 1 && size <= max;
    for (size_t i = 0; i < size && good; i++)
        good = (uint8_t)name[i] >= 0x20 && name[i] != 0x7f;
    return good ? VAULT_OK
                : vault_fail(err, VAULT_INVALID,
                             "a name has 1 to %zu bytes and no control characters", max);
}

enum vault_code mediator_register_structure(struct vault *vault, const char *id, const char *name,
                                            struct vault_error *err)
{
    if (!entry_id_is_valid(bytes_of_text(id)))
        return vault_fail(err, VAULT_INVALID,
                          "a structure's id has small letters, digits, dots and hyphens");
    VAULT_TRY(check_name(name, STRUCTURE_NAME_BYTES, err));
    VAULT_TRY(structure_add(vault->store, id, name, err));
    return enter(vault, err);
}

enum vault_code mediator_remove_structure(struct vault *vault, const char *id,
                                          struct vault_error *err)
{
    VAULT_TRY(structure_remove(vault->store, id, err));
    return enter(vault, err);
}

static size_t characters_of(struct bytes text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += (text.data[i] & 0xc0) != 0x80; /* of UTF-8, where each begins */
    return count;
}

enum vault_code mediator_register(struct vault *vault, const char *structure, const char *login,
                                  const char *name, struct bytes password, struct vault_error *err)
{
    struct mediator mediator = {0};
    VAULT_TRY(sign_in_login(bytes_of_text(login), mediator.login, err));
    VAULT_TRY(check_name(name, MEDIATOR_NAME_BYTES, err));
    if (characters_of(password) < SIGN_IN_PASSWORD_CHARS)
        return vault_fail(err, VAULT_INVALID, "a password has at least %d characters",
                          SIGN_IN_PASSWORD_CHARS);
    if (strlen(structure) > STRUCTURE_ID_CHARS)
        return vault_fail(err, VAULT_NOT_FOUND, "there is no such structure");
    snprintf(mediator.name, sizeof mediator.name, "%s", name);
    snprintf(mediator.structure.id, sizeof mediator.structure.id, "%s", structure);
    VAULT_TRY(password_hash(password, mediator.password_hash, err));
    VAULT_TRY(mediator_add(vault->store, &mediator, err));
    return enter(vault, err);
}

enum vault_code mediator_unregister(struct vault *vault, const char *login, struct vault_error *err)
{
    char known[SIGN_IN_LOGIN_CHARS + 1];
    VAULT_TRY(sign_in_login(bytes_of_text(login), known, err));
    VAULT_TRY(mediator_remove(vault->store, known, err));
    return enter(vault, err);
}

/* --- Lists ---------------------------------------------------------------------------------- */

/* Structures are few; they are taken before their mediators are asked for, since the list holds the
 * store. */
struct taking {
    struct structure *list;
    size_t count;
};

static enum vault_code take_structure(void *context, const struct structure *structure,
                                      struct vault_error *err)
{
    (void)err;
    struct taking *taking = context;
    if (taking->count < STRUCTURES_MAX)
        taking->list[taking->count++] = *structure;
    return VAULT_OK;
}

static enum vault_code take_all(struct vault *vault, struct taking *taking, struct vault_error *err)
{
    taking->list = calloc(STRUCTURES_MAX, sizeof *taking->list);
    if (!taking->list)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    return structure_list(vault->store, take_structure, taking, err);
}

static void taking_finish(struct taking *taking)
{
    free(taking->list);
}

enum vault_code mediator_structures(struct vault *vault, structure_each *each, void *context,
                                    struct vault_error *err)
{
    VAULT_AUTO(taking_finish) struct taking taking = {0};
    VAULT_TRY(take_all(vault, &taking, err));
    for (size_t i = 0; i < taking.count; i++)
        VAULT_TRY(each(context, &taking.list[i], err));
    return VAULT_OK;
}

struct writing {
    struct buf *out;
    size_t count;
};

static enum vault_code write_mediator(void *context, const struct mediator *mediator,
                                      struct vault_error *err)
{
    struct writing *writing = context;
    buf_text(writing->out, writing->count++ ? ",{\"login\":" : "{\"login\":");
    json_write_string(writing->out, bytes_of_text(mediator->login));
    buf_text(writing->out, ",\"name\":");
    json_write_string(writing->out, bytes_of_text(mediator->name));
    buf_byte(writing->out, '}');
    return buf_check(writing->out, err);
}

enum vault_code mediator_write_list(struct vault *vault, struct buf *out, struct vault_error *err)
{
    VAULT_AUTO(taking_finish) struct taking taking = {0};
    VAULT_TRY(take_all(vault, &taking, err));
    buf_byte(out, '[');
    for (size_t i = 0; i < taking.count; i++) {
        struct writing writing = {.out = out};
        buf_format(out, "%s{\"id\":\"%s\",\"name\":", i ? "," : "", taking.list[i].id);
        json_write_string(out, bytes_of_text(taking.list[i].name));
        buf_text(out, ",\"mediators\":[");
        VAULT_TRY(mediator_list(vault->store, taking.list[i].id, write_mediator, &writing, err));
        buf_text(out, "]}");
    }
    buf_byte(out, ']');
    return buf_check(out, err);
}

void mediator_structure_name(struct vault *vault, const char *id,
                             char out[STRUCTURE_NAME_BYTES + 1])
{
    struct structure structure;
    const bool known = structure_get(vault->store, id, &structure, NULL) == VAULT_OK;
    snprintf(out, STRUCTURE_NAME_BYTES + 1, "%s", known ? structure.name : id);
}

/* --- Signing in ----------------------------------------------------------------------------- */

/* How long after the last wrong try the next one counts: as sign_in.c. */
static int64_t wait_after(uint32_t failed_tries)
{
    if (failed_tries < SIGN_IN_FREE_TRIES)
        return 0;
    const uint32_t doublings = failed_tries - SIGN_IN_FREE_TRIES;
    const int64_t wait = doublings > 16 ? SIGN_IN_WAIT_MAX_S : (int64_t)1 << doublings;
    return wait < SIGN_IN_WAIT_MAX_S ? wait : SIGN_IN_WAIT_MAX_S;
}

/* The try is counted before it is made, so that many at once are no way around. */
static enum vault_code check_password(struct vault *vault, const struct mediator *mediator,
                                      struct bytes password, struct vault_error *err)
{
    const int64_t now_s = clock_now_s(&vault->options.clock);
    const bool waits = now_s < mediator->failed_at_s + wait_after(mediator->failed_tries);
    if (!waits)
        VAULT_TRY(mediator_failed(vault->store, mediator->login, now_s, err));
    const enum vault_code code =
        password_check(password, waits ? NULL : mediator->password_hash, err);
    if (code)
        return code == VAULT_DENIED ? denied(err) : code;
    return mediator_failed(vault->store, mediator->login, 0, err);
}

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

enum vault_code mediator_sign_in(struct vault *vault, struct bytes login, struct bytes password,
                                 char token[ACTOR_TOKEN_CHARS + 1], struct vault_error *err)
{
    char name[SIGN_IN_LOGIN_CHARS + 1];
    char text[ACTOR_TOKEN_CHARS + 1];
    uint8_t raw[TOKEN_BYTES];
    struct mediator mediator = {0};
    struct mediator_session session = {.created_s = clock_now_s(&vault->options.clock)};
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
    random_bytes(raw, sizeof raw);
    write_base64url(raw, text);
    explicit_bzero(raw, sizeof raw);
    hash_token(vault, "mediator", bytes_of_text(text), session.token_hash);
    session.seen_s = session.created_s;
    snprintf(session.login, sizeof session.login, "%s", mediator.login);
    VAULT_TRY(mediator_session_add(vault->store, &session, err));
    memcpy(token, text, sizeof text);
    return VAULT_OK;
}

static enum vault_code not_signed_in(struct vault_error *err)
{
    return vault_fail(err, VAULT_DENIED, "not signed in");
}

/* The session and whose it is; one that is over goes. */
static enum vault_code find_session(struct vault *vault, const uint8_t hash[SHA256_BYTES],
                                    struct mediator *mediator, struct vault_error *err)
{
    const int64_t now_s = clock_now_s(&vault->options.clock);
    struct mediator_session session;
    enum vault_code code = mediator_session_find(vault->store, hash, &session, err);
    if (code)
        return code == VAULT_NOT_FOUND ? not_signed_in(err) : code;
    if (now_s >= session.seen_s + MEDIATOR_IDLE_S ||
        now_s >= session.created_s + MEDIATOR_LONGEST_S) {
        VAULT_TRY(mediator_session_remove(vault->store, hash, err));
        return not_signed_in(err);
    }
    if (now_s >= session.seen_s + SEEN_EACH_S)
        VAULT_TRY(mediator_session_seen(vault->store, hash, now_s, err));
    code = mediator_get(vault->store, session.login, mediator, err);
    return code == VAULT_NOT_FOUND ? not_signed_in(err) : code;
}

enum vault_code mediator_check(struct vault *vault, struct bytes token, struct mediator_seat *out,
                               struct vault_error *err)
{
    struct mediator mediator;
    struct mediator_seat seat = {0};
    uint8_t mac[SHA256_BYTES];
    if (token.size != ACTOR_TOKEN_CHARS)
        return not_signed_in(err);
    hash_token(vault, "mediator", token, seat.token_hash);
    VAULT_TRY(find_session(vault, seat.token_hash, &mediator, err));
    memcpy(seat.login, mediator.login, sizeof seat.login);
    memcpy(seat.name, mediator.name, sizeof seat.name);
    seat.structure = mediator.structure;
    hash_token(vault, "mediator form", (struct bytes){seat.token_hash, sizeof seat.token_hash},
               mac);
    write_base64url(mac, seat.form_token);
    *out = seat;
    return VAULT_OK;
}

enum vault_code mediator_sign_out(struct vault *vault, const struct mediator_seat *mediator,
                                  struct vault_error *err)
{
    return mediator_session_remove(vault->store, mediator->token_hash, err);
}
