#include "rules.h"

#include <stdlib.h>
#include <string.h>

#include "excess.h"
#include "vault/base/json.h"

static const struct reader_member file_members[] = {
    {"format", READ_STRING, true}, {"policy", READ_STRING, true}, {"title", READ_OBJECT, false},
    {"owner", READ_STRING, false}, {"rules", READ_LIST, true},
};

/* --- files --- */

static enum vault_code load_file(struct rules *rules, const struct bundle_file *file,
                                 const json_t *root)
{
    struct reader *reader = rules->reader;
    struct bytes id;
    VAULT_TRY(reader_check_type(reader, root, READ_OBJECT));
    VAULT_TRY(reader_check_format(reader, root, "vault-rules/1"));
    VAULT_TRY(reader_check_members(reader, root, READER_MEMBERS(file_members)));
    VAULT_TRY(load_id(reader, root, "policy", ID_PLAIN, &id));
    struct words title;
    VAULT_TRY(load_words(reader, &rules->policy->arena, root, "title", &title));
    const char *path = arena_text(&rules->policy->arena, bytes_of_text(file->path));
    if (!path)
        return load_no_memory(reader);
    const json_t *list = json_object_get(root, "rules");
    const size_t mark = reader_enter(reader, "rules");
    if (json_array_size(list) > POLICY_RULES_MAX - rules->count)
        return reader_refuse(reader, VAULT_TOO_LARGE, "a bundle has at most %d rules",
                             POLICY_RULES_MAX);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct rule *rule = &rules->rules[rules->count++];
        rule->file = path;
        rule->position = i;
        const size_t inner = reader_enter_index(reader, i);
        VAULT_TRY(rule_load(rules, json_array_get(list, i), rule));
        reader_leave(reader, inner);
    }
    reader_leave(reader, mark);
    return VAULT_OK;
}

static enum vault_code read_file(struct rules *rules, const struct bundle_file *file,
                                 struct policy_fault *fault, struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    VAULT_AUTO(reader_finish)
    struct reader reader = reader_over(file->path, buf_view(&file->content), fault, err);
    rules->reader = &reader;
    enum vault_code code = reader_parse(&reader, &root);
    if (code == VAULT_OK)
        code = load_file(rules, file, root);
    rules->reader = NULL;
    return code;
}

/* --- all rules together --- */

/* By id, and of the same id by where they stand, so that the later one is the repeated one. */
static int by_id(const void *a, const void *b)
{
    const struct rule *left = a;
    const struct rule *right = b;
    int order = strcmp(left->id, right->id);
    if (order == 0)
        order = strcmp(left->file, right->file);
    return order ? order : (left->position > right->position) - (left->position < right->position);
}

struct reader rule_reader(const struct bundle *bundle, const struct rule *rule,
                          struct policy_fault *fault, struct vault_error *err)
{
    size_t i = 0;
    while (strcmp(bundle->files[i].path, rule->file) != 0)
        i++;
    struct reader reader = reader_over(rule->file, buf_view(&bundle->files[i].content), fault, err);
    reader_enter(&reader, "rules");
    reader_enter_index(&reader, rule->position);
    return reader;
}

