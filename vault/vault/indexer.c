#include "indexer.h"

#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "feed_parts.h"
#include "heads.h"
#include "parts.h"
#include "vault/base/clock.h"
#include "vault/store/openings.h"
#include "vault/store/setting.h"

#define BATCH_MAX        OPENINGS_BATCH_MAX
#define BATCH_BYTES_MAX  (16UL * 1024 * 1024)
#define WAIT_MS          200
#define GATHER_MS        1000 /* each page is written once for all its rows in a transaction */
#define RETRY_MS         200
#define LIMIT_WAIT_MS    20
#define REMEMBER_EACH_MS 1000
#define SETTLE_EACH      65536 /* entries: about as many as a full segment of the journal holds */

struct indexer {
    struct vault *vault;
    struct ledger_reader *reader;
    struct openings_row *rows; /* BATCH_MAX of them */
    size_t *offsets;           /* of each row's sealed bytes */
    struct buf sealed;
    size_t count;
    bool has_failed; /* what it has in hand may be filed or not */
    bool is_at_end;  /* the log is being closed, or has stopped: there is no hurry any more */
    uint64_t next_index;
    uint64_t settled; /* the journal may forget what is before */
    int64_t remembered_ms;
    uint64_t remembered_size;
    pthread_mutex_t mutex;
    pthread_cond_t filed_more;
    pthread_cond_t hurry; /* somebody waits for what is filed, or for an end */
    unsigned waiting;     /* guarded by the mutex: how many do */
    uint64_t hurried;     /* likewise: what is below was not to gather */
    uint64_t filed;       /* likewise: every entry below is filed */
    uint64_t limit;       /* likewise: nothing from here on is to be filed now */
    uint64_t obeyed;      /* likewise: the limit that the thread goes by */
    pthread_t thread;
    bool running;
    atomic_bool stopping;
};

enum vault_code indexer_remembered(struct vault *vault, struct ledger_head *out,
                                   struct vault_error *err)
{
    struct ledger_head head = {.size = 0};
    VAULT_AUTO(buf_finish) struct buf value = buf_limited(SETTING_VALUE_MAX_BYTES);
    const enum vault_code code = setting_get(vault->store, INDEXER_HEAD_SETTING, &value, err);
    if (code && code != VAULT_NOT_FOUND)
        return code;
    struct cursor cursor = cursor_over(buf_view(&value));
    if (code == VAULT_OK) {
        head.size = cursor_u64(&cursor);
        cursor_copy(&cursor, head.root.bytes, sizeof head.root.bytes);
    }
    /* Half a memory must not pass for none, with which any log opens. */
    if (cursor.truncated || cursor.left)
        return vault_fail(err, VAULT_CORRUPT, "what is remembered of the log cannot be read");
    *out = head;
    return VAULT_OK;
}

static enum vault_code remember(struct indexer *indexer, struct vault_error *err)
{
    const struct ledger_head head = ledger_head(indexer->vault->ledger);
    indexer->remembered_ms = clock_monotonic_ms();
    if (head.size == indexer->remembered_size)
        return VAULT_OK;
    VAULT_AUTO(buf_finish) struct buf value = buf_limited(sizeof head.root.bytes + 8);
    buf_u64(&value, head.size);
    buf_append(&value, head.root.bytes, sizeof head.root.bytes);
    VAULT_TRY(buf_check(&value, err)); /* half of it would let no vault start */
    const struct setting setting = {INDEXER_HEAD_SETTING, buf_view(&value)};
    VAULT_TRY(setting_put(indexer->vault->store, &setting, 1, err));
    indexer->remembered_size = head.size;
    return VAULT_OK;
}

static void note_filed(struct indexer *indexer)
{
    pthread_mutex_lock(&indexer->mutex);
    indexer->filed = indexer->next_index;
    pthread_cond_broadcast(&indexer->filed_more);
    pthread_mutex_unlock(&indexer->mutex);
}

/* With the mutex held on return: what gathers is filed at once. */
static void begin_waiting(struct indexer *indexer)
{
    pthread_mutex_lock(&indexer->mutex);
    indexer->waiting++;
    pthread_cond_signal(&indexer->hurry);
}

