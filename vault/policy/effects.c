#include "effects.h"

#include <stdlib.h>
#include <string.h>

#include "circumstance.h"
#include "vault/policy/check.h"

/* Beginnings and ends of all rules of a cell, and "since ever". */
#define INSTANTS_MAX (4 * CELL_VIEW_MAX + 1)

/* What looking for effects passes along. */
struct search {
    const struct policy *policy;
    struct arena *arena;  /* for what is found */
    struct arena scratch; /* for one question */
    struct effects *effects;
    struct vault_error *err;
    const struct cell_view *cell;
    int64_t now_s; /* the time that is looked at */
    bool in_mix[CELL_VIEW_MAX];
    bool no_memory;
};

static void search_finish(struct search *search)
{
    arena_finish(&search->scratch);
}

static const struct rule *rule_at(const struct search *search, uint16_t rule)
{
    return &search->policy->rules[rule];
}

static bool is_in_force(const struct search *search, uint16_t rule)
{
    const struct rule *at = rule_at(search, rule);
    return search->now_s >= at->from_s && search->now_s < at->until_s;
}

/* --- questions --- */

static struct circumstance ask(struct search *search)
{
    struct circumstance circumstance;
    arena_reset(&search->scratch);
    circumstance_begin(&circumstance, &search->scratch, search->policy, NULL);
    return circumstance;
}

static bool find(struct search *search, struct circumstance *circumstance)
{
    const bool found = circumstance_find(circumstance);
    search->no_memory = search->no_memory || circumstance->no_memory;
    return found;
}

static void no_forbid(const struct search *search, struct circumstance *circumstance)
{
    for (size_t i = 0; i < search->cell->forbid_count; i++) {
        if (is_in_force(search, search->cell->forbids[i]))
            circumstance_applies_not(circumstance, 0, rule_at(search, search->cell->forbids[i]));
    }
}

/* Whether a permit is what a question wants out of the way. */
typedef bool is_in_the_way(const struct search *search, size_t permit, size_t other,
                           uint16_t obligation);

/* Whether the permit can release while none of those in the way applies. */
static bool releases_without(struct search *search, size_t permit, is_in_the_way *in_the_way,
                             uint16_t obligation)
{
    const struct cell_view *cell = search->cell;
    struct circumstance circumstance = ask(search);
    circumstance_applies(&circumstance, 0, rule_at(search, cell->permits[permit]));
    no_forbid(search, &circumstance);
    for (size_t i = 0; i < cell->permit_count; i++) {
        if (i != permit && cell->permits[i] != cell->permits[permit] &&
            is_in_force(search, cell->permits[i]) && in_the_way(search, permit, i, obligation))
            circumstance_applies_not(&circumstance, 0, rule_at(search, cell->permits[i]));
    }
    return find(search, &circumstance);
}

static bool nothing(const struct search *search, size_t permit, size_t other, uint16_t obligation)
{
    (void)search;
    (void)permit;
    (void)other;
    (void)obligation;
    return false;
}

/* Gives a form at least as strict, so that the permit's own form does not show. */
static bool as_strict(const struct search *search, size_t permit, size_t other, uint16_t obligation)
{
    (void)obligation;
    return search->cell->forms[other] >= search->cell->forms[permit];
}

static bool on_consent(const struct search *search, size_t permit)
{
    return rule_at(search, search->cell->permits[permit])->basis == POLICY_CONSENT;
}

/* Lets the consent's own form count too, or is as strict as a consent could ever be. */
static bool brings_consent(const struct search *search, size_t permit, size_t other,
                           uint16_t obligation)
{
    (void)permit;
    (void)obligation;
    const size_t strictest = field_ladder(search->policy, search->cell->field)->count - 1;
    return on_consent(search, other) || search->cell->forms[other] == strictest;
}

static const struct due *due_of(const struct rule *rule, uint16_t obligation)
{
    for (size_t i = 0; i < rule->due_count; i++) {
        if (rule->dues[i].obligation == obligation)
            return &rule->dues[i];
    }
    return NULL;
}

