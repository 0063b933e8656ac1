/* Walking through the journal: every frame is read and checked before anything is changed. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal.h"
#include "vault/base/file.h"
#include "vault/base/insist.h"
#include "vault/ledger/checkpoint.h"

/* A walk through one segment. The batch is not believed before its commit. */
struct stroll {
    struct journal_walk *walk;
    const char *path;
    uint64_t segment;
    uint64_t batch_count;
    struct tree_hash batch[JOURNAL_BATCH_MAX_ENTRIES];
    int64_t batch_last_time_ms;
};

static enum vault_code damaged(struct vault_error *err, const char *path, uint64_t offset,
                               const char *what)
{
    return vault_fail(err, VAULT_CORRUPT, "%s is damaged at byte %" PRIu64 ": %s", path, offset,
                      what);
}

/* Whether a key of the log's signed that it had this root, the one it has now or one before. */
static bool is_signed(const struct journal_walk *walk, uint64_t size, const struct tree_hash *root,
                      const uint8_t signature[SIGN_SIGNATURE_BYTES])
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CHECKPOINT_TEXT_MAX_BYTES);
    unsigned tries = 0;
    checkpoint_write_text(&text, walk->key->name, size, root); /* always fits */
    while (text.problem) { /* a commit taken for unsigned would be cut off as a torn tail */
        insist_again(&tries, "walking the log");
        buf_clear(&text);
        checkpoint_write_text(&text, walk->key->name, size, root);
    }
    bool found = sign_verify(walk->key->public_key, buf_view(&text), signature, NULL) == VAULT_OK;
    for (size_t i = walk->former_count; i > 0 && !found; i--)
        found = sign_verify(walk->former[i - 1].public_key, buf_view(&text), signature, NULL) ==
                VAULT_OK;
    return found;
}

static const struct ledger_head *remembered_at(const struct journal_walk *walk, uint64_t size)
{
    for (size_t i = 0; i < walk->remembered_count; i++) {
        if (walk->remembered[i].size == size)
            return &walk->remembered[i];
    }
    return NULL;
}

/* Whether everything that is remembered of the log at this size is so. */
static enum vault_code check_remembered(const struct journal_walk *walk, struct vault_error *err)
{
    const uint64_t size = walk->frontier.size;
    if (!remembered_at(walk, size))
        return VAULT_OK;
    const struct tree_hash root = tree_frontier_root(&walk->frontier);
    for (size_t i = 0; i < walk->remembered_count; i++) {
        if (walk->remembered[i].size == size && !tree_hash_equal(&walk->remembered[i].root, &root))
            return vault_fail(err, VAULT_CORRUPT,
                              "the log's first %" PRIu64 " entries are others than those that are "
                              "remembered; it must not be used",
                              size);
    }
    return VAULT_OK;
}

static enum vault_code check_not_older(const struct journal_walk *walk, struct vault_error *err)
{
    for (size_t i = 0; i < walk->remembered_count; i++) {
        if (walk->remembered[i].size > walk->frontier.size)
            return vault_fail(err, VAULT_CORRUPT,
                              "the log has %" PRIu64 " entries, but %" PRIu64 " are remembered: it "
                              "is an older state and must not be used",
                              walk->frontier.size, walk->remembered[i].size);
    }
    return VAULT_OK;
}

/* The next entry of the batch, if it is the one that must come. NULL, or what is wrong with it. */
static const char *take_entry(struct stroll *stroll, const struct frame *frame)
{
    struct journal_walk *walk = stroll->walk;
    struct entry entry;
    if (frame->number != walk->frontier.size + stroll->batch_count)
        return "an entry of another index than its place has";
    if (stroll->batch_count == JOURNAL_BATCH_MAX_ENTRIES)
        return "more entries without a commit than a batch has";
    if (entry_parse(frame->first, &entry, NULL) != VAULT_OK)
        return "an entry that is not as entries must be";
    if (entry.time_ms < stroll->batch_last_time_ms)
        return "an entry that is earlier than the one before";
    if (frame->number == walk->wanted)
        walk->wanted_place = (struct journal_place){stroll->segment, frame->offset};
    stroll->batch_last_time_ms = entry.time_ms;
    stroll->batch[stroll->batch_count++] = tree_leaf(frame->first);
    return NULL;
}

/* Believe a batch: its entries become part of the log if they give the root that was signed. The
 * signature itself is looked at once for each segment, since the roots build on each other. */
