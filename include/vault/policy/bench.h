/*
 * bench - how long deciding takes: "vaultctl policy bench".
 *
 * Requests are read and parsed first, and kept as the vault itself has them: numbers and arrays.
 * Then all are decided, the record that explains each outcome included and no value computed, in
 * the order in which they came (hot: the caches know the way) and in one fixed random order (cold).
 * The time is asked outside the loops.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/policy/policy.h"

#define POLICY_BENCH_REQUESTS_MAX 2000000
#define POLICY_BENCH_REPEAT_MAX   1000000

struct policy_bench;

/* The policy is borrowed until policy_bench_free(). */
enum vault_code policy_bench_new(const struct policy *policy, struct policy_bench **out,
                                 struct vault_error *err) VAULT_MUST_CHECK;
void policy_bench_free(struct policy_bench **bench);

/* Add a request, JSON as for "decide". VAULT_INVALID, VAULT_TOO_LARGE, VAULT_NO_MEMORY. */
enum vault_code policy_bench_add(struct policy_bench *bench, struct bytes line,
                                 struct vault_error *err) VAULT_MUST_CHECK;

/* Decide everything repeat times in each order, and append the result as one JSON object. now_ns is
 * a clock that only goes forward. VAULT_INVALID without a request. */
enum vault_code policy_bench_run(struct policy_bench *bench, size_t repeat, int64_t (*now_ns)(void),
                                 struct buf *out, struct vault_error *err) VAULT_MUST_CHECK;
