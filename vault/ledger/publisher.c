/* The publisher: reads back what is durable, hashes it again, and puts it where everyone can see.
 */
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "outbox.h"
#include "state.h"
#include "vault/base/file.h"
#include "vault/ledger/checkpoint.h"

enum vault_code publish_checkpoint(const char *dir, const struct buf *note, struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_TRY(buf_check(note, err));
    VAULT_TRY(file_join(path, sizeof path, dir, "checkpoint", err));
    return file_replace(path, buf_view(note), 0600, err);
}

/* The checkpoint with what others signed when it was presented to them. */
static enum vault_code publish_presented(struct ledger *ledger, const struct signed_head *target,
                                         struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf lines = buf_limited(CHECKPOINT_MAX_BYTES / 2);
    ledger_write_checkpoint(ledger, target, &note);
    VAULT_TRY(buf_check(&note, err));
    if (!ledger->anchor.present)
        return publish_checkpoint(ledger->dir, &note, err);
    const struct ledger_presented presented = {buf_view(&note), target->head, ledger};
    const int64_t again_ms = ledger->anchor.present(ledger->anchor.context, &presented, &lines);
    pthread_mutex_lock(&ledger->mutex);
    ledger->present_due_ms = clock_monotonic_ms() + again_ms;
    pthread_mutex_unlock(&ledger->mutex);
    if (!lines.problem)
        buf_bytes(&note, buf_view(&lines));
    return publish_checkpoint(ledger->dir, &note, err);
}

enum vault_code ledger_prove_growth(const struct ledger_presented *presented, uint64_t old_size,
                                    struct tree_proof *proof, struct tree_hash *old_root,
                                    struct vault_error *err)
{
    struct ledger *ledger = presented->ledger;
    const struct ledger_head *head = &presented->head;
    pthread_mutex_lock(&ledger->proof_mutex);
    const struct tree_source nodes = ledger_nodes(ledger);
    enum vault_code code = tree_prove_consistency(&nodes, old_size, head->size, proof, err);
    if (code == VAULT_OK)
        code = tree_root(&nodes, old_size, old_root, err);
    pthread_mutex_unlock(&ledger->proof_mutex);
    VAULT_TRY(code);
    if (tree_check_consistency(proof, old_size, head->size, old_root, &head->root, NULL))
        return vault_fail(err, VAULT_CORRUPT, "the tiles do not prove how the log grew");
    return VAULT_OK;
}

/* A copy of a tile's hashes out of the edge. */
static enum vault_code copy_tile(struct ledger *ledger, struct tile_name name,
                                 struct tree_hash out[TILE_WIDTH], struct vault_error *err)
{
    pthread_mutex_lock(&ledger->edge_mutex);
    const struct tree_hash *tile = edge_tile(ledger->edge, name);
    if (tile)
        memcpy(out, tile, name.width * sizeof *out);
    pthread_mutex_unlock(&ledger->edge_mutex);
    if (!tile)
        return vault_fail(err, VAULT_CORRUPT, "hashes to be published are not in memory");
    return VAULT_OK;
}

/* The entries of a bundle as the journal has them. Each must still have the hash that was signed:
 * what is published is what was read back, not what was once in memory. */
static enum vault_code read_bundle(struct ledger_reader *reader, struct tile_name name,
                                   const struct tree_hash hashes[TILE_WIDTH], struct buf *bundle,
                                   struct vault_error *err)
{
    buf_clear(bundle);
    for (unsigned i = 0; i < name.width; i++) {
        struct ledger_record record;
        VAULT_TRY(ledger_reader_take(reader, &record, err));
        if (!tree_hash_equal(&record.leaf, &hashes[i]))
            return vault_fail(err, VAULT_CORRUPT,
                              "entry %" PRIu64 " reads back otherwise than it was signed",
                              record.index);
        tile_bundle_append(bundle, record.entry);
    }
    return buf_check(bundle, err);
}

static struct bytes bytes_of_hashes(const struct tree_hash hashes[], unsigned count)
{
    return (struct bytes){hashes[0].bytes, count * sizeof *hashes};
}