static enum vault_code take_commit(struct stroll *stroll, const struct frame *frame,
                                   struct vault_error *err)
{
    struct journal_walk *walk = stroll->walk;
    struct frame_commit commit;
    if (!frame_read_commit(frame, &commit) ||
        commit.size != walk->frontier.size + stroll->batch_count)
        return damaged(err, stroll->path, frame->offset, "a commit of another size");
    for (uint64_t i = 0; i < stroll->batch_count; i++) {
        tree_frontier_add(&walk->frontier, &stroll->batch[i], walk->sink, walk->context);
        VAULT_TRY(check_remembered(walk, err));
    }
    const struct tree_hash root = tree_frontier_root(&walk->frontier);
    if (!tree_hash_equal(&root, &commit.root))
        return damaged(err, stroll->path, frame->offset, "the entries do not give the root");
    stroll->batch_count = 0;
    walk->last_time_ms = stroll->batch_last_time_ms;
    memcpy(walk->signature, commit.signature, sizeof walk->signature);
    walk->end = (struct journal_place){stroll->segment, frame->offset + frame->size};
    return VAULT_OK;
}

static enum vault_code check_last_signature(const struct stroll *stroll, struct vault_error *err)
{
    const struct journal_walk *walk = stroll->walk;
    const struct tree_hash root = tree_frontier_root(&walk->frontier);
    if (is_signed(walk, walk->frontier.size, &root, walk->signature))
        return VAULT_OK;
    return vault_fail(err, VAULT_CORRUPT,
                      "%s: the signature at %" PRIu64 " entries is not by the log's key",
                      stroll->path, walk->frontier.size);
}

/* Take frames while they fit. *wrong tells why the walk ended: NULL where no frame stands. */
static enum vault_code take_frames(struct stroll *stroll, struct frame_source *source,
                                   uint64_t *stopped_at, const char **wrong,
                                   struct vault_error *err)
{
    bool found = false;
    struct frame frame;
    for (*wrong = NULL; !*wrong;) {
        *stopped_at = source->offset;
        VAULT_TRY(frame_source_next(source, &frame, &found, err));
        if (!found)
            return VAULT_OK;
        if (frame.type == FRAME_COMMIT)
            VAULT_TRY(take_commit(stroll, &frame, err));
        else
            *wrong = frame.type == FRAME_ENTRY ? take_entry(stroll, &frame)
                                               : "the start of a segment inside one";
    }
    return VAULT_OK;
}

/* Read what stands from an offset to the end of the file. */
static enum vault_code read_rest(int fd, const char *path, uint64_t from, struct buf *out,
                                 struct vault_error *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return vault_fail_errno(err, "looking at %s", path);
    const uint64_t size = (uint64_t)status.st_size > from ? (uint64_t)status.st_size - from : 0;
    *out = buf_limited((size_t)size);
    uint8_t *data = buf_extend(out, (size_t)size);
    VAULT_TRY(buf_check(out, err));
    for (uint64_t at = 0; at < size;) {
        const ssize_t got = pread(fd, data + at, (size_t)(size - at), (off_t)(from + at));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return vault_fail_errno(err, "reading %s", path);
        at += (uint64_t)got;
    }
    return VAULT_OK;
}

static bool is_all_zero(struct bytes bytes)
{
    return bytes.size == 0 ||
           (bytes.data[0] == 0 && memcmp(bytes.data, bytes.data + 1, bytes.size - 1) == 0);
}

/* Whether a commit that the log signed stands anywhere in the bytes. */
static bool has_valid_commit(const struct journal_walk *walk, struct bytes bytes)
{
    static const char magic[] = "CVLJ";
    const uint8_t *at = bytes.data;
    const uint8_t *end = bytes.data + bytes.size;
    while (at && (at = memmem(at, (size_t)(end - at), magic, strlen(magic)))) {
        struct frame frame;
        struct frame_commit commit;
        if (frame_read((struct bytes){at, (size_t)(end - at)}, &frame) &&
            frame_read_commit(&frame, &commit) &&
            is_signed(walk, commit.size, &commit.root, commit.signature))
            return true;
        at++;
    }
    return false;
}

/* Whether the bytes begin like an entry that was not written to its end. */
static bool begins_an_entry(struct bytes bytes)
{
    static const uint8_t start[] = {'C', 'V', 'L', 'J', FRAME_ENTRY};
    size_t size = bytes.size < sizeof start ? bytes.size : sizeof start;
    while (size > 0 && bytes.data[size - 1] == 0)
        size--;
    return size > 0 && memcmp(bytes.data, start, size) == 0;
}

/*
 * What stands where frames end. Zeros are space that was reserved. Anything else was torn while it
 * was written if no valid commit stands behind it, and is damage if one does.
 */
