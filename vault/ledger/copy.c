/* A copy of the log while it is written to, a look at such a copy, and a journal for one that has
 * lost its own. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state.h"
#include "vault/base/file.h"
#include "vault/ledger/checkpoint.h"
#include "vault/ledger/copy.h"

/* --- The published files -------------------------------------------------------------------- */

struct copying {
    const char *dir;
    uint64_t size;         /* of the checkpoint */
    uint64_t pruned_below; /* what is before may be missing */
    file_taker *take;
    void *context;
};

static enum vault_code read_size(int fd, uint64_t *size, struct vault_error *err)
{
    struct checkpoint checkpoint;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    uint8_t *text = buf_extend(&note, CHECKPOINT_MAX_BYTES);
    VAULT_TRY(buf_check(&note, err));
    const ssize_t got = pread(fd, text, CHECKPOINT_MAX_BYTES, 0);
    if (got < 0)
        return vault_fail_errno(err, "reading the published checkpoint");
    VAULT_TRY(checkpoint_parse((struct bytes){text, (size_t)got}, &checkpoint, err));
    *size = checkpoint.size;
    return VAULT_OK;
}

/* The checkpoint first: the tiles that it stands on are there before it is, and stay. */
static enum vault_code take_checkpoint(void *context, const char *name, int fd, uint64_t size_bytes,
                                       struct vault_error *err)
{
    struct copying *copying = context;
    VAULT_TRY(read_size(fd, &copying->size, err));
    return copying->take(copying->context, name, fd, size_bytes, err);
}

static bool is_pruned(const struct copying *copying, struct tile_name name)
{
    const unsigned shift = TILE_HEIGHT * ((name.level < 0 ? 0U : (unsigned)name.level) + 1);
    return name.width == TILE_WIDTH && ((name.index + 1) << shift) <= copying->pruned_below;
}

/* A full tile may stand in a partial one's place: then its beginning is what is meant. */
static enum vault_code give_tile(struct copying *copying, struct tile_name name,
                                 struct vault_error *err)
{
    char path[JOURNAL_PATH_BYTES];
    char relative[TILE_PATH_CHARS];
    tile_path(relative, name);
    VAULT_TRY(file_join(path, sizeof path, copying->dir, relative, err));
    enum vault_code code = folder_give(path, relative, copying->take, copying->context, err);
    if (code == VAULT_NOT_FOUND && name.width < TILE_WIDTH) {
        name.width = TILE_WIDTH;
        tile_path(relative, name);
        VAULT_TRY(file_join(path, sizeof path, copying->dir, relative, err));
        code = folder_give(path, relative, copying->take, copying->context, err);
    }
    if (code == VAULT_NOT_FOUND && is_pruned(copying, name))
        return VAULT_OK;
    if (code == VAULT_NOT_FOUND)
        return vault_fail(err, VAULT_CORRUPT, "the published file %s is missing", path);
    return code;
}

static enum vault_code give_level(struct copying *copying, int level, struct vault_error *err)
{
    const uint64_t count = tile_hash_count(copying->size, level);
    for (uint64_t i = 0; i * TILE_WIDTH < count; i++) {
        const struct tile_name name = tile_of(copying->size, level, i);
        if (name.width)
            VAULT_TRY(give_tile(copying, name, err));
    }
    return VAULT_OK;
}

enum vault_code ledger_copy_published(const char *dir, uint64_t pruned_below, file_taker *take,
                                      void *context, struct vault_error *err)
{
    char path[JOURNAL_PATH_BYTES];
    struct copying copying = {dir, 0, pruned_below, take, context};
    VAULT_TRY(file_join(path, sizeof path, dir, "checkpoint", err));
    VAULT_TRY(folder_give(path, "checkpoint", take_checkpoint, &copying, err));
    for (int level = TILE_ENTRIES; level < TILE_LEVELS; level++)
        VAULT_TRY(give_level(&copying, level, err));
    return VAULT_OK;
}

/* --- The journal ---------------------------------------------------------------------------- */

static enum vault_code first_frame(int fd, struct frame_segment *out, uint64_t *size,
                                   struct vault_error *err)
{
    struct frame frame;
    bool found = false;
    VAULT_AUTO(frame_source_close) struct frame_source source = {.fd = -1};
    VAULT_TRY(frame_source_open(&source, fd, 0, err));
    VAULT_TRY(frame_source_next(&source, &frame, &found, err));
    if (!found || !frame_read_segment(&frame, out))
        return vault_fail(err, VAULT_CORRUPT, "a segment of the journal does not begin as it must");
    *size = frame.size;
    return VAULT_OK;
}

