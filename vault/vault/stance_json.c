#include "stance_json.h"

#include <string.h>

#include "vault/base/json.h"

#define DEPTH_MAX 2

static bool read_flag(const json_t *root, const char *member, bool *out)
{
    const json_t *value = json_object_get(root, member);
    *out = json_is_true(value);
    return json_is_boolean(value);
}

static bool read_name(const json_t *root, const char *member, char out[CONSENT_NAME_CHARS + 1])
{
    const struct bytes name = json_text(json_object_get(root, member));
    if (!entry_id_is_valid(name))
        return false;
    memcpy(out, name.data, name.size);
    out[name.size] = 0;
    return true;
}

/* Absent is no. */
static bool read_restricted(const json_t *root, struct pause_record *out)
{
    out->restricted = false;
    if (!json_object_get(root, "restricted"))
        return true;
    return read_flag(root, "restricted", &out->restricted) && out->restricted && out->paused;
}

enum vault_code pause_json_read(struct bytes json, struct pause_record *out,
                                struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    struct pause_record record;
    const enum vault_code code = json_parse(json, DEPTH_MAX, &root, NULL, err);
    if (code == VAULT_NO_MEMORY)
        return code;
    if (code || !read_flag(root, "paused", &record.paused) ||
        !json_copy_integer(json_object_get(root, "at"), 0, &record.at_s) ||
        !read_restricted(root, &record))
        return vault_fail(err, VAULT_CORRUPT, "the record of a pause cannot be read");
    *out = record;
    return VAULT_OK;
}

enum vault_code objection_json_read(struct bytes json, struct objection *out,
                                    struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    struct objection record;
    const enum vault_code code = json_parse(json, DEPTH_MAX, &root, NULL, err);
    if (code == VAULT_NO_MEMORY)
        return code;
    if (code || !read_name(root, "service", record.service) ||
        !read_name(root, "purpose", record.purpose) ||
        !read_flag(root, "objects", &record.stands) ||
        !json_copy_integer(json_object_get(root, "at"), 0, &record.at_s))
        return vault_fail(err, VAULT_CORRUPT, "the record of an objection cannot be read");
    *out = record;
    return VAULT_OK;
}

void pause_json_write(struct buf *out, const struct pause_record *record)
{
    buf_format(out, "{\"paused\":%s,\"at\":%lld%s}", record->paused ? "true" : "false",
               (long long)record->at_s, record->restricted ? ",\"restricted\":true" : "");
}

void objection_json_write(struct buf *out, const struct objection *objection)
{
    buf_text(out, "{\"service\":");
    json_write_string(out, bytes_of_text(objection->service));
    buf_text(out, ",\"purpose\":");
    json_write_string(out, bytes_of_text(objection->purpose));
    buf_format(out, ",\"objects\":%s,\"at\":%lld}", objection->stands ? "true" : "false",
               (long long)objection->at_s);
}