/* Bundles and level 0, from the last full bundle on. *base is where the next ones begin. */
static enum vault_code put_entries(struct ledger *ledger, uint64_t size, struct outbox *outbox,
                                   struct journal_place *base, struct vault_error *err)
{
    VAULT_AUTO(ledger_reader_close) struct ledger_reader *reader = NULL;
    VAULT_AUTO(buf_finish) struct buf bundle = buf_limited(TILE_BUNDLE_BYTES);
    VAULT_TRY(ledger_reader_at(ledger, ledger->base_index, ledger->base, &reader, err));
    for (uint64_t at = ledger->base_index; at < size; at += TILE_WIDTH) {
        struct tree_hash hashes[TILE_WIDTH];
        const struct tile_name tile = tile_of(size, 0, at / TILE_WIDTH);
        struct tile_name entries = tile;
        entries.level = TILE_ENTRIES;
        *base = ledger_reader_place(reader);
        VAULT_TRY(copy_tile(ledger, tile, hashes, err));
        VAULT_TRY(read_bundle(reader, entries, hashes, &bundle, err));
        VAULT_TRY(outbox_put(outbox, entries, buf_view(&bundle), err));
        VAULT_TRY(outbox_put(outbox, tile, bytes_of_hashes(hashes, tile.width), err));
    }
    if (size % TILE_WIDTH == 0)
        *base = ledger_reader_place(reader);
    return VAULT_OK;
}

/* The tiles of the higher levels that have changed since the last time. */
static enum vault_code put_tiles(struct ledger *ledger, uint64_t old_size, uint64_t size,
                                 struct outbox *outbox, struct vault_error *err)
{
    for (int level = 1; tile_hash_count(size, level) > tile_hash_count(old_size, level); level++) {
        const uint64_t count = tile_hash_count(size, level);
        for (uint64_t i = tile_hash_count(old_size, level) / TILE_WIDTH; i * TILE_WIDTH < count;
             i++) {
            struct tree_hash hashes[TILE_WIDTH];
            const struct tile_name name = tile_of(size, level, i);
            VAULT_TRY(copy_tile(ledger, name, hashes, err));
            VAULT_TRY(outbox_put(outbox, name, bytes_of_hashes(hashes, name.width), err));
        }
    }
    return VAULT_OK;
}

/* The first tile of each level that has become full may have had partial ones before. */
static void remove_partials(const char *dir, uint64_t old_size, uint64_t size)
{
    for (int level = TILE_ENTRIES; level < TILE_LEVELS; level++) {
        const struct tile_name name =
            tile_of(size, level, tile_hash_count(old_size, level) / TILE_WIDTH);
        if (name.width == TILE_WIDTH)
            outbox_remove_partials(dir, name);
    }
}

/* The tiles must lead to the root that was signed. */
static enum vault_code check_root(struct ledger *ledger, const struct ledger_head *head,
                                  struct vault_error *err)
{
    struct tree_hash root;
    pthread_mutex_lock(&ledger->proof_mutex);
    const struct tree_source nodes = ledger_nodes(ledger);
    const enum vault_code code = tree_root(&nodes, head->size, &root, err);
    pthread_mutex_unlock(&ledger->proof_mutex);
    if (code == VAULT_OK && !tree_hash_equal(&root, &head->root))
        return vault_fail(err, VAULT_CORRUPT, "the tiles do not give the root that was signed");
    return code;
}

enum vault_code publish_to(struct ledger *ledger, const struct signed_head *target,
                           struct vault_error *err)
{
    const uint64_t size = target->head.size;
    const uint64_t old_size = ledger->published_size; /* only this thread changes it */
    struct journal_place base = ledger->base;
    VAULT_AUTO(outbox_finish) struct outbox outbox = outbox_of(ledger->dir);
    VAULT_TRY(check_root(ledger, &target->head, err));
    if (size > old_size) {
        VAULT_TRY(put_entries(ledger, size, &outbox, &base, err));
        VAULT_TRY(put_tiles(ledger, old_size, size, &outbox, err));
        VAULT_TRY(outbox_send(&outbox, err));
    }
    VAULT_TRY(publish_presented(ledger, target, err));
    pthread_mutex_lock(&ledger->mutex);
    ledger->base = base;
    ledger->base_index = size / TILE_WIDTH * TILE_WIDTH;
    pthread_mutex_unlock(&ledger->mutex);
    remove_partials(ledger->dir, old_size, size);
    pthread_mutex_lock(&ledger->edge_mutex);
    edge_drop(ledger->edge, size);
    pthread_mutex_unlock(&ledger->edge_mutex);
    return VAULT_OK;
}

