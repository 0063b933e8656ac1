/*
 * naive - the meaning of a bundle, written down a second time to be read, not to be fast.
 *
 * This is sections 3 and 8 of the contract as a program over the JSON itself: no numbers for names,
 * no tables, no bits, and nothing in common with the compiled form but jansson and the calendar. It
 * looks at every rule for the purpose, for every field. Where the two differ, one of them is wrong.
 *
 * It expects a bundle that loads and a request that is valid; it computes no values.
 */
#pragma once

#include <jansson.h>

/* A list of rule objects by what they are for: {"of":{"PURPOSE":[rule,…],…},"any":[rule,…]}, with
 * each purpose of the catalogue. Without it, 10,000 requests on 10,000 rules took minutes. The
 * caller's. */
json_t *naive_by_purpose(const json_t *catalogue, const json_t *rules);

/* The answer to a request, as "decide" would give it: {"fields":{…},"id":…}. rules is what
 * naive_by_purpose() made. The answer is the caller's. */
json_t *naive_decide(const json_t *catalogue, const json_t *rules, const json_t *request);

/* The strictest of two forms on the ladder of a field, by name. */
const char *naive_stricter(const json_t *catalogue, const char *field, const char *a,
                           const char *b);
