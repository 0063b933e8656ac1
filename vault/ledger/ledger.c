#include "vault/ledger/ledger.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"
#include "vault/base/file.h"
#include "vault/ledger/checkpoint.h"

/* More than one checkpoint has to be remembered: those of the caller and the published one. */
#define REMEMBERED_MAX 256U

static void condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

static enum vault_code new_path(char out[PATH_MAX], const char *dir, const char *name,
                                struct vault_error *err)
{
    return file_join(out, PATH_MAX, dir, name, err);
}

enum vault_code ledger_create(const struct ledger_options *options, struct vault_error *err)
{
    char path[PATH_MAX];
    struct signed_head empty = {.head = {.root = tree_empty_root()}};
    struct frame_segment first = {0};
    VAULT_TRY(ledger_sign(options->signer, &empty.head, empty.signature, err));
    memcpy(first.signature, empty.signature, sizeof first.signature);
    VAULT_TRY(new_path(path, options->dir, "checkpoint", err));
    if (!file_is_missing(path))
        return vault_fail(err, VAULT_CONFLICT, "there is a log in %s already", options->dir);
    VAULT_TRY(folder_create(options->dir, err));
    VAULT_TRY(new_path(path, options->dir, "new", err));
    VAULT_TRY(folder_create(path, err));
    VAULT_TRY(journal_create(options->dir, &first, err));
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    checkpoint_write(&note, &options->signer->key, 0, &empty.head.root, empty.signature);
    return publish_checkpoint(options->dir, &note, err);
}

static enum vault_code ledger_new(const struct ledger_options *options, struct ledger **out,
                                  struct vault_error *err)
{
    struct ledger *ledger = calloc(1, sizeof *ledger);
    if (!ledger)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    VAULT_AUTO(ledger_close) struct ledger *owned = ledger;
    ledger->signer = options->signer;
    ledger->parting = options->parting;
    ledger->clock = options->clock;
    ledger->clock_step_ms = options->clock_step_ms;
    ledger->durable_fd = options->durable_fd;
    ledger->anchor = options->anchor;
    pthread_mutex_init(&ledger->mutex, NULL);
    pthread_mutex_init(&ledger->edge_mutex, NULL);
    pthread_mutex_init(&ledger->proof_mutex, NULL);
    pthread_cond_t *const conditions[] = {&ledger->work, &ledger->more, &ledger->ended,
                                          &ledger->to_publish, &ledger->published_more};
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++)
        condition_init(conditions[i]);
    ledger->queued_bytes = FRAME_COMMIT_BYTES; /* of the batch that is being filled */
    for (unsigned i = 0; i < BATCH_COUNT; i++)
        condition_init(&ledger->batches[i].done);
    for (unsigned i = 0; i < BATCH_COUNT; i++) {
        ledger->batches[i].data = malloc(JOURNAL_BATCH_MAX_BYTES);
        if (!ledger->batches[i].data)
            return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    }
    if (strlen(options->dir) >= sizeof ledger->dir)
        return vault_fail(err, VAULT_TOO_LARGE, "the path of the log's folder is too long");
    memcpy(ledger->dir, options->dir, strlen(options->dir));
    *out = VAULT_TAKE(owned);
    return VAULT_OK;
}

/* What was published last. A log that has never published anything has no checkpoint. */
static enum vault_code read_published(const struct ledger_options *options, struct ledger_head *out,
                                      struct vault_error *err)
{
    char path[PATH_MAX];
    struct checkpoint checkpoint;
    const struct checkpoint_keys keys = {&options->signer->key, options->former,
                                         options->former_count};
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    VAULT_TRY(new_path(path, options->dir, "checkpoint", err));
    *out = (struct ledger_head){.root = tree_empty_root()};
    if (file_is_missing(path))
        return VAULT_OK;
    VAULT_TRY(file_read(path, &note, err));
    if (checkpoint_parse(buf_view(&note), &checkpoint, NULL) != VAULT_OK ||
        checkpoint_verify_any(&checkpoint, &keys, NULL) != VAULT_OK)
        return vault_fail(err, VAULT_CORRUPT, "%s is not a checkpoint that the log's key signed",
                          path);
    *out = (struct ledger_head){checkpoint.size, checkpoint.root};
    return VAULT_OK;
}