/* With the mutex held, but not while the files are written. */
static void publish_once(struct ledger *ledger)
{
    const struct signed_head target = ledger->durable;
    const int64_t began_ms = clock_monotonic_ms();
    struct vault_error why;
    ledger->publish_asked = ledger->present_asked = false;
    ledger->present_due_ms = began_ms + IDLE_MS; /* unless what follows gets to say otherwise */
    pthread_mutex_unlock(&ledger->mutex);
    const enum vault_code code = publish_to(ledger, &target, &why);
    pthread_mutex_lock(&ledger->mutex);
    ledger->publish_fails = code != VAULT_OK;
    if (code == VAULT_CORRUPT)
        ledger_stop_for_good(ledger, why.text);
    if (code) {
        memcpy(ledger->publish_problem, why.text, sizeof why.text);
        return;
    }
    ledger->presented++;
    ledger->published_size = target.head.size;
    ledger->published_at_ms = clock_monotonic_ms();
    ledger->unpublished_since_ms = ledger->durable.head.size > target.head.size ? began_ms : 0;
    pthread_cond_broadcast(&ledger->published_more);
}

static bool all_is_published(const struct ledger *ledger)
{
    return ledger->durable.head.size == ledger->published_size;
}

/* Whether the checkpoint is to be presented even if nothing is new. */
static bool presents(const struct ledger *ledger)
{
    return ledger->anchor.present && ledger->writer_runs &&
           (ledger->present_asked || clock_monotonic_ms() >= ledger->present_due_ms);
}

/* Whether to publish at once: somebody waits for it, the end has come, or too much has gathered. */
static bool is_hurried(const struct ledger *ledger)
{
    const uint64_t waiting = ledger->durable.head.size - ledger->published_size;
    return !ledger->publish_fails &&
           (ledger->publish_asked || ledger->present_asked || !ledger->writer_runs ||
            (waiting >= LEDGER_UNPUBLISHED_MAX / 4 && ledger->anchor.present));
}

/*
 * When to publish what is new, unasked. Where each publication asks others to sign, that is less
 * often, yet not later than they are to be asked anyway; and counted from when the last one began:
 * the answers may take seconds, and an entry is to be published LEDGER_PUBLISH_WITHIN_MS after it
 * came all the same.
 */
static int64_t due_at(const struct ledger *ledger, int64_t began_ms, int64_t ended_ms)
{
    const int64_t often_ms = ended_ms + LEDGER_PUBLISH_EVERY_MS;
    int64_t seldom_ms = began_ms + LEDGER_PUBLISH_ANCHORED_MS;
    if (!ledger->anchor.present || ledger->publish_fails || began_ms == 0)
        return often_ms;
    if (ledger->present_due_ms < seldom_ms)
        seldom_ms = ledger->present_due_ms;
    return seldom_ms > often_ms ? seldom_ms : often_ms;
}

/* Wait until there is something to publish and it is time to, or until the end. A failure is tried
 * again after a while, not at once. */
static void wait_for_work(struct ledger *ledger, int64_t due_ms)
{
    for (;;) {
        const int64_t now_ms = clock_monotonic_ms();
        const bool is_ending = !ledger->writer_runs;
        if (all_is_published(ledger) ? is_ending || presents(ledger)
                                     : is_hurried(ledger) || now_ms >= due_ms)
            return;
        const int64_t look_ms = now_ms + IDLE_MS; /* nobody says that much has gathered */
        ledger_wait_until(ledger, &ledger->to_publish,
                          !all_is_published(ledger) && due_ms < look_ms ? due_ms : look_ms);
    }
}

