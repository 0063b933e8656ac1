/*
 * pages_words - what the vault knows by numbers and ids, in the words of the page's language:
 * dates, periods, and from the city's policy the titles of fields and purposes and what a form
 * lets through.
 */
#pragma once

#include "pages_visit.h"
#include "vault/policy/policy.h"
#include "vault/vault/consent.h"

#define WORDS_CHARS       64 /* of a date or a period, with the final NUL */
#define WORDS_CLOCK_CHARS 5

/* Append a text of the catalogue with its {placeholders} filled from an object. */
void words_fill(const struct visit *visit, const char *name, const json_t *values, struct buf *out);

/* "6 March 2027", "10:00", and "6 March 2027, 10:00", in the city's time. */
void words_date(const struct visit *visit, int64_t instant_s, char out[WORDS_CHARS]);
void words_clock(int64_t instant_s, char out[WORDS_CLOCK_CHARS + 1]);
void words_moment(const struct visit *visit, int64_t instant_s, char out[WORDS_CHARS]);

/* The day as the log counts, for auditors. */
void words_date_utc(const struct visit *visit, int64_t instant_s, char out[WORDS_CHARS]);

/* "March 2027". */
void words_month(const struct visit *visit, int year, int month, char out[WORDS_CHARS]);

/* Append a value as people read it: a text without its quotes, yes or no, the members of an object
 * one by one. */
void words_value(const struct visit *visit, const json_t *value, struct buf *out);

/* "30 days", "12 months". */
void words_period(const struct visit *visit, int64_t days, char out[WORDS_CHARS]);

/* Of the policy; an id that it does not know, or policy NULL, stands for itself. */
const char *words_purpose_title(const struct visit *visit, const struct policy *policy,
                                const char *purpose);
const char *words_purpose_text(const struct visit *visit, const struct policy *policy,
                               const char *purpose); /* may be NULL */
const char *words_field_title(const struct visit *visit, const struct policy *policy,
                              const char *field);

/* The name in the catalogue of the text that says what a form lets through of a field. */
const char *words_form(const struct policy *policy, const struct consent_field *field);

/* The same where type and form are known by their names alone. */
const char *words_form_of(const char *type, const char *form);
