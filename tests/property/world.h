/*
 * world - random bundles and requests, as JSON, and what loads them.
 *
 * A world is {"catalogue": {…}, "rules": […]}: small enough that rules meet each other, with names
 * that share prefixes, ladders that lack steps, atoms of every kind, and instants that lie close
 * together. Requests ask about the same few names, and about some that do not exist.
 */
#pragma once

#include <jansson.h>

#include "random.h"
#include "vault/policy/bundle.h"
#include "vault/policy/policy.h"

/* Roughly how much of each. */
struct world_size {
    size_t fields;
    size_t purposes;
    size_t classes;
    size_t atoms;
    size_t rules;
};

json_t *world_new(struct random *random, const struct world_size *size);

/* One random rule for the world's catalogue. */
json_t *world_rule(struct random *random, const json_t *world, const char *id);

/* One random request that is valid. */
json_t *world_request(struct random *random, const json_t *world);

/* Load the world as a bundle of file_count rule files. NULL if it is refused (a cell with too many
 * rules); *err says why. */
struct policy *world_load(const json_t *world, size_t file_count, struct vault_error *err);

/* What "decide" answers; text, to be freed. */
char *world_answer(const struct policy *policy, const json_t *request);
