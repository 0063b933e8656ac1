/* Frames of the journal. A frame that is accepted is written again byte for byte, and so is what
 * it holds. */
#include "log_fuzz.h"

#include "ledger/crc32c.h"
#include "ledger/frame.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    log_fuzz_start();
    return 0;
}

static void require_same_bytes(const struct frame *frame, const uint8_t *input)
{
    static uint8_t again[FRAME_MAX_BYTES];
    memcpy(again + FRAME_HEAD_BYTES, frame->first.data, frame->first.size);
    memcpy(again + FRAME_HEAD_BYTES + frame->first.size, frame->second.data, frame->second.size);
    REQUIRE(frame_close(again, frame->type, frame->number, frame->first.size, frame->second.size) ==
            frame->size);
    REQUIRE(memcmp(again, input, frame->size) == 0);
}

static void require_same_content(const struct frame *frame, const uint8_t *input)
{
    static uint8_t again[FRAME_MAX_BYTES];
    struct frame_commit commit;
    struct frame_segment segment;
    const bool is_commit = frame_read_commit(frame, &commit);
    const bool is_segment = frame_read_segment(frame, &segment);
    REQUIRE(is_commit == (frame->type == FRAME_COMMIT));
    REQUIRE(!is_segment || frame->type == FRAME_SEGMENT);
    if (is_commit) {
        frame_write_commit(again, &commit);
        REQUIRE(memcmp(again, input, frame->size) == 0);
    }
    if (is_segment) {
        REQUIRE(frame_write_segment(again, &segment) == frame->size);
        REQUIRE(memcmp(again, input, frame->size) == 0);
    }
}

/* Nearly every mutation breaks the checksum: put the right one where the frame says it ends. */
static void mend_checksum(uint8_t *data, size_t size)
{
    struct cursor head = cursor_over((struct bytes){data, size});
    (void)cursor_take(&head, 6);
    const size_t end = FRAME_HEAD_BYTES + cursor_u16(&head) + (size_t)cursor_u32(&head);
    if (head.truncated || end + FRAME_TAIL_BYTES > size)
        return;
    const uint32_t crc = crc32c((struct bytes){data, end});
    for (unsigned i = 0; i < FRAME_TAIL_BYTES; i++)
        data[end + i] = (uint8_t)(crc >> (24 - 8 * i));
}

static void try(const uint8_t *data, size_t size)
{
    struct frame frame;
    if (!frame_read((struct bytes){data, size}, &frame))
        return;
    REQUIRE(frame.size <= size && frame.size <= FRAME_MAX_BYTES);
    require_same_bytes(&frame, data);
    require_same_content(&frame, data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    VAULT_AUTO(buf_finish) struct buf mended = buf_limited(size);
    buf_append(&mended, data, size);
    try(data, size);
    if (mended.size)
        mend_checksum(mended.data, mended.size);
    try(mended.data, mended.size);
    return 0;
}
