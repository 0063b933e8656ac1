/*
 * What happened since the backup, out of the log, in three passes: what openings tell is done again
 * as it was; what was given or narrowed since suspends what it took the place of; and what nobody
 * can read suspends every consent that it may have been about.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "parts.h"
#include "person.h"
#include "restore_parts.h"
#include "vault/store/control_citizen.h"
#include "vault/store/control_service.h"
#include "vault/store/openings.h"
#include "vault/vault/service.h"

#define PAIRS_MAX       4096
#define SERVICES_MAX    1024
#define PUBLISH_WAIT_MS 60000
#define LIST_AT_A_TIME  500

/* A service and a purpose of which something is not known. */
struct pair {
    char service[CONSENT_NAME_CHARS + 1];
    char purpose[CONSENT_NAME_CHARS + 1];
    bool wanted;       /* every such consent is to be suspended */
    bool limited_only; /* of them, only those with a number of uses */
    uint64_t suspended;
};

struct replay {
    struct restore *restore;
    struct vault *vault;
    struct restore_report *report;
    restore_tells *tells;
    void *context;
    uint64_t size;   /* of the log: what is entered from now on is not looked at */
    bool everything; /* every consent is to be suspended */
    bool mandates;   /* every mandate and guardianship is to be ended */
    bool halves;     /* every half is to be ended (half.h) */
    struct pair *pairs;
    size_t pair_count;
    char (*services)[CONTROL_SERVICE_ID_CHARS + 1]; /* to be suspended */
    size_t service_count;
};

static void event_finish(struct event_read *event)
{
    buf_finish(&event->text);
    buf_finish(&event->sealed);
}

static enum vault_code take_row(void *context, const struct openings_row *row,
                                struct vault_error *err)
{
    struct event_read *event = context;
    (void)err;
    event->citizen = row->citizen;
    event->n = row->n;
    event->readable = true;
    buf_bytes(&event->sealed, row->sealed);
    return VAULT_OK;
}

/* VAULT_NOT_FOUND if it was pruned. */
static enum vault_code read_event(const struct replay *replay, uint64_t index,
                                  struct event_read *out, struct vault_error *err)
{
    *out = (struct event_read){.index = index,
                               .text = buf_limited(ENTRY_MAX_BYTES),
                               .sealed = buf_limited(OPENINGS_SEALED_MAX_BYTES)};
    VAULT_TRY(ledger_entry(replay->vault->ledger, index, &out->text, err));
    VAULT_TRY(entry_parse(buf_view(&out->text), &out->entry, err));
    const enum vault_code code = openings_get(replay->vault->store, index, take_row, out, err);
    return code == VAULT_NOT_FOUND ? VAULT_OK : code;
}

/* --- What is to be suspended ---------------------------------------------------------------- */

/* The one of these names, made if there is room; NULL if not. */
static struct pair *pair_of(struct replay *replay, const char *service, const char *purpose)
{
    for (size_t i = 0; i < replay->pair_count; i++) {
        struct pair *pair = &replay->pairs[i];
        if (strcmp(pair->service, service) == 0 && strcmp(pair->purpose, purpose) == 0)
            return pair;
    }
    if (replay->pair_count == PAIRS_MAX)
        return NULL;
    struct pair *pair = &replay->pairs[replay->pair_count++];
    *pair = (struct pair){.limited_only = true};
    snprintf(pair->service, sizeof pair->service, "%s", service);
    snprintf(pair->purpose, sizeof pair->purpose, "%s", purpose);
    return pair;
}

/* Without a place for one more, everything. */
static void note_pair(struct replay *replay, const struct entry *entry, bool limited_only)
{
    char service[CONSENT_NAME_CHARS + 1];
    char purpose[CONSENT_NAME_CHARS + 1];
    restore_name(service, entry->service);
    restore_name(purpose, entry->purpose);
    struct pair *pair = *service && *purpose ? pair_of(replay, service, purpose) : NULL;
    if (!pair) {
        replay->everything = true;
        return;
    }
    pair->wanted = true;
    pair->limited_only = pair->limited_only && limited_only;
}

static void note_service(struct replay *replay, struct bytes service)
{
    for (size_t i = 0; i < replay->service_count; i++) {
        if (bytes_equal(bytes_of_text(replay->services[i]), service))
            return;
    }
    if (replay->service_count < SERVICES_MAX)
        restore_name(replay->services[replay->service_count++], service);
}

