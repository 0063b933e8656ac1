#include "consent_json.h"

#include <stdio.h>
#include <stdlib.h>

#include "vault/base/codec.h"
#include "vault/base/insist.h"
#include "vault/crypto/hash.h"

#define DEPTH_MAX 4

static const char *const hows[CONSENT_HOW_COUNT] = {
    [CONSENT_OWN_SESSION] = "own session",
    [CONSENT_MANDATE] = "mandate",
    [CONSENT_OPERATOR] = "operator",
    [CONSENT_GUARDIAN] = "guardian",
};

const char *consent_how_name(enum consent_how how)
{
    return hows[how];
}

void consent_finish(struct consent *consent)
{
    free(consent->fields);
    consent->fields = NULL;
    consent->field_count = 0;
}

/* What happened, where it led, and for a suspension why. */
static bool read_state(const json_t *root, struct consent *out)
{
    const json_t *cause = json_object_get(root, "cause");
    out->state = consent_state_of(json_text(json_object_get(root, "state")));
    out->event = consent_event_of(json_text(json_object_get(root, "event")));
    out->cause = cause ? consent_cause_of(json_text(cause)) : CONSENT_BY_CITIZEN;
    return out->state < CONSENT_STORED_COUNT && out->event < CONSENT_EVENT_COUNT &&
           out->cause < CONSENT_CAUSE_COUNT;
}

bool consent_json_read_fields(json_t *fields, struct consent_field **out, size_t *out_count)
{
    const size_t count = json_object_size(fields);
    if (!json_is_object(fields) || count > CONSENT_FIELDS_MAX)
        return false;
    *out = insist_calloc(count + 1, sizeof **out, "reading a consent"); /* false is: damaged */
    *out_count = 0;
    const char *name;
    json_t *form;
    json_object_foreach(fields, name, form)
    {
        struct consent_field *field = &(*out)[*out_count];
        const int length = snprintf(field->name, sizeof field->name, "%s", name);
        if (length < 0 || (size_t)length >= sizeof field->name ||
            (!json_is_null(form) &&
             (!json_copy_text(form, field->form, sizeof field->form) || !field->form[0])))
            return false;
        ++*out_count;
    }
    return true;
}

/* What says nothing would allow more than any number: null alone is "unlimited". */
static bool read_uses(const json_t *root, int64_t *out)
{
    *out = CONSENT_UNLIMITED;
    return json_is_null(json_object_get(root, "uses")) ||
           json_copy_integer(json_object_get(root, "uses"), 1, out);
}

static bool read_policy(const json_t *policy, struct consent *out)
{
    int64_t version = 0;
    if (!policy)
        return true;
    if (!json_copy_integer(json_object_get(policy, "version"), 0, &version))
        return false;
    out->has_policy = true;
    out->policy_version = (uint64_t)version;
    return hex_decode_exact(out->policy_manifest, sizeof out->policy_manifest,
                            json_text(json_object_get(policy, "manifest")), NULL) == VAULT_OK;
}

/* Absent is empty. */
static bool read_request(const json_t *request, struct consent *out)
{
    return !request || json_copy_text(request, out->request, sizeof out->request);
}

/* Absent is empty. */
static bool read_guardian(const json_t *guardian, struct consent *out)
{
    return !guardian || json_copy_text(guardian, out->guardian, sizeof out->guardian);
}

/* Who decided. A record by somebody else says who. */
static bool read_how(const json_t *root, struct consent *out)
{
    const struct bytes name = json_text(json_object_get(root, "how"));
    int how = 0;
    while (how < CONSENT_HOW_COUNT && !bytes_equal(bytes_of_text(hows[how]), name))
        how++;
    out->how = (enum consent_how)how;
    return how == CONSENT_OWN_SESSION ||
           (how < CONSENT_HOW_COUNT &&
            json_copy_text(json_object_get(root, "by"), out->by, sizeof out->by) && out->by[0] &&
            (how != CONSENT_MANDATE ||
             json_copy_text(json_object_get(root, "mandate"), out->mandate, sizeof out->mandate)));
}

