/* P15: what "check" says of a rule is so, held against every request there is. */
#include <stdio.h>
#include <stdlib.h>

#include "everything.h"
#include "policy/effects.h"
#include "seed.h"
#include "test.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "world.h"

#define DEFAULT_SEED   41000
#define DEFAULT_WORLDS 60

static const struct world_size small = {
    .fields = 2, .purposes = 1, .classes = 2, .atoms = 2, .rules = 6};

/* The same world without one rule, or without any forbid. */
static struct policy *load_without(const json_t *world, const char *id)
{
    VAULT_AUTO(json_free) json_t *copy = json_deep_copy(world);
    json_t *rules = json_object_get(copy, "rules");
    for (size_t i = json_array_size(rules); i-- > 0;) {
        const json_t *rule = json_array_get(rules, i);
        const char *effect = json_string_value(json_object_get(rule, "effect"));
        const char *rule_id = json_string_value(json_object_get(rule, "id"));
        if (id ? strcmp(rule_id, id) == 0 : strcmp(effect, "forbid") == 0)
            json_array_remove(rules, i);
    }
    return world_load(copy, 1, NULL);
}

/* Two bundles over one catalogue, and what is looked for. */
struct comparison {
    const struct policy *whole;
    const struct policy *part;
    uint16_t rule;
    bool found;
};

static struct policy_outcome decide(const struct policy *policy,
                                    const struct policy_request *request,
                                    const struct policy_stance *stance)
{
    struct policy_outcome outcome = {0};
    struct policy_request own = *request;
    /* A service that only the other bundle names is unknown here. */
    if (own.actor.service >= policy_count(policy, POLICY_SERVICE))
        own.actor.service = POLICY_NONE;
    policy_decide(policy, &own, stance, &outcome);
    return outcome;
}

/* The number of the whole bundle's service in the part. */
static struct policy_request translated(const struct comparison *comparison,
                                        const struct policy_request *request)
{
    struct policy_request own = *request;
    if (own.actor.service != POLICY_NONE)
        own.actor.service = policy_find(
            comparison->part, POLICY_SERVICE,
            bytes_of_text(policy_id(comparison->whole, POLICY_SERVICE, request->actor.service)));
    return own;
}

static bool same_must(const struct comparison *comparison, const struct policy_request *one,
                      const struct policy_outcome *a, const struct policy_request *other,
                      const struct policy_outcome *b)
{
    bool same = a->must == b->must;
    for (uint16_t o = 0; same && o < policy_count(comparison->whole, POLICY_OBLIGATION); o++) {
        if (a->must >> o & 1 && policy_obligation_is_number(comparison->whole, o))
            same = policy_outcome_must(comparison->whole, one, 0, a, o) ==
                   policy_outcome_must(comparison->part, other, 0, b, o);
    }
    return same;
}

static bool is_decided_by(const struct policy *policy, const struct policy_request *request,
                          const struct policy_outcome *outcome, uint16_t rule)
{
    uint16_t rules[POLICY_FIELD_RULES_MAX];
    const size_t count = policy_outcome_rules(policy, request, 0, outcome, rules);
    for (size_t i = 0; i < count; i++) {
        if (rules[i] == rule)
            return true;
    }
    return false;
}

static bool differs(void *context, const struct policy_request *request,
                    const struct policy_stance *stance)
{
    struct comparison *comparison = context;
    const struct policy_request other = translated(comparison, request);
    const struct policy_outcome a = decide(comparison->whole, request, stance);
    const struct policy_outcome b = decide(comparison->part, &other, stance);
    const bool one = a.reason == REASON_RELEASED;
    const bool two = b.reason == REASON_RELEASED;
    comparison->found =
        one != two ||
        (one && (a.form != b.form || !same_must(comparison, request, &a, &other, &b)));
    return !comparison->found;
}

static bool releases(void *context, const struct policy_request *request,
                     const struct policy_stance *stance)
{
    struct comparison *comparison = context;
    const struct policy_outcome outcome = decide(comparison->whole, request, stance);
    comparison->found = outcome.reason == REASON_RELEASED &&
                        is_decided_by(comparison->whole, request, &outcome, comparison->rule);
    return !comparison->found;
}