/* Brings the same obligation, at least as strictly. */
static bool as_obliging(const struct search *search, size_t permit, size_t other,
                        uint16_t obligation)
{
    const struct due *own = due_of(rule_at(search, search->cell->permits[permit]), obligation);
    const struct due *theirs = due_of(rule_at(search, search->cell->permits[other]), obligation);
    const bool number = search->policy->obligation_is_number[obligation];
    return theirs && (!number || theirs->value <= own->value);
}

/* Whether the answer is ever another without the permit: not released, a weaker form, fewer
 * obligations. */
static bool matters(struct search *search, size_t permit)
{
    const struct rule *rule = rule_at(search, search->cell->permits[permit]);
    bool does = releases_without(search, permit, as_strict, 0);
    if (!does && rule->basis == POLICY_CONSENT)
        does = releases_without(search, permit, brings_consent, 0);
    for (size_t i = 0; i < rule->due_count && !does; i++)
        does = releases_without(search, permit, as_obliging, rule->dues[i].obligation);
    return does;
}

static bool apply_together(struct search *search, uint16_t one, uint16_t other, bool released)
{
    struct circumstance circumstance = ask(search);
    circumstance_applies(&circumstance, 0, rule_at(search, one));
    circumstance_applies(&circumstance, 0, rule_at(search, other));
    if (released)
        no_forbid(search, &circumstance);
    return find(search, &circumstance);
}

/* --- a cell at one time --- */

static void look_at_permits(struct search *search)
{
    const struct cell_view *cell = search->cell;
    for (size_t i = 0; i < cell->permit_count; i++) {
        struct effect_of_rule *effect = &search->effects->rules[cell->permits[i]];
        if (!is_in_force(search, cell->permits[i]))
            continue;
        effect->applies = true;
        if (!effect->releases)
            effect->releases = releases_without(search, i, nothing, 0);
        if (effect->releases && !effect->matters)
            effect->matters = matters(search, i);
    }
}

static void look_at_forbids(struct search *search)
{
    const struct cell_view *cell = search->cell;
    for (size_t i = 0; i < cell->forbid_count; i++) {
        struct effect_of_rule *effect = &search->effects->rules[cell->forbids[i]];
        if (!is_in_force(search, cell->forbids[i]))
            continue;
        effect->applies = true;
        for (size_t j = 0; j < cell->permit_count && !effect->hits; j++)
            effect->hits = is_in_force(search, cell->permits[j]) &&
                           apply_together(search, cell->forbids[i], cell->permits[j], false);
    }
}

static void look_at_forms(struct search *search)
{
    const struct cell_view *cell = search->cell;
    for (size_t i = 0; i < cell->permit_count; i++) {
        for (size_t j = i + 1; j < cell->permit_count; j++) {
            if (cell->forms[i] == cell->forms[j] || (search->in_mix[i] && search->in_mix[j]) ||
                !is_in_force(search, cell->permits[i]) || !is_in_force(search, cell->permits[j]) ||
                !apply_together(search, cell->permits[i], cell->permits[j], true))
                continue;
            search->in_mix[i] = search->in_mix[j] = true;
        }
    }
}

/* --- a cell --- */

