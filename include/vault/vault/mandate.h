/*
 * mandate - a citizen lets a structure act for them by its mediators.
 *
 * A mandate names purposes, lasts 1, 31, 182 or 365 days, and says whether values may be seen. The
 * citizen gives it in their own session, or hands a mediator one of the codes that they printed:
 * a code counts once. Either side ends it at once, and MANDATE_IDLE_DAYS without a use end it too.
 * Nothing extends or widens one; while a structure has one in force it gets no second.
 *
 * Under a mandate a mediator sees which services ask for what, and gives, refuses, withdraws,
 * suspends and resumes consents for its purposes: actor.h says how, and every such change is in the
 * citizen's log with who made it. A mediator never consents to special categories of data, and sees
 * values only where the mandate says so, each time as an entry of the citizen's log that is on disk
 * before the values are handed over; and never those of a minor under 15, nor of somebody who has a
 * guardian and no birth date that can be read.
 *
 * The records are in the citizen's file (mandate_record.h); what a structure finds its mandates by
 * is an index that only says where to look (mandate_index.h on the store floor).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/vault/access_request.h"
#include "vault/vault/actor.h"
#include "vault/vault/consent.h"
#include "vault/vault/mandate_state.h"
#include "vault/vault/preview.h"
#include "vault/vault/vault.h"

#define MANDATE_ID_CHARS      ACTOR_MANDATE_CHARS
#define MANDATE_PURPOSES_MAX  32
#define MANDATE_LABEL_BYTES   60
#define MANDATES_MAX          64  /* of one citizen that are not over, and the newest of the rest */
#define MANDATE_LIST_MAX      200 /* of one structure, the newest */
#define MANDATE_IDLE_DAYS     182
#define MANDATE_CODE_CHARS    14 /* XXXX-XXXX-XXXX, without a final NUL */
#define MANDATE_CODES         8  /* printed at a time */
#define MANDATE_CODE_DAYS     90
#define MANDATE_PERIODS_COUNT 4

/* How long one may last, in days, the shortest first. */
extern const int64_t mandate_periods[MANDATE_PERIODS_COUNT];

/* What a mandate is for. */
struct mandate_terms {
    char structure[STRUCTURE_ID_CHARS + 1];
    char label[MANDATE_LABEL_BYTES + 1]; /* what the structure knows the citizen by; may be empty */
    char purposes[MANDATE_PURPOSES_MAX][CONSENT_NAME_CHARS + 1];
    size_t purpose_count; /* 1 and more, none twice */
    int64_t days;         /* one of mandate_periods */
    bool values;          /* a mediator may see values */
};

/* The newest record of one. */
struct mandate {
    char id[MANDATE_ID_CHARS + 1];
    struct mandate_terms terms;
    enum mandate_state state; /* as the record left it */
    enum mandate_event event; /* what the record is */
    int64_t at_s;             /* of the record */
    int64_t given_s;
    int64_t expires_s;         /* exclusive */
    int64_t used_s;            /* when it was last used; when it was given, if it never was */
    char by[ACTOR_TEXT_BYTES]; /* who made the record; empty: the citizen */
};

/* The state at that time: that of the record, or where time has led since. */
enum mandate_state mandate_state_now(const struct mandate *mandate, int64_t now_s);

bool mandate_covers(const struct mandate *mandate, const char *purpose);

/*
 * The citizen gives one. *id is its id; durable and in the log on return.
 * VAULT_INVALID    a period or purpose that cannot be, or that the policy does not know
 * VAULT_NOT_FOUND  there is no such citizen, or no such structure
 * VAULT_DENIED     values may be seen, and a guardian would have to agree too (guardian.h)
 * VAULT_CONFLICT   the structure has one in force: it is ended first
 * VAULT_LIMITED    too many
 */
enum vault_code mandate_give(struct vault *vault, const struct citizen_id *citizen,
                             const struct mandate_terms *terms, char id[MANDATE_ID_CHARS + 1],
                             struct vault_error *err) VAULT_MUST_CHECK;

/* A mediator is given one for their structure by a code of the citizen's; terms->structure is not
 * read. VAULT_DENIED for a code that does not count; else as above, and then the code still
 * counts. */
enum vault_code mandate_give_by_code(struct vault *vault, const struct mediator_seat *mediator,
                                     struct bytes code, const struct mandate_terms *terms,
                                     char id[MANDATE_ID_CHARS + 1], struct vault_error *err)
    VAULT_MUST_CHECK;

/* The citizen ends one of theirs; a mediator one of their structure's. Ending what is over is fine.
 * VAULT_NOT_FOUND if it is none of theirs. */
enum vault_code mandate_end(struct vault *vault, const struct citizen_id *citizen, const char *id,
                            struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code mandate_end_by_mediator(struct vault *vault, const struct mediator_seat *mediator,
                                        const char *id, struct vault_error *err) VAULT_MUST_CHECK;

/* All of a citizen's, the oldest first; those of a mediator's structure that are in force, the
 * newest first. */
typedef enum vault_code mandate_each(void *context, const struct mandate *mandate,
                                     struct vault_error *err);
enum vault_code mandate_list(struct vault *vault, const struct citizen_id *citizen,
                             mandate_each *each, void *context, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code mandate_list_of_structure(struct vault *vault, const struct mediator_seat *mediator,
                                          mandate_each *each, void *context,
                                          struct vault_error *err) VAULT_MUST_CHECK;

/* A mediator opens one of their structure's that is in force: whose it is, and what it says. A use,
 * and an entry of the citizen's log once a day. VAULT_NOT_FOUND for any other. */
enum vault_code mandate_open(struct vault *vault, const struct mediator_seat *mediator,
                             const char *id, struct citizen_id *citizen, struct mandate *out,
                             struct vault_error *err) VAULT_MUST_CHECK;

/* What the service would see of these fields (preview.h), for a mediator's eyes, where the mandate
 * says so; fields of special categories, and those that the citizen does not have, are left out.
 * The entry says which were seen, and is durable before any is shown. VAULT_DENIED if the mandate
 * does not say so, or a guardian would have to agree too. */
enum vault_code mandate_values(struct vault *vault, const struct citizen_id *citizen,
                               const struct actor *actor, const struct preview_wish *wish,
                               preview_each *each, void *context, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Codes to print, in the place of all before; in the citizen's log. VAULT_NOT_FOUND. */
enum vault_code mandate_print_codes(struct vault *vault, const struct citizen_id *citizen,
                                    char codes[MANDATE_CODES][MANDATE_CODE_CHARS + 1],
                                    struct vault_error *err) VAULT_MUST_CHECK;
