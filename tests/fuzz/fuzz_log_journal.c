/*
 * Walking through a journal that somebody had in hand. The input is a list of changes to a journal
 * of three segments and ten entries: bytes overwritten (with the checksum mended or not), frames
 * removed, doubled or exchanged, files cut, lengthened, dropped, replaced.
 *
 * Without the log's key nobody can make another history: a walk that succeeds ends where the log
 * once was, with the root that it had then. And one that is told where the log was last does not
 * succeed with less.
 */
#include "fuzz_tools.h"
#include "log_fuzz.h"

#include "ledger/crc32c.h"
#include "ledger/journal.h"
#include "vault/ledger/checkpoint.h"

#define ENTRIES      10U
#define SEGMENTS     3U
#define SEGMENT_ROOM (64UL * 1024)
#define FRAMES_MAX   64U

static const uint64_t firsts[SEGMENTS] = {0, 4, 7};
static const unsigned batches[] = {1, 3, 3, 1, 2}; /* entries of each */

static struct note_signer signer;
static struct buf original[SEGMENTS];
static struct tree_hash roots[ENTRIES + 1];
static bool was_committed[ENTRIES + 1];

/* --- The journal ---------------------------------------------------------------------------- */

static void sign(const struct tree_frontier *frontier, uint8_t out[SIGN_SIGNATURE_BYTES])
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CHECKPOINT_TEXT_MAX_BYTES);
    const struct tree_hash root = tree_frontier_root(frontier);
    checkpoint_write_text(&text, signer.key.name, frontier->size, &root);
    REQUIRE(sign_message(signer.pair, buf_view(&text), out, NULL) == VAULT_OK);
}

static void begin_segment(struct buf *out, const struct tree_frontier *frontier)
{
    uint8_t frame[FRAME_SEGMENT_BYTES];
    struct frame_segment segment = {.frontier = *frontier, .last_time_ms = (int64_t)frontier->size};
    sign(frontier, segment.signature);
    buf_append(out, frame, frame_write_segment(frame, &segment));
}

static void add_batch(struct buf *out, unsigned count, struct tree_frontier *frontier)
{
    uint8_t frame[FRAME_MAX_BYTES];
    for (unsigned i = 0; i < count; i++) {
        const struct entry entry = {.event = ENTRY_ADMIN, .time_ms = (int64_t)frontier->size + 1};
        const size_t size = entry_write(&entry, frame + FRAME_HEAD_BYTES);
        const struct tree_hash leaf = tree_leaf((struct bytes){frame + FRAME_HEAD_BYTES, size});
        memset(frame + FRAME_HEAD_BYTES + size, 's', i);
        buf_append(out, frame, frame_close(frame, FRAME_ENTRY, frontier->size, size, i));
        tree_frontier_add(frontier, &leaf, NULL, NULL);
    }
    struct frame_commit commit = {.size = frontier->size, .root = tree_frontier_root(frontier)};
    sign(frontier, commit.signature);
    frame_write_commit(frame, &commit);
    buf_append(out, frame, FRAME_COMMIT_BYTES);
    roots[frontier->size] = commit.root;
    was_committed[frontier->size] = true;
}

static void make_journal(void)
{
    struct tree_frontier frontier = {0};
    unsigned batch = 0;
    roots[0] = tree_empty_root();
    was_committed[0] = true;
    for (unsigned i = 0; i < SEGMENTS; i++) {
        const uint64_t end = i + 1 < SEGMENTS ? firsts[i + 1] : ENTRIES;
        original[i] = buf_limited(SEGMENT_ROOM);
        begin_segment(&original[i], &frontier);
        while (frontier.size < end)
            add_batch(&original[i], batches[batch++], &frontier);
        REQUIRE(frontier.size == end && !original[i].problem);
    }
}

static void stop(void)
{
    for (unsigned i = 0; i < SEGMENTS; i++)
        buf_finish(&original[i]);
    note_signer_finish(&signer);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    log_fuzz_start();
    signer = log_fuzz_log();
    make_journal();
    scratch_start();
    atexit(stop);
    return 0;
}

/* --- The changes ---------------------------------------------------------------------------- */

struct files {
    struct buf bytes[SEGMENTS];
    bool is_dropped[SEGMENTS];
};

static void files_finish(struct files *files)
{
    for (unsigned i = 0; i < SEGMENTS; i++)
        buf_finish(&files->bytes[i]);
}

static void put(struct buf *out, struct bytes a, struct bytes b, struct bytes c)
{
    struct buf together = buf_limited(SEGMENT_ROOM);
    buf_bytes(&together, a);
    buf_bytes(&together, b);
    buf_bytes(&together, c);
    if (together.problem) {
        buf_finish(&together);
        return;
    }
    buf_finish(out);
    *out = together;
}

/* Where the frames of a segment stand that can still be read. */
static size_t find_frames(const struct buf *bytes, struct frame frames[FRAMES_MAX])
{
    size_t count = 0;
    for (size_t at = 0; count < FRAMES_MAX; at += frames[count++].size) {
        if (!frame_read((struct bytes){bytes->data + at, bytes->size - at}, &frames[count]))
            break;
        frames[count].offset = at;
    }
    return count;
}

static struct bytes part(const struct buf *bytes, size_t from, size_t to)
{
    return (struct bytes){bytes->data + from, to - from};
}