enum vault_code ledger_turn(struct ledger *ledger, struct ledger_head *head,
                            struct vault_error *err)
{
    uint64_t size = 0;
    struct frame_segment segment;
    VAULT_AUTO(file_close) int fd = -1;
    VAULT_TRY(ledger_begin_segment(ledger, err));
    uint64_t newest = journal_begins_at(ledger->journal);
    while (journal_next_segment(ledger->journal, newest, &newest))
        ;
    VAULT_TRY(journal_open_segment(ledger->journal, newest, &fd, err));
    VAULT_TRY(first_frame(fd, &segment, &size, err));
    *head = (struct ledger_head){segment.frontier.size, tree_frontier_root(&segment.frontier)};
    return VAULT_OK;
}

static enum vault_code give_segment(const struct journal *journal, uint64_t first, bool whole,
                                    file_taker *take, void *context, struct vault_error *err)
{
    char path[JOURNAL_PATH_BYTES];
    char name[SEGMENT_NAME_CHARS + sizeof "journal/"];
    uint64_t size = 0;
    struct frame_segment segment;
    VAULT_AUTO(file_close) int fd = -1;
    VAULT_TRY(journal_segment_path(path, journal, first, err));
    snprintf(name, sizeof name, "journal/%020" PRIu64 ".segment", first);
    if (whole)
        return folder_give(path, name, take, context, err);
    VAULT_TRY(journal_open_segment(journal, first, &fd, err));
    VAULT_TRY(first_frame(fd, &segment, &size, err));
    return take(context, name, fd, size, err);
}

static enum vault_code give_segments(struct journal *journal, uint64_t size, file_taker *take,
                                     void *context, struct vault_error *err)
{
    char lock[JOURNAL_PATH_BYTES];
    VAULT_TRY(file_join(lock, sizeof lock, journal->dir, "lock", err));
    VAULT_TRY(folder_give(lock, "journal/lock", take, context, err));
    uint64_t first = journal_begins_at(journal);
    for (uint64_t next = 0; first < size; first = next) {
        VAULT_TRY(give_segment(journal, first, true, take, context, err));
        if (!journal_next_segment(journal, first, &next))
            return vault_fail(err, VAULT_CORRUPT, "the journal does not reach its end");
    }
    /* The state at the end, signed. */
    return give_segment(journal, first, false, take, context, err);
}

enum vault_code ledger_copy_journal(struct ledger *ledger, uint64_t size, file_taker *take,
                                    void *context, struct vault_error *err)
{
    pthread_mutex_lock(&ledger->journal->housekeeping);
    const enum vault_code code = give_segments(ledger->journal, size, take, context, err);
    pthread_mutex_unlock(&ledger->journal->housekeeping);
    return code;
}

enum vault_code ledger_check_journal(const char *dir, const struct checkpoint_keys *keys,
                                     const struct ledger_head *head, uint64_t *begins_at,
                                     struct ledger_head *ends, struct vault_error *err)
{
    VAULT_AUTO(journal_close) struct journal *journal = NULL;
    struct journal_walk walk = {.key = keys->key,
                                .former = keys->former,
                                .former_count = keys->former_count,
                                .remembered = head,
                                .remembered_count = 1,
                                .wanted = UINT64_MAX};
    VAULT_TRY(journal_open(dir, &journal, err));
    VAULT_TRY(journal_walk(journal, &walk, err));
    if (begins_at)
        *begins_at = walk.begins_at;
    *ends = (struct ledger_head){walk.frontier.size, tree_frontier_root(&walk.frontier)};
    return VAULT_OK;
}

/* --- A journal for what was published ------------------------------------------------------- */

static enum vault_code read_published(const struct ledger_options *options, struct ledger_head *out,
                                      struct vault_error *err)
{
    char path[JOURNAL_PATH_BYTES];
    struct checkpoint checkpoint;
    const struct checkpoint_keys keys = {&options->signer->key, options->former,
                                         options->former_count};
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    VAULT_TRY(file_join(path, sizeof path, options->dir, "checkpoint", err));
    VAULT_TRY(file_read_regular(path, &note, err));
    VAULT_TRY(checkpoint_parse(buf_view(&note), &checkpoint, err));
    VAULT_TRY(checkpoint_verify_any(&checkpoint, &keys, err));
    *out = (struct ledger_head){checkpoint.size, checkpoint.root};
    return VAULT_OK;
}

/* The right edge of the tree of the first size leaves, a multiple of TILE_WIDTH. */
static enum vault_code frontier_at(const char *dir, uint64_t published, uint64_t size,
                                   struct tree_frontier *out, struct vault_error *err)
{
    enum vault_code code = VAULT_OK;
    struct tile_source *tiles = NULL;
    VAULT_TRY(tile_source_new(dir, published, &tiles, err));
    const struct tree_source nodes = tile_source_nodes(tiles);
    *out = (struct tree_frontier){.size = size};
    for (unsigned level = 0; code == VAULT_OK && level < TREE_MAX_LEVELS; level++) {
        if (size >> level & 1)
            code = nodes.node(nodes.context, level, (size >> level) - 1, &out->nodes[level], err);
    }
    tile_source_free(&tiles);
    return code;
}

