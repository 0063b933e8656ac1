#include "load.h"

#include <stdlib.h>
#include <string.h>

#include "vault/base/clock.h"
#include "vault/base/json.h"

enum vault_code load_no_memory(struct reader *reader)
{
    return vault_fail(reader->err, VAULT_NO_MEMORY, "out of memory");
}

static bool is_lower(uint8_t c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_word_character(uint8_t c)
{
    return is_lower(c) || (c >= '0' && c <= '9') || c == '_';
}

/* [a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+ */
static bool is_field_name(struct bytes id)
{
    bool at_start = true;
    size_t parts = 0;
    for (size_t i = 0; i < id.size; i++) {
        const uint8_t c = id.data[i];
        if (at_start ? !is_lower(c) : !is_word_character(c) && c != '.')
            return false;
        at_start = c == '.';
        parts += at_start;
    }
    return parts > 0 && !at_start;
}

static bool is_plain_name(struct bytes id)
{
    for (size_t i = 0; i < id.size; i++) {
        const uint8_t c = id.data[i];
        if (i == 0 ? !is_lower(c) : !is_word_character(c) && c != '.' && c != '-')
            return false;
    }
    return true;
}

bool id_is_valid(struct bytes id, enum id_grammar grammar)
{
    if (id.size == 0 || id.size > POLICY_ID_CHARS_MAX)
        return false;
    return grammar == ID_FIELD ? is_field_name(id) : is_plain_name(id);
}

enum vault_code load_id(struct reader *reader, const json_t *object, const char *member,
                        enum id_grammar grammar, struct bytes *out)
{
    const struct bytes id = json_text(json_object_get(object, member));
    if (!id_is_valid(id, grammar)) {
        reader_enter(reader, member);
        return reader_refuse(reader, VAULT_INVALID,
                             grammar == ID_FIELD
                                 ? "must be category.name of a-z, 0-9 and _, at most %d characters"
                                 : "must begin with a-z and go on with a-z, 0-9, _ . or -, at most "
                                   "%d characters",
                             POLICY_ID_CHARS_MAX);
    }
    *out = id;
    return VAULT_OK;
}

enum vault_code load_instant(struct reader *reader, const json_t *object, const char *member,
                             int64_t none_s, int64_t *out_s)
{
    const json_t *text = json_object_get(object, member);
    if (!text) {
        *out_s = none_s;
        return VAULT_OK;
    }
    if (instant_parse(json_text(text), out_s, NULL) == VAULT_OK)
        return VAULT_OK;
    reader_enter(reader, member);
    return reader_refuse(reader, VAULT_INVALID,
                         "must be a time that exists, written YYYY-MM-DDThh:mm:ssZ");
}

enum vault_code load_words(struct reader *reader, struct arena *arena, const json_t *object,
                           const char *member, struct words *out)
{
    static const struct reader_member members[] = {
        {"fr", READ_STRING, false},
        {"en", READ_STRING, false},
    };
    static const char *const languages[POLICY_LANGUAGE_COUNT] = {
        [POLICY_FR] = "fr", [POLICY_EN] = "en"};
    const json_t *words = json_object_get(object, member);
    struct words result = {{NULL}};
    if (words) {
        const size_t mark = reader_enter(reader, member);
        VAULT_TRY(reader_check_members(reader, words, READER_MEMBERS(members)));
        reader_leave(reader, mark);
    }
    for (size_t i = 0; i < POLICY_LANGUAGE_COUNT; i++) {
        const struct bytes text = json_text(json_object_get(words, languages[i]));
        if (text.size && !(result.in[i] = arena_text(arena, text)))
            return load_no_memory(reader);
    }
    *out = result;
    return VAULT_OK;
}

static enum vault_code load_catalogue(struct policy *policy, const struct bundle *bundle,
                                      struct policy_fault *fault, struct vault_error *err)
{
    const struct bundle_file *file = bundle_file_of(bundle, FILE_CATALOGUE);
    VAULT_AUTO(json_free) json_t *root = NULL;
    VAULT_AUTO(reader_finish)
    struct reader reader = reader_over(file->path, buf_view(&file->content), fault, err);
    VAULT_TRY(reader_parse(&reader, &root));
    return catalogue_load(policy, &reader, root);
}

/* Lay the rules out; what does not fit is shown at the rule that is too many. */
static enum vault_code load_table(struct policy *policy, const struct bundle *bundle,
                                  struct policy_fault *fault, struct vault_error *err)
{
    char reason[256] = "out of memory";
    size_t rule = 0;
    const enum vault_code code = table_build(policy, &rule, reason);
    if (code == VAULT_OK)
        return VAULT_OK;
    if (code == VAULT_NO_MEMORY || !policy->rule_count)
        return bundle_refuse(fault, err, code, "", "%s", reason);
    VAULT_AUTO(reader_finish)
    struct reader reader = rule_reader(bundle, &policy->rules[rule], fault, err);
    return reader_refuse(&reader, code, "%s", reason);
}

static enum vault_code take_manifest(struct policy *policy, const struct bundle *bundle,
                                     struct vault_error *err)
{
    const struct manifest *manifest = &bundle->manifest;
    policy->version = manifest->version;
    policy->not_before_s = manifest->not_before_s;
    policy->expires_s = manifest->expires_s;
    memcpy(policy->manifest_hash, bundle->manifest_hash, SHA256_BYTES);
    policy->name = arena_text(&policy->arena, bytes_of_text(manifest->name));
    return policy->name ? VAULT_OK : vault_fail(err, VAULT_NO_MEMORY, "out of memory");
}

enum vault_code policy_compile(const struct bundle *bundle, struct policy **out,
                               struct policy_fault *fault, struct vault_error *err)
{
    VAULT_AUTO(policy_free) struct policy *policy = calloc(1, sizeof *policy);
    if (!policy)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    VAULT_TRY(take_manifest(policy, bundle, err));
    VAULT_TRY(load_catalogue(policy, bundle, fault, err));
    VAULT_TRY(rules_load(policy, bundle, fault, err));
    VAULT_TRY(load_table(policy, bundle, fault, err));
    for (size_t i = 0; i < bundle->file_count; i++) {
        if (bundle->files[i].role == FILE_TESTS)
            VAULT_TRY(cases_check(policy, &bundle->files[i], fault, err));
    }
    *out = VAULT_TAKE(policy);
    return VAULT_OK;
}

enum vault_code policy_load(const char *folder, struct policy **out, struct policy_fault *fault,
                            struct vault_error *err)
{
    VAULT_AUTO(bundle_free) struct bundle *bundle = NULL;
    VAULT_TRY(bundle_read(folder, &bundle, fault, err));
    return policy_compile(bundle, out, fault, err);
}

void policy_free(struct policy **policy)
{
    if (*policy) {
        arena_finish(&(*policy)->arena);
        free(*policy);
    }
    *policy = NULL;
}
