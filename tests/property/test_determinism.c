/*
 * P13: the same bundle and the same request give the same bytes, answer and explanation: however
 * often the bundle is loaded, whatever seed jansson hashes with, and however many threads decide.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "seed.h"
#include "test.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/crypto/hash.h"
#include "vault/policy/explain.h"
#include "vault/policy/line.h"
#include "world.h"

#define DEFAULT_SEED     83000
#define RELOADS          1000
#define REQUESTS         6
#define HASH_SEEDS       8
#define WORLDS_EACH_SEED 10
#define THREADS          8
#define ROUNDS           20
#define TEXT_BYTES_MAX   (1024UL * 1024)

static const struct world_size size = {
    .fields = 8, .purposes = 2, .classes = 3, .atoms = 4, .rules = 16};

/* A world, and requests about it, as text. */
struct trial {
    json_t *world;
    char *requests[REQUESTS];
};

static void trial_finish(struct trial *trial)
{
    json_free(&trial->world);
    for (size_t i = 0; i < REQUESTS; i++)
        free(trial->requests[i]);
}

/* Append all that the policy says to a request: the answer, and its explanation in two languages.
 */
static void say(const struct policy *policy, const char *request, struct buf *out)
{
    struct vault_error err;
    policy_line_answer(policy, bytes_of_text(request), out);
    for (enum policy_language language = POLICY_FR; language <= POLICY_EN; language++) {
        if (policy_explain(policy, bytes_of_text(request), language, out, &err))
            buf_format(out, "%s\n", err.text);
    }
}

/* All that is said to all requests. */
static void say_all(const struct policy *policy, const struct trial *trial, struct buf *out)
{
    for (size_t i = 0; i < REQUESTS; i++)
        say(policy, trial->requests[i], out);
}

static void say_loaded(const struct trial *trial, size_t files, struct buf *out)
{
    VAULT_AUTO(policy_free) struct policy *policy = world_load(trial->world, files, NULL);
    assert_non_null(policy);
    say_all(policy, trial, out);
}

/* Whether the policy releases something with an obligation, and tells what something else misses:
 * else there is little that could differ. */
static bool says_enough(const struct trial *trial)
{
    VAULT_AUTO(policy_free) struct policy *policy = world_load(trial->world, 1, NULL);
    VAULT_AUTO(buf_finish) struct buf said = buf_limited(TEXT_BYTES_MAX);
    if (!policy)
        return false;
    say_all(policy, trial, &said);
    const char *text = buf_string(&said);
    return strstr(text, "\"must\":") && strstr(text, "missing:");
}

static struct trial trial_any(struct random *random)
{
    struct trial trial = {.world = world_new(random, &size)};
    for (size_t i = 0; i < REQUESTS; i++) {
        VAULT_AUTO(json_free) json_t *request = world_request(random, trial.world);
        VAULT_AUTO(buf_finish) struct buf line = buf_limited(POLICY_LINE_BYTES_MAX);
        json_write_value(&line, request);
        trial.requests[i] = strdup(buf_string(&line));
    }
    return trial;
}

static struct trial trial_new(uint64_t seed)
{
    struct random random = {seed};
    struct trial trial = trial_any(&random);
    while (!says_enough(&trial)) {
        trial_finish(&trial);
        trial = trial_any(&random);
    }
    return trial;
}

/* --- seeds of jansson's --- */

/* The hash of all that some worlds say. */
static void hash_worlds(uint8_t out[SHA256_BYTES])
{
    VAULT_AUTO(buf_finish) struct buf said = buf_limited(16 * TEXT_BYTES_MAX);
    const uint64_t first = seed_first(DEFAULT_SEED);
    for (uint64_t i = 0; i < WORLDS_EACH_SEED; i++) {
        VAULT_AUTO(trial_finish) struct trial trial = trial_new(first + i);
        say_loaded(&trial, 1 + i % 3, &said);
    }
    sha256_of(out, buf_view(&said));
}

/* In a process of its own, whose jansson hashes with that seed (it can be set once): the hash goes
 * into the pipe. */
static void hash_in_child(size_t hash_seed, int pipe_end)
{
    uint8_t hash[SHA256_BYTES];
    json_object_seed(hash_seed);
    json_start();
    if (crypto_start(true, NULL))
        _exit(1);
    hash_worlds(hash);
    _exit(write(pipe_end, hash, sizeof hash) == sizeof hash ? 0 : 1);
}

