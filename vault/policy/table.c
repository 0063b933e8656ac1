#include "table.h"

#include <stdio.h>
#include <string.h>

#include "excess.h"
#include "model.h"

#define MAP_WORDS_MAX (UINT32_C(1) << 24)

const struct row *table_row(const struct table *table, size_t actor, size_t purpose)
{
    const uint32_t index = table->row_of[actor * table->purpose_count + purpose];
    return index ? &table->rows[index] : NULL;
}

static unsigned bits_in(uint64_t word)
{
    return (unsigned)__builtin_popcountll(word);
}

const struct cell *table_cell(const struct table *table, const struct row *row, uint16_t field)
{
    const struct map_word *word = &table->map[row->map + field / 64U];
    const uint64_t bit = UINT64_C(1) << (field % 64U);
    if (!(word->has & bit))
        return &row->rest;
    return &table->cells[word->before + bits_in(word->has & (bit - 1))];
}

uint8_t table_step(const struct policy *policy, const struct reference *reference, uint16_t field)
{
    if (!(reference->form & REFERENCE_FORM_BY_NAME))
        return reference->form;
    return policy->table
        .step_of[reference->form & ~REFERENCE_FORM_BY_NAME][policy->fields[field].type];
}

size_t table_rows(const struct table *table, size_t actor, bool with_everybody, size_t purpose,
                  const struct row *out[4])
{
    const size_t everybody = table->actor_count - 1;
    const size_t every = table->purpose_count - 1;
    const struct row *const rows[] = {
        table_row(table, actor, purpose),
        table_row(table, actor, every),
        with_everybody ? table_row(table, everybody, purpose) : NULL,
        with_everybody ? table_row(table, everybody, every) : NULL,
    };
    size_t count = 0;
    for (size_t i = 0; i < 4; i++) {
        if (rows[i])
            out[count++] = rows[i];
    }
    return count;
}

/* --- building: which rules stand in which row --- */

struct builder {
    struct policy *policy;
    struct table *table;
    struct arena scratch;
    uint32_t *row_first; /* of each row, where its rules begin in entries; one more at the end */
    uint16_t *entries;   /* rules, row by row: forbids, permits, deposits */
    uint16_t *counts;    /* of one row: rules that name each field */
    size_t culprit;      /* a rule to show when something is too much */
};

static void builder_finish(struct builder *builder)
{
    arena_finish(&builder->scratch);
}

static bool covers_all_fields(const struct policy *policy, const struct rule *rule)
{
    return spans_are_all(&rule->fields, policy->names[POLICY_FIELD].count);
}

/* Calls for every (actor, purpose) that a rule stands under. */
typedef void each_pair(struct builder *builder, uint16_t rule, size_t actor, size_t purpose);

static void for_each_purpose(struct builder *builder, uint16_t index, size_t actor, each_pair *call)
{
    const struct spans *purposes = &builder->policy->rules[index].purposes;
    const size_t every = builder->table->purpose_count - 1;
    if (spans_are_all(purposes, every)) {
        call(builder, index, actor, every);
        return;
    }
    for (size_t i = 0; i < purposes->count; i++) {
        for (size_t p = purposes->spans[i].from; p < purposes->spans[i].to; p++)
            call(builder, index, actor, p);
    }
}

static void for_each_pair(struct builder *builder, uint16_t index, each_pair *call)
{
    const struct rule *rule = &builder->policy->rules[index];
    const size_t classes = builder->policy->names[POLICY_CLASS].count;
    if (spans_are_all(&rule->classes, classes)) {
        for_each_purpose(builder, index, builder->table->actor_count - 1, call);
        return;
    }
    for (size_t i = 0; i < rule->classes.count; i++) {
        for (size_t c = rule->classes.spans[i].from; c < rule->classes.spans[i].to; c++)
            for_each_purpose(builder, index, c, call);
    }
    for (size_t i = 0; i < rule->services.count; i++) {
        for (size_t s = rule->services.spans[i].from; s < rule->services.spans[i].to; s++)
            for_each_purpose(builder, index, classes + s, call);
    }
}

static void number_row(struct builder *builder, uint16_t rule, size_t actor, size_t purpose)
{
    (void)rule;
    uint32_t *row = &builder->table->row_of[actor * builder->table->purpose_count + purpose];
    if (!*row)
        *row = (uint32_t)++builder->table->row_count;
}

static void count_entry(struct builder *builder, uint16_t rule, size_t actor, size_t purpose)
{
    (void)rule;
    builder->row_first[builder->table->row_of[actor * builder->table->purpose_count + purpose]]++;
}

static void place_entry(struct builder *builder, uint16_t rule, size_t actor, size_t purpose)
{
    const uint32_t row = builder->table->row_of[actor * builder->table->purpose_count + purpose];
    builder->entries[builder->row_first[row]++] = rule;
}