/* Where the journal does not begin with the log, the nodes above the leaves that the edge needs
 * come from the tiles that were begun. */
static enum vault_code load_edge(struct ledger *ledger, uint64_t published, struct vault_error *err)
{
    for (int level = 1; tile_hash_count(published, level) > 0; level++) {
        const uint64_t count = tile_hash_count(published, level);
        const struct tile_name name = tile_of(published, level, count / TILE_WIDTH);
        VAULT_AUTO(buf_finish) struct buf content = buf_limited(TILE_BYTES);
        if (name.width == 0)
            continue;
        VAULT_TRY(tile_read(ledger->dir, name, &content, err));
        for (unsigned i = 0; i < name.width; i++) {
            struct tree_hash hash;
            memcpy(hash.bytes, content.data + (size_t)i * TREE_HASH_BYTES, TREE_HASH_BYTES);
            edge_add(ledger->edge, (unsigned)level * TILE_HEIGHT, name.index * TILE_WIDTH + i,
                     &hash);
        }
    }
    return VAULT_OK;
}

static enum vault_code tiles_are_needed(const struct ledger *ledger, enum vault_code code,
                                        struct vault_error *err)
{
    if (code != VAULT_NOT_FOUND)
        return code;
    return vault_fail(err, VAULT_CORRUPT,
                      "tiles are missing in %s: put them back as they were published", ledger->dir);
}

/* What is remembered from before the journal begins, and the published root, against the tiles. */
static enum vault_code check_tiles(struct ledger *ledger, const struct journal_walk *walk,
                                   uint64_t pruned_below, struct vault_error *err)
{
    const struct tree_source nodes = ledger_nodes(ledger);
    for (size_t i = 0; i < walk->remembered_count; i++) {
        const struct ledger_head *head = &walk->remembered[i];
        struct tree_hash root;
        const bool walked = i > 0 && head->size >= walk->begins_at;
        if (walked || head->size < pruned_below)
            continue;
        VAULT_TRY(tree_root(&nodes, head->size, &root, err));
        if (!tree_hash_equal(&root, &head->root))
            return vault_fail(err, VAULT_CORRUPT,
                              "the tiles in %s do not give the root that is remembered at %" PRIu64
                              " entries; the log must not be used",
                              ledger->dir, head->size);
    }
    return VAULT_OK;
}

/* The tiles take the place of the journal's beginning, once it is forgotten. */
static enum vault_code join_tiles(struct ledger *ledger, const struct journal_walk *walk,
                                  uint64_t pruned_below, struct vault_error *err)
{
    const enum vault_code code =
        walk->begins_at ? check_tiles(ledger, walk, pruned_below, err) : VAULT_OK;
    return tiles_are_needed(ledger, code, err);
}

