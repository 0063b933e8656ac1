#include "vault/vault/sign_in_code.h"

#include <stdio.h>
#include <string.h>

#include "code.h"
#include "counting.h"
#include "new_password.h"
#include "parts.h"
#include "sign_in_parts.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/password.h"
#include "vault/store/account.h"
#include "vault/store/session.h"
#include "vault/store/sign_in_code.h"
#include "vault/vault/people.h"

#define DAY_S 86400

_Static_assert(SIGN_IN_RECOVERY_CODES <= SIGN_IN_CODES_MAX, "all are kept");
_Static_assert(SIGN_IN_CODE_CHARS == CODE_CHARS(SIGN_IN_CODE_LETTERS) &&
                   SIGN_IN_CODE_LETTERS <= CODE_LETTERS_MAX,
               "groups with a sign between them");

size_t sign_in_code_read(struct bytes typed, uint8_t out[SIGN_IN_CODE_LETTERS])
{
    _Static_assert(SIGN_IN_CODE_LETTERS == CODE_LETTERS_MAX, "there is room");
    static const size_t counts[] = {SIGN_IN_CODE_LETTERS, SIGN_IN_CODE_LETTERS_ONCE};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (code_read(typed, counts[i], out))
            return counts[i];
    }
    return 0;
}

static bool hash_code(const struct vault *vault, struct bytes typed, uint8_t out[SHA256_BYTES])
{
    static const char label[] = "vault/sign-in-code/1";
    uint8_t letters[CODE_LETTERS_MAX];
    const size_t count = sign_in_code_read(typed, letters);
    if (!count)
        return false;
    const struct bytes parts[] = {{(const uint8_t *)label, sizeof label}, {letters, count}};
    hmac_sha256(out, secret_view(vault->session_key), parts, 2);
    explicit_bzero(letters, sizeof letters);
    return true;
}

static enum vault_code make(struct vault *vault, const struct citizen_id *citizen,
                            enum sign_in_code_kind kind, char (*codes)[SIGN_IN_CODE_CHARS + 1],
                            size_t count, int64_t expires_s, struct vault_error *err)
{
    uint8_t hashes[SIGN_IN_CODES_MAX][SHA256_BYTES];
    for (size_t i = 0; i < count; i++) {
        code_draw(SIGN_IN_CODE_LETTERS, codes[i]);
        hash_code(vault, bytes_of_text(codes[i]), hashes[i]);
    }
    return sign_in_codes_set(vault->store, citizen, kind, (const uint8_t(*)[SHA256_BYTES])hashes,
                             count, expires_s, err);
}

/* --- Recovery ------------------------------------------------------------------------------- */

enum vault_code sign_in_recovery_make(struct vault *vault, const struct signed_in *session,
                                      char codes[SIGN_IN_RECOVERY_CODES][SIGN_IN_CODE_CHARS + 1],
                                      struct vault_error *err)
{
    VAULT_TRY(make(vault, &session->citizen, SIGN_IN_CODE_RECOVERY, codes, SIGN_IN_RECOVERY_CODES,
                   INT64_MAX, err));
    return sign_in_enter_told(vault, &session->citizen, "recovery codes made", NULL, err);
}

enum vault_code sign_in_recovery_left(struct vault *vault, const struct signed_in *session,
                                      uint64_t *count, struct vault_error *err)
{
    return sign_in_codes_count(vault->store, &session->citizen, SIGN_IN_CODE_RECOVERY, count, err);
}

enum vault_code sign_in_recovery_use(struct vault *vault, const struct citizen_id *citizen,
                                     struct bytes typed, struct vault_error *err)
{
    uint8_t hash[SHA256_BYTES];
    char how[64];
    struct citizen_id whose;
    uint64_t left = 0;
    if (!hash_code(vault, typed, hash))
        return vault_fail(err, VAULT_NOT_FOUND, "that is no recovery code");
    VAULT_TRY(sign_in_code_use(vault->store, SIGN_IN_CODE_RECOVERY, hash, citizen,
                               clock_now_s(&vault->options.clock), &whose, &left, err));
    snprintf(how, sizeof how, "recovery %llu", (unsigned long long)left);
    return sign_in_enter_told(vault, citizen, how, NULL, err);
}

/* --- Activation ----------------------------------------------------------------------------- */

enum vault_code sign_in_activation_make(struct vault *vault, const char *reference,
                                        struct sign_in_activation *out, struct vault_error *err)
{
    struct citizen_id citizen;
    struct account account;
    char code[1][SIGN_IN_CODE_CHARS + 1];
    const int64_t expires_s =
        clock_now_s(&vault->options.clock) + (int64_t)SIGN_IN_ACTIVATION_DAYS * DAY_S;
    VAULT_TRY(people_find(vault, reference, &citizen, err));
    VAULT_TRY(account_of_citizen(vault->store, &citizen, &account, err));
    VAULT_TRY(make(vault, &citizen, SIGN_IN_CODE_ACTIVATION, code, 1, expires_s, err));
    VAULT_TRY(sign_in_enter_told(vault, &citizen, "activation code made", "operator", err));
    memcpy(out->code, code[0], sizeof out->code);
    memcpy(out->login, account.login, sizeof out->login);
    out->expires_s = expires_s;
    explicit_bzero(code, sizeof code);
    return VAULT_OK;
}

enum vault_code sign_in_activate(struct vault *vault, struct bytes code, struct bytes new_password,
                                 char token[SIGN_IN_TOKEN_CHARS + 1], struct vault_error *err)
{
    uint8_t hash[SHA256_BYTES];
    char password[PASSWORD_HASH_CHARS];
    struct citizen_id citizen;
    uint64_t left = 0;
    VAULT_TRY(new_password_check(vault->new_password, new_password, NULL, err));
    VAULT_TRY(password_hash(new_password, password, err));
    const enum vault_code used =
        hash_code(vault, code, hash)
            ? sign_in_code_use(vault->store, SIGN_IN_CODE_ACTIVATION, hash, NULL,
                               clock_now_s(&vault->options.clock), &citizen, &left, err)
            : VAULT_NOT_FOUND;
    figure_count_try(vault, used == VAULT_NOT_FOUND ? VAULT_DENIED : used, FIGURE_ACTIVATION_TAKEN,
                     FIGURE_ACTIVATION_REFUSED);
    if (used == VAULT_NOT_FOUND)
        return vault_fail(err, VAULT_DENIED, "there is no such activation code");
    if (used)
        return used;
    VAULT_TRY(account_set_password(vault->store, &citizen, password, err));
    VAULT_TRY(session_remove_all(vault->store, &citizen, NULL, err));
    VAULT_TRY(sign_in_enter_told(vault, &citizen, "activation", NULL, err));
    return sign_in_begin(vault, &citizen, token, err);
}
