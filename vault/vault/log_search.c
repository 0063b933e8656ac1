#include "vault/vault/log_search.h"

#include <stdlib.h>

#include "parts.h"
#include "retention.h"
#include "vault/ledger/tile.h"

static const char *const outcome_names[LOG_OUTCOME_COUNT] = {
    [LOG_RELEASED] = "released",
    [LOG_WITHHELD] = "withheld",
    [LOG_DECIDED] = "decided",
    [LOG_DONE] = "done",
};

/* The log as it was published when the search began, a bundle of it at a time. */
struct reading {
    const char *dir;
    uint64_t first; /* below this nothing is published any more */
    uint64_t size;
    uint64_t bundle; /* which one is loaded; UINT64_MAX: none */
    unsigned count;  /* its entries */
    struct bytes entries[TILE_WIDTH];
    struct tile_content content;
};

const char *log_outcome_name(enum log_outcome outcome)
{
    return (unsigned)outcome < LOG_OUTCOME_COUNT ? outcome_names[outcome] : "";
}

enum log_outcome log_outcome_of_name(struct bytes name)
{
    unsigned i = 0;
    while (i < LOG_OUTCOME_COUNT && !bytes_equal(name, bytes_of_text(outcome_names[i])))
        i++;
    return (enum log_outcome)i;
}

enum log_outcome log_outcome_of(enum entry_event event)
{
    switch (event) {
    case ENTRY_RELEASE:
    case ENTRY_EXPORT:
        return LOG_RELEASED;
    case ENTRY_DENY:
        return LOG_WITHHELD;
    case ENTRY_CONSENT:
    case ENTRY_REFUSE:
    case ENTRY_WITHDRAW:
    case ENTRY_OBJECT:
    case ENTRY_SUSPEND:
    case ENTRY_RESUME:
    case ENTRY_MANDATE:
        return LOG_DECIDED;
    default:
        return LOG_DONE;
    }
}

struct log_filter log_filter_all(void)
{
    return (struct log_filter){
        .before_ms = INT64_MAX, .event = ENTRY_EVENT_COUNT, .outcome = LOG_OUTCOME_COUNT};
}

static bool fits(const struct log_filter *filter, const struct entry *entry)
{
    return entry->time_ms >= filter->from_ms && entry->time_ms < filter->before_ms &&
           (!filter->service.size || bytes_equal(filter->service, entry->service)) &&
           (!filter->purpose.size || bytes_equal(filter->purpose, entry->purpose)) &&
           (filter->event == ENTRY_EVENT_COUNT || filter->event == entry->event) &&
           (filter->outcome == LOG_OUTCOME_COUNT ||
            filter->outcome == log_outcome_of(entry->event));
}

/* --- Entries -------------------------------------------------------------------------------- */

static void free_reading(struct reading **reading)
{
    free(*reading);
    *reading = NULL;
}

static enum vault_code begin(struct vault *vault, struct reading **out, struct vault_error *err)
{
    VAULT_AUTO(free_reading) struct reading *reading = calloc(1, sizeof *reading);
    if (!reading)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    reading->dir = vault->log_dir;
    reading->bundle = UINT64_MAX;
    VAULT_TRY(retention_pruned(vault, &reading->first, err));
    reading->size = ledger_published_size(vault->ledger);
    *out = VAULT_TAKE(reading);
    return VAULT_OK;
}

static enum vault_code load(struct reading *reading, uint64_t bundle, struct vault_error *err)
{
    reading->bundle = UINT64_MAX;
    const enum vault_code code = tile_load(
        reading->dir, tile_of(reading->size, TILE_ENTRIES, bundle), &reading->content, err);
    if (code == VAULT_NOT_FOUND)
        return vault_fail(err, VAULT_CORRUPT, "a bundle of published entries is not there");
    VAULT_TRY(code);
    struct cursor cursor =
        cursor_over((struct bytes){reading->content.data, reading->content.size});
    reading->count = 0;
    while (reading->count < TILE_WIDTH &&
           tile_bundle_next(&cursor, &reading->entries[reading->count]))
        reading->count++;
    reading->bundle = bundle;
    return VAULT_OK;
}

