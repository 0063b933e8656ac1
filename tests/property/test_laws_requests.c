/*
 * P2, P7, P8, P10: what order and repetition, an unknown atom, a missing consent and other fields
 * beside may change of an answer.
 */
#include <stdio.h>
#include <stdlib.h>

#include "laws.h"
#include "test.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"

#define DEFAULT_SEED 75000

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
    return law_compare(world, world, request, asked, releases_no_more);
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
    return law_compare(world, world, request, asked, releases_no_more);
}

/* P10: each field is decided as if it were asked alone. */
static bool fields_are_decided_alone(const json_t *world, const json_t *request,
                                     struct random *random)
{
    (void)random;
    VAULT_AUTO(json_free) json_t *whole = answer_of(world, request);
    const char *name;
    json_t *form;
    bool holds = true;
    json_object_foreach(whole ? json_object_get(request, "fields") : NULL, name, form)
    {
        VAULT_AUTO(json_free) json_t *alone = json_deep_copy(request);
        json_object_set_new(alone, "fields", json_pack("{s:O}", name, form));
        VAULT_AUTO(json_free) json_t *answer = answer_of(world, alone);
        holds = holds && json_equal(field_of(answer, name), field_of(whole, name));
    }
    return holds;
}

static void test_the_laws_of_requests_hold_in_random_worlds(void **state)
{
    (void)state;
    static const struct law laws[] = {
        {"P2 order and repetition", order_and_repetition_change_nothing},
        {"P7 an atom unknown", an_atom_unknown_releases_no_more},
        {"P8 no consent", no_consent_releases_no_more},
        {"P10 fields alone", fields_are_decided_alone},
    };
    laws_try(laws, sizeof laws / sizeof *laws, DEFAULT_SEED);
}

int main(void)
{
    json_start();
    if (crypto_start(true, NULL))
        return 1;
    return TEST_RUN(test_the_laws_of_requests_hold_in_random_worlds);
}