static enum vault_code judge_rest(struct stroll *stroll, int fd, uint64_t stopped_at,
                                  const char *wrong, bool is_last, struct vault_error *err)
{
    struct journal_walk *walk = stroll->walk;
    VAULT_AUTO(buf_finish) struct buf rest = buf_limited(0);
    VAULT_TRY(read_rest(fd, stroll->path, stopped_at, &rest, err));
    const bool zero = is_all_zero(buf_view(&rest));
    if (!wrong)
        wrong = rest.size ? "no frame stands here" : "the file ends inside a batch";
    if (zero && stroll->batch_count == 0) {
        walk->is_clean = rest.size == 0;
        return VAULT_OK;
    }
    if (!is_last || has_valid_commit(walk, buf_view(&rest)))
        return damaged(err, stroll->path, stopped_at, wrong);
    walk->is_torn = true;
    walk->torn_entries = stroll->batch_count + (!zero && begins_an_entry(buf_view(&rest)));
    return VAULT_OK;
}

/* The first frame of a segment repeats what the log was there, signed. Where the journal begins
 * there is nothing to compare it with, and it is believed for its signature, which does not cover
 * the time: before the first entry there is none. */
static bool begins_well(struct journal_walk *walk, const struct frame *frame, uint64_t first)
{
    struct frame_segment segment;
    if (!frame_read_segment(frame, &segment) || segment.frontier.size != first)
        return false;
    const struct tree_hash stated = tree_frontier_root(&segment.frontier);
    if (!is_signed(walk, first, &stated, segment.signature))
        return false;
    if (first == 0 && segment.last_time_ms != 0)
        return false;
    if (first == walk->begins_at) {
        walk->frontier = segment.frontier;
        walk->last_time_ms = segment.last_time_ms;
    }
    const struct tree_hash root = tree_frontier_root(&walk->frontier);
    if (walk->frontier.size != first || segment.last_time_ms != walk->last_time_ms ||
        !tree_hash_equal(&root, &stated))
        return false;
    memcpy(walk->signature, segment.signature, sizeof walk->signature);
    return true;
}

static enum vault_code walk_segment(struct stroll *stroll, int fd, bool is_last,
                                    struct vault_error *err)
{
    struct journal_walk *walk = stroll->walk;
    VAULT_AUTO(frame_source_close) struct frame_source source = {.fd = -1};
    struct frame frame;
    bool found = false;
    uint64_t stopped_at = 0;
    const char *wrong = "it does not begin as it must";
    VAULT_TRY(frame_source_open(&source, fd, 0, err));
    VAULT_TRY(frame_source_next(&source, &frame, &found, err));
    const bool begins = found && begins_well(walk, &frame, stroll->segment);
    if (!begins && stroll->segment == walk->begins_at)
        return damaged(err, stroll->path, 0, wrong);
    if (begins) {
        VAULT_TRY(check_remembered(walk, err));
        stroll->batch_last_time_ms = walk->last_time_ms;
        walk->end = (struct journal_place){stroll->segment, source.offset};
        VAULT_TRY(take_frames(stroll, &source, &stopped_at, &wrong, err));
    }
    if (walk->frontier.size > stroll->segment)
        VAULT_TRY(check_last_signature(stroll, err));
    VAULT_TRY(judge_rest(stroll, fd, stopped_at, wrong, is_last, err));
    /* A last segment in which nothing was ever committed can be done without; its place is behind
     * the one before, which then is not as a clean stop leaves it. */
    walk->is_clean = walk->is_clean && begins;
    return VAULT_OK;
}

enum vault_code journal_walk(struct journal *journal, struct journal_walk *walk,
                             struct vault_error *err)
{
    walk->wanted_place = (struct journal_place){.segment = UINT64_MAX};
    walk->begins_at = journal->segments[0];
    if (walk->begins_at > walk->wanted)
        return vault_fail(err, VAULT_CORRUPT,
                          "the journal in %s begins with entry %" PRIu64 ", but entry %" PRIu64
                          " is needed from it",
                          journal->dir, walk->begins_at, walk->wanted);
    for (size_t i = 0; i < journal->segment_count; i++) {
        VAULT_AUTO(file_close) int fd = -1;
        char path[JOURNAL_PATH_BYTES];
        struct stroll stroll = {.walk = walk, .path = path, .segment = journal->segments[i]};
        walk->is_clean = false;
        VAULT_TRY(journal_segment_path(path, journal, stroll.segment, err));
        VAULT_TRY(journal_open_segment(journal, stroll.segment, &fd, err));
        VAULT_TRY(walk_segment(&stroll, fd, i + 1 == journal->segment_count, err));
    }
    if (walk->wanted >= walk->frontier.size)
        walk->wanted_place = walk->end;
    return check_not_older(walk, err);
}