/* Sort the rules into their rows; within a row forbids first, then permits, then deposits. */
static enum vault_code place_rules(struct builder *builder)
{
    struct table *table = builder->table;
    const size_t rules = builder->policy->rule_count;
    for (size_t i = 0; i < rules; i++)
        for_each_pair(builder, (uint16_t)i, number_row);
    builder->row_first =
        arena_take(&builder->scratch, table->row_count + 2, sizeof *builder->row_first);
    if (!builder->row_first)
        return VAULT_NO_MEMORY;
    for (size_t i = 0; i < rules; i++)
        for_each_pair(builder, (uint16_t)i, count_entry);
    uint32_t total = 0;
    for (size_t row = 0; row < table->row_count + 2; row++) {
        const uint32_t count = builder->row_first[row];
        builder->row_first[row] = total;
        total += count;
    }
    builder->entries = arena_take(&builder->scratch, total, sizeof *builder->entries);
    if (!builder->entries)
        return VAULT_NO_MEMORY;
    for (int effect = EFFECT_FORBID; effect <= EFFECT_DEPOSIT; effect++) {
        for (size_t i = 0; i < rules; i++) {
            if (builder->policy->rules[i].effect == effect)
                for_each_pair(builder, (uint16_t)i, place_entry);
        }
    }
    /* Placing moved each beginning to its end, which is the next one's beginning. */
    memmove(builder->row_first + 1, builder->row_first,
            (table->row_count + 1) * sizeof *builder->row_first);
    builder->row_first[0] = 0;
    return VAULT_OK;
}

/* --- building: the cells of a row --- */

static void give_cell(struct table *table, const struct row *row, size_t field)
{
    table->map[row->map + field / 64].has |= UINT64_C(1) << (field % 64);
}

/* Count the references of a rule, and give a cell of its own to each field that it names. */
static void count_rule(struct builder *builder, const struct row *row, const struct rule *rule,
                       size_t *any)
{
    struct table *table = builder->table;
    if (covers_all_fields(builder->policy, rule)) {
        (*any)++;
        for (size_t i = 0; i < rule->release_count; i++)
            give_cell(table, row, rule->releases[i].field);
        return;
    }
    for (size_t i = 0; i < rule->fields.count; i++) {
        for (size_t f = rule->fields.spans[i].from; f < rule->fields.spans[i].to; f++) {
            give_cell(table, row, f);
            builder->counts[f]++;
        }
    }
}

static bool has_cell(const struct table *table, const struct row *row, size_t field)
{
    return table->map[row->map + field / 64].has >> (field % 64) & 1;
}

/* Count what the row needs, and number its cells and references after those of the rows before.
 * Returns the most rules that one cell has. */
static size_t measure_row(struct builder *builder, size_t index)
{
    struct table *table = builder->table;
    const size_t fields = builder->policy->names[POLICY_FIELD].count;
    struct row *row = &table->rows[index];
    size_t any = 0;
    row->map = (uint32_t)(index * table->map_words);
    memset(builder->counts, 0, fields * sizeof *builder->counts);
    for (uint32_t i = builder->row_first[index]; i < builder->row_first[index + 1]; i++)
        count_rule(builder, row, &builder->policy->rules[builder->entries[i]], &any);
    size_t most = any;
    for (size_t f = 0; f < fields; f++) {
        if (f % 64 == 0)
            table->map[row->map + f / 64].before = (uint32_t)table->cell_count;
        if (!has_cell(table, row, f))
            continue;
        table->cell_count++;
        table->reference_count += builder->counts[f] + any;
        most = builder->counts[f] + any > most ? builder->counts[f] + any : most;
    }
    table->reference_count += any;
    return most;
}

static void add_reference(struct table *table, struct cell *cell, uint16_t rule, uint8_t effect,
                          uint8_t form)
{
    const uint32_t place = cell->first + cell->forbids + cell->permits + cell->deposits;
    table->references[place] = (struct reference){rule, form};
    if (effect == EFFECT_FORBID)
        cell->forbids++;
    else if (effect == EFFECT_PERMIT)
        cell->permits++;
    else
        cell->deposits++;
}

/* Where the references of each cell of the row begin: those are counted once more, since the
 * counts of one row are kept only while it is measured. */
