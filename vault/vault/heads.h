/*
 * heads - the ends of citizens' chains that the index of openings does not have yet.
 *
 * An entry is in the log's queue at once and in the index a little later. When a citizen's file is
 * opened again in between, the end of their chain is found here. The indexer forgets a head once
 * the index has it. Bounded: HEADS_MAX citizens; past that, entering waits for the indexer.
 */
#pragma once

#include "event.h"

struct heads;

#define HEADS_MAX     65536
#define HEADS_WAIT_MS 5000

enum vault_code heads_new(struct heads **out, struct vault_error *err) VAULT_MUST_CHECK;
void heads_free(struct heads **heads);

/* The chain now ends with the entry at index. Nothing is kept if the index has that already.
 * VAULT_LIMITED if there was no room in time. */
enum vault_code heads_put(struct heads *heads, const struct citizen_id *citizen,
                          const struct event_chain *chain, uint64_t index, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Whether heads_put() of whoever comes now does not wait; the last HEADS_SPARE places are for those
 * who may. */
#define HEADS_SPARE 1024
bool heads_have_room(struct heads *heads);

/* False if the citizen has none here. */
bool heads_get(struct heads *heads, const struct citizen_id *citizen, struct event_chain *out);

/* The index has the citizen's entry at index, and all before it: forget the head, unless a later
 * one stands there. */
void heads_forget(struct heads *heads, const struct citizen_id *citizen, uint64_t index);
