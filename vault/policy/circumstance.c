#include <string.h>

#include "circumstance_parts.h"
#include "question.h"
#include "vault/base/json.h"

/* Choices for an atom that means one thing on one side and another on the other. */
#define SUBSET_VALUES_MAX 6

/* --- variables --- */

static struct variable *add_variable(struct circumstance *circumstance, const char *id,
                                     const char *value, size_t choice_count)
{
    struct variable *variable = arena_take(circumstance->arena, 1, sizeof *variable);
    struct choice *choices = arena_take(circumstance->arena, choice_count, sizeof *choices);
    if (!variable || !choices) {
        circumstance->no_memory = true;
        return NULL;
    }
    *variable = (struct variable){.id = id,
                                  .value = value,
                                  .choices = choices,
                                  .choice_count = choice_count,
                                  .chosen = choice_count};
    struct variable **end = &circumstance->variables;
    while (*end)
        end = &(*end)->next;
    *end = variable;
    return variable;
}

/* Consent, then objection: choice 0 is that there is none. */
void circumstance_begin(struct circumstance *circumstance, struct arena *arena,
                        const struct policy *first, const struct policy *second)
{
    *circumstance = (struct circumstance){.arena = arena, .sides = {first, second}};
    add_variable(circumstance, NULL, NULL, 2);
    add_variable(circumstance, NULL, NULL, 2);
}

static const struct atom *atom_on(const struct circumstance *circumstance, size_t side,
                                  const char *id)
{
    const struct policy *policy = circumstance->sides[side];
    if (!policy)
        return NULL;
    const uint16_t index = policy_find(policy, POLICY_ATOM, bytes_of_text(id));
    return index == POLICY_NONE ? NULL : &policy->atoms[index];
}

/* What a JSON value makes of an atom, in the atom's own word; NULL stands for none given. */
static struct policy_atom_word bits_of(const struct circumstance *circumstance, size_t side,
                                       const char *id, const char *json)
{
    struct policy_atom_word atoms[POLICY_ATOM_WORDS_MAX];
    const struct policy *policy = circumstance->sides[side];
    const struct atom *atom = atom_on(circumstance, side, id);
    VAULT_AUTO(json_free) json_t *value = NULL;
    if (!atom || !json || json_parse(bytes_of_text(json), 2, &value, NULL, NULL) != VAULT_OK)
        return (struct policy_atom_word){.is_unknown = UINT64_MAX};
    policy_atoms_clear(policy, atoms);
    question_set_atom(policy, atoms, (uint16_t)(atom - policy->atoms), value);
    return atoms[atom->word];
}

/* One value of a set that is the same on all sides: unknown, not holding, holding. */
static void add_set_value(struct circumstance *circumstance, const char *id, const char *value)
{
    struct variable *variable = add_variable(circumstance, id, value, 3);
    for (size_t side = 0; side < SIDES && variable; side++) {
        const struct atom *atom = atom_on(circumstance, side, id);
        const size_t place =
            atom ? name_index(atom->values.ids, atom->values.count, bytes_of_text(value)) : 0;
        const uint64_t bit = atom ? UINT64_C(1) << (atom->first_bit + place) : 0;
        variable->choices[0].bits[side] = (struct policy_atom_word){.is_unknown = UINT64_MAX};
        variable->choices[1].bits[side] = (struct policy_atom_word){0, ~bit};
        variable->choices[2].bits[side] = (struct policy_atom_word){bit, ~bit};
    }
}

/* Whether the sides that have the atom mean the same by it. */
static bool is_same_everywhere(const struct circumstance *circumstance, const char *id)
{
    const struct atom *one = atom_on(circumstance, 0, id);
    const struct atom *other = atom_on(circumstance, 1, id);
    if (!one || !other)
        return true;
    bool same = one->kind == other->kind && one->values.count == other->values.count;
    for (size_t i = 0; same && i < one->values.count; i++)
        same = strcmp(one->values.ids[i], other->values.ids[i]) == 0;
    return same;
}

