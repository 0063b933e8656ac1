#include "vault/policy/bench.h"

#include <inttypes.h>
#include <stdlib.h>

#include "question.h"
#include "vault/base/json.h"
#include "vault/policy/line.h"

#define SHUFFLE_SEED UINT64_C(20270301)

/* What deciding one request needs. */
struct load {
    struct policy_request request;
    struct policy_stance stance;
};

struct policy_bench {
    const struct policy *policy;
    struct arena arena;
    struct load *loads;
    size_t count;
    size_t capacity;
    size_t fields;
    size_t most_fields; /* of one request */
};

enum vault_code policy_bench_new(const struct policy *policy, struct policy_bench **out,
                                 struct vault_error *err)
{
    struct policy_bench *bench = calloc(1, sizeof *bench);
    if (!bench)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    bench->policy = policy;
    *out = bench;
    return VAULT_OK;
}

void policy_bench_free(struct policy_bench **bench)
{
    if (*bench) {
        arena_finish(&(*bench)->arena);
        free((*bench)->loads);
        free(*bench);
    }
    *bench = NULL;
}

/* Room for one more; it doubles. */
static enum vault_code make_room(struct policy_bench *bench, struct vault_error *err)
{
    if (bench->count < bench->capacity)
        return VAULT_OK;
    if (bench->count == POLICY_BENCH_REQUESTS_MAX)
        return vault_fail(err, VAULT_TOO_LARGE, "at most %d requests can be timed",
                          POLICY_BENCH_REQUESTS_MAX);
    const size_t wanted = bench->capacity ? 2 * bench->capacity : 1024;
    struct load *loads = calloc(wanted, sizeof *loads);
    if (!loads)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < bench->count; i++)
        loads[i] = bench->loads[i];
    free(bench->loads);
    bench->loads = loads;
    bench->capacity = wanted;
    return VAULT_OK;
}

enum vault_code policy_bench_add(struct policy_bench *bench, struct bytes line,
                                 struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    VAULT_AUTO(reader_finish) struct reader reader = reader_over(NULL, line, NULL, err);
    struct question question;
    VAULT_TRY(make_room(bench, err));
    VAULT_TRY(reader_parse(&reader, &root));
    if (json_is_object(json_object_get(root, "values")))
        json_object_del(root, "values"); /* none is computed: keep none */
    VAULT_TRY(question_read(bench->policy, &reader, root, &bench->arena, &question));
    const size_t asks = question.request.ask_count;
    bench->loads[bench->count++] = (struct load){question.request, question.stance};
    bench->fields += asks;
    bench->most_fields = asks > bench->most_fields ? asks : bench->most_fields;
    return VAULT_OK;
}

/* SplitMix64: the same order on every machine. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void shuffle(uint32_t order[], size_t count)
{
    uint64_t state = SHUFFLE_SEED;
    for (size_t i = count; i > 1; i--) {
        const size_t other = (size_t)(next(&state) % i);
        const uint32_t kept = order[i - 1];
        order[i - 1] = order[other];
        order[other] = kept;
    }
}

/* Decide all in this order, repeat times. Nanoseconds for one request. */
static double run(const struct policy_bench *bench, const uint32_t order[], size_t repeat,
                  int64_t (*now_ns)(void), struct policy_outcome outcomes[])
{
    const int64_t start_ns = now_ns();
    for (size_t r = 0; r < repeat; r++) {
        for (size_t i = 0; i < bench->count; i++) {
            const struct load *load = &bench->loads[order[i]];
            policy_decide(bench->policy, &load->request, &load->stance, outcomes);
        }
    }
    return (double)(now_ns() - start_ns) / (double)repeat / (double)bench->count;
}

static size_t count_released(const struct policy_bench *bench, struct policy_outcome outcomes[])
{
    size_t released = 0;
    for (size_t i = 0; i < bench->count; i++) {
        const struct load *load = &bench->loads[i];
        policy_decide(bench->policy, &load->request, &load->stance, outcomes);
        for (size_t j = 0; j < load->request.ask_count; j++)
            released += outcomes[j].reason == REASON_RELEASED;
    }
    return released;
}

enum vault_code policy_bench_run(struct policy_bench *bench, size_t repeat, int64_t (*now_ns)(void),
                                 struct buf *out, struct vault_error *err)
{
    if (bench->count == 0)
        return vault_fail(err, VAULT_INVALID, "there is no request to time");
    uint32_t *order = arena_take(&bench->arena, bench->count, sizeof *order);
    struct policy_outcome *outcomes =
        arena_take(&bench->arena, bench->most_fields, sizeof *outcomes);
    if (!order || !outcomes)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < bench->count; i++)
        order[i] = (uint32_t)i;
    const size_t released = count_released(bench, outcomes);
    const double hot_ns = run(bench, order, repeat, now_ns, outcomes);
    shuffle(order, bench->count);
    const double cold_ns = run(bench, order, repeat, now_ns, outcomes);
    const struct worst *worst = &bench->policy->table.worst;
    buf_format(out,
               "{\"fields\":%zu,\"ns_cold\":%.1f,\"ns_hot\":%.1f,\"released\":%zu,"
               "\"requests\":%zu,\"rules\":%zu,\"worst_cell\":{\"atoms\":%u,\"rules\":%u}}\n",
               bench->fields, cold_ns, hot_ns, released, bench->count, bench->policy->rule_count,
               worst->atoms, worst->rules);
    return buf_check(out, err);
}
