/*
 * pages_year - twelve months of accesses at a glance: for each month what was released and what was
 * not, as numbers for a table and as places in a picture (SVG units).
 */
#pragma once

#include "pages_visit.h"

/* Put "months", the picture's sizes, and the flag "chart_shown". The newest HISTORY_LIST_MAX events
 * are counted. The codes are history_list()'s. */
enum vault_code year_put(struct visit *visit, struct vault_error *err) VAULT_MUST_CHECK;
