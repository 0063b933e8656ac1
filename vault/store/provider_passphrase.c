/*
 * The provider "passphrase": the key is Argon2id of a passphrase that a person types at each start.
 * The note in the keyring: a version, the cost (kibibytes, passes, lanes) and the salt.
 */
#include <string.h>

#include "provider_kinds.h"
#include "vault/crypto/password.h"

#define NOTE_VERSION 1

/* What is derived opens everything, and seldom: more than a login's password costs. */
static const struct password_cost cost_now = {.memory_kib = 256U * 1024, .passes = 3, .lanes = 4};

static enum vault_code create(const struct keyring_provider *options, struct buf *note,
                              struct provider *provider, struct vault_error *err)
{
    uint8_t salt[PASSWORD_SALT_BYTES];
    const struct bytes passphrase = secret_view(options->secret);
    if (passphrase.size < KEYRING_PASSPHRASE_MIN_BYTES)
        return vault_fail(err, VAULT_INVALID, "a passphrase for the vault has at least %d bytes",
                          KEYRING_PASSPHRASE_MIN_BYTES);
    random_bytes(salt, sizeof salt);
    buf_byte(note, NOTE_VERSION);
    buf_u32(note, cost_now.memory_kib);
    buf_u32(note, cost_now.passes);
    buf_u32(note, cost_now.lanes);
    buf_append(note, salt, sizeof salt);
    VAULT_TRY(buf_check(note, err));
    return password_key(passphrase, (struct bytes){salt, sizeof salt}, &cost_now, &provider->key,
                        err);
}

static enum vault_code open_key(const struct keyring_provider *options, struct bytes note,
                                struct provider *provider, struct vault_error *err)
{
    struct cursor cursor = cursor_over(note);
    const uint8_t version = cursor_u8(&cursor);
    struct password_cost cost;
    cost.memory_kib = cursor_u32(&cursor);
    cost.passes = cursor_u32(&cursor);
    cost.lanes = cursor_u32(&cursor);
    const struct bytes salt = cursor_take(&cursor, PASSWORD_SALT_BYTES);
    if (version != NOTE_VERSION || cursor.truncated || cursor.left)
        return vault_fail(err, VAULT_CORRUPT,
                          "the keyring is damaged: it does not say how the passphrase makes a key");
    const enum vault_code code =
        password_key(secret_view(options->secret), salt, &cost, &provider->key, err);
    if (code == VAULT_INVALID && secret_view(options->secret).size <= PASSWORD_MAX_BYTES)
        return vault_fail(err, VAULT_CORRUPT,
                          "the keyring is damaged: the passphrase's cost is out of bounds");
    return code;
}

const struct provider_kind provider_passphrase = {
    .name = "passphrase",
    .whose = "the passphrase",
    .needs = "passphrase",
    .create = create,
    .open = open_key,
};
