/* What could ever be released to an actor for a purpose. */
#include "walk.h"

/* Whether a condition of a rule makes sure that this one is definitely as written. */
static bool is_implied(const struct policy *policy, const struct condition *condition,
                       const struct rule *by)
{
    for (size_t i = 0; i < by->condition_count; i++) {
        const struct condition *known = &by->conditions[i];
        if (known->atom != condition->atom)
            continue;
        const bool ordered = policy->atoms[known->atom].kind == POLICY_ATOM_ORDERED;
        if (ordered ? known->bit >= condition->bit
                    : known->bit == condition->bit && known->wanted == condition->wanted)
            return true;
    }
    return false;
}

/* Whether a forbid takes away whatever the permit could give from now on. */
static bool takes_away(const struct policy *policy, const struct rule *forbid,
                       const struct rule *permit, int64_t now_s)
{
    const int64_t from_s = permit->from_s > now_s ? permit->from_s : now_s;
    if (forbid->from_s > from_s || forbid->until_s < permit->until_s)
        return false;
    for (size_t i = 0; i < forbid->condition_count; i++) {
        if (!is_implied(policy, &forbid->conditions[i], permit))
            return false;
    }
    return true;
}

static bool is_taken_away(const struct policy *policy, const struct walk *walk, uint16_t field,
                          const struct rule *permit, int64_t now_s)
{
    for (size_t i = 0; i < walk->row_count; i++) {
        const struct cell *cell = table_cell(&policy->table, walk->rows[i], field);
        for (size_t j = 0; j < cell->forbids; j++) {
            const uint16_t forbid = policy->table.references[cell->first + j].rule;
            if (takes_away(policy, &policy->rules[forbid], permit, now_s))
                return true;
        }
    }
    return false;
}

static void add_permit(struct policy_prospect *prospect, const struct core *core, uint8_t step)
{
    if (!prospect->bases || step < prospect->most)
        prospect->most = step;
    if (!prospect->bases || step > prospect->least)
        prospect->least = step;
    if (core->basis == POLICY_CONSENT && step < prospect->with_consent)
        prospect->with_consent = step;
    prospect->bases |= (uint8_t)(1U << core->basis);
    prospect->must |= core->must;
}

static bool could_release(const struct policy *policy, const struct walk *walk, uint16_t field,
                          const struct rule *permit, int64_t now_s)
{
    return permit->until_s > now_s && permit->until_s > permit->from_s &&
           !is_taken_away(policy, walk, field, permit, now_s);
}

static struct policy_prospect prospect_of(const struct policy *policy, const struct walk *walk,
                                          uint16_t field, int64_t now_s)
{
    struct policy_prospect prospect = {.field = field, .with_consent = POLICY_FORM_NONE};
    for (size_t i = 0; i < walk->row_count; i++) {
        const struct cell *cell = table_cell(&policy->table, walk->rows[i], field);
        for (size_t j = cell->forbids; j < (size_t)cell->forbids + cell->permits; j++) {
            const struct reference *reference = &policy->table.references[cell->first + j];
            const struct rule *permit = &policy->rules[reference->rule];
            if (could_release(policy, walk, field, permit, now_s))
                add_permit(&prospect, &policy->table.cores[reference->rule],
                           table_step(policy, reference, field));
        }
    }
    return prospect;
}

size_t policy_prospects(const struct policy *policy, const struct policy_actor *actor,
                        uint16_t purpose, int64_t now_s, struct policy_prospect out[])
{
    const struct walk walk = walk_begin(policy, actor, purpose);
    size_t count = 0;
    for (size_t field = 0; walk.row_count && field < policy->names[POLICY_FIELD].count; field++) {
        const struct policy_prospect prospect = prospect_of(policy, &walk, (uint16_t)field, now_s);
        if (prospect.bases)
            out[count++] = prospect;
    }
    return count;
}

/* The number that comes with an obligation of a rule, 0 if the rule does not have it. */
static int64_t due_of(const struct rule *rule, uint16_t obligation)
{
    for (size_t i = 0; i < rule->due_count; i++) {
        if (rule->dues[i].obligation == obligation)
            return rule->dues[i].value;
    }
    return 0;
}

int64_t policy_prospect_number(const struct policy *policy, const struct policy_actor *actor,
                               uint16_t purpose, uint16_t field, int64_t now_s, uint16_t obligation)
{
    const struct walk walk = walk_begin(policy, actor, purpose);
    int64_t largest = 0;
    for (size_t i = 0; i < walk.row_count; i++) {
        const struct cell *cell = table_cell(&policy->table, walk.rows[i], field);
        for (size_t j = cell->forbids; j < (size_t)cell->forbids + cell->permits; j++) {
            const uint16_t number = policy->table.references[cell->first + j].rule;
            const struct rule *permit = &policy->rules[number];
            if (policy->table.cores[number].basis != POLICY_CONSENT ||
                !could_release(policy, &walk, field, permit, now_s))
                continue;
            const int64_t due = due_of(permit, obligation);
            if (!due)
                return 0;
            largest = due > largest ? due : largest;
        }
    }
    return largest;
}
