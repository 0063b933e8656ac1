#include "vault/vault/alert.h"

#include <stdio.h>
#include <string.h>

#include "vault/base/clock.h"
#include "vault/store/control_service.h"
#include "vault/vault/history.h"
#include "vault/vault/service.h"

#define DAY_S  (24 * 60 * 60)
#define WEEK_S (7 * DAY_S)

/* What was seen of one service. */
struct watched {
    char service[SERVICE_ID_CHARS + 1];
    int64_t oldest_s;
    int64_t denied_s; /* the newest refusal */
    unsigned denied;  /* recently */
    unsigned this_week;
    unsigned before; /* in the weeks before */
};

struct watch {
    int64_t now_s;
    struct watched services[ALERT_SERVICES_MAX];
    size_t count;
    size_t looked_at;
    int64_t oldest_s; /* of all that was looked at */
};

static struct watched *watched_of(struct watch *watch, struct bytes service)
{
    for (size_t i = 0; i < watch->count; i++) {
        if (bytes_equal(service, bytes_of_text(watch->services[i].service)))
            return &watch->services[i];
    }
    if (watch->count == ALERT_SERVICES_MAX || service.size > SERVICE_ID_CHARS)
        return NULL;
    struct watched *watched = &watch->services[watch->count++];
    *watched = (struct watched){0};
    snprintf(watched->service, sizeof watched->service, "%.*s", (int)service.size,
             (const char *)service.data);
    return watched;
}

/* Counts; nothing need be opened. */
static bool count_event(void *context, const struct history_event *event)
{
    struct watch *watch = context;
    const int64_t at_s = event->time_ms / 1000;
    const int64_t age_s = watch->now_s - at_s;
    watch->looked_at++;
    watch->oldest_s = at_s;
    if (event->event != ENTRY_RELEASE && event->event != ENTRY_DENY)
        return false;
    struct watched *watched = watched_of(watch, event->service);
    if (!watched)
        return false;
    watched->oldest_s = at_s;
    watched->this_week += age_s < WEEK_S;
    watched->before += age_s >= WEEK_S && age_s < (1 + ALERT_WEEKS) * WEEK_S;
    if (event->event == ENTRY_DENY && age_s < ALERT_RECENT_DAYS * DAY_S) {
        watched->denied_s = watched->denied++ ? watched->denied_s : at_s;
    }
    return false;
}

/* A service of which nothing older was seen is new only if older things were looked at, or there
 * are none. */
static bool reached_back(const struct watch *watch)
{
    return watch->looked_at < ALERT_EVENTS_MAX ||
           watch->now_s - watch->oldest_s > ALERT_RECENT_DAYS * DAY_S;
}

static void tell(const struct watch *watch, const struct watched *watched, alert_each *each,
                 void *context)
{
    const unsigned usual = (watched->before + ALERT_WEEKS - 1) / ALERT_WEEKS;
    const bool first = watch->now_s - watched->oldest_s < ALERT_RECENT_DAYS * DAY_S;
    const bool many = watched->before && watched->this_week >= ALERT_MANY_LEAST &&
                      watched->this_week > ALERT_MANY_TIMES * usual;
    const struct {
        bool holds;
        struct alert alert;
    } alerts[] = {
        {first && reached_back(watch),
         {.kind = ALERT_FIRST, .service = watched->service, .at_s = watched->oldest_s}},
        {many,
         {.kind = ALERT_MANY,
          .service = watched->service,
          .count = watched->this_week,
          .usual = usual}},
        {watched->denied,
         {.kind = ALERT_DENIED,
          .service = watched->service,
          .count = watched->denied,
          .at_s = watched->denied_s}},
    };
    for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++) {
        if (alerts[i].holds)
            each(context, &alerts[i].alert);
    }
}

enum vault_code alert_list(struct vault *vault, const struct citizen_id *citizen, alert_each *each,
                           void *context, struct vault_error *err)
{
    struct watch watch = {.now_s = clock_now_s(vault_clock(vault))};
    VAULT_TRY(history_find(vault, citizen, 0, ALERT_EVENTS_MAX, count_event, NULL, &watch, err));
    for (size_t i = 0; i < watch.count; i++)
        tell(&watch, &watch.services[i], each, context);
    return VAULT_OK;
}
