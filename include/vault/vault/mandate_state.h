/*
 * mandate_state - the lifecycle of a mandate, as one table.
 *
 * As with consents (consent_state.h): the newest record says in which state a mandate was left, the
 * clock may have moved it on since, and what may happen next is looked up here and nowhere else.
 * vault/vault/mandates.md is printed from the same table, and a test holds it to that.
 *
 * No event makes a mandate longer or wider: whoever wants that gives another one.
 */
#pragma once

#include <stdbool.h>

#include "vault/base/buf.h"

enum mandate_state {
    MANDATE_IN_FORCE,
    MANDATE_ENDED,
    MANDATE_STORED_COUNT, /* those above stand in records; those below come of themselves */
    MANDATE_EXPIRED = MANDATE_STORED_COUNT,
    MANDATE_IDLE,
    MANDATE_NONE,
    MANDATE_STATE_COUNT
};

enum mandate_event {
    MANDATE_GIVE, /* by the citizen, in their session or by a printed code */
    MANDATE_USE,  /* a mediator looked at what it covers; acting is a record of what was done */
    MANDATE_END,  /* by either side */
    MANDATE_EVENT_COUNT
};

/* "in force", …; "give", …; and back: the count if there is none. */
const char *mandate_state_name(enum mandate_state state);
const char *mandate_event_name(enum mandate_event event);
enum mandate_state mandate_state_of(struct bytes name);
enum mandate_event mandate_event_of(struct bytes name);

/* Whether the event may happen in that state, and where it leads; out is set only then. */
bool mandate_state_after(enum mandate_state state, enum mandate_event event,
                         enum mandate_state *out);

/* Whether a mediator may do anything under a mandate in that state. */
bool mandate_state_allows(enum mandate_state state);

/* The lifecycle as a chapter of Markdown. */
void mandate_state_print(struct buf *out);