static void hash_with_seed(size_t hash_seed, uint8_t out[SHA256_BYTES])
{
    int ends[2];
    int status;
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        hash_in_child(hash_seed, ends[1]);
    close(ends[1]);
    assert_int_equal(read(ends[0], out, SHA256_BYTES), SHA256_BYTES);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* The first test: this process's own jansson has not begun. */
static void test_no_hash_seed_changes_a_byte(void **state)
{
    (void)state;
    uint8_t first[SHA256_BYTES];
    hash_with_seed(1, first);
    for (size_t hash_seed = 2; hash_seed <= HASH_SEEDS; hash_seed++) {
        uint8_t other[SHA256_BYTES];
        hash_with_seed(hash_seed * 0x9e3779b9U, other);
        assert_memory_equal(first, other, SHA256_BYTES);
    }
}

/* --- loading again --- */

static void begin(void)
{
    json_start();
    assert_done(crypto_start(true, &test_error));
}

static void test_loading_a_thousand_times_changes_no_byte(void **state)
{
    (void)state;
    begin();
    const uint64_t seed = seed_first(DEFAULT_SEED);
    VAULT_AUTO(trial_finish) struct trial trial = trial_new(seed);
    VAULT_AUTO(buf_finish) struct buf first = buf_limited(TEXT_BYTES_MAX);
    say_loaded(&trial, 1, &first);
    for (size_t i = 0; i < RELOADS; i++) {
        VAULT_AUTO(buf_finish) struct buf again = buf_limited(TEXT_BYTES_MAX);
        say_loaded(&trial, 1 + i % 4, &again);
        if (!bytes_equal(buf_view(&first), buf_view(&again)))
            fail_msg("PROPERTY_SEED=%llu: load %zu\n%s\n%s", (unsigned long long)seed, i,
                     buf_string(&first), buf_string(&again));
    }
}

/* --- several threads --- */

struct decider {
    pthread_t thread;
    size_t number;
    const struct policy *policy;
    const struct trial *trial;
    const struct buf *expected; /* REQUESTS of them */
    size_t different;
};

/* Every request, again and again, each thread beginning with another. */
static void *decide_again_and_again(void *context)
{
    struct decider *decider = context;
    for (size_t i = 0; i < (size_t)ROUNDS * REQUESTS; i++) {
        const size_t which = (i + decider->number) % REQUESTS;
        VAULT_AUTO(buf_finish) struct buf said = buf_limited(TEXT_BYTES_MAX);
        say(decider->policy, decider->trial->requests[which], &said);
        decider->different += !bytes_equal(buf_view(&said), buf_view(&decider->expected[which]));
    }
    return NULL;
}

static void decide_at_once(const struct policy *policy, const struct trial *trial,
                           const struct buf expected[], uint64_t seed)
{
    struct decider deciders[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        deciders[i] =
            (struct decider){.number = i, .policy = policy, .trial = trial, .expected = expected};
        assert_int_equal(
            pthread_create(&deciders[i].thread, NULL, decide_again_and_again, &deciders[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(deciders[i].thread, NULL);
    for (size_t i = 0; i < THREADS; i++) {
        if (deciders[i].different)
            fail_msg("PROPERTY_SEED=%llu: thread %zu was told something else %zu times",
                     (unsigned long long)seed, i, deciders[i].different);
    }
}

static void test_threads_that_decide_at_once_are_told_the_same(void **state)
{
    (void)state;
    begin();
    const uint64_t seed = seed_first(DEFAULT_SEED);
    VAULT_AUTO(trial_finish) struct trial trial = trial_new(seed);
    VAULT_AUTO(policy_free) struct policy *policy = world_load(trial.world, 1, NULL);
    struct buf expected[REQUESTS];
    assert_non_null(policy);
    for (size_t i = 0; i < REQUESTS; i++) {
        expected[i] = buf_limited(TEXT_BYTES_MAX);
        say(policy, trial.requests[i], &expected[i]);
    }
    decide_at_once(policy, &trial, expected, seed);
    for (size_t i = 0; i < REQUESTS; i++)
        buf_finish(&expected[i]);
}

int main(void)
{
    return TEST_RUN(test_no_hash_seed_changes_a_byte, test_loading_a_thousand_times_changes_no_byte,
                    test_threads_that_decide_at_once_are_told_the_same);
}