/* Read the journal against everything that is remembered, and take its state over. */
static enum vault_code recover(struct ledger *ledger, const struct ledger_options *options,
                               struct journal_walk *walk, struct vault_error *err)
{
    struct ledger_head remembered[REMEMBERED_MAX];
    if (options->remembered_count >= REMEMBERED_MAX)
        return vault_fail(err, VAULT_TOO_LARGE, "more than %u checkpoints to compare the log with",
                          REMEMBERED_MAX - 1);
    VAULT_TRY(read_published(options, &remembered[0], err));
    for (size_t i = 0; i < options->remembered_count; i++)
        remembered[i + 1] = options->remembered[i];
    const uint64_t published = remembered[0].size;
    VAULT_TRY(
        edge_new(published, LEDGER_UNPUBLISHED_MAX + LEDGER_OUTSTANDING_MAX, &ledger->edge, err));
    VAULT_TRY(tile_source_new(ledger->dir, TREE_MAX_SIZE, &ledger->tiles, err));
    if (journal_begins_at(ledger->journal) > 0)
        VAULT_TRY(tiles_are_needed(ledger, load_edge(ledger, published, err), err));
    *walk = (struct journal_walk){.key = &options->signer->key,
                                  .former = options->former,
                                  .former_count = options->former_count,
                                  .remembered = remembered,
                                  .remembered_count = options->remembered_count + 1,
                                  .wanted = published / TILE_WIDTH * TILE_WIDTH,
                                  .sink = edge_add,
                                  .context = ledger->edge};
    VAULT_TRY(journal_walk(ledger->journal, walk, err));
    if (edge_overflowed(ledger->edge))
        return vault_fail(err, VAULT_CORRUPT,
                          "more entries than ever wait to be published are behind the checkpoint "
                          "in %s: put the published checkpoint back",
                          ledger->dir);
    VAULT_TRY(join_tiles(ledger, walk, options->pruned_below, err));
    walk->remembered = NULL;
    ledger->published_size = published;
    ledger->published_at_ms = clock_monotonic_ms();
    ledger->base_index = walk->wanted;
    ledger->base = walk->wanted_place;
    return VAULT_OK;
}

/* The state that the journal ends with, signed by the key that the log has now. */
static enum vault_code take_over(struct ledger *ledger, const struct journal_walk *walk,
                                 struct vault_error *err)
{
    ledger->frontier = walk->frontier;
    ledger->written_time_ms = ledger->last_time_ms = walk->last_time_ms;
    ledger->next_index = walk->frontier.size;
    ledger->reserve_fails = !journal_can_turn(ledger->journal);
    ledger->durable.head =
        (struct ledger_head){walk->frontier.size, tree_frontier_root(&walk->frontier)};
    if (ledger->published_size < ledger->durable.head.size)
        ledger->unpublished_since_ms = clock_monotonic_ms();
    return ledger_sign_head(ledger, &ledger->durable, err);
}

/* The publisher only does what is new. */
static enum vault_code publish_empty(struct ledger *ledger, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    ledger_write_checkpoint(ledger, &ledger->durable, &note);
    return publish_checkpoint(ledger->dir, &note, err);
}

static enum vault_code start_threads(struct ledger *ledger, struct vault_error *err)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    /* Signals are for the program's own threads; a write past a limit is an error, not a signal. */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ledger->writer_runs = ledger->publisher_runs = true;
    ledger->writer_made = pthread_create(&ledger->writer, NULL, writer_main, ledger) == 0;
    ledger->publisher_made = ledger->writer_made &&
                             pthread_create(&ledger->publisher, NULL, publisher_main, ledger) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!ledger->publisher_made)
        return vault_fail(err, VAULT_NO_MEMORY, "a thread of the access log cannot be started");
    return VAULT_OK;
}

/* Say in the log itself what was dropped. */
static enum vault_code enter_recovery(struct ledger *ledger, uint64_t dropped,
                                      struct vault_error *err)
{
    const struct entry entry = {.event = ENTRY_RECOVER, .count = dropped};
    return ledger_append(ledger, &entry, (struct bytes){0}, NULL, err);
}

enum vault_code ledger_open(const struct ledger_options *options, struct ledger **out,
                            struct vault_error *err)
{
    VAULT_AUTO(ledger_close) struct ledger *ledger = NULL;
    struct journal_walk walk;
    char path[PATH_MAX];
    VAULT_TRY(ledger_new(options, &ledger, err));
    VAULT_TRY(journal_open(options->dir, &ledger->journal, err));
    VAULT_TRY(recover(ledger, options, &walk, err));
    VAULT_TRY(journal_start(ledger->journal, &walk, err));
    VAULT_TRY(new_path(path, options->dir, "new", err));
    VAULT_TRY(folder_create(path, err));
    VAULT_TRY(take_over(ledger, &walk, err));
    if (ledger->durable.head.size == 0)
        VAULT_TRY(publish_empty(ledger, err));
    VAULT_TRY(start_threads(ledger, err));
    if (walk.is_torn)
        VAULT_TRY(enter_recovery(ledger, walk.torn_entries, err));
    *out = VAULT_TAKE(ledger);
    return VAULT_OK;
}

