#include "policy_register_write.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"
#include "vault/base/codec.h"
#include "vault/base/file.h"
#include "vault/base/folder.h"
#include "vault/base/json.h"
#include "vault/policy/diff.h"
#include "vault/policy/signature.h"
#include "vault/vault/policy_register.h"

#define RULES_FOLDER "rules"
#define JSON_SUFFIX  ".json"
#define NAME_CHARS   128
#define PAIRS_MAX    50000 /* of a purpose and who asks */

/* What is being written. */
struct writing {
    const struct vault *vault;
    const char *name;
    const struct policy *policy;
    int64_t now_s;
    struct policy_prospect *own;   /* of a class alone */
    struct policy_prospect *other; /* of a service with it */
    struct buf *out;
};

static void writing_finish(struct writing *writing)
{
    free(writing->own);
    free(writing->other);
}

/* --- Words ---------------------------------------------------------------------------------- */

typedef const char *words_of(const struct policy *policy, enum policy_kind kind, uint16_t index,
                             enum policy_language language);

static void write_words(struct writing *writing, const char *member, enum policy_kind kind,
                        uint16_t index, words_of *words)
{
    static const char *const languages[POLICY_LANGUAGE_COUNT] = {"fr", "en"};
    buf_format(writing->out, "\"%s\":{", member);
    for (unsigned i = 0; i < POLICY_LANGUAGE_COUNT; i++) {
        const char *text = words(writing->policy, kind, index, (enum policy_language)i);
        buf_format(writing->out, "%s\"%s\":", i ? "," : "", languages[i]);
        json_write_string(writing->out, bytes_of_text(text ? text : ""));
    }
    buf_byte(writing->out, '}');
}

static void write_id(struct writing *writing, const char *member, enum policy_kind kind,
                     uint16_t index)
{
    buf_format(writing->out, "\"%s\":", member);
    json_write_string(writing->out, bytes_of_text(policy_id(writing->policy, kind, index)));
    buf_byte(writing->out, ',');
}

/* --- Who may ask what ----------------------------------------------------------------------- */

static void write_field(struct writing *writing, const struct policy_prospect *prospect)
{
    const struct policy *policy = writing->policy;
    bool first = true;
    buf_byte(writing->out, '{');
    write_id(writing, "id", POLICY_FIELD, prospect->field);
    write_words(writing, "title", POLICY_FIELD, prospect->field, policy_title);
    buf_format(writing->out, ",\"type\":\"%s\",\"special\":%s,\"form\":\"%s\",\"bases\":[",
               policy_type_name(policy_field_type(policy, prospect->field)),
               policy_field_is_special(policy, prospect->field) ? "true" : "false",
               policy_form_name(policy, prospect->field, prospect->most));
    for (enum policy_basis basis = 0; basis < POLICY_BASIS_COUNT; basis++) {
        if (!(prospect->bases >> basis & 1))
            continue;
        buf_format(writing->out, "%s\"%s\"", first ? "" : ",", policy_basis_name(basis));
        first = false;
    }
    buf_text(writing->out, "]}");
}

static void write_service(struct writing *writing, uint16_t class, uint16_t service,
                          const struct policy_prospect prospects[], size_t count, bool *any)
{
    buf_text(writing->out, *any ? ",\n{" : "\n{");
    *any = true;
    write_id(writing, "class", POLICY_CLASS, class);
    write_words(writing, "title", POLICY_CLASS, class, policy_title);
    buf_text(writing->out, ",\"service\":");
    if (service == POLICY_NONE)
        buf_text(writing->out, "null");
    else
        json_write_string(writing->out,
                          bytes_of_text(policy_id(writing->policy, POLICY_SERVICE, service)));
    buf_text(writing->out, ",\"fields\":[");
    for (size_t i = 0; i < count; i++) {
        buf_text(writing->out, i ? "," : "");
        write_field(writing, &prospects[i]);
    }
    buf_text(writing->out, "]}");
}

static bool is_same(const struct policy_prospect a[], size_t a_count,
                    const struct policy_prospect b[], size_t b_count)
{
    bool same = a_count == b_count;
    for (size_t i = 0; i < a_count && same; i++)
        same = a[i].field == b[i].field && a[i].most == b[i].most && a[i].bases == b[i].bases;
    return same;
}

/* A class, and each service that rules name where it has something else than its class. */
static void write_class(struct writing *writing, uint16_t purpose, uint16_t class, bool *any)
{
    struct policy_actor actor = {.service = POLICY_NONE, .class_count = 1, .classes = {class}};
    const size_t count =
        policy_prospects(writing->policy, &actor, purpose, writing->now_s, writing->own);
    if (count)
        write_service(writing, class, POLICY_NONE, writing->own, count, any);
    for (size_t i = 0; i < policy_count(writing->policy, POLICY_SERVICE); i++) {
        actor.service = (uint16_t)i;
        const size_t others =
            policy_prospects(writing->policy, &actor, purpose, writing->now_s, writing->other);
        if (!is_same(writing->own, count, writing->other, others))
            write_service(writing, class, actor.service, writing->other, others, any);
    }
}

