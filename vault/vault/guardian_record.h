/*
 * guardian_record - who is whose guardian: its records as JSON, both ways, what is remembered of
 * them, and their entries in the log; for the modules of this floor alone.
 *
 * A guardianship stands in two files. The minor's has who the guardian is and what they are called,
 * and alone counts. The guardian's has where to look, and the minor's birth date: with that it is
 * known whether a guardian may still withdraw something when the minor's own file is damaged.
 */
#pragma once

#include "person.h"
#include "vault/base/clock.h"
#include "vault/vault/guardian.h"

#define GUARDIAN_BASIS    "guardian "                           /* of an entry; the id follows */
#define GUARDIANSHIPS_MAX (GUARDIANS_MAX + GUARDIAN_MINORS_MAX) /* in one file, that stand */

enum guardian_event {
    GUARDIAN_ADD,
    GUARDIAN_USE, /* the guardian looked; in the minor's file, once a day */
    GUARDIAN_REMOVE,
    GUARDIAN_EVENT_COUNT
};

struct guardianship {
    char id[GUARDIAN_ID_CHARS + 1]; /* the same in both files */
    enum guardian_event event;      /* what the newest record is */
    bool is_minor;                  /* this file's citizen is the minor, else the guardian */
    struct citizen_id other;        /* the one on the other side */
    int64_t since_s;
    int64_t at_s;                       /* of the record */
    char name[GUARDIAN_NAME_BYTES + 1]; /* of the guardian; in the minor's file */
    struct date born;                   /* of the minor; in the guardian's file */
};

/* The one that stands of that side and other citizen, or of that id. NULL: none. */
const struct guardianship *guardianship_with(const struct person *person, bool is_minor,
                                             const struct citizen_id *other);
const struct guardianship *guardianship_of(const struct person *person, bool is_minor,
                                           const char *id);

/* Whether it is over by the minor's birth date; only the guardian's file knows. */
bool guardianship_is_over(const struct guardianship *one, int64_t now_s);

/* Store the record of an event and put its entry into the queue. */
enum vault_code guardianship_store(struct vault *vault, struct citizen *citizen,
                                   struct person *person, const struct guardianship *next,
                                   struct ledger_ticket *ticket, struct vault_error *err)
    VAULT_MUST_CHECK;

/* A record for who has the file: without the other's internal id, and without the birth date of a
 * minor. VAULT_CORRUPT if it is not one of ours. */
enum vault_code guardianship_export(struct buf *out, struct bytes json, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The record of an event, to be stored by somebody else. */
void guardianship_write(struct buf *out, const struct guardianship *one);

/* For person_kind.c. */
enum vault_code guardianship_apply(struct person *person, const struct citizen_record *record,
                                   struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code guardianship_enter(struct vault *vault, const struct citizen *citizen,
                                   struct event_chain *chain, struct bytes json,
                                   struct ledger_ticket *ticket, struct vault_error *err)
    VAULT_MUST_CHECK;