/* The values that a request may give an atom, as JSON texts in one list. */
struct spellings {
    const char *json[MIXED_CHOICES_MAX];
    size_t count;
};

static void spell(struct circumstance *circumstance, struct spellings *spellings, struct buf *json)
{
    const char *text = json->problem ? NULL : arena_text(circumstance->arena, buf_view(json));
    circumstance->no_memory = circumstance->no_memory || !text;
    if (text && spellings->count < MIXED_CHOICES_MAX)
        spellings->json[spellings->count++] = text;
    buf_clear(json);
}

static void spell_values(struct circumstance *circumstance, const struct atom *atom,
                         struct spellings *spellings)
{
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(4096);
    for (size_t i = 0; i < atom->values.count; i++) {
        json_write_string(&json, bytes_of_text(atom->values.ids[i]));
        spell(circumstance, spellings, &json);
    }
}

/* Of a set whose values differ between the sides: every subset of a few values; of many, none, one.
 */
static void spell_lists(struct circumstance *circumstance, const struct atom *atom,
                        struct spellings *spellings)
{
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(4096);
    const size_t count = atom->values.count;
    const bool all = count <= SUBSET_VALUES_MAX;
    const size_t lists = all ? (size_t)1 << count : count + 1;
    for (size_t list = 0; list < lists; list++) {
        buf_byte(&json, '[');
        for (size_t i = 0; i < count; i++) {
            if (all ? !(list >> i & 1) : list != i + 1)
                continue;
            if (json.data[json.size - 1] != '[')
                buf_byte(&json, ',');
            json_write_string(&json, bytes_of_text(atom->values.ids[i]));
        }
        buf_byte(&json, ']');
        spell(circumstance, spellings, &json);
    }
}

/* An atom as a whole: unknown, or any value that some side knows. */
static void add_whole(struct circumstance *circumstance, const char *id)
{
    struct spellings spellings = {.json = {NULL}, .count = 1};
    for (size_t side = 0; side < SIDES; side++) {
        const struct atom *atom = atom_on(circumstance, side, id);
        if (!atom ||
            (side == 1 && atom_on(circumstance, 0, id) && is_same_everywhere(circumstance, id)))
            continue;
        if (atom->kind == POLICY_ATOM_BOOLEAN) {
            spellings.json[spellings.count++] = "true";
            spellings.json[spellings.count++] = "false";
        } else if (atom->kind == POLICY_ATOM_ORDERED) {
            spell_values(circumstance, atom, &spellings);
        } else {
            spell_lists(circumstance, atom, &spellings);
        }
    }
    struct variable *variable = add_variable(circumstance, id, NULL, spellings.count);
    for (size_t i = 0; i < spellings.count && variable; i++) {
        variable->choices[i].json = spellings.json[i];
        for (size_t side = 0; side < SIDES; side++)
            variable->choices[i].bits[side] = bits_of(circumstance, side, id, spellings.json[i]);
    }
}

static bool has_variable(const struct circumstance *circumstance, const char *id, const char *value)
{
    for (const struct variable *v = circumstance->variables; v; v = v->next) {
        if (v->id && strcmp(v->id, id) == 0 && (!v->value || strcmp(v->value, value) == 0))
            return true;
    }
    return false;
}

/* Make sure that there is a variable for what a condition of a side looks at. */
static void need(struct circumstance *circumstance, size_t side, const struct condition *condition)
{
    const struct policy *policy = circumstance->sides[side];
    const struct atom *atom = &policy->atoms[condition->atom];
    const char *id = policy_id(policy, POLICY_ATOM, condition->atom);
    const char *value =
        atom->kind == POLICY_ATOM_SET ? atom->values.ids[condition->bit - atom->first_bit] : "";
    if (has_variable(circumstance, id, value))
        return;
    if (*value && is_same_everywhere(circumstance, id))
        add_set_value(circumstance, id, value);
    else
        add_whole(circumstance, id);
}