static enum vault_code time_of(const char *dir, uint64_t published, uint64_t index,
                               int64_t *time_ms, struct vault_error *err)
{
    struct entry entry;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(ENTRY_MAX_BYTES);
    const enum vault_code code = tile_read_entry(dir, published, index, &text, err);
    if (code) /* pruned: nothing is said of when */
        return code == VAULT_NOT_FOUND ? VAULT_OK : code;
    VAULT_TRY(entry_parse(buf_view(&text), &entry, err));
    *time_ms = entry.time_ms;
    return VAULT_OK;
}

/* One entry, and the log's signature at the size that it makes. */
static enum vault_code write_batch(const struct ledger_options *options,
                                   struct tree_frontier *frontier, struct bytes entry,
                                   struct buf *out, struct vault_error *err)
{
    const struct tree_hash leaf = tree_leaf(entry);
    uint8_t *frame = buf_extend(out, FRAME_OVERHEAD_BYTES + entry.size);
    VAULT_TRY(buf_check(out, err));
    memcpy(frame + FRAME_HEAD_BYTES, entry.data, entry.size);
    frame_close(frame, FRAME_ENTRY, frontier->size, entry.size, 0);
    tree_frontier_add(frontier, &leaf, NULL, NULL);
    const struct ledger_head head = {frontier->size, tree_frontier_root(frontier)};
    struct frame_commit commit = {.size = head.size, .root = head.root};
    VAULT_TRY(ledger_sign(options->signer, &head, commit.signature, err));
    frame = buf_extend(out, FRAME_COMMIT_BYTES);
    VAULT_TRY(buf_check(out, err));
    frame_write_commit(frame, &commit);
    return VAULT_OK;
}

static enum vault_code append_batches(const char *dir, uint64_t first, const struct buf *batches,
                                      struct vault_error *err)
{
    char path[JOURNAL_PATH_BYTES];
    char name[SEGMENT_NAME_CHARS + sizeof "journal/"];
    snprintf(name, sizeof name, "journal/%020" PRIu64 ".segment", first);
    VAULT_TRY(file_join(path, sizeof path, dir, name, err));
    VAULT_AUTO(file_close) int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return vault_fail_errno(err, "opening %s", path);
    VAULT_TRY(file_write_all(fd, buf_view(batches), err));
    return fsync(fd) == 0 ? VAULT_OK : vault_fail_errno(err, "syncing %s", path);
}

enum vault_code ledger_adopt(const struct ledger_options *options, struct vault_error *err)
{
    struct ledger_head published;
    struct frame_segment first = {0};
    VAULT_TRY(read_published(options, &published, err));
    const uint64_t from = published.size / TILE_WIDTH * TILE_WIDTH;
    VAULT_AUTO(buf_finish)
    struct buf batches = buf_limited(
        TILE_WIDTH * (FRAME_OVERHEAD_BYTES + ENTRY_MAX_BYTES + (size_t)FRAME_COMMIT_BYTES));
    VAULT_TRY(frontier_at(options->dir, published.size, from, &first.frontier, err));
    if (from)
        VAULT_TRY(time_of(options->dir, published.size, from - 1, &first.last_time_ms, err));
    struct tree_frontier frontier = first.frontier;
    const struct ledger_head begins = {from, tree_frontier_root(&frontier)};
    VAULT_TRY(ledger_sign(options->signer, &begins, first.signature, err));
    for (uint64_t i = from; i < published.size; i++) {
        VAULT_AUTO(buf_finish) struct buf entry = buf_limited(ENTRY_MAX_BYTES);
        VAULT_TRY(tile_read_entry(options->dir, published.size, i, &entry, err));
        VAULT_TRY(write_batch(options, &frontier, buf_view(&entry), &batches, err));
    }
    const struct tree_hash root = tree_frontier_root(&frontier);
    if (!tree_hash_equal(&root, &published.root))
        return vault_fail(err, VAULT_CORRUPT,
                          "the published files in %s do not give the root of their checkpoint",
                          options->dir);
    VAULT_TRY(journal_create(options->dir, &first, err));
    VAULT_TRY(append_batches(options->dir, from, &batches, err));
    char path[JOURNAL_PATH_BYTES];
    VAULT_TRY(file_join(path, sizeof path, options->dir, "new", err));
    return folder_create(path, err);
}