static void write_purpose(struct writing *writing, uint16_t purpose)
{
    bool any = false;
    const unsigned days = policy_purpose_consent_days(writing->policy, purpose);
    buf_byte(writing->out, '{');
    write_id(writing, "id", POLICY_PURPOSE, purpose);
    write_words(writing, "title", POLICY_PURPOSE, purpose, policy_title);
    buf_byte(writing->out, ',');
    write_words(writing, "text", POLICY_PURPOSE, purpose, policy_text);
    if (days)
        buf_format(writing->out, ",\"consent_at_most_days\":%u,\"services\":[", days);
    else
        buf_text(writing->out, ",\"consent_at_most_days\":null,\"services\":[");
    for (size_t i = 0; i < policy_count(writing->policy, POLICY_CLASS); i++)
        write_class(writing, purpose, (uint16_t)i, &any);
    buf_text(writing->out, "]}");
}

static void write_reasons(struct writing *writing)
{
    buf_byte(writing->out, '[');
    for (size_t i = 0; i < policy_count(writing->policy, POLICY_RULE); i++) {
        buf_text(writing->out, i ? ",\n{" : "\n{");
        write_id(writing, "rule", POLICY_RULE, (uint16_t)i);
        write_words(writing, "why", POLICY_RULE, (uint16_t)i, policy_text);
        buf_byte(writing->out, '}');
    }
    buf_byte(writing->out, ']');
}

/* --- The rules as they were signed ---------------------------------------------------------- */

static bool has_suffix(const char *name, const char *suffix)
{
    const size_t size = strlen(name);
    return size > strlen(suffix) && strcmp(name + size - strlen(suffix), suffix) == 0;
}

static enum vault_code write_rule_file(const char *folder, const char *file, bool first,
                                       struct buf *out, struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(POLICY_FILE_BYTES_MAX);
    VAULT_TRY(file_join(path, sizeof path, folder, file, err));
    VAULT_TRY(file_read(path, &text, err));
    buf_text(out, first ? "\n" : ",\n");
    json_write_string(out, bytes_of_text(file));
    buf_byte(out, ':');
    buf_bytes(out, buf_view(&text));
    return VAULT_OK;
}

static enum vault_code write_rules(const struct writing *writing, struct buf *out,
                                   struct vault_error *err)
{
    char copy[PATH_MAX];
    char folder[PATH_MAX];
    bool first = true;
    VAULT_TRY(file_join(copy, sizeof copy, writing->vault->policy_dir, writing->name, err));
    VAULT_TRY(file_join(folder, sizeof folder, copy, RULES_FOLDER, err));
    VAULT_AUTO(folder_close) DIR *dir = opendir(folder);
    if (!dir)
        return vault_fail_errno(err, "opening the folder %s", folder);
    buf_byte(out, '{');
    const struct dirent *entry = NULL;
    for (;;) {
        VAULT_TRY(folder_next(dir, folder, &entry, err));
        if (!entry)
            break;
        if (!has_suffix(entry->d_name, JSON_SUFFIX))
            continue;
        VAULT_TRY(write_rule_file(folder, entry->d_name, first, out, err));
        first = false;
    }
    buf_byte(out, '}');
    return buf_check(out, err);
}

/* --- Both files ----------------------------------------------------------------------------- */

static enum vault_code path_of(const struct vault *vault, const char *name, const char *suffix,
                               char out[PATH_MAX], struct vault_error *err)
{
    char file[NAME_CHARS];
    snprintf(file, sizeof file, "%s%s", name, suffix);
    return file_join(out, PATH_MAX, vault->policy_dir, file, err);
}

/* How often it would have to be asked what somebody could get. */
static size_t pairs_of(const struct policy *policy)
{
    return policy_count(policy, POLICY_PURPOSE) * policy_count(policy, POLICY_CLASS) *
           (policy_count(policy, POLICY_SERVICE) + 1);
}

/* Who may ask what, for each purpose; nothing where that is more than a register can hold. */
static bool write_purposes(struct writing *writing)
{
    if (pairs_of(writing->policy) > PAIRS_MAX)
        return false;
    buf_byte(writing->out, '[');
    for (size_t i = 0; i < policy_count(writing->policy, POLICY_PURPOSE); i++) {
        if (writing->out->problem)
            return false;
        buf_text(writing->out, i ? ",\n" : "\n");
        write_purpose(writing, (uint16_t)i);
    }
    buf_byte(writing->out, ']');
    return !writing->out->problem;
}

/* Append a part, or that it did not fit. */
static void add_part(struct buf *out, const char *name, const struct buf *part, bool fits)
{
    buf_text(out, name);
    if (fits && !part->problem)
        buf_bytes(out, buf_view(part));
    else
        buf_text(out, "null");
}