/* --- clauses --- */

/* What is demanded of a condition. */
enum demand { IS_MET, IS_NOT_MET, IS_NOT_CONTRARY, IS_CONTRARY };

static bool meets(struct policy_atom_word bits, const struct condition *condition,
                  enum demand demand)
{
    const uint64_t bit = UINT64_C(1) << condition->bit;
    const bool known = !(bits.is_unknown & bit);
    const bool as_wanted = known && ((bits.is_true & bit) != 0) == condition->wanted;
    switch (demand) {
    case IS_MET:
        return as_wanted;
    case IS_NOT_MET:
        return !as_wanted;
    case IS_NOT_CONTRARY:
        return !known || as_wanted;
    case IS_CONTRARY:
        return known && !as_wanted;
    }
    return false;
}

static void mark(struct choice *choice, size_t clause)
{
    choice->meets[clause / 64] |= UINT64_C(1) << (clause % 64);
}

/* Add a condition's choices to a clause. */
static void add_choices(struct circumstance *circumstance, size_t side, size_t clause,
                        const struct condition *condition, enum demand demand)
{
    const struct policy *policy = circumstance->sides[side];
    const struct atom *atom = &policy->atoms[condition->atom];
    const char *id = policy_id(policy, POLICY_ATOM, condition->atom);
    need(circumstance, side, condition);
    for (struct variable *v = circumstance->variables; v; v = v->next) {
        if (!v->id || strcmp(v->id, id) != 0)
            continue;
        if (v->value && strcmp(v->value, atom->values.ids[condition->bit - atom->first_bit]) != 0)
            continue;
        for (size_t i = 0; i < v->choice_count; i++) {
            if (meets(v->choices[i].bits[side], condition, demand))
                mark(&v->choices[i], clause);
        }
    }
}

static size_t new_clause(struct circumstance *circumstance)
{
    if (circumstance->clause_count == CIRCUMSTANCE_CLAUSES_MAX) {
        circumstance->no_memory = true;
        return 0;
    }
    return circumstance->clause_count++;
}

static bool rests_on_consent(const struct rule *rule)
{
    return rule->effect == EFFECT_PERMIT && rule->basis == POLICY_CONSENT;
}

static bool yields_to_objection(const struct rule *rule)
{
    return rule->effect == EFFECT_PERMIT &&
           (rule->basis == POLICY_PUBLIC_TASK || rule->basis == POLICY_LEGITIMATE_INTERESTS);
}

void circumstance_applies(struct circumstance *circumstance, size_t side, const struct rule *rule)
{
    if (circumstance->no_memory)
        return;
    const enum demand demand = rule->effect == EFFECT_FORBID ? IS_NOT_CONTRARY : IS_MET;
    for (size_t i = 0; i < rule->condition_count; i++)
        add_choices(circumstance, side, new_clause(circumstance), &rule->conditions[i], demand);
    if (rests_on_consent(rule))
        mark(&consent_of(circumstance)->choices[1], new_clause(circumstance));
    if (yields_to_objection(rule))
        mark(&objection_of(circumstance)->choices[0], new_clause(circumstance));
}

void circumstance_applies_not(struct circumstance *circumstance, size_t side,
                              const struct rule *rule)
{
    if (circumstance->no_memory)
        return;
    const enum demand demand = rule->effect == EFFECT_FORBID ? IS_CONTRARY : IS_NOT_MET;
    const size_t clause = new_clause(circumstance);
    for (size_t i = 0; i < rule->condition_count; i++)
        add_choices(circumstance, side, clause, &rule->conditions[i], demand);
    if (rests_on_consent(rule))
        mark(&consent_of(circumstance)->choices[0], clause);
    if (yields_to_objection(rule))
        mark(&objection_of(circumstance)->choices[1], clause);
}
