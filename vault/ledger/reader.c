/* Readers of the journal, and the nodes of the tree for proofs. */
#include <inttypes.h>
#include <stdlib.h>

#include "state.h"
#include "vault/base/file.h"
#include "vault/ledger/checkpoint.h"
#include "vault/ledger/proof.h"

struct ledger_reader {
    struct ledger *ledger;
    uint64_t next; /* index of the next entry */
    int fd;
    uint64_t segment; /* first index of the open one */
    struct frame_source source;
};

static enum vault_code open_segment(struct ledger_reader *reader, struct journal_place place,
                                    struct vault_error *err)
{
    VAULT_AUTO(file_close) int fd = -1;
    struct frame_source source;
    VAULT_TRY(journal_open_segment(reader->ledger->journal, place.segment, &fd, err));
    VAULT_TRY(frame_source_open(&source, fd, place.offset, err));
    frame_source_close(&reader->source);
    file_close(&reader->fd);
    reader->source = source;
    reader->segment = place.segment;
    reader->fd = fd;
    fd = -1;
    return VAULT_OK;
}

/* A place is where an entry was to come, but a segment may have begun with it meanwhile, and the
 * one of the place been forgotten. */
enum vault_code ledger_reader_at(struct ledger *ledger, uint64_t index, struct journal_place place,
                                 struct ledger_reader **out, struct vault_error *err)
{
    uint64_t segment = 0;
    VAULT_TRY(journal_segment_of(ledger->journal, index, &segment, err));
    if (segment != place.segment)
        place = (struct journal_place){.segment = segment};
    VAULT_AUTO(ledger_reader_close) struct ledger_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    reader->ledger = ledger;
    reader->next = index;
    reader->fd = -1;
    VAULT_TRY(open_segment(reader, place, err));
    *out = VAULT_TAKE(reader);
    return VAULT_OK;
}

/* What is not published yet is looked for where the published bundles end, and not from the
 * beginning of a segment, before which there may be much. */
enum vault_code ledger_reader_open(struct ledger *ledger, uint64_t from_index,
                                   struct ledger_reader **out, struct vault_error *err)
{
    struct journal_place place = {0};
    pthread_mutex_lock(&ledger->mutex);
    if (from_index >= ledger->base_index)
        place = ledger->base;
    pthread_mutex_unlock(&ledger->mutex);
    return ledger_reader_at(ledger, from_index, place, out, err);
}

void ledger_reader_close(struct ledger_reader **reader)
{
    if (*reader) {
        frame_source_close(&(*reader)->source);
        file_close(&(*reader)->fd);
        free(*reader);
    }
    *reader = NULL;
}

struct journal_place ledger_reader_place(const struct ledger_reader *reader)
{
    return (struct journal_place){reader->segment, reader->source.offset};
}

/* Go to the segment that has the next entry, if that is another. */
static enum vault_code follow(struct ledger_reader *reader, struct vault_error *err)
{
    struct journal_place place = {0};
    VAULT_TRY(journal_segment_of(reader->ledger->journal, reader->next, &place.segment, err));
    return place.segment == reader->segment ? VAULT_OK : open_segment(reader, place, err);
}

enum vault_code ledger_reader_take(struct ledger_reader *reader, struct ledger_record *out,
                                   struct vault_error *err)
{
    struct frame frame;
    bool found = true;
    VAULT_TRY(follow(reader, err));
    do {
        VAULT_TRY(frame_source_next(&reader->source, &frame, &found, err));
    } while (found && (frame.type != FRAME_ENTRY || frame.number < reader->next));
    if (!found || frame.number != reader->next)
        return vault_fail(err, VAULT_CORRUPT, "entry %" PRIu64 " is not in the journal any more",
                          reader->next);
    reader->next++;
    *out = (struct ledger_record){
        .index = frame.number,
        .leaf = tree_leaf(frame.first),
        .entry = frame.first,
        .opening = frame.second,
    };
    return VAULT_OK;
}

/* Wait until the entry is durable. */
static enum vault_code wait_for(struct ledger *ledger, uint64_t index, int64_t timeout_ms,
                                struct vault_error *err)
{
    enum vault_code code = VAULT_OK;
    const int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    pthread_mutex_lock(&ledger->mutex);
    while (ledger->durable.head.size <= index && ledger->writer_runs &&
           clock_monotonic_ms() < until_ms)
        ledger_wait_until(ledger, &ledger->more, until_ms);
    if (ledger->durable.head.size <= index) {
        code = ledger_check_running(ledger, err);
        if (code == VAULT_OK)
            code = vault_fail(err, VAULT_NOT_FOUND, "there is no entry %" PRIu64 " yet", index);
    }
    pthread_mutex_unlock(&ledger->mutex);
    return code;
}

enum vault_code ledger_reader_next(struct ledger_reader *reader, int64_t timeout_ms,
                                   struct ledger_record *out, struct vault_error *err)
{
    VAULT_TRY(wait_for(reader->ledger, reader->next, timeout_ms, err));
    return ledger_reader_take(reader, out, err);
}

static enum vault_code node(void *context, unsigned level, uint64_t index, struct tree_hash *out,
                            struct vault_error *err)
{
    struct ledger *ledger = context;
    pthread_mutex_lock(&ledger->edge_mutex);
    const bool found = edge_node(ledger->edge, level, index, out);
    pthread_mutex_unlock(&ledger->edge_mutex);
    if (found)
        return VAULT_OK;
    const struct tree_source tiles = tile_source_nodes(ledger->tiles);
    return tiles.node(tiles.context, level, index, out, err);
}

struct tree_source ledger_nodes(struct ledger *ledger)
{
    return (struct tree_source){.node = node, .context = ledger};
}

static struct signed_head durable_of(struct ledger *ledger)
{
    pthread_mutex_lock(&ledger->mutex);
    const struct signed_head durable = ledger->durable;
    pthread_mutex_unlock(&ledger->mutex);
    return durable;
}

struct ledger_head ledger_head(struct ledger *ledger)
{
    return durable_of(ledger).head;
}

enum vault_code ledger_checkpoint(struct ledger *ledger, struct buf *out, struct vault_error *err)
{
    const struct signed_head durable = durable_of(ledger);
    ledger_write_checkpoint(ledger, &durable, out);
    return buf_check(out, err);
}

enum vault_code ledger_prove(struct ledger *ledger, uint64_t index, struct buf *out,
                             struct vault_error *err)
{
    const struct signed_head durable = durable_of(ledger);
    struct proof proof = {.index = index};
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    if (index >= durable.head.size)
        return vault_fail(err, VAULT_NOT_FOUND, "there is no entry %" PRIu64 " yet", index);
    pthread_mutex_lock(&ledger->proof_mutex);
    const struct tree_source nodes = ledger_nodes(ledger);
    const enum vault_code code =
        tree_prove_inclusion(&nodes, index, durable.head.size, &proof.path, err);
    pthread_mutex_unlock(&ledger->proof_mutex);
    VAULT_TRY(code);
    ledger_write_checkpoint(ledger, &durable, &note);
    VAULT_TRY(buf_check(&note, err));
    proof.checkpoint = buf_view(&note);
    proof_write(&proof, out);
    return buf_check(out, err);
}

enum vault_code ledger_entry(struct ledger *ledger, uint64_t index, struct buf *out,
                             struct vault_error *err)
{
    return tile_read_entry(ledger->dir, ledger_published_size(ledger), index, out, err);
}
