/*
 * table - the compiled form of the rules, which policy_decide() walks.
 *
 * Rules are laid out in rows. A row belongs to an actor (a class, a service that rules name, or
 * everybody) and a purpose (or every purpose), and holds, for each field that some rule there
 * names, a cell: the rules that cover it, forbids first, then permits, then deposits. Fields that
 * no rule of the row names share the row's rest: the rules for "any" field. "any" thus costs one
 * row, not one for every class and purpose.
 *
 *     (class, purpose) (class, every) (service, purpose) (service, every) (all, purpose) (all,
 * every)
 *          \________________________________ up to 6 rows ___________________________________/
 *               |
 *               field -> bit in the row's map -> its place among the row's cells -> references
 *
 * Finding a cell takes the same few steps whatever the number of rules, rows or fields.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/error.h"
#include "vault/policy/policy.h"

/* References in the whole table. */
#define TABLE_REFERENCES_MAX (1UL << 24)

/* A rule in a cell, with the form that it gives there: a step on the field's ladder; in a row's
 * rest, where fields of several types meet, REFERENCE_FORM_BY_NAME and the enum form. */
struct reference {
    uint16_t rule;
    uint8_t form;
};

#define REFERENCE_FORM_BY_NAME 0x80
#define TABLE_FORMS            18 /* FORM_COUNT stands for the top of any ladder */

struct cell {
    uint32_t first; /* of its references */
    uint8_t forbids;
    uint8_t permits;
    uint8_t deposits;
};

/* 64 fields of a row: which have a cell of their own, and how many cells come before. */
struct map_word {
    uint64_t has;
    uint32_t before; /* place of its first cell among all cells */
};

struct row {
    uint32_t map; /* of its first map word */
    struct cell rest;
};

/* What has to be asked of one word of atoms. */
struct test {
    uint64_t need_true;
    uint64_t need_false;
    uint16_t word;
};

/* What deciding needs of a rule, in one cache line. */
struct core {
    int64_t from_s;
    int64_t until_s;
    uint64_t must;
    struct test test; /* the first; all zero if there is no condition */
    uint32_t more;    /* of further tests, for conditions in several words */
    uint8_t more_count;
    uint8_t basis;
};

struct table {
    struct core *cores; /* one for each rule */
    struct test *tests;
    struct reference *references;
    struct cell *cells;
    struct map_word *map;
    struct row *rows;
    uint32_t *row_of;     /* [actor][purpose], 0: no row. Actors: classes, services, everybody */
    size_t actor_count;   /* with everybody, who comes last */
    size_t purpose_count; /* with every purpose, which comes last */
    size_t map_words;     /* of one row */
    uint8_t step_of[TABLE_FORMS][POLICY_TYPE_COUNT];
    size_t row_count; /* rows are numbered from 1 */
    size_t cell_count;
    size_t reference_count;
    struct worst {
        unsigned rules;
        unsigned atoms;
        uint16_t actor;
        uint16_t purpose;
        uint16_t field;
    } worst; /* the cell with the most rules */
};

/* The row of an actor and a purpose, or NULL. */
const struct row *table_row(const struct table *table, size_t actor, size_t purpose);

/* The cell of a field in a row. */
const struct cell *table_cell(const struct table *table, const struct row *row, uint16_t field);

/* A rule of a cell, and the step it gives on the field's ladder. */
uint8_t table_step(const struct policy *policy, const struct reference *reference, uint16_t field);

/* All rows that count for an actor (a class or a service) and a purpose; for a class with what is
 * for everybody. Returns how many were written. */
size_t table_rows(const struct table *table, size_t actor, bool with_everybody, size_t purpose,
                  const struct row *out[4]);

/* Find the cell with the most rules, and hold every cell to the limits of rules and atoms. */
enum vault_code worst_find(struct policy *policy, size_t *rule, char reason[static 256])
    VAULT_MUST_CHECK;

/* Lay out the rules of a policy. VAULT_TOO_LARGE: a cell has too many rules or atoms, or the table
 * too many references; *rule is then the one with which it has. */
enum vault_code table_build(struct policy *policy, size_t *rule, char reason[static 256])
    VAULT_MUST_CHECK;
