/*
 * age - how old a citizen is to the law: under 15, under 18, or of age. For the modules of this
 * floor alone.
 *
 * The birth date is the vault's own value of identity.birth_date, in the file of the citizen who is
 * held. A birthday comes with the first second of its day, UTC as everything here; who was born on
 * a 29 February has it on 1 March in common years (date_years_between()). Without a birth date that
 * can be read nobody's age is known, and whoever asks takes the answer that lets through less.
 */
#pragma once

#include <stdbool.h>

#include "vault/base/clock.h"
#include "vault/store/citizen.h"

#define AGE_BIRTH_FIELD "identity.birth_date"
#define AGE_ALONE_YEARS 15 /* from then on a minor consents alone */
#define AGE_ADULT_YEARS 18

enum age {
    AGE_UNKNOWN,
    AGE_CHILD, /* under 15 */
    AGE_YOUTH, /* 15, 16, 17 */
    AGE_ADULT,
};

enum age age_at(struct date born, int64_t now_s);

/* The held citizen's birth date; *known is false if there is none that can be read, and *born is
 * then not set. */
enum vault_code age_born(struct citizen *citizen, struct date *born, bool *known,
                         struct vault_error *err) VAULT_MUST_CHECK;

/* Both. */
enum vault_code age_of(struct citizen *citizen, int64_t now_s, enum age *out,
                       struct vault_error *err) VAULT_MUST_CHECK;
