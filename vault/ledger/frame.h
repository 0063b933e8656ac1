/*
 * frame - what the journal is made of.
 *
 *     "CVLJ"  type u8  version u8 = 1  first_size u16  second_size u32  number u64
 *     first   first_size bytes
 *     second  second_size bytes
 *     crc     u32, CRC-32C of all before it
 *
 * Integers are big-endian. A segment file begins with one SEGMENT frame; then come batches, each
 * some ENTRY frames and a COMMIT frame, written at once; then zeros to the size that was reserved.
 *
 *     type     number             first                                     second
 *     SEGMENT  its first index    time of the last entry before it (u64),
 *                                 signature at that size, frontier nodes
 *     ENTRY    the entry's index  the entry's text                          its sealed opening
 *     COMMIT   the log's size     root and signature at that size
 *
 * The checksum finds torn and damaged frames. It is not what makes the log hard to change: roots
 * and signatures are.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/sign.h"
#include "vault/ledger/ledger.h"
#include "vault/ledger/tree.h"

#define FRAME_HEAD_BYTES     20U
#define FRAME_TAIL_BYTES     4U
#define FRAME_OVERHEAD_BYTES (FRAME_HEAD_BYTES + FRAME_TAIL_BYTES)
#define FRAME_COMMIT_BYTES   (FRAME_OVERHEAD_BYTES + TREE_HASH_BYTES + SIGN_SIGNATURE_BYTES)
#define FRAME_SEGMENT_BYTES                                                                        \
    (FRAME_OVERHEAD_BYTES + 8 + SIGN_SIGNATURE_BYTES + TREE_MAX_LEVELS * TREE_HASH_BYTES)
#define FRAME_MAX_BYTES (FRAME_OVERHEAD_BYTES + ENTRY_MAX_BYTES + LEDGER_OPENING_MAX_BYTES)

enum frame_type { FRAME_ENTRY = 1, FRAME_COMMIT = 2, FRAME_SEGMENT = 3 };

struct frame {
    enum frame_type type;
    uint64_t number;
    struct bytes first; /* borrowed from where it was read */
    struct bytes second;
    uint64_t offset; /* in the file */
    size_t size;     /* of the whole frame */
};

/* Make a frame of the parts that stand at out + FRAME_HEAD_BYTES, one after the other: put head and
 * checksum around them. Returns the frame's size. */
size_t frame_close(uint8_t *out, enum frame_type type, uint64_t number, size_t first_size,
                   size_t second_size);

/* Read the frame that the bytes begin with. False if they do not, or it is not whole. */
bool frame_read(struct bytes bytes, struct frame *out);

/* What a COMMIT frame holds, and writing one (FRAME_COMMIT_BYTES). */
struct frame_commit {
    uint64_t size;
    struct tree_hash root;
    uint8_t signature[SIGN_SIGNATURE_BYTES];
};

void frame_write_commit(uint8_t *out, const struct frame_commit *commit);
bool frame_read_commit(const struct frame *frame, struct frame_commit *out);

/* What a SEGMENT frame holds, and writing one (at most FRAME_SEGMENT_BYTES; returns its size). */
struct frame_segment {
    int64_t last_time_ms; /* of the entry before the segment; 0 if there is none */
    uint8_t signature[SIGN_SIGNATURE_BYTES];
    struct tree_frontier frontier; /* its size is the segment's first index */
};

size_t frame_write_segment(uint8_t *out, const struct frame_segment *segment);
bool frame_read_segment(const struct frame *frame, struct frame_segment *out);

/* The frames of an open file, in turn. */
struct frame_source {
    int fd;          /* borrowed; -1: none */
    uint64_t offset; /* of the next frame */
    uint8_t *data;   /* a window on the file, from window on; owned */
    uint64_t window;
    size_t have;
};

enum vault_code frame_source_open(struct frame_source *source, int fd, uint64_t offset,
                                  struct vault_error *err) VAULT_MUST_CHECK;
void frame_source_close(struct frame_source *source);

/* The next frame, which borrows from the source until the next call; *found is false, and nothing
 * moves, where none stands. What was read before is read again if it was no frame then. */
enum vault_code frame_source_next(struct frame_source *source, struct frame *out, bool *found,
                                  struct vault_error *err) VAULT_MUST_CHECK;
