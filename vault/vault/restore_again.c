/* One event since the backup, done again in its citizen's file as the opening tells it. */
#include <stdio.h>
#include <string.h>

#include "cascade.h"
#include "consent_json.h"
#include "event.h"
#include "guardian_record.h"
#include "half.h"
#include "parts.h"
#include "person.h"
#include "restore_parts.h"
#include "stance_json.h"
#include "vault/ledger/opening.h"
#include "vault/store/citizen_key.h"

#define RECORD_MAX (48U * 1024)

void restore_name(char out[CONSENT_NAME_CHARS + 1], struct bytes name)
{
    snprintf(out, CONSENT_NAME_CHARS + 1, "%.*s", (int)name.size, (const char *)name.data);
}

/* A citizen held, and what an opening told. */
struct again {
    struct vault *vault;
    uint64_t *replayed;
    const struct event_read *event;
    struct citizen *citizen;
    struct person *person;
    struct bytes basis;
    struct bytes actor;
    struct bytes what;
    struct consent *current; /* of the event's service and purpose; NULL: none */
};

static enum vault_code stop_at_first(void *context, const struct citizen_record *record,
                                     struct vault_error *err)
{
    uint64_t *log_n = context;
    (void)err;
    if (!*log_n)
        *log_n = record->log_n;
    return VAULT_OK;
}

enum vault_code restore_is_recorded(struct citizen *citizen, uint64_t n, bool *is,
                                    struct vault_error *err)
{
    uint64_t first = 0;
    VAULT_TRY(citizen_record_unlogged(citizen, n - 1, stop_at_first, &first, err));
    *is = first == n;
    return VAULT_OK;
}

/* The record as it was, for an entry that the log has already. */
static enum vault_code add_record(const struct again *again, const char *kind, const char *key,
                                  struct bytes json, struct vault_error *err)
{
    struct citizen_record record = {
        .kind = kind, .key = key, .json = json, .log_n = again->event->n};
    VAULT_TRY(citizen_record_add(again->citizen, &record, &record.seq, err));
    ++*again->replayed;
    return person_apply(again->person, &record, err);
}

/* What half agreed to it is over, whatever else the event did. */
static enum vault_code end_halves(const struct again *again, struct vault_error *err)
{
    char service[CONSENT_NAME_CHARS + 1];
    char purpose[CONSENT_NAME_CHARS + 1];
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(1024);
    restore_name(service, again->event->entry.service);
    restore_name(purpose, again->event->entry.purpose);
    if (!half_waits(again->person, service, purpose))
        return VAULT_OK;
    half_write_end(&json, service, purpose, again->event->entry.time_ms / 1000);
    VAULT_TRY(buf_check(&json, err));
    return add_record(again, PERSON_HALF_KIND, "", buf_view(&json), err);
}

static enum vault_code put_consent(const struct again *again, enum consent_event event,
                                   enum consent_state state, enum consent_cause cause,
                                   struct vault_error *err)
{
    if (!again->current)
        return end_halves(again, err);
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(RECORD_MAX);
    struct consent next = consent_following(again->vault, again->current, event, state);
    next.at_s = again->event->entry.time_ms / 1000;
    if (next.at_s < again->current->at_s)
        next.at_s = again->current->at_s;
    next.cause = cause;
    if (event == CONSENT_END)
        cascade_stamp(&next);
    consent_json_write(&json, &next, NULL);
    VAULT_TRY(buf_check(&json, err));
    return add_record(again, PERSON_CONSENT_KIND, next.id, buf_view(&json), err);
}

static bool is_basis(const struct again *again, const char *text)
{
    return bytes_equal(again->basis, bytes_of_text(text));
}

/* "consent ID VERSION" of the one there is. */
static bool is_current(const struct again *again)
{
    char begins[CONSENT_ID_CHARS + 16];
    if (!again->current)
        return false;
    const int length = snprintf(begins, sizeof begins, "consent %s ", again->current->id);
    return length > 0 && again->basis.size > (size_t)length &&
           memcmp(again->basis.data, begins, (size_t)length) == 0;
}

