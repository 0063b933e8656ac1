/* P15: diff finds every difference between two bundles, and no other, held against every request
 * there is. */
#include <stdio.h>
#include <stdlib.h>

#include "everything.h"
#include "policy/change.h"
#include "seed.h"
#include "test.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/policy/line.h"
#include "world.h"

#define DEFAULT_SEED   52000
#define DEFAULT_WORLDS 120

static const struct world_size small = {
    .fields = 2, .purposes = 1, .classes = 3, .atoms = 2, .rules = 6};

/* How often each kind came up. */
static size_t seen[POLICY_CHANGE_KINDS];
static size_t of_several;
static size_t same;

/* --- what a request shows --- */

static struct policy_outcome decide(const struct policy *policy,
                                    const struct policy_request *request,
                                    const struct policy_stance *stance)
{
    struct policy_outcome outcome = {0};
    policy_decide(policy, request, stance, &outcome);
    return outcome;
}

/* One bundle's request in the numbers of another over the same catalogue: only services differ. */
static struct policy_request translated(const struct policy *from, const struct policy *to,
                                        const struct policy_request *request)
{
    struct policy_request own = *request;
    if (own.actor.service != POLICY_NONE)
        own.actor.service =
            policy_find(to, POLICY_SERVICE,
                        bytes_of_text(policy_id(from, POLICY_SERVICE, request->actor.service)));
    return own;
}

static bool same_must(const struct policy *old, const struct policy_request *before,
                      const struct policy_outcome *a, const struct policy *new,
                      const struct policy_request *after, const struct policy_outcome *b)
{
    bool is_same = a->must == b->must;
    for (uint16_t o = 0; is_same && o < policy_count(old, POLICY_OBLIGATION); o++) {
        if (a->must >> o & 1 && policy_obligation_is_number(old, o))
            is_same = policy_outcome_must(old, before, 0, a, o) ==
                      policy_outcome_must(new, after, 0, b, o);
    }
    return is_same;
}

/* --- whether the diff tells it --- */

struct trial {
    const struct policy *old;
    const struct policy *new;
    const struct policy *numbers; /* whose numbers requests are in */
    const struct policy_diff *diff;
    const char *missing; /* a kind that nothing tells of */
};

static bool has_class(const struct trial *trial, const struct policy_request *request,
                      const char *class)
{
    for (size_t i = 0; i < request->actor.class_count; i++) {
        if (strcmp(policy_id(trial->numbers, POLICY_CLASS, request->actor.classes[i]), class) == 0)
            return true;
    }
    return false;
}

/* Whether who asks is one of those that the change speaks of. */
static bool is_meant(const struct trial *trial, const struct policy_request *request,
                     const struct change *change)
{
    const uint16_t service = request->actor.service;
    if (change->service &&
        (service == POLICY_NONE ||
         strcmp(policy_id(trial->numbers, POLICY_SERVICE, service), change->service) != 0))
        return false;
    for (size_t i = 0; i < change->class_count; i++) {
        if (!has_class(trial, request, change->classes[i]))
            return false;
    }
    return true;
}

static bool is_told(const struct trial *trial, const struct policy_request *request,
                    enum policy_change_kind kind)
{
    const char *field = policy_id(trial->numbers, POLICY_FIELD, request->asks[0].field);
    const char *purpose = policy_id(trial->numbers, POLICY_PURPOSE, request->purpose);
    for (const struct change *change = trial->diff->first; change; change = change->next) {
        if (change->kind == kind && strcmp(change->field, field) == 0 &&
            strcmp(change->purpose, purpose) == 0 && is_meant(trial, request, change))
            return true;
    }
    return false;
}

static bool look_at(void *context, const struct policy_request *request,
                    const struct policy_stance *stance)
{
    static const char *const names[] = {"gains", "loses", "weaker", "stricter", "obligations"};
    struct trial *trial = context;
    const struct policy_request before = translated(trial->numbers, trial->old, request);
    const struct policy_request after = translated(trial->numbers, trial->new, request);
    const struct policy_outcome a = decide(trial->old, &before, stance);
    const struct policy_outcome b = decide(trial->new, &after, stance);
    const bool one = a.reason == REASON_RELEASED;
    const bool two = b.reason == REASON_RELEASED;
    const bool holds[POLICY_CHANGE_KINDS] = {
        [POLICY_GAINS] = !one && two,
        [POLICY_LOSES] = one && !two,
        [POLICY_WEAKER] = one && two && b.form < a.form,
        [POLICY_STRICTER] = one && two && b.form > a.form,
        [POLICY_OBLIGATIONS] =
            one && two && !same_must(trial->old, &before, &a, trial->new, &after, &b),
    };
    for (size_t kind = 0; kind < POLICY_CHANGE_KINDS && !trial->missing; kind++) {
        if (holds[kind] && !is_told(trial, request, (enum policy_change_kind)kind))
            trial->missing = names[kind];
    }
    return !trial->missing;
}

