#include "vault/vault/sign_in_passkey.h"

#include <stdio.h>
#include <string.h>

#include "counting.h"
#include "parts.h"
#include "passkey_verify.h"
#include "sign_in_parts.h"
#include "vault/base/codec.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/password.h"
#include "vault/store/account.h"
#include "vault/store/session.h"
#include "vault/vault/actor.h"

/* A challenge: random bytes, when it was made, and the MAC. */
#define NONCE_BYTES     16
#define CHALLENGE_BYTES (NONCE_BYTES + 8 + SHA256_BYTES)
#define MS              1000

_Static_assert(PASSKEY_CHALLENGE_CHARS == (CHALLENGE_BYTES * 8 + 5) / 6, "as base64url");
_Static_assert(PASSKEY_LABEL_BYTES == PASSKEY_NAME_BYTES, "what is typed can be kept");

static enum vault_code denied(struct vault_error *err)
{
    return vault_fail(err, VAULT_DENIED, "the passkey is not accepted");
}

enum vault_code passkey_site_of(const char *base, struct passkey_site *out, struct vault_error *err)
{
    static const char scheme[] = "https://";
    const bool is_address = strncmp(base, scheme, sizeof scheme - 1) == 0;
    const char *host = is_address ? base + sizeof scheme - 1 : "";
    const char *rest = host + strcspn(host, ":/"); /* a port, or nothing */
    const size_t host_size = (size_t)(rest - host);
    const size_t digits = *rest == ':' ? strspn(rest + 1, "0123456789") : 0;
    if (strlen(base) >= sizeof out->origin || host_size == 0 || host_size >= sizeof out->rp_id ||
        (*rest && (digits == 0 || rest[1 + digits])))
        return vault_fail(err, VAULT_INVALID, "the pages' address has no host for passkeys");
    snprintf(out->rp_id, sizeof out->rp_id, "%.*s", (int)host_size, host);
    snprintf(out->origin, sizeof out->origin, "%s", base);
    char *port = strrchr(out->origin, ':');
    if (strcmp(port, ":443") == 0) /* browsers leave out what goes without saying */
        *port = 0;
    return VAULT_OK;
}

/* --- Challenges ----------------------------------------------------------------------------- */

static void write_mac(struct vault *vault, enum passkey_use use, struct bytes browser,
                      const uint8_t challenge[CHALLENGE_BYTES], uint8_t out[SHA256_BYTES])
{
    static const char label[] = "vault/passkey-challenge/1";
    const uint8_t kind = (uint8_t)use;
    const struct bytes parts[] = {
        {(const uint8_t *)label, sizeof label},
        {&kind, 1},
        {challenge, NONCE_BYTES + 8},
        browser,
    };
    hmac_sha256(out, secret_view(vault->session_key), parts, sizeof parts / sizeof parts[0]);
}

enum vault_code sign_in_passkey_challenge(struct vault *vault, enum passkey_use use,
                                          struct bytes browser,
                                          char out[PASSKEY_CHALLENGE_CHARS + 1],
                                          struct vault_error *err)
{
    uint8_t challenge[CHALLENGE_BYTES];
    const uint64_t now_ms = (uint64_t)clock_now_ms(&vault->options.clock);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(PASSKEY_CHALLENGE_CHARS);
    random_bytes(challenge, NONCE_BYTES);
    for (size_t i = 0; i < 8; i++)
        challenge[NONCE_BYTES + i] = (uint8_t)(now_ms >> (56 - 8 * i));
    write_mac(vault, use, browser, challenge, challenge + NONCE_BYTES + 8);
    base64url_encode(&text, (struct bytes){challenge, sizeof challenge});
    VAULT_TRY(buf_check(&text, err));
    memcpy(out, text.data, PASSKEY_CHALLENGE_CHARS);
    out[PASSKEY_CHALLENGE_CHARS] = 0;
    return VAULT_OK;
}

/* Whether it is one of ours, for that use in that browser, and young enough: then when it was
 * made. */
