/* P1: whatever the bundle and the request, the compiled form answers what the contract says. */
#include <stdio.h>
#include <stdlib.h>

#include "policy/naive.h"
#include "seed.h"
#include "test.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/policy/decide.h"
#include "world.h"

#define DEFAULT_SEED       20270301
#define DEFAULT_DECISIONS  120000
#define LONG_DECISIONS     1000000
#define REQUESTS_PER_WORLD 40

static const struct world_size sizes[] = {
    {.fields = 3, .purposes = 1, .classes = 1, .atoms = 2, .rules = 4},
    {.fields = 8, .purposes = 2, .classes = 3, .atoms = 4, .rules = 12},
    {.fields = 12, .purposes = 3, .classes = 4, .atoms = 6, .rules = 40},
    {.fields = 70, .purposes = 2, .classes = 2, .atoms = 90, .rules = 25}, /* several words */
    {.fields = 2, .purposes = 1, .classes = 2, .atoms = 0, .rules = 30},   /* crowded cells */
    {.fields = 5, .purposes = 2, .classes = 2, .atoms = 3, .rules = 0},
};

/* How often each outcome came up: a property that never meets a case says nothing about it. */
static size_t seen[REASON_COUNT];

static void note_outcomes(const json_t *answer)
{
    const char *name;
    json_t *field;
    json_object_foreach(json_object_get(answer, "fields"), name, field)
    {
        const struct bytes outcome = json_text(json_object_get(field, "outcome"));
        for (size_t i = 0; i < REASON_COUNT; i++)
            seen[i] +=
                bytes_equal(outcome, bytes_of_text(policy_reason_name((enum policy_reason)i)));
    }
}

static void compare(const struct policy *policy, const json_t *world, const json_t *request,
                    uint64_t seed)
{
    const json_t *catalogue = json_object_get(world, "catalogue");
    VAULT_AUTO(json_free)
    json_t *by_purpose = naive_by_purpose(catalogue, json_object_get(world, "rules"));
    VAULT_AUTO(json_free) json_t *naive = naive_decide(catalogue, by_purpose, request);
    VAULT_AUTO(buf_finish) struct buf expected = buf_limited(1048576);
    char *answer = world_answer(policy, request);
    json_write_value(&expected, naive);
    note_outcomes(naive);
    if (strcmp(answer, buf_string(&expected)) != 0) {
        char *rules = json_dumps(world, JSON_INDENT(1));
        char *asked = json_dumps(request, JSON_INDENT(1));
        fprintf(stderr, "%s\n%s\ncompiled: %s\nnaive:    %s\n", rules, asked, answer,
                buf_string(&expected));
        fail_msg("PROPERTY_SEED=%llu repeats this", (unsigned long long)seed);
    }
    free(answer);
}

static size_t compare_world(uint64_t seed)
{
    struct random random = {seed};
    struct vault_error err;
    VAULT_AUTO(json_free)
    json_t *world = world_new(&random, &sizes[random_below(&random, sizeof sizes / sizeof *sizes)]);
    VAULT_AUTO(policy_free) struct policy *policy = world_load(world, 1, &err);
    size_t decisions = 0;
    if (!policy) {
        /* The only way in which such a world may fail. */
        assert_int_equal(err.code, VAULT_TOO_LARGE);
        return 0;
    }
    for (size_t i = 0; i < REQUESTS_PER_WORLD; i++) {
        VAULT_AUTO(json_free) json_t *request = world_request(&random, world);
        compare(policy, world, request, seed);
        decisions += json_object_size(json_object_get(request, "fields"));
    }
    return decisions;
}

static void test_the_compiled_form_decides_as_the_contract_says(void **state)
{
    (void)state;
    const uint64_t first = seed_first(DEFAULT_SEED);
    const uint64_t wanted = seed_runs(seed_is_long() ? LONG_DECISIONS : DEFAULT_DECISIONS);
    size_t decisions = 0;
    size_t worlds = 0;
    for (; decisions < wanted; worlds++)
        decisions += compare_world(first + worlds);
    for (size_t i = 0; i <= REASON_OBLIGATION; i++) {
        printf("%zu %s\n", seen[i], policy_reason_name((enum policy_reason)i));
        assert_true(seen[i] >= wanted / 2000);
    }
    printf("%zu decisions in %zu bundles, seeds from %llu\n", decisions, worlds,
           (unsigned long long)first);
}

int main(void)
{
    json_start();
    if (crypto_start(true, NULL))
        return 1;
    return TEST_RUN(test_the_compiled_form_decides_as_the_contract_says);
}