/* --- whether what it tells is so --- */

static int step_of(const struct policy *policy, const struct change *change, const json_t *answer)
{
    const uint16_t field = policy_find(policy, POLICY_FIELD, bytes_of_text(change->field));
    return policy_form_find(policy, field, json_text(json_object_get(answer, "form")));
}

static bool is_released(const json_t *answer)
{
    return bytes_equal(json_text(json_object_get(answer, "outcome")), bytes_of_text("released"));
}

static bool holds(const struct trial *trial, const struct change *change)
{
    const json_t *old = change->answers[OLD];
    const json_t *new = change->answers[NEW];
    const bool one = is_released(old);
    const bool two = is_released(new);
    switch (change->kind) {
    case POLICY_GAINS:
        return !one && two;
    case POLICY_LOSES:
        return one && !two;
    case POLICY_WEAKER:
        return one && two && step_of(trial->new, change, new) < step_of(trial->old, change, old);
    case POLICY_STRICTER:
        return one && two && step_of(trial->new, change, new) > step_of(trial->old, change, old);
    default:
        return one && two &&
               !json_equal(json_object_get(old, "must"), json_object_get(new, "must"));
    }
}

/* --- worlds --- */

static void fail_world(const json_t *old, const json_t *new, uint64_t seed, const char *what)
{
    char *before = json_dumps(json_object_get(old, "rules"), JSON_INDENT(1));
    char *after = json_dumps(json_object_get(new, "rules"), JSON_INDENT(1));
    fprintf(stderr, "old: %s\nnew: %s\n", before, after);
    fail_msg("PROPERTY_SEED=%llu: %s", (unsigned long long)seed, what);
}

static void compare(const json_t *old_world, const json_t *new_world, const struct policy *old,
                    const struct policy *new, uint64_t seed)
{
    VAULT_AUTO(policy_diff_free) struct policy_diff *diff = NULL;
    assert_done(policy_diff_make(old, new, &diff, &test_error));
    struct trial trial = {.old = old, .new = new, .numbers = old, .diff = diff};
    for (const struct change *change = diff->first; change; change = change->next) {
        if (!holds(&trial, change))
            fail_world(old_world, new_world, seed, change->witness);
        seen[change->kind]++;
        of_several += change->class_count > 1;
    }
    same += !diff->count;
    everything_visit_both(old, new, look_at, &trial);
    trial.numbers = new;
    if (!trial.missing)
        everything_visit_both(new, old, look_at, &trial);
    if (trial.missing)
        fail_world(old_world, new_world, seed, trial.missing);
}

/* Remove, replace, add or rename a rule or two. */
static json_t *changed(struct random *random, const json_t *world)
{
    json_t *copy = json_deep_copy(world);
    json_t *rules = json_object_get(copy, "rules");
    const size_t times = random_below(random, 3);
    for (size_t i = 0; i < times; i++) {
        const size_t at = random_below(random, json_array_size(rules));
        char id[32];
        snprintf(id, sizeof id, "new%zu", i);
        if (random_chance(random, 40))
            json_array_remove(rules, at);
        else if (random_chance(random, 30))
            json_object_set_new(json_array_get(rules, at), "id", json_string(id));
        else if (random_chance(random, 50))
            json_array_append_new(rules, world_rule(random, world, id));
        else
            json_array_set_new(rules, at, world_rule(random, world, id));
    }
    return copy;
}

static void check_world(uint64_t seed)
{
    struct random random = {seed};
    VAULT_AUTO(json_free) json_t *world = world_new(&random, &small);
    VAULT_AUTO(json_free) json_t *other = changed(&random, world);
    VAULT_AUTO(policy_free) struct policy *old = world_load(world, 1, NULL);
    VAULT_AUTO(policy_free) struct policy *new = world_load(other, 2, NULL);
    if (!old || !new)
        return;
    compare(world, other, old, new, seed);
    compare(other, world, new, old, seed);
}

static void test_diff_tells_every_difference_and_no_other(void **state)
{
    (void)state;
    const uint64_t first = seed_first(DEFAULT_SEED);
    const uint64_t worlds = seed_runs(DEFAULT_WORLDS);
    for (uint64_t i = 0; i < worlds; i++)
        check_world(first + i);
    printf("seeds from %llu; gains %zu, loses %zu, weaker %zu, stricter %zu, obligations %zu; "
           "%zu of several classes; %zu the same\n",
           (unsigned long long)first, seen[0], seen[1], seen[2], seen[3], seen[4], of_several,
           same);
    for (size_t i = 0; i < POLICY_CHANGE_KINDS; i++)
        assert_true(worlds < 100 || seen[i]);
    assert_true(worlds < 100 || (of_several && same));
}

int main(void)
{
    json_start();
    if (crypto_start(true, NULL))
        return 1;
    return TEST_RUN(test_diff_tells_every_difference_and_no_other);
}
