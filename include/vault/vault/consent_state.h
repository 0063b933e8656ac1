/*
 * consent_state - the lifecycle of a consent, as one table.
 *
 * A consent is a row of immutable records; the newest says in which state it was left, and the
 * clock and the uses counted may have moved it on since. What may happen next, and to which state
 * it leads, is looked up here and nowhere else: whoever changes a consent asks
 * consent_state_after(), and vault/vault/lifecycle.md is printed from the same table (a test holds
 * it to that).
 *
 * An event that is not in the table for a state changes nothing there. Withdrawing and refusing
 * have a row in every state from which anything could be released.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/ledger/entry.h"

enum consent_state {
    CONSENT_GIVEN,
    CONSENT_REFUSED,
    CONSENT_WITHDRAWN,
    CONSENT_SUSPENDED,
    CONSENT_STORED_COUNT, /* those above stand in records; those below come of themselves */
    CONSENT_EXPIRED = CONSENT_STORED_COUNT,
    CONSENT_USED_UP,
    CONSENT_NONE, /* nothing was ever decided */
    CONSENT_STATE_COUNT
};

enum consent_event {
    CONSENT_GIVE,     /* a new consent, also where there was one: renewal is that */
    CONSENT_NARROW,   /* the same consent, for fewer fields, less exact forms or a shorter time */
    CONSENT_REFUSE,   /* the answer no to what is asked; it ends what was given before */
    CONSENT_WITHDRAW, /* what was given ends */
    CONSENT_SUSPEND,  /* nothing is released until it is resumed */
    CONSENT_RESUME,
    CONSENT_END, /* the city removed the service: what was given to it ends */
    CONSENT_EVENT_COUNT
};

/* Why a consent is suspended; resuming all resumes what pausing all suspended, and no more. */
enum consent_cause {
    CONSENT_BY_CITIZEN, /* this one, by itself */
    CONSENT_BY_PAUSE,   /* with all others */
    CONSENT_BY_RESTORE, /* a backup was restored, and what was decided since is not known */
    CONSENT_CAUSE_COUNT
};

/* "given", "used up", …; "give", …; "citizen", …; and back: the count if there is none. */
const char *consent_state_name(enum consent_state state);
const char *consent_event_name(enum consent_event event);
const char *consent_cause_name(enum consent_cause cause);
enum consent_state consent_state_of(struct bytes name);
enum consent_event consent_event_of(struct bytes name);
enum consent_cause consent_cause_of(struct bytes name);

/* Whether the event may happen in that state, and where it leads; out is set only then. */
bool consent_state_after(enum consent_state state, enum consent_event event,
                         enum consent_state *out);

/* Whether anything is released on a consent in that state, if the policy allows. */
bool consent_state_releases(enum consent_state state);

/* As which event it stands in the access log. */
enum entry_event consent_event_entry(enum consent_event event);

/* The lifecycle as a chapter of Markdown. */
void consent_state_print(struct buf *out);
