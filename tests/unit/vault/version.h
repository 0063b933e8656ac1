/*
 * version - policies of which each answer shows which one gave it.
 *
 * Each version says another thing of every field: a derived value that spells the version, a form
 * that moves along the ladder, a field that only even or only odd versions release, and an
 * obligation of so many days. From one answer its version can be told, and from the version the
 * whole answer; an answer that two versions have made between them is that of none.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#define VERSION_PURPOSE "reload.trial"
#define VERSION_CLASS   "trial.desk"

/* The files of that version; the caller's. */
json_t *version_catalogue(unsigned version);
json_t *version_rules(unsigned version);

/* Whether the answer of the one door, about a citizen whose trial.day is 1990-05-17 and who has
 * trial.points, both of 2026-01-02 from "a register", is that of the version, and all of it. The
 * fields asked for were stamp.one, stamp.even, stamp.two, trial.day, stamp.odd, stamp.three and
 * trial.points, in this order. */
bool version_has_answered(unsigned version, const json_t *answer);
