#include "contrast.h"

#include <stdlib.h>
#include <string.h>

#include "vault/base/clock.h"
#include "walk.h"

/* Beginnings and ends of all rules of a place, the second before the first of them, and a time to
 * begin with. */
#define INSTANTS_MAX   (8 * CONTRAST_RULES_MAX + 2)

/* Any day will do where nothing depends on it: 2027-01-01. */
#define SOME_DAY_S     INT64_C(1798761600)
#define FIRST_S        INT64_C(-62135596800) /* 0001-01-01 */
#define LAST_S         INT64_C(253402214400) /* 9999-12-31 */

#define RANKS_PER_FORM 4

void contrast_begin(struct contrast *contrast, const struct policy *old, const struct policy *new)
{
    *contrast = (struct contrast){.sides = {{.policy = old}, {.policy = new}}};
    contrast->from_s =
        old->not_before_s > new->not_before_s ? old->not_before_s : new->not_before_s;
    contrast->to_s = old->expires_s < new->expires_s ? old->expires_s : new->expires_s;
    if (contrast->from_s >= contrast->to_s) {
        contrast->from_s = INT64_MIN;
        contrast->to_s = INT64_MAX;
    }
}

void contrast_finish(struct contrast *contrast)
{
    arena_finish(&contrast->scratch);
}

/* --- ranks --- */

static const struct step *step_with(const struct contrast_side *side, uint8_t form)
{
    if (side->field == POLICY_NONE)
        return NULL;
    const struct ladder *ladder = field_ladder(side->policy, side->field);
    const uint8_t step = ladder_find(ladder, (enum form)form);
    return step == POLICY_FORM_NONE ? NULL : &ladder->steps[step];
}

static uint16_t rank_of(const struct contrast *contrast, size_t side, uint8_t at)
{
    const struct contrast_side *own = &contrast->sides[side];
    const struct step *step = &field_ladder(own->policy, own->field)->steps[at];
    const uint16_t rank = (uint16_t)(step->form * RANKS_PER_FORM + 2);
    const struct step *old = step_with(&contrast->sides[OLD], step->form);
    if (side == OLD || !old || step_is_same(old, step))
        return rank;
    return (uint16_t)(step_is_coarser(old, step) ? rank + 1 : rank - 1);
}

/* --- the rules of a place --- */

static void gather_deposits(struct contrast_side *side, const struct cell *cell,
                            const struct reference *first)
{
    const struct reference *reference = first + cell->forbids + cell->permits;
    for (size_t j = 0; j < cell->deposits; j++) {
        side->permits[side->permit_count] = reference[j].rule;
        side->ranks[side->permit_count++] = 0;
    }
}

static void gather(struct contrast *contrast, size_t index)
{
    struct contrast_side *side = &contrast->sides[index];
    side->forbid_count = side->permit_count = 0;
    side->strictest = 0;
    if (side->field == POLICY_NONE)
        return;
    const struct ladder *ladder = field_ladder(side->policy, side->field);
    const struct walk walk = walk_begin(side->policy, &side->actor, side->purpose);
    if (!contrast->deposits)
        side->strictest = rank_of(contrast, index, (uint8_t)(ladder->count - 1));
    for (size_t i = 0; i < walk.row_count; i++) {
        const struct cell *cell = table_cell(&side->policy->table, walk.rows[i], side->field);
        const struct reference *reference = &side->policy->table.references[cell->first];
        if (contrast->deposits) {
            gather_deposits(side, cell, reference);
            continue;
        }
        for (size_t j = 0; j < cell->forbids; j++)
            side->forbids[side->forbid_count++] = (reference++)->rule;
        for (size_t j = 0; j < cell->permits; j++, reference++) {
            side->permits[side->permit_count] = reference->rule;
            side->ranks[side->permit_count++] =
                rank_of(contrast, index, table_step(side->policy, reference, side->field));
        }
    }
}

void contrast_go(struct contrast *contrast)
{
    gather(contrast, OLD);
    gather(contrast, NEW);
}

static const struct rule *rule_at(const struct contrast *contrast, size_t side, uint16_t rule)
{
    return &contrast->sides[side].policy->rules[rule];
}

/* --- whether nothing can differ --- */

