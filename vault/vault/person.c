#include "person.h"

#include <stdlib.h>
#include <string.h>

#include "cascade.h"
#include "deposit_record.h"
#include "heads.h"
#include "parts.h"
#include "person_kind.h"
#include "stop.h"
#include "vault/store/citizen_value.h"
#include "vault/store/openings.h"

#define RECORDS_AT_A_TIME 1000
#define PLACES_MAX        (CONSENTS_MAX + 1) /* kept at once; more are found in the index */
#define ENTRIES_AT_A_TIME 512                /* that may wait in the log's queue for one citizen */

struct consent *person_consent(struct person *person, struct bytes service, struct bytes purpose)
{
    for (size_t i = 0; i < person->consent_count; i++) {
        struct consent *consent = &person->consents[i];
        if (bytes_equal(bytes_of_text(consent->service), service) &&
            bytes_equal(bytes_of_text(consent->purpose), purpose))
            return consent;
    }
    return NULL;
}

struct objection *person_objection(struct person *person, struct bytes service,
                                   struct bytes purpose)
{
    for (size_t i = 0; i < person->objection_count; i++) {
        struct objection *objection = &person->objections[i];
        if (bytes_equal(bytes_of_text(objection->service), service) &&
            bytes_equal(bytes_of_text(objection->purpose), purpose))
            return objection;
    }
    return NULL;
}

/* --- Reading it ----------------------------------------------------------------------------- */

struct loading {
    struct person *person;
    int64_t last_seq;
    size_t count;
};

static enum vault_code load_record(void *context, const struct citizen_record *record,
                                   struct vault_error *err)
{
    struct loading *loading = context;
    loading->last_seq = record->seq;
    loading->count++;
    return person_apply(loading->person, record, err);
}

static enum vault_code load_records(struct citizen *citizen, struct person *person,
                                    struct vault_error *err)
{
    struct loading loading = {.person = person};
    do {
        loading.count = 0;
        VAULT_TRY(citizen_record_list(citizen, NULL, loading.last_seq, RECORDS_AT_A_TIME,
                                      load_record, &loading, err));
    } while (loading.count == RECORDS_AT_A_TIME);
    return VAULT_OK;
}

/* The end of the chain: among the heads that are not yet in the index, else from the index. */
static enum vault_code load_chain(struct vault *vault, const struct citizen *citizen,
                                  struct event_chain *out, struct vault_error *err)
{
    if (heads_get(vault->heads, citizen_id_of(citizen), out))
        return VAULT_OK;
    return openings_head(vault->store, citizen_id_of(citizen), &out->n, out->leaf.bytes, err);
}

/* --- Entering records into the log ---------------------------------------------------------- */

/* A place to be kept once the list of records is let go. */
struct kept {
    int64_t seq;
    struct place place;
};

struct entering {
    struct vault *vault;
    const struct citizen *citizen;
    struct event_chain *chain;
    struct ledger_ticket last;
    size_t count;
    struct kept *kept; /* PLACES_MAX of them, or NULL: out of memory, and none is kept */
    size_t kept_count;
};

static void entering_finish(struct entering *entering)
{
    for (size_t i = 0; i < entering->kept_count; i++)
        place_finish(&entering->kept[i].place);
    free(entering->kept);
}

static struct ledger_ticket ticket_of(const struct place *place)
{
    return (struct ledger_ticket){place->index, place->leaf, place->time_ms};
}

/* The queue is everybody's: one citizen's many records wait for themselves now and then. */
static enum vault_code enter_record(void *context, const struct citizen_record *record,
                                    struct vault_error *err)
{
    struct entering *entering = context;
    struct place place = {0};
    const enum vault_code code =
        person_enter(entering->vault, entering->citizen, entering->chain, record, &place, err);
    if (code == VAULT_OK)
        entering->last = ticket_of(&place);
    if (code == VAULT_OK && place.opening.size && entering->kept &&
        entering->kept_count < PLACES_MAX)
        entering->kept[entering->kept_count++] = (struct kept){record->seq, place};
    else
        place_finish(&place);
    if (code)
        return code;
    return ++entering->count % ENTRIES_AT_A_TIME
               ? VAULT_OK
               : ledger_wait(entering->vault->ledger, &entering->last, err);
}

static enum vault_code keep_all(struct citizen *citizen, const struct entering *entering,
                                struct vault_error *err)
{
    VAULT_AUTO(citizen_rollback) struct citizen_change change = {0};
    VAULT_TRY(citizen_begin(citizen, &change, err));
    for (size_t i = 0; i < entering->kept_count; i++)
        VAULT_TRY(place_keep(citizen, entering->kept[i].seq, &entering->kept[i].place, err));
    return citizen_commit(&change, err);
}

