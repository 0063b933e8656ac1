/*
 * alert - what in a citizen's accesses deserves a second look.
 *
 * Three things, each of one service: it looked for the first time; it looks much more often than it
 * used to; it asked for what it may not have. All of it is counted from the log's entries when
 * somebody wants to know: nothing is stored for it, so nothing can be out of step with the log.
 * There may be a good reason for each, which only the citizen can know.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/store/control_service.h"
#include "vault/vault/history.h"

#define ALERT_EVENTS_MAX   HISTORY_LIST_MAX /* the newest, which are to be seen */
#define ALERT_SERVICES_MAX 64               /* the first seen, going back */
#define ALERT_RECENT_DAYS  30               /* for a first look and for refusals */
#define ALERT_WEEKS        12               /* before the last seven days, for a usual week */
#define ALERT_MANY_LEAST   10               /* looks in seven days, below which nothing is much */
#define ALERT_MANY_TIMES   3                /* a usual week */
#define ALERT_KEPT_S       3600             /* how long a count is taken for right */

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

/* What was seen of one service. */
struct alert_service {
    char id[CONTROL_SERVICE_ID_CHARS + 1];
    int64_t oldest_s;
    int64_t denied_s; /* the newest refusal */
    unsigned denied;  /* recently */
    unsigned this_week;
    unsigned before; /* in the weeks before */
};

/* What was seen of a history, while it is gone through. */
struct alert_watch {
    int64_t now_s; /* set by the caller; the rest begins at zero */
    struct alert_service services[ALERT_SERVICES_MAX];
    size_t count;
    size_t seen;
    int64_t oldest_s; /* of all that was seen */
};

/* See an event: the newest first, ALERT_EVENTS_MAX at most. Its entry is enough (history_find()).
 */
void alert_see(struct alert_watch *watch, const struct history_event *event);

typedef void alert_each(void *context, const struct alert *alert);

/* Tell of each, by service, who looked last first. */
void alert_tell(const struct alert_watch *watch, alert_each *each, void *context);

/*
 * How many there are, for a page that only says so: gone through once, then kept with the citizen's
 * open file until another entry is made, and for ALERT_KEPT_S at most.
 * VAULT_NOT_FOUND, and the codes of a file that cannot be used
 */
enum vault_code alert_count(struct vault *vault, const struct citizen_id *citizen, size_t *count,
                            struct vault_error *err) VAULT_MUST_CHECK;
