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
static size_t by_name;       /* a witness asks for a form, or has a consent to one */
static size_t of_parameters; /* a witness tells two forms of one name apart by a value */

/* --- what a request shows --- */

/* A form by its name as a step of the bundle's ladder. */
static uint8_t step_in(const struct policy *policy, uint16_t field, uint8_t form)
{
    return form == POLICY_FORM_ANY ? form : ladder_find(field_ladder(policy, field), form);
}

/* One bundle's request in the numbers of another: services differ, and forms. */
static struct policy_request translated(const struct policy *from, const struct policy *to,
                                        const struct policy_request *request,
                                        struct policy_ask *ask)
{
    struct policy_request own = *request;
    *ask = *request->asks;
    ask->form = step_in(to, ask->field, ask->form);
    own.asks = ask;
    if (own.actor.service != POLICY_NONE)
        own.actor.service =
            policy_find(to, POLICY_SERVICE,
                        bytes_of_text(policy_id(from, POLICY_SERVICE, request->actor.service)));
    return own;
}

static struct policy_outcome decide(const struct policy *policy,
                                    const struct policy_request *request,
                                    const struct policy_stance *stance)
{
    struct policy_outcome outcome = {0};
    struct policy_stance own = *stance;
    struct policy_consent consent;
    struct policy_consent_field covered;
    if (stance->consent_count) {
        consent = *stance->consents;
        covered = *consent.fields;
        covered.form = step_in(policy, covered.field, covered.form);
        consent.fields = &covered;
        own.consents = &consent;
    }
    policy_decide(policy, request, &own, &outcome);
    return outcome;
}

/* Where a released form stands in the contract's order: above all that is stricter, and a form of
 * other bands or of another rounding above the old one unless it is coarser. */
static int depth(const struct policy *old, const struct policy *policy, uint16_t field,
                 uint8_t step)
{
    const struct ladder *before = field_ladder(old, field);
    const struct step *own = &field_ladder(policy, field)->steps[step];
    const uint8_t at = ladder_find(before, own->form);
    if (at == POLICY_FORM_NONE || step_is_same(&before->steps[at], own))
        return 3 * own->form;
    return 3 * own->form + (step_is_coarser(&before->steps[at], own) ? 1 : -1);
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
    struct policy_ask asks[2];
    const struct policy_request before =
        translated(trial->numbers, trial->old, request, &asks[OLD]);
    const struct policy_request after = translated(trial->numbers, trial->new, request, &asks[NEW]);
    const struct policy_outcome a = decide(trial->old, &before, stance);
    const struct policy_outcome b = decide(trial->new, &after, stance);
    const bool one = a.reason == REASON_RELEASED;
    const bool two = b.reason == REASON_RELEASED;
    const uint16_t field = request->asks->field;
    const int was = one && two ? depth(trial->old, trial->old, field, a.form) : 0;
    const int is = one && two ? depth(trial->old, trial->new, field, b.form) : 0;
    const bool holds[POLICY_CHANGE_KINDS] = {
        [POLICY_GAINS] = !one && two,
        [POLICY_LOSES] = one && !two,
        [POLICY_WEAKER] = is<was, [POLICY_STRICTER] = is> was,
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

/* The released forms against each other; of the same one, whether the values differ. */
static bool is_stricter(const struct trial *trial, const struct change *change, size_t side)
{
    int depths[SIDES];
    for (size_t i = 0; i < SIDES; i++) {
        const struct policy *policy = i == OLD ? trial->old : trial->new;
        const uint16_t field = policy_find(policy, POLICY_FIELD, bytes_of_text(change->field));
        const uint8_t step =
            policy_form_find(policy, field, json_text(json_object_get(change->answers[i], "form")));
        depths[i] = depth(trial->old, policy, field, step);
    }
    if (json_equal(json_object_get(change->answers[OLD], "form"),
                   json_object_get(change->answers[NEW], "form")) &&
        json_equal(json_object_get(change->answers[OLD], "value"),
                   json_object_get(change->answers[NEW], "value")))
        return false;
    of_parameters += json_object_get(change->answers[OLD], "value") != NULL;
    return depths[side] > depths[!side];
}

/* Whether the answers kept are what "decide" says to the witness. */
static bool is_decided(const struct trial *trial, const struct change *change)
{
    for (size_t i = 0; i < SIDES; i++) {
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(POLICY_LINE_BYTES_MAX);
        VAULT_AUTO(json_free) json_t *whole = NULL;
        policy_line_answer(i == OLD ? trial->old : trial->new, bytes_of_text(change->witness),
                           &text);
        assert_done(json_parse(buf_view(&text), 16, &whole, NULL, &test_error));
        if (!json_equal(json_object_get(json_object_get(whole, "fields"), change->field),
                        change->answers[i]))
            return false;
    }
    return true;
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
        return one && two && is_stricter(trial, change, OLD);
    case POLICY_STRICTER:
        return one && two && is_stricter(trial, change, NEW);
    default:
        return one && two &&
               !json_equal(json_object_get(old, "must"), json_object_get(new, "must"));
    }
}

/* --- worlds --- */

static void fail_world(const json_t *old, const json_t *new, uint64_t seed, const char *what)
{
    char *before = json_dumps(old, JSON_INDENT(1));
    char *after = json_dumps(new, JSON_INDENT(1));
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
        if (!holds(&trial, change) || !is_decided(&trial, change))
            fail_world(old_world, new_world, seed, change->witness);
        seen[change->kind]++;
        of_several += change->class_count > 1;
        by_name += strstr(change->witness, "\":null}") == NULL;
    }
    same += policy_diff_is_same(diff);
    everything_visit_both(old, new, look_at, &trial);
    trial.numbers = new;
    if (!trial.missing)
        everything_visit_both(new, old, look_at, &trial);
    if (trial.missing)
        fail_world(old_world, new_world, seed, trial.missing);
}