/* What an entry may have been about that nobody can open. */
static void note_unreadable(struct replay *replay, const struct entry *entry)
{
    switch (entry->event) {
    case ENTRY_WITHDRAW:
    case ENTRY_REFUSE:
    case ENTRY_SUSPEND: /* of everything: no service, no purpose */
    case ENTRY_CONSENT:
        note_pair(replay, entry, false);
        replay->halves = true;
        break;
    case ENTRY_REQUEST:
        replay->halves = true;
        break;
    case ENTRY_RELEASE:
        note_pair(replay, entry, true);
        break;
    case ENTRY_MANDATE:
        replay->mandates = true;
        break;
    case ENTRY_OBJECT: /* no consent stops what needs none */
        note_service(replay, entry->service);
        break;
    default:
        break;
    }
    replay->report->unreadable += entry_event_has_subject(entry->event);
}

/* --- What took the place of something ---------------------------------------------------- */

static enum vault_code suspend_one(struct replay *replay, const struct citizen_id *citizen,
                                   const char *service, const char *purpose,
                                   struct vault_error *err)
{
    struct pair *pair = pair_of(replay, service, purpose);
    replay->report->suspended++;
    if (pair)
        pair->suspended++;
    return restore_suspend(replay->vault, citizen, service, purpose, err);
}

/* Given or narrowed since, on terms that an opening does not have: neither in force as it
 * was, nor resumed unawares. */
static enum vault_code suspend_replaced(struct replay *replay, const struct event_read *event,
                                        struct vault_error *err)
{
    bool recorded = false;
    bool open = false;
    char service[CONSENT_NAME_CHARS + 1];
    char purpose[CONSENT_NAME_CHARS + 1];
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    const enum vault_code code =
        person_hold_existing(replay->vault, &event->citizen, &citizen, &person, err);
    if (code)
        return code == VAULT_NOT_FOUND ? VAULT_OK : code;
    VAULT_TRY(restore_is_recorded(citizen, event->n, &recorded, err));
    const struct consent *current =
        person_consent(person, event->entry.service, event->entry.purpose);
    open = current && restore_leaves_open(replay->vault, current);
    citizen_release(&citizen);
    if (recorded)
        return VAULT_OK;
    restore_name(service, event->entry.service);
    restore_name(purpose, event->entry.purpose);
    VAULT_TRY(restore_end_half(replay->vault, &event->citizen, service, purpose, err));
    return open ? suspend_one(replay, &event->citizen, service, purpose, err) : VAULT_OK;
}

/* --- One citizen's consents ------------------------------------------------------------------- */

struct suspicion {
    struct replay *replay;
    struct pair found[LIST_AT_A_TIME]; /* of one citizen */
    size_t count;
};

static bool is_wanted(const struct replay *replay, const struct consent *consent)
{
    for (size_t i = 0; i < replay->pair_count; i++) {
        const struct pair *pair = &replay->pairs[i];
        if (pair->wanted && strcmp(pair->service, consent->service) == 0 &&
            strcmp(pair->purpose, consent->purpose) == 0)
            return replay->everything || !pair->limited_only || consent->uses != CONSENT_UNLIMITED;
    }
    return replay->everything;
}

static enum vault_code suspect(void *context, const struct consent *consent,
                               struct vault_error *err)
{
    struct suspicion *suspicion = context;
    (void)err;
    if (!restore_leaves_open(suspicion->replay->vault, consent) ||
        suspicion->count == LIST_AT_A_TIME || !is_wanted(suspicion->replay, consent))
        return VAULT_OK;
    struct pair *found = &suspicion->found[suspicion->count++];
    memcpy(found->service, consent->service, sizeof found->service);
    memcpy(found->purpose, consent->purpose, sizeof found->purpose);
    return VAULT_OK;
}

static enum vault_code suspend_citizens(struct replay *replay, const struct citizen_id *citizen,
                                        struct suspicion *suspicion, struct vault_error *err)
{
    do {
        suspicion->count = 0;
        VAULT_TRY(consent_list(replay->vault, citizen, suspect, suspicion, err));
        for (size_t i = 0; i < suspicion->count; i++) {
            const struct pair *found = &suspicion->found[i];
            VAULT_TRY(suspend_one(replay, citizen, found->service, found->purpose, err));
        }
    } while (suspicion->count == LIST_AT_A_TIME);
    return VAULT_OK;
}

