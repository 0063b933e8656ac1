/*
 * P2 to P10 and P13: what must stay true when a bundle or a request is changed in a known way.
 *
 * A law is tried on random worlds. One that fails is made small first: rules, and then parts of the
 * request, are left out as long as it still fails; what is left is printed with its seed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seed.h"
#include "test.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "world.h"

#define DEFAULT_SEED       73000
#define DEFAULT_WORLDS     150
#define LONG_WORLDS        5000
#define REQUESTS_PER_WORLD 8

static const struct world_size size = {
    .fields = 6, .purposes = 2, .classes = 3, .atoms = 3, .rules = 10};

/* --- answers --- */

static json_t *rules_of(const json_t *world)
{
    return json_object_get(world, "rules");
}

/* What a world answers; NULL if it does not load (a cell with too many rules). */
static json_t *answer_of(const json_t *world, const json_t *request, size_t files)
{
    VAULT_AUTO(policy_free) struct policy *policy = world_load(world, files, NULL);
    json_t *answer = NULL;
    if (!policy)
        return NULL;
    char *text = world_answer(policy, request);
    assert_done(json_parse(bytes_of_text(text), 16, &answer, NULL, &test_error));
    free(text);
    return answer;
}

static json_t *field_of(const json_t *answer, const char *field)
{
    return json_object_get(json_object_get(answer, "fields"), field);
}

static bool is_released(const json_t *of_field)
{
    return bytes_equal(json_text(json_object_get(of_field, "outcome")), bytes_of_text("released"));
}

/* How far down the ladder the field's form stands. */
static size_t step_of(const json_t *world, const char *field, const json_t *of_field)
{
    VAULT_AUTO(policy_free) struct policy *policy = world_load(world, 1, NULL);
    return policy_form_find(policy, policy_find(policy, POLICY_FIELD, bytes_of_text(field)),
                            json_text(json_object_get(of_field, "form")));
}

/* Whether the second answer releases no field that the first does not. */
static bool releases_no_more(const json_t *first, const json_t *second)
{
    const char *name;
    json_t *of_field;
    bool holds = true;
    json_object_foreach(json_object_get(second, "fields"), name, of_field) holds =
        holds && (!is_released(of_field) || is_released(field_of(first, name)));
    return holds;
}

/* --- laws --- */

/* Whether the law holds; worlds that do not load say nothing. */
typedef bool law(const json_t *world, const json_t *request, struct random *random);

static bool compare(const json_t *world, const json_t *changed, const json_t *request,
                    const json_t *other_request,
                    bool (*as_wanted)(const json_t *first, const json_t *second))
{
    VAULT_AUTO(json_free) json_t *first = answer_of(world, request, 1);
    VAULT_AUTO(json_free) json_t *second = answer_of(changed, other_request, 1);
    return !first || !second || as_wanted(first, second);
}

static bool is_equal(const json_t *first, const json_t *second)
{
    return json_equal(first, second);
}

static void shuffle(json_t *list, struct random *random)
{
    for (size_t i = json_array_size(list); i > 1; i--) {
        const size_t other = random_below(random, i);
        json_t *kept = json_incref(json_array_get(list, i - 1));
        json_array_set(list, i - 1, json_array_get(list, other));
        json_array_set_new(list, other, kept);
    }
}

static void shuffle_and_repeat(json_t *list, struct random *random)
{
    if (json_array_size(list))
        json_array_append(list, json_array_get(list, random_below(random, json_array_size(list))));
    shuffle(list, random);
}

/* P2: order and repetition change nothing, to the byte. */
static bool order_and_repetition_change_nothing(const json_t *world, const json_t *request,
                                                struct random *random)
{
    VAULT_AUTO(json_free) json_t *changed = json_deep_copy(world);
    VAULT_AUTO(json_free) json_t *asked = json_deep_copy(request);
    shuffle(rules_of(changed), random);
    for (size_t i = 0; i < json_array_size(rules_of(changed)); i++) {
        json_t *rule = json_array_get(rules_of(changed), i);
        shuffle_and_repeat(json_object_get(rule, "fields"), random);
        shuffle_and_repeat(json_object_get(rule, "purposes"), random);
        shuffle_and_repeat(json_object_get(json_object_get(rule, "who"), "classes"), random);
        shuffle_and_repeat(json_object_get(json_object_get(rule, "who"), "services"), random);
    }
    shuffle_and_repeat(json_object_get(asked, "consents"), random);
    shuffle_and_repeat(json_object_get(asked, "objections"), random);
    VAULT_AUTO(policy_free) struct policy *one = world_load(world, 1, NULL);
    VAULT_AUTO(policy_free)
    struct policy *other = world_load(changed, 1 + random_below(random, 4), NULL);
    if (!one || !other)
        return true;
    char *first = world_answer(one, request);
    char *second = world_answer(other, asked);
    const bool same = strcmp(first, second) == 0;
    free(first);
    free(second);
    return same;
}