static void keep_places(struct citizen *citizen, const struct entering *entering)
{
    struct vault_error ignored;
    if (entering->kept_count && keep_all(citizen, entering, &ignored)) /* as in keep_place() */
        return;
}

/* Records that a crash kept from the log are entered now, and on disk before anyone relies on
 * them. */
static enum vault_code enter_what_is_missing(struct vault *vault, struct citizen *citizen,
                                             struct person *person, struct vault_error *err)
{
    uint64_t log_n = 0;
    VAULT_TRY(citizen_log_n_max(citizen, &log_n, err));
    if (log_n <= person->chain.n)
        return VAULT_OK;
    VAULT_AUTO(entering_finish)
    struct entering entering = {.vault = vault,
                                .citizen = citizen,
                                .chain = &person->chain,
                                .kept = calloc(PLACES_MAX, sizeof *entering.kept)};
    VAULT_TRY(citizen_record_unlogged(citizen, person->chain.n, enter_record, &entering, err));
    keep_places(citizen, &entering);
    return entering.count ? ledger_wait(vault->ledger, &entering.last, err) : VAULT_OK;
}

static enum vault_code load(struct vault *vault, struct citizen *citizen, struct person *person,
                            struct vault_error *err)
{
    VAULT_TRY(load_records(citizen, person, err));
    VAULT_TRY(load_chain(vault, citizen, &person->chain, err));
    return enter_what_is_missing(vault, citizen, person, err);
}

enum vault_code person_reload(struct vault *vault, struct citizen *citizen, struct person **person,
                              struct vault_error *err)
{
    citizen_cache_set(citizen, NULL, NULL);
    struct person *known = calloc(1, sizeof *known);
    if (!known)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    const enum vault_code code = load(vault, citizen, known, err);
    if (code) {
        person_free(known);
        return code;
    }
    citizen_cache_set(citizen, known, person_free);
    *person = known;
    return VAULT_OK;
}

/* Read, and what was stopped while the file could not be written is withdrawn. Where it still
 * cannot, the stop stands. */
static enum vault_code read_and_settle(struct vault *vault, struct citizen *citizen,
                                       struct person **person, struct vault_error *err)
{
    struct vault_error ignored;
    VAULT_TRY(person_reload(vault, citizen, person, err));
    return stop_settle(vault, citizen, *person, &ignored)
               ? person_reload(vault, citizen, person, err)
               : VAULT_OK;
}

/* What was given to a service that is gone ends. Where the file cannot be written it stays as it
 * was: nothing is released to a service that is not there, and pages say that it is not. */
static enum vault_code follow_services(struct vault *vault, struct citizen *citizen,
                                       struct person **person, struct vault_error *err)
{
    struct vault_error ignored;
    return cascade_is_due(vault, *person) && cascade_settle(vault, citizen, *person, &ignored)
               ? person_reload(vault, citizen, person, err)
               : VAULT_OK;
}

enum vault_code person_hold(struct vault *vault, const struct citizen_id *id,
                            struct citizen **citizen, struct person **person,
                            struct vault_error *err)
{
    VAULT_AUTO(citizen_release) struct citizen *held = NULL;
    VAULT_TRY(citizen_acquire(vault->store, id, &held, err));
    struct person *known = citizen_cache(held);
    if (!known)
        VAULT_TRY(read_and_settle(vault, held, &known, err));
    VAULT_TRY(follow_services(vault, held, &known, err));
    *person = known;
    *citizen = VAULT_TAKE(held);
    return VAULT_OK;
}

enum vault_code person_hold_open(struct vault *vault, const struct citizen_id *id,
                                 struct citizen **citizen, struct person **person,
                                 struct vault_error *err)
{
    VAULT_AUTO(citizen_release) struct citizen *held = NULL;
    VAULT_TRY(citizen_acquire_open(vault->store, id, &held, err));
    struct person *known = citizen_cache(held);
    if (!known || cascade_is_due(vault, known))
        return vault_fail(err, VAULT_UNAVAILABLE, "what is known of a citizen has to be read");
    *person = known;
    *citizen = VAULT_TAKE(held);
    return VAULT_OK;
}

