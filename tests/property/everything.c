#include "everything.h"

#include <string.h>

#include "policy/model.h"

#define INSTANTS_MAX 64

/* What going through everything passes along. */
struct visit {
    struct everything now;
    int64_t instants[INSTANTS_MAX];
    size_t instant_count;
    each_request *call;
    void *context;
};

static uint16_t count_of(const struct policy *policy, enum policy_kind kind)
{
    return (uint16_t)policy_count(policy, kind);
}

static bool visit_stance(struct visit *visit)
{
    struct everything *now = &visit->now;
    for (now->stance.objection_count = 0; now->stance.objection_count < 2;
         now->stance.objection_count++) {
        if (!visit->call(visit->context, &now->request, &now->stance))
            return false;
    }
    return true;
}

/* No consent, and one to each form. */
static bool visit_stances(struct visit *visit, const uint8_t forms[], size_t count)
{
    struct everything *now = &visit->now;
    now->covered.field = now->ask.field;
    now->consent.fields = &now->covered;
    now->stance.consents = &now->consent;
    now->stance.objections_s = &now->objection_s;
    now->stance.consent_count = 0;
    if (!visit_stance(visit))
        return false;
    now->stance.consent_count = 1;
    for (size_t i = 0; i < count; i++) {
        now->covered.form = forms[i];
        if (!visit_stance(visit))
            return false;
    }
    return true;
}

/* The forms of two bundles' ladders for the field, any of them first; all if the ladders are not
 * the same, else the last. */
static size_t forms_of_both(const struct everything *now, uint8_t out[FORM_COUNT + 1])
{
    const struct ladder *one = field_ladder(now->policy, now->ask.field);
    const struct ladder *two = field_ladder(now->other, now->ask.field);
    bool same = one->count == two->count;
    size_t count = 0;
    for (size_t i = 0; same && i < one->count; i++)
        same = one->steps[i].form == two->steps[i].form &&
               step_is_same(&one->steps[i], &two->steps[i]);
    out[count++] = POLICY_FORM_ANY;
    for (uint8_t form = 0; form < FORM_COUNT; form++) {
        const bool is_there = ladder_find(one, (enum form)form) != POLICY_FORM_NONE ||
                              ladder_find(two, (enum form)form) != POLICY_FORM_NONE;
        const bool is_last = form == one->steps[one->count - 1].form;
        if (is_there && (!same || is_last))
            out[count++] = form;
    }
    return count;
}

static bool visit_forms(struct visit *visit)
{
    struct everything *now = &visit->now;
    uint8_t forms[FORM_COUNT + 1] = {POLICY_FORM_ANY};
    if (!now->other) {
        forms[1] = (uint8_t)(policy_form_count(now->policy, now->ask.field) - 1);
        return visit_stances(visit, forms, 2);
    }
    const size_t count = forms_of_both(now, forms);
    bool goes_on = true;
    for (size_t i = 0; i < count && goes_on; i++) {
        now->ask.form = forms[i];
        goes_on = visit_stances(visit, forms, count);
    }
    return goes_on;
}

static bool visit_atoms(struct visit *visit, uint16_t atom);

static bool visit_set(struct visit *visit, uint16_t atom)
{
    const struct names *values = &visit->now.policy->atoms[atom].values;
    for (size_t subset = 0; subset < (size_t)1 << values->count; subset++) {
        struct bytes held[8];
        size_t count = 0;
        for (size_t i = 0; i < values->count; i++) {
            if (subset >> i & 1)
                held[count++] = bytes_of_text(values->ids[i]);
        }
        policy_atom_set_values(visit->now.policy, visit->now.atoms, atom, held, count);
        if (!visit_atoms(visit, (uint16_t)(atom + 1)))
            return false;
    }
    return true;
}

static bool visit_known(struct visit *visit, uint16_t atom)
{
    const struct policy *policy = visit->now.policy;
    const struct names *values = &policy->atoms[atom].values;
    if (policy->atoms[atom].kind == POLICY_ATOM_SET)
        return visit_set(visit, atom);
    const bool boolean = policy->atoms[atom].kind == POLICY_ATOM_BOOLEAN;
    for (size_t i = 0; i < (boolean ? 2 : values->count); i++) {
        if (boolean)
            policy_atom_set_boolean(policy, visit->now.atoms, atom, i == 1);
        else
            policy_atom_set_ordered(policy, visit->now.atoms, atom, bytes_of_text(values->ids[i]));
        if (!visit_atoms(visit, (uint16_t)(atom + 1)))
            return false;
    }
    return true;
}