static enum vault_code check_challenge(struct vault *vault, enum passkey_use use,
                                       struct bytes browser, const char *text, int64_t *made_ms,
                                       struct vault_error *err)
{
    uint8_t mac[SHA256_BYTES];
    const int64_t now_ms = clock_now_ms(&vault->options.clock);
    VAULT_AUTO(buf_finish) struct buf challenge = buf_limited(CHALLENGE_BYTES);
    if (base64url_decode(&challenge, bytes_of_text(text), NULL) ||
        challenge.size != CHALLENGE_BYTES)
        return denied(err);
    write_mac(vault, use, browser, challenge.data, mac);
    if (!secret_equal((struct bytes){mac, sizeof mac},
                      (struct bytes){challenge.data + NONCE_BYTES + 8, SHA256_BYTES}))
        return denied(err);
    struct cursor cursor = cursor_over((struct bytes){challenge.data + NONCE_BYTES, 8});
    const int64_t then_ms = (int64_t)cursor_u64(&cursor);
    if (then_ms > now_ms || now_ms - then_ms >= PASSKEY_CHALLENGE_S * MS)
        return denied(err);
    *made_ms = then_ms;
    return VAULT_OK;
}

/* --- Signing in ----------------------------------------------------------------------------- */

enum vault_code sign_in_passkey_check(struct vault *vault, const struct passkey_site *site,
                                      enum passkey_use use, struct bytes browser, bool of_mediator,
                                      const struct sign_in_passkey_answer *answer,
                                      struct passkey *passkey, struct vault_error *err)
{
    char challenge[PASSKEY_CHALLENGE_CHARS + 1];
    int64_t made_ms = 0;
    uint32_t count = 0;
    if (passkey_read_client(site, PASSKEY_USED, answer->client_data, challenge, NULL))
        return denied(err);
    VAULT_TRY(check_challenge(vault, use, browser, challenge, &made_ms, err));
    enum vault_code code = passkey_find(vault->store, answer->credential, passkey, err);
    if (code)
        return code == VAULT_NOT_FOUND ? denied(err) : code;
    if ((passkey->mediator[0] != 0) != of_mediator)
        return denied(err);
    if (answer->user.size &&
        !bytes_equal(answer->user, (struct bytes){passkey->user, sizeof passkey->user}))
        return denied(err);
    VAULT_TRY(passkey_verify_used(site, passkey, answer, &count, err));
    code = passkey_used(vault->store, answer->credential, made_ms, count,
                        clock_now_s(&vault->options.clock), err);
    return code == VAULT_CONFLICT ? denied(err) : code;
}

enum vault_code sign_in_passkey(struct vault *vault, const struct passkey_site *site,
                                struct bytes browser, const struct sign_in_passkey_answer *answer,
                                char token[SIGN_IN_TOKEN_CHARS + 1], struct vault_error *err)
{
    struct passkey passkey;
    const enum vault_code code = sign_in_passkey_check(vault, site, PASSKEY_TO_SIGN_IN, browser,
                                                       false, answer, &passkey, err);
    figure_count_try(vault, code, FIGURE_PASSKEY_TAKEN, FIGURE_PASSKEY_REFUSED);
    if (code)
        return code;
    VAULT_TRY(sign_in_enter(vault, &passkey.citizen, "passkey", NULL, err));
    return sign_in_begin(vault, &passkey.citizen, token, err);
}

enum vault_code sign_in_passkey_again(struct vault *vault, const struct passkey_site *site,
                                      struct signed_in *session,
                                      const struct sign_in_passkey_answer *answer,
                                      char token[SIGN_IN_TOKEN_CHARS + 1], struct vault_error *err)
{
    struct passkey passkey;
    const struct bytes browser = {session->token_hash, sizeof session->token_hash};
    VAULT_TRY(sign_in_passkey_check(vault, site, PASSKEY_TO_REAUTHENTICATE, browser, false, answer,
                                    &passkey, err));
    if (!citizen_id_equal(&passkey.citizen, &session->citizen))
        return denied(err);
    return sign_in_refresh(vault, session, token, err);
}

