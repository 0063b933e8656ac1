#include "vault/ledger/opening.h"

#include <string.h>

#include "vault/base/codec.h"
#include "vault/base/json.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/secret.h"

#define DEPTH_MAX 2

void opening_commitment(uint8_t out[ENTRY_COMMITMENT_BYTES], const uint8_t salt[OPENING_SALT_BYTES],
                        struct bytes value)
{
    hmac_sha256_salted(out, (struct bytes){salt, OPENING_SALT_BYTES}, value);
}

void opening_commit(struct opening *opening, struct entry *entry, enum entry_key key,
                    struct bytes value)
{
    struct opening_field *field = &opening->fields[key];
    struct entry_commitment *commitment = &entry->commitments[key];
    random_bytes(field->salt, sizeof field->salt);
    field->value = value;
    field->present = commitment->present = true;
    opening_commitment(commitment->hash, field->salt, value);
}

static void write_field(const struct opening_field *field, const char *name, struct buf *out)
{
    char salt[BASE64_CHARS(OPENING_SALT_BYTES) + 1];
    base64_string(salt, field->salt, sizeof field->salt);
    buf_texts(out, "\"", name, "\":{\"salt\":\"", salt, "\",\"value\":");
    json_write_string(out, field->value);
    buf_byte(out, '}');
    explicit_bzero(salt, sizeof salt);
}

enum vault_code opening_write(const struct opening *opening, struct buf *out,
                              struct vault_error *err)
{
    const size_t before = out->size;
    const char *separator = "{";
    for (unsigned i = 0; i < ENTRY_KEY_COUNT; i++) {
        const struct opening_field *field = &opening->fields[i];
        if (!field->present)
            continue;
        if (field->value.size > OPENING_VALUE_MAX_BYTES)
            return vault_fail(err, VAULT_TOO_LARGE, "the opening's %s has more than %d bytes",
                              entry_key_name((enum entry_key)i), OPENING_VALUE_MAX_BYTES);
        buf_text(out, separator);
        write_field(field, entry_key_name((enum entry_key)i), out);
        separator = ",";
    }
    buf_text(out, *separator == '{' ? "{}" : "}");
    VAULT_TRY(buf_check(out, err));
    if (out->size - before > OPENING_MAX_BYTES)
        return vault_fail(err, VAULT_TOO_LARGE, "the opening has more than %d bytes",
                          OPENING_MAX_BYTES);
    return VAULT_OK;
}

static bool read_field(const json_t *json, struct opening_field *field, struct buf *storage)
{
    static const char *const members[] = {"salt", "value", NULL};
    const struct bytes salt = json_text(json_object_get(json, "salt"));
    const struct bytes value = json_text(json_object_get(json, "value"));
    if (!json_is_object(json) || json_unknown_member(json, members) || !value.data ||
        value.size > OPENING_VALUE_MAX_BYTES || !salt.data ||
        base64_decode_exact(field->salt, sizeof field->salt, salt, NULL) != VAULT_OK)
        return false;
    field->present = true;
    field->value =
        (struct bytes){NULL, value.size}; /* its place is set when storage stands still */
    buf_bytes(storage, value);
    return true;
}

static enum vault_code read_fields(const json_t *root, struct opening *opening, struct buf *storage,
                                   struct vault_error *err)
{
    size_t known = 0;
    for (unsigned i = 0; i < ENTRY_KEY_COUNT; i++) {
        const char *name = entry_key_name((enum entry_key)i);
        const json_t *json = json_object_get(root, name);
        if (!json)
            continue;
        known++;
        if (!read_field(json, &opening->fields[i], storage))
            return vault_fail(err, VAULT_INVALID, "the opening's %s is not salt and value", name);
    }
    if (!json_is_object(root) || known != json_object_size(root))
        return vault_fail(err, VAULT_INVALID, "an opening with a key that entries do not have");
    return VAULT_OK;
}

enum vault_code opening_parse_json(const json_t *root, struct buf *storage, struct opening *out,
                                   struct vault_error *err)
{
    struct opening opening = {0};
    buf_clear(storage);
    VAULT_TRY(read_fields(root, &opening, storage, err));
    VAULT_TRY(buf_check(storage, err));
    const uint8_t *place = storage->data;
    for (unsigned i = 0; i < ENTRY_KEY_COUNT; i++) {
        if (!opening.fields[i].present)
            continue;
        opening.fields[i].value.data = place;
        place += opening.fields[i].value.size;
    }
    *out = opening;
    explicit_bzero(&opening, sizeof opening);
    return VAULT_OK;
}

enum vault_code opening_parse(struct bytes json, struct buf *storage, struct opening *out,
                              struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    if (json.size > OPENING_MAX_BYTES)
        return vault_fail(err, VAULT_INVALID, "the opening has more than %d bytes",
                          OPENING_MAX_BYTES);
    VAULT_TRY(json_parse(json, DEPTH_MAX, &root, NULL, err));
    return opening_parse_json(root, storage, out, err);
}

enum vault_code opening_check(const struct opening *opening, const struct entry *entry,
                              struct vault_error *err)
{
    for (unsigned i = 0; i < ENTRY_KEY_COUNT; i++) {
        const struct opening_field *field = &opening->fields[i];
        uint8_t hash[ENTRY_COMMITMENT_BYTES];
        if (!field->present)
            continue;
        opening_commitment(hash, field->salt, field->value);
        if (!entry->commitments[i].present ||
            memcmp(hash, entry->commitments[i].hash, sizeof hash) != 0)
            return vault_fail(err, VAULT_DENIED, "the entry committed to another %s",
                              entry_key_name((enum entry_key)i));
    }
    return VAULT_OK;
}