static int by_time(const void *a, const void *b)
{
    const int64_t left = *(const int64_t *)a;
    const int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void add_instants(const struct search *search, const uint16_t rules[], size_t count,
                         int64_t instants[INSTANTS_MAX], size_t *used)
{
    for (size_t i = 0; i < count; i++) {
        const struct rule *rule = rule_at(search, rules[i]);
        if (rule->from_s != INT64_MIN)
            instants[(*used)++] = rule->from_s;
        if (rule->until_s != INT64_MAX)
            instants[(*used)++] = rule->until_s;
    }
}

/* Times at which the rules in force change: between two of them nothing does. */
static size_t instants_of(const struct search *search, int64_t instants[INSTANTS_MAX])
{
    const struct cell_view *cell = search->cell;
    size_t used = 0;
    instants[used++] = INT64_MIN;
    add_instants(search, cell->forbids, cell->forbid_count, instants, &used);
    add_instants(search, cell->permits, cell->permit_count, instants, &used);
    qsort(instants, used, sizeof *instants, by_time);
    size_t kept = 0;
    for (size_t i = 0; i < used; i++) {
        if (kept == 0 || instants[kept - 1] != instants[i])
            instants[kept++] = instants[i];
    }
    return kept;
}

static struct mixed_forms *find_mixed(const struct search *search, const uint16_t rules[],
                                      size_t count)
{
    struct mixed_forms *mixed = search->effects->mixed;
    while (mixed &&
           (mixed->rule_count != count || memcmp(mixed->rules, rules, count * sizeof *rules) != 0))
        mixed = mixed->next;
    return mixed;
}

/* Note the permits of the cell that were found to give different forms together. */
static void keep_mixed(struct search *search)
{
    const struct cell_view *cell = search->cell;
    uint16_t rules[CELL_VIEW_MAX];
    size_t count = 0;
    for (size_t i = 0; i < cell->permit_count; i++) {
        if (search->in_mix[i])
            rules[count++] = cell->permits[i];
    }
    count = rules_unique(rules, count);
    struct mixed_forms *mixed = count ? find_mixed(search, rules, count) : NULL;
    if (mixed)
        mixed->cell_count++;
    if (mixed || count == 0 || search->effects->mixed_count == POLICY_MIXED_FORMS_MAX)
        return;
    uint16_t *copy = arena_take(search->arena, count, sizeof *copy);
    mixed = arena_take(search->arena, 1, sizeof *mixed);
    if (!copy || !mixed) {
        search->no_memory = true;
        return;
    }
    memcpy(copy, rules, count * sizeof *rules);
    *mixed =
        (struct mixed_forms){search->effects->mixed, copy, count, cell->purpose, cell->field, 1};
    search->effects->mixed = mixed;
    search->effects->mixed_count++;
}

static void keep_rivals(struct effect_of_rule *effect, const uint16_t rules[], size_t count,
                        uint16_t self)
{
    effect->rival_count = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_new = rules[i] != self; /* one rule may cover a field in several rows */
        for (size_t j = 0; j < effect->rival_count && is_new; j++)
            is_new = effect->rivals[j] != rules[i];
        if (is_new && effect->rival_count < EFFECT_RIVALS_MAX)
            effect->rivals[effect->rival_count++] = rules[i];
    }
}

/* Of permits that have not made a difference yet: what was in the way here. */
static void note_rivals(struct search *search)
{
    const struct cell_view *cell = search->cell;
    for (size_t i = 0; i < cell->permit_count; i++) {
        struct effect_of_rule *effect = &search->effects->rules[cell->permits[i]];
        if (effect->releases && effect->rivalry != PERMITS_ARE_RIVALS) {
            keep_rivals(effect, cell->permits, cell->permit_count, cell->permits[i]);
            effect->rivalry = PERMITS_ARE_RIVALS;
        } else if (!effect->releases && effect->rivalry == NO_RIVALS) {
            keep_rivals(effect, cell->forbids, cell->forbid_count, cell->permits[i]);
            effect->rivalry = FORBIDS_ARE_RIVALS;
        }
    }
}

static void note_covered(struct search *search, const uint16_t rules[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        search->effects->rules[rules[i]].covers = true;
}

static enum vault_code look_at_cell(void *context, const struct cell_view *cell)
{
    struct search *search = context;
    int64_t instants[INSTANTS_MAX];
    search->cell = cell;
    memset(search->in_mix, 0, sizeof search->in_mix);
    note_covered(search, cell->forbids, cell->forbid_count);
    note_covered(search, cell->permits, cell->permit_count);
    note_covered(search, cell->deposits, cell->deposit_count);
    const size_t count = instants_of(search, instants);
    for (size_t i = 0; i < count; i++) {
        search->now_s = instants[i];
        look_at_permits(search);
        look_at_forbids(search);
        look_at_forms(search);
    }
    note_rivals(search);
    keep_mixed(search);
    return search->no_memory ? vault_fail(search->err, VAULT_NO_MEMORY, "out of memory") : VAULT_OK;
}

enum vault_code effects_find(const struct policy *policy, struct arena *arena, struct effects *out,
                             struct vault_error *err)
{
    struct effects effects = {.rules =
                                  arena_take(arena, policy->rule_count, sizeof *effects.rules)};
    VAULT_AUTO(search_finish)
    struct search search = {.policy = policy, .arena = arena, .effects = &effects, .err = err};
    if (!effects.rules)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    VAULT_TRY(cells_visit(policy, look_at_cell, &search));
    *out = effects;
    return VAULT_OK;
}