/* Each part has its room, so that a large one costs only itself. */
static enum vault_code write_content(struct writing *writing, struct buf *out,
                                     struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf part = buf_limited(POLICY_REGISTER_BYTES_MAX / 4);
    VAULT_AUTO(buf_finish) struct buf rules = buf_limited(POLICY_REGISTER_BYTES_MAX / 4);
    writing->out = &part;
    const bool has_purposes = write_purposes(writing);
    add_part(out, "{\"purposes\":", &part, has_purposes);
    buf_clear(&part);
    write_reasons(writing);
    add_part(out, ",\"reasons\":", &part, true);
    writing->out = NULL;
    const enum vault_code code = write_rules(writing, &rules, err);
    if (code && code != VAULT_TOO_LARGE)
        return code;
    add_part(out, ",\"rules\":", &rules, code == VAULT_OK);
    buf_byte(out, '}');
    return buf_check(out, err);
}

enum vault_code policy_register_write(const struct vault *vault, const char *name,
                                      const struct policy *policy, struct vault_error *err)
{
    char path[PATH_MAX];
    const size_t fields = policy_count(policy, POLICY_FIELD) + 1;
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(POLICY_REGISTER_BYTES_MAX);
    VAULT_AUTO(writing_finish)
    struct writing writing = {.vault = vault,
                              .name = name,
                              .policy = policy,
                              .now_s = clock_now_s(&vault->options.clock),
                              .own = calloc(fields, sizeof(struct policy_prospect)),
                              .other = calloc(fields, sizeof(struct policy_prospect))};
    if (!writing.own || !writing.other)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    VAULT_TRY(write_content(&writing, &out, err));
    VAULT_TRY(path_of(vault, name, POLICY_REGISTER_SUFFIX, path, err));
    return file_replace(path, buf_view(&out), 0600, err);
}

static void write_changes(const struct policy_passed *passed, struct buf *out)
{
    if (!passed || !passed->compared) {
        buf_text(out, ",\"changes\":null");
        return;
    }
    buf_text(out, ",\"changes\":{");
    for (unsigned i = 0; i < POLICY_CHANGE_KINDS; i++)
        buf_format(out, "\"%s\":%zu,", policy_change_name((enum policy_change_kind)i),
                   passed->changes[i]);
    buf_format(out, "\"besides\":%zu}", passed->besides);
}

static enum vault_code write_signers(const struct policy_activated *activated, struct buf *out,
                                     struct vault_error *err)
{
    bool first = true;
    bool signed_by[POLICY_TRUST_MAX] = {false};
    VAULT_TRY(policy_signed_by(activated->bundle, activated->trust, signed_by, err));
    buf_text(out, ",\"signed_by\":[");
    for (size_t i = 0; i < activated->trust->count; i++) {
        if (!signed_by[i])
            continue;
        buf_text(out, first ? "" : ",");
        json_write_string(out, bytes_of_text(activated->trust->keys[i].key.name));
        first = false;
    }
    buf_byte(out, ']');
    return VAULT_OK;
}

enum vault_code policy_record_write(const struct vault *vault, const char *name,
                                    const struct policy_activated *activated,
                                    struct vault_error *err)
{
    char path[PATH_MAX];
    char hash[HEX_CHARS(SHA256_BYTES) + 1];
    char instant[INSTANT_CHARS + 1];
    const struct ledger_ticket *ticket = activated->ticket;
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(POLICY_RECORD_BYTES_MAX);
    hex_string(hash, policy_manifest_hash(activated->policy), SHA256_BYTES);
    buf_format(
        &out, "{\"version\":%llu,\"name\":", (unsigned long long)policy_version(activated->policy));
    json_write_string(&out, bytes_of_text(policy_name(activated->policy)));
    buf_format(&out, ",\"manifest_sha256\":\"%s\"", hash);
    if (ticket) {
        instant_format(instant, ticket->time_ms / 1000);
        buf_format(&out, ",\"activated\":\"%s\",\"log_index\":%llu", instant,
                   (unsigned long long)ticket->index);
    } else {
        buf_text(&out, ",\"activated\":null,\"log_index\":null");
    }
    VAULT_TRY(write_signers(activated, &out, err));
    write_changes(activated->passed, &out);
    buf_format(&out, ",\"widens\":%s}",
               activated->passed && activated->passed->widens ? "true" : "false");
    VAULT_TRY(buf_check(&out, err));
    VAULT_TRY(path_of(vault, name, POLICY_RECORD_SUFFIX, path, err));
    return file_replace(path, buf_view(&out), 0600, err);
}

bool policy_record_exists(const struct vault *vault, const char *name)
{
    char path[PATH_MAX];
    return path_of(vault, name, POLICY_RECORD_SUFFIX, path, NULL) == VAULT_OK && file_exists(path);
}