static void overwrite(struct buf *bytes, size_t at, struct bytes with)
{
    for (size_t i = 0; i < with.size && at + i < bytes->size; i++)
        bytes->data[at + i] = with.data[i];
}

static void mend_checksum(struct buf *bytes, const struct frame *frame)
{
    const size_t end = frame->offset + frame->size - FRAME_TAIL_BYTES;
    const uint32_t crc = crc32c(part(bytes, frame->offset, end));
    for (unsigned i = 0; i < FRAME_TAIL_BYTES; i++)
        bytes->data[end + i] = (uint8_t)(crc >> (24 - 8 * i));
}

static void change_frames(struct buf *bytes, unsigned kind, struct cursor *input)
{
    static struct frame frames[FRAMES_MAX];
    const size_t count = find_frames(bytes, frames);
    if (count == 0)
        return;
    const struct frame *frame = &frames[cursor_u8(input) % count];
    const size_t at = frame->offset;
    const size_t end = at + frame->size;
    const struct bytes whole = part(bytes, at, end);
    const struct bytes before = part(bytes, 0, at);
    const struct bytes after = part(bytes, end, bytes->size);
    if (kind == 0) {
        const size_t place = at + cursor_u8(input) % frame->size;
        overwrite(bytes, place, cursor_take(input, cursor_u8(input) % 9U));
        mend_checksum(bytes, frame);
    } else if (kind == 1) {
        put(bytes, before, after, (struct bytes){0});
    } else if (kind == 2) {
        VAULT_AUTO(buf_finish) struct buf twice = buf_limited(SEGMENT_ROOM);
        buf_bytes(&twice, whole);
        buf_bytes(&twice, whole);
        put(bytes, before, buf_view(&twice), after);
    } else if (frame + 1 < frames + count) {
        const size_t next_end = end + frame[1].size;
        VAULT_AUTO(buf_finish) struct buf turned = buf_limited(SEGMENT_ROOM);
        buf_bytes(&turned, part(bytes, end, next_end));
        buf_bytes(&turned, whole);
        put(bytes, before, buf_view(&turned), part(bytes, next_end, bytes->size));
    }
}

static void change(struct files *files, struct cursor *input)
{
    const unsigned kind = cursor_u8(input) % 10U;
    const unsigned segment = cursor_u8(input) % SEGMENTS;
    struct buf *bytes = &files->bytes[segment];
    const size_t at = cursor_u16(input) % (bytes->size + 1);
    if (kind < 4)
        change_frames(bytes, kind, input);
    else if (kind == 4)
        overwrite(bytes, at, cursor_take(input, cursor_u8(input)));
    else if (kind == 5)
        bytes->size = at;
    else if (kind == 6)
        put(bytes, buf_view(bytes), cursor_take(input, cursor_u8(input)), (struct bytes){0});
    else if (kind == 7)
        files->is_dropped[segment] = true;
    else if (kind == 8)
        put(bytes, buf_view(bytes), buf_view(&original[at % SEGMENTS]), (struct bytes){0});
    else if (input->left < SEGMENT_ROOM)
        put(bytes, cursor_take(input, input->left), (struct bytes){0}, (struct bytes){0});
}

/* --- The walk ------------------------------------------------------------------------------- */

static void write_files(const struct files *files, struct journal *journal)
{
    snprintf(journal->dir, sizeof journal->dir, "%s", scratch_dir);
    for (unsigned i = 0; i < SEGMENTS; i++) {
        char name[SEGMENT_NAME_CHARS + 1];
        if (files->is_dropped[i])
            continue;
        segment_name(name, firsts[i]);
        scratch_put(name, buf_view(&files->bytes[i]));
        journal->segments[journal->segment_count++] = firsts[i];
    }
}

static void require_true(struct journal *journal)
{
    const struct ledger_head last = {.size = ENTRIES, .root = roots[ENTRIES]};
    struct journal_walk walk = {.key = &signer.key, .wanted = ENTRIES};
    struct journal_walk strict = {
        .key = &signer.key, .wanted = ENTRIES, .remembered = &last, .remembered_count = 1};
    if (journal_walk(journal, &walk, NULL) == VAULT_OK) {
        const struct tree_hash root = tree_frontier_root(&walk.frontier);
        REQUIRE(walk.frontier.size <= ENTRIES && was_committed[walk.frontier.size]);
        REQUIRE(tree_hash_equal(&root, &roots[walk.frontier.size]));
        /* The time before a journal that forgot its beginning is not signed. */
        REQUIRE(walk.last_time_ms == (int64_t)walk.frontier.size ||
                (walk.begins_at > 0 && walk.frontier.size == walk.begins_at));
        REQUIRE(!(walk.is_clean && walk.is_torn));
    }
    if (journal_walk(journal, &strict, NULL) == VAULT_OK)
        REQUIRE(strict.frontier.size == ENTRIES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor input = cursor_over((struct bytes){data, size});
    VAULT_AUTO(files_finish) struct files files = {0};
    uint64_t firsts_there[SEGMENTS];
    static struct journal journal;
    journal = (struct journal){.segments = firsts_there};
    for (unsigned i = 0; i < SEGMENTS; i++) {
        files.bytes[i] = buf_limited(SEGMENT_ROOM);
        buf_bytes(&files.bytes[i], buf_view(&original[i]));
    }
    while (input.left && !input.truncated)
        change(&files, &input);
    write_files(&files, &journal);
    if (journal.segment_count)
        require_true(&journal);
    return 0;
}
