/*
 * alert - what in a citizen's accesses deserves a second look.
 *
 * Three things, each of one service: it looked for the first time; it looks much more often than it
 * used to; it asked for what it may not have. All of it is counted from the log's entries when
 * somebody wants to know: nothing is kept for it, so nothing can be out of step with the log. There
 * may be a good reason for each, which only the citizen can know.
 */
#pragma once

#include <stdint.h>

#include "vault/store/citizen.h"
#include "vault/vault/vault.h"

#define ALERT_EVENTS_MAX   1000 /* the newest, which are looked at */
#define ALERT_SERVICES_MAX 64   /* the first seen, going back */
#define ALERT_RECENT_DAYS  30   /* for a first look and for refusals */
#define ALERT_WEEKS        12   /* before the last seven days, for what a usual week is */
#define ALERT_MANY_LEAST   10   /* looks in seven days, below which nothing is much */
#define ALERT_MANY_TIMES   3    /* a usual week */

enum alert_kind {
    ALERT_FIRST,  /* the first look of a year; at_s is when */
    ALERT_MANY,   /* count in the last seven days, usual in a week before */
    ALERT_DENIED, /* count of ALERT_RECENT_DAYS; at_s is the last */
    ALERT_KIND_COUNT
};

struct alert {
    enum alert_kind kind;
    const char *service; /* borrowed for the call */
    unsigned count;
    unsigned usual;
    int64_t at_s;
};

typedef void alert_each(void *context, const struct alert *alert);

/* Tell of each, by service, who looked last first. The codes are history_find()'s. */
enum vault_code alert_list(struct vault *vault, const struct citizen_id *citizen, alert_each *each,
                           void *context, struct vault_error *err) VAULT_MUST_CHECK;
