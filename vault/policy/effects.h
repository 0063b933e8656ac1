/*
 * effects - which rules ever make a difference, found cell by cell.
 */
#pragma once

#include "cells.h"

/* All others of a cell. */
#define EFFECT_RIVALS_MAX POLICY_CELL_RULES_MAX

/* What is known of a rule once all cells have been looked at. */
struct effect_of_rule {
    bool covers;   /* something */
    bool applies;  /* in some circumstances */
    bool releases; /* a permit: applies somewhere with no forbid against it */
    bool matters;  /* a permit: somewhere the answer would be another without it */
    bool hits;     /* a forbid: applies somewhere together with a permit */
    /* Of a permit: what it is lost among in the first such cell: the forbids if it does not
     * release, the other permits if it does but does not matter. */
    enum { NO_RIVALS, FORBIDS_ARE_RIVALS, PERMITS_ARE_RIVALS } rivalry;
    uint16_t rivals[EFFECT_RIVALS_MAX];
    size_t rival_count;
};

/* Permits that apply together and give different forms. */
struct mixed_forms {
    struct mixed_forms *next;
    const uint16_t *rules; /* ascending */
    size_t rule_count;
    uint16_t purpose; /* the first cell where it is so */
    uint16_t field;
    size_t cell_count;
};

struct effects {
    struct effect_of_rule *rules;
    struct mixed_forms *mixed; /* at most POLICY_MIXED_FORMS_MAX */
    size_t mixed_count;
};

/* Everything in out lies in the arena. */
enum vault_code effects_find(const struct policy *policy, struct arena *arena, struct effects *out,
                             struct vault_error *err) VAULT_MUST_CHECK;