static bool same_atom(const struct contrast *contrast, const struct condition *old,
                      const struct condition *new)
{
    const struct policy *before = contrast->sides[OLD].policy;
    const struct policy *after = contrast->sides[NEW].policy;
    const struct atom *one = &before->atoms[old->atom];
    const struct atom *other = &after->atoms[new->atom];
    bool same =
        old->wanted == new->wanted && one->kind == other->kind &&
        one->values.count == other->values.count &&
        old->bit - one->first_bit ==
            new->bit - other->first_bit &&strcmp(policy_id(before, POLICY_ATOM, old->atom),
                                                 policy_id(after, POLICY_ATOM, new->atom)) ==
            0;
    for (size_t i = 0; same && i < one->values.count; i++)
        same = strcmp(one->values.ids[i], other->values.ids[i]) == 0;
    return same;
}

static bool same_conditions(const struct contrast *contrast, const struct rule *old,
                            const struct rule *new)
{
    bool same = old->condition_count == new->condition_count;
    for (size_t i = 0; same && i < old->condition_count; i++) {
        same = false;
        for (size_t j = 0; j < new->condition_count && !same; j++)
            same = same_atom(contrast, &old->conditions[i], &new->conditions[j]);
    }
    return same;
}

/* Obligations by their ids, in whose order they stand. */
static bool same_dues(const struct contrast *contrast, const struct rule *old,
                      const struct rule *new)
{
    const struct policy *before = contrast->sides[OLD].policy;
    const struct policy *after = contrast->sides[NEW].policy;
    bool same = old->due_count == new->due_count;
    for (size_t i = 0; same && i < old->due_count; i++) {
        const struct due *one = &old->dues[i];
        const struct due *other = &new->dues[i];
        same = one->value == other->value &&
               before->obligation_is_number[one->obligation] ==
                   after->obligation_is_number[other->obligation] &&
               strcmp(policy_id(before, POLICY_OBLIGATION, one->obligation),
                      policy_id(after, POLICY_OBLIGATION, other->obligation)) == 0;
    }
    return same;
}

/* The new bundle's rule that is this one, under the same id and with the same meaning wherever it
 * covers; POLICY_NONE if there is none. */
static uint16_t counterpart(const struct contrast *contrast, uint16_t rule)
{
    const struct rule *old = rule_at(contrast, OLD, rule);
    const uint16_t other =
        policy_find(contrast->sides[NEW].policy, POLICY_RULE, bytes_of_text(old->id));
    if (other == POLICY_NONE)
        return POLICY_NONE;
    const struct rule *new = rule_at(contrast, NEW, other);
    const bool same = old->effect == new->effect && old->basis == new->basis &&
                      old->from_s == new->from_s &&
                      old->until_s == new->until_s &&same_conditions(contrast, old, new) &&
                      same_dues(contrast, old, new);
    return same ? other : POLICY_NONE;
}

/* Whether rules are those of another list, one for one. Rows come in the same order on both sides,
 * and ids in theirs. */
static bool same_list(const struct contrast *contrast, const uint16_t old[], const uint16_t new[],
                      size_t count)
{
    size_t i = 0;
    while (i < count && counterpart(contrast, old[i]) == new[i])
        i++;
    return i == count;
}

bool contrast_is_same(const struct contrast *contrast)
{
    const struct contrast_side *old = &contrast->sides[OLD];
    const struct contrast_side *new = &contrast->sides[NEW];
    return old->permit_count == new->permit_count && old->forbid_count == new->forbid_count &&
           old->strictest ==
               new->strictest &&memcmp(old->ranks, new->ranks,
                                       old->permit_count * sizeof *old->ranks) == 0 &&
           same_list(contrast, old->permits, new->permits, old->permit_count) &&
           same_list(contrast, old->forbids, new->forbids, old->forbid_count);
}

bool contrast_is_plain(const struct contrast *contrast)
{
    const bool permits = contrast->sides[OLD].permit_count || contrast->sides[NEW].permit_count;
    return !permits || contrast_is_same(contrast);
}

/* --- questions --- */

static bool is_in_force(const struct contrast *contrast, size_t side, uint16_t rule)
{
    const struct rule *at = rule_at(contrast, side, rule);
    return contrast->now_s >= at->from_s && contrast->now_s < at->until_s;
}

static bool rests_on_consent(const struct contrast *contrast, size_t side, uint16_t rule)
{
    return rule_at(contrast, side, rule)->basis == POLICY_CONSENT;
}

static void no_forbid(struct contrast *contrast, size_t side)
{
    const struct contrast_side *own = &contrast->sides[side];
    for (size_t i = 0; i < own->forbid_count; i++) {
        if (is_in_force(contrast, side, own->forbids[i]))
            circumstance_applies_not(&contrast->found, side,
                                     rule_at(contrast, side, own->forbids[i]));
    }
}