void indexer_hurry(struct indexer *indexer, uint64_t size)
{
    pthread_mutex_lock(&indexer->mutex);
    if (indexer->hurried < size)
        indexer->hurried = size;
    pthread_cond_signal(&indexer->hurry);
    pthread_mutex_unlock(&indexer->mutex);
}

enum vault_code indexer_wait(struct indexer *indexer, uint64_t size, int64_t timeout_ms,
                             struct vault_error *err)
{
    const struct timespec until = clock_deadline(timeout_ms);
    int waited = 0;
    begin_waiting(indexer);
    while (indexer->filed < size && waited == 0)
        waited = pthread_cond_timedwait(&indexer->filed_more, &indexer->mutex, &until);
    indexer->waiting--;
    const bool filed = indexer->filed >= size;
    pthread_mutex_unlock(&indexer->mutex);
    return filed ? VAULT_OK
                 : vault_fail(err, VAULT_UNAVAILABLE, "the index of openings has fallen behind");
}

static enum vault_code flush(struct indexer *indexer, struct vault_error *err)
{
    struct vault *vault = indexer->vault;
    for (size_t i = 0; i < indexer->count; i++)
        indexer->rows[i].sealed.data = indexer->sealed.data + indexer->offsets[i];
    VAULT_TRY(openings_add(vault->store, indexer->rows, indexer->count, indexer->next_index, err));
    for (size_t i = 0; i < indexer->count; i++) {
        if (indexer->rows[i].feed.change)
            feed_ring(vault, indexer->rows[i].feed.service);
    }
    for (size_t i = 0; i < indexer->count; i++)
        heads_forget(vault->heads, &indexer->rows[i].citizen, indexer->rows[i].index);
    indexer->count = 0;
    buf_clear(&indexer->sealed);
    note_filed(indexer);
    return VAULT_OK;
}

/* What the entry is for the service it names. */
static void note_change(const struct entry *entry, struct openings_row *row)
{
    static const enum feed_change changes[ENTRY_EVENT_COUNT] = {
        [ENTRY_CONSENT] = FEED_CONSENT, [ENTRY_WITHDRAW] = FEED_WITHDRAW,
        [ENTRY_SUSPEND] = FEED_SUSPEND, [ENTRY_RESUME] = FEED_RESUME,
        [ENTRY_REFUSE] = FEED_REFUSE,
    };
    struct feed_row *feed = &row->feed;
    if (!entry->service.size || entry->service.size >= sizeof feed->service ||
        entry->purpose.size >= sizeof feed->purpose)
        return;
    feed->change = changes[entry->event];
    memcpy(feed->service, entry->service.data, entry->service.size);
    if (entry->purpose.size)
        memcpy(feed->purpose, entry->purpose.data, entry->purpose.size);
    feed->n = row->index + 1;
    feed->citizen = row->citizen;
    feed->citizen_n = row->n;
    feed->time_ms = row->time_ms;
}

static enum vault_code take(struct indexer *indexer, const struct ledger_record *record,
                            struct vault_error *err)
{
    indexer->next_index = record->index + 1;
    if (ledger_is_blank(record->opening))
        return VAULT_OK;
    struct entry entry;
    struct openings_row *row = &indexer->rows[indexer->count];
    *row = (struct openings_row){.index = record->index};
    VAULT_TRY(event_opening_owner(indexer->vault, record->opening, &row->citizen, &row->n,
                                  &row->sealed, err));
    VAULT_TRY(entry_parse(record->entry, &entry, err));
    row->time_ms = entry.time_ms;
    memcpy(row->leaf, record->leaf.bytes, sizeof row->leaf);
    note_change(&entry, row);
    indexer->offsets[indexer->count] = indexer->sealed.size;
    buf_bytes(&indexer->sealed, row->sealed);
    indexer->count++;
    return buf_check(&indexer->sealed, err);
}

/* Which limit a batch goes by, and that the thread goes by it now. At it, wait a while: it may be
 * lifted. */
static uint64_t obey(struct indexer *indexer)
{
    pthread_mutex_lock(&indexer->mutex);
    if (indexer->next_index >= indexer->limit && indexer->obeyed == indexer->limit) {
        const struct timespec until = clock_deadline(LIMIT_WAIT_MS);
        pthread_cond_timedwait(&indexer->filed_more, &indexer->mutex, &until);
    }
    const uint64_t limit = indexer->obeyed = indexer->limit;
    pthread_cond_broadcast(&indexer->filed_more);
    pthread_mutex_unlock(&indexer->mutex);
    return limit;
}

