/* Reading an outcome: which rules decided, and with which obligations. */
#include <stdlib.h>
#include <string.h>

#include "walk.h"

/* Calls for every reference that the outcome says decided. */
typedef void each_rule(void *context, uint16_t rule);

static bool is_decided(const struct policy_outcome *outcome, size_t place)
{
    return outcome->decided[place / 64] >> (place % 64) & 1;
}

static bool was_forbidden(const struct policy_outcome *outcome)
{
    return outcome->reason == REASON_FORBIDDEN || outcome->reason == REASON_FORBIDDEN_UNKNOWN;
}

static void for_each_decided(const struct policy *policy, const struct policy_request *request,
                             size_t ask, const struct policy_outcome *outcome, each_rule *call,
                             void *context)
{
    const bool forbids = was_forbidden(outcome);
    if (!forbids && outcome->reason != REASON_RELEASED)
        return;
    const struct walk walk = walk_begin(policy, &request->actor, request->purpose);
    size_t place = 0;
    for (size_t i = 0; i < walk.row_count; i++) {
        const struct cell *cell =
            table_cell(&policy->table, walk.rows[i], request->asks[ask].field);
        const struct reference *reference = &policy->table.references[cell->first];
        for (size_t j = 0; j < (size_t)cell->forbids + cell->permits; j++, place++) {
            if ((j < cell->forbids) == forbids && is_decided(outcome, place))
                call(context, reference[j].rule);
        }
    }
}

struct rule_list {
    uint16_t *rules;
    size_t count;
};

static void add_rule(void *context, uint16_t rule)
{
    struct rule_list *list = context;
    list->rules[list->count++] = rule;
}

size_t policy_outcome_rules(const struct policy *policy, const struct policy_request *request,
                            size_t ask, const struct policy_outcome *outcome,
                            uint16_t out[POLICY_FIELD_RULES_MAX])
{
    struct rule_list list = {out, 0};
    for_each_decided(policy, request, ask, outcome, add_rule, &list);
    return rules_unique(out, list.count);
}

struct least {
    const struct policy *policy;
    uint16_t obligation;
    int64_t value;
};

static void take_least(void *context, uint16_t rule)
{
    struct least *least = context;
    const struct rule *source = &least->policy->rules[rule];
    for (size_t i = 0; i < source->due_count; i++) {
        const struct due *due = &source->dues[i];
        if (due->obligation == least->obligation && due->value < least->value)
            least->value = due->value;
    }
}

int64_t policy_outcome_must(const struct policy *policy, const struct policy_request *request,
                            size_t ask, const struct policy_outcome *outcome, uint16_t obligation)
{
    struct least least = {.policy = policy, .obligation = obligation, .value = INT64_MAX};
    for_each_decided(policy, request, ask, outcome, take_least, &least);
    return least.value;
}

static int by_field(const void *a, const void *b)
{
    const struct policy_consent_field *left = a;
    const struct policy_consent_field *right = b;
    return left->field != right->field ? left->field - right->field : left->form - right->form;
}

/* POLICY_FORM_ANY is any form, so every other one is stricter. */
static uint8_t stricter(uint8_t a, uint8_t b)
{
    if (a == POLICY_FORM_ANY || b == POLICY_FORM_ANY)
        return a == POLICY_FORM_ANY ? b : a;
    return a > b ? a : b;
}

size_t policy_consent_sort(struct policy_consent_field fields[], size_t count)
{
    size_t kept = 0;
    qsort(fields, count, sizeof *fields, by_field);
    for (size_t i = 0; i < count; i++) {
        if (fields[i].field == POLICY_NONE)
            continue;
        if (kept && fields[kept - 1].field == fields[i].field)
            fields[kept - 1].form = stricter(fields[kept - 1].form, fields[i].form);
        else
            fields[kept++] = fields[i];
    }
    return kept;
}