/* --- Having them ---------------------------------------------------------------------------- */

static struct passkey_owner owner_of(const struct passkey_person *person)
{
    return (struct passkey_owner){
        .citizen = person->citizen ? &person->citizen->citizen : NULL,
        .mediator = person->mediator ? person->mediator->login : NULL,
    };
}

static const uint8_t *token_hash_of(const struct passkey_person *person)
{
    return person->citizen ? person->citizen->token_hash : person->mediator->token_hash;
}

/* What authenticators call somebody: the same for all of theirs, so that one keeps one passkey for
 * each; to everybody else it is random. */
static void write_user(struct vault *vault, const struct passkey_owner *owner,
                       uint8_t out[PASSKEY_USER_BYTES])
{
    static const char of_citizen[] = "vault/passkey-user/1";
    static const char of_mediator[] = "vault/passkey-mediator/1";
    uint8_t mac[SHA256_BYTES];
    struct bytes parts[] = {{(const uint8_t *)of_citizen, sizeof of_citizen}, {0}};
    if (owner->citizen) {
        parts[1] = (struct bytes){owner->citizen->bytes, sizeof owner->citizen->bytes};
    } else {
        parts[0] = (struct bytes){(const uint8_t *)of_mediator, sizeof of_mediator};
        parts[1] = bytes_of_text(owner->mediator);
    }
    hmac_sha256(mac, secret_view(vault->session_key), parts, 2);
    memcpy(out, mac, PASSKEY_USER_BYTES);
}

/* A citizen may have none; out then stays empty. */
static enum vault_code login_of(struct vault *vault, const struct passkey_person *person,
                                char out[SIGN_IN_LOGIN_CHARS + 1], struct vault_error *err)
{
    struct account account = {0};
    enum vault_code code = VAULT_OK;
    if (person->citizen)
        code = account_of_citizen(vault->store, &person->citizen->citizen, &account, err);
    if (code && code != VAULT_NOT_FOUND)
        return code;
    snprintf(out, SIGN_IN_LOGIN_CHARS + 1, "%s",
             person->citizen ? account.login : person->mediator->login);
    return VAULT_OK;
}

enum vault_code sign_in_passkey_owner(struct vault *vault, const struct passkey_person *person,
                                      struct sign_in_passkey_owner *out, struct vault_error *err)
{
    uint8_t user[PASSKEY_USER_BYTES];
    const struct passkey_owner owner = owner_of(person);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(sizeof out->user - 1);
    write_user(vault, &owner, user);
    base64url_encode(&text, (struct bytes){user, sizeof user});
    VAULT_TRY(buf_check(&text, err));
    VAULT_TRY(login_of(vault, person, out->login, err));
    snprintf(out->user, sizeof out->user, "%.*s", (int)text.size, (const char *)text.data);
    return VAULT_OK;
}

static enum vault_code spend_challenge(struct vault *vault, const struct passkey_person *person,
                                       int64_t challenge_ms, struct vault_error *err)
{
    const uint8_t *token_hash = token_hash_of(person);
    const enum vault_code code =
        person->citizen ? session_spend_challenge(vault->store, token_hash, challenge_ms, err)
                        : mediator_session_spend(vault->store, token_hash, challenge_ms, err);
    return code == VAULT_CONFLICT ? denied(err) : code;
}

/* In the place of a first password comes one that nobody knows. */
static enum vault_code add_first(struct vault *vault, const struct passkey *passkey,
                                 const uint8_t *token_hash, struct vault_error *err)
{
    uint8_t drawn[SHA256_BYTES];
    char hash[PASSWORD_HASH_CHARS];
    random_bytes(drawn, sizeof drawn);
    const enum vault_code code = password_hash((struct bytes){drawn, sizeof drawn}, hash, err);
    explicit_bzero(drawn, sizeof drawn);
    return code ? code : passkey_add_first(vault->store, passkey, hash, token_hash, err);
}