enum vault_code indexer_limit(struct indexer *indexer, uint64_t limit, int64_t timeout_ms,
                              struct vault_error *err)
{
    const struct timespec until = clock_deadline(timeout_ms);
    int waited = 0;
    begin_waiting(indexer);
    indexer->limit = limit;
    while (indexer->obeyed != limit && waited == 0)
        waited = pthread_cond_timedwait(&indexer->filed_more, &indexer->mutex, &until);
    indexer->waiting--;
    const bool obeyed = indexer->obeyed == limit;
    pthread_mutex_unlock(&indexer->mutex);
    return obeyed ? VAULT_OK
                  : vault_fail(err, VAULT_UNAVAILABLE, "the index of openings does not answer");
}

/* Durable, and not read yet. */
static uint64_t waiting_entries(const struct indexer *indexer)
{
    return ledger_head(indexer->vault->ledger).size - indexer->next_index;
}

/* With the mutex held: somebody wants to see what is not filed yet. */
static bool is_wanted(const struct indexer *indexer)
{
    return indexer->waiting || indexer->hurried > indexer->filed;
}

/* For so long, but not beyond the moment at which it is to end; nor, where entries gather, while
 * they are wanted. */
static void rest(struct indexer *indexer, int64_t ms, bool gathers)
{
    const struct timespec until = clock_deadline(ms);
    int waited = 0;
    pthread_mutex_lock(&indexer->mutex);
    while (!(gathers && is_wanted(indexer)) && !atomic_load(&indexer->stopping) && waited == 0)
        waited = pthread_cond_timedwait(&indexer->hurry, &indexer->mutex, &until);
    pthread_mutex_unlock(&indexer->mutex);
}

static bool has_room(const struct indexer *indexer)
{
    return indexer->count < BATCH_MAX &&
           indexer->sealed.size + LEDGER_OPENING_MAX_BYTES <= BATCH_BYTES_MAX;
}

/* File one batch: what there is, after waiting for a first entry. *more is false if none came. */
static enum vault_code file_batch(struct indexer *indexer, int64_t wait_ms, bool *more,
                                  struct vault_error *err)
{
    const uint64_t before = indexer->next_index;
    const uint64_t limit = obey(indexer);
    *more = false;
    for (int64_t wait = wait_ms; has_room(indexer) && indexer->next_index < limit; wait = 0) {
        struct ledger_record record;
        const enum vault_code code = ledger_reader_next(indexer->reader, wait, &record, err);
        indexer->is_at_end = code == VAULT_UNAVAILABLE;
        if (code == VAULT_NOT_FOUND || code == VAULT_UNAVAILABLE)
            break;
        if (code)
            return code;
        VAULT_TRY(take(indexer, &record, err));
        if (wait > 0 && waiting_entries(indexer) < BATCH_MAX)
            rest(indexer, GATHER_MS, true);
    }
    *more = indexer->next_index != before;
    return *more ? flush(indexer, err) : VAULT_OK;
}

/* Let the journal forget what is filed, once that is sure to stay. */
static enum vault_code settle(struct indexer *indexer, struct vault_error *err)
{
    if (indexer->next_index - indexer->settled < SETTLE_EACH ||
        atomic_load(&indexer->vault->backing_up))
        return VAULT_OK;
    VAULT_TRY(openings_settle(indexer->vault->store, err));
    indexer->settled = indexer->next_index;
    return ledger_forget(indexer->vault->ledger, indexer->settled, err);
}

/* After a failure: go on from where the store says it is. What it has may be more than was heard
 * of. */
static enum vault_code resume(struct indexer *indexer, struct vault_error *err)
{
    struct vault *vault = indexer->vault;
    uint64_t position = 0;
    VAULT_TRY(openings_position(vault->store, &position, err));
    for (size_t i = 0; i < indexer->count && indexer->rows[i].index < position; i++)
        heads_forget(vault->heads, &indexer->rows[i].citizen, indexer->rows[i].index);
    indexer->count = 0;
    buf_clear(&indexer->sealed);
    indexer->next_index = position;
    ledger_reader_close(&indexer->reader);
    VAULT_TRY(ledger_reader_open(vault->ledger, position, &indexer->reader, err));
    indexer->has_failed = false;
    note_filed(indexer);
    return VAULT_OK;
}

