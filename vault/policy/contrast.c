#include "contrast.h"

#include <string.h>

#include "walk.h"

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

static uint16_t rank_of_step(const struct contrast *contrast, size_t side, const struct step *step)
{
    const uint16_t rank = (uint16_t)(step->form * RANKS_PER_FORM + 2);
    const struct step *old = step_with(&contrast->sides[OLD], step->form);
    if (side == OLD || !old || step_is_same(old, step))
        return rank;
    return (uint16_t)(step_is_coarser(old, step) ? rank + 1 : rank - 1);
}

static uint16_t rank_of(const struct contrast *contrast, size_t side, uint8_t at)
{
    const struct contrast_side *own = &contrast->sides[side];
    return rank_of_step(contrast, side, &field_ladder(own->policy, own->field)->steps[at]);
}

/* --- what a service can ask for by name, and a citizen consent to --- */

/* Sort a side's forms into those that the other ladder lacks, those that it has, and of these the
 * ones that stand for less here; of each the strictest, which is the last of the ladder. */
static void weigh_forms(struct contrast *contrast, size_t here)
{
    struct contrast_side *side = &contrast->sides[here];
    const struct ladder *ladder = field_ladder(side->policy, side->field);
    for (size_t i = 0; i < ladder->count; i++) {
        const struct step *step = &ladder->steps[i];
        const struct step *there = step_with(&contrast->sides[!here], step->form);
        const struct named_form form = {step->form, rank_of_step(contrast, here, step)};
        if (!there) {
            side->alone = form;
            continue;
        }
        side->shared = form;
        if (form.rank > rank_of_step(contrast, !here, there))
            side->coarser = form;
    }
}

static void compare_forms(struct contrast *contrast)
{
    static const struct named_form none = {FORM_COUNT, 0};
    const bool both = contrast->sides[OLD].field != POLICY_NONE &&
                      contrast->sides[NEW].field != POLICY_NONE && !contrast->deposits;
    for (size_t side = 0; side < SIDES; side++) {
        struct contrast_side *own = &contrast->sides[side];
        own->alone = own->shared = own->coarser = none;
        if (both)
            weigh_forms(contrast, side);
    }
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
    if (side->field == POLICY_NONE)
        return;
    const struct walk walk = walk_begin(side->policy, &side->actor, side->purpose);
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
    compare_forms(contrast);
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
    const struct rule *old = contrast_rule(contrast, OLD, rule);
    const uint16_t other =
        policy_find(contrast->sides[NEW].policy, POLICY_RULE, bytes_of_text(old->id));
    if (other == POLICY_NONE)
        return POLICY_NONE;
    const struct rule *new = contrast_rule(contrast, NEW, other);
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

/* Whether every form has the same name and the same meaning on both sides. */
static bool same_forms(const struct contrast *contrast)
{
    bool same = true;
    for (size_t i = 0; i < SIDES; i++)
        same = same && contrast->sides[i].alone.form == FORM_COUNT &&
               contrast->sides[i].coarser.form == FORM_COUNT;
    return same;
}

bool contrast_is_same(const struct contrast *contrast)
{
    const struct contrast_side *old = &contrast->sides[OLD];
    const struct contrast_side *new = &contrast->sides[NEW];
    return old->permit_count == new->permit_count &&
           old->forbid_count == new->forbid_count &&same_forms(contrast) &&
           memcmp(old->ranks, new->ranks, old->permit_count * sizeof *old->ranks) == 0 &&
           same_list(contrast, old->permits, new->permits, old->permit_count) &&
           same_list(contrast, old->forbids, new->forbids, old->forbid_count);
}

bool contrast_is_plain(const struct contrast *contrast)
{
    const bool permits = contrast->sides[OLD].permit_count || contrast->sides[NEW].permit_count;
    return !permits || contrast_is_same(contrast);
}