static bool visit_atoms(struct visit *visit, uint16_t atom)
{
    const struct policy *policy = visit->now.policy;
    if (atom == count_of(policy, POLICY_ATOM))
        return visit_forms(visit);
    if (!visit_known(visit, atom))
        return false;
    /* A value of another kind makes it unknown. */
    if (policy->atoms[atom].kind == POLICY_ATOM_BOOLEAN)
        policy_atom_set_ordered(policy, visit->now.atoms, atom, (struct bytes){NULL, 0});
    else
        policy_atom_set_boolean(policy, visit->now.atoms, atom, false);
    return visit_atoms(visit, (uint16_t)(atom + 1));
}

static bool visit_times(struct visit *visit)
{
    for (size_t i = 0; i < visit->instant_count; i++) {
        visit->now.request.now_s = visit->instants[i];
        if (!visit_atoms(visit, 0))
            return false;
    }
    return true;
}

static bool visit_actor(struct visit *visit, uint16_t service, uint16_t class, uint16_t other)
{
    struct everything *now = &visit->now;
    now->request.actor = (struct policy_actor){
        .service = service, .class_count = class == other ? 1 : 2, .classes = {class, other}};
    for (uint16_t p = 0; p < count_of(now->policy, POLICY_PURPOSE); p++) {
        now->request.purpose = p;
        for (uint16_t f = 0; f < count_of(now->policy, POLICY_FIELD); f++) {
            now->ask = (struct policy_ask){f, POLICY_FORM_ANY};
            if (!visit_times(visit))
                return false;
        }
    }
    return true;
}

static void add_instant(struct visit *visit, int64_t instant_s)
{
    size_t i = 0;
    while (i < visit->instant_count && visit->instants[i] != instant_s)
        i++;
    if (i == visit->instant_count && i < INSTANTS_MAX && instant_s != INT64_MAX)
        visit->instants[visit->instant_count++] = instant_s;
}

/* Each class, alone or with each other one; without and with each service. */
static bool visit_actors(struct visit *visit, bool pairs)
{
    const struct policy *policy = visit->now.policy;
    for (uint16_t c = 0; c < count_of(policy, POLICY_CLASS); c++) {
        for (uint16_t d = c; d < (pairs ? count_of(policy, POLICY_CLASS) : c + 1); d++) {
            if (!visit_actor(visit, POLICY_NONE, c, d))
                return false;
            for (uint16_t s = 0; s < count_of(policy, POLICY_SERVICE); s++) {
                if (!visit_actor(visit, s, c, d))
                    return false;
            }
        }
    }
    return true;
}

static void add_instants(struct visit *visit, const struct policy *policy)
{
    for (size_t i = 0; i < policy->rule_count; i++) {
        add_instant(visit, policy->rules[i].from_s);
        add_instant(visit, policy->rules[i].until_s);
    }
}

static bool visit_all(const struct policy *policy, const struct policy *other, each_request *call,
                      void *context)
{
    struct visit visit = {.call = call, .context = context};
    struct everything *now = &visit.now;
    now->policy = policy;
    now->other = other;
    now->request = (struct policy_request){
        .purpose_registered = true, .atoms = now->atoms, .asks = &now->ask, .ask_count = 1};
    now->consent = (struct policy_consent){.at_s = INT64_MIN,
                                           .expires_s = INT64_MAX,
                                           .uses_left = POLICY_USES_UNLIMITED,
                                           .field_count = 1};
    now->objection_s = INT64_MIN;
    add_instant(&visit, INT64_MIN);
    add_instants(&visit, policy);
    if (other)
        add_instants(&visit, other);
    return visit_actors(&visit, other != NULL);
}

bool everything_visit(const struct policy *policy, each_request *call, void *context)
{
    return visit_all(policy, NULL, call, context);
}

bool everything_visit_both(const struct policy *policy, const struct policy *other,
                           each_request *call, void *context)
{
    return visit_all(policy, other, call, context);
}