/* The version that follows it: nothing was given or narrowed in between. */
static bool is_next(const struct again *again)
{
    char basis[CONSENT_ID_CHARS + 32];
    if (!again->current)
        return false;
    snprintf(basis, sizeof basis, "consent %s %lld", again->current->id,
             (long long)again->current->version + 1);
    return is_basis(again, basis);
}

static enum vault_code put_pause(const struct again *again, bool paused, bool restricted,
                                 struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(1024);
    const struct pause_record record = {paused, again->event->entry.time_ms / 1000, restricted};
    pause_json_write(&json, &record);
    VAULT_TRY(buf_check(&json, err));
    return add_record(again, PERSON_PAUSE_KIND, "", buf_view(&json), err);
}

static enum vault_code put_objection(const struct again *again, bool stands,
                                     struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(1024);
    struct objection objection = {.stands = stands, .at_s = again->event->entry.time_ms / 1000};
    restore_name(objection.service, again->event->entry.service);
    restore_name(objection.purpose, again->event->entry.purpose);
    objection_json_write(&json, &objection);
    VAULT_TRY(buf_check(&json, err));
    return add_record(again, PERSON_OBJECTION_KIND, "", buf_view(&json), err);
}

/* What ended is not suspended: it was what came after it that was. What a pause suspended is
 * resumed with all. Anything else may be wider in the backup than what the citizen saw last, and
 * only they can say whether they still agree; so may what was suspended before, which a restore
 * alone does again. */
static enum vault_code suspend_consent(const struct again *again, struct vault_error *err)
{
    const struct consent *current = again->current;
    if (!current || (current->state != CONSENT_GIVEN && current->state != CONSENT_SUSPENDED))
        return VAULT_OK;
    const bool by_pause =
        current->state == CONSENT_GIVEN && again->person->paused && is_next(again);
    return put_consent(again, CONSENT_SUSPEND, CONSENT_SUSPENDED,
                       by_pause ? CONSENT_BY_PAUSE : CONSENT_BY_RESTORE, err);
}

static enum vault_code suspend_again(const struct again *again, struct vault_error *err)
{
    if (is_basis(again, "pause"))
        return put_pause(again, true, again->person->restricted, err);
    if (is_basis(again, "restriction"))
        return put_pause(again, true, true, err);
    return suspend_consent(again, err);
}

/* Only what is surely the same is in force again. */
static enum vault_code resume_again(const struct again *again, struct vault_error *err)
{
    if (is_basis(again, "pause"))
        return put_pause(again, false, false, err);
    if (is_basis(again, "objection"))
        return put_objection(again, false, err);
    return is_current(again) && again->current->state == CONSENT_SUSPENDED
               ? put_consent(again, CONSENT_RESUME, CONSENT_GIVEN, CONSENT_BY_CITIZEN, err)
               : VAULT_OK;
}

/* How often a consent was used is how many releases name it. */
static enum vault_code use_again(const struct again *again, struct vault_error *err)
{
    if (!is_current(again) || again->current->uses == CONSENT_UNLIMITED)
        return VAULT_OK;
    ++*again->replayed;
    return person_use(again->citizen, again->current, err);
}

/* One of two agreed since, or took that back: what waited before does not any more. */
static enum vault_code request_again(const struct again *again, struct vault_error *err)
{
    return is_basis(again, "half") || is_basis(again, "half taken back") ? end_halves(again, err)
                                                                         : VAULT_OK;
}

static bool begins(struct bytes text, const char *with)
{
    const size_t size = strlen(with);
    return text.size >= size && memcmp(text.data, with, size) == 0;
}

/* Who was removed is no guardian; who was added since, the operator adds again. The id stands in
 * the basis. */
