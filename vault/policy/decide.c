#include "vault/policy/decide.h"

#include <stdlib.h>
#include <string.h>

#include "walk.h"

static const char *const reason_names[REASON_COUNT] = {
    [REASON_RELEASED] = "released",
    [REASON_UNKNOWN_FIELD] = "unknown_field",
    [REASON_BAD_FORM] = "bad_form",
    [REASON_PURPOSE_NOT_REGISTERED] = "purpose_not_registered",
    [REASON_FORBIDDEN] = "forbidden",
    [REASON_FORBIDDEN_UNKNOWN] = "forbidden_unknown",
    [REASON_NO_RULE] = "no_rule",
    [REASON_NOT_IN_FORCE] = "not_in_force",
    [REASON_CONDITIONS] = "conditions",
    [REASON_OBJECTION] = "objection",
    [REASON_NO_CONSENT] = "no_consent",
    [REASON_REFUSED] = "refused",
    [REASON_WITHDRAWN] = "withdrawn",
    [REASON_EXPIRED] = "expired",
    [REASON_SUSPENDED] = "suspended",
    [REASON_USED_UP] = "used_up",
    [REASON_OUT_OF_SCOPE] = "out_of_scope",
    [REASON_OBLIGATION] = "obligation",
    [REASON_NO_VALUE] = "no_value",
    [REASON_ERROR] = "error",
    [REASON_POLICY_UNAVAILABLE] = "policy_unavailable",
};

const char *policy_reason_name(enum policy_reason reason)
{
    return reason_names[reason];
}

/* --- the rows of a request --- */

static void add_rows(struct walk *walk, const struct table *table, size_t actor, size_t purpose)
{
    const size_t every = table->purpose_count - 1;
    const struct row *own = table_row(table, actor, purpose);
    const struct row *shared = table_row(table, actor, every);
    if (own)
        walk->rows[walk->row_count++] = own;
    if (shared)
        walk->rows[walk->row_count++] = shared;
}

struct walk walk_begin(const struct policy *policy, const struct policy_actor *actor,
                       uint16_t purpose)
{
    const struct table *table = &policy->table;
    struct walk walk = {.row_count = 0};
    if (purpose == POLICY_NONE || actor->class_count == 0)
        return walk;
    for (size_t i = 0; i < actor->class_count; i++)
        add_rows(&walk, table, actor->classes[i], purpose);
    if (actor->service != POLICY_NONE)
        add_rows(&walk, table, policy->names[POLICY_CLASS].count + actor->service, purpose);
    add_rows(&walk, table, table->actor_count - 1, purpose);
    return walk;
}

/* --- conditions --- */

static bool test_is_met(const struct test *test, const struct policy_atom_word atoms[])
{
    const struct policy_atom_word word = atoms[test->word];
    return ((test->need_true & ~word.is_true) |
            (test->need_false & (word.is_true | word.is_unknown))) == 0;
}

static bool test_is_contrary(const struct test *test, const struct policy_atom_word atoms[])
{
    const struct policy_atom_word word = atoms[test->word];
    return ((test->need_true & ~(word.is_true | word.is_unknown)) |
            (test->need_false & word.is_true)) != 0;
}

bool conditions_are_met(const struct table *table, const struct core *core,
                        const struct policy_atom_word atoms[])
{
    bool met = test_is_met(&core->test, atoms);
    for (size_t i = 0; i < core->more_count; i++)
        met = met && test_is_met(&table->tests[core->more + i], atoms);
    return met;
}

bool conditions_are_contrary(const struct table *table, const struct core *core,
                             const struct policy_atom_word atoms[])
{
    bool contrary = test_is_contrary(&core->test, atoms);
    for (size_t i = 0; i < core->more_count; i++)
        contrary = contrary || test_is_contrary(&table->tests[core->more + i], atoms);
    return contrary;
}

static bool is_in_force(const struct core *core, int64_t now_s)
{
    return now_s >= core->from_s && now_s < core->until_s;
}

/* --- the citizen's stance --- */

