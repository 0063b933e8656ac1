#include "frame.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crc32c.h"

#define VERSION      1
#define WINDOW_BYTES (256UL * 1024)

static const uint8_t magic[4] = {'C', 'V', 'L', 'J'};

static void put_integer(uint8_t *out, uint64_t value, size_t width)
{
    for (size_t i = 0; i < width; i++)
        out[i] = (uint8_t)(value >> (8 * (width - 1 - i)));
}

size_t frame_close(uint8_t *out, enum frame_type type, uint64_t number, size_t first_size,
                   size_t second_size)
{
    assert(first_size <= UINT16_MAX && second_size <= UINT32_MAX);
    memcpy(out, magic, sizeof magic);
    out[4] = (uint8_t)type;
    out[5] = VERSION;
    put_integer(out + 6, first_size, 2);
    put_integer(out + 8, second_size, 4);
    put_integer(out + 12, number, 8);
    const size_t size = FRAME_HEAD_BYTES + first_size + second_size;
    put_integer(out + size, crc32c((struct bytes){out, size}), FRAME_TAIL_BYTES);
    return size + FRAME_TAIL_BYTES;
}

static bool sizes_are_possible(uint8_t type, size_t first_size, size_t second_size)
{
    switch (type) {
    case FRAME_ENTRY:
        return first_size <= ENTRY_MAX_BYTES && second_size <= LEDGER_OPENING_MAX_BYTES;
    case FRAME_COMMIT:
        return first_size == TREE_HASH_BYTES + SIGN_SIGNATURE_BYTES && second_size == 0;
    case FRAME_SEGMENT:
        return first_size <= FRAME_SEGMENT_BYTES - FRAME_OVERHEAD_BYTES && second_size == 0;
    default:
        return false;
    }
}

bool frame_read(struct bytes bytes, struct frame *out)
{
    struct cursor cursor = cursor_over(bytes);
    const struct bytes start = cursor_take(&cursor, sizeof magic);
    const uint8_t type = cursor_u8(&cursor);
    const uint8_t version = cursor_u8(&cursor);
    const size_t first_size = cursor_u16(&cursor);
    const size_t second_size = cursor_u32(&cursor);
    const uint64_t number = cursor_u64(&cursor);
    if (cursor.truncated || memcmp(start.data, magic, sizeof magic) != 0 || version != VERSION ||
        !sizes_are_possible(type, first_size, second_size))
        return false;
    struct frame frame = {.type = (enum frame_type)type, .number = number};
    frame.first = cursor_take(&cursor, first_size);
    frame.second = cursor_take(&cursor, second_size);
    const uint32_t crc = cursor_u32(&cursor);
    frame.size = FRAME_OVERHEAD_BYTES + first_size + second_size;
    if (cursor.truncated ||
        crc != crc32c((struct bytes){bytes.data, frame.size - FRAME_TAIL_BYTES}))
        return false;
    *out = frame;
    return true;
}

void frame_write_commit(uint8_t *out, const struct frame_commit *commit)
{
    uint8_t *at = out + FRAME_HEAD_BYTES;
    memcpy(at, commit->root.bytes, TREE_HASH_BYTES);
    memcpy(at + TREE_HASH_BYTES, commit->signature, SIGN_SIGNATURE_BYTES);
    frame_close(out, FRAME_COMMIT, commit->size, TREE_HASH_BYTES + SIGN_SIGNATURE_BYTES, 0);
}

bool frame_read_commit(const struct frame *frame, struct frame_commit *out)
{
    if (frame->type != FRAME_COMMIT)
        return false;
    struct cursor cursor = cursor_over(frame->first);
    out->size = frame->number;
    cursor_copy(&cursor, out->root.bytes, TREE_HASH_BYTES);
    cursor_copy(&cursor, out->signature, SIGN_SIGNATURE_BYTES);
    return !cursor.truncated;
}

size_t frame_write_segment(uint8_t *out, const struct frame_segment *segment)
{
    uint8_t *at = out + FRAME_HEAD_BYTES;
    put_integer(at, (uint64_t)segment->last_time_ms, 8);
    at += 8;
    memcpy(at, segment->signature, SIGN_SIGNATURE_BYTES);
    at += SIGN_SIGNATURE_BYTES;
    for (unsigned level = 0; level < TREE_MAX_LEVELS; level++) {
        if (segment->frontier.size >> level & 1) {
            memcpy(at, segment->frontier.nodes[level].bytes, TREE_HASH_BYTES);
            at += TREE_HASH_BYTES;
        }
    }
    return frame_close(out, FRAME_SEGMENT, segment->frontier.size,
                       (size_t)(at - out) - FRAME_HEAD_BYTES, 0);
}

bool frame_read_segment(const struct frame *frame, struct frame_segment *out)
{
    if (frame->type != FRAME_SEGMENT || frame->number > TREE_MAX_SIZE)
        return false;
    struct cursor cursor = cursor_over(frame->first);
    *out = (struct frame_segment){0};
    out->last_time_ms = (int64_t)cursor_u64(&cursor);
    cursor_copy(&cursor, out->signature, SIGN_SIGNATURE_BYTES);
    out->frontier.size = frame->number;
    for (unsigned level = 0; level < TREE_MAX_LEVELS; level++) {
        if (frame->number >> level & 1)
            cursor_copy(&cursor, out->frontier.nodes[level].bytes, TREE_HASH_BYTES);
    }
    return !cursor.truncated && cursor.left == 0 && out->last_time_ms >= 0 &&
           out->last_time_ms <= ENTRY_TIME_MAX_MS;
}

enum vault_code frame_source_open(struct frame_source *source, int fd, uint64_t offset,
                                  struct vault_error *err)
{
    uint8_t *data = malloc(WINDOW_BYTES);
    if (!data)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    *source = (struct frame_source){.fd = fd, .offset = offset, .data = data};
    return VAULT_OK;
}

void frame_source_close(struct frame_source *source)
{
    free(source->data);
    *source = (struct frame_source){.fd = -1};
}

/* Move the window to the next frame and fill it from there. */
static enum vault_code look(struct frame_source *source, struct vault_error *err)
{
    source->window = source->offset;
    source->have = 0;
    while (source->have < WINDOW_BYTES) {
        const ssize_t got =
            pread(source->fd, source->data + source->have, WINDOW_BYTES - source->have,
                  (off_t)(source->window + source->have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return vault_fail_errno(err, "reading the journal");
        if (got == 0)
            break;
        source->have += (size_t)got;
    }
    return VAULT_OK;
}

static bool read_in_window(const struct frame_source *source, struct frame *out)
{
    const uint64_t at = source->offset - source->window;
    return source->offset >= source->window && at < source->have &&
           frame_read((struct bytes){source->data + at, source->have - at}, out);
}

enum vault_code frame_source_next(struct frame_source *source, struct frame *out, bool *found,
                                  struct vault_error *err)
{
    struct frame frame;
    bool there = read_in_window(source, &frame);
    if (!there) {
        VAULT_TRY(look(source, err));
        there = read_in_window(source, &frame);
    }
    *found = there;
    if (there) {
        frame.offset = source->offset;
        source->offset += frame.size;
        *out = frame;
    }
    return VAULT_OK;
}