/* --- Passes over the log -------------------------------------------------------------------- */

/* How far openings may be lost, and what else there is to say. */
static enum vault_code look(struct replay *replay, const struct event_read *event,
                            struct vault_error *err)
{
    const struct entry *entry = &event->entry;
    (void)err;
    if (entry->event == ENTRY_PRUNE && entry->count && replay->restore->blind_below < event->index)
        replay->restore->blind_below = event->index;
    if (entry->event == ENTRY_POLICY)
        replay->report->policies++;
    if (entry->event == ENTRY_ADMIN && entry->service.size)
        note_service(replay, entry->service);
    return VAULT_OK;
}

/* What others may do for a citizen, and what waits for one of them. */
static enum vault_code end_all_others(struct vault *vault, const struct citizen_id *citizen,
                                      struct vault_error *err)
{
    VAULT_TRY(restore_end_mandates(vault, citizen, err));
    VAULT_TRY(restore_end_guardians(vault, citizen, err));
    return restore_end_halves(vault, citizen, err);
}

/* Sealed under a key that the citizen got since the backup, which is not in it: whose it is, is
 * known, and nothing else. */
static enum vault_code suspend_all_of(struct replay *replay, const struct event_read *event,
                                      struct vault_error *err)
{
    struct replay all = *replay;
    struct suspicion *suspicion = calloc(1, sizeof *suspicion);
    if (!suspicion)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    all.everything = true;
    suspicion->replay = &all;
    enum vault_code code = suspend_citizens(replay, &event->citizen, suspicion, err);
    free(suspicion);
    if (code == VAULT_OK)
        code = end_all_others(replay->vault, &event->citizen, err);
    if (event->entry.event == ENTRY_OBJECT)
        note_service(replay, event->entry.service);
    replay->report->unreadable++;
    return code == VAULT_NOT_FOUND ? VAULT_OK : code;
}

static enum vault_code first(struct replay *replay, const struct event_read *event,
                             struct vault_error *err)
{
    if (event->readable) {
        const enum vault_code code =
            restore_again(replay->vault, event, &replay->report->replayed, err);
        return code == VAULT_CORRUPT ? suspend_all_of(replay, event, err) : code;
    }
    /* Where none is lost, an entry without an opening is of somebody who was erased, or nobody. */
    if (event->index < replay->restore->blind_below)
        note_unreadable(replay, &event->entry);
    return VAULT_OK;
}

/* Records of today come after those that were made again with their own numbers. */
static enum vault_code second(struct replay *replay, const struct event_read *event,
                              struct vault_error *err)
{
    bool is_mandate = false;
    if (event->readable && event->entry.event == ENTRY_MANDATE)
        VAULT_TRY(restore_is_of_mandate(replay->vault, event, &is_mandate, err));
    if (is_mandate)
        return restore_end_mandates(replay->vault, &event->citizen, err);
    return event->readable && event->entry.event == ENTRY_CONSENT
               ? suspend_replaced(replay, event, err)
               : VAULT_OK;
}

typedef enum vault_code pass(struct replay *replay, const struct event_read *event,
                             struct vault_error *err);

static enum vault_code go_over(struct replay *replay, pass *each, struct vault_error *err)
{
    for (uint64_t i = replay->restore->facts.from; i < replay->size; i++) {
        VAULT_AUTO(event_finish) struct event_read event = {0};
        const enum vault_code code = read_event(replay, i, &event, err);
        if (code == VAULT_NOT_FOUND && i < replay->restore->pruned_below) {
            replay->everything = true;
            i = replay->restore->pruned_below - 1;
            continue;
        }
        VAULT_TRY(code);
        VAULT_TRY(each(replay, &event, err));
    }
    return VAULT_OK;
}

/* --- Everybody's consents ------------------------------------------------------------------- */

struct ids {
    struct citizen_id ids[LIST_AT_A_TIME];
    size_t count;
};