/* A new rule of an effect. */
static json_t *with_rule(const json_t *world, const char *effect, struct random *random)
{
    json_t *changed = json_deep_copy(world);
    for (;;) {
        json_t *rule = world_rule(random, world, "added");
        if (strcmp(json_string_value(json_object_get(rule, "effect")), effect) == 0) {
            json_array_append_new(rules_of(changed), rule);
            return changed;
        }
        json_decref(rule);
    }
}

static bool only_takes_away(const json_t *first, const json_t *second)
{
    const char *name;
    json_t *of_field;
    bool holds = true;
    json_object_foreach(json_object_get(second, "fields"), name, of_field) holds =
        holds && (!is_released(of_field) || json_equal(of_field, field_of(first, name)));
    return holds;
}

/* P3: a forbid more takes fields away, and changes nothing of the others. */
static bool a_forbid_more_only_takes_away(const json_t *world, const json_t *request,
                                          struct random *random)
{
    VAULT_AUTO(json_free) json_t *changed = with_rule(world, "forbid", random);
    return compare(world, changed, request, request, only_takes_away);
}

/* Every obligation of the first is one of the second, a number no larger. */
static bool keeps_obligations(const json_t *first, const json_t *second)
{
    const char *name;
    json_t *value;
    bool holds = true;
    json_object_foreach(json_object_get(first, "must"), name, value)
    {
        const json_t *other = json_object_get(json_object_get(second, "must"), name);
        holds = holds && other &&
                (!json_is_integer(value) || json_integer_value(other) <= json_integer_value(value));
    }
    return holds;
}

/* P4: a permit more takes nothing away, weakens no form, drops no obligation. One that cannot be
 * met denies; so the request has none. */
static bool a_permit_more_takes_nothing_away(const json_t *world, const json_t *request,
                                             struct random *random)
{
    VAULT_AUTO(json_free) json_t *changed = with_rule(world, "permit", random);
    VAULT_AUTO(json_free) json_t *first = answer_of(world, request, 1);
    VAULT_AUTO(json_free) json_t *second = answer_of(changed, request, 1);
    const char *name;
    json_t *of_field;
    bool holds = true;
    if (!first || !second)
        return true;
    json_object_foreach(json_object_get(first, "fields"), name, of_field)
    {
        const json_t *after = field_of(second, name);
        if (is_released(of_field))
            holds = holds && is_released(after) &&
                    step_of(world, name, after) >= step_of(world, name, of_field) &&
                    keeps_obligations(of_field, after);
    }
    return holds;
}

/* P6: a condition more makes a permit narrower and a forbid no wider. */
static bool a_condition_more_narrows(const json_t *world, const json_t *request,
                                     struct random *random)
{
    VAULT_AUTO(json_free) json_t *changed = json_deep_copy(world);
    json_t *rules = rules_of(changed);
    const json_t *atoms = json_object_get(json_object_get(world, "catalogue"), "atoms");
    if (!json_array_size(rules) || !json_array_size(atoms))
        return true;
    json_t *rule = json_array_get(rules, random_below(random, json_array_size(rules)));
    const json_t *atom = json_array_get(atoms, random_below(random, json_array_size(atoms)));
    const char *id = json_string_value(json_object_get(atom, "id"));
    const json_t *values = json_object_get(atom, "values");
    if (json_object_get(json_object_get(rule, "when"), id))
        return true;
    json_object_set_new(json_object_get(rule, "when"), id,
                        values ? json_incref(json_array_get(values, 0)) : json_true());
    const bool forbid = strcmp(json_string_value(json_object_get(rule, "effect")), "forbid") == 0;
    return forbid ? compare(changed, world, request, request, releases_no_more)
                  : compare(world, changed, request, request, releases_no_more);
}