/* What the stance comes to for one request. */
struct standing {
    const struct policy_stance *stance;
    int64_t newest_s; /* the time of the record that counts */
    bool has_record;
    bool has_objection;
};

static struct standing stand(const struct policy_stance *stance, int64_t now_s)
{
    struct standing standing = {.stance = stance};
    for (size_t i = 0; i < stance->consent_count; i++) {
        const int64_t at_s = stance->consents[i].at_s;
        if (at_s <= now_s && (!standing.has_record || at_s > standing.newest_s)) {
            standing.newest_s = at_s;
            standing.has_record = true;
        }
    }
    for (size_t i = 0; i < stance->objection_count; i++)
        standing.has_objection = standing.has_objection || stance->objections_s[i] <= now_s;
    return standing;
}

/* Why a record allows nothing at all; REASON_RELEASED if it is live. */
static enum policy_reason record_reason(const struct policy_consent *record, int64_t now_s)
{
    if (record->state == POLICY_CONSENT_REFUSED)
        return REASON_REFUSED;
    if (record->state == POLICY_CONSENT_WITHDRAWN)
        return REASON_WITHDRAWN;
    if (now_s >= record->expires_s)
        return REASON_EXPIRED;
    if (record->state == POLICY_CONSENT_SUSPENDED)
        return REASON_SUSPENDED;
    return record->uses_left <= 0 ? REASON_USED_UP : REASON_RELEASED;
}

/* The form in which a record covers the field; POLICY_FORM_NONE if it does not. */
static uint8_t record_form(const struct policy_consent *record, uint16_t field)
{
    size_t low = 0;
    size_t high = record->field_count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (record->fields[middle].field == field)
            return record->fields[middle].form == POLICY_FORM_ANY ? 0 : record->fields[middle].form;
        if (record->fields[middle].field < field)
            low = middle + 1;
        else
            high = middle;
    }
    return POLICY_FORM_NONE;
}

/* What the records that count say of a field. */
struct consent {
    enum policy_reason reason; /* REASON_RELEASED: it is covered, in the form */
    uint8_t form;
};

/* Usually one record counts. Of several with the same time the one that allows less: a denial
 * before a form, the denial first in the list of reasons, then the stricter form. */
static struct consent consent_to(const struct standing *standing, uint16_t field, int64_t now_s)
{
    struct consent result = {standing->has_record ? REASON_RELEASED : REASON_NO_CONSENT, 0};
    for (size_t i = 0; standing->has_record && i < standing->stance->consent_count; i++) {
        const struct policy_consent *record = &standing->stance->consents[i];
        if (record->at_s != standing->newest_s)
            continue;
        enum policy_reason reason = record_reason(record, now_s);
        const uint8_t form = reason == REASON_RELEASED ? record_form(record, field) : 0;
        if (reason == REASON_RELEASED && form == POLICY_FORM_NONE)
            reason = REASON_OUT_OF_SCOPE;
        if (reason != REASON_RELEASED && (!result.reason || reason < result.reason))
            result.reason = reason;
        result.form = form > result.form ? form : result.form;
    }
    return result;
}

/* --- one field --- */

/* What is known of a field while its rules are walked. */
struct tally {
    enum policy_reason furthest; /* where the permits that do not apply stopped */
    bool forbidden;              /* by a forbid whose conditions are all met */
    bool forbidden_unknown;
    bool released;
    bool consent_asked;
    struct consent consent;
    uint8_t form;
    uint8_t bases;
    uint64_t must;
};

/* What a request comes to before any field is looked at. */
struct decision {
    const struct policy *policy;
    const struct policy_request *request;
    struct walk walk;
    struct standing standing;
};

static bool forbid_applies(const struct decision *decision, const struct core *core,
                           struct tally *tally)
{
    const struct table *table = &decision->policy->table;
    const struct policy_atom_word *atoms = decision->request->atoms;
    if (!is_in_force(core, decision->request->now_s) || conditions_are_contrary(table, core, atoms))
        return false;
    if (conditions_are_met(table, core, atoms))
        tally->forbidden = true;
    else
        tally->forbidden_unknown = true;
    return true;
}