enum vault_code person_hold_existing(struct vault *vault, const struct citizen_id *id,
                                     struct citizen **citizen, struct person **person,
                                     struct vault_error *err)
{
    VAULT_AUTO(citizen_release) struct citizen *held = NULL;
    VAULT_TRY(person_hold(vault, id, &held, person, err));
    if (!citizen_exists(held))
        return vault_fail(err, VAULT_NOT_FOUND, "there is no such citizen");
    *citizen = VAULT_TAKE(held);
    return VAULT_OK;
}

/* While the log's disk is waited for. That it cannot be kept is no reason to fail what was decided
 * (place.h); a file that broke is opened again by the next who holds the citizen. */
static void keep_place(struct citizen *citizen, int64_t seq, const struct place *place)
{
    struct vault_error ignored;
    if (place->opening.size && place_keep(citizen, seq, place, &ignored))
        return;
}

/* The record stands: apply it, and put its entry into the queue. If that fails, what is remembered
 * is read again, and the entry made, at the next hold. */
static enum vault_code enter_stored(struct vault *vault, struct citizen *citizen,
                                    struct person *person, const struct citizen_record *record,
                                    struct place *place, struct vault_error *err)
{
    enum vault_code code = person_apply(person, record, err);
    if (code == VAULT_OK)
        code = person_enter(vault, citizen, &person->chain, record, place, err);
    if (code)
        citizen_cache_set(citizen, NULL, NULL);
    return code;
}

enum vault_code person_record(struct vault *vault, struct citizen *citizen, struct person *person,
                              const struct person_event *event, int64_t *seq,
                              struct ledger_ticket *ticket, struct vault_error *err)
{
    struct citizen_record record = {
        .kind = event->kind, .key = event->key, .json = event->json, .log_n = person->chain.n + 1};
    VAULT_AUTO(place_finish) struct place place = {0};
    const enum vault_code code = citizen_record_add(citizen, &record, &record.seq, err);
    if (code) {
        citizen_cache_set(citizen, NULL, NULL); /* it may stand all the same (store.h) */
        return code;
    }
    VAULT_TRY(enter_stored(vault, citizen, person, &record, &place, err));
    *ticket = ticket_of(&place);
    if (seq)
        *seq = record.seq;
    keep_place(citizen, record.seq, &place);
    return VAULT_OK;
}

static enum vault_code store_deposit(struct citizen *citizen, struct citizen_record *record,
                                     const struct citizen_value values[], size_t count,
                                     struct vault_error *err)
{
    VAULT_AUTO(citizen_rollback) struct citizen_change change = {0};
    VAULT_TRY(citizen_begin(citizen, &change, err));
    for (size_t i = 0; i < count; i++)
        VAULT_TRY(citizen_value_put(citizen, &values[i], err));
    VAULT_TRY(citizen_record_add(citizen, record, &record->seq, err));
    return citizen_commit(&change, err);
}

enum vault_code person_record_deposit(struct vault *vault, struct citizen *citizen,
                                      struct person *person, const struct person_event *event,
                                      const struct citizen_value values[], size_t count,
                                      struct ledger_ticket *ticket, struct vault_error *err)
{
    struct citizen_record record = {
        .kind = event->kind, .key = event->key, .json = event->json, .log_n = person->chain.n + 1};
    uint64_t records = 0;
    VAULT_TRY(citizen_record_count(citizen, &records, err));
    if (records >= CITIZEN_RECORDS_SOFT_MAX) /* there must be room left to withdraw */
        return vault_fail(err, VAULT_LIMITED, "too many records for one citizen");
    const enum vault_code code = store_deposit(citizen, &record, values, count, err);
    if (code) {
        citizen_cache_set(citizen, NULL, NULL); /* it may stand all the same (store.h) */
        return code;
    }
    VAULT_AUTO(place_finish) struct place place = {0};
    VAULT_TRY(enter_stored(vault, citizen, person, &record, &place, err));
    *ticket = ticket_of(&place);
    return VAULT_OK;
}

enum vault_code person_use(struct citizen *citizen, struct consent *consent,
                           struct vault_error *err)
{
    const struct citizen_record record = {
        .kind = PERSON_USE_KIND, .key = consent->id, .json = bytes_of_text("{}")};
    uint64_t records = 0;
    VAULT_TRY(citizen_record_count(citizen, &records, err));
    if (records >= CITIZEN_RECORDS_SOFT_MAX) /* there must be room left to withdraw */
        return vault_fail(err, VAULT_LIMITED, "too many records for one citizen");
    const enum vault_code code = citizen_record_add(citizen, &record, NULL, err);
    if (code == VAULT_OK)
        consent->used++;
    else
        citizen_cache_set(citizen, NULL, NULL); /* it may stand all the same: read it again */
    return code;
}