/* P7: who knows less gets no more. */
static bool an_atom_unknown_releases_no_more(const json_t *world, const json_t *request,
                                             struct random *random)
{
    VAULT_AUTO(json_free) json_t *asked = json_deep_copy(request);
    json_t *atoms = json_object_get(asked, "atoms");
    void *at = json_object_iter(atoms);
    for (size_t skip = random_below(random, json_object_size(atoms)); at && skip; skip--)
        at = json_object_iter_next(atoms, at);
    if (at)
        json_object_del(atoms, json_object_iter_key(at));
    return compare(world, world, request, asked, releases_no_more);
}

/* P8: without any consent, or with a withdrawal now, no more is released. */
static bool no_consent_releases_no_more(const json_t *world, const json_t *request,
                                        struct random *random)
{
    VAULT_AUTO(json_free) json_t *asked = json_deep_copy(request);
    json_t *consents = json_object_get(asked, "consents");
    if (random_chance(random, 50))
        json_array_clear(consents);
    else
        json_array_append_new(consents,
                              json_pack("{s:s,s:O,s:O,s:s,s:O}", "id", "w", "service",
                                        json_object_get(json_object_get(request, "service"), "id"),
                                        "purpose", json_object_get(request, "purpose"), "state",
                                        "withdrawn", "at", json_object_get(request, "now")));
    return compare(world, world, request, asked, releases_no_more);
}

/* An answer without the ids of rules. */
static json_t *without_ids(const json_t *answer)
{
    json_t *copy = json_deep_copy(answer);
    const char *name;
    json_t *of_field;
    json_object_foreach(json_object_get(copy, "fields"), name, of_field)
        json_object_del(of_field, "by");
    return copy;
}

static bool is_equal_but_for_ids(const json_t *first, const json_t *second)
{
    VAULT_AUTO(json_free) json_t *one = without_ids(first);
    VAULT_AUTO(json_free) json_t *other = without_ids(second);
    return json_equal(one, other);
}

/* P9: a rule for several fields is as many rules for one. */
static bool a_rule_split_by_fields_means_the_same(const json_t *world, const json_t *request,
                                                  struct random *random)
{
    VAULT_AUTO(json_free) json_t *changed = json_deep_copy(world);
    json_t *rules = rules_of(changed);
    if (!json_array_size(rules))
        return true;
    const size_t at = random_below(random, json_array_size(rules));
    VAULT_AUTO(json_free) json_t *rule = json_deep_copy(json_array_get(rules, at));
    const json_t *fields = json_object_get(rule, "fields");
    if (!json_is_array(fields))
        return true;
    json_array_remove(rules, at);
    for (size_t i = 0; i < json_array_size(fields); i++) {
        char id[32];
        snprintf(id, sizeof id, "split%zu", i);
        json_t *part = json_deep_copy(rule);
        json_object_set_new(part, "id", json_string(id));
        json_object_set_new(part, "fields", json_pack("[O]", json_array_get(fields, i)));
        json_array_append_new(rules, part);
    }
    return compare(world, changed, request, request, is_equal_but_for_ids);
}

/* P10: each field is decided as if it were asked alone. */
static bool fields_are_decided_alone(const json_t *world, const json_t *request,
                                     struct random *random)
{
    (void)random;
    VAULT_AUTO(json_free) json_t *whole = answer_of(world, request, 1);
    const char *name;
    json_t *form;
    bool holds = true;
    json_object_foreach(whole ? json_object_get(request, "fields") : NULL, name, form)
    {
        VAULT_AUTO(json_free) json_t *alone = json_deep_copy(request);
        json_object_set_new(alone, "fields", json_pack("{s:O}", name, form));
        VAULT_AUTO(json_free) json_t *answer = answer_of(world, alone, 1);
        holds = holds && json_equal(field_of(answer, name), field_of(whole, name));
    }
    return holds;
}

/* P13: loaded again, the same bytes. */
static bool loading_again_changes_nothing(const json_t *world, const json_t *request,
                                          struct random *random)
{
    (void)random;
    return compare(world, world, request, request, is_equal);
}

/* --- trying and shrinking --- */