static enum vault_code refuse_repeated(const struct bundle *bundle, const struct rule *rule,
                                       const struct rule *first, struct policy_fault *fault,
                                       struct vault_error *err)
{
    VAULT_AUTO(reader_finish) struct reader reader = rule_reader(bundle, rule, fault, err);
    reader_enter(&reader, "id");
    return reader_refuse(&reader, VAULT_INVALID, "the rule %.64s stands in %.80s already", rule->id,
                         first->file);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char **unique(const char **ids, size_t *count)
{
    size_t kept = 0;
    qsort(ids, *count, sizeof *ids, by_text);
    for (size_t i = 0; i < *count; i++) {
        if (kept == 0 || strcmp(ids[kept - 1], ids[i]) != 0)
            ids[kept++] = ids[i];
    }
    *count = kept;
    return ids;
}

/* Number the services that rules name. */
static enum vault_code number_services(struct policy *policy, const struct bundle *bundle,
                                       struct policy_fault *fault, struct vault_error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < policy->rule_count; i++)
        count += policy->rules[i].service_count;
    const char **ids = arena_take(&policy->arena, count, sizeof *ids);
    if (!ids)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    count = 0;
    for (size_t i = 0; i < policy->rule_count; i++) {
        for (size_t j = 0; j < policy->rules[i].service_count; j++)
            ids[count++] = policy->rules[i].service_ids[j];
    }
    policy->names[POLICY_SERVICE].ids = unique(ids, &count);
    policy->names[POLICY_SERVICE].count = count;
    if (count <= POLICY_SERVICES_MAX)
        return VAULT_OK;
    VAULT_AUTO(reader_finish)
    struct reader reader =
        rule_reader(bundle, &policy->rules[excess_in_services(policy)], fault, err);
    return reader_refuse(&reader, VAULT_TOO_LARGE, "the rules name more than %d services",
                         POLICY_SERVICES_MAX);
}

static enum vault_code resolve_services(struct policy *policy, struct rule *rule,
                                        struct vault_error *err)
{
    struct span *spans = arena_take(&policy->arena, rule->service_count, sizeof *spans);
    if (!spans)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < rule->service_count; i++) {
        const uint16_t index =
            policy_find(policy, POLICY_SERVICE, bytes_of_text(rule->service_ids[i]));
        spans[i] = (struct span){index, (uint16_t)(index + 1)};
    }
    spans_tidy(spans, rule->service_count, &rule->services);
    return VAULT_OK;
}

/* The ids and reasons of the rules, where policy_id() and policy_text() look for them. */
static enum vault_code number_rules(struct policy *policy, struct vault_error *err)
{
    const size_t count = policy->rule_count;
    const char **ids = arena_take(&policy->arena, count, sizeof *ids);
    struct words *whys = arena_take(&policy->arena, count, sizeof *whys);
    if (!ids || !whys)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++) {
        ids[i] = policy->rules[i].id;
        whys[i] = policy->rules[i].why;
    }
    policy->names[POLICY_RULE] = (struct names){ids, count};
    policy->texts[POLICY_RULE] = whys;
    return VAULT_OK;
}

/* No more rules can be in so many bytes; one more place is for one that turns out to be no rule. */
static size_t most_rules(const struct bundle *bundle)
{
    const size_t shortest =
        sizeof "{'id':'a','effect':'forbid','who':'any','purposes':'any','fields':'any'}" - 1;
    size_t bytes = 0;
    for (size_t i = 0; i < bundle->file_count; i++)
        bytes += bundle->files[i].role == FILE_RULES ? bundle->files[i].content.size : 0;
    return (bytes / shortest < POLICY_RULES_MAX ? bytes / shortest : POLICY_RULES_MAX) + 1;
}

enum vault_code rules_load(struct policy *policy, const struct bundle *bundle,
                           struct policy_fault *fault, struct vault_error *err)
{
    struct rules rules = {.policy = policy};
    rules.rules = arena_take(&policy->arena, most_rules(bundle), sizeof *rules.rules);
    if (!rules.rules)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < bundle->file_count; i++) {
        if (bundle->files[i].role == FILE_RULES)
            VAULT_TRY(read_file(&rules, &bundle->files[i], fault, err));
    }
    qsort(rules.rules, rules.count, sizeof *rules.rules, by_id);
    for (size_t i = 1; i < rules.count; i++) {
        if (strcmp(rules.rules[i - 1].id, rules.rules[i].id) == 0)
            return refuse_repeated(bundle, &rules.rules[i], &rules.rules[i - 1], fault, err);
    }
    policy->rules = rules.rules;
    policy->rule_count = rules.count;
    VAULT_TRY(number_services(policy, bundle, fault, err));
    for (size_t i = 0; i < rules.count; i++)
        VAULT_TRY(resolve_services(policy, &policy->rules[i], err));
    return number_rules(policy, err);
}
