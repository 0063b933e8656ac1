/*
 * problem - what went wrong, as a service reads it: application/problem+json (RFC 9457).
 *
 * The detail says what is wrong and what to do; it holds no value, nothing of the vault's inside
 * and nothing of what was sent, except the path.
 */
#pragma once

#include "vault/base/json.h"
#include "vault/edge/http.h"

/* Make the answer a problem of this status; what it held before goes. */
void problem_write(struct http_answer *answer, unsigned status, const char *detail,
                   const char *instance);

/* The same for a fault at a place in the request's JSON: a pointer that names only members of the
 * contract and list positions (RFC 6901), and an offset in bytes (below 0: none). */
void problem_write_at(struct http_answer *answer, unsigned status, const char *detail,
                      const char *instance, const char *pointer, int64_t offset);

/* One that goes away by itself: Retry-After says when. */
void problem_write_later(struct http_answer *answer, unsigned status, int64_t wait_s,
                         const char *detail, const char *instance);

/* The status that an error code has for a service. */
unsigned problem_status(enum vault_code code);
