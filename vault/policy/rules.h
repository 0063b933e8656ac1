/*
 * rules - what reading the rules passes from file to rule.
 */
#pragma once

#include "load.h"

struct rules {
    struct policy *policy;
    struct reader *reader;
    struct rule *rules; /* as many places as there can be rules */
    size_t count;
};

/* One rule; the walk is at it. Services are left as they are written. */
enum vault_code rule_load(struct rules *rules, const json_t *object, struct rule *rule)
    VAULT_MUST_CHECK;

/* Sort spans and join those that touch. */
void spans_tidy(struct span *spans, size_t count, struct spans *out);
