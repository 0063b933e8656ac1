#include "cells.h"

#include <string.h>

/* What going through the cells passes along. */
struct visit {
    const struct policy *policy;
    each_cell *call;
    void *context;
};

void cell_view_fill(const struct policy *policy, const struct walk *walk, struct cell_view *cell)
{
    const struct table *table = &policy->table;
    cell->forbid_count = cell->permit_count = cell->deposit_count = 0;
    for (size_t i = 0; i < walk->row_count; i++) {
        const struct cell *part = table_cell(table, walk->rows[i], cell->field);
        const struct reference *reference = &table->references[part->first];
        for (size_t j = 0; j < part->forbids; j++)
            cell->forbids[cell->forbid_count++] = (reference++)->rule;
        for (size_t j = 0; j < part->permits; j++, reference++) {
            cell->permits[cell->permit_count] = reference->rule;
            cell->forms[cell->permit_count++] = table_step(policy, reference, cell->field);
        }
        for (size_t j = 0; j < part->deposits; j++)
            cell->deposits[cell->deposit_count++] = (reference++)->rule;
    }
}

static enum vault_code visit_field(const struct visit *visit, const struct walk *walk,
                                   struct cell_view *cell, size_t field)
{
    cell->field = (uint16_t)field;
    cell_view_fill(visit->policy, walk, cell);
    if (cell->forbid_count + cell->permit_count + cell->deposit_count == 0)
        return VAULT_OK;
    return visit->call(visit->context, cell);
}

/* Every field that some row names, and of the others one of each type. */
static enum vault_code visit_fields(const struct visit *visit, const struct walk *walk,
                                    struct cell_view *cell)
{
    const struct policy *policy = visit->policy;
    bool seen[POLICY_TYPE_COUNT] = {false};
    for (size_t f = 0; f < policy->names[POLICY_FIELD].count; f++) {
        bool named = false;
        for (size_t i = 0; i < walk->row_count; i++)
            named = named || policy->table.map[walk->rows[i]->map + f / 64].has >> (f % 64) & 1;
        const uint8_t type = policy->fields[f].type;
        if (!named && seen[type])
            continue;
        seen[type] = seen[type] || !named;
        VAULT_TRY(visit_field(visit, walk, cell, f));
    }
    return VAULT_OK;
}

static bool has_rows(const struct table *table, size_t actor, uint16_t purpose)
{
    return table_row(table, actor, purpose) || table_row(table, actor, table->purpose_count - 1);
}

/* A service, or none, with each class; classes that have no rows are alike. */
static enum vault_code visit_classes(const struct visit *visit, uint16_t service, uint16_t purpose)
{
    const struct policy *policy = visit->policy;
    bool seen_plain = false;
    for (size_t c = 0; c < policy->names[POLICY_CLASS].count; c++) {
        const bool plain = !has_rows(&policy->table, c, purpose);
        if (plain && seen_plain)
            continue;
        seen_plain = seen_plain || plain;
        struct cell_view cell = {
            .actor = {.service = service, .class_count = 1, .classes = {(uint16_t)c}},
            .purpose = purpose};
        const struct walk walk = walk_begin(policy, &cell.actor, purpose);
        VAULT_TRY(visit_fields(visit, &walk, &cell));
    }
    return VAULT_OK;
}

enum vault_code cells_visit(const struct policy *policy, each_cell *call, void *context)
{
    const struct visit visit = {policy, call, context};
    const size_t classes = policy->names[POLICY_CLASS].count;
    for (size_t p = 0; p < policy->names[POLICY_PURPOSE].count; p++) {
        VAULT_TRY(visit_classes(&visit, POLICY_NONE, (uint16_t)p));
        for (size_t s = 0; s < policy->names[POLICY_SERVICE].count; s++) {
            if (has_rows(&policy->table, classes + s, (uint16_t)p))
                VAULT_TRY(visit_classes(&visit, (uint16_t)s, (uint16_t)p));
        }
    }
    return VAULT_OK;
}
