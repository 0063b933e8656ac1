/*
 * model - what a loaded bundle is made of, for the modules of this floor.
 *
 * Everything lies in the policy's arena and never changes after loading. Ids are sorted by their
 * bytes, and a number is a place in that order; so "identity.*" is one run of field numbers, and a
 * sorted set of rule numbers is a sorted set of rule ids.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "table.h"
#include "vault/policy/policy.h"

struct words {
    const char *in[POLICY_LANGUAGE_COUNT]; /* NULL where there is none */
};

struct names {
    const char **ids; /* sorted by their bytes */
    size_t count;
};

/* --- types and forms --- */

enum form {
    FORM_AS_IS,
    FORM_MONTH,
    FORM_YEAR,
    FORM_AGE_BAND,
    FORM_INITIAL,
    FORM_LAST4,
    FORM_PSEUDONYM,
    FORM_STREET,
    FORM_POSTCODE,
    FORM_CITY,
    FORM_DEPARTMENT,
    FORM_ROUNDED,
    FORM_BAND,
    FORM_SIGN,
    FORM_MONTHLY,
    FORM_TOTAL,
    FORM_PRESENT,
    FORM_COUNT
};

/* The lower ends of bands, rising; each but the last ends below the next, the last has no end. */
struct bands {
    const int64_t *from;
    size_t count;
};

struct step {
    uint8_t form; /* enum form */
    int64_t to;   /* of FORM_ROUNDED */
    struct bands bands;
};

struct ladder {
    struct step steps[POLICY_FORMS_MAX];
    size_t count; /* 0: the catalogue has no such type */
};

/* --- fields --- */

#define DERIVE_SOURCES_MAX 64

enum operation {
    DERIVE_AGE_AT_LEAST,
    DERIVE_MONTHS_AT_LEAST,
    DERIVE_AGE_BAND,
    DERIVE_BAND,
    DERIVE_IN_SET,
    DERIVE_EQUALS,
    DERIVE_ANY_OF,
    DERIVE_ALL_OF,
    DERIVE_PRESENT,
    DERIVE_PSEUDONYM,
    DERIVE_COUNT
};

struct derivation {
    uint8_t operation; /* enum operation */
    const uint16_t *from;
    size_t from_count;
    int64_t number;      /* years or months */
    struct bands bands;  /* of age_band and of a band's table */
    const char **labels; /* of a band's table, one for each of bands */
    const char **values; /* of in_set and equals: JSON text */
    size_t value_count;
    const char *epoch; /* of pseudonym; NULL if none */
};

struct field {
    uint8_t type; /* enum policy_type */
    bool special;
    bool says_sensitivity;               /* else a derived field is as its sources are */
    const struct derivation *derivation; /* NULL: it is stored */
};

/* --- atoms: one bit for a boolean, one for each value otherwise, all in one word --- */

struct atom {
    uint8_t kind; /* enum policy_atom_kind */
    uint8_t first_bit;
    uint16_t word;
    struct names values; /* in the order of the catalogue, not sorted */
};

/* The bits that an atom has in its word. */
uint64_t atom_bits(const struct atom *atom);

/* --- rules --- */

enum effect { EFFECT_FORBID, EFFECT_PERMIT, EFFECT_DEPOSIT };

/* Numbers from..to, to excluded. A set of numbers is a list of spans, rising, apart. */
struct span {
    uint16_t from;
    uint16_t to;
};

struct spans {
    const struct span *spans;
    size_t count;
};

struct condition {
    uint16_t atom;
    uint8_t bit; /* in the atom's word */
    bool wanted; /* definitely true, or definitely false */
};

struct release {
    uint16_t field;
    uint8_t form;
};

struct due {
    uint16_t obligation;
    int64_t value; /* 1 for "or" */
};

struct rule {
    const char *id;
    struct words why;
    uint8_t effect;
    uint8_t basis; /* of permits and deposits; POLICY_BASIS_COUNT if none is given */
    bool who_any;
    bool purposes_any;
    bool fields_any;
    bool wildcard;        /* "any" or "x.*" among the fields */
    const char **empties; /* wildcards that no field of the catalogue matches */
    size_t empty_count;
    const char *article9; /* NULL if none */
    struct spans classes; /* all of them for who_any */
    struct spans services;
    const char **service_ids; /* as written; what services was made of */
    size_t service_count;
    struct spans purposes;
    struct spans fields;
    const struct condition *conditions;
    size_t condition_count;
    const struct release *releases; /* rising by field; only what the rule names */
    size_t release_count;
    uint8_t default_form;   /* enum form; FORM_COUNT: the top of the ladder */
    const struct due *dues; /* rising by obligation; without those of value false */
    size_t due_count;
    int64_t from_s;          /* INT64_MIN: since ever */
    int64_t until_s;         /* exclusive; INT64_MAX: for ever */
    uint16_t stray_releases; /* named in "release" without being covered */
    const char *file;        /* where it stands, for findings */
    size_t position;         /* in the file's list */
};

bool spans_have(const struct spans *spans, uint16_t number);

/* Whether a list has everything from 0 to count: then it is "any". */
bool spans_are_all(const struct spans *spans, size_t count);

/* Sort rule numbers and drop those that repeat. Returns how many are left. */
size_t rules_unique(uint16_t rules[], size_t count);

/* The step on the field's ladder that a permit gives; for a field that it covers. */
uint8_t rule_form(const struct policy *policy, const struct rule *rule, uint16_t field);

struct policy {
    struct arena arena;
    const char *name;
    uint64_t version;
    uint8_t manifest_hash[SHA256_BYTES];
    int64_t not_before_s; /* INT64_MIN without a manifest */
    int64_t expires_s;    /* INT64_MAX if there is no end */
    struct names names[POLICY_KIND_COUNT];
    struct ladder ladders[POLICY_TYPE_COUNT];
    struct field *fields;
    unsigned *consent_days;                  /* of each purpose */
    struct words *titles[POLICY_KIND_COUNT]; /* NULL: this kind has none */
    struct words *texts[POLICY_KIND_COUNT];
    struct atom *atoms;
    size_t atom_words;
    bool *obligation_is_number;
    struct rule *rules;
    size_t rule_count;
    struct table table;
};

/* --- words of the contract --- */

extern const char *const form_names[FORM_COUNT];
extern const char *const type_names[POLICY_TYPE_COUNT];
extern const char *const basis_names[POLICY_BASIS_COUNT];

const struct ladder *field_ladder(const struct policy *policy, uint16_t field);

/* The step of a form on a ladder, or POLICY_FORM_NONE. */
uint8_t ladder_find(const struct ladder *ladder, enum form form);

/* Steps of the same form: with the same parameters; plainly coarser, so that whoever knows the old
 * one's answer could have worked out the new one's. */
bool step_is_same(const struct step *old, const struct step *new);
bool step_is_coarser(const struct step *old, const struct step *new);

/* The form of this name, or FORM_COUNT. */
enum form form_of_name(struct bytes name);

/* Where the text stands in a list of count names, or count. */
size_t name_index(const char *const names[], size_t count, struct bytes text);
