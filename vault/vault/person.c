#include "person.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "consent_json.h"
#include "heads.h"
#include "parts.h"
#include "vault/store/openings.h"

#define RECORDS_AT_A_TIME 1000
#define BASIS_BYTES_MAX   128
#define WHAT_BYTES_MAX    8192

/* The event that a consent's record is, by its state. */
static const enum entry_event events[CONSENT_STATE_COUNT] = {
    [CONSENT_GIVEN] = ENTRY_CONSENT,
    [CONSENT_REFUSED] = ENTRY_REFUSE,
    [CONSENT_WITHDRAWN] = ENTRY_WITHDRAW,
};

static void person_free(void *data)
{
    struct person *person = data;
    for (size_t i = 0; i < person->consent_count; i++)
        consent_finish(&person->consents[i]);
    free(person->consents);
    free(person);
}

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

static enum vault_code make_room(struct person *person, struct vault_error *err)
{
    if (person->consent_count < person->consent_room)
        return VAULT_OK;
    const size_t room = person->consent_room ? person->consent_room * 2 : 8;
    struct consent *consents = room > CONSENTS_MAX ? NULL : calloc(room, sizeof *consents);
    if (!consents)
        return vault_fail(err, VAULT_LIMITED, "too many consents for one citizen");
    if (person->consents)
        memcpy(consents, person->consents, person->consent_count * sizeof *consents);
    free(person->consents);
    person->consents = consents;
    person->consent_room = room;
    return VAULT_OK;
}

static enum vault_code apply_consent(struct person *person, const struct citizen_record *record,
                                     struct vault_error *err)
{
    struct consent consent = {0};
    VAULT_TRY(consent_json_read(record->json, &consent, err));
    consent.seq = record->seq;
    struct consent *place =
        person_consent(person, bytes_of_text(consent.service), bytes_of_text(consent.purpose));
    if (!place) {
        const enum vault_code code = make_room(person, err);
        if (code) {
            consent_finish(&consent);
            return code;
        }
        assert(person->consents);
        place = &person->consents[person->consent_count++];
        *place = (struct consent){0};
    }
    consent.used = strcmp(place->id, consent.id) == 0 ? place->used : 0;
    consent_finish(place);
    *place = consent;
    return VAULT_OK;
}

static void apply_use(struct person *person, const struct citizen_record *record)
{
    for (size_t i = 0; i < person->consent_count; i++) {
        if (strcmp(person->consents[i].id, record->key) == 0)
            person->consents[i].used++;
    }
}

enum vault_code person_apply(struct person *person, const struct citizen_record *record,
                             struct vault_error *err)
{
    if (strcmp(record->kind, PERSON_CONSENT_KIND) == 0)
        return apply_consent(person, record, err);
    if (strcmp(record->kind, PERSON_USE_KIND) == 0)
        apply_use(person, record);
    return VAULT_OK;
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

/* --- Entering a record into the log --------------------------------------------------------- */

static void write_what(struct buf *out, const struct consent *consent)
{
    for (size_t i = 0; i < consent->field_count; i++)
        buf_format(out, "%s%s %s", i ? "\n" : "", consent->fields[i].name,
                   consent->fields[i].form[0] ? consent->fields[i].form : "any");
}

static enum vault_code enter_consent(struct vault *vault, const struct citizen *citizen,
                                     struct event_chain *chain, const struct consent *consent,
                                     struct ledger_ticket *ticket, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf basis = buf_limited(BASIS_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf what = buf_limited(WHAT_BYTES_MAX);
    buf_format(&basis, "consent %s %lld", consent->id, (long long)consent->version);
    write_what(&what, consent);
    VAULT_TRY(buf_check(&basis, err));
    VAULT_TRY(buf_check(&what, err));
    struct event event = {
        .kind = events[consent->state],
        .service = consent->service,
        .purpose = consent->purpose,
        .has_policy = consent->has_policy,
        .policy_version = consent->policy_version,
        .basis = buf_view(&basis),
        .what = buf_view(&what),
    };
    memcpy(event.policy_hash, consent->policy_manifest, sizeof event.policy_hash);
    return event_of_citizen(vault, citizen, &event, chain, ticket, err);
}

struct entering {
    struct vault *vault;
    const struct citizen *citizen;
    struct event_chain *chain;
    struct ledger_ticket last;
    bool any;
};

static enum vault_code enter_record(void *context, const struct citizen_record *record,
                                    struct vault_error *err)
{
    struct entering *entering = context;
    struct consent consent = {0};
    VAULT_TRY(consent_json_read(record->json, &consent, err));
    const enum vault_code code = enter_consent(entering->vault, entering->citizen, entering->chain,
                                               &consent, &entering->last, err);
    consent_finish(&consent);
    entering->any = true;
    return code;
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
    return entering.any ? ledger_wait(vault->ledger, &entering.last, err) : VAULT_OK;
}

static enum vault_code load(struct vault *vault, struct citizen *citizen, struct person *person,
                            struct vault_error *err)
{
    VAULT_TRY(load_records(citizen, person, err));
    VAULT_TRY(load_chain(vault, citizen, &person->chain, err));
    return enter_what_is_missing(vault, citizen, person, err);
}

enum vault_code person_hold(struct vault *vault, const struct citizen_id *id,
                            struct citizen **citizen, struct person **person,
                            struct vault_error *err)
{
    VAULT_AUTO(citizen_release) struct citizen *held = NULL;
    VAULT_TRY(citizen_acquire(vault->store, id, &held, err));
    struct person *known = citizen_cache(held);
    if (!known) {
        known = calloc(1, sizeof *known);
        if (!known)
            return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
        const enum vault_code code = load(vault, held, known, err);
        if (code) {
            person_free(known);
            return code;
        }
        citizen_cache_set(held, known, person_free);
    }
    *person = known;
    *citizen = VAULT_TAKE(held);
    return VAULT_OK;
}

enum vault_code person_record_consent(struct vault *vault, struct citizen *citizen,
                                      struct person *person, const char *key, struct bytes json,
                                      int64_t *seq, struct ledger_ticket *ticket,
                                      struct vault_error *err)
{
    struct citizen_record record = {
        .kind = PERSON_CONSENT_KIND, .key = key, .json = json, .log_n = person->chain.n + 1};
    struct entering entering = {.vault = vault, .citizen = citizen, .chain = &person->chain};
    enum vault_code code = citizen_record_add(citizen, &record, &record.seq, err);
    if (code == VAULT_OK)
        code = person_apply(person, &record, err);
    if (code == VAULT_OK)
        code = enter_record(&entering, &record, err);
    if (code) {
        /* The record stands, or may (store.h): what is remembered is read again, and the entry
         * made, at the next hold. */
        citizen_cache_set(citizen, NULL, NULL);
        return code;
    }
    if (seq)
        *seq = record.seq;
    *ticket = entering.last;
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
