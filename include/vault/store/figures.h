/*
 * figures - how many entries of each kind the access log has on each day.
 *
 * Counting the entries of a year takes as long as reading them. So each is counted once, in batches
 * in the log's order, and with a batch moves the position behind what was counted: both are kept or
 * neither is. What is counted is the event and the service of published entries, which everybody
 * can read; no citizen is in it. They can be counted again from the log.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vault/base/error.h"
#include "vault/store/control_service.h"
#include "vault/store/store.h"

#define FIGURES_BATCH_MAX 4096
#define FIGURES_LIST_MAX  100000

struct figures_row {
    int32_t day;                                /* since 1970-01-01, UTC */
    unsigned event;                             /* of entry.h; the store only keeps it */
    char service[CONTROL_SERVICE_ID_CHARS + 1]; /* empty: none */
    uint64_t count;
};

/* The index of the first entry that was not counted. */
enum vault_code figures_position(struct store *store, uint64_t *next_index, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Add what was counted from the position from up to, not including, to.
 * VAULT_CONFLICT  from is not the position: somebody else was here
 * VAULT_INVALID   to is before it */
enum vault_code figures_add(struct store *store, const struct figures_row rows[], size_t count,
                            uint64_t from, uint64_t to, struct vault_error *err) VAULT_MUST_CHECK;

/* One row; a code other than VAULT_OK ends the list, which then returns it. */
typedef enum vault_code figures_each(void *context, const struct figures_row *row,
                                     struct vault_error *err);

/* What there is from one day to another, both included, by day, event and service. VAULT_TOO_LARGE,
 * and some were given, if it is more than FIGURES_LIST_MAX rows. */
enum vault_code figures_list(struct store *store, int32_t from_day, int32_t to_day,
                             figures_each *each, void *context, struct vault_error *err)
    VAULT_MUST_CHECK;