static enum vault_code take_id(void *context, const struct control_citizen *citizen,
                               struct vault_error *err)
{
    struct ids *ids = context;
    (void)err;
    ids->ids[ids->count++] = citizen->id;
    return VAULT_OK;
}

static enum vault_code suspend_all(struct replay *replay, const struct citizen_id *citizen,
                                   struct suspicion *suspicion, struct vault_error *err)
{
    VAULT_TRY(suspend_citizens(replay, citizen, suspicion, err));
    if (replay->everything || replay->mandates)
        return end_all_others(replay->vault, citizen, err);
    return replay->halves ? restore_end_halves(replay->vault, citizen, err) : VAULT_OK;
}

static enum vault_code suspend_everybodys(struct replay *replay, struct vault_error *err)
{
    struct citizen_id last;
    const struct citizen_id *after = NULL;
    struct ids ids;
    struct suspicion *suspicion = calloc(1, sizeof *suspicion);
    enum vault_code code = VAULT_OK;
    if (!suspicion)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    suspicion->replay = replay;
    do {
        ids.count = 0;
        code =
            control_citizen_list(replay->vault->store, after, LIST_AT_A_TIME, take_id, &ids, err);
        for (size_t i = 0; code == VAULT_OK && i < ids.count; i++)
            code = suspend_all(replay, &ids.ids[i], suspicion, err);
        if (ids.count)
            last = ids.ids[ids.count - 1];
        after = &last;
    } while (code == VAULT_OK && ids.count);
    free(suspicion);
    return code;
}

static enum vault_code suspend_services(struct replay *replay, struct vault_error *err)
{
    for (size_t i = 0; i < replay->service_count; i++) {
        const enum vault_code code =
            service_set_state(replay->vault, replay->services[i], CONTROL_SERVICE_SUSPENDED, err);
        if (code == VAULT_NOT_FOUND || code == VAULT_CONFLICT) /* registered since, or removed */
            continue;
        VAULT_TRY(code);
        replay->report->services_suspended++;
        if (replay->tells)
            replay->tells(replay->context, replay->services[i], "", 0);
    }
    return VAULT_OK;
}

/* --- All of it ------------------------------------------------------------------------------ */

static enum vault_code run(struct replay *replay, struct vault_error *err)
{
    struct vault *vault = replay->vault;
    const struct restore *restore = replay->restore;
    replay->size = ledger_head(vault->ledger).size;
    replay->everything = !restore->surviving || restore->unknown_erasures > 0;
    VAULT_TRY(ledger_wait_published(vault->ledger, replay->size, PUBLISH_WAIT_MS, err));
    VAULT_TRY(go_over(replay, look, err));
    VAULT_TRY(go_over(replay, first, err));
    VAULT_TRY(go_over(replay, second, err));
    if (replay->everything || replay->mandates || replay->halves || replay->pair_count)
        VAULT_TRY(suspend_everybodys(replay, err));
    for (size_t i = 0; replay->tells && i < replay->pair_count; i++)
        replay->tells(replay->context, replay->pairs[i].service, replay->pairs[i].purpose,
                      replay->pairs[i].suspended);
    VAULT_TRY(suspend_services(replay, err));
    const struct entry entry = {.event = ENTRY_RECOVER, .count = replay->report->unreadable};
    VAULT_TRY(ledger_append(vault->ledger, &entry, (struct bytes){0}, NULL, err));
    replay->report->log_size = ledger_head(vault->ledger).size;
    return VAULT_OK;
}

enum vault_code restore_replay(struct restore *restore, struct vault *vault, restore_tells *tells,
                               void *context, struct restore_report *out, struct vault_error *err)
{
    struct restore_report report = {.erased = restore->erased,
                                    .unknown_erasures = restore->unknown_erasures,
                                    .log_lost = !restore->surviving};
    struct replay replay = {.restore = restore,
                            .vault = vault,
                            .report = &report,
                            .tells = tells,
                            .context = context,
                            .pairs = calloc(PAIRS_MAX, sizeof *replay.pairs),
                            .services = calloc(SERVICES_MAX, sizeof *replay.services)};
    const enum vault_code code = replay.pairs && replay.services
                                     ? run(&replay, err)
                                     : vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    free(replay.pairs);
    free(replay.services);
    if (code == VAULT_OK)
        *out = report;
    return code;
}
