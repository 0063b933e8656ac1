/*
 * clock - the time, through one door that tests can move.
 *
 * Whoever needs the time is given a struct clock. vaultd gives the system's; a test gives one that
 * it sets. Nothing above this floor calls time() or clock_gettime().
 *
 * An instant is int64_t milliseconds or seconds since 1970-01-01T00:00:00Z, always UTC; the unit is
 * in the name. As text it has exactly one form, YYYY-MM-DDThh:mm:ssZ. A date is a day of the
 * Gregorian calendar without a time zone, as text YYYY-MM-DD; years 0001 to 9999.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"

struct clock {
    int64_t (*now_ms)(void *context); /* wall clock, may step */
    void *context;
};

/* The system's wall clock. */
extern const struct clock clock_system;

/* A clock that stands still until it is told: the context is the time in milliseconds, which any
 * thread may read meanwhile. */
struct clock clock_fixed(_Atomic int64_t *now_ms);

int64_t clock_now_ms(const struct clock *clock);
int64_t clock_now_s(const struct clock *clock);

/* Milliseconds that only go forward, for deadlines and durations; not related to any date. And
 * nanoseconds, for measuring. */
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_ns(void);

/* For waiting with pthread_cond_timedwait(): a condition whose deadlines are monotonic, and such a
 * deadline. Without it a wait lasts as much longer as the wall clock is set back meanwhile. */
void clock_condition_init(pthread_cond_t *condition);
struct timespec clock_deadline(int64_t in_ms);

#define INSTANT_CHARS 20 /* YYYY-MM-DDThh:mm:ssZ, without a final NUL */
#define DATE_CHARS    10 /* YYYY-MM-DD */

struct date {
    int year;  /* 1 to 9999 */
    int month; /* 1 to 12 */
    int day;   /* 1 to 31 */
};

/* VAULT_INVALID unless the text is a date that exists, in exactly the form above. */
enum vault_code date_parse(struct bytes text, struct date *out, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code instant_parse(struct bytes text, int64_t *out_s, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Either of the two: a date stands for its first second. */
enum vault_code instant_or_date_parse(struct bytes text, int64_t *out_s, struct vault_error *err)
    VAULT_MUST_CHECK;

void date_format(char out[DATE_CHARS + 1], struct date date);
void instant_format(char out[INSTANT_CHARS + 1], int64_t instant_s);

/* The day an instant falls on, UTC, and the first second of a day. */
struct date date_of_instant(int64_t instant_s);
int64_t instant_of_date(struct date date);

/* Negative, 0 or positive as a is before, on or after b. */
int date_compare(struct date a, struct date b);

/* Whole years or months from one date to another; negative if to is before from. A 29 February
 * counts as 1 March in common years, and likewise the end of a longer month. */
int date_years_between(struct date from, struct date to);
int date_months_between(struct date from, struct date to);
