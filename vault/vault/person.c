#include "person.h"

#include <stdlib.h>
#include <string.h>

#include "heads.h"
#include "parts.h"
#include "person_kind.h"
#include "vault/store/openings.h"

#define RECORDS_AT_A_TIME 1000
#define ENTRIES_AT_A_TIME 512 /* that may wait in the log's queue for one citizen */

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

struct entering {
    struct vault *vault;
    const struct citizen *citizen;
    struct event_chain *chain;
    struct ledger_ticket last;
    size_t count;
};

/* The queue is everybody's: one citizen's many records wait for themselves now and then. */
static enum vault_code enter_record(void *context, const struct citizen_record *record,
                                    struct vault_error *err)
{
    struct entering *entering = context;
    VAULT_TRY(person_enter(entering->vault, entering->citizen, entering->chain, record,
                           &entering->last, err));
    return ++entering->count % ENTRIES_AT_A_TIME
               ? VAULT_OK
               : ledger_wait(entering->vault->ledger, &entering->last, err);
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
    struct entering entering = {.vault = vault, .citizen = citizen, .chain = &person->chain};
    VAULT_TRY(citizen_record_unlogged(citizen, person->chain.n, enter_record, &entering, err));
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

enum vault_code person_hold(struct vault *vault, const struct citizen_id *id,
                            struct citizen **citizen, struct person **person,
                            struct vault_error *err)
{
    VAULT_AUTO(citizen_release) struct citizen *held = NULL;
    VAULT_TRY(citizen_acquire(vault->store, id, &held, err));
    struct person *known = citizen_cache(held);
    if (!known)
        VAULT_TRY(person_reload(vault, held, &known, err));
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

enum vault_code person_record(struct vault *vault, struct citizen *citizen, struct person *person,
                              const struct person_event *event, int64_t *seq,
                              struct ledger_ticket *ticket, struct vault_error *err)
{
    struct citizen_record record = {
        .kind = event->kind, .key = event->key, .json = event->json, .log_n = person->chain.n + 1};
    VAULT_TRY(citizen_record_add(citizen, &record, &record.seq, err));
    enum vault_code code = person_apply(person, &record, err);
    if (code == VAULT_OK)
        code = person_enter(vault, citizen, &person->chain, &record, ticket, err);
    if (code) {
        /* The record stands; what is remembered is read again, and the entry made, at the next
         * hold. */
        citizen_cache_set(citizen, NULL, NULL);
        return code;
    }
    if (seq)
        *seq = record.seq;
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
    VAULT_TRY(citizen_record_add(citizen, &record, NULL, err));
    consent->used++;
    return VAULT_OK;
}
