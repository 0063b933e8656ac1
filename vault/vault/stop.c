#include "stop.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "half.h"
#include "parts.h"
#include "vault/store/setting.h"

#define STOPS_SETTING "stops"

/* One thing stopped; both names empty: everything. */
struct stop {
    struct citizen_id citizen;
    char service[CONSENT_NAME_CHARS + 1];
    char purpose[CONSENT_NAME_CHARS + 1];
};

struct stops {
    pthread_mutex_t mutex;
    atomic_size_t count; /* read without the mutex, to see that there are none */
    struct stop list[STOPS_MAX];
};

/* --- Kept ----------------------------------------------------------------------------------- */

static enum vault_code read_stops(struct stops *stops, struct bytes value, struct vault_error *err)
{
    struct cursor cursor = cursor_over(value);
    size_t count = 0;
    while (cursor.left && !cursor.truncated && count < STOPS_MAX) {
        struct stop *stop = &stops->list[count++];
        cursor_copy(&cursor, stop->citizen.bytes, sizeof stop->citizen.bytes);
        cursor_copy(&cursor, stop->service, sizeof stop->service);
        cursor_copy(&cursor, stop->purpose, sizeof stop->purpose);
        stop->service[CONSENT_NAME_CHARS] = 0;
        stop->purpose[CONSENT_NAME_CHARS] = 0;
    }
    /* Half of what was stopped must not pass for all of it. */
    if (cursor.left || cursor.truncated)
        return vault_fail(err, VAULT_CORRUPT, "what citizens stopped cannot be read");
    atomic_store(&stops->count, count);
    return VAULT_OK;
}

enum vault_code stop_open(struct vault *vault, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf value = buf_limited(SETTING_VALUE_MAX_BYTES);
    vault->stops = calloc(1, sizeof *vault->stops);
    if (!vault->stops)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    pthread_mutex_init(&vault->stops->mutex, NULL);
    const enum vault_code code = setting_get(vault->store, STOPS_SETTING, &value, err);
    if (code)
        return code == VAULT_NOT_FOUND ? VAULT_OK : code;
    return read_stops(vault->stops, buf_view(&value), err);
}

void stop_close(struct vault *vault)
{
    if (vault->stops)
        pthread_mutex_destroy(&vault->stops->mutex);
    free(vault->stops);
    vault->stops = NULL;
}

static enum vault_code keep(struct vault *vault, size_t count, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf value = buf_limited(SETTING_VALUE_MAX_BYTES);
    for (size_t i = 0; i < count; i++) {
        const struct stop *stop = &vault->stops->list[i];
        buf_append(&value, stop->citizen.bytes, sizeof stop->citizen.bytes);
        buf_append(&value, stop->service, sizeof stop->service);
        buf_append(&value, stop->purpose, sizeof stop->purpose);
    }
    VAULT_TRY(buf_check(&value, err));
    if (count == 0)
        return setting_remove(vault->store, STOPS_SETTING, err);
    const struct setting setting = {STOPS_SETTING, buf_view(&value)};
    return setting_put(vault->store, &setting, 1, err);
}

/* --- Stopping ------------------------------------------------------------------------------- */

bool stop_is_for(enum vault_code code)
{
    return code == VAULT_CORRUPT || code == VAULT_IO;
}

static bool is_same(const struct stop *stop, const struct stop *other)
{
    return citizen_id_equal(&stop->citizen, &other->citizen) &&
           strcmp(stop->service, other->service) == 0 && strcmp(stop->purpose, other->purpose) == 0;
}

static enum vault_code add_held(struct vault *vault, const struct stop *stop, bool *added,
                                struct vault_error *err)
{
    struct stops *stops = vault->stops;
    const size_t count = atomic_load(&stops->count);
    *added = true;
    for (size_t i = 0; i < count && *added; i++)
        *added = !is_same(&stops->list[i], stop);
    if (!*added)
        return VAULT_OK;
    if (count == STOPS_MAX)
        return vault_fail(err, VAULT_LIMITED, "too many damaged files: see vaultctl doctor");
    stops->list[count] = *stop;
    VAULT_TRY(keep(vault, count + 1, err));
    atomic_store(&stops->count, count + 1);
    return VAULT_OK;
}

static enum vault_code enter(struct vault *vault, const struct stop *stop, struct vault_error *err)
{
    const struct event event = {
        .kind = stop->service[0] ? ENTRY_WITHDRAW : ENTRY_SUSPEND,
        .service = stop->service[0] ? stop->service : NULL,
        .purpose = stop->purpose[0] ? stop->purpose : NULL,
        .basis = bytes_of_text("stop"),
        .what = bytes_of_text("everything"),
    };
    return event_of_nobody(vault, &event, err);
}