/* The forbid applies, and without any forbid something would be released. */
static bool hits(void *context, const struct policy_request *request,
                 const struct policy_stance *stance)
{
    struct comparison *comparison = context;
    const struct policy_request other = translated(comparison, request);
    const struct policy_outcome outcome = decide(comparison->whole, request, stance);
    comparison->found = outcome.reason != REASON_RELEASED &&
                        is_decided_by(comparison->whole, request, &outcome, comparison->rule) &&
                        decide(comparison->part, &other, stance).reason == REASON_RELEASED;
    return !comparison->found;
}

static bool exists(const struct policy *whole, const struct policy *part, uint16_t rule,
                   each_request *what)
{
    struct comparison comparison = {.whole = whole, .part = part, .rule = rule};
    everything_visit(whole, what, &comparison);
    return comparison.found;
}

static void check_rule(const json_t *world, const struct policy *policy,
                       const struct policy *without_forbids, const struct effects *effects,
                       uint16_t rule, uint64_t seed)
{
    const struct effect_of_rule *effect = &effects->rules[rule];
    const char *id = policy_id(policy, POLICY_RULE, rule);
    VAULT_AUTO(policy_free) struct policy *without = load_without(world, id);
    bool as_said = true;
    switch (policy->rules[rule].effect) {
    case EFFECT_PERMIT:
        as_said = effect->releases == exists(policy, NULL, rule, releases) &&
                  effect->matters == exists(policy, without, rule, differs);
        break;
    case EFFECT_FORBID:
        as_said = effect->hits == exists(policy, without_forbids, rule, hits);
        break;
    default:
        break;
    }
    if (!as_said) {
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(1048576);
        json_write_value(&text, world);
        fail_msg("PROPERTY_SEED=%llu: %s: releases %d, matters %d, hits %d\n%s",
                 (unsigned long long)seed, id, effect->releases, effect->matters, effect->hits,
                 buf_string(&text));
    }
}

/* How often each verdict came up. */
static size_t verdicts[3][2];

static void check_world(uint64_t seed)
{
    struct random random = {seed};
    VAULT_AUTO(json_free) json_t *world = world_new(&random, &small);
    VAULT_AUTO(policy_free) struct policy *policy = world_load(world, 1, NULL);
    VAULT_AUTO(policy_free) struct policy *without_forbids = load_without(world, NULL);
    struct arena arena = {NULL};
    struct effects effects;
    if (!policy)
        return;
    assert_done(effects_find(policy, &arena, &effects, &test_error));
    for (size_t i = 0; i < policy_count(policy, POLICY_RULE); i++) {
        check_rule(world, policy, without_forbids, &effects, (uint16_t)i, seed);
        if (policy->rules[i].effect == EFFECT_PERMIT) {
            verdicts[0][effects.rules[i].releases]++;
            verdicts[1][effects.rules[i].matters]++;
        } else if (policy->rules[i].effect == EFFECT_FORBID) {
            verdicts[2][effects.rules[i].hits]++;
        }
    }
    arena_finish(&arena);
}

static void test_a_rule_matters_exactly_if_some_request_tells_the_difference(void **state)
{
    (void)state;
    const uint64_t first = seed_first(DEFAULT_SEED);
    const uint64_t worlds = seed_runs(DEFAULT_WORLDS);
    for (uint64_t i = 0; i < worlds; i++)
        check_world(first + i);
    printf("seeds from %llu; releases %zu/%zu, matters %zu/%zu, hits %zu/%zu\n",
           (unsigned long long)first, verdicts[0][1], verdicts[0][0] + verdicts[0][1],
           verdicts[1][1], verdicts[1][0] + verdicts[1][1], verdicts[2][1],
           verdicts[2][0] + verdicts[2][1]);
    for (size_t i = 0; i < 3; i++)
        assert_true(worlds < 20 || (verdicts[i][0] && verdicts[i][1]));
}

int main(void)
{
    json_start();
    if (crypto_start(true, NULL))
        return 1;
    return TEST_RUN(test_a_rule_matters_exactly_if_some_request_tells_the_difference);
}
