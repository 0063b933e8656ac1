#include "laws.h"

#include <stdio.h>
#include <stdlib.h>

#include "seed.h"
#include "test.h"
#include "vault/base/json.h"

#define DEFAULT_WORLDS     150
#define LONG_WORLDS        2000
#define REQUESTS_PER_WORLD 8
#define TEXT_BYTES_MAX     (1024UL * 1024)

static const struct world_size size = {
    .fields = 6, .purposes = 2, .classes = 3, .atoms = 3, .rules = 10};

/* --- answers --- */

json_t *rules_of(const json_t *world)
{
    return json_object_get(world, "rules");
}

const char *effect_of(const json_t *rule)
{
    return json_string_value(json_object_get(rule, "effect"));
}

json_t *answer_of(const json_t *world, const json_t *request)
{
    VAULT_AUTO(policy_free) struct policy *policy = world_load(world, 1, NULL);
    json_t *answer = NULL;
    if (!policy)
        return NULL;
    char *text = world_answer(policy, request);
    assert_done(json_parse(bytes_of_text(text), 16, &answer, NULL, &test_error));
    free(text);
    return answer;
}

const json_t *field_of(const json_t *answer, const char *field)
{
    return json_object_get(json_object_get(answer, "fields"), field);
}

struct bytes outcome_of(const json_t *of_field)
{
    return json_text(json_object_get(of_field, "outcome"));
}

bool is_released(const json_t *of_field)
{
    return bytes_equal(outcome_of(of_field), bytes_of_text("released"));
}

size_t step_of_form(const json_t *world, const char *field, const json_t *form)
{
    VAULT_AUTO(policy_free) struct policy *policy = world_load(world, 1, NULL);
    return policy_form_find(policy, policy_find(policy, POLICY_FIELD, bytes_of_text(field)),
                            json_text(form));
}

size_t step_of(const json_t *world, const char *field, const json_t *of_field)
{
    return step_of_form(world, field, json_object_get(of_field, "form"));
}

bool releases_no_more(const json_t *first, const json_t *second)
{
    const char *name;
    json_t *of_field;
    bool holds = true;
    json_object_foreach(json_object_get(second, "fields"), name, of_field) holds =
        holds && (!is_released(of_field) || is_released(field_of(first, name)));
    return holds;
}

bool law_compare(const json_t *world, const json_t *changed, const json_t *request,
                 const json_t *other_request,
                 bool (*as_wanted)(const json_t *first, const json_t *second))
{
    VAULT_AUTO(json_free) json_t *first = answer_of(world, request);
    VAULT_AUTO(json_free) json_t *second = answer_of(changed, other_request);
    return !first || !second || as_wanted(first, second);
}

/* --- trying and shrinking --- */

static bool fails(law_holds *holds, const json_t *world, const json_t *request, uint64_t seed)
{
    struct random random = {seed};
    return !holds(world, request, &random);
}

/* Leave elements of a list out as long as the law still fails. */
static void shrink_list(law_holds *holds, const json_t *world, const json_t *request, json_t *list,
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

static void shrink(law_holds *holds, json_t *world, json_t *request, uint64_t seed)
{
    shrink_list(holds, world, request, rules_of(world), seed);
    shrink_list(holds, world, request, json_object_get(request, "consents"), seed);
    shrink_list(holds, world, request, json_object_get(request, "objections"), seed);
}

static void report(const struct law *law, json_t *world, json_t *request, uint64_t world_seed,
                   uint64_t seed)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(TEXT_BYTES_MAX);
    shrink(law->holds, world, request, seed);
    json_write_value(&text, world);
    buf_byte(&text, '\n');
    json_write_value(&text, request);
    fprintf(stderr, "%s\n", buf_string(&text));
    fail_msg("%s: PROPERTY_SEED=%llu repeats this", law->name, (unsigned long long)world_seed);
}

static void try_world(const struct law laws[], size_t count, uint64_t world_seed)
{
    struct random random = {world_seed};
    VAULT_AUTO(json_free) json_t *world = world_new(&random, &size);
    for (size_t i = 0; i < REQUESTS_PER_WORLD; i++) {
        VAULT_AUTO(json_free) json_t *request = world_request(&random, world);
        json_object_del(request, "unmet");
        for (size_t which = 0; which < count; which++) {
            const uint64_t seed = random_next(&random);
            if (seed_is_meant(laws[which].name) && fails(laws[which].holds, world, request, seed))
                report(&laws[which], world, request, world_seed, seed);
        }
    }
}

void laws_try(const struct law laws[], size_t count, uint64_t first_seed)
{
    const uint64_t first = seed_first(first_seed);
    const uint64_t worlds = seed_runs(seed_is_long() ? LONG_WORLDS : DEFAULT_WORLDS);
    for (uint64_t i = 0; i < worlds; i++)
        try_world(laws, count, first + i);
    printf("%llu worlds, %d requests each, %zu laws, seeds from %llu\n", (unsigned long long)worlds,
           REQUESTS_PER_WORLD, count, (unsigned long long)first);
}

json_t *law_shrunk(law_holds *holds, uint64_t seed)
{
    struct random random = {seed};
    VAULT_AUTO(json_free) json_t *world = world_new(&random, &size);
    VAULT_AUTO(json_free) json_t *request = world_request(&random, world);
    if (!fails(holds, world, request, seed))
        return NULL;
    shrink(holds, world, request, seed);
    return fails(holds, world, request, seed) ? VAULT_TAKE(world) : NULL;
}
