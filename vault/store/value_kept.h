/*
 * value_kept - the values of an open citizen that were read last, so that a release which is asked
 * for again reads none of them out of the file. That there is none is kept too: nobody, who never
 * has one, would take longer otherwise than somebody who refused (citizen.h). For the store alone.
 *
 * Only what stands in the file is kept: a change, done or given up, forgets all (citizen_begin()),
 * and so does closing the file; nothing is kept while one is under way. At most VALUES_KEPT_MAX of
 * at most VALUE_KEPT_BYTES each, the next taking the oldest's place. What is forgotten is wiped.
 */
#pragma once

#include "vault/store/citizen_value.h"

#define VALUES_KEPT_MAX  8
#define VALUE_KEPT_BYTES 256

struct values_kept; /* of one citizen; NULL: none yet */

/* Keep a copy of the field's newest value; an empty one: there is none, and about may be NULL. One
 * that is too long, or for which there is no memory, is not kept. */
void value_keep(struct values_kept **kept, const char *field, struct bytes json,
                const struct citizen_value_about *about);

/* What is kept of the field: borrowed until the next call, empty where there is no value. False if
 * nothing is. */
bool value_kept(const struct values_kept *kept, const char *field, struct bytes *json,
                struct citizen_value_about *about);

void values_forget(struct values_kept **kept);
