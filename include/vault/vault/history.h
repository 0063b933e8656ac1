/*
 * history - every event that concerns a citizen, as the access log has it and in clear.
 *
 * What the log says of an event stands in its entry, which is public and names nobody; what the
 * commitments in it stand for is in the opening, sealed under the citizen's key. Put together, and
 * checked against each other, they are what happened: who asked, why, for which fields in which
 * form, with which outcome, on what basis, and who acted. Nobody but the citizen is shown this;
 * what an auditor may see is another matter.
 *
 * Events are numbered by the citizen's own count n, from 1, without a gap: one that is missing is
 * VAULT_CORRUPT, and what was listed before it stands. Openings go after their time, so that the
 * oldest n is not always 1.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/ledger/entry.h"
#include "vault/store/citizen.h"
#include "vault/vault/vault.h"

#define HISTORY_LIST_MAX 1000
#define HISTORY_GAPS_MAX 100

struct history_event {
    uint64_t n;     /* the citizen's own count */
    uint64_t index; /* of the entry in the log */
    int64_t time_ms;
    enum entry_event event;
    struct bytes service; /* empty: none; as all that follows, borrowed for the call */
    struct bytes purpose;
    struct bytes actor; /* who acted for the citizen; empty: the citizen or a service */
    struct bytes basis; /* "consent ID VERSION", names of lawful bases, or other words */
    struct bytes what;  /* of a release or denial, "FIELD FORM REASON" lines; else other words */
    struct bytes entry_text;   /* exactly as the log has it */
    struct bytes opening_text; /* as JSON (opening.h) */
};

typedef enum vault_code history_each(void *context, const struct history_event *event,
                                     struct vault_error *err);

/*
 * The events with n < before_n (0: all), newest first, limit (1 to HISTORY_LIST_MAX) at most. Waits
 * for a moment until the newest are filed.
 * VAULT_NOT_FOUND  there is no such citizen
 * VAULT_CORRUPT    an event is missing, or its opening is not what the log committed to
 */
enum vault_code history_list(struct vault *vault, const struct citizen_id *citizen,
                             uint64_t before_n, size_t limit, history_each *each, void *context,
                             struct vault_error *err) VAULT_MUST_CHECK;

/* Whether an event is wanted, by what its entry says in clear: actor, basis, what and opening_text
 * are empty here. */
typedef bool history_wants(void *context, const struct history_event *event);

/* The same, which opens only what is wanted: for who counts, or looks for a few among many. What is
 * not wanted is held against its entry, but not against its opening. each may be NULL where nothing
 * ever is. */
enum vault_code history_find(struct vault *vault, const struct citizen_id *citizen,
                             uint64_t before_n, size_t limit, history_wants *wants,
                             history_each *each, void *context, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The same, which tells how far it came: *before_n becomes the lowest n that it looked at, with
 * VAULT_CORRUPT the one that cannot be read, so that the next call goes on behind that. */
enum vault_code history_find_on(struct vault *vault, const struct citizen_id *citizen,
                                uint64_t *before_n, size_t limit, history_wants *wants,
                                history_each *each, void *context, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Sees an event, by what its entry says in clear; false: that is enough. */
typedef bool history_sees(void *context, const struct history_event *event);

/* Every event from the newest on, until it is enough, for who counts. Goes on behind those that
 * cannot be read, HISTORY_GAPS_MAX at most; *gaps (may be NULL) is how many. The citizen is not
 * held all the while. VAULT_NOT_FOUND */
enum vault_code history_walk(struct vault *vault, const struct citizen_id *citizen,
                             history_sees *sees, void *context, size_t *gaps,
                             struct vault_error *err) VAULT_MUST_CHECK;

/* What can be taken away of one event, to check it without the vault. */
enum history_part {
    HISTORY_ENTRY,   /* the entry's exact text */
    HISTORY_PROOF,   /* that it is in the log: a C2SP tlog-proof */
    HISTORY_OPENING, /* {"index":N,"fields":OPENING}, as vault-audit verify --openings reads it */
    HISTORY_PART_COUNT
};

/* Append one part of the citizen's event n. VAULT_NOT_FOUND if there is none, or not any more. */
enum vault_code history_take(struct vault *vault, const struct citizen_id *citizen, uint64_t n,
                             enum history_part part, struct buf *out, struct vault_error *err)
    VAULT_MUST_CHECK;