/* Why the basis of a permit is not satisfied; REASON_RELEASED if it is. */
static enum policy_reason basis_reason(const struct decision *decision, const struct core *core,
                                       uint16_t field, struct tally *tally)
{
    switch (core->basis) {
    case POLICY_CONSENT:
        if (!tally->consent_asked)
            tally->consent = consent_to(&decision->standing, field, decision->request->now_s);
        tally->consent_asked = true;
        return tally->consent.reason;
    case POLICY_PUBLIC_TASK:
    case POLICY_LEGITIMATE_INTERESTS:
        return decision->standing.has_objection ? REASON_OBJECTION : REASON_RELEASED;
    default:
        return REASON_RELEASED;
    }
}

static enum policy_reason permit_reason(const struct decision *decision, const struct core *core,
                                        uint16_t field, struct tally *tally)
{
    const struct policy_request *request = decision->request;
    if (!is_in_force(core, request->now_s))
        return REASON_NOT_IN_FORCE;
    if (!conditions_are_met(&decision->policy->table, core, request->atoms))
        return REASON_CONDITIONS;
    return basis_reason(decision, core, field, tally);
}

static bool permit_applies(const struct decision *decision, const struct reference *reference,
                           uint16_t field, struct tally *tally)
{
    const struct core *core = &decision->policy->table.cores[reference->rule];
    const enum policy_reason reason = permit_reason(decision, core, field, tally);
    if (reason != REASON_RELEASED) {
        tally->furthest = reason > tally->furthest ? reason : tally->furthest;
        return false;
    }
    const uint8_t form = table_step(decision->policy, reference, field);
    tally->form = form > tally->form ? form : tally->form;
    if (core->basis == POLICY_CONSENT && tally->consent.form > tally->form)
        tally->form = tally->consent.form;
    tally->bases |= (uint8_t)(1U << core->basis);
    tally->must |= core->must;
    tally->released = true;
    return true;
}

/* Note in the record whether the rule at this place of the walk applies. */
static void note(struct policy_outcome *outcome, size_t place, bool applies)
{
    uint64_t *word = &outcome->decided[place / 64];
    if (place % 64 == 0)
        *word = 0;
    *word |= (uint64_t)applies << (place % 64);
}

static void walk_field(const struct decision *decision, uint16_t field, struct tally *tally,
                       struct policy_outcome *outcome)
{
    const struct table *table = &decision->policy->table;
    size_t place = 0;
    for (size_t i = 0; i < decision->walk.row_count; i++) {
        const struct cell *cell = table_cell(table, decision->walk.rows[i], field);
        const struct reference *reference = &table->references[cell->first];
        for (size_t j = 0; j < cell->forbids; j++, reference++, place++)
            note(outcome, place, forbid_applies(decision, &table->cores[reference->rule], tally));
        for (size_t j = 0; j < cell->permits; j++, reference++, place++)
            note(outcome, place, permit_applies(decision, reference, field, tally));
    }
}

static enum policy_reason reason_of(const struct tally *tally, uint64_t unmet)
{
    if (tally->forbidden)
        return REASON_FORBIDDEN;
    if (tally->forbidden_unknown)
        return REASON_FORBIDDEN_UNKNOWN;
    if (!tally->released)
        return tally->furthest;
    return tally->must & unmet ? REASON_OBLIGATION : REASON_RELEASED;
}

/* What can be said without looking at a rule; REASON_RELEASED if nothing. */
static enum policy_reason asked_wrongly(const struct decision *decision,
                                        const struct policy_ask *ask)
{
    if (ask->field == POLICY_NONE)
        return REASON_UNKNOWN_FIELD;
    if (ask->form != POLICY_FORM_ANY &&
        ask->form >= field_ladder(decision->policy, ask->field)->count)
        return REASON_BAD_FORM;
    return decision->request->purpose_registered ? REASON_RELEASED : REASON_PURPOSE_NOT_REGISTERED;
}

