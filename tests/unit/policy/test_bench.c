/* Timing decisions: what is counted, and what is refused. */
#include "vault/policy/bench.h"

#include "sample.h"

#define LINE                                                                                       \
    "{\"id\":\"r1\",\"now\":\"2027-03-01T10:00:00Z\",\"service\":{\"id\":\"s\","                   \
    "\"classes\":[\"employment.caseworker\"],\"purposes\":[\"employment.support\"]},"              \
    "\"purpose\":\"employment.support\",\"fields\":{\"identity.name\":null,\"address.home\":null}" \
    ",\"atoms\":{\"assurance_at_least\":\"high\",\"citizen_is_minor\":false},\"consents\":"        \
    "[{\"id\":\"c\",\"service\":\"s\",\"purpose\":\"employment.support\",\"state\":\"given\","     \
    "\"at\":\"2027-02-01T00:00:00Z\",\"expires\":\"2028-01-01T00:00:00Z\","                        \
    "\"fields\":{\"identity.name\":null}}],\"values\":{\"identity.name\":\"Testine\"}}"

static int64_t ticks;

/* A clock that goes on by 6000 ns whenever it is asked. */
static int64_t tick_ns(void)
{
    return ticks += 6000;
}

static struct policy_bench *bench_of(const struct policy *policy, size_t requests)
{
    struct policy_bench *bench = NULL;
    assert_done(policy_bench_new(policy, &bench, &test_error));
    for (size_t i = 0; i < requests; i++)
        assert_done(policy_bench_add(bench, bytes_of_text(LINE), &test_error));
    return bench;
}

static void test_time_is_told_for_one_request(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free) struct policy *policy = sample_load(SAMPLE_CATALOGUE, SAMPLE_RULES);
    VAULT_AUTO(policy_bench_free) struct policy_bench *bench = bench_of(policy, 3);
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(4096);
    assert_done(policy_bench_run(bench, 2, tick_ns, &out, &test_error));
    assert_string_equal(buf_string(&out),
                        "{\"fields\":6,\"ns_cold\":1000.0,\"ns_hot\":1000.0,\"released\":3,"
                        "\"requests\":3,\"rules\":1,\"worst_cell\":{\"atoms\":2,\"rules\":1}}\n");
}

static void test_many_requests_are_kept(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free) struct policy *policy = sample_load(SAMPLE_CATALOGUE, SAMPLE_RULES);
    VAULT_AUTO(policy_bench_free) struct policy_bench *bench = bench_of(policy, 2500);
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(4096);
    assert_done(policy_bench_run(bench, 1, tick_ns, &out, &test_error));
    assert_non_null(strstr(buf_string(&out), "\"fields\":5000,"));
    assert_non_null(strstr(buf_string(&out), "\"released\":2500,\"requests\":2500,"));
}

static void test_without_a_request_there_is_nothing_to_time(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free) struct policy *policy = sample_load(SAMPLE_CATALOGUE, SAMPLE_RULES);
    VAULT_AUTO(policy_bench_free) struct policy_bench *bench = bench_of(policy, 0);
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(4096);
    assert_int_equal(policy_bench_run(bench, 1, tick_ns, &out, &test_error), VAULT_INVALID);
    assert_int_equal(out.size, 0);
}

static void test_what_is_no_request_is_refused_and_not_counted(void **state)
{
    (void)state;
    VAULT_AUTO(policy_free) struct policy *policy = sample_load(SAMPLE_CATALOGUE, SAMPLE_RULES);
    VAULT_AUTO(policy_bench_free) struct policy_bench *bench = bench_of(policy, 1);
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(4096);
    assert_int_equal(policy_bench_add(bench, bytes_of_text("{}"), &test_error), VAULT_INVALID);
    assert_int_equal(policy_bench_add(bench, bytes_of_text(""), &test_error), VAULT_INVALID);
    assert_done(policy_bench_run(bench, 1, tick_ns, &out, &test_error));
    assert_non_null(strstr(buf_string(&out), "\"requests\":1,"));
}

int main(void)
{
    if (sample_start())
        return 1;
    return TEST_RUN(test_time_is_told_for_one_request, test_many_requests_are_kept,
                    test_without_a_request_there_is_nothing_to_time,
                    test_what_is_no_request_is_refused_and_not_counted);
}