/* Take a step out of a ladder, or give another meaning to the one that has parameters. */
static void change_ladder(struct random *random, json_t *type)
{
    json_t *ladder = json_object_get(type, "ladder");
    const size_t at = random_below(random, json_array_size(ladder));
    json_t *step = json_array_get(ladder, at);
    if (json_object_get(step, "bands"))
        json_object_set_new(step, "bands",
                            random_chance(random, 50) ? json_pack("[i,i]", 0, 65)
                                                      : json_pack("[i,i,i]", 0, 20, 65));
    else if (json_object_get(step, "to"))
        json_object_set_new(step, "to", json_integer(random_chance(random, 50) ? 100 : 15));
    else if (at + 1 < json_array_size(ladder))
        json_array_remove(ladder, at);
}

static void change_catalogue(struct random *random, json_t *catalogue)
{
    static const char *const types[] = {"text", "date", "number", "code"};
    const json_t *fields = json_object_get(catalogue, "fields");
    json_t *ladders = json_object_get(catalogue, "types");
    if (random_chance(random, 10))
        json_object_set_new(json_array_get(fields, 0), "type",
                            json_string(types[random_below(random, 4)]));
    for (size_t i = 0; i < json_array_size(ladders); i++) {
        if (random_chance(random, 60))
            change_ladder(random, json_array_get(ladders, i));
    }
}

/* Remove, replace, add or rename a rule or two. */
static json_t *changed(struct random *random, const json_t *world)
{
    json_t *copy = json_deep_copy(world);
    json_t *rules = json_object_get(copy, "rules");
    const size_t times = random_below(random, 3);
    if (random_chance(random, 50))
        change_catalogue(random, json_object_get(copy, "catalogue"));
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
           "%zu of several classes, %zu by the name of a form, %zu by a value; %zu the same\n",
           (unsigned long long)first, seen[0], seen[1], seen[2], seen[3], seen[4], of_several,
           by_name, of_parameters, same);
    for (size_t i = 0; i < POLICY_CHANGE_KINDS; i++)
        assert_true(worlds < 100 || seen[i]);
    assert_true(worlds < 100 || (of_several && same && by_name && of_parameters));
}

int main(void)
{
    json_start();
    if (crypto_start(true, NULL))
        return 1;
    return TEST_RUN(test_diff_tells_every_difference_and_no_other);
}