/* Begin a question: this permit releases on this side. */
static void begin(struct contrast *contrast, size_t side, uint16_t permit)
{
    arena_reset(&contrast->scratch);
    circumstance_begin(&contrast->found, &contrast->scratch, contrast->sides[OLD].policy,
                       contrast->sides[NEW].policy);
    circumstance_applies(&contrast->found, side, rule_at(contrast, side, permit));
    no_forbid(contrast, side);
}

static void also_releases(struct contrast *contrast, size_t side, uint16_t permit)
{
    circumstance_applies(&contrast->found, side, rule_at(contrast, side, permit));
    no_forbid(contrast, side);
}

static bool find(struct contrast *contrast)
{
    const bool found = circumstance_find(&contrast->found);
    contrast->no_memory = contrast->no_memory || contrast->found.no_memory;
    return found;
}

/* --- released here, denied there --- */

static bool no_permit_there(struct contrast *contrast, size_t here, uint16_t permit)
{
    const size_t there = !here;
    const struct contrast_side *side = &contrast->sides[there];
    begin(contrast, here, permit);
    for (size_t i = 0; i < side->permit_count; i++) {
        if (is_in_force(contrast, there, side->permits[i]))
            circumstance_applies_not(&contrast->found, there,
                                     rule_at(contrast, there, side->permits[i]));
    }
    return find(contrast);
}

static bool forbidden_there(struct contrast *contrast, size_t here, uint16_t permit)
{
    const size_t there = !here;
    const struct contrast_side *side = &contrast->sides[there];
    bool found = false;
    for (size_t i = 0; i < side->forbid_count && !found; i++) {
        if (!is_in_force(contrast, there, side->forbids[i]))
            continue;
        begin(contrast, here, permit);
        circumstance_applies(&contrast->found, there, rule_at(contrast, there, side->forbids[i]));
        found = find(contrast);
    }
    return found;
}

static bool only_here(struct contrast *contrast, size_t here)
{
    const struct contrast_side *side = &contrast->sides[here];
    bool found = false;
    for (size_t i = 0; i < side->permit_count && !found; i++) {
        found = is_in_force(contrast, here, side->permits[i]) &&
                (no_permit_there(contrast, here, side->permits[i]) ||
                 forbidden_there(contrast, here, side->permits[i]));
    }
    return found;
}

/* --- released on both, in a stricter form or under more obligations here --- */

/* What a permit here brings that the other side must lack: a form of this rank, or a duty. */
struct surplus {
    uint16_t rank;
    bool by_consent;       /* the rank comes from the consent, which permits there must not use */
    const struct due *due; /* NULL: it is about the form */
};

/* Whether a permit there brings as much, so that the surplus would not show. */
static bool makes_up(const struct contrast *contrast, size_t here, size_t permit,
                     const struct surplus *surplus)
{
    const size_t there = !here;
    const struct policy *own = contrast->sides[here].policy;
    const struct policy *other = contrast->sides[there].policy;
    const uint16_t number = contrast->sides[there].permits[permit];
    if (!surplus->due)
        return contrast->sides[there].ranks[permit] >= surplus->rank ||
               (surplus->by_consent && rests_on_consent(contrast, there, number));
    const char *id = policy_id(own, POLICY_OBLIGATION, surplus->due->obligation);
    const bool is_number = own->obligation_is_number[surplus->due->obligation];
    const struct rule *rule = rule_at(contrast, there, number);
    for (size_t i = 0; i < rule->due_count; i++) {
        const struct due *due = &rule->dues[i];
        if (strcmp(policy_id(other, POLICY_OBLIGATION, due->obligation), id) == 0)
            return other->obligation_is_number[due->obligation] == is_number &&
                   (!is_number || due->value <= surplus->due->value);
    }
    return false;
}

/* Whether the permit here can show its surplus while some permit there releases too. */
static bool shows(struct contrast *contrast, size_t here, uint16_t permit,
                  const struct surplus *surplus)
{
    const size_t there = !here;
    const struct contrast_side *side = &contrast->sides[there];
    bool found = false;
    for (size_t i = 0; i < side->permit_count && !found; i++) {
        if (!is_in_force(contrast, there, side->permits[i]) || makes_up(contrast, here, i, surplus))
            continue;
        begin(contrast, here, permit);
        also_releases(contrast, there, side->permits[i]);
        for (size_t j = 0; j < side->permit_count; j++) {
            if (is_in_force(contrast, there, side->permits[j]) &&
                makes_up(contrast, here, j, surplus))
                circumstance_applies_not(&contrast->found, there,
                                         rule_at(contrast, there, side->permits[j]));
        }
        found = find(contrast);
    }
    return found;
}