static const struct {
    const char *name;
    law *holds;
} laws[] = {
    {"P2 order and repetition", order_and_repetition_change_nothing},
    {"P3 a forbid more", a_forbid_more_only_takes_away},
    {"P4 a permit more", a_permit_more_takes_nothing_away},
    {"P6 a condition more", a_condition_more_narrows},
    {"P7 an atom unknown", an_atom_unknown_releases_no_more},
    {"P8 no consent", no_consent_releases_no_more},
    {"P9 a rule split", a_rule_split_by_fields_means_the_same},
    {"P10 fields alone", fields_are_decided_alone},
    {"P13 loaded again", loading_again_changes_nothing},
};

static bool fails(law *holds, const json_t *world, const json_t *request, uint64_t seed)
{
    struct random random = {seed};
    return !holds(world, request, &random);
}

/* Leave elements of a list out as long as the law still fails. */
static void shrink_list(law *holds, const json_t *world, const json_t *request, json_t *list,
                        uint64_t seed)
{
    for (size_t i = json_array_size(list); i-- > 0;) {
        json_t *kept = json_incref(json_array_get(list, i));
        json_array_remove(list, i);
        if (!fails(holds, world, request, seed))
            json_array_insert(list, i, kept);
        json_decref(kept);
    }
}

static void report(size_t which, json_t *world, json_t *request, uint64_t world_seed, uint64_t seed)
{
    law *holds = laws[which].holds;
    shrink_list(holds, world, request, rules_of(world), seed);
    shrink_list(holds, world, request, json_object_get(request, "consents"), seed);
    shrink_list(holds, world, request, json_object_get(request, "objections"), seed);
    char *rules = json_dumps(rules_of(world), JSON_INDENT(1));
    char *asked = json_dumps(request, JSON_INDENT(1));
    fprintf(stderr, "%s\n%s\n", rules, asked);
    fail_msg("%s: PROPERTY_SEED=%llu repeats this", laws[which].name,
             (unsigned long long)world_seed);
}

static void try_world(uint64_t world_seed)
{
    struct random random = {world_seed};
    VAULT_AUTO(json_free) json_t *world = world_new(&random, &size);
    for (size_t i = 0; i < REQUESTS_PER_WORLD; i++) {
        VAULT_AUTO(json_free) json_t *request = world_request(&random, world);
        json_object_del(request, "unmet");
        for (size_t which = 0; which < sizeof laws / sizeof *laws; which++) {
            const uint64_t seed = random_next(&random);
            if (fails(laws[which].holds, world, request, seed))
                report(which, world, request, world_seed, seed);
        }
    }
}

static void test_the_laws_hold_in_random_worlds(void **state)
{
    (void)state;
    const uint64_t first = seed_first(DEFAULT_SEED);
    const uint64_t worlds = seed_runs(seed_is_long() ? LONG_WORLDS : DEFAULT_WORLDS);
    for (uint64_t i = 0; i < worlds; i++)
        try_world(first + i);
    printf("%llu worlds, %d requests each, %zu laws, seeds from %llu\n", (unsigned long long)worlds,
           REQUESTS_PER_WORLD, sizeof laws / sizeof *laws, (unsigned long long)first);
}

/* --- the laws themselves --- */

/* A law that is false: what shrinks it must find a failing case and leave nothing needless. */
static bool nothing_is_ever_released(const json_t *world, const json_t *request,
                                     struct random *random)
{
    (void)random;
    VAULT_AUTO(json_free) json_t *answer = answer_of(world, request, 1);
    const char *name;
    json_t *of_field;
    bool released = false;
    json_object_foreach(json_object_get(answer, "fields"), name, of_field) released =
        released || is_released(of_field);
    return !released;
}

static void test_a_false_law_fails_and_shrinks_to_one_rule(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 1000; seed++) {
        struct random random = {seed};
        VAULT_AUTO(json_free) json_t *world = world_new(&random, &size);
        VAULT_AUTO(json_free) json_t *request = world_request(&random, world);
        if (!fails(nothing_is_ever_released, world, request, seed))
            continue;
        shrink_list(nothing_is_ever_released, world, request, rules_of(world), seed);
        assert_int_equal(json_array_size(rules_of(world)), 1);
        assert_true(fails(nothing_is_ever_released, world, request, seed));
        return;
    }
    fail_msg("no world releases anything");
}

int main(void)
{
    json_start();
    if (crypto_start(true, NULL))
        return 1;
    return TEST_RUN(test_the_laws_hold_in_random_worlds,
                    test_a_false_law_fails_and_shrinks_to_one_rule);
}