static void trouble(const struct indexer *indexer, const struct vault_error *err)
{
    if (indexer->vault->options.trouble)
        indexer->vault->options.trouble("indexer", err->text);
}

/* File what there is, and look after what the store and the journal remember. */
static enum vault_code work(struct indexer *indexer, int64_t wait_ms, bool *more,
                            struct vault_error *err)
{
    if (indexer->has_failed)
        VAULT_TRY(resume(indexer, err));
    VAULT_TRY(file_batch(indexer, wait_ms, more, err));
    VAULT_TRY(settle(indexer, err));
    return clock_monotonic_ms() - indexer->remembered_ms >= REMEMBER_EACH_MS
               ? remember(indexer, err)
               : VAULT_OK;
}

/* A failure is told once, and the same is tried again until it works or the end comes. Meanwhile
 * entering goes on until there is no room among the heads, and then fails, so that releases stop by
 * themselves; nothing is lost, since the log has it all. */
static void *run(void *context)
{
    struct indexer *indexer = context;
    struct vault_error err;
    bool is_told = false;
    while (!atomic_load(&indexer->stopping)) {
        bool more;
        indexer->has_failed = work(indexer, WAIT_MS, &more, &err) != VAULT_OK;
        if (indexer->has_failed && !is_told)
            trouble(indexer, &err);
        is_told = indexer->has_failed;
        if (indexer->has_failed || indexer->is_at_end)
            rest(indexer, RETRY_MS, false);
    }
    return NULL;
}

static void indexer_free(struct indexer **indexer)
{
    if (*indexer) {
        ledger_reader_close(&(*indexer)->reader);
        pthread_cond_destroy(&(*indexer)->filed_more);
        pthread_cond_destroy(&(*indexer)->hurry);
        pthread_mutex_destroy(&(*indexer)->mutex);
        buf_finish(&(*indexer)->sealed);
        free((*indexer)->rows);
        free((*indexer)->offsets);
        free(*indexer);
    }
    *indexer = NULL;
}

enum vault_code indexer_start(struct vault *vault, struct indexer **out, struct vault_error *err)
{
    VAULT_AUTO(indexer_free) struct indexer *indexer = calloc(1, sizeof *indexer);
    if (!indexer)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    indexer->vault = vault;
    pthread_mutex_init(&indexer->mutex, NULL);
    clock_condition_init(&indexer->filed_more);
    clock_condition_init(&indexer->hurry);
    indexer->limit = indexer->obeyed = UINT64_MAX;
    indexer->sealed = buf_limited(BATCH_BYTES_MAX);
    indexer->rows = calloc(BATCH_MAX, sizeof *indexer->rows);
    indexer->offsets = calloc(BATCH_MAX, sizeof *indexer->offsets);
    if (!indexer->rows || !indexer->offsets)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    VAULT_TRY(openings_position(vault->store, &indexer->next_index, err));
    VAULT_TRY(ledger_reader_open(vault->ledger, indexer->next_index, &indexer->reader, err));
    note_filed(indexer);
    bool more = true;
    while (more)
        VAULT_TRY(file_batch(indexer, 0, &more, err));
    if (pthread_create(&indexer->thread, NULL, run, indexer) != 0)
        return vault_fail(err, VAULT_NO_MEMORY, "cannot start a thread");
    indexer->running = true;
    *out = VAULT_TAKE(indexer);
    return VAULT_OK;
}

void indexer_stop(struct indexer **indexer)
{
    if (!*indexer)
        return;
    pthread_mutex_lock(&(*indexer)->mutex);
    atomic_store(&(*indexer)->stopping, true);
    pthread_cond_signal(&(*indexer)->hurry);
    pthread_mutex_unlock(&(*indexer)->mutex);
    if ((*indexer)->running)
        pthread_join((*indexer)->thread, NULL);
    struct vault_error err;
    bool more = true;
    enum vault_code code = VAULT_OK;
    (*indexer)->limit = UINT64_MAX;
    while (code == VAULT_OK && more)
        code = work(*indexer, 0, &more, &err);
    if (code == VAULT_OK)
        code = remember(*indexer, &err);
    if (code)
        trouble(*indexer, &err);
    indexer_free(indexer);
}
