#include "person_kind.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "consent_json.h"
#include "correction_record.h"
#include "deposit_record.h"
#include "guardian_record.h"
#include "half.h"
#include "mandate_record.h"
#include "parts.h"
#include "report_record.h"
#include "stance_json.h"
#include "vault/ledger/opening.h"

#define BASIS_BYTES_MAX 128
#define WHAT_BYTES_MAX  8192
#define ROOM_FIRST      8

void person_free(void *data)
{
    struct person *person = data;
    for (size_t i = 0; i < person->consent_count; i++)
        consent_finish(&person->consents[i]);
    free(person->consents);
    free(person->objections);
    free(person->mandates);
    free(person->guardianships);
    for (size_t i = 0; i < person->half_count; i++)
        half_finish(&person->halves[i]);
    free(person->halves);
    free(person);
}

/* Room for one more in a list of at most max; what was in it moves along. */
static enum vault_code make_room(void **list, size_t size_each, size_t count, size_t *room,
                                 size_t max, struct vault_error *err)
{
    if (count < *room)
        return VAULT_OK;
    const size_t more = *room ? *room * 2 : ROOM_FIRST;
    if (more > max)
        return vault_fail(err, VAULT_LIMITED, "too many decisions of one citizen");
    void *longer = calloc(more, size_each);
    if (!longer)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    if (*list)
        memcpy(longer, *list, count * size_each);
    free(*list);
    *list = longer;
    *room = more;
    return VAULT_OK;
}

static void put_place(const struct ledger_ticket *ticket, struct place *place)
{
    place->index = ticket->index;
    place->leaf = ticket->leaf;
    place->time_ms = ticket->time_ms;
}

static enum vault_code enter(struct vault *vault, const struct citizen *citizen,
                             const struct event *event, struct event_chain *chain,
                             struct place *place, struct vault_error *err)
{
    struct ledger_ticket ticket;
    VAULT_TRY(event_of_citizen(vault, citizen, event, chain, &ticket, err));
    put_place(&ticket, place);
    return VAULT_OK;
}

/* --- A consent ------------------------------------------------------------------------------ */

static enum vault_code place_consent(struct person *person, struct consent *consent,
                                     struct vault_error *err)
{
    struct consent *place =
        person_consent(person, bytes_of_text(consent->service), bytes_of_text(consent->purpose));
    if (!place) {
        void *list = person->consents;
        VAULT_TRY(make_room(&list, sizeof *consent, person->consent_count, &person->consent_room,
                            CONSENTS_MAX, err));
        person->consents = list;
        place = &person->consents[person->consent_count++];
        *place = (struct consent){0};
    }
    consent->used = strcmp(place->id, consent->id) == 0 ? place->used : 0;
    consent_finish(place);
    *place = *consent;
    return VAULT_OK;
}

static enum vault_code apply_consent(struct person *person, const struct citizen_record *record,
                                     struct vault_error *err)
{
    struct consent consent = {0};
    VAULT_TRY(consent_json_read(record->json, &consent, err));
    consent.seq = record->seq;
    mandate_used(person, consent.mandate, consent.at_s);
    half_end(person, &consent);
    const enum vault_code code = place_consent(person, &consent, err);
    if (code)
        consent_finish(&consent);
    return code;
}

static void write_what(struct buf *out, const struct consent *consent)
{
    for (size_t i = 0; i < consent->field_count; i++)
        buf_format(out, "%s%s %s", i ? "\n" : "", consent->fields[i].name,
                   consent->fields[i].form[0] ? consent->fields[i].form : "any");
}