/* The text of an entry and what it says, from the bundle that has it. */
static enum vault_code read_entry(struct reading *reading, uint64_t index, struct bytes *text,
                                  struct entry *entry, struct vault_error *err)
{
    if (index / TILE_WIDTH != reading->bundle)
        VAULT_TRY(load(reading, index / TILE_WIDTH, err));
    if (index % TILE_WIDTH >= reading->count)
        return vault_fail(err, VAULT_CORRUPT, "a bundle of published entries is cut off");
    *text = reading->entries[index % TILE_WIDTH];
    if (entry_parse(*text, entry, NULL))
        return vault_fail(err, VAULT_CORRUPT, "a published entry is none");
    return VAULT_OK;
}

/* --- A period ------------------------------------------------------------------------------- */

/* The first entry from a time on, by halving; the size if there is none. */
static enum vault_code find_time(struct reading *reading, int64_t time_ms, uint64_t *out,
                                 struct vault_error *err)
{
    uint64_t low = reading->first;
    uint64_t high = reading->size;
    while (low < high) {
        struct bytes text;
        struct entry entry;
        const uint64_t middle = low + (high - low) / 2;
        VAULT_TRY(read_entry(reading, middle, &text, &entry, err));
        if (entry.time_ms < time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    *out = low;
    return VAULT_OK;
}

/* The range, held against what there is and against the filter's period. */
static enum vault_code bound(struct reading *reading, const struct log_filter *filter,
                             const struct log_range *range, uint64_t *low, uint64_t *high,
                             struct vault_error *err)
{
    *low = reading->first;
    *high = reading->size;
    if (filter->from_ms > 0)
        VAULT_TRY(find_time(reading, filter->from_ms, low, err));
    if (filter->before_ms < INT64_MAX)
        VAULT_TRY(find_time(reading, filter->before_ms, high, err));
    if (*low < range->from)
        *low = range->from;
    if (*high > range->below)
        *high = range->below;
    return VAULT_OK;
}

/* --- The search ----------------------------------------------------------------------------- */

static enum vault_code show(struct reading *reading, uint64_t index,
                            const struct log_filter *filter, log_each *each, void *context,
                            struct log_searched *out, struct vault_error *err)
{
    struct bytes text;
    struct entry entry;
    VAULT_TRY(read_entry(reading, index, &text, &entry, err));
    out->read++;
    if (!fits(filter, &entry))
        return VAULT_OK;
    const struct log_line line = {index, tree_leaf(text), text, &entry};
    out->found++;
    return each(context, &line, err);
}

enum vault_code log_search(struct vault *vault, const struct log_filter *filter,
                           const struct log_range *range, log_each *each, void *context,
                           struct log_searched *out, struct vault_error *err)
{
    uint64_t low = 0;
    uint64_t high = 0;
    VAULT_AUTO(free_reading) struct reading *reading = NULL;
    VAULT_TRY(begin(vault, &reading, err));
    VAULT_TRY(bound(reading, filter, range, &low, &high, err));
    *out = (struct log_searched){.tree_size = reading->size, .first = reading->first};
    while (low < high && out->found < range->limit && out->read < LOG_SEARCH_ENTRIES_MAX) {
        const uint64_t index = range->newest_first ? --high : low++;
        VAULT_TRY(show(reading, index, filter, each, context, out, err));
    }
    out->more = low < high;
    out->next = range->newest_first ? high : low;
    return VAULT_OK;
}

/* --- One entry ------------------------------------------------------------------------------ */

static enum vault_code check_published(struct vault *vault, uint64_t index, struct vault_error *err)
{
    uint64_t first = 0;
    VAULT_TRY(retention_pruned(vault, &first, err));
    if (index < first || index >= ledger_published_size(vault->ledger))
        return vault_fail(err, VAULT_NOT_FOUND, "the log has no such entry");
    return VAULT_OK;
}

enum vault_code log_entry_text(struct vault *vault, uint64_t index, struct buf *out,
                               struct vault_error *err)
{
    VAULT_TRY(check_published(vault, index, err));
    return ledger_entry(vault->ledger, index, out, err);
}

enum vault_code log_entry_proof(struct vault *vault, uint64_t index, struct buf *out,
                                struct vault_error *err)
{
    VAULT_TRY(check_published(vault, index, err));
    return ledger_prove(vault->ledger, index, out, err);
}
