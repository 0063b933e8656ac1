/*
 * circumstance - is there a request in which these rules apply and those do not?
 *
 * Everything that "check" and "diff" find out comes down to this question. What a request can say
 * is finite: an atom is unknown or has one of its values, there is a consent or not, an objection
 * or not. So the answer is exact: either such circumstances are found, and can be shown, or there
 * are none.
 *
 * One circumstance at a time: circumstance_begin(), then what must and must not apply, then
 * circumstance_find(). Rules may come from two bundles at once, which then see the same request,
 * each in its own way.
 *
 * How it searches: each demand is a clause, which some choices meet (this atom having this value).
 * The clause with the fewest choices left is taken, each of its choices is tried in turn, and one
 * that leads nowhere is not tried again further down.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "model.h"
#include "vault/base/buf.h"

#define CIRCUMSTANCE_CLAUSES_MAX 1024

struct variable;

struct circumstance {
    struct arena *arena;
    const struct policy *sides[2]; /* the second may be NULL */
    struct variable *variables;    /* a list; consent and objection come first */
    size_t clause_count;
    bool no_memory;
};

/* Begin anew. Everything lies in the arena. */
void circumstance_begin(struct circumstance *circumstance, struct arena *arena,
                        const struct policy *first, const struct policy *second);

/* Demand that a permit or a forbid of one side (0 or 1) applies, or that it does not. Whether it is
 * in force is not looked at: that is for the caller, who chooses the time. */
void circumstance_applies(struct circumstance *circumstance, size_t side, const struct rule *rule);
void circumstance_applies_not(struct circumstance *circumstance, size_t side,
                              const struct rule *rule);

/* Whether there are such circumstances. false too when memory is out: then no_memory is set. */
bool circumstance_find(struct circumstance *circumstance);

/* What was found: whether there is a consent, an objection; and the atoms as a JSON object. */
bool circumstance_has_consent(const struct circumstance *circumstance);
bool circumstance_has_objection(const struct circumstance *circumstance);
void circumstance_write_atoms(const struct circumstance *circumstance, struct buf *out);
