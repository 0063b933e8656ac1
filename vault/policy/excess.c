#include "excess.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"

static void scratch_finish(struct arena *arena)
{
    arena_finish(arena);
}

static int by_place(const void *a, const void *b)
{
    const struct rule *left = *(const struct rule *const *)a;
    const struct rule *right = *(const struct rule *const *)b;
    const int order = strcmp(left->file, right->file);
    return order ? order : (left->position > right->position) - (left->position < right->position);
}

/* The rules as one reads them: file by file, from top to bottom. */
static const struct rule **in_order(const struct policy *policy, struct arena *arena)
{
    const struct rule **rules = arena_take(arena, policy->rule_count, sizeof(const struct rule *));
    for (size_t i = 0; i < policy->rule_count && rules; i++)
        rules[i] = &policy->rules[i];
    if (rules)
        qsort(rules, policy->rule_count, sizeof(const struct rule *), by_place);
    return rules;
}

static bool covers(const struct policy *policy, const struct rule *rule,
                   const struct excess_cell *cell)
{
    const size_t classes = policy->names[POLICY_CLASS].count;
    const bool actor = cell->actor < classes
                           ? spans_have(&rule->classes, (uint16_t)cell->actor)
                           : spans_have(&rule->services, (uint16_t)(cell->actor - classes));
    return actor && spans_have(&rule->purposes, (uint16_t)cell->purpose) &&
           spans_have(&rule->fields, (uint16_t)cell->field);
}

/* Add a rule's atoms; returns how many there are then. */
static size_t add_atoms(const struct rule *rule, bool known[POLICY_ATOMS_MAX], size_t count)
{
    for (size_t i = 0; i < rule->condition_count; i++) {
        count += !known[rule->conditions[i].atom];
        known[rule->conditions[i].atom] = true;
    }
    return count;
}

size_t excess_in_cell(const struct policy *policy, const struct excess_cell *cell)
{
    VAULT_AUTO(scratch_finish) struct arena scratch = {NULL};
    const struct rule **rules = in_order(policy, &scratch);
    bool known[POLICY_ATOMS_MAX] = {false};
    size_t count = 0;
    size_t atoms = 0;
    for (size_t i = 0; i < policy->rule_count && rules; i++) {
        if (!covers(policy, rules[i], cell))
            continue;
        count++;
        atoms = add_atoms(rules[i], known, atoms);
        if (count > POLICY_CELL_RULES_MAX || atoms > POLICY_CELL_ATOMS_MAX)
            return (size_t)(rules[i] - policy->rules);
    }
    return 0;
}

size_t rule_entries(const struct policy *policy, const struct rule *rule)
{
    size_t actors = 0;
    size_t purposes = 0;
    for (size_t j = 0; j < rule->classes.count; j++)
        actors += rule->classes.spans[j].to - rule->classes.spans[j].from;
    for (size_t j = 0; j < rule->purposes.count; j++)
        purposes += rule->purposes.spans[j].to - rule->purposes.spans[j].from;
    if (spans_are_all(&rule->classes, policy->names[POLICY_CLASS].count))
        actors = 1;
    if (spans_are_all(&rule->purposes, policy->names[POLICY_PURPOSE].count))
        purposes = 1;
    return (actors + rule->services.count) * purposes;
}

size_t rule_references(const struct policy *policy, const struct rule *rule)
{
    size_t fields = 0;
    for (size_t i = 0; i < rule->fields.count; i++)
        fields += rule->fields.spans[i].to - rule->fields.spans[i].from;
    return rule_entries(policy, rule) * fields;
}

size_t excess_entries(const struct policy *policy)
{
    size_t total = 0;
    for (size_t i = 0; i < policy->rule_count; i++)
        total += rule_entries(policy, &policy->rules[i]);
    return total;
}

size_t excess_in_sum(const struct policy *policy, excess_measure *measure, size_t limit)
{
    VAULT_AUTO(scratch_finish) struct arena scratch = {NULL};
    const struct rule **rules = in_order(policy, &scratch);
    size_t total = 0;
    for (size_t i = 0; i < policy->rule_count && rules; i++) {
        total += measure(policy, rules[i]);
        if (total > limit)
            return (size_t)(rules[i] - policy->rules);
    }
    return policy->rule_count && rules ? (size_t)(rules[policy->rule_count - 1] - policy->rules)
                                       : 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, *(const char *const *)b);
}

size_t excess_in_services(const struct policy *policy)
{
    VAULT_AUTO(scratch_finish) struct arena scratch = {NULL};
    const struct names *services = &policy->names[POLICY_SERVICE];
    const struct rule **rules = in_order(policy, &scratch);
    bool *known = arena_take(&scratch, services->count, sizeof *known);
    size_t count = 0;
    for (size_t i = 0; i < policy->rule_count && rules && known; i++) {
        for (size_t j = 0; j < rules[i]->service_count; j++) {
            const char *const *at = bsearch(rules[i]->service_ids[j], services->ids,
                                            services->count, sizeof *services->ids, by_text);
            count += !known[at - services->ids];
            known[at - services->ids] = true;
        }
        if (count > POLICY_SERVICES_MAX)
            return (size_t)(rules[i] - policy->rules);
    }
    return 0;
}