static void begin_cells(struct builder *builder, size_t index, uint32_t *next)
{
    struct table *table = builder->table;
    struct row *row = &table->rows[index];
    const size_t fields = builder->policy->names[POLICY_FIELD].count;
    size_t any = 0;
    memset(builder->counts, 0, fields * sizeof *builder->counts);
    for (uint32_t i = builder->row_first[index]; i < builder->row_first[index + 1]; i++)
        count_rule(builder, row, &builder->policy->rules[builder->entries[i]], &any);
    struct cell *cell = &table->cells[table->map[row->map].before];
    for (size_t f = 0; f < fields; f++) {
        if (!has_cell(table, row, f))
            continue;
        cell->first = *next;
        *next += (uint32_t)(builder->counts[f] + any);
        cell++;
    }
    row->rest.first = *next;
    *next += (uint32_t)any;
}

static void fill_cell(struct builder *builder, const struct row *row, uint16_t rule, size_t field)
{
    struct table *table = builder->table;
    const struct rule *source = &builder->policy->rules[rule];
    const struct cell *cell = table_cell(table, row, (uint16_t)field);
    const bool permit = source->effect == EFFECT_PERMIT;
    add_reference(table, &table->cells[cell - table->cells], rule, source->effect,
                  permit ? rule_form(builder->policy, source, (uint16_t)field) : 0);
}

/* Enter a rule in the cells of its row that it covers. */
static void fill_rule(struct builder *builder, struct row *row, uint16_t index)
{
    struct table *table = builder->table;
    const struct rule *rule = &builder->policy->rules[index];
    const size_t fields = builder->policy->names[POLICY_FIELD].count;
    if (!covers_all_fields(builder->policy, rule)) {
        for (size_t i = 0; i < rule->fields.count; i++) {
            for (size_t f = rule->fields.spans[i].from; f < rule->fields.spans[i].to; f++)
                fill_cell(builder, row, index, f);
        }
        return;
    }
    for (size_t f = 0; f < fields; f++) {
        if (has_cell(table, row, f))
            fill_cell(builder, row, index, f);
    }
    add_reference(table, &row->rest, index, rule->effect,
                  (uint8_t)(REFERENCE_FORM_BY_NAME | rule->default_form));
}

static enum vault_code fill_rows(struct builder *builder)
{
    struct table *table = builder->table;
    struct arena *arena = &builder->policy->arena;
    table->cells = arena_take(arena, table->cell_count + 1, sizeof *table->cells);
    table->references = arena_take(arena, table->reference_count, sizeof *table->references);
    if (!table->cells || !table->references)
        return VAULT_NO_MEMORY;
    uint32_t next = 0;
    for (size_t i = 1; i <= table->row_count; i++) {
        begin_cells(builder, i, &next);
        for (uint32_t j = builder->row_first[i]; j < builder->row_first[i + 1]; j++)
            fill_rule(builder, &table->rows[i], builder->entries[j]);
    }
    return VAULT_OK;
}

/* The rule that is too many for the cell with the most rules of the row just measured. */
static size_t culprit_of_row(const struct builder *builder, size_t row)
{
    const struct table *table = builder->table;
    const size_t fields = builder->policy->names[POLICY_FIELD].count;
    struct excess_cell cell = {0};
    size_t place = 0;
    while (table->row_of[place] != row)
        place++;
    for (size_t f = 0; f < fields; f++) {
        if (builder->counts[f] > builder->counts[cell.field])
            cell.field = f;
    }
    /* What is for everybody, or for every purpose, is for the first of them too. */
    cell.actor = place / table->purpose_count;
    cell.purpose = place % table->purpose_count;
    if (cell.actor == table->actor_count - 1)
        cell.actor = 0;
    if (cell.purpose == table->purpose_count - 1)
        cell.purpose = 0;
    return excess_in_cell(builder->policy, &cell);
}

static enum vault_code measure_rows(struct builder *builder, char reason[static 256])
{
    struct table *table = builder->table;
    struct arena *arena = &builder->policy->arena;
    const size_t fields = builder->policy->names[POLICY_FIELD].count;
    table->map_words = fields / 64 + 1;
    if ((table->row_count + 1) * table->map_words > MAP_WORDS_MAX) {
        builder->culprit =
            excess_in_sum(builder->policy, rule_entries, MAP_WORDS_MAX / table->map_words - 1);
        snprintf(reason, 256,
                 "the rules make %zu rows of (who, purpose), which are too many for "
                 "%zu fields",
                 table->row_count, fields);
        return VAULT_TOO_LARGE;
    }
    table->rows = arena_take(arena, table->row_count + 1, sizeof *table->rows);
    table->map = arena_take(arena, (table->row_count + 1) * table->map_words, sizeof *table->map);
    builder->counts = arena_take(&builder->scratch, fields, sizeof *builder->counts);
    if (!table->rows || !table->map || !builder->counts)
        return VAULT_NO_MEMORY;
    for (size_t i = 1; i <= table->row_count; i++) {
        const size_t most = measure_row(builder, i);
        /* More than a cell can count; worst_find() names the cells that have too many. */
        if (most > UINT8_MAX) {
            snprintf(reason, 256,
                     "%zu rules cover one field for one class and purpose; at most %d may", most,
                     POLICY_CELL_RULES_MAX);
            builder->culprit = culprit_of_row(builder, i);
            return VAULT_TOO_LARGE;
        }
        if (table->reference_count > TABLE_REFERENCES_MAX) {
            builder->culprit =
                excess_in_sum(builder->policy, rule_references, TABLE_REFERENCES_MAX);
            snprintf(reason, 256,
                     "the rules expand to more than %lu entries: write \"any\" where "
                     "everything is meant",
                     TABLE_REFERENCES_MAX);
            return VAULT_TOO_LARGE;
        }
    }
    return VAULT_OK;
}