static enum vault_code keep(struct vault *vault, const struct passkey_person *person,
                            const struct passkey *passkey, struct vault_error *err)
{
    if (person->mediator && person->mediator->has_first_password)
        return add_first(vault, passkey, token_hash_of(person), err);
    VAULT_TRY(passkey_add(vault->store, passkey, err));
    return person->citizen
               ? sign_in_enter_told(vault, &person->citizen->citizen, "passkey added", NULL, err)
               : VAULT_OK;
}

enum vault_code sign_in_passkey_add(struct vault *vault, const struct passkey_site *site,
                                    const struct passkey_person *person, const char *name,
                                    const struct sign_in_passkey_answer *answer,
                                    struct vault_error *err)
{
    char challenge[PASSKEY_CHALLENGE_CHARS + 1];
    const struct passkey_owner owner = owner_of(person);
    const struct bytes browser = {token_hash_of(person), SHA256_BYTES};
    struct passkey passkey = {.created_s = clock_now_s(&vault->options.clock)};
    if (owner.citizen)
        passkey.citizen = *owner.citizen;
    else
        snprintf(passkey.mediator, sizeof passkey.mediator, "%s", owner.mediator);
    if (passkey_read_client(site, PASSKEY_MADE, answer->client_data, challenge, NULL))
        return denied(err);
    VAULT_TRY(
        check_challenge(vault, PASSKEY_TO_ADD, browser, challenge, &passkey.challenge_ms, err));
    if (passkey_verify_made(site, answer->authenticator_data, &passkey, NULL))
        return denied(err);
    VAULT_TRY(spend_challenge(vault, person, passkey.challenge_ms, err));
    write_user(vault, &owner, passkey.user);
    snprintf(passkey.name, sizeof passkey.name, "%s", name);
    return keep(vault, person, &passkey, err);
}

enum vault_code sign_in_passkey_rename(struct vault *vault, const struct passkey_person *person,
                                       struct bytes credential, const char *name,
                                       struct vault_error *err)
{
    const struct passkey_owner owner = owner_of(person);
    return passkey_rename(vault->store, &owner, credential, name, err);
}

/* Who has no other way in keeps one. */
static enum vault_code check_not_last(struct vault *vault, const struct passkey_person *person,
                                      struct vault_error *err)
{
    struct mediator mediator;
    if (!person->mediator || !vault->options.mediators_need_passkey)
        return VAULT_OK;
    VAULT_TRY(mediator_get(vault->store, person->mediator->login, &mediator, err));
    return mediator.passkeys > 1 ? VAULT_OK
                                 : vault_fail(err, VAULT_CONFLICT, "it is their only passkey");
}

enum vault_code sign_in_passkey_remove(struct vault *vault, const struct passkey_person *person,
                                       struct bytes credential, struct vault_error *err)
{
    const struct passkey_owner owner = owner_of(person);
    VAULT_TRY(check_not_last(vault, person, err));
    VAULT_TRY(
        passkey_remove(vault->store, &owner, credential, clock_now_s(&vault->options.clock), err));
    return person->citizen
               ? sign_in_enter_told(vault, &person->citizen->citizen, "passkey removed", NULL, err)
               : VAULT_OK;
}

struct listing {
    sign_in_passkey_each *each;
    void *context;
};

static enum vault_code list_one(void *context, const struct passkey *passkey,
                                struct vault_error *err)
{
    const struct listing *listing = context;
    const struct sign_in_passkey_shown shown = {passkey_credential(passkey), passkey->name,
                                                passkey->created_s, passkey->used_s};
    return listing->each(listing->context, &shown, err);
}

enum vault_code sign_in_passkey_list(struct vault *vault, const struct passkey_person *person,
                                     sign_in_passkey_each *each, void *context,
                                     struct vault_error *err)
{
    struct listing listing = {each, context};
    const struct passkey_owner owner = owner_of(person);
    return passkey_list(vault->store, &owner, list_one, &listing, err);
}
