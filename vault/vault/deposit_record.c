#include "deposit_record.h"

#include <string.h>

#include "vault/base/json.h"

#define DEPTH_MAX 3

static void write_text(struct buf *out, const char *name, const char *value)
{
    buf_format(out, ",\"%s\":", name);
    json_write_string(out, bytes_of_text(value));
}

void deposit_record_write(struct buf *out, const struct deposit_record *record)
{
    char client[HEX_CHARS(ENTRY_CLIENT_BYTES) + 1];
    char policy[HEX_CHARS(ENTRY_POLICY_BYTES) + 1];
    hex_string(client, record->client, sizeof record->client);
    hex_string(policy, record->policy_hash, sizeof record->policy_hash);
    buf_format(out, "{\"client\":\"%s\",\"policy\":{\"version\":%llu,\"manifest\":\"%s\"}", client,
               (unsigned long long)record->policy_version, policy);
    write_text(out, "service", record->service);
    write_text(out, "purpose", record->purpose);
    write_text(out, "what", record->what);
    write_text(out, "answer", record->answer);
    buf_byte(out, '}');
}

static bool read_hex(const json_t *object, const char *member, uint8_t *out, size_t size)
{
    return hex_decode_exact(out, size, json_text(json_object_get(object, member)), NULL) ==
           VAULT_OK;
}

static bool read_record(const json_t *root, struct deposit_record *out)
{
    const json_t *policy = json_object_get(root, "policy");
    const json_t *version = json_object_get(policy, "version");
    out->service = json_string_value(json_object_get(root, "service"));
    out->purpose = json_string_value(json_object_get(root, "purpose"));
    out->what = json_string_value(json_object_get(root, "what"));
    out->answer = json_string_value(json_object_get(root, "answer"));
    if (!out->service || !out->purpose || !out->what || !out->answer || !json_is_integer(version) ||
        json_integer_value(version) < 0)
        return false;
    out->policy_version = (uint64_t)json_integer_value(version);
    return read_hex(root, "client", out->client, sizeof out->client) &&
           read_hex(policy, "manifest", out->policy_hash, sizeof out->policy_hash);
}

enum vault_code deposit_record_enter(struct vault *vault, const struct citizen *citizen,
                                     struct event_chain *chain, struct bytes json,
                                     struct ledger_ticket *ticket, struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    struct deposit_record record;
    const enum vault_code code = json_parse(json, DEPTH_MAX, &root, NULL, err);
    if (code == VAULT_NO_MEMORY)
        return code;
    if (code || !read_record(root, &record))
        return vault_fail(err, VAULT_CORRUPT, "a deposit's record cannot be read");
    struct event event = {
        .kind = ENTRY_DEPOSIT,
        .service = record.service,
        .client_spki = record.client,
        .purpose = record.purpose,
        .has_policy = true,
        .policy_version = record.policy_version,
        .basis = bytes_of_text("deposit"),
        .what = bytes_of_text(record.what),
        .answer = bytes_of_text(record.answer),
    };
    memcpy(event.policy_hash, record.policy_hash, sizeof event.policy_hash);
    return event_of_citizen(vault, citizen, &event, chain, ticket, err);
}
