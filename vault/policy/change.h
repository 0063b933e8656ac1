/*
 * change - one change that diff found, its witness, and the list of them.
 */
#pragma once

#include <jansson.h>

#include "besides.h"
#include "contrast.h"
#include "vault/policy/diff.h"

#define CHANGE_CLASSES_MAX 3

struct change {
    struct change *next;
    enum policy_change_kind kind;
    const char *service; /* NULL: any */
    const char *classes[CHANGE_CLASSES_MAX];
    size_t class_count; /* 0: any class, for a service */
    const char *purpose;
    const char *field;
    const char *witness;    /* a line for "decide" */
    json_t *answers[SIDES]; /* what decide answers for the field, leaving aside
                               what the bundle does not know; of a deposit, whether it may be */
    json_t *rules;          /* ids, sorted */
};

struct policy_diff {
    struct arena arena;
    const struct policy *sides[SIDES];
    struct change *first;
    struct change **end;
    size_t count;
    size_t counts[POLICY_CHANGE_KINDS];
    struct change *deposits; /* gains and loses: who may write */
    struct change **deposits_end;
    struct besides *besides; /* what else differs */
    struct besides **besides_end;
    size_t besides_count;    /* with the deposits */
    bool computes_otherwise; /* of those, some make values other than they were */
    size_t besides_wider;    /* of those, how many give more or cannot be compared */
    bool widens;
    bool is_cut; /* there were more than are listed */
};

/* Who asks for what, by name, and the class that stands in where any will do. */
struct change_place {
    const char *service;
    const char *classes[CHANGE_CLASSES_MAX];
    size_t class_count;
    bool any_class; /* the classes only make the service one that rules can cover */
    const char *purpose;
    const char *field;
};

/* Add what a contrast found at a place to the list. */
enum vault_code change_add(struct policy_diff *diff, const struct change_place *place,
                           const struct contrast *contrast, enum contrast_way way,
                           struct vault_error *err) VAULT_MUST_CHECK;