static bool read_members(const json_t *root, struct consent *out)
{
    return json_copy_integer(json_object_get(root, "version"), 1, &out->version) &&
           json_copy_integer(json_object_get(root, "at"), 0, &out->at_s) &&
           json_copy_integer(json_object_get(root, "expires"), 0, &out->expires_s) &&
           read_uses(root, &out->uses) &&
           json_copy_text(json_object_get(root, "id"), out->id, sizeof out->id) &&
           json_copy_text(json_object_get(root, "service"), out->service, sizeof out->service) &&
           json_copy_text(json_object_get(root, "purpose"), out->purpose, sizeof out->purpose) &&
           read_state(root, out) && read_how(root, out) &&
           read_guardian(json_object_get(root, "guardian"), out) &&
           read_policy(json_object_get(root, "policy"), out) &&
           read_request(json_object_get(root, "request"), out) &&
           consent_json_read_fields(json_object_get(root, "fields"), &out->fields,
                                    &out->field_count);
}

enum vault_code consent_json_read(struct bytes json, struct consent *out, struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    struct consent consent = {0};
    const enum vault_code code = json_parse(json, DEPTH_MAX, &root, NULL, err);
    if (code == VAULT_NO_MEMORY)
        return code;
    if (code || !read_members(root, &consent)) {
        consent_finish(&consent);
        return vault_fail(err, VAULT_CORRUPT, "a consent's record cannot be read");
    }
    *out = consent;
    return VAULT_OK;
}

static void write_member(struct buf *out, const char *name, const char *value)
{
    buf_format(out, ",\"%s\":", name);
    json_write_string(out, bytes_of_text(value));
}

void consent_json_write_fields(struct buf *out, const struct consent_field fields[], size_t count)
{
    buf_text(out, ",\"fields\":{");
    for (size_t i = 0; i < count; i++) {
        buf_text(out, i ? "," : "");
        json_write_string(out, bytes_of_text(fields[i].name));
        buf_byte(out, ':');
        if (fields[i].form[0])
            json_write_string(out, bytes_of_text(fields[i].form));
        else
            buf_text(out, "null");
    }
    buf_byte(out, '}');
}

static void write_policy(struct buf *out, const struct consent *consent)
{
    char hash[HEX_CHARS(SHA256_BYTES) + 1];
    hex_string(hash, consent->policy_manifest, SHA256_BYTES);
    buf_format(out, ",\"policy\":{\"version\":%llu,\"manifest\":\"%s\"}",
               (unsigned long long)consent->policy_version, hash);
}

/* The exact words shown, and their hash, so that it can be proved later what was agreed to. */
void consent_json_write_text(struct buf *out, const struct consent_decision *decision)
{
    uint8_t digest[SHA256_BYTES];
    char hash[HEX_CHARS(SHA256_BYTES) + 1];
    sha256_of(digest, bytes_of_text(decision->text));
    hex_string(hash, digest, sizeof digest);
    buf_format(out, ",\"text\":{\"sha256\":\"%s\"", hash);
    write_member(out, "language", decision->language);
    write_member(out, "shown", decision->text);
    buf_byte(out, '}');
}

void consent_json_write(struct buf *out, const struct consent *consent,
                        const struct consent_decision *decision)
{
    buf_format(out, "{\"how\":\"%s\"", hows[consent->how]);
    if (consent->how != CONSENT_OWN_SESSION) {
        write_member(out, "by", consent->by);
        if (consent->how == CONSENT_MANDATE)
            write_member(out, "mandate", consent->mandate);
    }
    if (consent->guardian[0])
        write_member(out, "guardian", consent->guardian);
    write_member(out, "id", consent->id);
    write_member(out, "service", consent->service);
    write_member(out, "purpose", consent->purpose);
    write_member(out, "state", consent_state_name(consent->state));
    write_member(out, "event", consent_event_name(consent->event));
    if (consent->cause != CONSENT_BY_CITIZEN)
        write_member(out, "cause", consent_cause_name(consent->cause));
    buf_format(out, ",\"version\":%lld,\"at\":%lld,\"expires\":%lld", (long long)consent->version,
               (long long)consent->at_s, (long long)consent->expires_s);
    if (consent->uses == CONSENT_UNLIMITED)
        buf_text(out, ",\"uses\":null");
    else
        buf_format(out, ",\"uses\":%lld", (long long)consent->uses);
    consent_json_write_fields(out, consent->fields, consent->field_count);
    if (consent->has_policy)
        write_policy(out, consent);
    if (consent->request[0])
        write_member(out, "request", consent->request);
    if (decision && decision->text)
        consent_json_write_text(out, decision);
    buf_byte(out, '}');
}
