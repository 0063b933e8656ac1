/*
 * segment - the journal's files one by one: names, reserved space, beginnings, copies.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "frame.h"
#include "vault/base/error.h"

#define SEGMENT_MIN_BYTES     (512UL * 1024)
#define SEGMENT_MAX_BYTES     (64UL * 1024 * 1024)
#define SEGMENT_TYPICAL_BYTES 1024U /* of an entry with its opening */
#define SEGMENT_NAME_CHARS    28    /* 20 digits and ".segment" */

/* The name of the segment that begins with an index, and back. */
void segment_name(char out[static SEGMENT_NAME_CHARS + 1], uint64_t first);
bool segment_name_parse(const char *name, uint64_t *first);

/* How much the segment that begins with an index reserves: about what all before it took, up to the
 * largest size, so that a small log takes little. */
uint64_t segment_planned_bytes(uint64_t first);

/* A descriptor and which file it is, to notice when a name has come to mean another. */
struct held_file {
    int fd; /* owned; -1: none */
    dev_t device;
    ino_t inode;
};

/* Takes the descriptor over. */
enum vault_code held_file_set(struct held_file *file, int *fd, struct vault_error *err)
    VAULT_MUST_CHECK;
void held_file_close(struct held_file *file);

/* That the path still leads to the file that is open; status tells about the file. */
enum vault_code held_file_check(const struct held_file *file, const char *path, struct stat *status,
                                struct vault_error *err) VAULT_MUST_CHECK;

/* Reserve space up to size. False, with errno, if there is none. */
bool segment_reserve(int fd, uint64_t size);

/* Make a file with space reserved: *size bytes, or the largest half, quarter, … that fits, down to
 * SEGMENT_MIN_BYTES. */
enum vault_code segment_make(const char *path, uint64_t *size, int *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Write a segment's first frame into a reserved file and give it its name; the folder is the
 * caller's to sync. *end is behind the frame. */
enum vault_code segment_begin(int fd, const char *reserved, const char *path,
                              const struct frame_segment *segment, uint64_t *end,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* Copy the first size bytes; path is for words. */
enum vault_code segment_copy(int from, int to, uint64_t size, const char *path,
                             struct vault_error *err) VAULT_MUST_CHECK;
