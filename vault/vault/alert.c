#include "vault/vault/alert.h"

#include <stdio.h>

#include "parts.h"
#include "person.h"

#define DAY_S  (24 * 60 * 60)
#define WEEK_S (7 * DAY_S)

static struct alert_service *watched_of(struct alert_watch *watch, struct bytes service)
{
    for (size_t i = 0; i < watch->count; i++) {
        if (bytes_equal(service, bytes_of_text(watch->services[i].id)))
            return &watch->services[i];
    }
    if (watch->count == ALERT_SERVICES_MAX || service.size > CONTROL_SERVICE_ID_CHARS)
        return NULL;
    struct alert_service *watched = &watch->services[watch->count++];
    *watched = (struct alert_service){0};
    snprintf(watched->id, sizeof watched->id, "%.*s", (int)service.size,
             (const char *)service.data);
    return watched;
}

void alert_see(struct alert_watch *watch, const struct history_event *event)
{
    const int64_t at_s = event->time_ms / 1000;
    const int64_t age_s = watch->now_s - at_s;
    watch->seen++;
    watch->oldest_s = at_s;
    struct alert_service *watched = event->event == ENTRY_RELEASE || event->event == ENTRY_DENY
                                        ? watched_of(watch, event->service)
                                        : NULL;
    if (!watched)
        return;
    watched->oldest_s = at_s;
    watched->this_week += age_s < WEEK_S;
    watched->before += age_s >= WEEK_S && age_s < (1 + ALERT_WEEKS) * WEEK_S;
    if (event->event == ENTRY_DENY && age_s < ALERT_RECENT_DAYS * DAY_S)
        watched->denied_s = watched->denied++ ? watched->denied_s : at_s;
}

/* A service of which nothing older was seen is new only if older things were looked at, or there
 * are none. */
static bool reached_back(const struct alert_watch *watch)
{
    return watch->seen < ALERT_EVENTS_MAX ||
           watch->now_s - watch->oldest_s > ALERT_RECENT_DAYS * DAY_S;
}

static void tell(const struct alert_watch *watch, const struct alert_service *watched,
                 alert_each *each, void *context)
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
         {.kind = ALERT_FIRST, .service = watched->id, .at_s = watched->oldest_s}},
        {many,
         {.kind = ALERT_MANY, .service = watched->id, .count = watched->this_week, .usual = usual}},
        {watched->denied,
         {.kind = ALERT_DENIED,
          .service = watched->id,
          .count = watched->denied,
          .at_s = watched->denied_s}},
    };
    for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++) {
        if (alerts[i].holds)
            each(context, &alerts[i].alert);
    }
}

void alert_tell(const struct alert_watch *watch, alert_each *each, void *context)
{
    for (size_t i = 0; i < watch->count; i++)
        tell(watch, &watch->services[i], each, context);
}

/* --- How many ------------------------------------------------------------------------------- */

static bool see_one(void *context, const struct history_event *event)
{
    struct alert_watch *watch = context;
    alert_see(watch, event);
    return watch->seen < ALERT_EVENTS_MAX;
}

static void count_one(void *context, const struct alert *alert)
{
    size_t *count = context;
    (void)alert;
    (*count)++;
}

static enum vault_code find_kept(struct vault *vault, const struct citizen_id *id, int64_t now_s,
                                 size_t *count, uint64_t *n, bool *found, struct vault_error *err)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    *n = person->chain.n;
    *found = person->alerts.until_s > now_s && person->alerts.n == *n;
    if (*found)
        *count = person->alerts.count;
    return VAULT_OK;
}

static enum vault_code keep(struct vault *vault, const struct citizen_id *id, size_t count,
                            uint64_t n, int64_t until_s, struct vault_error *err)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    person->alerts.count = count;
    person->alerts.n = n;
    person->alerts.until_s = until_s;
    return VAULT_OK;
}

enum vault_code alert_count(struct vault *vault, const struct citizen_id *citizen, size_t *count,
                            struct vault_error *err)
{
    bool found = false;
    uint64_t n = 0;
    size_t counted = 0;
    struct alert_watch watch = {.now_s = clock_now_s(&vault->options.clock)};
    VAULT_TRY(find_kept(vault, citizen, watch.now_s, count, &n, &found, err));
    if (found)
        return VAULT_OK;
    VAULT_TRY(history_walk(vault, citizen, see_one, &watch, NULL, err));
    alert_tell(&watch, count_one, &counted);
    VAULT_TRY(keep(vault, citizen, counted, n, watch.now_s + ALERT_KEPT_S, err));
    *count = counted;
    return VAULT_OK;
}
