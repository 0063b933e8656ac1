/*
 * person - what the domain remembers of a citizen while their file is open: the newest record of
 * each consent, what they object to, whether they paused everything, and the end of their chain in
 * the log. For the modules of this floor alone.
 *
 * It is read from the file when the citizen is first held and kept in citizen_cache(). Holding a
 * citizen through person_hold() also finishes what a crash left: a record whose entry did not reach
 * the log is entered then, before anything else is decided.
 */
#pragma once

#include "event.h"
#include "vault/store/citizen.h"
#include "vault/store/citizen_record.h"
#include "vault/vault/consent.h"
#include "vault/vault/mandate.h"
#include "vault/vault/stance.h"

#define PERSON_CONSENT_KIND   "consent"
#define PERSON_USE_KIND       "use"
#define PERSON_PAUSE_KIND     "pause"
#define PERSON_OBJECTION_KIND "objection"
#define PERSON_PLACE_KIND     "place"    /* place.h */
#define PERSON_MANDATE_KIND   "mandate"  /* mandate_record.h */
#define PERSON_GUARDIAN_KIND  "guardian" /* guardian_record.h */
#define PERSON_HALF_KIND      "half"     /* half.h */

struct guardianship;
struct half;

struct person {
    struct event_chain chain;
    struct consent *consents;
    size_t consent_count;
    size_t consent_room;
    bool paused;
    bool restricted;              /* paused, and what needs no consent with it */
    struct objection *objections; /* the newest of each (service, purpose) */
    size_t objection_count;
    size_t objection_room;
    uint64_t services_seen;   /* service_generation() as of which services ended (cascade.h) */
    struct mandate *mandates; /* MANDATES_MAX of them, or NULL: there was never one */
    size_t mandate_count;
    struct guardianship *guardianships; /* that stand; GUARDIANSHIPS_MAX, or NULL: never any */
    size_t guardianship_count;
    struct half *halves; /* that nothing ended but the clock; HALVES_MAX, or NULL: never any */
    size_t half_count;
    struct {
        size_t count;    /* of what is worth a look (alert_count()) */
        uint64_t n;      /* with so many entries */
        int64_t until_s; /* 0: not known */
    } alerts;
};

/* Hold the citizen, existing or not. *person is borrowed until citizen_release(). */
enum vault_code person_hold(struct vault *vault, const struct citizen_id *id,
                            struct citizen **citizen, struct person **person,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* The same for who must not wait: VAULT_UNAVAILABLE, and nobody held, if anything would have to be
 * waited for, read or entered first. */
enum vault_code person_hold_open(struct vault *vault, const struct citizen_id *id,
                                 struct citizen **citizen, struct person **person,
                                 struct vault_error *err) VAULT_MUST_CHECK;

/* The same, but VAULT_NOT_FOUND if the citizen does not exist. */
enum vault_code person_hold_existing(struct vault *vault, const struct citizen_id *id,
                                     struct citizen **citizen, struct person **person,
                                     struct vault_error *err) VAULT_MUST_CHECK;

/* Read a held citizen again, entering what has no entry yet; the former person is gone. */
enum vault_code person_reload(struct vault *vault, struct citizen *citizen, struct person **person,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* The newest consent of a (service, purpose), NULL if there is none. Changed only through records.
 */
struct consent *person_consent(struct person *person, struct bytes service, struct bytes purpose);

/* Likewise the newest objection, which may have been lifted. */
struct objection *person_objection(struct person *person, struct bytes service,
                                   struct bytes purpose);

/* What the record means for what is remembered. */
enum vault_code person_apply(struct person *person, const struct citizen_record *record,
                             struct vault_error *err) VAULT_MUST_CHECK;

/* Store a record that is an event, apply it and put its entry into the log's queue: one change, in
 * this order, so that a crash leaves it done or undone. seq may be NULL. After a failure the
 * person is gone, and read again at the next hold. */
struct person_event {
    const char *kind;
    const char *key;
    struct bytes json;
};
enum vault_code person_record(struct vault *vault, struct citizen *citizen, struct person *person,
                              const struct person_event *event, int64_t *seq,
                              struct ledger_ticket *ticket, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The same for values that a service brings: they, and the record that says so (deposit_record.h),
 * in one transaction, then the entry into the queue. */
enum vault_code person_record_deposit(struct vault *vault, struct citizen *citizen,
                                      struct person *person, const struct person_event *event,
                                      const struct citizen_value values[], size_t count,
                                      struct ledger_ticket *ticket, struct vault_error *err)
    VAULT_MUST_CHECK;

/* A use of a consent that has a number of them; not an event of its own. After a failure the person
 * is gone, with the consent, and read again at the next hold. */
enum vault_code person_use(struct citizen *citizen, struct consent *consent,
                           struct vault_error *err) VAULT_MUST_CHECK;

/* What a decision came to: wait for the ticket after letting the citizen go. */
struct consent_outcome {
    bool waits; /* it is a half (half.h), and no consent yet */
    char id[CONSENT_ID_CHARS + 1];
    int64_t seq;
    struct ledger_ticket ticket;
};

/* consent.c: give or refuse for a citizen who is held. The codes are consent_give()'s. */
enum vault_code consent_decide(struct vault *vault, struct citizen *citizen, struct person *person,
                               const struct consent_decision *decision, enum consent_event event,
                               struct consent_outcome *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* consent.c: store and enter a consent's next record; decision and seq may be NULL. */
enum vault_code consent_store(struct vault *vault, struct citizen *citizen, struct person *person,
                              struct consent *next, const struct consent_decision *decision,
                              int64_t *seq, struct ledger_ticket *ticket, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Its time: not before the last record of this (service, purpose), should the clock have gone
 * back. current may be NULL. */
int64_t consent_next_time_s(const struct vault *vault, const struct consent *current);

/* The record that follows the current one by that event; its fields are borrowed from it. */
struct consent consent_following(const struct vault *vault, const struct consent *current,
                                 enum consent_event event, enum consent_state state);