static enum vault_code guardian_again(const struct again *again, struct vault_error *err)
{
    char id[GUARDIAN_ID_CHARS + 1] = "";
    const size_t size = strlen(GUARDIAN_BASIS);
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(4096);
    if (!begins(again->basis, GUARDIAN_BASIS) || !begins(again->what, "guardian remove"))
        return VAULT_OK;
    snprintf(id, sizeof id, "%.*s", (int)(again->basis.size - size),
             (const char *)again->basis.data + size);
    const struct guardianship *one = guardianship_of(again->person, true, id);
    if (!one)
        return VAULT_OK;
    struct guardianship next = *one;
    next.event = GUARDIAN_REMOVE;
    next.at_s = again->event->entry.time_ms / 1000;
    guardianship_write(&json, &next);
    VAULT_TRY(buf_check(&json, err));
    return add_record(again, PERSON_GUARDIAN_KIND, next.id, buf_view(&json), err);
}

static enum vault_code do_again(const struct again *again, struct vault_error *err)
{
    const bool by_operator = bytes_equal(again->actor, bytes_of_text(CASCADE_BY));
    switch (again->event->entry.event) {
    case ENTRY_WITHDRAW:
        return put_consent(again, by_operator ? CONSENT_END : CONSENT_WITHDRAW, CONSENT_WITHDRAWN,
                           CONSENT_BY_CITIZEN, err);
    case ENTRY_REFUSE:
        return put_consent(again, CONSENT_REFUSE, CONSENT_REFUSED, CONSENT_BY_CITIZEN, err);
    case ENTRY_SUSPEND:
        return suspend_again(again, err);
    case ENTRY_RESUME:
        return resume_again(again, err);
    case ENTRY_OBJECT:
        return put_objection(again, true, err);
    case ENTRY_RELEASE:
        return use_again(again, err);
    case ENTRY_REQUEST:
        return request_again(again, err);
    case ENTRY_MANDATE:
        return guardian_again(again, err);
    default:
        return VAULT_OK;
    }
}

static enum vault_code open_opening(struct citizen *citizen, const struct event_read *event,
                                    struct buf *storage, struct opening *out,
                                    struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf clear = buf_limited(OPENING_MAX_BYTES);
    VAULT_TRY(event_opening_read(citizen, event->n, buf_view(&event->sealed), &clear, err));
    VAULT_TRY(opening_parse(buf_view(&clear), storage, out, err));
    return opening_check(out, &event->entry, err);
}

enum vault_code restore_again(struct vault *vault, const struct event_read *event,
                              uint64_t *replayed, struct vault_error *err)
{
    bool recorded = false;
    struct opening opening = {0};
    struct again again = {.vault = vault, .replayed = replayed, .event = event};
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_AUTO(buf_finish) struct buf storage = buf_limited(OPENING_MAX_BYTES);
    const enum vault_code code =
        person_hold_existing(vault, &event->citizen, &citizen, &again.person, err);
    if (code)
        return code == VAULT_NOT_FOUND ? VAULT_OK : code;
    VAULT_TRY(restore_is_recorded(citizen, event->n, &recorded, err));
    if (recorded)
        return VAULT_OK;
    VAULT_TRY(open_opening(citizen, event, &storage, &opening, err));
    again.citizen = citizen;
    again.basis = opening.fields[ENTRY_BASIS].value;
    again.actor = opening.fields[ENTRY_ACTOR].value;
    again.what = opening.fields[ENTRY_WHAT].value;
    again.current = person_consent(again.person, event->entry.service, event->entry.purpose);
    return do_again(&again, err);
}

enum vault_code restore_is_of_mandate(struct vault *vault, const struct event_read *event, bool *is,
                                      struct vault_error *err)
{
    struct opening opening = {0};
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_AUTO(buf_finish) struct buf storage = buf_limited(OPENING_MAX_BYTES);
    *is = true;
    enum vault_code code = person_hold_existing(vault, &event->citizen, &citizen, &person, err);
    if (code == VAULT_OK)
        code = open_opening(citizen, event, &storage, &opening, err);
    if (code == VAULT_OK)
        *is = !begins(opening.fields[ENTRY_BASIS].value, GUARDIAN_BASIS);
    return code == VAULT_NOT_FOUND || code == VAULT_CORRUPT ? VAULT_OK : code;
}
