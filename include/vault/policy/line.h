/*
 * line - decisions for requests that are written as JSON, one a line: "vaultctl policy decide".
 *
 * For operators and data-protection officers who want to know what a bundle would answer. The vault
 * itself never goes this way: it calls policy_decide() with numbers. The form of a request and of
 * an answer is in section 4 of the contract.
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/policy/policy.h"

#define POLICY_LINE_BYTES_MAX (1024UL * 1024)

/* Append the answer to one request, without a newline: {"fields":{…},"id":…} with every key sorted,
 * or {"error":…,"id":…} for what is no valid request. Out's own limit may still be passed. */
void policy_line_answer(const struct policy *policy, struct bytes line, struct buf *out);

/* The same for a line of a longer input, which errors then call by its number, from 1. */
void policy_line_answer_at(const struct policy *policy, struct bytes line, size_t number,
                           struct buf *out);
