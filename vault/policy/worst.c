/* The cell with the most rules; and the limits of section 6 on every cell. */
#include <stdio.h>

#include "excess.h"
#include "model.h"

/* Of one row: an upper bound for any of its cells. */
struct bound {
    unsigned rules;
    uint64_t atoms[POLICY_ATOMS_MAX / 64];
};

static unsigned rules_in(const struct cell *cell)
{
    return (unsigned)cell->forbids + cell->permits + cell->deposits;
}

static unsigned bits_of(const uint64_t words[POLICY_ATOMS_MAX / 64])
{
    unsigned count = 0;
    for (size_t i = 0; i < POLICY_ATOMS_MAX / 64; i++)
        count += (unsigned)__builtin_popcountll(words[i]);
    return count;
}

static void add_atoms(const struct policy *policy, const struct cell *cell,
                      uint64_t atoms[POLICY_ATOMS_MAX / 64])
{
    for (unsigned i = 0; i < rules_in(cell); i++) {
        const struct rule *rule = &policy->rules[policy->table.references[cell->first + i].rule];
        for (size_t j = 0; j < rule->condition_count; j++)
            atoms[rule->conditions[j].atom / 64] |= UINT64_C(1) << rule->conditions[j].atom % 64;
    }
}

static void add_bound(const struct policy *policy, const struct cell *cell, struct bound *bound)
{
    bound->rules = rules_in(cell) > bound->rules ? rules_in(cell) : bound->rules;
    add_atoms(policy, cell, bound->atoms);
}

/* The bounds of all rows. */
static void make_bounds(const struct policy *policy, struct bound bounds[])
{
    const struct table *table = &policy->table;
    const size_t fields = policy->names[POLICY_FIELD].count;
    for (size_t i = 1; i <= table->row_count; i++) {
        const struct row *row = &table->rows[i];
        add_bound(policy, &row->rest, &bounds[i]);
        for (size_t f = 0; f < fields; f++) {
            const struct cell *cell = table_cell(table, row, (uint16_t)f);
            if (cell != &row->rest)
                add_bound(policy, cell, &bounds[i]);
        }
    }
}

/* The cell of a field over all rows that count for it. */
static struct worst measure(const struct policy *policy, const struct row *const rows[],
                            size_t row_count, uint16_t field)
{
    struct worst found = {.field = field};
    uint64_t atoms[POLICY_ATOMS_MAX / 64] = {0};
    for (size_t i = 0; i < row_count; i++) {
        const struct cell *cell = table_cell(&policy->table, rows[i], field);
        found.rules += rules_in(cell);
        add_atoms(policy, cell, atoms);
    }
    found.atoms = bits_of(atoms);
    return found;
}

static bool is_worse(const struct worst *a, const struct worst *b)
{
    return a->rules != b->rules ? a->rules > b->rules : a->atoms > b->atoms;
}

/* What finding the worst cell passes along. */
struct search {
    struct policy *policy;
    struct bound *bounds;
    size_t *rule;
    char *reason;
};

static void describe(const struct search *search, const struct worst *found, const char *what,
                     unsigned count, unsigned limit)
{
    const struct policy *policy = search->policy;
    const size_t classes = policy->names[POLICY_CLASS].count;
    const bool service = found->actor >= classes;
    snprintf(search->reason, 256, "%u %s for %.64s, %.64s, %.64s; at most %u may", count, what,
             service ? policy_id(policy, POLICY_SERVICE, (uint16_t)(found->actor - classes))
                     : policy_id(policy, POLICY_CLASS, found->actor),
             policy_id(policy, POLICY_PURPOSE, found->purpose),
             policy_id(policy, POLICY_FIELD, found->field), limit);
}

static enum vault_code check_cell(const struct search *search, const struct worst *found)
{
    const struct excess_cell cell = {found->actor, found->purpose, found->field};
    if (found->rules <= POLICY_CELL_RULES_MAX && found->atoms <= POLICY_CELL_ATOMS_MAX)
        return VAULT_OK;
    if (found->rules > POLICY_CELL_RULES_MAX)
        describe(search, found, "rules stand", found->rules, POLICY_CELL_RULES_MAX);
    else
        describe(search, found, "atoms decide", found->atoms, POLICY_CELL_ATOMS_MAX);
    *search->rule = excess_in_cell(search->policy, &cell);
    return VAULT_TOO_LARGE;
}

/* Whether some cell of these rows could be worse than the worst so far, or break a limit. */
static bool is_worth_a_look(const struct search *search, const struct row *const rows[],
                            size_t count)
{
    struct bound sum = {0};
    for (size_t i = 0; i < count; i++) {
        const struct bound *bound = &search->bounds[rows[i] - search->policy->table.rows];
        sum.rules += bound->rules;
        for (size_t j = 0; j < POLICY_ATOMS_MAX / 64; j++)
            sum.atoms[j] |= bound->atoms[j];
    }
    const struct worst most = {.rules = sum.rules, .atoms = bits_of(sum.atoms)};
    return most.atoms > POLICY_CELL_ATOMS_MAX || is_worse(&most, &search->policy->table.worst);
}

static enum vault_code look_at_pair(const struct search *search, size_t actor, size_t purpose)
{
    struct policy *policy = search->policy;
    const struct row *rows[4];
    const bool is_class = actor < policy->names[POLICY_CLASS].count;
    const size_t count = table_rows(&policy->table, actor, is_class, purpose, rows);
    if (!is_worth_a_look(search, rows, count))
        return VAULT_OK;
    for (size_t f = 0; f < policy->names[POLICY_FIELD].count; f++) {
        struct worst found = measure(policy, rows, count, (uint16_t)f);
        found.actor = (uint16_t)actor;
        found.purpose = (uint16_t)purpose;
        VAULT_TRY(check_cell(search, &found));
        if (is_worse(&found, &policy->table.worst))
            policy->table.worst = found;
    }
    return VAULT_OK;
}

static void scratch_finish(struct arena *arena)
{
    arena_finish(arena);
}

enum vault_code worst_find(struct policy *policy, size_t *rule, char reason[static 256])
{
    VAULT_AUTO(scratch_finish) struct arena scratch = {NULL};
    const struct table *table = &policy->table;
    struct search search = {.policy = policy, .rule = rule, .reason = reason};
    search.bounds = arena_take(&scratch, table->row_count + 1, sizeof *search.bounds);
    if (!search.bounds)
        return VAULT_NO_MEMORY;
    make_bounds(policy, search.bounds);
    for (size_t actor = 0; actor + 1 < table->actor_count; actor++) {
        for (size_t purpose = 0; purpose + 1 < table->purpose_count; purpose++)
            VAULT_TRY(look_at_pair(&search, actor, purpose));
    }
    return VAULT_OK;
}
