#include "vault/vault/log_figures.h"

#include <stdlib.h>
#include <string.h>

#include "parts.h"
#include "vault/vault/log_search.h"

#define DAY_MS       86400000
#define OTHERS_TRIES 8 /* others count at the same time: take up where they are */

/* What one batch has of each kind. */
struct tally {
    size_t count;
    struct figures_row rows[FIGURES_BATCH_MAX];
};

static void free_tally(struct tally **tally)
{
    free(*tally);
    *tally = NULL;
}

int32_t log_figures_day(int64_t time_ms)
{
    return (int32_t)(time_ms / DAY_MS);
}

/* Neighbours are alike: the row is most often the last one that was used. */
static enum vault_code tally_line(void *context, const struct log_line *line,
                                  struct vault_error *err)
{
    (void)err;
    struct tally *tally = context;
    const struct entry *entry = line->entry;
    struct figures_row wanted = {.day = log_figures_day(entry->time_ms), .event = entry->event};
    if (entry->service.size)
        memcpy(wanted.service, entry->service.data, entry->service.size);
    size_t i = tally->count;
    while (i > 0 &&
           (tally->rows[i - 1].day != wanted.day || tally->rows[i - 1].event != wanted.event ||
            strcmp(tally->rows[i - 1].service, wanted.service) != 0))
        i--;
    if (i == 0) {
        tally->rows[tally->count++] = wanted;
        i = tally->count;
    }
    tally->rows[i - 1].count++;
    return VAULT_OK;
}

/* One batch from the position. What was pruned before it was counted is passed over. */
static enum vault_code count_batch(struct vault *vault, struct tally *tally,
                                   struct log_figures_state *state, struct vault_error *err)
{
    struct log_searched searched;
    const struct log_filter filter = log_filter_all();
    uint64_t from = 0;
    VAULT_TRY(figures_position(vault->store, &from, err));
    const struct log_range range = {.from = from, .below = UINT64_MAX, .limit = FIGURES_BATCH_MAX};
    tally->count = 0;
    VAULT_TRY(log_search(vault, &filter, &range, tally_line, tally, &searched, err));
    *state = (struct log_figures_state){from, searched.tree_size};
    const uint64_t to = searched.more ? searched.next : searched.tree_size;
    if (to <= from)
        return VAULT_OK;
    VAULT_TRY(figures_add(vault->store, tally->rows, tally->count, from, to, err));
    state->counted = to;
    return VAULT_OK;
}

enum vault_code log_figures_count(struct vault *vault, size_t most, struct log_figures_state *out,
                                  struct vault_error *err)
{
    unsigned tries = 0;
    VAULT_AUTO(free_tally) struct tally *tally = calloc(1, sizeof *tally);
    if (!tally)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    out->tree_size = ledger_published_size(vault->ledger);
    VAULT_TRY(figures_position(vault->store, &out->counted, err));
    for (size_t done = 0; done < most && out->counted < out->tree_size;) {
        const enum vault_code code = count_batch(vault, tally, out, err);
        if (code && (code != VAULT_CONFLICT || ++tries == OTHERS_TRIES))
            return code;
        done += FIGURES_BATCH_MAX;
    }
    return VAULT_OK;
}

enum vault_code log_figures_list(struct vault *vault, int32_t from_day, int32_t to_day,
                                 figures_each *each, void *context, struct vault_error *err)
{
    return figures_list(vault->store, from_day, to_day, each, context, err);
}