static enum vault_code enter_consent(struct vault *vault, const struct citizen *citizen,
                                     struct event_chain *chain, const struct citizen_record *record,
                                     struct place *place, struct vault_error *err)
{
    VAULT_AUTO(consent_finish) struct consent consent = {0};
    VAULT_AUTO(buf_finish) struct buf basis = buf_limited(BASIS_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf what = buf_limited(WHAT_BYTES_MAX);
    VAULT_TRY(consent_json_read(record->json, &consent, err));
    buf_format(&basis, "consent %s %lld", consent.id, (long long)consent.version);
    write_what(&what, &consent);
    VAULT_TRY(buf_check(&basis, err));
    VAULT_TRY(buf_check(&what, err));
    struct event event = {
        .kind = consent_event_entry(consent.event),
        .service = consent.service,
        .purpose = consent.purpose,
        .has_policy = consent.has_policy,
        .policy_version = consent.policy_version,
        .actor = bytes_of_text(consent.by),
        .basis = buf_view(&basis),
        .what = buf_view(&what),
        .opening = &place->opening,
    };
    place->opening = buf_limited(OPENING_MAX_BYTES);
    memcpy(event.policy_hash, consent.policy_manifest, sizeof event.policy_hash);
    return enter(vault, citizen, &event, chain, place, err);
}

/* --- A use of one --------------------------------------------------------------------------- */

static enum vault_code apply_use(struct person *person, const struct citizen_record *record,
                                 struct vault_error *err)
{
    (void)err;
    for (size_t i = 0; i < person->consent_count; i++) {
        if (strcmp(person->consents[i].id, record->key) == 0)
            person->consents[i].used++;
    }
    return VAULT_OK;
}

/* --- Pausing all ---------------------------------------------------------------------------- */

static enum vault_code apply_pause(struct person *person, const struct citizen_record *record,
                                   struct vault_error *err)
{
    struct pause_record pause;
    VAULT_TRY(pause_json_read(record->json, &pause, err));
    person->paused = pause.paused;
    person->restricted = pause.restricted;
    return VAULT_OK;
}

static enum vault_code enter_pause(struct vault *vault, const struct citizen *citizen,
                                   struct event_chain *chain, const struct citizen_record *record,
                                   struct place *place, struct vault_error *err)
{
    struct pause_record pause;
    VAULT_TRY(pause_json_read(record->json, &pause, err));
    const struct event event = {.kind = pause.paused ? ENTRY_SUSPEND : ENTRY_RESUME,
                                .basis = bytes_of_text(pause.restricted ? "restriction" : "pause"),
                                .what = bytes_of_text("everything")};
    return enter(vault, citizen, &event, chain, place, err);
}

/* --- An objection --------------------------------------------------------------------------- */

static enum vault_code apply_objection(struct person *person, const struct citizen_record *record,
                                       struct vault_error *err)
{
    struct objection objection;
    VAULT_TRY(objection_json_read(record->json, &objection, err));
    struct objection *place = person_objection(person, bytes_of_text(objection.service),
                                               bytes_of_text(objection.purpose));
    if (!place) {
        void *list = person->objections;
        VAULT_TRY(make_room(&list, sizeof objection, person->objection_count,
                            &person->objection_room, OBJECTIONS_MAX, err));
        person->objections = list;
        place = &person->objections[person->objection_count++];
    }
    *place = objection;
    return VAULT_OK;
}

static enum vault_code enter_objection(struct vault *vault, const struct citizen *citizen,
                                       struct event_chain *chain,
                                       const struct citizen_record *record, struct place *place,
                                       struct vault_error *err)
{
    struct objection objection;
    VAULT_TRY(objection_json_read(record->json, &objection, err));
    const struct event event = {.kind = objection.stands ? ENTRY_OBJECT : ENTRY_RESUME,
                                .service = objection.service,
                                .purpose = objection.purpose,
                                .basis = bytes_of_text("objection"),
                                .what = bytes_of_text("what needs no consent")};
    return enter(vault, citizen, &event, chain, place, err);
}

/* --- What decides nothing -------------------------------------------------------------------- */

/* A place in the log, which only receipts need; a deposit or a correction, whose values are where
 * values are. */
static enum vault_code apply_nothing(struct person *person, const struct citizen_record *record,
                                     struct vault_error *err)
{
    (void)person;
    (void)record;
    (void)err;
    return VAULT_OK;
}

static enum vault_code enter_deposit(struct vault *vault, const struct citizen *citizen,
                                     struct event_chain *chain, const struct citizen_record *record,
                                     struct place *place, struct vault_error *err)
{
    struct ledger_ticket ticket;
    VAULT_TRY(deposit_record_enter(vault, citizen, chain, record->json, &ticket, err));
    put_place(&ticket, place);
    return VAULT_OK;
}

static enum vault_code enter_correction(struct vault *vault, const struct citizen *citizen,
                                        struct event_chain *chain,
                                        const struct citizen_record *record, struct place *place,
                                        struct vault_error *err)
{
    struct ledger_ticket ticket;
    VAULT_TRY(correction_record_enter(vault, citizen, chain, record->json, &ticket, err));
    put_place(&ticket, place);
    return VAULT_OK;
}

static enum vault_code enter_report(struct vault *vault, const struct citizen *citizen,
                                    struct event_chain *chain, const struct citizen_record *record,
                                    struct place *place, struct vault_error *err)
{
    struct ledger_ticket ticket;
    VAULT_TRY(report_record_enter(vault, citizen, chain, record->json, &ticket, err));
    put_place(&ticket, place);
    return VAULT_OK;
}

static enum vault_code enter_mandate(struct vault *vault, const struct citizen *citizen,
                                     struct event_chain *chain, const struct citizen_record *record,
                                     struct place *place, struct vault_error *err)
{
    struct ledger_ticket ticket;
    VAULT_TRY(mandate_record_enter(vault, citizen, chain, record->json, &ticket, err));
    put_place(&ticket, place);
    return VAULT_OK;
}

static enum vault_code enter_guardianship(struct vault *vault, const struct citizen *citizen,
                                          struct event_chain *chain,
                                          const struct citizen_record *record, struct place *place,
                                          struct vault_error *err)
{
    struct ledger_ticket ticket;
    VAULT_TRY(guardianship_enter(vault, citizen, chain, record->json, &ticket, err));
    put_place(&ticket, place);
    return VAULT_OK;
}

static enum vault_code enter_half(struct vault *vault, const struct citizen *citizen,
                                  struct event_chain *chain, const struct citizen_record *record,
                                  struct place *place, struct vault_error *err)
{
    struct ledger_ticket ticket;
    VAULT_TRY(half_enter(vault, citizen, chain, record->json, &ticket, err));
    put_place(&ticket, place);
    return VAULT_OK;
}

/* --- All kinds ------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    enum vault_code (*apply)(struct person *person, const struct citizen_record *record,
                             struct vault_error *err);
    enum vault_code (*enter)(struct vault *vault, const struct citizen *citizen,
                             struct event_chain *chain, const struct citizen_record *record,
                             struct place *place, struct vault_error *err);
} kinds[] = {
    {PERSON_CONSENT_KIND, apply_consent, enter_consent},
    {PERSON_USE_KIND, apply_use, NULL}, /* the release it was for has the entry */
    {PERSON_PLACE_KIND, apply_nothing, NULL},
    {PERSON_PAUSE_KIND, apply_pause, enter_pause},
    {PERSON_OBJECTION_KIND, apply_objection, enter_objection},
    {PERSON_MANDATE_KIND, mandate_apply, enter_mandate},
    {DEPOSIT_RECORD_KIND, apply_nothing, enter_deposit},
    {PERSON_GUARDIAN_KIND, guardianship_apply, enter_guardianship},
    {PERSON_HALF_KIND, half_apply, enter_half},
    {CORRECTION_RECORD_KIND, apply_nothing, enter_correction},
    {REPORT_RECORD_KIND, apply_nothing, enter_report},
};

#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

static size_t kind_of(const struct citizen_record *record)
{
    size_t i = 0;
    while (i < KIND_COUNT && strcmp(kinds[i].name, record->kind) != 0)
        i++;
    return i;
}

/* A kind that this program does not know could be what forbids something: nothing is decided for a
 * citizen whose records it cannot read. */
static enum vault_code unknown(struct vault_error *err)
{
    return vault_fail(err, VAULT_CORRUPT,
                      "a citizen's file has a kind of record that this program does not know");
}

enum vault_code person_apply(struct person *person, const struct citizen_record *record,
                             struct vault_error *err)
{
    const size_t kind = kind_of(record);
    return kind == KIND_COUNT ? unknown(err) : kinds[kind].apply(person, record, err);
}

enum vault_code person_enter(struct vault *vault, const struct citizen *citizen,
                             struct event_chain *chain, const struct citizen_record *record,
                             struct place *place, struct vault_error *err)
{
    const size_t kind = kind_of(record);
    if (kind == KIND_COUNT || !kinds[kind].enter)
        return unknown(err);
    return kinds[kind].enter(vault, citizen, chain, record, place, err);
}
