/*
 * P18: deciding a field looks at no more rules than the worst cell has, whatever else is in the
 * bundle.
 *
 * An outcome notes for each rule that was looked at whether it applied. Where every rule is a
 * forbid, in force and without conditions, each one looked at applies: counting them counts the
 * visits. Which effect a rule has moves it inside its cell and not out of it, so that the count is
 * that of the bundle as it is too.
 */
#include <stdio.h>
#include <stdlib.h>

#include "policy/model.h"
#include "policy/question.h"
#include "seed.h"
#include "test.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/policy/line.h"
#include "world.h"

#define DEFAULT_SEED       81000
#define DEFAULT_WORLDS     300
#define REQUESTS_PER_WORLD 20
#define RULES_ELSEWHERE    200

static const struct world_size size = {
    .fields = 8, .purposes = 3, .classes = 4, .atoms = 4, .rules = 40};

/* How many of the fields asked met the bound exactly. */
static size_t at_the_bound;

/* The same rules about the same fields, all of them forbids that always apply. */
static json_t *all_forbid(const json_t *world)
{
    static const char *const gone[] = {"when", "in_force", "basis", "release", "must"};
    json_t *copy = json_deep_copy(world);
    size_t i;
    json_t *rule;
    json_array_foreach(json_object_get(copy, "rules"), i, rule)
    {
        json_object_set_new(rule, "effect", json_string("forbid"));
        for (size_t j = 0; j < sizeof gone / sizeof *gone; j++)
            json_object_del(rule, gone[j]);
    }
    return copy;
}

/* More rules, all about a service that never asks. */
static json_t *with_rules_elsewhere(struct random *random, const json_t *world)
{
    json_t *copy = json_deep_copy(world);
    for (size_t i = 0; i < RULES_ELSEWHERE; i++) {
        char id[32];
        char service[32];
        snprintf(id, sizeof id, "elsewhere%zu", i);
        snprintf(service, sizeof service, "elsewhere%zu", i % 50);
        json_t *rule = world_rule(random, world, id);
        json_object_set_new(rule, "who", json_pack("{s:[s]}", "services", service));
        json_array_append_new(json_object_get(copy, "rules"), rule);
    }
    return copy;
}

/* Room for one request, read, and its outcomes. */
struct decided {
    struct arena arena;
    struct question question;
    struct policy_outcome *outcomes;
};

static void decided_finish(struct decided *decided)
{
    arena_finish(&decided->arena);
}

static void decide(const struct policy *policy, const json_t *request, struct decided *out)
{
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(POLICY_LINE_BYTES_MAX);
    json_write_value(&line, request);
    VAULT_AUTO(reader_finish)
    struct reader reader = reader_over(NULL, buf_view(&line), NULL, &test_error);
    assert_done(question_read(policy, &reader, request, &out->arena, &out->question));
    out->outcomes = arena_take(&out->arena, out->question.request.ask_count, sizeof *out->outcomes);
    assert_non_null(out->outcomes);
    memset(out->outcomes, 0, out->question.request.ask_count * sizeof *out->outcomes);
    policy_decide(policy, &out->question.request, &out->question.stance, out->outcomes);
}

static unsigned visits_of(const struct policy_outcome *outcome)
{
    unsigned count = 0;
    if (outcome->reason != REASON_FORBIDDEN)
        return 0;
    for (size_t i = 0; i < sizeof outcome->decided / sizeof *outcome->decided; i++)
        count += (unsigned)__builtin_popcountll(outcome->decided[i]);
    return count;
}

/* A cell is what one class or one service meets; a request meets one for each that it has. */
static unsigned cells_of(const struct policy_request *request)
{
    return (unsigned)request->actor.class_count + (request->actor.service != POLICY_NONE);
}

static void check_request(const struct policy *policy, const struct policy *bigger,
                          const json_t *request, unsigned worst, uint64_t seed)
{
    VAULT_AUTO(decided_finish) struct decided here = {.arena = {NULL}};
    VAULT_AUTO(decided_finish) struct decided there = {.arena = {NULL}};
    decide(policy, request, &here);
    if (bigger)
        decide(bigger, request, &there);
    for (size_t i = 0; i < here.question.request.ask_count; i++) {
        const unsigned visits = visits_of(&here.outcomes[i]);
        if (visits > worst * cells_of(&here.question.request))
            fail_msg("PROPERTY_SEED=%llu: %u rules looked at, the worst cell has %u",
                     (unsigned long long)seed, visits, worst);
        if (bigger && visits_of(&there.outcomes[i]) != visits)
            fail_msg("PROPERTY_SEED=%llu: %u rules looked at, and %u with more rules elsewhere",
                     (unsigned long long)seed, visits, visits_of(&there.outcomes[i]));
        at_the_bound += visits && visits == worst;
    }
}

static void check_world(uint64_t seed)
{
    struct random random = {seed};
    VAULT_AUTO(json_free) json_t *world = world_new(&random, &size);
    VAULT_AUTO(json_free) json_t *forbids = all_forbid(world);
    VAULT_AUTO(json_free) json_t *more = with_rules_elsewhere(&random, world);
    VAULT_AUTO(json_free) json_t *more_forbids = all_forbid(more);
    VAULT_AUTO(policy_free) struct policy *declared = world_load(world, 1, NULL);
    VAULT_AUTO(policy_free) struct policy *policy = world_load(forbids, 1, NULL);
    VAULT_AUTO(policy_free) struct policy *bigger = world_load(more_forbids, 1, NULL);
    if (!declared || !policy)
        return;
    for (size_t i = 0; i < REQUESTS_PER_WORLD; i++) {
        VAULT_AUTO(json_free) json_t *request = world_request(&random, world);
        check_request(policy, bigger, request, declared->table.worst.rules, seed);
    }
}

static void test_no_decision_looks_at_more_rules_than_the_worst_cell_has(void **state)
{
    (void)state;
    const uint64_t first = seed_first(DEFAULT_SEED);
    const uint64_t worlds = seed_runs(DEFAULT_WORLDS);
    for (uint64_t i = 0; i < worlds; i++)
        check_world(first + i);
    printf("seeds from %llu; %zu fields at the bound\n", (unsigned long long)first, at_the_bound);
    assert_true(worlds < 100 || at_the_bound > 0);
}

int main(void)
{
    json_start();
    if (crypto_start(true, NULL))
        return 1;
    return TEST_RUN(test_no_decision_looks_at_more_rules_than_the_worst_cell_has);
}