/* --- building: what deciding needs of each rule --- */

static struct test *test_of_word(struct test tests[], size_t *count, uint16_t word)
{
    for (size_t i = 0; i < *count; i++) {
        if (tests[i].word == word)
            return &tests[i];
    }
    tests[*count] = (struct test){.word = word};
    return &tests[(*count)++];
}

/* One test for each word that the rule's conditions lie in. */
static size_t make_tests(const struct policy *policy, const struct rule *rule, struct test tests[])
{
    size_t count = 0;
    for (size_t i = 0; i < rule->condition_count; i++) {
        const struct condition *condition = &rule->conditions[i];
        struct test *test = test_of_word(tests, &count, policy->atoms[condition->atom].word);
        const uint64_t bit = UINT64_C(1) << condition->bit;
        if (condition->wanted)
            test->need_true |= bit;
        else
            test->need_false |= bit;
    }
    return count;
}

static enum vault_code make_cores(struct policy *policy)
{
    struct table *table = &policy->table;
    size_t conditions = 0;
    for (size_t i = 0; i < policy->rule_count; i++)
        conditions += policy->rules[i].condition_count;
    table->cores = arena_take(&policy->arena, policy->rule_count, sizeof *table->cores);
    table->tests = arena_take(&policy->arena, conditions, sizeof *table->tests);
    if (!table->cores || !table->tests)
        return VAULT_NO_MEMORY;
    uint32_t used = 0;
    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct rule *rule = &policy->rules[i];
        struct core *core = &table->cores[i];
        struct test tests[POLICY_ATOM_WORDS_MAX];
        const size_t count = make_tests(policy, rule, tests);
        *core = (struct core){.from_s = rule->from_s,
                              .until_s = rule->until_s,
                              .more = used,
                              .more_count = (uint8_t)(count ? count - 1 : 0),
                              .basis = rule->basis};
        for (size_t j = 0; j < rule->due_count; j++)
            core->must |= UINT64_C(1) << rule->dues[j].obligation;
        if (count)
            core->test = tests[0];
        for (size_t j = 1; j < count; j++)
            table->tests[used++] = tests[j];
    }
    return VAULT_OK;
}

/* Which step a form is on each type's ladder; 0 for the top, which FORM_COUNT stands for. */
static void make_steps(struct policy *policy)
{
    for (size_t type = 0; type < POLICY_TYPE_COUNT; type++) {
        for (size_t form = 0; form < FORM_COUNT; form++) {
            const uint8_t step = ladder_find(&policy->ladders[type], (enum form)form);
            policy->table.step_of[form][type] = step == POLICY_FORM_NONE ? 0 : step;
        }
    }
}

enum vault_code table_build(struct policy *policy, size_t *rule, char reason[static 256])
{
    VAULT_AUTO(builder_finish)
    struct builder builder = {.policy = policy, .table = &policy->table};
    struct table *table = &policy->table;
    table->actor_count =
        policy->names[POLICY_CLASS].count + policy->names[POLICY_SERVICE].count + 1;
    table->purpose_count = policy->names[POLICY_PURPOSE].count + 1;
    table->row_of = arena_take(&policy->arena, table->actor_count * table->purpose_count,
                               sizeof *table->row_of);
    if (!table->row_of)
        return VAULT_NO_MEMORY;
    if (excess_entries(policy) > TABLE_REFERENCES_MAX) {
        *rule = excess_in_sum(policy, rule_entries, TABLE_REFERENCES_MAX);
        snprintf(reason, 256,
                 "the rules expand to more than %lu entries: write \"any\" where "
                 "everything is meant",
                 TABLE_REFERENCES_MAX);
        return VAULT_TOO_LARGE;
    }
    make_steps(policy);
    VAULT_TRY(make_cores(policy));
    VAULT_TRY(place_rules(&builder));
    enum vault_code code = measure_rows(&builder, reason);
    if (code == VAULT_OK)
        code = fill_rows(&builder);
    *rule = builder.culprit;
    return code == VAULT_OK ? worst_find(policy, rule, reason) : code;
}
