/*
 * actor_check - what somebody who acts for a citizen may decide; for the modules of this floor
 * alone. Asked with the citizen held, by whoever makes the decision, so that nothing reaches a
 * record without it.
 */
#pragma once

#include "person.h"

struct actor_wish {
    enum consent_event event;
    const char *purpose;
    const struct consent_field *fields; /* what it is about */
    size_t field_count;
};

/* VAULT_DENIED unless the actor (NULL: the citizen, who may do all) is a mediator of today, under a
 * mandate of their structure's that is in force and covers the purpose; and, where the event could
 * let something through, the policy knows every field, none is of a special category, and no
 * guardian would have to agree too. A guardian: as guardian_law_check() says. */
enum vault_code actor_check(struct vault *vault, struct citizen *citizen, struct person *person,
                            const struct actor *actor, const struct actor_wish *wish,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* The mandate under which the actor acts now. VAULT_DENIED likewise. */
enum vault_code actor_mandate(struct vault *vault, struct person *person, const struct actor *actor,
                              const struct mandate **out, struct vault_error *err) VAULT_MUST_CHECK;

/* How the record came about, and by whom. */
void consent_stamp(struct consent *next, const struct actor *actor);