/* Whether to leave the rest unpublished: at a clean stop after a while, else at once. */
static bool gives_up(const struct ledger *ledger, int64_t ending_since_ms)
{
    if (ledger->writer_runs || !ledger->publish_fails)
        return false;
    return ledger->is_stopped ||
           (ending_since_ms && clock_monotonic_ms() - ending_since_ms >= LEDGER_HANG_MS);
}

void *publisher_main(void *context)
{
    struct ledger *ledger = context;
    int64_t began_ms = 0;
    int64_t ended_ms = 0;
    int64_t ending_since_ms = 0;
    pthread_mutex_lock(&ledger->mutex);
    while ((ledger->writer_runs || !all_is_published(ledger)) &&
           !gives_up(ledger, ending_since_ms)) {
        wait_for_work(ledger, due_at(ledger, began_ms, ended_ms));
        if (!ledger->writer_runs && ending_since_ms == 0)
            ending_since_ms = clock_monotonic_ms();
        if (!all_is_published(ledger) || presents(ledger)) {
            began_ms = clock_monotonic_ms();
            publish_once(ledger);
        }
        ended_ms = clock_monotonic_ms();
    }
    ledger->publisher_runs = false;
    pthread_cond_broadcast(&ledger->published_more);
    pthread_cond_broadcast(&ledger->ended);
    pthread_mutex_unlock(&ledger->mutex);
    return NULL;
}

enum vault_code ledger_present(struct ledger *ledger, int64_t timeout_ms, struct vault_error *err)
{
    enum vault_code code = VAULT_OK;
    const int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    if (!ledger->anchor.present)
        return VAULT_OK;
    pthread_mutex_lock(&ledger->mutex);
    const uint64_t before = ledger->presented;
    ledger->present_asked = true;
    pthread_cond_signal(&ledger->to_publish);
    while (ledger->presented == before && ledger->publisher_runs && clock_monotonic_ms() < until_ms)
        ledger_wait_until(ledger, &ledger->published_more, until_ms);
    if (ledger->presented == before) {
        code = ledger_check_running(ledger, err);
        if (code == VAULT_OK)
            code = vault_fail(err, VAULT_UNAVAILABLE, "presenting the checkpoint takes too long");
    }
    pthread_mutex_unlock(&ledger->mutex);
    return code;
}

struct ledger_stats ledger_stats(struct ledger *ledger)
{
    pthread_mutex_lock(&ledger->mutex);
    const uint64_t size = ledger->durable.head.size;
    struct ledger_stats stats = {.size = size,
                                 .waiting = ledger->next_index - size,
                                 .unpublished = size - ledger->published_size,
                                 .published_ms = clock_monotonic_ms() - ledger->published_at_ms,
                                 .batches = ledger->batches_done,
                                 .batches_ns = ledger->batches_ns};
    memcpy(stats.batches_within, ledger->batches_within, sizeof stats.batches_within);
    pthread_mutex_unlock(&ledger->mutex);
    return stats;
}

uint64_t ledger_published_size(struct ledger *ledger)
{
    pthread_mutex_lock(&ledger->mutex);
    const uint64_t size = ledger->published_size;
    pthread_mutex_unlock(&ledger->mutex);
    return size;
}

enum vault_code ledger_wait_published(struct ledger *ledger, uint64_t size, int64_t timeout_ms,
                                      struct vault_error *err)
{
    enum vault_code code = VAULT_OK;
    const int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    pthread_mutex_lock(&ledger->mutex);
    ledger->publish_asked = true;
    pthread_cond_signal(&ledger->to_publish);
    while (ledger->published_size < size && ledger->publisher_runs &&
           clock_monotonic_ms() < until_ms)
        ledger_wait_until(ledger, &ledger->published_more, until_ms);
    if (ledger->published_size < size) {
        code = ledger_check_running(ledger, err);
        if (code == VAULT_OK)
            code = vault_fail(err, VAULT_UNAVAILABLE, "publishing the access log takes too long");
    }
    pthread_mutex_unlock(&ledger->mutex);
    return code;
}