static bool threads_run(const struct ledger *ledger)
{
    return (ledger->writer_made && ledger->writer_runs) ||
           (ledger->publisher_made && ledger->publisher_runs);
}

/* Let the threads end; false if one hangs in the disk. */
static bool end_threads(struct ledger *ledger)
{
    const int64_t until_ms = clock_monotonic_ms() + CLOSE_GRACE_MS;
    pthread_mutex_lock(&ledger->mutex);
    ledger->is_stopping = true;
    pthread_cond_broadcast(&ledger->work);
    pthread_cond_broadcast(&ledger->to_publish);
    while (threads_run(ledger) && clock_monotonic_ms() < until_ms)
        ledger_wait_until(ledger, &ledger->ended, until_ms);
    const bool ended = !threads_run(ledger);
    if (!ended)
        ledger_stop_for_good(ledger, "the disk does not answer");
    pthread_mutex_unlock(&ledger->mutex);
    return ended;
}

static void join_threads(struct ledger *ledger)
{
    if (ledger->writer_made)
        pthread_join(ledger->writer, NULL);
    if (ledger->publisher_made)
        pthread_join(ledger->publisher, NULL);
    ledger->writer_made = ledger->publisher_made = false;
}

enum vault_code ledger_stop(struct ledger *ledger, struct vault_error *err)
{
    if (!end_threads(ledger))
        return vault_fail(err, VAULT_UNAVAILABLE, "the access log has stopped: %.400s",
                          ledger->reason);
    const bool was_running = ledger->writer_made;
    join_threads(ledger);
    if (ledger->is_stopped)
        return ledger_check_running(ledger, err);
    if (was_running)
        VAULT_TRY(journal_finish(ledger->journal, err));
    if (ledger->published_size < ledger->durable.head.size)
        return vault_fail(err, VAULT_UNAVAILABLE,
                          "the last entries are durable but not published: %.400s",
                          ledger->publish_problem);
    return VAULT_OK;
}

void ledger_close(struct ledger **closing)
{
    struct ledger *ledger = *closing;
    *closing = NULL;
    if (!ledger)
        return;
    if (ledger->writer_made && ledger_stop(ledger, NULL) != VAULT_OK && ledger->writer_made)
        return; /* a thread hangs in the disk and still uses all this: it must stay */
    journal_close(&ledger->journal);
    edge_free(&ledger->edge);
    tile_source_free(&ledger->tiles);
    for (unsigned i = 0; i < BATCH_COUNT; i++)
        free(ledger->batches[i].data);
    free(ledger);
}

enum vault_code ledger_health(struct ledger *ledger, struct vault_error *err)
{
    pthread_mutex_lock(&ledger->mutex);
    ledger_check_hang(ledger);
    enum vault_code code = ledger_check_running(ledger, err);
    if (code == VAULT_OK)
        code = queue_check(ledger, err);
    pthread_mutex_unlock(&ledger->mutex);
    return code;
}

enum vault_code ledger_forget(struct ledger *ledger, uint64_t filed, struct vault_error *err)
{
    const uint64_t published = ledger_published_size(ledger) / TILE_WIDTH * TILE_WIDTH;
    return journal_forget(ledger->journal, filed < published ? filed : published, err);
}

bool ledger_has_stopped(struct ledger *ledger)
{
    pthread_mutex_lock(&ledger->mutex);
    ledger_check_hang(ledger);
    const bool stopped = ledger->is_stopped;
    pthread_mutex_unlock(&ledger->mutex);
    return stopped;
}

enum vault_code ledger_vkey(struct ledger *ledger, struct buf *out, struct vault_error *err)
{
    char text[NOTE_KEY_CHARS_MAX];
    note_key_print(&ledger->signer->key, text);
    buf_text(out, text);
    return buf_check(out, err);
}
