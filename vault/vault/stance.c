#include "vault/vault/stance.h"

#include <stdio.h>

#include "consent_json.h"
#include "parts.h"
#include "person.h"
#include "stance_json.h"
#include "stop.h"

#define STANCE_BYTES_MAX  512
#define CONSENT_BYTES_MAX (48U * 1024)

/* --- Pause ---------------------------------------------------------------------------------- */

/* Pausing or resuming everything, in one transaction of the citizen's file. */
struct sweep {
    struct vault *vault;
    struct citizen *citizen;
    const struct person *person;
    enum consent_event event; /* CONSENT_SUSPEND or CONSENT_RESUME */
    bool restricts;           /* with what needs no consent */
    uint64_t log_n;           /* of the last record added */
    size_t count;
};

static enum vault_code sweep_one(struct sweep *sweep, const struct consent *current,
                                 struct vault_error *err)
{
    enum consent_state state;
    const int64_t now_s = consent_next_time_s(sweep->vault, current);
    const bool mine = sweep->event == CONSENT_SUSPEND || current->cause == CONSENT_BY_PAUSE;
    if (!mine || !consent_state_after(consent_state_now(current, now_s), sweep->event, &state))
        return VAULT_OK;
    struct consent next = consent_following(sweep->vault, current, sweep->event, state);
    if (sweep->event == CONSENT_SUSPEND)
        next.cause = CONSENT_BY_PAUSE;
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(CONSENT_BYTES_MAX);
    consent_json_write(&json, &next, NULL);
    VAULT_TRY(buf_check(&json, err));
    const struct citizen_record record = {.kind = PERSON_CONSENT_KIND,
                                          .key = next.id,
                                          .json = buf_view(&json),
                                          .log_n = ++sweep->log_n};
    sweep->count++;
    return citizen_record_add(sweep->citizen, &record, NULL, err);
}

static enum vault_code add_pause(struct sweep *sweep, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(STANCE_BYTES_MAX);
    const struct pause_record pause = {sweep->event == CONSENT_SUSPEND,
                                       clock_now_s(&sweep->vault->options.clock), sweep->restricts};
    pause_json_write(&json, &pause);
    VAULT_TRY(buf_check(&json, err));
    const struct citizen_record record = {
        .kind = PERSON_PAUSE_KIND, .key = "", .json = buf_view(&json), .log_n = ++sweep->log_n};
    return citizen_record_add(sweep->citizen, &record, NULL, err);
}

static enum vault_code store_sweep(struct sweep *sweep, struct vault_error *err)
{
    VAULT_AUTO(citizen_rollback) struct citizen_change change = {0};
    VAULT_TRY(citizen_begin(sweep->citizen, &change, err));
    VAULT_TRY(add_pause(sweep, err));
    for (size_t i = 0; i < sweep->person->consent_count; i++)
        VAULT_TRY(sweep_one(sweep, &sweep->person->consents[i], err));
    return citizen_commit(&change, err);
}

/* Whoever restricted everything has paused it, too: pausing then changes nothing. */
static bool changes(const struct person *person, enum consent_event event, bool restricts)
{
    if (restricts)
        return !person->restricted;
    return person->paused != (event == CONSENT_SUSPEND);
}

/* The records are one transaction; their entries follow as after a crash, and are durable when the
 * citizen is let go. */
static enum vault_code sweep_all(struct vault *vault, const struct citizen_id *id,
                                 enum consent_event event, bool restricts, size_t *count,
                                 struct vault_error *err)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    struct sweep sweep = {vault, citizen, person, event, restricts, person->chain.n, 0};
    if (changes(person, event, restricts)) {
        const enum vault_code code = store_sweep(&sweep, err);
        if (code) {
            citizen_cache_set(citizen, NULL, NULL); /* it may stand all the same (store.h) */
            return code;
        }
        VAULT_TRY(person_reload(vault, citizen, &person, err));
    }
    if (count)
        *count = sweep.count;
    return VAULT_OK;
}

enum vault_code stance_pause(struct vault *vault, const struct citizen_id *citizen, size_t *count,
                             struct vault_error *err)
{
    const enum vault_code code = sweep_all(vault, citizen, CONSENT_SUSPEND, false, count, err);
    if (!stop_is_for(code))
        return code;
    if (count)
        *count = 0;
    return stop_add(vault, citizen, NULL, NULL, err);
}

enum vault_code stance_resume(struct vault *vault, const struct citizen_id *citizen, size_t *count,
                              struct vault_error *err)
{
    return sweep_all(vault, citizen, CONSENT_RESUME, false, count, err);
}

enum vault_code stance_restrict(struct vault *vault, const struct citizen_id *citizen,
                                size_t *count, struct vault_error *err)
{
    return sweep_all(vault, citizen, CONSENT_SUSPEND, true, count, err);
}

/* --- Objection ------------------------------------------------------------------------------ */

static enum vault_code record_objection(struct vault *vault, const struct citizen_id *id,
                                        struct objection *wanted, bool *changed,
                                        struct ledger_ticket *ticket, struct vault_error *err)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(STANCE_BYTES_MAX);
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    const struct objection *current =
        person_objection(person, bytes_of_text(wanted->service), bytes_of_text(wanted->purpose));
    *changed = wanted->stands != (current && current->stands);
    if (!*changed)
        return VAULT_OK;
    if (!current && person->objection_count >= OBJECTIONS_MAX)
        return vault_fail(err, VAULT_LIMITED, "too many objections of one citizen");
    wanted->at_s = clock_now_s(&vault->options.clock);
    objection_json_write(&json, wanted);
    VAULT_TRY(buf_check(&json, err));
    const struct person_event event = {PERSON_OBJECTION_KIND, "", buf_view(&json)};
    return person_record(vault, citizen, person, &event, NULL, ticket, err);
}

static enum vault_code set_objection(struct vault *vault, const struct citizen_id *citizen,
                                     const char *service, const char *purpose, bool stands,
                                     struct vault_error *err)
{
    bool changed = false;
    struct ledger_ticket ticket = {0};
    struct objection objection = {.stands = stands};
    if (!entry_id_is_valid(bytes_of_text(service)) || !entry_id_is_valid(bytes_of_text(purpose)))
        return vault_fail(err, VAULT_INVALID, "an objection is to one service and one purpose");
    snprintf(objection.service, sizeof objection.service, "%s", service);
    snprintf(objection.purpose, sizeof objection.purpose, "%s", purpose);
    VAULT_TRY(record_objection(vault, citizen, &objection, &changed, &ticket, err));
    return changed ? ledger_wait(vault->ledger, &ticket, err) : VAULT_OK;
}

enum vault_code stance_object(struct vault *vault, const struct citizen_id *citizen,
                              const char *service, const char *purpose, struct vault_error *err)
{
    return set_objection(vault, citizen, service, purpose, true, err);
}

enum vault_code stance_lift(struct vault *vault, const struct citizen_id *citizen,
                            const char *service, const char *purpose, struct vault_error *err)
{
    return set_objection(vault, citizen, service, purpose, false, err);
}

enum vault_code stance_read(struct vault *vault, const struct citizen_id *id, bool *paused,
                            bool *restricted, stance_each *each, void *context,
                            struct vault_error *err)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    *paused = person->paused;
    *restricted = person->restricted;
    for (size_t i = 0; i < person->objection_count; i++)
        VAULT_TRY(each(context, &person->objections[i], err));
    return VAULT_OK;
}