static bool stricter_here(struct contrast *contrast, size_t here)
{
    const struct contrast_side *side = &contrast->sides[here];
    bool found = false;
    for (size_t i = 0; i < side->permit_count && !found; i++) {
        const struct surplus own = {.rank = side->ranks[i]};
        const struct surplus of_consent = {.rank = side->strictest, .by_consent = true};
        if (!is_in_force(contrast, here, side->permits[i]))
            continue;
        contrast->strictest_consent = false;
        found = shows(contrast, here, side->permits[i], &own);
        if (found || !rests_on_consent(contrast, here, side->permits[i]))
            continue;
        contrast->strictest_consent = true;
        found = shows(contrast, here, side->permits[i], &of_consent);
    }
    return found;
}

static bool more_obligations_here(struct contrast *contrast, size_t here)
{
    const struct contrast_side *side = &contrast->sides[here];
    bool found = false;
    for (size_t i = 0; i < side->permit_count && !found; i++) {
        const struct rule *rule = rule_at(contrast, here, side->permits[i]);
        for (size_t j = 0; j < rule->due_count && !found; j++) {
            const struct surplus surplus = {.due = &rule->dues[j]};
            found = is_in_force(contrast, here, side->permits[i]) &&
                    shows(contrast, here, side->permits[i], &surplus);
        }
    }
    return found;
}

/* --- at every time that matters --- */

static void add_instant(const struct contrast *contrast, int64_t instant_s, int64_t instants[],
                        size_t *count)
{
    if (instant_s >= FIRST_S && instant_s < LAST_S && instant_s >= contrast->from_s &&
        instant_s < contrast->to_s)
        instants[(*count)++] = instant_s;
}

static void add_instants(const struct contrast *contrast, size_t side, const uint16_t rules[],
                         size_t rule_count, int64_t instants[], size_t *count)
{
    for (size_t i = 0; i < rule_count; i++) {
        const struct rule *rule = rule_at(contrast, side, rules[i]);
        add_instant(contrast, rule->from_s, instants, count);
        add_instant(contrast, rule->until_s, instants, count);
    }
}

static int by_time(const void *a, const void *b)
{
    const int64_t left = *(const int64_t *)a;
    const int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* A time before all changes: when both bundles begin to be available, or the second before the
 * first change, or any day. */
static int64_t begin_of_time(const struct contrast *contrast, const int64_t instants[],
                             size_t count)
{
    if (contrast->from_s != INT64_MIN)
        return contrast->from_s;
    if (count && instants[0] > FIRST_S)
        return instants[0] - 1;
    return SOME_DAY_S < contrast->to_s ? SOME_DAY_S : contrast->to_s - 1;
}

/* Times at which the rules in force change, each once, and the time before. */
static size_t instants_of(const struct contrast *contrast, int64_t instants[INSTANTS_MAX])
{
    size_t count = 0;
    for (size_t s = 0; s < SIDES; s++) {
        const struct contrast_side *side = &contrast->sides[s];
        add_instants(contrast, s, side->forbids, side->forbid_count, instants, &count);
        add_instants(contrast, s, side->permits, side->permit_count, instants, &count);
    }
    qsort(instants, count, sizeof *instants, by_time);
    instants[count] = begin_of_time(contrast, instants, count);
    count++;
    qsort(instants, count, sizeof *instants, by_time);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || instants[kept - 1] != instants[i])
            instants[kept++] = instants[i];
    }
    return kept;
}

static bool find_now(struct contrast *contrast, enum contrast_way way)
{
    contrast->strictest_consent = false;
    switch (way) {
    case WAY_GAINS:
        return only_here(contrast, NEW);
    case WAY_LOSES:
        return only_here(contrast, OLD);
    case WAY_WEAKER:
        return stricter_here(contrast, OLD);
    case WAY_STRICTER:
        return stricter_here(contrast, NEW);
    case WAY_RELAXED:
        return more_obligations_here(contrast, OLD);
    case WAY_TIGHTENED:
        return more_obligations_here(contrast, NEW);
    case WAY_COUNT:
        break;
    }
    return false;
}

bool contrast_find(struct contrast *contrast, enum contrast_way way)
{
    int64_t instants[INSTANTS_MAX];
    const size_t count = instants_of(contrast, instants);
    bool found = false;
    for (size_t i = 0; i < count && !found; i++) {
        contrast->now_s = instants[i];
        found = find_now(contrast, way);
    }
    return found;
}