static void deny(struct policy_outcome *outcome, enum policy_reason reason)
{
    outcome->reason = (uint8_t)reason;
    outcome->form = POLICY_FORM_NONE;
    outcome->bases = 0;
    outcome->must = 0;
}

static void decide_field(const struct decision *decision, const struct policy_ask *ask,
                         struct policy_outcome *outcome)
{
    const enum policy_reason wrong = asked_wrongly(decision, ask);
    if (wrong != REASON_RELEASED) {
        deny(outcome, wrong);
        return;
    }
    struct tally tally = {.furthest = REASON_NO_RULE};
    walk_field(decision, ask->field, &tally, outcome);
    const enum policy_reason reason = reason_of(&tally, decision->request->unmet);
    if (reason != REASON_RELEASED) {
        deny(outcome, reason);
        return;
    }
    const uint8_t asked = ask->form == POLICY_FORM_ANY ? 0 : ask->form;
    outcome->reason = REASON_RELEASED;
    outcome->form = asked > tally.form ? asked : tally.form;
    outcome->bases = tally.bases;
    outcome->must = tally.must;
}

void policy_decide(const struct policy *policy, const struct policy_request *request,
                   const struct policy_stance *stance, struct policy_outcome outcomes[])
{
    if (!policy || !policy_is_available(policy, request->now_s)) {
        for (size_t i = 0; i < request->ask_count; i++)
            deny(&outcomes[i], REASON_POLICY_UNAVAILABLE);
        return;
    }
    const struct decision decision = {
        .policy = policy,
        .request = request,
        .walk = walk_begin(policy, &request->actor, request->purpose),
        .standing = stand(stance, request->now_s),
    };
    for (size_t i = 0; i < request->ask_count; i++)
        decide_field(&decision, &request->asks[i], &outcomes[i]);
}

size_t deposit_rules(const struct policy *policy, const struct policy_request *request,
                     uint16_t field, uint16_t out[POLICY_FIELD_RULES_MAX])
{
    if (!policy || !policy_is_available(policy, request->now_s) || !request->purpose_registered ||
        field == POLICY_NONE)
        return 0;
    const struct table *table = &policy->table;
    const struct walk walk = walk_begin(policy, &request->actor, request->purpose);
    size_t count = 0;
    for (size_t i = 0; i < walk.row_count; i++) {
        const struct cell *cell = table_cell(table, walk.rows[i], field);
        const struct reference *reference =
            &table->references[cell->first + cell->forbids + cell->permits];
        for (size_t j = 0; j < cell->deposits; j++) {
            const struct core *core = &table->cores[reference[j].rule];
            if (is_in_force(core, request->now_s) &&
                conditions_are_met(table, core, request->atoms))
                out[count++] = reference[j].rule;
        }
    }
    return count;
}

bool policy_may_deposit(const struct policy *policy, const struct policy_request *request,
                        uint16_t field)
{
    uint16_t rules[POLICY_FIELD_RULES_MAX];
    return deposit_rules(policy, request, field, rules) > 0;
}

/* --- one permit by itself --- */

static struct decision decision_on(const struct policy *policy,
                                   const struct policy_request *request,
                                   const struct policy_stance *stance)
{
    return (struct decision){
        .policy = policy, .request = request, .standing = stand(stance, request->now_s)};
}

enum policy_reason permit_reason_of(const struct policy *policy,
                                    const struct policy_request *request,
                                    const struct policy_stance *stance, uint16_t field,
                                    uint16_t permit)
{
    const struct decision decision = decision_on(policy, request, stance);
    struct tally tally = {.consent_asked = false};
    return permit_reason(&decision, &policy->table.cores[permit], field, &tally);
}

enum policy_reason permit_basis_reason(const struct policy *policy,
                                       const struct policy_request *request,
                                       const struct policy_stance *stance, uint16_t field,
                                       uint16_t permit)
{
    const struct decision decision = decision_on(policy, request, stance);
    struct tally tally = {.consent_asked = false};
    return basis_reason(&decision, &policy->table.cores[permit], field, &tally);
}