enum vault_code stop_add(struct vault *vault, const struct citizen_id *citizen, const char *service,
                         const char *purpose, struct vault_error *err)
{
    bool added = false;
    struct stop stop = {.citizen = *citizen};
    snprintf(stop.service, sizeof stop.service, "%s", service ? service : "");
    snprintf(stop.purpose, sizeof stop.purpose, "%s", purpose ? purpose : "");
    pthread_mutex_lock(&vault->stops->mutex);
    const enum vault_code code = add_held(vault, &stop, &added, err);
    pthread_mutex_unlock(&vault->stops->mutex);
    if (code || !added)
        return code;
    return enter(vault, &stop, err);
}

bool stop_covers(struct vault *vault, const struct citizen_id *citizen, const char *service,
                 struct bytes purpose)
{
    struct stops *stops = vault->stops;
    bool covers = false;
    if (atomic_load(&stops->count) == 0)
        return false;
    pthread_mutex_lock(&stops->mutex);
    for (size_t i = 0; i < atomic_load(&stops->count) && !covers; i++) {
        const struct stop *stop = &stops->list[i];
        covers = citizen_id_equal(&stop->citizen, citizen) &&
                 (!stop->service[0] || (strcmp(stop->service, service) == 0 &&
                                        bytes_equal(bytes_of_text(stop->purpose), purpose)));
    }
    pthread_mutex_unlock(&stops->mutex);
    return covers;
}

/* --- Whole again ---------------------------------------------------------------------------- */

static enum vault_code withdraw(struct vault *vault, struct citizen *citizen, struct person *person,
                                const struct consent *current, struct ledger_ticket *ticket,
                                struct vault_error *err)
{
    enum consent_state state;
    const int64_t now_s = consent_next_time_s(vault, current);
    if (!consent_state_after(consent_state_now(current, now_s), CONSENT_WITHDRAW, &state))
        return VAULT_OK;
    struct consent next = consent_following(vault, current, CONSENT_WITHDRAW, state);
    return consent_store(vault, citizen, person, &next, NULL, NULL, ticket, err);
}

/* Those of others move to the front, and only they are kept. If that fails, all still stand. */
enum vault_code stop_forget(struct vault *vault, const struct citizen_id *citizen,
                            struct vault_error *err)
{
    struct stops *stops = vault->stops;
    pthread_mutex_lock(&stops->mutex);
    size_t kept = 0;
    for (size_t i = 0; i < atomic_load(&stops->count); i++) {
        const struct stop stop = stops->list[i];
        if (citizen_id_equal(&stop.citizen, citizen))
            continue;
        stops->list[i] = stops->list[kept];
        stops->list[kept++] = stop;
    }
    const enum vault_code code =
        kept == atomic_load(&stops->count) ? VAULT_OK : keep(vault, kept, err);
    if (code == VAULT_OK)
        atomic_store(&stops->count, kept);
    pthread_mutex_unlock(&stops->mutex);
    return code;
}

/* Taking one back takes back all of its service and purpose: the list is looked at anew. */
static enum vault_code take_back_halves(struct vault *vault, struct citizen *citizen,
                                        struct person *person, struct ledger_ticket *ticket,
                                        struct vault_error *err)
{
    char service[CONSENT_NAME_CHARS + 1];
    char purpose[CONSENT_NAME_CHARS + 1];
    for (size_t i = 0; i < person->half_count;) {
        const struct half *half = &person->halves[i];
        if (!stop_covers(vault, citizen_id_of(citizen), half->service,
                         bytes_of_text(half->purpose))) {
            i++;
            continue;
        }
        memcpy(service, half->service, sizeof service);
        memcpy(purpose, half->purpose, sizeof purpose);
        VAULT_TRY(half_take_back(vault, citizen, person, NULL, service, purpose, ticket, err));
        i = 0;
    }
    return VAULT_OK;
}

enum vault_code stop_settle(struct vault *vault, struct citizen *citizen, struct person *person,
                            struct vault_error *err)
{
    struct ledger_ticket ticket = {0};
    if (atomic_load(&vault->stops->count) == 0 || !citizen_exists(citizen))
        return VAULT_OK;
    for (size_t i = 0; i < person->consent_count; i++) {
        const struct consent *consent = &person->consents[i];
        if (!stop_covers(vault, citizen_id_of(citizen), consent->service,
                         bytes_of_text(consent->purpose)))
            continue;
        VAULT_TRY(withdraw(vault, citizen, person, consent, &ticket, err));
    }
    VAULT_TRY(take_back_halves(vault, citizen, person, &ticket, err));
    if (ticket.time_ms)
        VAULT_TRY(ledger_wait(vault->ledger, &ticket, err));
    return stop_forget(vault, citizen_id_of(citizen), err);
}
