/*
 * circumstance_parts - what a circumstance is made of: circumstance.c makes it out of demands,
 * circumstance_find.c searches it and tells what was found. For the two alone.
 */
#pragma once

#include "circumstance.h"

#define CLAUSE_WORDS      (CIRCUMSTANCE_CLAUSES_MAX / 64)
#define SIDES             2

#define MIXED_CHOICES_MAX 256 /* of an atom that means two things on the two sides */

#define ATOMS_BYTES_MAX   65536UL

/* A choice for a variable: what it says of the atom's bits on each side, and which clauses it
 * meets. */
struct choice {
    const char *json; /* the value in a request; NULL: the atom is left out */
    struct policy_atom_word bits[SIDES];
    uint64_t meets[CLAUSE_WORDS];
    bool excluded; /* tried already, in vain */
};

/*
 * An atom; of a set, one of its values. The values of one set are known together or not at all, so
 * they form a group: the list from the first of them on, in which choice 0 is "unknown" for each.
 */
struct variable {
    struct variable *next;
    const char *id;    /* of the atom; NULL for consent and objection */
    const char *value; /* of a set: which value this is about */
    struct choice *choices;
    size_t choice_count;
    size_t chosen; /* choice_count: none yet */
};

/* The first two variables: choice 1 is that there is one. */
static inline struct variable *consent_of(const struct circumstance *circumstance)
{
    return circumstance->variables;
}

static inline struct variable *objection_of(const struct circumstance *circumstance)
{
    return circumstance->variables->next;
}
