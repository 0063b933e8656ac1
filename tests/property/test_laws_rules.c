/*
 * P3 to P6, P9: what a rule more, a rule less and a rule written otherwise may change.
 */
#include <stdio.h>
#include <stdlib.h>

#include "laws.h"
#include "test.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"

#define DEFAULT_SEED 73000

/* A new rule of an effect. */
static json_t *with_rule(const json_t *world, const char *effect, struct random *random)
{
    json_t *changed = json_deep_copy(world);
    for (;;) {
        json_t *rule = world_rule(random, world, "added");
        if (strcmp(effect_of(rule), effect) == 0) {
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
    return law_compare(world, changed, request, request, only_takes_away);
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
    VAULT_AUTO(json_free) json_t *first = answer_of(world, request);
    VAULT_AUTO(json_free) json_t *second = answer_of(changed, request);
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

/* --- a rule less, or a narrower one --- */

/* A permit at random; NULL if there is none. */
static json_t *pick_permit(const json_t *world, struct random *random, size_t *at)
{
    json_t *rules = rules_of(world);
    const size_t count = json_array_size(rules);
    *at = random_below(random, count);
    for (size_t i = 0; i < count; i++, *at = (*at + 1) % count) {
        json_t *rule = json_array_get(rules, *at);
        if (strcmp(effect_of(rule), "permit") == 0)
            return rule;
    }
    return NULL;
}

/*
 * P5: a permit less releases no more. The law is about which fields are released, and only that:
 * section 3 of the contract takes the strictest form and all obligations of the permits that apply,
 * so that without one of them a form may be weaker and an obligation gone. And it holds where every
 * obligation can be met, as in the requests here: one that cannot denies the field.
 */
static bool a_permit_less_releases_no_more(const json_t *world, const json_t *request,
                                           struct random *random)
{
    VAULT_AUTO(json_free) json_t *changed = json_deep_copy(world);
    size_t at;
    if (!pick_permit(changed, random, &at))
        return true;
    json_array_remove(rules_of(changed), at);
    return law_compare(world, changed, request, request, releases_no_more);
}

/* All fields of the catalogue, as a list. */
static json_t *every_field(const json_t *world)
{
    json_t *all = json_array();
    const json_t *fields = json_object_get(json_object_get(world, "catalogue"), "fields");
    for (size_t i = 0; i < json_array_size(fields); i++)
        json_array_append(all, json_object_get(json_array_get(fields, i), "id"));
    return all;
}

/* P5: nor does a permit for a field less. */
static bool a_permit_for_fewer_fields_releases_no_more(const json_t *world, const json_t *request,
                                                       struct random *random)
{
    VAULT_AUTO(json_free) json_t *changed = json_deep_copy(world);
    size_t at;
    json_t *rule = pick_permit(changed, random, &at);
    if (!rule)
        return true;
    if (!json_is_array(json_object_get(rule, "fields")))
        json_object_set_new(rule, "fields", every_field(world));
    json_t *fields = json_object_get(rule, "fields");
    json_array_remove(fields, random_below(random, json_array_size(fields)));
    if (!json_array_size(fields))
        return true;
    return law_compare(world, changed, request, request, releases_no_more);
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
    const bool forbid = strcmp(effect_of(rule), "forbid") == 0;
    return forbid ? law_compare(changed, world, request, request, releases_no_more)
                  : law_compare(world, changed, request, request, releases_no_more);
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
    return law_compare(world, changed, request, request, is_equal_but_for_ids);
}

static void test_the_laws_of_rules_hold_in_random_worlds(void **state)
{
    (void)state;
    static const struct law laws[] = {
        {"P3 a forbid more", a_forbid_more_only_takes_away},
        {"P4 a permit more", a_permit_more_takes_nothing_away},
        {"P5 a permit less", a_permit_less_releases_no_more},
        {"P5 a permit for fewer fields", a_permit_for_fewer_fields_releases_no_more},
        {"P6 a condition more", a_condition_more_narrows},
        {"P9 a rule split", a_rule_split_by_fields_means_the_same},
    };
    laws_try(laws, sizeof laws / sizeof *laws, DEFAULT_SEED);
}

/* --- the laws themselves --- */

/* A law that is false: what shrinks it must find a failing case and leave nothing needless. */
static bool nothing_is_ever_released(const json_t *world, const json_t *request,
                                     struct random *random)
{
    (void)random;
    VAULT_AUTO(json_free) json_t *answer = answer_of(world, request);
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
        VAULT_AUTO(json_free) json_t *left = law_shrunk(nothing_is_ever_released, seed);
        if (!left)
            continue;
        assert_int_equal(json_array_size(rules_of(left)), 1);
        return;
    }
    fail_msg("no world releases anything");
}

int main(void)
{
    json_start();
    if (crypto_start(true, NULL))
        return 1;
    return TEST_RUN(test_the_laws_of_rules_hold_in_random_worlds,
                    test_a_false_law_fails_and_shrinks_to_one_rule);
}
