/*
 * pages_year - twelve months of accesses at a glance: for each month what was released and what was
 * not, as numbers for a table and as places in a picture (SVG units).
 */
#pragma once

#include "pages_visit.h"
#include "vault/vault/history.h"

#define YEAR_MONTHS     12
#define YEAR_EVENTS_MAX 10000 /* that are gone through for it: more, and the page says so */

struct year_month {
    int year;
    int month;
    unsigned released;
    unsigned denied;
};

struct year {
    struct year_month months[YEAR_MONTHS]; /* the oldest first */
};

/* The twelve months up to now, with nothing in them. */
struct year year_begin(const struct visit *visit);

/* Count an event; its entry is enough (history_find()). False if it is from before the year. */
bool year_see(struct year *year, const struct history_event *event);

/* Put "months", the picture's sizes, and the flags "chart_shown" and, unless all are empty,
 * "counted". */
void year_put(const struct year *year, struct visit *visit);
